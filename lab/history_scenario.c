/* A history as a file of tests/scenario: what that format can say, and the rest as comments in its place. */
#include <string.h>

#include "lab/history_internal.h"
#include "lab/yaml.h"

/* ---- the same as a scenario says it ---- */

static void say_step(struct lab_world *world, const char *key, const struct charm_value *value)
{
    struct charm_value *said = world->options.said;
    if (said != NULL && value != NULL) {
        charm_value_set(charm_value_append_map(said), key,
                        charm_value_copy(world->result_arena, value));
    }
}

static void say_comment(struct lab_world *world, const char *what, const struct charm_value *value)
{
    if (world->options.said != NULL && value != NULL) {
        charm_value_set_text(
            charm_value_append_map(world->options.said), "#",
            charm_arena_printf(world->result_arena, "cannot be said: %s %s", what,
                               charm_value_render(world->arena, value, CHARM_JSON_COMPACT)));
    }
}

void lab_say_word(struct lab_world *world, const char *word)
{
    if (world->options.said != NULL && word[0] != '\0') {
        charm_value_append_text(world->options.said, word);
    }
}

/* The next run's commit, or a fault that only a history can say. */
static void say_faults(struct lab_world *world, const struct charm_value *faults)
{
    for (size_t i = 0; i < charm_value_size(faults); i++) {
        const struct charm_value *fault = charm_value_at(faults, i);
        const struct charm_value *blow = charm_value_get(fault, "blow");
        if (charmi_in(lab_commit_blows, charm_text(blow)) &&
            charm_value_int(charm_value_get(fault, "run"), 0) == 0) {
            say_step(world, "fault", blow);
        } else {
            say_comment(world, "fault", fault);
        }
    }
}

/* Where the broker of a scenario listens is known when it is played. */
static const struct charm_value *remote_in_scenario(struct lab_world *world,
                                                    const struct charm_value *remote)
{
    struct charm_value *said = charm_value_copy(world->arena, remote);
    CHARM_EACH(remote, it)
    {
        if (charmi_same(charm_text(charm_value_get(it.value, "port")), "9092")) {
            struct charm_value *data = charm_value_copy(world->arena, it.value);
            charm_value_set_text(data, "port", "${kafka-port}");
            charm_value_set(said, it.key, data);
        }
    }
    return remote == NULL ? NULL : said;
}

static void say_action(struct lab_world *world, const struct charm_value *step)
{
    struct charm_value *said = world->options.said;
    const struct charm_value *action = charm_value_get(step, "action");
    if (said != NULL && action != NULL) {
        struct charm_value *asked = charm_value_append_map(said);
        charm_value_set(asked, "action", charm_value_copy(world->result_arena, action));
        const struct charm_value *params = charm_value_get(step, "params");
        if (params != NULL) {
            charm_value_set(asked, "params", charm_value_copy(world->result_arena, params));
        }
    }
}

static void say_units(struct lab_world *world, const struct charm_value *step)
{
    static const char *const keys[] = { "add-unit", "remove-unit", "lose-unit", "leader", NULL };
    for (size_t i = 0; keys[i] != NULL; i++) {
        say_step(world, keys[i], charm_value_get(step, keys[i]));
    }
    if (world->options.said != NULL && charm_value_true(charm_value_get(step, "force"))) {
        const size_t size = charm_value_size(world->options.said);
        struct charm_value *last = /* made above, and ours */
            (struct charm_value *)(uintptr_t)charm_value_at(world->options.said, size - 1);
        charm_value_set_bool(last, "force", true);
    }
}

/* Topics as they stand now, by their partitions: a scenario's Kafka knows no more of them. */
static void say_topics(struct lab_world *world)
{
    struct charm_value *kafka = charm_value_new_map(world->arena);
    struct charm_value *topics = charm_value_add_map(kafka, "topics");
    CHARM_EACH(lab_brokers_topics(world->brokers), it)
    {
        charm_value_set(topics, it.key, charm_value_get(it.value, "partitions"));
    }
    say_step(world, "kafka", kafka);
}

/* What other hands left behind, as it stands now. */
static void say_outside(struct lab_world *world, const struct charm_value *step)
{
    const struct charm_value *kafka = charm_value_get(step, "kafka");
    if (charm_value_get(step, "by-hand") != NULL) {
        struct charm_value *rest = charm_value_new_map(world->arena);
        charm_value_set(rest, "connectors", lab_connect_connectors(world->connect));
        say_step(world, "rest", rest);
    }
    if (charm_value_get(step, "topic") != NULL) {
        say_comment(world, "topic", charm_value_get(step, "topic"));
        say_topics(world);
    }
    say_step(world, "rest", charm_value_get(step, "rest"));
    if (charm_value_kind(kafka) == CHARM_MAP) {
        say_comment(world, "kafka", kafka);
    } else {
        say_step(world, "kafka", kafka);
    }
    say_step(world, "deployer", charm_value_get(step, "deployer"));
}

