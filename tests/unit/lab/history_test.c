/* Random histories: whatever an operator, a fault and time do, the world settles into one that is consistent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "play.h"

enum { HISTORIES = 300, STEPS = 60 };

#define METADATA                                                                                   \
    "provides: {x: {interface: i}}\n"                                                              \
    "requires: {y: {interface: i}}\n"                                                              \
    "peers: {p: {interface: j}}\n"

static const char *const names[] = { "a", "b", "c" };

/* Writes everywhere, and fails now and then while faults are on. */
static int busy_hook(struct play *play, const char *unit, const char *name)
{
    const bool faults = play->userdata != NULL;
    struct lab_model *model = play->model;
    const struct lab_event *event = &play->context->event;
    (void)unit;
    (void)name;
    if (lab_event_is_relation(event)) {
        play_tool(play, charm_arena_printf(play->arena, "relation-set k=%d",
                                           (int)lab_model_random(model, 3)));
        play_tool(play, charm_arena_printf(play->arena, "relation-set --app k=%d",
                                           faults ? (int)lab_model_random(model, 3) : 0));
        play_tool(play, "relation-get --format=json -");
        play_tool(play, "relation-list --format=json");
    }
    play_tool(play, "state-set k=v");
    play_tool(play, "config-get --format=json");
    return faults && lab_model_random(model, 8) == 0 ? 1 : 0;
}

/* In the end everybody writes the same for ever, so that it ends. */
static int calm_hook(struct play *play, const char *unit, const char *name)
{
    (void)unit;
    (void)name;
    if (lab_event_is_relation(&play->context->event)) {
        play_tool(play, "relation-set k=end");
        play_tool(play, "relation-set --app k=end");
    }
    return 0;
}

static struct lab_unit *some_unit(struct play *play)
{
    struct lab_unit *chosen = NULL;
    uint64_t count = 0;
    for (struct lab_application *app = play->model->applications; app != NULL; app = app->next) {
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            if (unit->life != LAB_DEAD && lab_model_random(play->model, ++count) == 0) {
                chosen = unit;
            }
        }
    }
    return chosen;
}

static void change_applications(struct play *play, uint64_t what, const char *name)
{
    struct lab_application *app = lab_model_app(play->model, name);
    struct lab_unit *unit;
    if (app == NULL) {
        play_deploy_with(play, name, METADATA, "options: {n: {type: int, default: 0}}",
                         "go: {description: d}", (int)(what % 3) + 1);
    } else if (what == 0) {
        CHARMI_IGNORE(lab_model_remove_application(play->model, app, NULL), "may be refused");
    } else if (what == 1) {
        CHARMI_IGNORE(lab_model_add_unit(play->model, app, &unit, NULL), "may be refused");
    } else {
        CHARMI_IGNORE(lab_model_config_set(
                          play->model, app, "n",
                          what == 2 ? NULL : charm_arena_printf(play->arena, "%d", (int)what),
                          NULL),
                      "may be refused");
    }
}

static void change_unit(struct play *play, uint64_t what, struct lab_unit *unit)
{
    struct lab_task *task;
    if (unit == NULL) {
        return;
    }
    switch (what) {
    case 0:
        CHARMI_IGNORE(lab_model_remove_unit(play->model, unit, false, NULL), "may be refused");
        break;
    case 1:
        CHARMI_IGNORE(lab_model_remove_unit(play->model, unit, true, NULL), "may be refused");
        break;
    case 2:
        lab_model_elect(play->model, unit->app, unit->life == LAB_ALIVE ? unit : NULL);
        break;
    case 3:
        CHARMI_IGNORE(lab_model_run_action(play->model, unit, "go", NULL, &task, NULL),
                      "may be refused");
        break;
    case 4:
        CHARMI_IGNORE(lab_model_resolved(play->model, unit, false, NULL), "may be refused");
        break;
    case 5:
        unit->fault_refuse_commit = true;
        break;
    case 6:
        unit->update_status_wanted = true;
        break;
    default:
        unit->fault_state_only = true;
        break;
    }
}

