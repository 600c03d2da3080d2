/* The smallest upper layer: the base charm by itself, with connectors from its option. */
#include "kcb/layer.h"

#include "charm/run.h"

static enum charm_result install(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_flag_set(run, KCB_INSTALL);
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "install",
      .summary = "deploy the workers as soon as their topics are there",
      .when = CHARM_FLAGS(KCB_TOPIC_CREATED, CHARM_IS_LEADER),
      .sets = CHARM_FLAGS(KCB_INSTALL),
      .run = install },
    { 0 },
};

const struct charm_layer kcb_standalone_layer = { .name = "standalone", .rows = rows };
