/* Option connectors: YAML or JSON, a map of connector name to its configuration. */
#include "stage.h"

#include "base/text.h"
#include "edge/juju/ports.h"
#include "kcb/connectors.h"

static int read_option(struct charm_arena *arena, const char *text, struct charm_value **ret_wanted,
                       struct charm_error *reterr)
{
    static const enum charm_run_kind kind = CHARM_KIND_HOOK;
    const struct charm_ports ports = charmi_ports_real(&kind);
    return kcbi_option_connectors_parse(arena, &ports, text, "lines", ret_wanted, reterr);
}

static void check_wanted(const struct charm_value *wanted)
{
    CHARM_EACH(wanted, connector)
    {
        struct charm_error error;
        MUST(kcbi_check_connector_name(connector.key, &error) == 0, "%s", error.text);
        MUST(charm_value_kind(connector.value) == CHARM_MAP, "%s is no map", connector.key);
        MUST(charm_text(charm_value_get(connector.value, "connector.class"))[0] != '\0',
             "%s has no class", connector.key);
        CHARM_EACH(connector.value, setting)
        {
            MUST(charm_value_kind(setting.value) == CHARM_STRING, "%s of %s is no text",
                 setting.key, connector.key);
        }
    }
}

/* What the whole charm makes of it. */
static void play(struct charm_arena *arena, const char *text)
{
    const char *now = stage_answer_now(arena, "config-get --all");
    struct charm_value *config = charm_value_decode(arena, now);
    charm_value_set_text(config, "connectors", text);
    const char *json = charm_value_render(arena, config, CHARM_JSON_COMPACT);
    const struct stage_answer answer = { "config-get --all", 0, json, strlen(json) };
    stage_play(&(struct stage_script){ .answers = &answer, .count = 1 });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    const char *text = charm_arena_copy_n(arena, (const char *)data, size);
    struct charm_value *wanted = NULL;
    struct charm_value *again = NULL;
    struct charm_error error;
    const int result = read_option(arena, text, &wanted, &error);
    if (result != 0) {
        fuzz_error("the option", result, &error);
        MUST(wanted == NULL, "it failed, and filled its output");
    } else {
        check_wanted(wanted);
        const char *json = charm_value_render(arena, wanted, CHARM_JSON_COMPACT);
        MUST(read_option(arena, json, &again, &error) == 0, "%s: %s", error.text, json);
        MUST(charm_value_equal(wanted, again), "other connectors: %s", json);
    }
    if (charmi_utf8_valid(text, strlen(text))) {
        play(arena, text);
    }
    charm_arena_free(arena);
    return 0;
}
