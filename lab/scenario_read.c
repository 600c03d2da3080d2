/* Which keys a scenario file may have, and of what kind; texts of it that the scene fills in. */
#include "lab/scenario.h"
#include "lab/secrets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/yaml.h"

enum { LARGEST_FILE = 1024 * 1024 };

int lab_scenario_read(struct charm_arena *arena, const char *path, struct charm_value **ret_file,
                      struct charm_error *reterr)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return charm_error_os(reterr, errno, "read %s", path);
    }
    charmi_auto_buf struct charmi_buf text = charmi_buf_init(LARGEST_FILE);
    char piece[16384];
    for (size_t got = 1; got > 0;) {
        got = fread(piece, 1, sizeof(piece), file);
        charmi_buf_add_n(&text, piece, got);
    }
    fclose(file);
    const int code =
        lab_yaml_parse(arena, charmi_buf_text(&text), text.size, LAB_YAML_TYPED, ret_file, reterr);
    return code == 0 ? 0 : charm_error_wrap(reterr, "read %s", path);
}

/* ---- which keys there are ---- */

/* What may stand behind a key. */
enum kind {
    ANY,
    SCALAR,
    MAP,
    LIST,
    TEXTS,   /* a list of texts */
    SECTION, /* a map whose keys are a section of this table, of the same name */
    SECTION_OR_WORD,
    SECTIONS, /* a list of such maps */
    STEPS,    /* a list of words or such maps */
};

struct key {
    const char *section;
    const char *name;
    enum kind kind;
};

static const struct key keys[] = {
    { "", "given", SECTION },
    { "", "when", STEPS },
    { "", "then", SECTION },
    { "", "never", SECTION },
    { "", "next", SECTIONS },
    { "next", "when", STEPS },
    { "next", "then", SECTION },

    { "given", "juju", SCALAR },
    { "given", "model", SCALAR },
    { "given", "app", SCALAR },
    { "given", "units", SCALAR },
    { "given", "unit", SCALAR },
    { "given", "leader", SCALAR },
    { "given", "peers", SCALAR },
    { "given", "config", MAP },
    { "given", "secrets", MAP },
    { "given", "relations", MAP },
    { "given", "kafka", SECTION_OR_WORD },
    { "given", "rest", SECTION_OR_WORD },
    { "given", "deployer", SECTION_OR_WORD },
    { "given", "prelude", SCALAR },
    { "given", "state", MAP },
    { "given", "app-state", MAP },

    { "kafka", "topics", MAP },
    { "rest", "version", SCALAR },
    { "rest", "connectors", MAP },
    { "rest", "script", SECTIONS },
    { "script", "method", SCALAR },
    { "script", "path", SCALAR },
    { "script", "status", SCALAR },
    { "script", "body", ANY },
    { "script", "times", SCALAR },
    { "script", "delay-ms", SCALAR },
    { "script", "drop", SCALAR },
    { "deployer", "answer", SCALAR },
    { "deployer", "ready", SCALAR },
    { "deployer", "text", SCALAR },
    { "deployer", "workers", LIST },
    { "deployer", "extra", LIST },
    { "deployer", "status", ANY },

    { "when", "config", MAP },
    { "when", "secret", MAP },
    { "when", "grant-secret", SCALAR },
    { "when", "revoke-secret", SCALAR },
    { "when", "remove-secret", SCALAR },
    { "when", "relate", MAP },
    { "when", "remove-relation", SCALAR },
    { "when", "remote", MAP },
    { "when", "remote-app", MAP },
    { "when", "on", SCALAR },
    { "when", "add-unit", SCALAR },
    { "when", "remove-unit", SCALAR },
    { "when", "force", SCALAR },
    { "when", "lose-unit", SCALAR },
    { "when", "leader", SCALAR },
    { "when", "hold", SCALAR },
    { "when", "action", SCALAR },
    { "when", "params", MAP },
    { "when", "exec", SCALAR },
    { "when", "deployer", SECTION_OR_WORD },
    { "when", "rest", SECTION_OR_WORD },
    { "when", "kafka", SECTION_OR_WORD },
    { "when", "fault", SCALAR },

    { "then", "hooks", TEXTS },
    { "then", "exit", SCALAR },
    { "then", "status", SCALAR },
    { "then", "statuses", MAP },
    { "then", "version", SCALAR },
    { "then", "flags", TEXTS },
    { "then", "no-flags", TEXTS },
    { "then", "bag", MAP },
    { "then", "unchanged", TEXTS },
    { "then", "asking", TEXTS },
    { "then", "properties", MAP },
    { "then", "pods", SCALAR },
    { "then", "app-state", MAP },
    { "then", "state", MAP },
    { "then", "tools", TEXTS },
    { "then", "tools-at-most", SCALAR },
    { "then", "writes", TEXTS },
    { "then", "requests", TEXTS },
    { "then", "connectors", MAP },
    { "then", "action", SECTION },
    { "then", "story", TEXTS },
    { "then", "log", TEXTS },
    { "action", "state", SCALAR },
    { "action", "message", SCALAR },
    { "action", "results", MAP },

    { "never", "texts", TEXTS },
    { "never", "kept", TEXTS },
    { "never", "tools", TEXTS },
    { "never", "requests", TEXTS },
    { "never", "statuses", TEXTS },
    { "never", "flags", TEXTS },
    { "never", "bag", MAP },
};

