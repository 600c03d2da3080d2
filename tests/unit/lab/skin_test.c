/* The base charm's real tables in this process: a simple life, and the blows that a run can get. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/events.h"
#include "lab/skin.h"
#include "lab/skin_base.h"

enum { MOST_RUNS = 100 };

struct world {
    struct charm_arena *arena;
    struct lab_model *model;
    struct lab_application *app;
    struct lab_unit *unit;
    struct lab_skin *skin;
    struct lab_skin_run run;
    struct charm_value *topics; /* name -> partitions */
    struct charm_value *points; /* of the last run, in order */
    int made;                   /* topics */
    enum lab_blow blow;         /* at the next point of this name, once */
    const char *at;
    const char *state_before; /* the struck run's */
};

static void must(int code, const struct charm_error *error)
{
    if (code != 0) {
        fail_msg("unexpected: %s", error->text);
    }
}

/* ---- the outside: one broker, nobody at REST ---- */

static int no_http(void *userdata, struct charm_arena *arena,
                   const struct kcb_http_request *request, struct kcb_http_answer *ret_answer,
                   struct charm_error *reterr)
{
    (void)userdata;
    (void)arena;
    (void)ret_answer;
    return charm_error_set(reterr, CHARM_ENET, "%s %s: connection refused", request->method,
                           request->url);
}

static int look(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                const char *const *topics, int64_t timeout_ms, struct kcb_cluster_view *ret_view,
                struct charm_error *reterr)
{
    static const char *const brokers[] = { "1=10.0.0.5:9092", NULL };
    struct world *world = userdata;
    (void)settings;
    (void)timeout_ms;
    (void)reterr;
    const size_t count = charmi_list_size(topics);
    struct kcb_topic_view *views = charm_arena_array(arena, count + 1, sizeof(*views));
    for (size_t i = 0; i < count; i++) {
        const struct charm_value *there = charm_value_get(world->topics, topics[i]);
        views[i] = (struct kcb_topic_view){
            .name = topics[i],
            .presence = there == NULL ? KCB_TOPIC_ABSENT : KCB_TOPIC_PRESENT,
            .partitions = (int)charm_value_int(there, 0),
            .replication = 1,
            .cleanup_policy = "compact",
            .policy_error = "",
            .error_text = "",
        };
    }
    *ret_view = (struct kcb_cluster_view){ brokers, 1, 4, views, count };
    return 0;
}

static int create(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                  const struct kcb_topic_spec *specs, size_t count, int64_t timeout_ms,
                  struct kcb_topic_result *ret_results, struct charm_error *reterr)
{
    struct world *world = userdata;
    (void)arena;
    (void)settings;
    (void)timeout_ms;
    (void)reterr;
    for (size_t i = 0; i < count; i++) {
        const bool there = charm_value_get(world->topics, specs[i].name) != NULL;
        world->made += there ? 0 : 1;
        charm_value_set_int(world->topics, specs[i].name, specs[i].partitions);
        ret_results[i] = (struct kcb_topic_result){ there ? 36 : 0, "" };
    }
    return 0;
}

/* ---- the world ---- */

static enum lab_blow strike(void *userdata, const struct lab_unit *unit,
                            const struct lab_point *point)
{
    struct world *world = userdata;
    assert_ptr_equal(unit, world->unit);
    assert_int_equal(point->number, charm_value_size(world->points));
    charm_value_append_text(world->points, point->what);
    if (world->at == NULL || !charmi_same(world->at, point->what)) {
        return LAB_BLOW_NONE;
    }
    world->at = NULL;
    return world->blow;
}

static const struct lab_base *base(void)
{
    static struct lab_base loaded;
    static struct charm_arena *arena;
    struct charm_error error = { 0 };
    if (arena == NULL) {
        arena = charm_arena_new();
        must(lab_base_load(arena, CHARM_DIR, &loaded, &error), &error);
    }
    return &loaded;
}

