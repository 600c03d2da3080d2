#include "kcb/topics.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "kcb/deployment.h"
#include "kcb/kcb.h"
#include "kcb/redact.h"

enum {
    MOST_REPLICAS = 3,
    LOOK_TIMEOUT_MS = 8000,
    CREATE_TIMEOUT_MS = 8000,
    TOPICS_TIME_MS = 25000, /* for everything that the row asks in one run */
    MOST_CREATE_TRIES = 3,
    MOST_POLLS = 10, /* reads lag writes (lab-facts.md 1.3) */
    POLL_PAUSE_MS = 300,
    CREATE_PAUSE_MS = 1000,
    LOOK_AGAIN_MS = 60 * 60 * 1000,
    LONGEST_POLICY = 60,
    LONGEST_KAFKA_WORDS = 300,
};

/* ---- pure: what we want ---- */

int kcbi_topic_replication(int64_t option, size_t broker_count)
{
    if (option > 0 && option <= INT16_MAX) {
        return (int)option;
    }
    if (broker_count < 1) {
        return 1;
    }
    return broker_count < MOST_REPLICAS ? (int)broker_count : MOST_REPLICAS;
}

void kcbi_topic_specs(const char *const names[KCBI_TOPIC_COUNT], int replication,
                      struct kcb_topic_spec ret_specs[KCBI_TOPIC_COUNT])
{
    static const int partitions[KCBI_TOPIC_COUNT] = {
        [KCBI_TOPIC_CONFIGS] = 1,
        [KCBI_TOPIC_OFFSETS] = 50,
        [KCBI_TOPIC_STATUS] = 10,
    };
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        ret_specs[i] = (struct kcb_topic_spec){
            .name = names[i],
            .partitions = partitions[i],
            .replication = replication,
            .cleanup_policy = "compact",
        };
    }
}

/* ---- pure: what is there ---- */

/* Everything that the words of one topic need. */
struct judging {
    struct charm_arena *arena;
    const struct kcb_topic_spec *spec;
    const struct kcb_topic_view *seen;
    const char *server; /* for commands: the first broker */
    bool single;        /* Connect insists on one partition */
};

static const char *first_server(struct charm_arena *arena, const char *bootstrap)
{
    return charm_arena_copy_n(arena, bootstrap, strcspn(bootstrap, ","));
}

static struct kcbi_topic_verdict wrong_policy(const struct judging *j)
{
    const char *policy = kcbi_redact_text(j->arena, j->seen->cleanup_policy, LONGEST_POLICY);
    return (struct kcbi_topic_verdict){
        .state = KCBI_TOPIC_WRONG,
        .words = charm_arena_printf(
            j->arena,
            "topic %s has cleanup.policy=%s, and Connect starts on nothing but compact: "
            "kafka-configs.sh --bootstrap-server %s --topic %s --alter --add-config "
            "cleanup.policy=compact",
            j->spec->name, policy, j->server, j->spec->name),
        .note = "",
    };
}

static struct kcbi_topic_verdict wrong_partitions(const struct judging *j)
{
    return (struct kcbi_topic_verdict){
        .state = KCBI_TOPIC_WRONG,
        .words = charm_arena_printf(
            j->arena,
            "topic %s has %d partitions: Connect wants exactly 1 and would not start. With no "
            "worker running: kafka-topics.sh --bootstrap-server %s --delete --topic %s (it is "
            "made anew, empty)",
            j->spec->name, j->seen->partitions, j->server, j->spec->name),
        .note = "",
    };
}

/*
 * The policy cannot be read: a broker before 0.11, or no right to. A topic of the partitions that we would have given
 * is taken for ours; any other may be one that a broker made by itself, and that one is not compacted.
 */
