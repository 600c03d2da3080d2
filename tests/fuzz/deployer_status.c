/*
 * What kubernetes-deployer publishes: `status`, and behind a line "---" `workers`; @CHECKSUM@ stands for that of the
 * configuration which the charm asked for.
 */
#include "stage.h"

#include "base/text.h"
#include "kcb/destination.h"
#include "kcb/manifests.h"

static const char unit[] = "relation-get -r kubernetes:2 - deployer/0";

static const char *checksum_now(struct charm_arena *arena)
{
    const struct charm_value *bag = charm_value_decode(arena, stage_answer_now(arena, unit));
    const struct charm_value *objects =
        charm_value_decode(arena, charm_text(charm_value_get(bag, "status")));
    for (size_t i = 0; i < charm_value_size(objects); i++) {
        const char *checksum =
            charm_text(charm_value_path(charm_value_at(objects, i), "spec", "template", "metadata",
                                        "annotations", KCBI_CHECKSUM, NULL));
        if (checksum[0] != '\0') {
            return checksum;
        }
    }
    MUST(false, "the deployer's answer has no checksum");
    return "";
}

/* No object that is a Secret, at any place where Kubernetes lists objects. */
static void check_no_secret(const struct charm_value *value)
{
    const char *kind = charm_text(charm_value_get(value, "kind"));
    MUST(!charmi_same(kind, "Secret") && !charmi_same(kind, "SecretList"), "a %s is kept", kind);
    for (size_t i = 0; charm_value_kind(value) == CHARM_LIST && i < charm_value_size(value); i++) {
        check_no_secret(charm_value_at(value, i));
    }
    const struct charm_value *items = charm_value_get(value, "items");
    if (charm_value_kind(items) == CHARM_LIST) {
        check_no_secret(items);
    }
}

static void check_rollout(struct charm_arena *arena, const struct charm_value *status,
                          const char *workers)
{
    struct kcbi_names names;
    struct charm_error error;
    MUST(kcbi_names_make(arena, "demo", "1e3c06f7-8ab2-4d9c-8c3d-2f1f4a0c7e55", "connect", "",
                         &names, &error) == 0,
         "%s", error.text);
    const struct kcbi_expected expected = { .names = &names, .workers = 1, .rest_port = 8083 };
    const struct kcbi_answer answer = { "deployer/0", status, charm_value_decode(arena, workers) };
    const struct kcbi_rollout rollout = kcbi_rollout_read(arena, &answer, 1, &expected);
    fuzz_one_line("the refusal", rollout.refusal);
    fuzz_one_line("the failure", rollout.failure);
    MUST((rollout.state == KCBI_ROLLOUT_REFUSED) == (rollout.refusal[0] != '\0'), "state %d: %s",
         (int)rollout.state, rollout.refusal);
    MUST(rollout.port >= 0 && rollout.port < 65536, "port %d", rollout.port);
    MUST(rollout.addresses.size <= KCBI_ADDRESSES_MAX, "%zu addresses", rollout.addresses.size);
    for (size_t i = 0; i < rollout.addresses.size; i++) {
        MUST(strpbrk(rollout.addresses.at[i], "/?#@ \\%") == NULL, "address %s",
             rollout.addresses.at[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    struct fuzz_piece pieces[2] = { { "", 0 }, { "", 0 } };
    fuzz_pieces(arena, data, size, pieces, 2);
    const char *text = fuzz_replace(arena, pieces[0].bytes, "@CHECKSUM@", checksum_now(arena));
    const struct charm_value *status = kcbi_status_read(arena, text);
    check_no_secret(status);
    check_rollout(arena, status, pieces[1].bytes);
    struct charm_value *bag = charm_value_new_map(arena);
    charm_value_set_text(bag, "status", text);
    charm_value_set_text(bag, "workers", pieces[1].bytes);
    const char *json = charm_value_render(arena, bag, CHARM_JSON_COMPACT);
    const struct stage_answer answer = { unit, 0, json, strlen(json) };
    stage_play(&(struct stage_script){ .answers = &answer, .count = 1 });
    charm_arena_free(arena);
    return 0;
}