static int set_up(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct world *world = charm_arena_alloc(arena, sizeof(*world));
    struct kcb_ports *outside = charm_arena_alloc(arena, sizeof(*outside));
    struct charm_error error = { 0 };
    world->arena = arena;
    world->model = lab_model_new(&(struct lab_model_options){ .no_retry = true });
    lab_model_set_time(world->model, 1767268800000);
    world->topics = charm_value_new_map(arena);
    world->points = charm_value_new_list(arena);
    *outside = (struct kcb_ports){
        .userdata = world, .http = no_http, .kafka_look = look, .kafka_create = create
    };
    must(lab_model_deploy(world->model, "connect", &base()->charm, 1, &world->app, &error), &error);
    world->unit = world->app->units;
    world->skin = lab_skin_new(arena, &(struct lab_skin_options){ .model = world->model,
                                                                  .files = base()->files,
                                                                  .reading = lab_base_reading(),
                                                                  .outside = outside,
                                                                  .strike = strike,
                                                                  .userdata = world });
    lab_base_link(world->skin);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    lab_model_free(world->model);
    charm_arena_free(world->arena);
    return 0;
}

static bool run_next(struct world *world)
{
    struct lab_event event;
    if (!lab_event_next(world->model, world->unit, &event)) {
        return false;
    }
    charm_value_clear(world->points);
    lab_skin_run(world->skin, world->unit, &event, &world->run);
    return true;
}

static void settle(struct world *world)
{
    int runs = 0;
    while (run_next(world)) {
        if (!charmi_same(world->run.end, "ok")) {
            fail_msg("%s\n%s%s", world->run.end, world->run.out, world->run.err);
        }
        assert_true(++runs < MOST_RUNS);
    }
}

/* Somebody who does nothing but be related. */
static void relate(struct world *world, const char *name, const char *role_and_endpoint,
                   const char *endpoint)
{
    struct charm_error error = { 0 };
    struct charm_value *metadata = charm_value_new_map(world->model->arena);
    charm_value_set_text(metadata, "name", name);
    charm_value_set(metadata, role_and_endpoint,
                    charm_value_get(base()->charm.metadata, "requires"));
    const struct lab_charm charm = { .name = name, .metadata = metadata };
    struct lab_application *app = NULL;
    struct lab_relation *relation = NULL;
    must(lab_model_deploy(world->model, name, &charm, 1, &app, &error), &error);
    must(lab_model_relate(world->model, charm_arena_printf(world->arena, "connect:%s", endpoint),
                          charm_arena_printf(world->arena, "%s:%s", name, endpoint), &relation,
                          &error),
         &error);
    struct lab_event event;
    while (lab_event_next(world->model, app->units, &event)) {
        must(lab_context_end(lab_context_begin(world->model, app->units, &event), LAB_EXITED, 0,
                             &error),
             &error);
    }
}

static struct lab_bag *bag_on(struct world *world, const char *endpoint, bool own)
{
    for (struct lab_relation *r = world->model->relations; r != NULL; r = r->next) {
        if (charmi_same(lab_relation_own(r, world->app)->endpoint, endpoint)) {
            struct lab_unit *unit =
                own ? world->unit : lab_relation_other(r, world->app)->app->units;
            return &lab_relation_seat(world->model, r, unit)->bag;
        }
    }
    fail_msg("connect is not related to %s", endpoint);
    return NULL;
}

static void bring_kafka(struct world *world)
{
    relate(world, "kafka", "provides", "kafka");
    struct lab_bag *bag = bag_on(world, "kafka", false);
    lab_bag_put(bag, "host", "10.0.0.5");
    lab_bag_put(bag, "port", "9092");
    bag->version++;
}

static void bring_deployer(struct world *world)
{
    relate(world, "deployer", "provides", "kubernetes");
}

static bool called(const struct world *world, const char *start)
{
    for (size_t i = 0; i < charm_value_size(world->run.calls); i++) {
        const struct charm_value *call = charm_value_at(world->run.calls, i);
        if (charmi_starts_with(charm_text(charm_value_get(call, "call")), start)) {
            return true;
        }
    }
    return false;
}

/* ---- a life ---- */