static bool is_scalar(const struct charm_value *value)
{
    const enum charm_kind kind = charm_value_kind(value);
    return kind != CHARM_LIST && kind != CHARM_MAP;
}

static bool is_texts(const struct charm_value *value)
{
    for (size_t i = 0; i < charm_value_size(value); i++) {
        if (charm_value_kind(charm_value_at(value, i)) != CHARM_STRING) {
            return false;
        }
    }
    return charm_value_kind(value) == CHARM_LIST;
}

static bool fits(enum kind kind, const struct charm_value *value)
{
    const bool map = charm_value_kind(value) == CHARM_MAP;
    const bool list = charm_value_kind(value) == CHARM_LIST;
    switch (kind) {
    case ANY:
        return true;
    case SCALAR:
        return is_scalar(value);
    case MAP:
    case SECTION:
        return map;
    case LIST:
    case SECTIONS:
    case STEPS:
        return list;
    case TEXTS:
        return is_texts(value);
    case SECTION_OR_WORD:
        return map || charm_value_kind(value) == CHARM_STRING;
    }
    return false;
}

static int check_section(const char *section, const struct charm_value *map,
                         struct charm_error *reterr);

static int check_members(const struct key *key, const struct charm_value *list,
                         struct charm_error *reterr)
{
    for (size_t i = 0; i < charm_value_size(list); i++) {
        const struct charm_value *member = charm_value_at(list, i);
        const bool word = key->kind == STEPS && charm_value_kind(member) == CHARM_STRING;
        if (!word && charm_value_kind(member) != CHARM_MAP) {
            return charm_error_set(reterr, CHARM_EINVAL, "%s[%zu]: want a map", key->name, i);
        }
        if (!word && check_section(key->name, member, reterr) != 0) {
            return charm_error_wrap(reterr, "%s[%zu]", key->name, i);
        }
    }
    return 0;
}

static int check_key(const struct key *key, const struct charm_value *value,
                     struct charm_error *reterr)
{
    if (!fits(key->kind, value)) {
        return charm_error_set(reterr, CHARM_EINVAL, "%s: not the kind of value that it wants",
                               key->name);
    }
    const bool map = charm_value_kind(value) == CHARM_MAP;
    if (map && (key->kind == SECTION || key->kind == SECTION_OR_WORD)) {
        return check_section(key->name, value, reterr) == 0
                   ? 0
                   : charm_error_wrap(reterr, "%s", key->name);
    }
    if (key->kind == SECTIONS || key->kind == STEPS) {
        return check_members(key, value, reterr);
    }
    return 0;
}

static int check_section(const char *section, const struct charm_value *map,
                         struct charm_error *reterr)
{
    CHARM_EACH(map, it)
    {
        const struct key *found = NULL;
        for (size_t i = 0; found == NULL && i < CHARMI_COUNT(keys); i++) {
            const bool here =
                charmi_same(keys[i].section, section) && charmi_same(keys[i].name, it.key);
            found = here ? &keys[i] : NULL;
        }
        if (found == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL, "%s: there is no such key", it.key);
        }
        if (check_key(found, it.value, reterr) != 0) {
            return CHARM_EINVAL;
        }
    }
    return 0;
}

