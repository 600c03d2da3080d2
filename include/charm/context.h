/*
 * charm/context.h: why this process runs, as Juju told it, frozen.
 *
 * Invariants. Read once from the environment, checked, never changed. Texts are never NULL: a variable that Juju
 * leaves out, or sets to nothing, is "". Sources of the variables: juju-contract.md 1.5.
 *
 *     const struct charm_context *context = charm_context(run);
 *     if (context->kind == CHARM_KIND_ACTION) {
 *         puts(context->action);
 *     }
 *
 * May include: C standard headers.
 */
#ifndef CHARM_CONTEXT_H
#define CHARM_CONTEXT_H

#ifdef __cplusplus
extern "C" {
#endif

enum charm_run_kind {
    CHARM_KIND_HOOK,       /* an ordinary hook */
    CHARM_KIND_RESTRICTED, /* collect-metrics, meter-status-changed: no facts, no outputs */
    CHARM_KIND_ACTION,     /* an action */
    CHARM_KIND_EXEC,       /* juju exec: Juju's environment without a hook; never writes */
    CHARM_KIND_HAND,       /* no Juju around */
};

struct charm_context {
    enum charm_run_kind kind;
    const char
        *hook; /* JUJU_HOOK_NAME, JUJU_DISPATCH_PATH hooks/NAME, or the program's name in hooks/ */
    const char *action;         /* JUJU_ACTION_NAME, or JUJU_DISPATCH_PATH actions/NAME */
    const char *unit;           /* JUJU_UNIT_NAME, connect/0 */
    const char *application;    /* the unit's name up to the slash */
    const char *model;          /* JUJU_MODEL_NAME */
    const char *model_uuid;     /* JUJU_MODEL_UUID */
    const char *charm_dir;      /* JUJU_CHARM_DIR or CHARM_DIR */
    const char *juju_version;   /* JUJU_VERSION */
    const char *relation;       /* JUJU_RELATION: endpoint of a relation hook */
    const char *relation_id;    /* JUJU_RELATION_ID, kafka:1 */
    const char *remote_app;     /* JUJU_REMOTE_APP */
    const char *remote_unit;    /* JUJU_REMOTE_UNIT */
    const char *departing_unit; /* JUJU_DEPARTING_UNIT */
    const char *program;        /* base name of argv[0] */
};

#ifdef __cplusplus
}
#endif
#endif
