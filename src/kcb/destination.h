/*
 * kcb/destination.h: what is asked of a kubernetes-deployer charm, and what its answer means.
 *
 * The answer is a hint that may be late, broken or of another request (kafka-connect.md 4.5): everything in it is
 * checked, nothing in it can fail the run. Whether workers really answer, REST says.
 *
 *     struct kcbi_answer answers[] = { { .unit = "deployer/0", .status = status, .workers = workers } };
 *     struct kcbi_expected expected = { .names = &names, .checksum = manifests.checksum, .workers = 3, .rest_port = 8083 };
 *     struct kcbi_rollout rollout = kcbi_rollout_read(arena, answers, 1, &expected);
 *     if (rollout.state == KCBI_ROLLOUT_COMPLETE) { ... rollout.addresses, rollout.port ... }
 *
 * Wire format: reactive-framework.md 7.2. May include: charm/value.h, kcb/names.h, kcb/manifests.h, base.
 */
#ifndef KCBI_DESTINATION_H
#define KCBI_DESTINATION_H

#include "base/text.h"
#include "charm/value.h"
#include "kcb/names.h"

/* Most addresses that are kept of an answer. */
#define KCBI_ADDRESSES_MAX 64

/* ---- the request ---- */

/*
 * The four keys of the wire, each to be JSON-encoded: resource, uuid, model_uuid, juju_unit (the application's name).
 * `objects` NULL asks for nothing, which withdraws.
 */
struct charm_value *kcbi_destination_request(struct charm_arena *arena,
                                             const struct kcbi_names *names,
                                             const struct charm_value *objects);

/* ---- the answer ---- */

/* What one unit of the deployer published, decoded; NULL for a key that is not there. */
struct kcbi_answer {
    const char *unit;
    const struct charm_value *status;
    const struct charm_value *workers;
};

/* What we asked for last. */
struct kcbi_expected {
    const struct kcbi_names *names;
    const char *checksum; /* KCBI_CHECKSUM of the Deployment's template; NULL: any */
    int64_t workers;
    int rest_port;
};

enum kcbi_rollout_state {
    KCBI_ROLLOUT_NONE,    /* no unit has said anything */
    KCBI_ROLLOUT_REFUSED, /* the deployer reports an error, see `refusal` */
    KCBI_ROLLOUT_STALE, /* it speaks of an older request, or Kubernetes has not looked at this one */
    KCBI_ROLLOUT_ROLLING,  /* under way; objects that do not exist yet count as under way */
    KCBI_ROLLOUT_COMPLETE, /* every worker is of this configuration, and ready */
};

struct kcbi_rollout {
    enum kcbi_rollout_state state;
    const char *refusal; /* the deployer's words, one line, cut; "" unless REFUSED */
    const char *failure; /* why Kubernetes makes no progress, one line, cut; "" if it does */
    int64_t wanted;      /* replicas as the cluster knows them */
    int64_t ready;
    int64_t available;
    int64_t updated;      /* of the present template */
    const char *checksum; /* KCBI_CHECKSUM that was echoed; "" if none */
    int node_port;        /* 0: none yet */
    int port;             /* on which `addresses` answer, by the service's type; 0: none yet */
    struct charmi_words addresses; /* all of them, no empty or strange ones, no duplicates */
    const char *unit;              /* whose status was read; "" if none */
};

/* The first unit with data counts. Never fails. */
struct kcbi_rollout kcbi_rollout_read(struct charm_arena *arena, const struct kcbi_answer *answers,
                                      size_t count, const struct kcbi_expected *expected);

/*
 * An answer's `status` from the text on the wire, without Secrets: to be taken before anything is kept or told. Most hold
 * none, and kilobytes are read in every run: they are gone through only where the text can hold one at all.
 */
const struct charm_value *kcbi_status_read(struct charm_arena *arena, const char *text);
bool kcbi_status_may_hold_secret(const char *text);
/* A copy of a `status` without Secrets. */
struct charm_value *kcbi_status_without_secrets(struct charm_arena *arena,
                                                const struct charm_value *status);

#endif
