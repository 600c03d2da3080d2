/*
 * fake_juju.h: one unit's Juju for whole runs in one process: answers hook tools from values, keeps what was written
 * until it is committed, and notes each call.
 *
 *     struct fake_juju *juju = fake_juju_new();
 *     fake_juju_relate(juju, "kafka:1");
 *     fake_juju_unit(juju, "kafka:1", "kafka/0", "port", "9092");
 *     assert_int_equal(fake_juju_run(juju, layers, "config-changed"), 0);
 *     assert_string_equal(fake_juju_calls(juju), "state-get\n...");
 *     fake_juju_commit(juju, FAKE_COMMIT_ALL);
 */
#ifndef FAKE_JUJU_H
#define FAKE_JUJU_H

#include "charm/runner.h"

struct fake_juju;

struct fake_juju *fake_juju_new(void);
void fake_juju_free(struct fake_juju *juju);

/* ---- the world ---- */
void fake_juju_option(struct fake_juju *juju, const char *option, const struct charm_value *value);
void fake_juju_option_text(struct fake_juju *juju, const char *option, const char *text);
void fake_juju_leader(struct fake_juju *juju, bool leader);
void fake_juju_relate(struct fake_juju *juju, const char *relation_id);
void fake_juju_unrelate(struct fake_juju *juju, const char *relation_id);
void fake_juju_unit(struct fake_juju *juju, const char *relation_id, const char *unit,
                    const char *key, const char *text);
void fake_juju_depart(struct fake_juju *juju, const char *relation_id, const char *unit);
/* Own unit's bag, own application's bag, stored state: maps of texts as Juju has committed them. */
struct charm_value *fake_juju_own(struct fake_juju *juju, const char *relation_id);
struct charm_value *fake_juju_app(struct fake_juju *juju, const char *relation_id);
struct charm_value *fake_juju_state(struct fake_juju *juju);
void fake_juju_secret(struct fake_juju *juju, const char *uri, const char *key, const char *text);
void fake_juju_param(struct fake_juju *juju, const char *name, const struct charm_value *value);
/* Calls whose line starts so exit with 1 and this text; NULL text: work again. */
void fake_juju_refuse(struct fake_juju *juju, const char *line_start, const char *text);
/* Files: all are writable, unless refused. */
void fake_juju_refuse_files(struct fake_juju *juju, bool refuse);
void fake_juju_refuse_reads(struct fake_juju *juju, bool refuse);
void fake_juju_lose_files(struct fake_juju *juju);
const char *fake_juju_file(struct fake_juju *juju, const char *name); /* "" if it is not there */
void fake_juju_put_file(struct fake_juju *juju, const char *name, const char *text);
/* Context of the next runs. */
struct charm_context *fake_juju_context(struct fake_juju *juju);
/* Removes an endpoint's section, as in a charm without one. */
void fake_juju_without_peers(struct fake_juju *juju);
struct charm_arena *fake_juju_arena(struct fake_juju *juju);
void fake_juju_pass_ms(struct fake_juju *juju, int64_t ms);

/* ---- runs ---- */
int fake_juju_run(struct fake_juju *juju, const struct charm_layer *const *layers,
                  const char *hook);
int fake_juju_action(struct fake_juju *juju, const struct charm_layer *const *layers,
                     const char *action);
enum fake_commit {
    FAKE_COMMIT_ALL,
    FAKE_COMMIT_NOTHING,    /* exit 0, and then Juju refuses */
    FAKE_COMMIT_STATE_ONLY, /* early 4.0: state is in, relations are refused */
};
void fake_juju_commit(struct fake_juju *juju, enum fake_commit what);
/* Runs and commits; the run must end well. */
void fake_juju_live(struct fake_juju *juju, const struct charm_layer *const *layers,
                    const char *hook);

/* ---- what was seen in the last run ---- */
const char *fake_juju_error(struct fake_juju *juju);
const char *fake_juju_calls(struct fake_juju *juju); /* one line each */
size_t fake_juju_call_count(struct fake_juju *juju);
bool fake_juju_called(struct fake_juju *juju, const char *line_start);
const char *fake_juju_story(struct fake_juju *juju);
const char *fake_juju_log(struct fake_juju *juju);
int64_t fake_juju_slept_ms(struct fake_juju *juju);
const struct charm_ports *fake_juju_ports(struct fake_juju *juju);
const struct charm_files *fake_juju_files(struct fake_juju *juju);
/* The last document given to a call that starts so, as JSON; "" if there was none. */
const char *fake_juju_document(struct fake_juju *juju, const char *line_start);

#endif