static struct kcbi_topic_verdict unread_policy(const struct judging *j)
{
    const char *why = j->seen->policy_error == NULL || j->seen->policy_error[0] == '\0'
                          ? "the broker does not say"
                          : kcbi_redact_text(j->arena, j->seen->policy_error, LONGEST_KAFKA_WORDS);
    if (j->seen->partitions == j->spec->partitions) {
        return (struct kcbi_topic_verdict){
            .state = KCBI_TOPIC_FINE,
            .words = "",
            .note = charm_arena_printf(
                j->arena, "topic %s: cleanup.policy could not be read (%s), partitions agree",
                j->spec->name, why),
        };
    }
    return (struct kcbi_topic_verdict){
        .state = KCBI_TOPIC_UNSEEN,
        .words = charm_arena_printf(
            j->arena,
            "topic %s has %d partitions, not %d, and its cleanup.policy could not be read (%s): "
            "allow DescribeConfigs on it, Connect forgets what it stores unless it is compact",
            j->spec->name, j->seen->partitions, j->spec->partitions, why),
        .note = "",
    };
}

static struct kcbi_topic_verdict fine(const struct judging *j)
{
    struct kcbi_topic_verdict verdict = { .state = KCBI_TOPIC_FINE, .words = "", .note = "" };
    const struct kcb_topic_spec *spec = j->spec;
    if (j->seen->partitions != spec->partitions) {
        verdict.note = charm_arena_printf(
            j->arena, "topic %s has %d partitions where we would make %d; Connect does not mind",
            spec->name, j->seen->partitions, spec->partitions);
    } else if (j->seen->replication != spec->replication) {
        verdict.note = charm_arena_printf(
            j->arena, "topic %s has replication %d where we would give %d; it never changes",
            spec->name, j->seen->replication, spec->replication);
    }
    return verdict;
}

static struct kcbi_topic_verdict judge_present(const struct judging *j)
{
    if (j->single && j->seen->partitions != 1) {
        return wrong_partitions(j);
    }
    if (j->seen->cleanup_policy == NULL) {
        return unread_policy(j);
    }
    if (!charmi_same(j->seen->cleanup_policy, j->spec->cleanup_policy)) {
        return wrong_policy(j);
    }
    return fine(j);
}

/* Kafka's error codes that we tell apart; texts differ by version (lab-facts.md 1.3). */
enum {
    KAFKA_UNSUPPORTED_FEATURE = -165, /* librdkafka: the broker has no such call */
    KAFKA_NONE = 0,
    KAFKA_INVALID_TOPIC = 17,
    KAFKA_TOPIC_NOT_AUTHORISED = 29,
    KAFKA_CLUSTER_NOT_AUTHORISED = 31,
    KAFKA_TOPIC_EXISTS = 36,
    KAFKA_INVALID_PARTITIONS = 37,
    KAFKA_INVALID_REPLICATION = 38,
    KAFKA_INVALID_CONFIG = 40,
    KAFKA_POLICY_VIOLATION = 44,
};

static struct kcbi_topic_verdict unseen(struct charm_arena *arena,
                                        const struct kcb_topic_spec *spec,
                                        const struct kcb_topic_view *seen)
{
    const char *text = seen == NULL || seen->error_text == NULL ? "" : seen->error_text;
    const char *words = charm_arena_printf(
        arena, "topic %s: Kafka does not say whether it exists (%s)", spec->name,
        text[0] == '\0' ? "no answer" : kcbi_redact_text(arena, text, LONGEST_KAFKA_WORDS));
    if (seen != NULL && seen->error_code == KAFKA_TOPIC_NOT_AUTHORISED) {
        words = charm_arena_printf(arena,
                                   "topic %s: Kafka does not let us look at it, it is unknown "
                                   "whether it is right: allow Describe and DescribeConfigs on it",
                                   spec->name);
    }
    return (struct kcbi_topic_verdict){ .state = KCBI_TOPIC_UNSEEN, .words = words, .note = "" };
}

static const struct kcb_topic_view *find_topic(const struct kcb_cluster_view *view,
                                               const char *name)
{
    for (size_t i = 0; i < view->topic_count; i++) {
        if (charmi_same(view->topics[i].name, name)) {
            return &view->topics[i];
        }
    }
    return NULL;
}

