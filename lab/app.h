/*
 * lab/app.h: an application that lives inside the lab, without a charm.
 *
 * `lab deploy kafka` does not run a charm: a *driver* plays the application. It speaks to the charms only as
 * Juju lets it speak: it reads the other side's relation data, writes its own units' and its own application's,
 * and each write raises relation-changed over there, in Juju's order. A driver runs inside the lab's daemon, so
 * no call may take longer than a few milliseconds: what takes time is a process that the driver starts and
 * looks after in tick().
 *
 * Calling sequence of one application (all calls come from one thread, never one inside another):
 *
 *     start            once, with its first unit; lab_app_state_set() keeps the driver's own struct
 *     unit_added       for each unit, the first one too, after start
 *     relation_joined, relation_changed, relation_departed, relation_broken, config_changed
 *     tick             at least five times a second
 *     unit_removed     for each unit that goes
 *     stop             once; afterwards nothing of it may be running. Also called when start failed.
 *
 * Any callback may be NULL except start and stop. Events come once for each of the driver's own units, as in
 * Juju: `unit` is the own unit that hears it. A failing callback puts the unit into error with the text (blocked
 * status "..."), and is not called again for that event.
 *
 * What the reading functions return is borrowed until the callback returns. A driver that is to be known by
 * name stands in the table of lab/drivers.c:
 *
 *     static int start(struct lab_app *app, struct charm_error *reterr) { ... }
 *     const struct lab_driver lab_kafka_driver = {
 *         .name = "kafka", .summary = "a real Apache Kafka broker",
 *         .metadata = "{\"provides\": {\"kafka\": {\"interface\": \"kafka\"}}}",
 *         .start = start, .tick = tick, .stop = stop,
 *     };
 *
 * May include: include/charm, base.
 */
#ifndef LAB_APP_H
#define LAB_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "charm/error.h"
#include "charm/value.h"

struct lab_app;

struct lab_driver {
    const char *name;     /* what stands behind `lab deploy` */
    const char *summary;  /* one line for `lab help` */
    const char *metadata; /* JSON as metadata.yaml says it: provides, requires, peers, ... */
    const char *config;   /* JSON as config.yaml says it ({"options": {...}}), or NULL */

    int (*start)(struct lab_app *app, struct charm_error *reterr);
    int (*unit_added)(struct lab_app *app, const char *unit, struct charm_error *reterr);
    int (*unit_removed)(struct lab_app *app, const char *unit, struct charm_error *reterr);
    int (*config_changed)(struct lab_app *app, struct charm_error *reterr);
    int (*relation_joined)(struct lab_app *app, const char *unit, const char *relation,
                           const char *remote_unit, struct charm_error *reterr);
    /* `remote_unit` is NULL when the other side's application data changed. */
    int (*relation_changed)(struct lab_app *app, const char *unit, const char *relation,
                            const char *remote_unit, struct charm_error *reterr);
    int (*relation_departed)(struct lab_app *app, const char *unit, const char *relation,
                             const char *remote_unit, struct charm_error *reterr);
    int (*relation_broken)(struct lab_app *app, const char *unit, const char *relation,
                           struct charm_error *reterr);
    /* A person applies a manifest past the charms (`kubectl apply`); NULL: there is no Kubernetes here. */
    int (*apply)(struct lab_app *app, const struct charm_value *manifest,
                 struct charm_error *reterr);
    void (*tick)(struct lab_app *app);
    void (*stop)(struct lab_app *app);
};

/* ---- who and where ---- */
const char *lab_app_name(const struct lab_app *app);  /* "kafka" */
const char *lab_app_model(const struct lab_app *app); /* the model's name */
/* A directory of this application's own, made and empty at start, absolute; it stays after stop. */
const char *lab_app_dir(const struct lab_app *app);
/* What `lab start --set NAME=VALUE` said, or NULL. */
const char *lab_app_setting(const struct lab_app *app, const char *name);
/* Milliseconds of a clock that only goes forward. */
int64_t lab_app_now_ms(const struct lab_app *app);
/* Memory that lives until the callback returns. */
struct charm_arena *lab_app_arena(struct lab_app *app);
void *lab_app_state(const struct lab_app *app);
void lab_app_state_set(struct lab_app *app, void *state);

/* ---- what Juju knows ---- */
/* An option's value: as set, else its default, else NULL. */
const struct charm_value *lab_app_config(struct lab_app *app, const char *option);
/* List of the own units' names. */
const struct charm_value *lab_app_units(struct lab_app *app);
/* List of relation ids ("kafka:0") of an endpoint, those that are going away left out. */
const struct charm_value *lab_app_relations(struct lab_app *app, const char *endpoint);
/* List of the other side's units; its application's name ("" if there is no such relation). */
const struct charm_value *lab_app_remote_units(struct lab_app *app, const char *relation);
const char *lab_app_remote_app(struct lab_app *app, const char *relation);
/* A bag: map of texts, {} if there is none. `unit` NULL means the other side's application data. */
const struct charm_value *lab_app_remote_bag(struct lab_app *app, const char *relation,
                                             const char *unit);
/* What this side has written. `unit` NULL means the application data. */
const struct charm_value *lab_app_own_bag(struct lab_app *app, const char *relation,
                                          const char *unit);

/* ---- what the driver tells Juju: at once, from any callback ---- */
/*
 * Sets one key of a bag of this side; value NULL or "" removes it. `unit` NULL means the application data.
 * Writing what is there already wakes nobody. Several writes in one callback make one relation-changed.
 */
void lab_app_set(struct lab_app *app, const char *relation, const char *unit, const char *key,
                 const char *value);
/* The address that Juju puts into the unit's bags (ingress-address, private-address). */
void lab_app_set_address(struct lab_app *app, const char *unit, const char *address);
/* `status` is maintenance, waiting, blocked or active. */
void lab_app_set_status(struct lab_app *app, const char *unit, const char *status,
                        const char *format, ...) CHARM_PRINTF(4, 5);
void lab_app_set_version(struct lab_app *app, const char *version);
/* Into `lab debug-log`, one line; `level` is DEBUG, INFO, WARNING or ERROR. */
void lab_app_log(struct lab_app *app, const char *unit, const char *level, const char *format, ...)
    CHARM_PRINTF(4, 5);

/* ---- the drivers ---- */
extern const struct lab_driver lab_kafka_driver;    /* lab/kafka_app.c */
extern const struct lab_driver lab_deployer_driver; /* lab/deployer.c */
extern const struct lab_driver lab_website_driver;  /* lab/website.c */
/* By name, or NULL; the whole NULL-ended table. */
const struct lab_driver *lab_driver_find(const char *name);
const struct lab_driver *const *lab_drivers(void);

/*
 * ---- the network (lab/net.c) ----
 *
 * The daemon calls lab_net_enter() once in its own process, before it starts anything, and lab_net_leave()
 * as its last act. `wish` is "private" (a network namespace of its own, or an error), "loopback" (addresses
 * 127.0.0.N of the machine), or "auto" (private where it can be made). From then on all children, hooks
 * included, live there. `ret_description` is one line for a person.
 */
int lab_net_enter(const char *wish, const char *dir, const char **ret_description,
                  struct charm_error *reterr);
void lab_net_leave(void);
/* Address of the machine that the unit with this running number (0, 1, ...) is thought to sit on. */
const char *lab_net_unit_address(struct charm_arena *arena, int number);

#endif
