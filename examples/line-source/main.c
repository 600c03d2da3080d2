/*
 * line-source: a complete charm for one connector, on top of the Kafka Connect base layer.
 *
 * It sends the lines of a file on the workers to a topic. The base layer creates the internal topics, runs the
 * workers and keeps the connector as it is wanted here; this file only says what is wanted.
 */
#include "kcb/kcb.h"

/* Gives the base layer the worker's settings, and lets it deploy. */
static enum charm_result configure(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    kcb_set_worker_config(run, "key.converter", "org.apache.kafka.connect.storage.StringConverter");
    kcb_set_worker_config(run, "value.converter",
                          "org.apache.kafka.connect.storage.StringConverter");
    charm_flag_set(run, KCB_INSTALL);
    return CHARM_DONE;
}

/* Runs in every hook in which its guards hold; a changed option updates the connector, an empty one removes it. */
static enum charm_result source(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    struct charm_value *config = kcb_connector_new(run, "FileStreamSource");
    charm_value_setf(config, "tasks.max", "%d", 1);
    charm_value_set_text(config, "file", charm_config_text(run, "file"));
    charm_value_set_text(config, "topic", charm_config_text(run, "topic"));
    kcb_want_connector(run, "line-source", config);
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "configure",
      .summary = "give the base layer the worker's settings",
      .when = CHARM_FLAGS(KCB_TOPIC_CREATED, CHARM_IS_LEADER),
      .sets = CHARM_FLAGS(KCB_INSTALL),
      .run = configure },
    { .name = "source",
      .summary = "one source for the file",
      .when = CHARM_FLAGS(KCB_RUNNING, CHARM_IS_LEADER, "config.set.file", "config.set.topic"),
      .run = source },
    { 0 },
};

int main(int argc, char **argv)
{
    static const struct charm_layer line_source = { .name = "line-source", .rows = rows };
    return charm_main(argc, argv, CHARM_LAYERS(&kcb_layer, &line_source));
}