struct kcbi_topics_verdict kcbi_judge_topics(struct charm_arena *arena,
                                             const struct kcb_topic_spec specs[KCBI_TOPIC_COUNT],
                                             const struct kcb_cluster_view *view,
                                             const char *bootstrap)
{
    struct kcbi_topics_verdict all = { .worst = KCBI_TOPIC_FINE };
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        const struct judging judging = {
            .arena = arena,
            .spec = &specs[i],
            .seen = find_topic(view, specs[i].name),
            .server = first_server(arena, bootstrap),
            .single = i == KCBI_TOPIC_CONFIGS,
        };
        if (judging.seen == NULL || judging.seen->presence == KCB_TOPIC_UNKNOWN) {
            all.topics[i] = unseen(arena, &specs[i], judging.seen);
        } else if (judging.seen->presence == KCB_TOPIC_ABSENT) {
            all.topics[i] = (struct kcbi_topic_verdict){
                .state = KCBI_TOPIC_MISSING,
                .words = charm_arena_printf(arena, "topic %s is not there", specs[i].name),
                .note = "",
            };
        } else {
            all.topics[i] = judge_present(&judging);
        }
        if (all.topics[i].state > all.worst) {
            all.worst = all.topics[i].state;
        }
    }
    return all;
}

/* ---- pure: what Kafka says to a wish ---- */

static const char *by_hand(struct charm_arena *arena, const struct kcb_topic_spec *spec,
                           const char *bootstrap)
{
    return charm_arena_printf(
        arena,
        "kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions %d "
        "--replication-factor %d --config cleanup.policy=%s",
        first_server(arena, bootstrap), spec->name, spec->partitions, spec->replication,
        spec->cleanup_policy);
}

static const char *too_few_brokers(struct charm_arena *arena, const struct kcb_topic_spec *spec,
                                   size_t broker_count)
{
    return charm_arena_printf(
        arena,
        "topic %s wants %d replicas and Kafka has %zu broker%s: add brokers, or set "
        "replication-factor to what is there (it never changes after creation)",
        spec->name, spec->replication, broker_count, broker_count == 1 ? "" : "s");
}

/* Kafka's refusals that stay until somebody does something; NULL: it may pass. */
static const char *refusal(struct charm_arena *arena, const struct kcb_topic_spec *spec,
                           size_t broker_count, const char *bootstrap, int code, const char *text)
{
    switch (code) {
    case KAFKA_TOPIC_NOT_AUTHORISED:
    case KAFKA_CLUSTER_NOT_AUTHORISED:
        return charm_arena_printf(arena,
                                  "may not create topic %s: allow Create, Describe and "
                                  "DescribeConfigs on it, or make it by hand: %s",
                                  spec->name, by_hand(arena, spec, bootstrap));
    case KAFKA_INVALID_REPLICATION:
        return too_few_brokers(arena, spec, broker_count);
    case KAFKA_INVALID_PARTITIONS:
        return charm_arena_printf(arena, "Kafka refuses %d partitions for topic %s: %s",
                                  spec->partitions, spec->name, text);
    case KAFKA_INVALID_TOPIC:
        return charm_arena_printf(
            arena,
            "Kafka refuses the name of topic %s (%s): it comes from option topic-prefix, or the "
            "names of model and application, has at most 249 of letters, digits, . _ -, and no "
            "other topic may differ "
            "from it in . and _ alone",
            spec->name, text);
    case KAFKA_INVALID_CONFIG:
        return charm_arena_printf(arena, "Kafka refuses cleanup.policy=%s for topic %s: %s",
                                  spec->cleanup_policy, spec->name, text);
    case KAFKA_POLICY_VIOLATION:
        return charm_arena_printf(arena, "a rule of this Kafka forbids topic %s (%s)", spec->name,
                                  text);
    case KAFKA_UNSUPPORTED_FEATURE:
        return charm_arena_printf(arena,
                                  "this Kafka is too old to be asked for topics; by hand: %s",
                                  by_hand(arena, spec, bootstrap));
    default:
        return NULL;
    }
}

enum kcbi_creation kcbi_judge_creation(struct charm_arena *arena, const struct kcb_topic_spec *spec,
                                       size_t broker_count, const char *bootstrap,
                                       const struct kcb_topic_result *result,
                                       const char **ret_words)
{
    if (result->code == KAFKA_NONE || result->code == KAFKA_TOPIC_EXISTS) {
        *ret_words = "";
        return KCBI_CREATION_DONE;
    }
    const char *said = result->text == NULL || result->text[0] == '\0'
                           ? charm_arena_printf(arena, "error %d", result->code)
                           : kcbi_redact_text(arena, result->text, LONGEST_KAFKA_WORDS);
    const char *words = refusal(arena, spec, broker_count, bootstrap, result->code, said);
    if (words != NULL) {
        *ret_words = words;
        return KCBI_CREATION_BLOCKED;
    }
    *ret_words = charm_arena_printf(arena, "topic %s could not be created yet: %s (error %d)",
                                    spec->name, said, result->code);
    return KCBI_CREATION_LATER;
}

