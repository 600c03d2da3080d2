#include "kcb/other_requests.h"

#include "base/text.h"
#include "kcb/deployment.h"
#include "kcb/layer.h"

#define SEEN "other-requests"

/* What is remembered under SEEN. */
enum seen {
    SEEN_NOT,
    SEEN_IN_A_RUN, /* a former leader that lives withdraws in its next hook */
    SEEN_TO_STAY,  /* when Juju had nothing else to do any more it was still there */
};

static const char *const *others(struct charm_run *run)
{
    static const char *const none[] = { NULL };
    return charm_flag_is_set(run, CHARM_IS_LEADER) ? charm_other_publishers(run, "kubernetes")
                                                   : none;
}

static const char *joined(struct charm_run *run, const char *const *names, const char *between)
{
    const char *text = *names;
    for (names++; *names != NULL; names++) {
        text = charm_arena_printf(charm_arena(run), "%s%s%s", text, between, *names);
    }
    return text;
}

bool kcbi_other_requests(struct charm_run *run)
{
    return others(run)[0] != NULL;
}

enum charm_result kcbi_watch_other_requests(struct charm_run *run,
                                            const struct charm_output *output)
{
    (void)output;
    struct charm_value *state = charm_state(run, KCBI_LAYER);
    const char *const *units = others(run);
    if (units[0] == NULL) {
        charm_value_remove(state, SEEN);
        return CHARM_DONE;
    }
    const bool stayed = charmi_same(charm_context(run)->hook, "update-status");
    int64_t seen = charm_value_int(charm_value_get(state, SEEN), SEEN_NOT);
    seen = seen == SEEN_NOT ? SEEN_IN_A_RUN : stayed ? SEEN_TO_STAY : seen;
    charm_value_set_int(state, SEEN, seen);
    kcbi_say(run, KCBI_ON_OTHER_REQUESTS, seen == SEEN_TO_STAY ? CHARM_BLOCKED : CHARM_WAITING,
             "kubernetes-deployer still applies an old request of %s in turn with ours; if its "
             "machine is dead: juju remove-unit --force %s",
             joined(run, units, ", "), joined(run, units, " "));
    return CHARM_DONE;
}
