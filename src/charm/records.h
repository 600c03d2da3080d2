/*
 * charm/records.h: the files that a run keeps beside the charm: what was last told to Juju at once, and the last stories.
 *
 * Invariants. All of it may be lost at any time (on Kubernetes it is, with each pod): then the status counts as
 * unknown and is sent again. Files, in CHARM_DIR/.charm/: `sent.json` {"format":1,"next":N,"status":{...},"version":"..."};
 * `run-0.json` to `run-9.json`, the last runs that did something, by number modulo ten; `steady.json`, the last one
 * that changed nothing (those come every five minutes and must not push the others out).
 *
 * May include: charm/{ports,value}.h.
 */
#ifndef CHARMI_RECORDS_H
#define CHARMI_RECORDS_H

#include "charm/ports.h"

enum { CHARMI_RECORDS_KEPT = 10 };

struct charmi_records {
    const struct charm_ports *ports;
    struct charm_arena *arena;
    const char *dir; /* the charm's */
    struct charm_value *sent;
};

/* Reads sent.json. What is missing or unreadable counts as empty. */
void charmi_records_open(struct charmi_records *records, struct charm_arena *arena,
                         const struct charm_ports *ports, const char *charm_dir);
/* What was sent last under "status" or "version", as it was saved; NULL: unknown. */
const struct charm_value *charmi_records_sent(const struct charmi_records *records,
                                              const char *what);
/* Forgets it, on disk too: call before telling Juju. */
CHARM_MUST_CHECK int charmi_records_forget(struct charmi_records *records, const char *what,
                                           struct charm_error *reterr);
/* Keeps it: call after Juju has accepted. */
CHARM_MUST_CHECK int charmi_records_keep(struct charmi_records *records, const char *what,
                                         const struct charm_value *value,
                                         struct charm_error *reterr);
/* Number of the next run that does something. */
int64_t charmi_records_next(const struct charmi_records *records);
/* Keeps the story of a run: as number charmi_records_next(), which it counts up, or as the steady one. */
CHARM_MUST_CHECK int charmi_records_add(struct charmi_records *records,
                                        const struct charm_value *record,
                                        struct charm_error *reterr);
/*
 * The kept stories, the latest first. NULL-ended. Damaged ones are passed over. `ret_trouble`: why some could not be
 * read although they are there (code CHARM_OK: no such trouble); records are root's.
 */
const struct charm_value *const *charmi_records_all(struct charm_arena *arena,
                                                    const struct charm_ports *ports,
                                                    const char *charm_dir,
                                                    struct charm_error *ret_trouble);

#endif