static void a_life_goes_from_no_relation_to_a_request_for_workers(void **state)
{
    struct world *world = *state;
    settle(world);
    assert_string_equal(world->unit->status.word, "blocked");
    bring_kafka(world);
    settle(world);
    assert_int_equal(charm_value_size(world->topics), 3);
    bring_deployer(world);
    settle(world);
    assert_string_equal(world->unit->status.word, "waiting");
    const char *request =
        charm_text(charm_value_get(bag_on(world, "kubernetes", true)->values, "resource"));
    assert_non_null(strstr(request, "\"kind\": \"Deployment\""));
    assert_non_null(strstr(request, "10.0.0.5:9092"));
}

static void a_run_that_has_nothing_to_do_writes_nothing_to_juju(void **state)
{
    struct world *world = *state;
    bring_kafka(world);
    bring_deployer(world);
    settle(world);
    for (int i = 0; i < 3; i++) {
        world->unit->update_status_wanted = true;
        settle(world);
    }
    assert_true(called(world, "state-get"));
    assert_false(called(world, "relation-set"));
    assert_false(called(world, "state-set"));
    assert_false(called(world, "status-set"));
}

/* Of the sanitizer's allocator, when there is one; its header is not everywhere. NOLINTNEXTLINE(*-reserved-identifier) */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t bytes_in_use(void)
{
    return __sanitizer_get_current_allocated_bytes != NULL
               ? __sanitizer_get_current_allocated_bytes()
               : mallinfo2().uordblks;
}

/* Thousands of runs are made in one skin: what each leaves behind for ever would add up. */
static void runs_leave_nothing_behind(void **state)
{
    enum { RUNS = 200, LARGEST_GROWTH = 4096 };
    struct world *world = *state;
    bring_kafka(world);
    bring_deployer(world);
    settle(world);
    size_t before = 0;
    for (int i = 0; i <= 2 * RUNS; i++) {
        before = i == RUNS ? bytes_in_use() : before; /* by then every file has been written */
        world->unit->update_status_wanted = true;
        assert_true(run_next(world));
    }
    const size_t after = bytes_in_use();
    assert_true(after < before + LARGEST_GROWTH);
}

/* The same life twice, in one skin: nothing is left of the first. */
static void a_skin_that_is_restarted_knows_nothing_of_the_world_before(void **state)
{
    struct world *world = *state;
    bring_kafka(world);
    settle(world);
    assert_true(charm_value_size(lab_skin_files(world->skin, world->unit)) > 0);
    struct lab_model *before = world->model;
    struct charm_error error = { 0 };
    world->model = lab_model_new(&(struct lab_model_options){ .no_retry = true });
    must(lab_model_deploy(world->model, "connect", &base()->charm, 1, &world->app, &error), &error);
    world->unit = world->app->units;
    lab_skin_restart(world->skin, world->model);
    lab_model_free(before);
    assert_int_equal(charm_value_size(lab_skin_files(world->skin, world->unit)), 0);
    settle(world);
    assert_string_equal(world->unit->status.word, "blocked");
}

/* ---- blows ---- */

/* The first run that comes to this point gets it; then the life goes on to its end. */
static void strike_once(struct world *world, const char *at, enum lab_blow blow)
{
    world->at = at;
    world->blow = blow;
    bring_kafka(world);
    bring_deployer(world);
    while (world->at != NULL) {
        world->state_before =
            charm_value_render(world->arena, world->unit->state, CHARM_JSON_SORTED);
        assert_true(run_next(world));
    }
}

static void expect_state_as_before(const struct world *world)
{
    assert_string_equal(charm_value_render(world->arena, world->unit->state, CHARM_JSON_SORTED),
                        world->state_before);
}

static void expect_the_same_end(struct world *world)
{
    struct charm_error error = { 0 };
    if (world->unit->failed.hook != LAB_HOOK_NONE) {
        must(lab_model_resolved(world->model, world->unit, true, &error), &error);
    }
    settle(world);
    assert_int_equal(charm_value_size(world->topics), 3);
    assert_non_null(charm_value_get(bag_on(world, "kubernetes", true)->values, "resource"));
}

static void a_run_that_is_killed_before_a_call_has_not_made_it(void **state)
{
    struct world *world = *state;
    strike_once(world, "create topics", LAB_BLOW_KILL_BEFORE);
    assert_true(world->run.killed);
    assert_string_equal(world->run.end, "signal: killed");
    assert_int_equal(charm_value_size(world->topics), 0);
    /* nothing reached the outside any more */
    assert_string_equal(
        charm_text(charm_value_at(world->points, charm_value_size(world->points) - 1)),
        "create topics");
    assert_int_equal(world->run.points, charm_value_size(world->points));
    assert_string_equal(world->run.out, "");
    expect_the_same_end(world);
}