void lab_say(struct lab_world *world, const struct charm_value *step)
{
    say_faults(world, charm_value_get(step, "faults"));
    say_outside(world, step);
    say_step(world, "config", charm_value_get(step, "config"));
    say_step(world, "relate", charm_value_get(step, "relate"));
    say_step(world, "remote", remote_in_scenario(world, charm_value_get(step, "remote")));
    say_step(world, "remove-relation", charm_value_get(step, "remove-relation"));
    say_units(world, step);
    say_action(world, step);
    lab_say_word(world, charm_text(charm_value_get(step, "word")));
    say_comment(world, "clock-ms", charm_value_get(step, "clock-ms"));
    say_comment(world, "only some hooks run, so many:", charm_value_get(step, "runs"));
}

/* ---- the file ---- */

/* Lines of YAML, each with so many blanks before it. */
static void add_indented(struct charmi_buf *out, const char *first, const char *rest,
                         const char *text)
{
    bool begins = true;
    while (text[0] != '\0') {
        const size_t size = strcspn(text, "\n");
        charmi_buf_addf(out, "%s%.*s\n", begins ? first : rest, (int)size, text);
        begins = false;
        text += size + (text[size] == '\n' ? 1 : 0);
    }
}

static void add_given(struct charm_arena *arena, struct charmi_buf *out,
                      const struct charm_value *history, const struct lab_history_result *result)
{
    struct charm_value *given = charm_value_new_map(arena);
    const char *prelude = charm_text(charm_value_get(history, "prelude"));
    const struct charm_value *names = charm_value_get(history, "relations");
    struct charm_value *relations = charm_value_add_map(given, "relations");
    for (size_t i = 0; i < charm_value_size(names); i++) {
        const char *name = charm_text(charm_value_at(names, i));
        charm_value_set_text(relations, name, charmi_same(name, "kafka") ? "ready" : "joined");
    }
    charm_value_set(given, "juju", charm_value_get(history, "juju"));
    charm_value_set(given, "units", charm_value_get(history, "units"));
    if (charm_value_size(charm_value_get(history, "config")) > 0) {
        charm_value_set(given, "config", charm_value_get(history, "config"));
    }
    charm_value_set_text(given, "deployer", "complete");
    charm_value_set_text(given, "prelude", charmi_same(prelude, "hooks") ? "hooks" : "none");
    if (result->unit != NULL) {
        charm_value_set_text(given, "unit", result->unit);
    }
    charmi_buf_add(out, "given:\n");
    add_indented(out, "  ", "  ", lab_yaml_render(arena, given));
}

static void add_steps(struct charm_arena *arena, struct charmi_buf *out,
                      const struct charm_value *history, const struct charm_value *said)
{
    charmi_buf_add(out, "when:\n");
    if (!charmi_same(charm_text(charm_value_get(history, "prelude")), "hooks")) {
        charmi_buf_add(out, "  - start\n");
    }
    for (size_t i = 0; i < charm_value_size(said); i++) {
        const struct charm_value *step = charm_value_at(said, i);
        const char *comment = charm_text(charm_value_get(step, "#"));
        if (comment[0] != '\0') {
            add_indented(out, "  # ", "  # ", comment);
        } else {
            add_indented(out, "  - ", "    ", lab_yaml_render(arena, step));
        }
    }
}

const char *lab_history_scenario(struct charm_arena *arena, const struct lab_base *base,
                                 const struct charm_value *history)
{
    struct charm_value *said = charm_value_new_list(arena);
    const struct lab_history_options options = { .said = said };
    struct lab_history_result result;
    struct charm_error error = { 0 };
    struct charmi_buf out = charmi_buf_init((size_t)16 * 1024 * 1024);
    if (lab_history_play(arena, base, history, &options, &result, &error) != 0) {
        return charm_arena_printf(arena, "# %s", error.text);
    }
    if (result.broken != NULL) {
        charmi_buf_addf(&out, "# %s\n", result.broken->sentence);
        add_indented(&out, "# found: ", "#   ", result.words);
    }
    add_indented(&out, "# history: ", "#   ",
                 charm_value_render(arena, history, CHARM_JSON_COMPACT));
    add_given(arena, &out, history, &result);
    add_steps(arena, &out, history, said);
    charmi_buf_add(&out, "then:\n");
    add_indented(&out, "  ", "  ",
                 result.then == NULL ? "exit: 0\n" : lab_yaml_render(arena, result.then));
    if (result.broken == &lab_no_secret) {
        charmi_buf_add(&out, "never:\n  texts: [" LAB_SECRET "]\n");
    }
    return charmi_buf_into(&out, arena);
}
