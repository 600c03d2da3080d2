/*
 * hello: a complete charm. It tells visitors where it is, says so in its status, and greets.
 */
#include "charm/charm.h"

/* Visitors need an address and a port. Both are published again, or taken back, as the guards say. */
static enum charm_result announce(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    const struct charm_relation *const *relation = charm_relations(run, "website");
    for (; *relation != NULL; relation++) {
        charm_publish_to(run, *relation, "hostname", charm_ingress_address(run, *relation));
        charm_publish_to(run, *relation, "port", charm_config_text(run, "port"));
    }
    return CHARM_DONE;
}

static enum charm_result bad_port(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_status(run, CHARM_BLOCKED, "option port is 1 to 65535, not %s",
                 charm_config_text(run, "port"));
    return CHARM_DONE;
}

static enum charm_result greet(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    const char *text =
        charm_arena_printf(charm_arena(run), "%s, %s!", charm_config_text(run, "greeting"),
                           charm_text(charm_action_param(run, "name")));
    charm_action_set_text(run, "greeting", text);
    return CHARM_DONE;
}

/* Flags are computed from facts: here, whether the option is usable. */
static void derive_port(struct charm_run *run, const struct charm_derivation *derivation)
{
    (void)derivation;
    const int64_t port = charm_config_int(run, "port");
    charm_derive(run, port >= 1 && port <= 65535 ? "hello.port-good" : "hello.port-bad");
}

/* After the rows: one line for `juju status`. */
static enum charm_result status(struct charm_run *run, const struct charm_output *output)
{
    (void)output;
    const bool asked = charm_flag_is_set(run, "endpoint.website.joined");
    charm_status(run, CHARM_ACTIVE, asked ? "visitors know where we are" : "nobody asked yet");
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "announce",
      .summary = "tell visitors where we are",
      .when = CHARM_FLAGS("endpoint.website.joined", "hello.port-good"),
      .run = announce },
    { .name = "bad-port",
      .summary = "say what is wrong with the port",
      .when = CHARM_FLAGS("hello.port-bad"),
      .run = bad_port },
    { .name = "greet",
      .summary = "greet somebody",
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("greet") }),
      .run = greet },
    { 0 },
};

static const struct charm_derivation derivations[] = {
    { .name = "port",
      .summary = "is option port a port?",
      .flags = CHARM_FLAGS("hello.port-good", "hello.port-bad"),
      .derive = derive_port },
    { 0 },
};

static const struct charm_output outputs[] = {
    { .name = "status", .summary = "one line for juju status", .compute = status },
    { 0 },
};

int main(int argc, char **argv)
{
    static const struct charm_layer hello = {
        .name = "hello", .rows = rows, .derivations = derivations, .outputs = outputs
    };
    return charm_main(argc, argv, CHARM_LAYERS(&hello));
}
