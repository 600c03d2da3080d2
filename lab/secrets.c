#include "lab/secrets.h"

#include <ctype.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

enum { ID_SIZE = 20, LARGEST_SECRET = 1000000 };

/* ---- names ---- */

static const char *id_of(struct charm_arena *arena, const char *name)
{
    return charm_arena_copy_n(arena, charmi_md5(arena, name, strlen(name)), ID_SIZE);
}

const char *lab_secret_uri(struct charm_arena *arena, const char *name)
{
    return charm_arena_printf(arena, "secret:%s", id_of(arena, name));
}

/* secret:ID, secret://MODEL/ID, ID. */
static const char *bare_id(const char *uri)
{
    const char *slash = strrchr(uri, '/');
    if (slash != NULL) {
        return slash + 1;
    }
    return charmi_starts_with(uri, "secret:") ? uri + strlen("secret:") : uri;
}

struct lab_secret *lab_secret_find(const struct lab_model *model, const char *name)
{
    for (struct lab_secret *secret = model->secrets; secret != NULL; secret = secret->next) {
        if (!secret->removed &&
            (charmi_same(secret->name, name) || charmi_same(secret->id, bare_id(name)))) {
            return secret;
        }
    }
    return NULL;
}

/* ---- content ---- */

/* A lower-case letter, then lower-case letters, digits and single hyphens inside; three at least (contract 3.16). */
static bool is_key(const char *key)
{
    const size_t size = strlen(key);
    if (size < 3 || !islower((unsigned char)key[0]) || key[size - 1] == '-' ||
        strstr(key, "--") != NULL) {
        return false;
    }
    return strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

static int check_content(const struct lab_model *model, const struct charm_value *content,
                         struct charm_error *reterr)
{
    if (!lab_model_at_least(model, 3, 3)) {
        return charm_error_set(reterr, CHARM_EREFUSED, "user secrets not supported by this juju");
    }
    if (charm_value_size(content) == 0) {
        return charm_error_set(reterr, CHARM_EINVAL, "missing secret value or filename");
    }
    CHARM_EACH(content, it)
    {
        const size_t size = strlen(charm_text(it.value));
        if (!is_key(it.key)) {
            return charm_error_set(reterr, CHARM_EINVAL, "key \"%s\" not valid", it.key);
        }
        if (size > LARGEST_SECRET) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "secret content for key \"%s\" too large: %zu bytes", it.key,
                                   size);
        }
    }
    return 0;
}

static int need(const struct lab_model *model, const char *name, struct lab_secret **ret_secret,
                struct charm_error *reterr)
{
    *ret_secret = lab_secret_find(model, name);
    return *ret_secret != NULL
               ? 0
               : charm_error_set(reterr, CHARM_ENOTFOUND, "secret \"%s\" not found", bare_id(name));
}

/* ---- what an operator does ---- */

int lab_secret_add(struct lab_model *model, const char *name, const struct charm_value *content,
                   struct lab_secret **ret_secret, struct charm_error *reterr)
{
    const int code = check_content(model, content, reterr);
    if (code != 0) {
        return code;
    }
    if (lab_secret_find(model, name) != NULL) {
        return charm_error_set(reterr, CHARM_EREFUSED, "secret with name \"%s\" already exists",
                               name);
    }
    struct lab_secret *secret = charm_arena_alloc(model->arena, sizeof(*secret));
    secret->id = id_of(model->arena, name);
    secret->name = charm_arena_copy(model->arena, name);
    secret->revisions = charm_value_new_list(model->arena);
    secret->grants = charm_value_new_map(model->arena);
    charm_value_append(secret->revisions, content);
    secret->next = model->secrets;
    model->secrets = secret;
    *ret_secret = secret;
    return 0;
}

int lab_secret_update(struct lab_model *model, const char *name, const struct charm_value *content,
                      struct charm_error *reterr)
{
    struct lab_secret *secret;
    int code = check_content(model, content, reterr);
    if (code == 0) {
        code = need(model, name, &secret, reterr);
    }
    if (code == 0) {
        charm_value_append(secret->revisions, content);
    }
    return code;
}

int lab_secret_grant(struct lab_model *model, const char *name, const char *app, bool grant,
                     struct charm_error *reterr)
{
    struct lab_secret *secret;
    const int code = need(model, name, &secret, reterr);
    if (code != 0) {
        return code;
    }
    if (lab_model_app(model, app) == NULL) {
        return charm_error_set(reterr, CHARM_ENOTFOUND, "application \"%s\" not found", app);
    }
    if (grant) {
        charm_value_set_bool(secret->grants, app, true);
    } else {
        charm_value_remove(secret->grants, app);
    }
    return 0;
}

int lab_secret_remove(struct lab_model *model, const char *name, struct charm_error *reterr)
{
    struct lab_secret *secret;
    const int code = need(model, name, &secret, reterr);
    if (code == 0) {
        secret->removed = true;
    }
    return code;
}

/* ---- readers ---- */

static struct lab_secret_reader *find_reader(const struct lab_secret *secret,
                                             const struct lab_unit *unit)
{
    struct lab_secret_reader *reader = secret->readers;
    while (reader != NULL && reader->unit != unit) {
        reader = reader->next;
    }
    return reader;
}

bool lab_secret_news(const struct lab_model *model, const struct lab_unit *unit,
                     struct lab_event *ret_event)
{
    for (struct lab_secret *secret = model->secrets; secret != NULL; secret = secret->next) {
        const struct lab_secret_reader *reader = find_reader(secret, unit);
        const size_t newest = charm_value_size(secret->revisions);
        if (!secret->removed && reader != NULL && reader->told < newest) {
            *ret_event = (struct lab_event){ .hook = LAB_SECRET_CHANGED,
                                             .secret = secret,
                                             .version = (int64_t)newest };
            return true;
        }
    }
    return false;
}

void lab_secret_told(struct lab_model *model, struct lab_unit *unit, const struct lab_event *event)
{
    (void)model;
    struct lab_secret_reader *reader = find_reader(event->secret, unit);
    if (reader != NULL && reader->told < (size_t)event->version) {
        reader->told = (size_t)event->version;
    }
}

/* From the first read on the unit follows the secret. */
static struct lab_secret_reader *follow(struct lab_model *model, struct lab_secret *secret,
                                        struct lab_unit *unit)
{
    struct lab_secret_reader *reader = find_reader(secret, unit);
    if (reader == NULL) {
        reader = charm_arena_alloc(model->arena, sizeof(*reader));
        reader->unit = unit;
        reader->tracked = charm_value_size(secret->revisions);
        reader->told = reader->tracked;
        reader->next = secret->readers;
        secret->readers = reader;
    }
    return reader;
}

int lab_secret_read(struct lab_model *model, struct lab_unit *unit, const char *uri,
                    enum lab_secret_read how, const struct charm_value **ret_content,
                    struct charm_error *reterr)
{
    struct lab_secret *secret;
    const int code = need(model, uri, &secret, reterr);
    if (code != 0) {
        return code;
    }
    if (charm_value_get(secret->grants, unit->app->name) == NULL) {
        return charm_error_set(reterr, CHARM_EREFUSED, "permission denied");
    }
    size_t revision = charm_value_size(secret->revisions);
    if (how != LAB_SECRET_PEEK) {
        struct lab_secret_reader *reader = follow(model, secret, unit);
        reader->tracked = how == LAB_SECRET_REFRESH ? revision : reader->tracked;
        revision = reader->tracked;
    }
    *ret_content = charm_value_at(secret->revisions, revision - 1);
    return 0;
}
