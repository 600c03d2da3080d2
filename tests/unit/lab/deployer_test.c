/* kubernetes-deployer and its cluster as data: the union of what units ask, and how far the cluster got with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "lab/deployer.h"

struct fixture {
    struct charm_arena *arena;
    struct lab_deployer *deployer;
};

static int setup(void **state)
{
    struct charm_arena *arena = charm_arena_new();
    struct fixture *f = charm_arena_alloc(arena, sizeof(*f));
    *f = (struct fixture){ arena, lab_deployer_new(arena, "10.0.0.31", 30083) };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    charm_arena_free(((struct fixture *)*state)->arena);
    return 0;
}

#define DEPLOYMENT(replicas)                                                                       \
    "[{\"kind\": \"Deployment\", \"metadata\": {\"name\": \"d\"}, \"spec\": "                      \
    "{\"replicas\": " replicas "}}]"

/* Bags of units, each with this text as its request. */
static void read_requests(struct fixture *f, const char *const *requests)
{
    struct charm_value *bags = charm_value_new_list(f->arena);
    for (size_t i = 0; requests[i] != NULL; i++) {
        struct charm_value *bag = charm_value_append_map(bags);
        charm_value_set_text(bag, "resource", requests[i]);
        charm_value_set_text(bag, "uuid", "\"u\"");
    }
    lab_deployer_read(f->deployer, bags);
}

static void ask(struct fixture *f, const char *request)
{
    read_requests(f, (const char *const[]){ request, NULL });
}

static void set(struct fixture *f, const char *word)
{
    assert_int_equal(lab_deployer_set(f->deployer, word, NULL), 0);
}

static int64_t replicas(struct fixture *f)
{
    return charm_value_int(
        charm_value_path(lab_deployer_object(f->deployer, "Deployment"), "spec", "replicas", NULL),
        -1);
}

/* The Deployment's status in the answer. */
static const struct charm_value *answered(struct fixture *f, const char *key)
{
    const struct charm_value *answer = lab_deployer_answer(f->deployer);
    const struct charm_value *list =
        charm_value_decode(f->arena, charm_text(charm_value_get(answer, "status")));
    return charm_value_path(charm_value_at(list, 0), "status", key, NULL);
}

static void who_is_asked_for_nothing_says_nothing(void **state)
{
    struct fixture *f = *state;
    assert_null(lab_deployer_answer(f->deployer));
    ask(f, "[]");
    assert_null(lab_deployer_answer(f->deployer));
    assert_false(lab_deployer_serves(f->deployer));
}

static void what_is_asked_is_rolled_out_and_serves(void **state)
{
    struct fixture *f = *state;
    ask(f, DEPLOYMENT("2"));
    assert_int_equal(charm_value_int(answered(f, "readyReplicas"), 0), 2);
    assert_true(lab_deployer_serves(f->deployer));
}

static void of_two_wishes_both_are_applied_and_the_last_one_stays(void **state)
{
    struct fixture *f = *state;
    read_requests(f, (const char *const[]){ DEPLOYMENT("1"), "[]", DEPLOYMENT("2"), NULL });
    assert_int_equal(lab_deployer_versions(f->deployer), 2);
    assert_int_equal(replicas(f), 2);
    read_requests(f, (const char *const[]){ DEPLOYMENT("2"), DEPLOYMENT("2"), NULL });
    assert_int_equal(lab_deployer_versions(f->deployer), 1);
}

static void objects_go_when_nobody_asks_for_anything(void **state)
{
    struct fixture *f = *state;
    ask(f, DEPLOYMENT("1"));
    ask(f, "[]");
    assert_null(lab_deployer_object(f->deployer, "Deployment"));
    assert_false(lab_deployer_serves(f->deployer));
    assert_non_null(lab_deployer_answer(f->deployer)); /* an empty one */
}

static void old_pods_serve_while_new_ones_are_not_ready(void **state)
{
    struct fixture *f = *state;
    ask(f, DEPLOYMENT("1"));
    set(f, "rolling");
    assert_int_equal(charm_value_int(answered(f, "updatedReplicas"), 0), 1);
    ask(f, DEPLOYMENT("3"));
    assert_int_equal(charm_value_int(answered(f, "updatedReplicas"), 0), 1);
    assert_true(lab_deployer_serves(f->deployer));
    set(f, "complete");
    assert_int_equal(charm_value_int(answered(f, "updatedReplicas"), 0), 3);
}

static void a_first_roll_out_that_does_not_end_serves_nobody(void **state)
{
    struct fixture *f = *state;
    set(f, "rolling");
    ask(f, DEPLOYMENT("1"));
    assert_false(lab_deployer_serves(f->deployer));
    assert_int_equal(charm_value_int(answered(f, "readyReplicas"), 0), 0);
}

static void what_is_refused_is_applied_later(void **state)
{
    struct fixture *f = *state;
    set(f, "refused");
    ask(f, DEPLOYMENT("1"));
    assert_null(lab_deployer_object(f->deployer, "Deployment"));
    set(f, "complete");
    assert_int_equal(replicas(f), 1);
    set(f, "quiet");
    assert_null(lab_deployer_answer(f->deployer));
    assert_int_equal(lab_deployer_set(f->deployer, "sideways", NULL), CHARM_EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_asked_for_nothing_says_nothing),
        TEST(what_is_asked_is_rolled_out_and_serves),
        TEST(of_two_wishes_both_are_applied_and_the_last_one_stays),
        TEST(objects_go_when_nobody_asks_for_anything),
        TEST(old_pods_serve_while_new_ones_are_not_ready),
        TEST(a_first_roll_out_that_does_not_end_serves_nobody),
        TEST(what_is_refused_is_applied_later),
    };
    return cmocka_run_group_tests_name("lab-deployer-data", tests, NULL, NULL);
}