/* ---- pure: when to look ---- */

/* The list in one order, so that order of arrival means nothing. */
static const char *sorted_servers(struct charm_arena *arena, const char *bootstrap)
{
    struct charmi_words servers = charmi_split(arena, bootstrap, ", ");
    charmi_words_sort(&servers);
    return charmi_words_join(arena, &servers, ",");
}

const char *kcbi_topics_due(const struct kcbi_topics_memory *memory, bool confirmed,
                            const char *bootstrap, const char *hook, int64_t now_ms)
{
    if (!confirmed) {
        return "they are not confirmed";
    }
    if (!charmi_same(memory->bootstrap, bootstrap)) {
        return "the brokers changed";
    }
    if (memory->renamed) {
        return "they are called otherwise now";
    }
    if (memory->owed) {
        return "the last look had no answer";
    }
    if (charmi_same(hook, "config-changed")) {
        return "the configuration changed";
    }
    if (charmi_same(hook, "secret-changed")) {
        return "a secret changed";
    }
    if (now_ms < memory->seen_ms || now_ms - memory->seen_ms >= LOOK_AGAIN_MS) {
        return "the last look is an hour old";
    }
    return NULL;
}

bool kcbi_other_brokers(struct charm_arena *arena, const char *before, const char *now)
{
    const struct charmi_words old = charmi_split(arena, before, ", ");
    const struct charmi_words new = charmi_split(arena, now, ", ");
    for (size_t i = 0; i < old.size; i++) {
        if (charmi_words_have(&new, old.at[i])) {
            return false;
        }
    }
    return old.size > 0 && new.size > 0;
}

/* ---- the row ---- */

struct work {
    struct charm_run *run;
    struct charm_arena *arena;
    const struct kcb_ports *ports;
    const struct charm_value *settings;
    const char *bootstrap; /* sorted */
    const char *names[KCBI_TOPIC_COUNT + 1];
    int64_t deadline_ms;
    size_t
        promised; /* brokers that relation `kafka` names; 0: the servers are somebody else's words */
    struct kcb_topic_spec specs[KCBI_TOPIC_COUNT];
    struct kcb_cluster_view view;
    struct kcbi_topics_verdict verdict;
    bool renamed; /* what was confirmed were topics of other names */
    bool made;    /* some topic was made in this run */
};

static int64_t monotonic_ms(struct charm_run *run)
{
    const struct charm_ports *ports = charm_ports(run);
    return ports->monotonic_ms(ports->userdata);
}

static int64_t time_left_ms(const struct work *work, int64_t most_ms)
{
    const int64_t left_ms = work->deadline_ms - monotonic_ms(work->run);
    return left_ms < most_ms ? left_ms : most_ms;
}

static const struct charm_value *memory_of(struct charm_run *run)
{
    return charm_value_get(charm_state(run, KCBI_LAYER), "topics");
}

int64_t kcbi_fetch_min_version(struct charm_run *run)
{
    return charm_value_int(charm_value_get(memory_of(run), "fetch_min_version"), -1);
}

/* The lowest of the three. */
static int seen_replication(const struct work *work)
{
    int lowest = 0;
    for (size_t i = 0; i < work->view.topic_count; i++) {
        const int one = work->view.topics[i].replication;
        lowest = one > 0 && (lowest == 0 || one < lowest) ? one : lowest;
    }
    return lowest;
}

/*
 * Workers before 2.6 are told the replication that the topics got. It stays what it was when they were made, whatever
 * becomes of the option, of the brokers, or of the topics: none of that is a reason to roll workers.
 */
static void remember_replication(struct work *work, struct charm_value *memory)
{
    const int seen = seen_replication(work);
    const int64_t known = charm_value_int(charm_app_get(work->run, KCBI_APP_REPLICATION), 0);
    const int64_t made = work->made || known <= 0 ? seen : known;
    charm_value_set_int(memory, "replication", made);
    charm_value_set_int(memory, "seen_replication", seen);
    charm_value_set_int(memory, "wished_replication", work->specs[0].replication);
    if (made != known && made > 0) {
        charm_app_set(work->run, KCBI_APP_REPLICATION, charm_value_new_int(work->arena, made));
    }
}

