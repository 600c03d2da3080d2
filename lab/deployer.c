#include "lab/deployer.h"

#include <string.h>

#include "base/text.h"
#include "lab/deployer_answer.h"
#include "lab/deployer_requests.h"

struct lab_deployer {
    struct charm_arena *arena;
    struct lab_deployer_node node;
    const char *word;
    const char *asked; /* what was read last, as one text */
    bool ever_asked;
    struct charm_value *manifests; /* the union, in order */
    size_t versions;
    struct charm_value *cluster; /* "Kind/name" -> object as asked for */
    int64_t generation;          /* of the Deployment */
    int64_t rolled_out;          /* generation that is complete */
    bool serves;
};

struct lab_deployer *lab_deployer_new(struct charm_arena *arena, const char *node, int node_port)
{
    struct lab_deployer *deployer = charm_arena_alloc(arena, sizeof(*deployer));
    *deployer = (struct lab_deployer){
        .arena = arena, .node = { node, node_port }, .word = "complete", .asked = ""
    };
    deployer->manifests = charm_value_new_list(arena);
    deployer->cluster = charm_value_new_map(arena);
    return deployer;
}

static bool says(const struct lab_deployer *deployer, const char *word)
{
    return charmi_same(deployer->word, word);
}

/* Changes that wait are taken up when the cluster can. */
static void roll(struct lab_deployer *deployer)
{
    if (says(deployer, "complete") && deployer->generation > 0) {
        deployer->rolled_out = deployer->generation;
        deployer->serves = true;
    }
}

/* ---- what is asked: the union over all units ---- */

static const char *all_texts(struct lab_deployer *deployer, const struct charm_value *bags)
{
    struct charmi_words texts = { 0 };
    for (size_t i = 0; i < charm_value_size(bags); i++) {
        charmi_words_add(deployer->arena, &texts,
                         charm_text(charm_value_get(charm_value_at(bags, i), "resource")));
    }
    return charmi_words_join(deployer->arena, &texts, "\n");
}

/* ---- doing it ---- */

static const char *key_of(struct charm_arena *arena, const struct charm_value *manifest)
{
    return charm_arena_printf(arena, "%s/%s", charm_text(charm_value_get(manifest, "kind")),
                              charm_text(charm_value_path(manifest, "metadata", "name", NULL)));
}

static void apply_one(struct lab_deployer *deployer, const struct charm_value *manifest)
{
    const char *key = key_of(deployer->arena, manifest);
    const bool changed = !charm_value_equal(charm_value_get(deployer->cluster, key), manifest);
    charm_value_set(deployer->cluster, key, manifest);
    if (changed && charmi_starts_with(key, "Deployment/")) {
        deployer->generation++;
    }
}

static void apply_all(struct lab_deployer *deployer)
{
    const size_t count = charm_value_size(deployer->manifests);
    if (says(deployer, "refused")) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        apply_one(deployer, charm_value_at(deployer->manifests, i));
    }
    if (count == 0) {
        charm_value_clear(deployer->cluster);
        deployer->generation = 0;
        deployer->rolled_out = 0;
        deployer->serves = false;
    }
    roll(deployer);
}

int lab_deployer_set(struct lab_deployer *deployer, const char *word, struct charm_error *reterr)
{
    static const char *const words[] = { "complete", "rolling", "stale", "null",
                                         "failed",   "refused", "quiet", NULL };
    if (!charmi_in(words, word)) {
        return charm_error_set(reterr, CHARM_EINVAL, "deployer: there is no answer '%s'", word);
    }
    deployer->word = charm_arena_copy(deployer->arena, word);
    apply_all(deployer);
    return 0;
}

/* One application asks here, so there is one request. */
static void read_bags(struct lab_deployer *deployer, const struct charm_value *bags)
{
    struct lab_deployer_requests requests = { .arena = deployer->arena };
    size_t before = 0;
    deployer->versions = 0;
    for (size_t i = 0; i < charm_value_size(bags); i++) {
        lab_deployer_requests_add(&requests, charm_value_at(bags, i));
        const size_t now = requests.size == 0 ? 0 : charm_value_size(requests.at[0].manifests);
        deployer->versions += now > before ? 1 : 0;
        before = now;
    }
    deployer->manifests =
        requests.size == 0 ? charm_value_new_list(deployer->arena) : requests.at[0].manifests;
}

void lab_deployer_read(struct lab_deployer *deployer, const struct charm_value *bags)
{
    const char *texts = all_texts(deployer, bags);
    if (charmi_same(texts, deployer->asked)) {
        return;
    }
    deployer->asked = texts;
    read_bags(deployer, bags);
    deployer->ever_asked = deployer->ever_asked || charm_value_size(deployer->manifests) > 0;
    apply_all(deployer);
}

const struct charm_value *lab_deployer_object(const struct lab_deployer *deployer, const char *kind)
{
    CHARM_EACH(deployer->cluster, it)
    {
        if (charmi_starts_with(it.key, kind) && it.key[strlen(kind)] == '/') {
            return it.value;
        }
    }
    return NULL;
}

bool lab_deployer_serves(const struct lab_deployer *deployer)
{
    return deployer->serves;
}

size_t lab_deployer_versions(const struct lab_deployer *deployer)
{
    return deployer->versions;
}

/* ---- the answer ---- */

/* How far the cluster has got with what was asked last. */
static const char *progress(const struct lab_deployer *deployer)
{
    static const char *const of_roll_outs[] = { "rolling", "stale", "failed", NULL };
    const bool done = deployer->rolled_out == deployer->generation;
    if (done && charmi_in(of_roll_outs, deployer->word)) {
        return "complete";
    }
    return says(deployer, "rolling") && deployer->serves ? "surging" : deployer->word;
}

/* Each object that is asked for as it is in the cluster. */
static struct charm_value *objects(const struct lab_deployer *deployer)
{
    struct charm_value *list = charm_value_new_list(deployer->arena);
    for (size_t i = 0; i < charm_value_size(deployer->manifests); i++) {
        const struct charm_value *manifest = charm_value_at(deployer->manifests, i);
        const struct charm_value *there =
            charm_value_get(deployer->cluster, key_of(deployer->arena, manifest));
        charm_value_append(list, there != NULL ? there : manifest);
    }
    return list;
}

const struct charm_value *lab_deployer_answer(const struct lab_deployer *deployer)
{
    if (!deployer->ever_asked || says(deployer, "quiet")) {
        return NULL;
    }
    struct charm_arena *arena = deployer->arena;
    const struct lab_deployer_wish wish = { .answer = progress(deployer),
                                            .ready = -1,
                                            .text = "Could not create requested resources." };
    const struct charm_value *status =
        lab_deployer_status(arena, &wish, &deployer->node, objects(deployer));
    const struct charm_value *workers = lab_deployer_workers(arena, &wish, &deployer->node);
    struct charm_value *answer = charm_value_new_map(arena);
    charm_value_set_text(answer, "status", charm_value_render(arena, status, CHARM_JSON_PYTHON));
    charm_value_set_text(answer, "workers", charm_value_render(arena, workers, CHARM_JSON_PYTHON));
    return answer;
}
