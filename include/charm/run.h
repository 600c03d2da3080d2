/*
 * charm/run.h: what a handler can see and do during one run.
 *
 * Invariants. All that is read is borrowed until the run ends; all that is given is copied. Reading is lazy and
 * happens once: asking for a relation's data costs one hook tool call the first time, nothing after. Setters return
 * nothing: the first misuse (an undeclared flag, an unknown endpoint) sticks in the run with row and key, and fails it
 * at the end. Nothing given leaves before the run has ended well; then only what differs from what is there is sent.
 *
 *     static enum charm_result configure(struct charm_run *run, const struct charm_row *row)
 *     {
 *         const struct charm_value *uri = charm_remote(run, "mongodb", "uri");
 *         if (uri == NULL) {
 *             charm_status(run, CHARM_WAITING, "waiting for the database's address");
 *             return CHARM_LATER;
 *         }
 *         charm_publish(run, "clients", "uri", charm_text(uri));
 *         charm_flag_set(run, "hello.configured");
 *         return CHARM_DONE;
 *     }
 *
 * May include: charm/{arena,context,error,layer,ports,value}.h.
 */
#ifndef CHARM_RUN_H
#define CHARM_RUN_H

#include "charm/context.h"
#include "charm/layer.h"
#include "charm/ports.h"
#include "charm/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Built-in flags, derived in every ordinary run. Others: config.{set,changed,default}.OPTION, config.changed,
 * endpoint.NAME.{joined,changed,changed.KEY,departed}. */
#define CHARM_IS_LEADER "leadership.is_leader"
/* The application state (peer relation's application bag) can be read: leader effects wait for it. */
#define CHARM_APP_STATE "application-state.available"

/* ---- who and where ---- */
const struct charm_context *charm_context(const struct charm_run *run);
struct charm_arena *charm_arena(struct charm_run *run); /* memory until the run ends */
/* "layer.row" of the row that is running, or "layer:output"; "" outside. */
const char *charm_current(const struct charm_run *run);
/* The `ports` of the layer of this name. */
const void *charm_layer_ports(const struct charm_run *run, const char *layer);
/* A place for one pointer that the layer keeps during this run (what it computed once), NULL at first. */
void **charm_layer_memo(struct charm_run *run, const char *layer);
/* The functions to the outside that the whole run was given. */
const struct charm_ports *charm_ports(const struct charm_run *run);

/* ---- flags ---- */
void charm_flag_set(struct charm_run *run, const char *flag);
void charm_flag_clear(struct charm_run *run, const char *flag);
bool charm_flag_is_set(const struct charm_run *run, const char *flag);
/* For the rest of this run. */
void charm_trigger_add(struct charm_run *run, const struct charm_trigger *trigger);
/* Only inside a derivation: this flag of its list holds. */
void charm_derive(struct charm_run *run, const char *flag);

/* ---- configuration (config-get) ---- */
const struct charm_value *charm_config(struct charm_run *run, const char *option); /* NULL: unset */
const char *charm_config_text(struct charm_run *run, const char *option);          /* "" if unset */
int64_t charm_config_int(struct charm_run *run, const char *option);               /* 0 if unset */
bool charm_config_bool(struct charm_run *run, const char *option);
/*
 * The same as charm_config(), for an option that names a secret and holds none (a URI, a Kubernetes name): charm_config()
 * hides the value of an option whose name speaks of passwords, secrets or keys, this does not.
 */
const struct charm_value *charm_config_reference(struct charm_run *run, const char *option);

/* ---- secrets of Juju (secret-get, from Juju 3.0) ---- */
/*
 * Newest content of the secret: key -> text, to be followed from now on, so that Juju runs `secret-changed` when it is
 * another one. Costs one hook tool call the first time a URI is asked for in a run. All values but that of `username`
 * are hidden in everything the run writes. What could not be read is unknown, not absent: keep what depends on it.
 *
 *     const struct charm_value *content = NULL;
 *     if (charm_secret_content(run, "secret:d0a1b2c3d4e5f6g7h8i9", &content, &error) == 0) {
 *         use(charm_text(charm_value_get(content, "password")));
 *     }
 *
 * A person must act: CHARM_EREFUSED (not granted to this application; the text has the command), CHARM_ENOTFOUND (there is
 * no such secret), CHARM_EINVAL (this Juju has no secrets). Any other code: it may go well in a later run.
 */
CHARM_MUST_CHECK int charm_secret_content(struct charm_run *run, const char *uri,
                                          const struct charm_value **ret_content,
                                          struct charm_error *reterr);

/* ---- relations ---- */
struct charm_relation {
    const char *id;       /* kafka:1 */
    const char *endpoint; /* kafka */
};
struct charm_unit {
    const char *name; /* kafka/0 */
    const struct charm_relation *relation;
};
/* NULL-ended lists: relations by id, units by relation id then name, both ordered as text (P27). Never NULL. */
const struct charm_relation *const *charm_relations(struct charm_run *run, const char *endpoint);
const struct charm_unit *const *charm_units(struct charm_run *run, const char *endpoint);
const struct charm_unit *const *charm_relation_units(struct charm_run *run,
                                                     const struct charm_relation *relation);
/* Raw texts that a remote unit, or the remote application, published: a map of strings. NULL: could not be read. */
const struct charm_value *charm_unit_data(struct charm_run *run, const struct charm_unit *unit);
const struct charm_value *charm_app_data(struct charm_run *run,
                                         const struct charm_relation *relation);
/* Value of `key` at the first unit that has one, raw text; NULL: nobody has. */
const struct charm_value *charm_remote(struct charm_run *run, const char *endpoint,
                                       const char *key);