static void remember(struct work *work)
{
    struct charm_value *memory = charm_value_add_map(charm_state(work->run, KCBI_LAYER), "topics");
    charm_value_set_text(memory, "bootstrap", work->bootstrap);
    charm_value_set_text(memory, "configs_topic", work->names[KCBI_TOPIC_CONFIGS]);
    charm_value_set_int(memory, "seen_ms", charm_now_ms(work->run));
    charm_value_set_int(memory, "fetch_min_version", work->view.fetch_min_version);
    remember_replication(work, memory);
}

const char *kcbi_replication_words(struct charm_run *run)
{
    const struct charm_value *memory = memory_of(run);
    const int64_t seen = charm_value_int(charm_value_get(memory, "seen_replication"), 0);
    const int64_t wished = charm_value_int(charm_value_get(memory, "wished_replication"), 0);
    if (seen <= 0 || wished <= 0 || seen == wished) {
        return "";
    }
    return charm_arena_printf(
        charm_arena(run),
        "internal topics keep replication %d, new ones would get %d: "
        "kafka-reassign-partitions.sh can change it, and replication-factor=%d "
        "says that it is meant so",
        (int)seen, (int)wished, (int)seen);
}

/* Each unit of relation `kafka` is a broker; of servers that the operator gave nobody knows how many they are. */
static size_t brokers_promised(const struct work *work)
{
    struct charmi_words brokers = { 0 };
    for (const char *const *broker = kcbi_brokers(work->run); *broker != NULL; broker++) {
        charmi_words_add(work->arena, &brokers, *broker);
    }
    return charmi_same(charmi_words_join(work->arena, &brokers, ","), work->bootstrap)
               ? brokers.size
               : 0;
}

/* Looks and judges. On failure nothing in `work` has changed. */
static int look(struct work *work, struct charm_error *reterr)
{
    const int64_t timeout_ms = time_left_ms(work, LOOK_TIMEOUT_MS);
    if (timeout_ms <= 0) {
        return charm_error_set(reterr, CHARM_ETIMEOUT,
                               "look at the topics: no time is left for it in this run");
    }
    struct kcb_cluster_view view = { 0 };
    const int result = work->ports->kafka_look(work->ports->userdata, work->arena, work->settings,
                                               work->names, timeout_ms, &view, reterr);
    if (result != 0) {
        return result;
    }
    /* A broker that is down for a while is no reason for topics with fewer replicas for ever. */
    const size_t brokers = view.broker_count > work->promised ? view.broker_count : work->promised;
    const int replication =
        kcbi_topic_replication(kcbi_options(work->run)->replication_factor, brokers);
    work->view = view;
    kcbi_topic_specs(work->names, replication, work->specs);
    work->verdict = kcbi_judge_topics(work->arena, work->specs, &view, work->bootstrap);
    return 0;
}

/* A finding that takes the flag away is looked at twice: reads lag writes. */
static int look_surely(struct work *work, struct charm_error *reterr)
{
    const int result = look(work, reterr);
    const bool doubtful = result == 0 && (work->verdict.worst == KCBI_TOPIC_WRONG ||
                                          (work->verdict.worst == KCBI_TOPIC_MISSING &&
                                           charm_flag_is_set(work->run, KCB_TOPIC_CREATED)));
    if (!doubtful || !charm_wait_ms(work->run, POLL_PAUSE_MS)) {
        return result;
    }
    return look(work, reterr);
}

static const struct kcbi_topic_verdict *first_in_state(const struct kcbi_topics_verdict *verdict,
                                                       enum kcbi_topic_state state)
{
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        if (verdict->topics[i].state == state) {
            return &verdict->topics[i];
        }
    }
    return NULL;
}

static void clear_flag(struct charm_run *run, const char *flag)
{
    if (charm_flag_is_set(run, flag)) {
        charm_flag_clear(run, flag);
    }
}

