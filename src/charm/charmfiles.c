#include "charm/charmfiles.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A charm's declarations are a few pages; more is no charm of ours. */
#define FILE_MAX_BYTES (1024 * 1024)

static const char *const roles[] = { "peers", "provides", "requires" };

static int by_name(const void *left, const void *right)
{
    const struct charm_endpoint *a = left;
    const struct charm_endpoint *b = right;
    return strcmp(a->name, b->name);
}

static int read_role(struct charm_files *files, struct charm_endpoint *into, const char *role,
                     const struct charm_value *section, struct charm_error *reterr)
{
    CHARM_EACH(section, it)
    {
        const char *interface = charm_text(charm_value_get(it.value, "interface"));
        if (interface[0] == '\0') {
            return charm_error_set(reterr, CHARM_EPARSE,
                                   "read metadata.yaml: %s.%s has no interface", role, it.key);
        }
        into[files->endpoint_count++] =
            (struct charm_endpoint){ .name = it.key, .role = role, .interface = interface };
    }
    return 0;
}

static int read_endpoints(struct charm_arena *arena, struct charm_files *files,
                          const struct charm_value *metadata, struct charm_error *reterr)
{
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        count += charm_value_size(charm_value_get(metadata, roles[i]));
    }
    struct charm_endpoint *endpoints = charm_arena_array(arena, count + 1, sizeof(*endpoints));
    for (size_t i = 0; i < 3; i++) {
        int r = read_role(files, endpoints, roles[i], charm_value_get(metadata, roles[i]), reterr);
        if (r < 0) {
            return r;
        }
    }
    qsort(endpoints, count, sizeof(*endpoints), by_name);
    files->endpoints = endpoints;
    return 0;
}

static void read_options(struct charm_arena *arena, struct charm_files *files,
                         const struct charm_value *config)
{
    const struct charm_value *section = charm_value_get(config, "options");
    size_t count = charm_value_size(section);
    struct charm_option *options = charm_arena_array(arena, count + 1, sizeof(*options));
    CHARM_EACH(section, it)
    {
        const char *type = charm_text(charm_value_get(it.value, "type"));
        options[files->option_count++] = (struct charm_option){
            .name = it.key,
            .type = type[0] == '\0' ? "string" : type,
            .by_default = charm_value_get(it.value, "default"),
        };
    }
    files->options = options;
}

int charmi_charmfiles_from(struct charm_arena *arena, const struct charm_value *metadata,
                           const struct charm_value *config, const struct charm_files **ret_files,
                           struct charm_error *reterr)
{
    struct charm_files *files = charm_arena_alloc(arena, sizeof(*files));
    files->metadata = metadata;
    files->name = charm_text(charm_value_get(metadata, "name"));
    files->summary = charm_text(charm_value_get(metadata, "summary"));
    int r = read_endpoints(arena, files, metadata, reterr);
    if (r < 0) {
        return r;
    }
    read_options(arena, files, config);
    *ret_files = files;
    return 0;
}

static int load_one(struct charm_arena *arena, const struct charm_ports *ports, const char *dir,
                    const char *name, struct charm_value **ret_value, struct charm_error *reterr)
{
    const char *path = charm_arena_printf(arena, "%s/%s", dir, name);
    const char *bytes = NULL;
    size_t size = 0;
    int r = ports->file_read(ports->userdata, arena, path, FILE_MAX_BYTES, &bytes, &size, reterr);
    if (r < 0) {
        return r;
    }
    r = ports->yaml_parse(ports->userdata, arena, bytes, size, ret_value, reterr);
    return r < 0 ? charm_error_wrap(reterr, "read %s", path) : 0;
}

/* Juju asks for neither config.yaml nor actions.yaml. */
static int load_optional(struct charm_arena *arena, const struct charm_ports *ports,
                         const char *dir, const char *name, struct charm_value **ret_value,
                         struct charm_error *reterr)
{
    struct charm_error error = { 0 };
    int r = load_one(arena, ports, dir, name, ret_value, &error);
    if (r < 0 && r != CHARM_ENOTFOUND) {
        return charm_error_set(reterr, error.code, "%s", error.text);
    }
    return 0;
}

int charmi_charmfiles_load(struct charm_arena *arena, const struct charm_ports *ports,
                           const char *dir, const struct charm_files **ret_files,
                           struct charm_error *reterr)
{
    struct charm_value *metadata = NULL;
    struct charm_value *config = NULL;
    int r = load_one(arena, ports, dir, "metadata.yaml", &metadata, reterr);
    if (r < 0) {
        return r;
    }
    r = load_optional(arena, ports, dir, "config.yaml", &config, reterr);
    if (r < 0) {
        return r;
    }
    return charmi_charmfiles_from(arena, metadata, config, ret_files, reterr);
}

int charmi_charmfiles_actions(struct charm_arena *arena, const struct charm_ports *ports,
                              const char *dir, struct charmi_words *ret_names,
                              struct charm_error *reterr)
{
    struct charm_value *actions = NULL;
    int r = load_optional(arena, ports, dir, "actions.yaml", &actions, reterr);
    if (r < 0) {
        return r;
    }
    struct charmi_words names = charmi_split(arena, "", " ");
    CHARM_EACH(actions, it)
    {
        charmi_words_add(arena, &names, it.key);
    }
    *ret_names = names;
    return 0;
}

const struct charm_endpoint *charmi_charmfiles_endpoint(const struct charm_files *files,
                                                        const char *name)
{
    for (size_t i = 0; i < files->endpoint_count; i++) {
        if (charmi_same(files->endpoints[i].name, name)) {
            return &files->endpoints[i];
        }
    }
    return NULL;
}

const struct charm_endpoint *charmi_charmfiles_peer(const struct charm_files *files)
{
    for (size_t i = 0; i < files->endpoint_count; i++) {
        if (strcmp(files->endpoints[i].role, "peers") == 0) {
            return &files->endpoints[i];
        }
    }
    return NULL;
}

const struct charm_option *charmi_charmfiles_option(const struct charm_files *files,
                                                    const char *name)
{
    for (size_t i = 0; i < files->option_count; i++) {
        if (charmi_same(files->options[i].name, name)) {
            return &files->options[i];
        }
    }
    return NULL;
}
