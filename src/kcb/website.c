#include "kcb/website.h"

#include <string.h>

#include "base/text.h"
#include "kcb/deployment.h"
#include "kcb/layer.h"

/*
 * Juju keeps `private-address` in every unit's bag up to 3.x (juju-contract.md 3.5); from 4.0 on it does not, and
 * the interface's consumers fall back to it.
 */
static void publish_private_address(struct charm_run *run, const struct charm_relation *relation)
{
    if (!charmi_starts_with(charm_context(run)->juju_version, "4.")) {
        return;
    }
    const char *address = charm_ingress_address(run, relation);
    if (address[0] != '\0') {
        charm_publish_to(run, relation, "private-address", address);
    }
}

/* Of "HOST:PORT"; an address of IPv6 without the brackets that only a URL wants. */
static const char *host_of(struct charm_arena *arena, const char *address, const char *colon)
{
    const bool bracketed = address[0] == '[';
    const char *start = address + bracketed;
    return charm_arena_copy_n(arena, start, (size_t)(colon - start) - bracketed);
}

enum charm_result kcbi_publish_website(struct charm_run *run, const struct charm_output *output)
{
    (void)output;
    if (charm_endpoint_unknown(run, "kubernetes")) {
        charm_publish_hold(run, "website");
        return CHARM_DONE;
    }
    if (!charm_flag_is_set(run, CHARM_IS_LEADER) || !charm_flag_is_set(run, KCB_RUNNING)) {
        return CHARM_DONE;
    }
    const char *address = kcbi_rest_answered(run);
    if (address[0] == '\0') {
        /* Other nodes, and none of them has answered: the workers may still be found at the published one. */
        charm_publish_hold(run, "website");
        return CHARM_DONE;
    }
    const char *colon = strrchr(address, ':');
    const char *host = host_of(charm_arena(run), address, colon);
    for (const struct charm_relation *const *r = charm_relations(run, "website"); *r != NULL; r++) {
        charm_publish_to(run, *r, "hostname", host);
        charm_publish_to(run, *r, "port", colon + 1);
        publish_private_address(run, *r);
    }
    return CHARM_DONE;
}