/* Without its topics Connect must not run: the request for workers goes with them, and they are mended with none alive. */
static void lose(struct charm_run *run)
{
    clear_flag(run, KCB_TOPIC_CREATED);
    clear_flag(run, KCB_CONFIGURED);
    clear_flag(run, KCB_RUNNING);
    clear_flag(run, KCB_DEGRADED);
}

/* librdkafka ends its words with how long it tried and how often it said so: the same trouble is to give the same line. */
const char *kcbi_kafka_words(struct charm_arena *arena, const char *text)
{
    const char *tail = strstr(text, " (after ");
    const size_t size = tail == NULL ? strlen(text) : (size_t)(tail - text);
    return kcbi_redact_text(arena, charm_arena_copy_n(arena, text, size), LONGEST_KAFKA_WORDS);
}

/* A look that was due is owed until it has an answer, or the next hook would not even say what is wrong. */
static enum charm_result owe(struct charm_run *run)
{
    struct charm_value *state = charm_state(run, KCBI_LAYER);
    struct charm_value *memory = charm_value_copy(charm_arena(run), memory_of(run));
    if (charm_value_kind(memory) != CHARM_MAP) {
        memory = charm_value_new_map(charm_arena(run));
    }
    charm_value_set_bool(memory, "owed", true);
    charm_value_set(state, "topics", memory);
    return CHARM_LATER;
}

/* Kafka could not be asked. What is confirmed stays so, unless these are other brokers, or other topics. */
static enum charm_result say_no_answer(struct work *work, const struct charm_error *error)
{
    const char *before = charm_text(charm_value_get(memory_of(work->run), "bootstrap"));
    if (work->renamed || kcbi_other_brokers(work->arena, before, work->bootstrap)) {
        /* Nothing is known of topics there. The workers that run are not asked to go for it: it may be a typo. */
        clear_flag(work->run, KCB_TOPIC_CREATED);
    }
    kcbi_look_memo(work->run)->kafka_refuses =
        error->code == CHARM_EREFUSED || error->code == CHARM_EINVAL;
    const char *words = kcbi_kafka_words(work->arena, error->text);
    switch (error->code) {
    case CHARM_EREFUSED:
        kcbi_say(work->run, KCBI_ON_TOPICS, CHARM_BLOCKED, "%s", words);
        break;
    case CHARM_EINVAL:
        kcbi_say(work->run, KCBI_ON_TOPICS, CHARM_BLOCKED,
                 "Kafka's client refuses the settings: %s", words);
        break;
    default:
        kcbi_say(work->run, KCBI_ON_TOPICS, CHARM_WAITING, "Kafka does not answer: %s", words);
        break;
    }
    return owe(work->run);
}

/*
 * More replicas than brokers that are up. Of a number that the operator gave a person must think; of our own, which
 * counts the brokers that the relation names, the missing ones are awaited.
 */
static enum kcbi_creation few_brokers(const struct work *work, const struct kcb_topic_spec *spec,
                                      const char **ret_words)
{
    if (kcbi_options(work->run)->replication_factor > 0) {
        *ret_words = too_few_brokers(work->arena, spec, work->view.broker_count);
        return KCBI_CREATION_BLOCKED;
    }
    *ret_words = charm_arena_printf(
        work->arena,
        "topic %s is to have %d replicas, and not all of Kafka's %zu brokers are up: waiting for "
        "them, or set replication-factor to less (it never changes after creation)",
        spec->name, spec->replication,
        work->promised > work->view.broker_count ? work->promised : work->view.broker_count);
    return KCBI_CREATION_LATER;
}

static enum kcbi_creation judge_creation(const struct work *work, const struct kcb_topic_spec *spec,
                                         const struct kcb_topic_result *result,
                                         const char **ret_words)
{
    return result->code == KAFKA_INVALID_REPLICATION
               ? few_brokers(work, spec, ret_words)
               : kcbi_judge_creation(work->arena, spec, work->view.broker_count, work->bootstrap,
                                     result, ret_words);
}

