/* What an upper layer sees of the base, with the engine and the lab's Juju in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "charm/run.h"
#include "kcb/layer.h"
#include "kcb/table.h"
#include "lab/events.h"
#include "lab/skin_base.h"

enum { MOST_RUNS = 100 };

struct world {
    struct charm_arena *arena;
    struct lab_model *model;
    struct lab_application *app;
    struct lab_application *deployer;
    struct lab_relation *relation;
    struct lab_skin *skin;
};

static size_t news_of_standbys;

static void must(int code, const struct charm_error *error)
{
    if (code != 0) {
        fail_msg("unexpected: %s", error->text);
    }
}

/* ---- the upper layer ---- */

static enum charm_result hear(struct charm_run *run, const struct charm_row *row)
{
    (void)row;
    news_of_standbys += charm_flag_is_set(run, CHARM_IS_LEADER) ? 0 : 1;
    return CHARM_DONE;
}

static const struct charm_row rows[] = {
    { .name = "hear",
      .summary = "count what the deployer says",
      .when = CHARM_FLAGS(KCB_KUBERNETES_NEW_STATUS),
      .run = hear },
    { 0 },
};
static const struct charm_layer upper = { .name = "upper", .rows = rows };

/* ---- the world ---- */

static struct lab_charm deployer_charm(struct world *world, const struct lab_base *base)
{
    struct charm_value *metadata = charm_value_new_map(world->model->arena);
    charm_value_set_text(metadata, "name", "deployer");
    charm_value_set(metadata, "provides", charm_value_get(base->charm.metadata, "requires"));
    return (struct lab_charm){ .name = "deployer", .metadata = metadata };
}

static int set_up(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct world *world = charm_arena_alloc(arena, sizeof(*world));
    struct lab_base *base = charm_arena_alloc(arena, sizeof(*base));
    struct kcb_ports *outside = charm_arena_alloc(arena, sizeof(*outside)); /* nobody asks */
    struct charm_layer *kcb = charm_arena_alloc(arena, sizeof(*kcb));
    struct charm_error error = { 0 };
    must(lab_base_load(arena, CHARM_DIR, base, &error), &error);
    world->arena = arena;
    world->model = lab_model_new(&(struct lab_model_options){ .no_retry = true });
    lab_model_set_time(world->model, 1767268800000);
    must(lab_model_deploy(world->model, "connect", &base->charm, 2, &world->app, &error), &error);
    const struct lab_charm deployer = deployer_charm(world, base);
    must(lab_model_deploy(world->model, "deployer", &deployer, 1, &world->deployer, &error),
         &error);
    must(lab_model_relate(world->model, "connect:kubernetes", "deployer:kubernetes",
                          &world->relation, &error),
         &error);
    world->skin = lab_skin_new(arena, &(struct lab_skin_options){ .model = world->model,
                                                                  .files = base->files,
                                                                  .reading = lab_base_reading(),
                                                                  .outside = outside });
    *kcb = (struct charm_layer)KCBI_LAYER_WITH(lab_skin_ports(world->skin));
    const struct charm_layer **layers = charm_arena_array(arena, 4, sizeof(struct charm_layer *));
    layers[0] = kcb;
    layers[1] = &kcb_standalone_layer;
    layers[2] = &upper;
    lab_skin_link(world->skin, layers);
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

static bool pass(struct world *world, struct lab_unit *unit, const struct lab_event *event)
{
    struct charm_error error = { 0 };
    must(lab_context_end(lab_context_begin(world->model, unit, event), LAB_EXITED, 0, &error),
         &error);
    return true;
}

static bool run(struct world *world, struct lab_unit *unit, const struct lab_event *event)
{
    struct lab_skin_run ran;
    lab_skin_run(world->skin, unit, event, &ran);
    if (!charmi_same(ran.end, "ok")) {
        fail_msg("%s\n%s%s", ran.end, ran.out, ran.err);
    }
    return true;
}

static void settle(struct world *world)
{
    bool moved = true;
    for (int rounds = 0; moved; rounds++) {
        assert_true(rounds < MOST_RUNS);
        struct lab_event event;
        moved = lab_event_next(world->model, world->deployer->units, &event) &&
                pass(world, world->deployer->units, &event);
        for (struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
            moved =
                (lab_event_next(world->model, unit, &event) && run(world, unit, &event)) || moved;
        }
    }
}

static void say(struct world *world, const char *status)
{
    struct lab_bag *bag =
        &lab_relation_seat(world->model, world->relation, world->deployer->units)->bag;
    lab_bag_put(bag, "status", status);
    bag->version++;
    settle(world);
}

static void update_status(struct world *world)
{
    for (struct lab_unit *unit = world->app->units; unit != NULL; unit = unit->next) {
        unit->update_status_wanted = true;
    }
    settle(world);
}

/* ---- tests ---- */

/* The original cleared the flag on the leader alone: on all others it stood for ever. */
static void news_of_the_deployer_are_news_once_on_a_standby_too(void **state)
{
    struct world *world = *state;
    settle(world);
    news_of_standbys = 0;
    say(world, "[]");
    assert_int_equal(news_of_standbys, 1);
    update_status(world);
    assert_int_equal(news_of_standbys, 1);
    say(world, "[null]");
    assert_int_equal(news_of_standbys, 2);
    say(world, "[null]");
    assert_int_equal(news_of_standbys, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(news_of_the_deployer_are_news_once_on_a_standby_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
