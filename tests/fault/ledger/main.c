/*
 * ledger: a charm that uses everything of the engine that is committed: application state, unit state, remembered and
 * term flags, a `once` row, relation data, status and version. The faults of this directory are played on it; whatever
 * happens on the way, it must end in the same place.
 */
#include <string.h>

#include "charm/charm.h"

static void count(struct charm_run *run, const char *what)
{
    struct charm_value *state = charm_state(run, "ledger");
    charm_value_set_int(state, what, charm_value_int(charm_value_get(state, what), 0) + 1);
}

static enum charm_result open_books(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    count(run, "opened");
    return CHARM_DONE;
}

/* The change is counted when it is committed with the memory of the old value: once, however often the hook runs. */
static enum charm_result note_change(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    count(run, "changes");
    charm_flag_set(run, "ledger.changed-once");
    return CHARM_DONE;
}

static enum charm_result take_office(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_flag_set(run, "ledger.in-office");
    return CHARM_DONE;
}

static enum charm_result sign(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_app_set(run, "signed",
                  charm_value_new_text(charm_arena(run), charm_config_text(run, "name")));
    return CHARM_DONE;
}

static enum charm_result announce(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_publish(run, "website", "hostname", charm_config_text(run, "name"));
    charm_publish(run, "website", "port", "80");
    return CHARM_DONE;
}

static enum charm_result close_books(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    charm_flag_set(run, "ledger.closed");
    charm_action_set_text(run, "said", "closed");
    return CHARM_DONE;
}

static enum charm_result archive(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    count(run, "archived");
    charm_flag_set(run, "ledger.archived");
    return CHARM_DONE;
}

/* Each visitor's bag is read. */
static int visitors_from(struct charm_run *run, const char *place)
{
    int count = 0;
    const struct charm_unit *const *unit = charm_units(run, "website");
    for (; *unit != NULL; unit++) {
        const struct charm_value *address =
            charm_value_get(charm_unit_data(run, *unit), "private-address");
        count += strncmp(charm_text(address), place, strlen(place)) == 0 ? 1 : 0;
    }
    return count;
}

static enum charm_result status(struct charm_run *run, const struct charm_output *output)
{
    (void)output;
    charm_workload_version(run, "1.0");
    charm_status(run, CHARM_ACTIVE, "%s, %d visitors%s%s", charm_config_text(run, "name"),
                 visitors_from(run, "127."),
                 charm_flag_is_set(run, "ledger.in-office") ? ", in office" : "",
                 charm_flag_is_set(run, "ledger.archived") ? ", archived" : "");
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "open-books",
      .summary = "once in a life",
      .when = CHARM_FLAGS("config.set.name"),
      .guards = CHARM_GUARDS({ CHARM_ONCE, NULL }),
      .run = open_books },
    { .name = "note-change",
      .summary = "count the changes of the name",
      .when = CHARM_FLAGS("config.changed.name"),
      .sets = CHARM_FLAGS("ledger.changed-once"),
      .run = note_change },
    { .name = "take-office",
      .summary = "once in each term",
      .when = CHARM_FLAGS(CHARM_IS_LEADER, CHARM_APP_STATE),
      .unless = CHARM_FLAGS("ledger.in-office"),
      .sets = CHARM_FLAGS("ledger.in-office"),
      .run = take_office },
    { .name = "sign",
      .summary = "the leader signs for the application",
      .when =
          CHARM_FLAGS("ledger.in-office", "ledger.changed-once", CHARM_IS_LEADER, CHARM_APP_STATE),
      .run = sign },
    { .name = "announce",
      .summary = "tell visitors where we are",
      .when = CHARM_FLAGS("endpoint.website.joined"),
      .run = announce },
    { .name = "close-books",
      .summary = "the action close",
      .sets = CHARM_FLAGS("ledger.closed"),
      .guards = CHARM_GUARDS({ CHARM_ACTION, CHARM_FLAGS("close") }),
      .run = close_books },
    { .name = "archive",
      .summary = "what the action asked for, by the next hook",
      .when = CHARM_FLAGS("ledger.closed"),
      .unless = CHARM_FLAGS("ledger.archived"),
      .sets = CHARM_FLAGS("ledger.archived"),
      .run = archive },
    { 0 },
};

static const struct charm_output outputs[] = {
    { .name = "status", .summary = "one line for juju status", .compute = status },
    { 0 },
};

static const struct charm_layer ledger = { .name = "ledger",
                                           .rows = rows,
                                           .term_flags = CHARM_FLAGS("ledger.in-office"),
                                           .outputs = outputs };

int main(int argc, char **argv)
{
    return charm_main(argc, argv, CHARM_LAYERS(&ledger));
}