/* Asks once for every missing topic; the worst answer counts. */
static enum kcbi_creation create_missing(struct work *work, const char **ret_words)
{
    struct kcb_topic_spec wanted[KCBI_TOPIC_COUNT];
    struct kcb_topic_result results[KCBI_TOPIC_COUNT] = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        if (work->verdict.topics[i].state == KCBI_TOPIC_MISSING) {
            wanted[count++] = work->specs[i];
        }
    }
    struct charm_error error = { 0 };
    const int64_t timeout_ms = time_left_ms(work, CREATE_TIMEOUT_MS);
    const int result =
        timeout_ms <= 0
            ? charm_error_set(&error, CHARM_ETIMEOUT, "no time is left in this run")
            : work->ports->kafka_create(work->ports->userdata, work->arena, work->settings, wanted,
                                        count, timeout_ms, results, &error);
    if (result != 0) {
        *ret_words = charm_arena_printf(work->arena, "topics could not be created yet: %s",
                                        kcbi_kafka_words(work->arena, error.text));
        return KCBI_CREATION_LATER;
    }
    enum kcbi_creation worst = KCBI_CREATION_DONE;
    *ret_words = "";
    for (size_t i = 0; i < count; i++) {
        const char *words;
        const enum kcbi_creation one = judge_creation(work, &wanted[i], &results[i], &words);
        charm_trace(work->run, "create topic %s (%d partitions, replication %d): %s",
                    wanted[i].name, wanted[i].partitions, wanted[i].replication,
                    one == KCBI_CREATION_DONE ? "done" : words);
        if (one > worst) {
            worst = one;
            *ret_words = words;
        }
    }
    return worst;
}

/* Several short tries do better than one long one while Kafka elects a leader (lab-facts.md 1.3). */
static enum kcbi_creation create_patiently(struct work *work, const char **ret_words)
{
    for (int tries = 1;; tries++) {
        const enum kcbi_creation creation = create_missing(work, ret_words);
        if (creation != KCBI_CREATION_LATER || tries == MOST_CREATE_TRIES ||
            !charm_wait_ms(work->run, CREATE_PAUSE_MS)) {
            return creation;
        }
    }
}

static int poll_until_fine(struct work *work, struct charm_error *reterr)
{
    for (int polls = 0; polls < MOST_POLLS; polls++) {
        const int result = look(work, reterr);
        if (result != 0 || work->verdict.worst == KCBI_TOPIC_FINE) {
            return result;
        }
        if (!charm_wait_ms(work->run, POLL_PAUSE_MS)) {
            break;
        }
    }
    return 0;
}

/* Says what was found, sets the flag or takes it away. */
static enum charm_result conclude(struct work *work)
{
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        if (!charmi_blank(work->verdict.topics[i].note)) {
            charm_trace(work->run, "%s", work->verdict.topics[i].note);
        }
    }
    const struct kcbi_topic_verdict *worst = first_in_state(&work->verdict, work->verdict.worst);
    switch (work->verdict.worst) {
    case KCBI_TOPIC_FINE:
        remember(work);
        charm_flag_set(work->run, KCB_TOPIC_CREATED);
        return CHARM_DONE;
    case KCBI_TOPIC_WRONG:
        /* Workers that run go on as long as nobody restarts them, and nobody is asked to (decision 007). */
        clear_flag(work->run, KCB_TOPIC_CREATED);
        kcbi_say(work->run, KCBI_ON_TOPICS, CHARM_BLOCKED, "%s", worst->words);
        return CHARM_LATER;
    case KCBI_TOPIC_UNSEEN:
        kcbi_say(work->run, KCBI_ON_TOPICS, CHARM_WAITING, "%s", worst->words);
        return owe(work->run);
    case KCBI_TOPIC_MISSING:
        break;
    }
    lose(work->run);
    kcbi_say(work->run, KCBI_ON_TOPICS, CHARM_WAITING, "%s yet", worst->words);
    return CHARM_LATER;
}

/* Nothing is made while some topic could not have its replicas. */
static enum kcbi_creation enough_brokers(const struct work *work, const char **ret_words)
{
    for (size_t i = 0; i < KCBI_TOPIC_COUNT; i++) {
        const struct kcb_topic_spec *spec = &work->specs[i];
        if (work->verdict.topics[i].state == KCBI_TOPIC_MISSING && work->view.broker_count > 0 &&
            (size_t)spec->replication > work->view.broker_count) {
            return few_brokers(work, spec, ret_words);
        }
    }
    return KCBI_CREATION_DONE;
}

