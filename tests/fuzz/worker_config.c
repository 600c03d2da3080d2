/* Option worker-config: lines of Java properties. */
#include "fuzz.h"

#include "base/text.h"
#include "kcb/client_settings.h"
#include "kcb/properties.h"
#include "kcb/worker_config.h"

/* A bad line is named by its number, and nothing of it is repeated. */
static void check_refusal(const char *text, const struct charm_error *error)
{
    if (error->code == CHARM_EPARSE) {
        MUST(charmi_starts_with(error->text, "line "), "no line: %s", error->text);
        const unsigned long number = strtoul(error->text + strlen("line "), NULL, 10);
        size_t lines = 1;
        for (const char *at = text; *at != '\0'; at++) {
            lines += *at == '\n' || *at == '\r' ? 1 : 0;
        }
        MUST(number >= 1 && number <= lines, "line %lu of %zu", number, lines);
    }
}

static void there_and_back(struct charm_arena *arena, const struct charm_value *map)
{
    struct charm_value *again = NULL;
    struct charm_error error;
    const char *text = charm_arena_copy(arena, kcbi_properties_render(arena, map));
    for (const char *at = text; *at != '\0'; at++) {
        MUST((*at >= 0x20 && *at < 0x7f) || *at == '\n', "a byte %d in the file", *at);
    }
    if (strlen(text) > KCBI_PROPERTIES_MAX) {
        return; /* escapes take room */
    }
    MUST(kcbi_properties_parse(arena, text, &again, &error) == 0, "%s: %s", error.text, text);
    MUST(charm_value_equal(map, again), "other properties: %s", text);
}

/* Long enough, and nowhere but in one value, to be found again. */
static bool is_findable(const struct charm_value *map, const char *value)
{
    size_t seen = 0;
    CHARM_EACH(map, it)
    {
        seen += strstr(it.key, value) != NULL ? 2 : 0;
        seen += strstr(charm_text(it.value), value) != NULL ? 1 : 0;
    }
    return strlen(value) >= 12 && seen == 1;
}

/* `public`: what the text says anyway. */
static void check_untold(const struct charm_value *map, const char *text, const char *public)
{
    CHARM_EACH(map, it)
    {
        const char *value = charm_text(it.value);
        const bool harmless = strstr(value, "${") != NULL || strstr(public, value) != NULL;
        MUST(!kcbi_worker_secret(it.key) || harmless || !is_findable(map, value) ||
                 strstr(text, value) == NULL,
             "%s is told: %s", it.key, text);
    }
}

/* The whole file of a worker, by each way for secrets. */
static void check_worker(struct charm_arena *arena, const struct charm_value *map, const char *text)
{
    static const char *const brokers[] = { "10.0.0.21:9092", NULL };
    static const enum kcbi_secret_way ways[] = { KCBI_SECRETS_NOWHERE, KCBI_SECRETS_IN_KUBERNETES };
    struct kcbi_names names;
    struct charm_error error;
    MUST(kcbi_names_make(arena, "demo", "1e3c06f7-8ab2-4d9c-8c3d-2f1f4a0c7e55", "connect", "",
                         &names, &error) == 0,
         "%s", error.text);
    const struct kcbi_image image = kcbi_image_read(arena, "apache/kafka:4.1.0");
    struct kcbi_worker_inputs inputs = {
        .names = &names, .brokers = brokers, .version = image.version, .image = &image
    };
    struct kcbi_worker_config public;
    MUST(kcbi_worker_config_make(arena, &inputs, &public, &error) == 0, "%s", error.text);
    inputs.lines = text;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        inputs.secret_way = ways[i];
        struct kcbi_worker_config config;
        const int result = kcbi_worker_config_make(arena, &inputs, &config, &error);
        if (result != 0) {
            fuzz_error("the properties", result, &error);
            check_untold(map, error.text, "");
            continue;
        }
        MUST(config.rest_port > 0 && config.rest_port < 65536, "port %d", config.rest_port);
        MUST(!config.secret_text, "secrets are in the text");
        check_untold(map, config.text, public.text);
        there_and_back(arena, config.properties);
    }
}

/* The charm's own client, which reads JAAS and PEM. */
static void check_client(struct charm_arena *arena, const struct charm_value *map)
{
    struct charm_value *settings = NULL;
    struct charm_error error;
    const int result = kcbi_client_settings(arena, map, &settings, &error);
    if (result != 0) {
        fuzz_error("the client's settings", result, &error);
        check_untold(map, error.text, "");
        MUST(settings == NULL, "it failed, and filled its output");
        return;
    }
    CHARM_EACH(settings, it)
    {
        MUST(charm_value_kind(it.value) == CHARM_STRING, "%s is no text", it.key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charm_arena *arena = charm_arena_new();
    const char *text = charm_arena_copy_n(arena, (const char *)data, size);
    struct charm_value *map = NULL;
    struct charm_error error;
    const int result = kcbi_properties_parse(arena, text, &map, &error);
    if (result != 0) {
        fuzz_error("the lines", result, &error);
        check_refusal(text, &error);
        MUST(map == NULL, "it failed, and filled its output");
    } else {
        there_and_back(arena, map);
        check_worker(arena, map, text);
        check_client(arena, map);
    }
    charm_arena_free(arena);
    return 0;
}