int lab_scenario_check(const struct charm_value *file, struct charm_error *reterr)
{
    if (charm_value_kind(file) != CHARM_MAP ||
        charm_value_size(charm_value_get(file, "when")) == 0 ||
        charm_value_size(charm_value_get(file, "then")) == 0) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "a scenario has given, when and then at least");
    }
    return check_section("", file, reterr);
}

/* ---- which skins can play it ---- */

static bool uses(const struct charm_value *act, const char *key)
{
    const struct charm_value *steps = charm_value_get(act, "when");
    for (size_t i = 0; i < charm_value_size(steps); i++) {
        if (charm_value_get(charm_value_at(steps, i), key) != NULL) {
            return true;
        }
    }
    return false;
}

const char *lab_scenario_needs_process(const struct charm_value *file)
{
    bool exec = uses(file, "exec");
    const struct charm_value *next = charm_value_get(file, "next");
    for (size_t i = 0; i < charm_value_size(next); i++) {
        exec = exec || uses(charm_value_at(next, i), "exec");
    }
    return exec ? "exec runs a shell" : NULL;
}

/* ---- ${...} ---- */

static int fill_text(struct charm_arena *arena, const char *text, const struct charm_value *names,
                     struct charm_value **ret_value, struct charm_error *reterr)
{
    charmi_auto_buf struct charmi_buf filled = charmi_buf_init(LARGEST_FILE);
    for (const char *at = text; *at != '\0';) {
        const char *end = at[0] == '$' && at[1] == '{' ? strchr(at, '}') : NULL;
        if (end == NULL) {
            charmi_buf_add_char(&filled, *at++);
            continue;
        }
        const char *name = charm_arena_copy_n(arena, at + 2, (size_t)(end - at) - 2);
        const struct charm_value *value = charm_value_get(names, name);
        if (value == NULL && charmi_starts_with(name, "secret:")) {
            charmi_buf_add(&filled, lab_secret_uri(arena, name + strlen("secret:")));
            at = end + 1;
            continue;
        }
        if (value == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL, "${%s}: there is no such name", name);
        }
        charmi_buf_add(&filled, charm_value_scalar(arena, value));
        at = end + 1;
    }
    *ret_value = charm_value_new_text(arena, charmi_buf_text(&filled));
    return 0;
}

static int fill_map(struct charm_arena *arena, const struct charm_value *map,
                    const struct charm_value *names, struct charm_value **ret_value,
                    struct charm_error *reterr)
{
    struct charm_value *filled = charm_value_new_map(arena);
    CHARM_EACH(map, it)
    {
        struct charm_value *value = NULL;
        if (lab_scenario_fill(arena, it.value, names, &value, reterr) != 0) {
            return CHARM_EINVAL;
        }
        charm_value_set(filled, it.key, value);
    }
    *ret_value = filled;
    return 0;
}

static int fill_list(struct charm_arena *arena, const struct charm_value *list,
                     const struct charm_value *names, struct charm_value **ret_value,
                     struct charm_error *reterr)
{
    struct charm_value *filled = charm_value_new_list(arena);
    for (size_t i = 0; i < charm_value_size(list); i++) {
        struct charm_value *value = NULL;
        if (lab_scenario_fill(arena, charm_value_at(list, i), names, &value, reterr) != 0) {
            return CHARM_EINVAL;
        }
        charm_value_append(filled, value);
    }
    *ret_value = filled;
    return 0;
}

int lab_scenario_fill(struct charm_arena *arena, const struct charm_value *value,
                      const struct charm_value *names, struct charm_value **ret_value,
                      struct charm_error *reterr)
{
    switch (charm_value_kind(value)) {
    case CHARM_STRING:
        return fill_text(arena, charm_text(value), names, ret_value, reterr);
    case CHARM_MAP:
        return fill_map(arena, value, names, ret_value, reterr);
    case CHARM_LIST:
        return fill_list(arena, value, names, ret_value, reterr);
    default:
        *ret_value = charm_value_copy(arena, value);
        return 0;
    }
}