static enum charm_result make_missing(struct work *work)
{
    const char *words = "";
    enum kcbi_creation creation = enough_brokers(work, &words);
    if (creation == KCBI_CREATION_DONE) {
        creation = create_patiently(work, &words);
    }
    if (creation != KCBI_CREATION_DONE) {
        kcbi_say(work->run, KCBI_ON_TOPICS,
                 creation == KCBI_CREATION_BLOCKED ? CHARM_BLOCKED : CHARM_WAITING, "%s", words);
        return CHARM_LATER;
    }
    work->made = true;
    struct charm_error error = { 0 };
    if (poll_until_fine(work, &error) != 0) {
        return say_no_answer(work, &error);
    }
    return conclude(work);
}

static enum charm_result look_and_mend(struct work *work)
{
    struct charm_error error = { 0 };
    if (look_surely(work, &error) != 0) {
        return say_no_answer(work, &error);
    }
    const struct kcbi_topic_verdict *missing = first_in_state(&work->verdict, KCBI_TOPIC_MISSING);
    if (missing == NULL) {
        return conclude(work);
    }
    if (charm_flag_is_set(work->run, KCB_TOPIC_CREATED)) {
        /* Workers live on it, and a topic made anew under a living group leaves them rejoining for ever
         * (kafka-connect.md 2.2): they go first, the next run makes the topic. */
        lose(work->run);
        kcbi_say(work->run, KCBI_ON_TOPICS, CHARM_WAITING,
                 "%s any more: workers are withdrawn, then it is made anew", missing->words);
        return CHARM_LATER;
    }
    if (!charm_still_leader(work->run)) {
        return CHARM_LATER;
    }
    return make_missing(work);
}

static enum charm_result say_no_settings(struct charm_run *run, const struct charm_error *error)
{
    const bool for_nobody = error->code == CHARM_EPARSE;
    const bool for_a_person = for_nobody || error->code == CHARM_EINVAL ||
                              error->code == CHARM_EREFUSED || error->code == CHARM_ENOTFOUND;
    kcbi_look_memo(run)->kafka_refuses = for_nobody;
    kcbi_say(run, KCBI_ON_TOPICS, for_a_person ? CHARM_BLOCKED : CHARM_WAITING, "%s", error->text);
    return owe(run);
}

enum charm_result kcbi_create_topics(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    kcbi_hush(run, KCBI_ON_TOPICS);
    struct charm_error error = { 0 };
    struct charm_arena *arena = charm_arena(run);
    struct charm_value *settings = kcbi_kafka_settings(run, &error);
    if (settings == NULL) {
        return say_no_settings(run, &error);
    }
    struct work work = {
        .run = run,
        .arena = arena,
        .ports = kcbi_ports(run),
        .settings = settings,
        .bootstrap =
            sorted_servers(arena, charm_text(charm_value_get(settings, "bootstrap.servers"))),
        .names = { kcb_get_configs_topic(run), kcb_get_offsets_topic(run),
                   kcb_get_status_topic(run), NULL },
        .deadline_ms = monotonic_ms(run) + TOPICS_TIME_MS,
    };
    const char *confirmed = charm_text(charm_value_get(memory_of(run), "configs_topic"));
    work.renamed = confirmed[0] != '\0' && !charmi_same(confirmed, work.names[KCBI_TOPIC_CONFIGS]);
    work.promised = brokers_promised(&work);
    const struct kcbi_topics_memory memory = {
        .bootstrap = charm_text(charm_value_get(memory_of(run), "bootstrap")),
        .seen_ms = charm_value_int(charm_value_get(memory_of(run), "seen_ms"), 0),
        .owed = charm_value_true(charm_value_get(memory_of(run), "owed")),
        .renamed = work.renamed,
    };
    const char *due = kcbi_topics_due(&memory, charm_flag_is_set(run, KCB_TOPIC_CREATED),
                                      work.bootstrap, charm_context(run)->hook, charm_now_ms(run));
    if (due == NULL) {
        charm_trace(run, "topics: confirmed less than an hour ago");
        return CHARM_DONE;
    }
    charm_trace(run, "topics: looking, since %s", due);
    if (kcbi_kafka_credentials(run, settings, &error) != 0) {
        return say_no_settings(run, &error);
    }
    return look_and_mend(&work);
}
