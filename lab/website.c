/* `lab deploy website`: something that wants a web address, and shows in its status the one it got. */
#include "base/memory.h"
#include "base/text.h"
#include "lab/app.h"

static void show(struct lab_app *app, const char *unit)
{
    const struct charm_value *relations = lab_app_relations(app, "website");
    for (size_t i = 0; i < charm_value_size(relations); i++) {
        const char *relation = charm_text(charm_value_at(relations, i));
        const struct charm_value *remotes = lab_app_remote_units(app, relation);
        for (size_t j = 0; j < charm_value_size(remotes); j++) {
            const struct charm_value *bag =
                lab_app_remote_bag(app, relation, charm_text(charm_value_at(remotes, j)));
            const char *host = charm_text(charm_value_get(bag, "hostname"));
            const char *port = charm_text(charm_value_get(bag, "port"));
            if (host[0] != '\0') {
                lab_app_set_status(app, unit, "active", "http://%s:%s", host, port);
                return;
            }
        }
    }
    lab_app_set_status(app, unit, "waiting", "no address yet");
}

static int start(struct lab_app *app, struct charm_error *reterr)
{
    (void)app;
    (void)reterr;
    return 0;
}

static int unit_added(struct lab_app *app, const char *unit, struct charm_error *reterr)
{
    (void)reterr;
    show(app, unit);
    return 0;
}

static int with_remote(struct lab_app *app, const char *unit, const char *relation,
                       const char *remote_unit, struct charm_error *reterr)
{
    (void)relation;
    (void)remote_unit;
    (void)reterr;
    show(app, unit);
    return 0;
}

static int broken(struct lab_app *app, const char *unit, const char *relation,
                  struct charm_error *reterr)
{
    (void)relation;
    (void)reterr;
    show(app, unit);
    return 0;
}

static void stop(struct lab_app *app)
{
    (void)app;
}

const struct lab_driver lab_website_driver = {
    .name = "website",
    .summary = "wants a web address (interface http) and shows it",
    .metadata = "{\"name\": \"website\", \"requires\": {\"website\": {\"interface\": \"http\"}}}",
    .start = start,
    .unit_added = unit_added,
    .relation_changed = with_remote,
    .relation_departed = with_remote,
    .relation_broken = broken,
    .stop = stop,
};