static void change_relations(struct play *play, bool add, const char *left, const char *right)
{
    struct lab_relation *relation;
    left = charm_arena_printf(play->arena, "%s:x", left);
    right = charm_arena_printf(play->arena, "%s:y", right);
    if (add) {
        CHARMI_IGNORE(lab_model_relate(play->model, left, right, &relation, NULL),
                      "may be refused");
    } else {
        CHARMI_IGNORE(lab_model_remove_relation(play->model, left, right, NULL), "may be refused");
    }
}

static void one_change(struct play *play)
{
    struct lab_model *model = play->model;
    const char *left = names[lab_model_random(model, 3)];
    const char *right = names[lab_model_random(model, 3)];
    switch (lab_model_random(model, 4)) {
    case 0:
        change_applications(play, lab_model_random(model, 6), left);
        break;
    case 1:
        change_unit(play, lab_model_random(model, 8), some_unit(play));
        break;
    case 2:
        change_relations(play, lab_model_random(model, 3) > 0, left, right);
        break;
    default:
        lab_model_set_time(model, model->now_ms + (int64_t)lab_model_random(model, 20000));
        break;
    }
}

static size_t faces(const struct lab_relation *relation, const struct lab_unit *unit)
{
    size_t count = 0;
    for (const struct lab_seat *seat = relation->seats; seat != NULL; seat = seat->next) {
        const bool other = lab_relation_is_peer(relation) || seat->unit->app != unit->app;
        count += seat->in_scope && seat->unit != unit && other ? 1 : 0;
    }
    return count;
}

/* What the unit has been told is what is there. */
static void check_unit(const struct lab_unit *unit)
{
    assert_int_equal(unit->life, LAB_ALIVE);
    assert_true(unit->started);
    assert_null(unit->running);
    assert_null(unit->failure);
    for (const struct lab_view *view = unit->views; view != NULL; view = view->next) {
        if (view->relation->life == LAB_DEAD) {
            continue;
        }
        size_t members = 0;
        assert_int_equal(view->relation->life, LAB_ALIVE);
        assert_true(view->created);
        assert_null(view->owed);
        for (const struct lab_member *member = view->members; member != NULL;
             member = member->next) {
            assert_true(member->joined);
            assert_int_equal(member->unit->life, LAB_ALIVE);
            members++;
        }
        assert_int_equal(members, faces(view->relation, unit));
        assert_int_equal(view->app_seen,
                         lab_relation_other(view->relation, unit->app)->bag.version);
    }
}

static void check_world(struct play *play)
{
    for (struct lab_application *app = play->model->applications; app != NULL; app = app->next) {
        bool led = false;
        if (app->life == LAB_DEAD) {
            continue;
        }
        assert_int_equal(app->life, LAB_ALIVE);
        for (struct lab_unit *unit = app->units; unit != NULL; unit = unit->next) {
            if (unit->life != LAB_DEAD) {
                check_unit(unit);
                assert_int_equal(unit->leads, app->leader == unit);
                led = led || unit->leads;
            }
        }
        assert_int_equal(led, app->leader != NULL);
    }
}

static int one_history(uint64_t seed)
{
    struct play *play = play_new(&(struct lab_model_options){ .seed = seed });
    int on = 1;
    play->hook = busy_hook;
    play->userdata = &on;
    for (int step = 0; step < STEPS; step++) {
        one_change(play);
        struct lab_unit *unit = some_unit(play);
        for (uint64_t i = lab_model_random(play->model, 4); unit != NULL && i > 0; i--) {
            play_step(play, unit);
        }
    }
    play->hook = calm_hook;
    for (int turn = 0; turn < 4; turn++) { /* hooks in error are tried again */
        lab_model_set_time(play->model, play->model->now_ms + 1000000);
        play_settle(play);
    }
    check_world(play);
    const int hooks = play->hooks;
    play_free(play);
    return hooks;
}

static void after_any_history_the_world_settles_and_is_consistent(void **state)
{
    int hooks = 0;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        print_message("  seed %d\n", (int)seed);
        hooks += one_history(seed);
    }
    print_message("  %d hooks\n", hooks);
    assert_true(hooks > 50 * HISTORIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_any_history_the_world_settles_and_is_consistent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