/* Some read of this endpoint was refused in this run: what depends on it is unknown, not absent. */
bool charm_endpoint_unknown(struct charm_run *run, const char *endpoint);
/* Own unit's bag as it is now (one hook tool call the first time). */
const struct charm_value *charm_own_data(struct charm_run *run,
                                         const struct charm_relation *relation);
/*
 * Units of this application that publish something else on this endpoint than this unit does, NULL-ended, never NULL;
 * nobody while this unit publishes nothing there. For endpoints on which only the leader publishes: a former one that is
 * dead cannot withdraw what it published (architecture, decision 8). In outputs "does" is what was given in this run, in rows
 * what the last one left. Costs nothing in the first term of leadership, later one call and one for each other unit.
 *
 *     const char *const *others = charm_other_publishers(run, "kubernetes");
 *     if (others[0] != NULL) ... say so: juju remove-unit --force others[0]
 */
const char *const *charm_other_publishers(struct charm_run *run, const char *endpoint);
/* network-get --ingress-address of an endpoint on one of its relations; "" if unknown. */
const char *charm_ingress_address(struct charm_run *run, const struct charm_relation *relation);

/* ---- giving: fall away by themselves when the row that gave them no longer holds ---- */
/* Raw text under `key` in the own unit's bag of every relation of `endpoint`. */
void charm_publish(struct charm_run *run, const char *endpoint, const char *key, const char *text);
void charm_publish_to(struct charm_run *run, const struct charm_relation *relation, const char *key,
                      const char *text);
/* The same, JSON-encoded byte for byte as charms.reactive does (4.6). */
void charm_publish_json(struct charm_run *run, const char *endpoint, const char *key,
                        const struct charm_value *value);
/* Leaves everything that is published on this endpoint as it is in this run. */
void charm_publish_hold(struct charm_run *run, const char *endpoint);
/* Something for an output function of a lower layer, under the current row's name. */
void charm_give(struct charm_run *run, const char *kind, const char *key,
                const struct charm_value *value);
/* What settled rows gave of this kind, key by key; later rows replace earlier ones. A map. */
const struct charm_value *charm_given(struct charm_run *run, const char *kind);
/* A row that gives this kind (now or before) ended with CHARM_LATER: keep the output as it was. */
bool charm_given_held(struct charm_run *run, const char *kind);

enum charm_outcome {
    CHARM_OUTCOME_UNKNOWN, /* no such row */
    CHARM_OUTCOME_BLOCKED, /* its guards do not hold */
    CHARM_OUTCOME_DONE,
    CHARM_OUTCOME_LATER,
};
/* How "layer.row" ended after settling; `ret_unmet` (may be NULL): the flags that stopped it, NULL-ended. */
enum charm_outcome charm_row_outcome(struct charm_run *run, const char *row,
                                     const char *const **ret_unmet);

/* ---- status, version ---- */
enum charm_status_level { CHARM_ACTIVE, CHARM_MAINTENANCE, CHARM_WAITING, CHARM_BLOCKED };
/* Adds a candidate; the worst is shown: blocked > waiting > maintenance > active, then the upper layer, then later. */
void charm_status(struct charm_run *run, enum charm_status_level level, const char *format, ...)
    CHARM_PRINTF(3, 4);
void charm_workload_version(struct charm_run *run, const char *version);

/* ---- memory ---- */
/* Own part of the unit's state: a map that a layer changes in place; saved when the run ends well. */
struct charm_value *charm_state(struct charm_run *run, const char *layer);
/* Application state: what the last commit left there; NULL when the key or the state is absent. */
const struct charm_value *charm_app_get(struct charm_run *run, const char *key);
/* Leader only: desired value of `key` (NULL removes). Seen by charm_app_get() from the next run on. */
void charm_app_set(struct charm_run *run, const char *key, const struct charm_value *value);
/* Term of leadership that holds, 0 if unknown; and the leader's unit name, "" if unknown. */
int64_t charm_term(const struct charm_run *run);
const char *charm_leader(const struct charm_run *run);
/* Asks is-leader again if the last yes is older than 20 s: call before each REST, Kafka or application write. */
bool charm_still_leader(struct charm_run *run);

/* ---- actions ---- */
const struct charm_value *charm_action_param(struct charm_run *run,
                                             const char *name); /* NULL: not given */
/* A result; `key` is lower case letters, digits, hyphens, dots. Text, number, list or map (sent as JSON text). */
void charm_action_set(struct charm_run *run, const char *key, const struct charm_value *value);
void charm_action_set_text(struct charm_run *run, const char *key, const char *text);
void charm_action_fail(struct charm_run *run, const char *format, ...) CHARM_PRINTF(2, 3);
void charm_action_log(struct charm_run *run, const char *format, ...) CHARM_PRINTF(2, 3);

/* ---- time ---- */
int64_t charm_now_ms(struct charm_run *run); /* wall clock */
/* Waits if the run's budget for waiting (60 s in all) allows it; false: it does not, go on without. */
CHARM_MUST_CHECK bool charm_wait_ms(struct charm_run *run, int64_t ms);

/* ---- the story ---- */
/* One line for the story of this run; no secrets. */
void charm_trace(struct charm_run *run, const char *format, ...) CHARM_PRINTF(2, 3);
/* A text that must never appear in anything the run writes: it is replaced by ***. */
void charm_secret(struct charm_run *run, const char *secret);
/* Why the row returns CHARM_FAILED. */
void charm_fail(struct charm_run *run, const char *format, ...) CHARM_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif
#endif