static void a_run_that_is_killed_after_a_call_has_made_it(void **state)
{
    struct world *world = *state;
    strike_once(world, "create topics", LAB_BLOW_KILL_AFTER);
    assert_true(world->run.killed);
    assert_int_equal(charm_value_size(world->topics), 3);
    expect_state_as_before(world);
    expect_the_same_end(world);
}

static void an_answer_that_is_lost_is_an_error_of_a_call_that_was_made(void **state)
{
    struct world *world = *state;
    strike_once(world, "create topics", LAB_BLOW_LOSE);
    assert_false(world->run.killed);
    assert_int_equal(charm_value_size(world->topics), 3);
    expect_the_same_end(world);
    assert_int_equal(world->made, 3); /* asked again, Kafka said that they are there */
}

static void a_hook_tool_that_fails_has_done_nothing_and_fails_the_run(void **state)
{
    struct world *world = *state;
    strike_once(world, "state-set", LAB_BLOW_FAIL);
    assert_int_equal(world->run.exit_code, 1);
    assert_false(called(world, "state-set"));
    expect_state_as_before(world);
    expect_the_same_end(world);
}

static void a_hook_tool_that_hangs_takes_the_time_of_its_deadline(void **state)
{
    struct world *world = *state;
    const int64_t before = world->model->now_ms;
    strike_once(world, "state-set", LAB_BLOW_HANG);
    assert_int_equal(world->run.exit_code, 1);
    assert_true(world->model->now_ms > before);
    expect_the_same_end(world);
}

static void a_killed_run_takes_no_time_of_the_world(void **state)
{
    struct world *world = *state;
    const int64_t before = world->model->now_ms;
    strike_once(world, "create topics", LAB_BLOW_KILL_AFTER);
    assert_int_equal(world->model->now_ms, before);
}

static void a_record_that_cannot_be_written_fails_nothing(void **state)
{
    struct world *world = *state;
    strike_once(world, "write run-1.json", LAB_BLOW_FAIL);
    assert_string_equal(world->run.end, "ok");
    expect_the_same_end(world);
}

static enum charm_result nothing(struct charm_run *run, const struct charm_row *row)
{
    (void)run;
    (void)row;
    return CHARM_DONE;
}

static void layers_that_make_no_table_fail_each_run_and_name_the_row(void **state)
{
    static const struct charm_row rows[] = { { .name = "bare", .run = nothing }, { 0 } };
    static const struct charm_layer layer = { .name = "wrong", .rows = rows };
    struct world *world = *state;
    lab_skin_link(world->skin, CHARM_LAYERS(&layer));
    assert_true(run_next(world));
    assert_int_equal(world->run.exit_code, 1);
    assert_true(called(world, "juju-log -l ERROR"));
    assert_string_equal(world->run.end, "exit status 1");
}

int main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_life_goes_from_no_relation_to_a_request_for_workers),
        IN_A_WORLD(a_run_that_has_nothing_to_do_writes_nothing_to_juju),
        IN_A_WORLD(runs_leave_nothing_behind),
        IN_A_WORLD(a_skin_that_is_restarted_knows_nothing_of_the_world_before),
        IN_A_WORLD(a_run_that_is_killed_before_a_call_has_not_made_it),
        IN_A_WORLD(a_run_that_is_killed_after_a_call_has_made_it),
        IN_A_WORLD(an_answer_that_is_lost_is_an_error_of_a_call_that_was_made),
        IN_A_WORLD(a_hook_tool_that_fails_has_done_nothing_and_fails_the_run),
        IN_A_WORLD(a_hook_tool_that_hangs_takes_the_time_of_its_deadline),
        IN_A_WORLD(a_killed_run_takes_no_time_of_the_world),
        IN_A_WORLD(a_record_that_cannot_be_written_fails_nothing),
        IN_A_WORLD(layers_that_make_no_table_fail_each_run_and_name_the_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
