#include "charm/publishers.h"

#include <string.h>

#include "base/digest.h"
#include "charm/bags.h"
#include "charm/givers.h"
#include "charm/run.h"

/* All units' digests are compared, so the salt is the application's; "": no layer has made one. */
static const char *salt_of_application(struct charm_run *run)
{
    const struct charm_value *made = charm_value_get(run->app.wanted, CHARMI_APP_SALT);
    return charm_text(made != NULL ? charm_value_decode(run->arena, charm_text(made))
                                   : charmi_appstate_get(&run->app, CHARMI_APP_SALT));
}

const char *charmi_publishers_digest(struct charm_run *run, const char *endpoint)
{
    struct charm_value *bags = charm_value_new_map(run->arena);
    const struct charm_relation *const *list = charmi_relations_of(run->relations, endpoint);
    for (; *list != NULL; list++) {
        const struct charm_value *bag = charmi_gifts_bag(&run->gifts, *list);
        if (charm_value_size(bag) > 0) {
            charm_value_set(bags, (*list)->id, bag);
        }
    }
    if (charm_value_size(bags) == 0) {
        return "";
    }
    const char *salt = salt_of_application(run);
    const char *text = charm_value_render(run->arena, bags, CHARM_JSON_SORTED);
    return salt[0] == '\0' ? charmi_sha256(run->arena, text, strlen(text))
                           : charmi_salted(run->arena, salt, text);
}

static const char *digest_in(struct charm_run *run, const struct charm_value *bag,
                             const char *endpoint)
{
    const char *text = charm_text(charm_value_get(bag, CHARMI_PUBLISHED_DIGESTS));
    return charm_text(charm_value_get(charm_value_decode(run->arena, text), endpoint));
}

static bool is_held(struct charm_run *run, const char *endpoint)
{
    const struct charm_relation *const *list = charmi_relations_of(run->relations, endpoint);
    bool held = charmi_gifts_holds_endpoint(&run->gifts, endpoint);
    for (; *list != NULL && !held; list++) {
        held = charmi_givers_held_keys(run, *list).size > 0;
    }
    return held;
}

/* While rows run, and where something is held, what counts is what was published last. */
static const char *own_digest(struct charm_run *run, const char *endpoint)
{
    if (run->stage < CHARMI_STAGE_OUTPUTS || is_held(run, endpoint)) {
        return digest_in(run, charmi_memory(run), endpoint);
    }
    return charmi_publishers_digest(run, endpoint);
}

const char *const *charm_other_publishers(struct charm_run *run, const char *endpoint)
{
    static const char *const none[] = { NULL };
    struct charmi_words names = { 0 };
    /* In the first term nobody else has ever led: nothing is asked. */
    if (run->app.status != CHARMI_APP_AVAILABLE || run->app.term < 2 ||
        charm_endpoint_unknown(run, endpoint)) {
        return none;
    }
    const char *own = own_digest(run, endpoint);
    if (own[0] == '\0') {
        return none;
    }
    const struct charm_unit *const *unit = charm_relation_units(run, run->app.relation);
    for (; *unit != NULL; unit++) {
        const char *theirs = digest_in(run, charm_unit_data(run, *unit), endpoint);
        if (theirs[0] != '\0' && !charmi_same(theirs, own)) {
            charmi_words_add(run->arena, &names, (*unit)->name);
        }
    }
    return names.size == 0 ? none : names.at;
}
