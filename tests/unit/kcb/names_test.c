#include "fixture.h"

#include <ctype.h>

#include "kcb/names.h"

#define MODEL_UUID "e0453597-8109-4f7d-a58f-af08bc72a414"

static struct kcbi_names made(const char *model, const char *application)
{
    struct kcbi_names names = { 0 };
    struct charm_error error;
    if (kcbi_names_make(arena, model, MODEL_UUID, application, "", &names, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return names;
}

static void the_names_are_the_originals(void **state)
{
    const struct kcbi_names names = made("prod", "connect");
    assert_string_equal(names.uuid, "2920e605f0ff6ec62142bcda05a663f0");
    assert_string_equal(names.config_map, "cfgmap-2920e605f0ff6ec62142bcda05a663f0");
    assert_string_equal(names.service, "svc-2920e605f0ff6ec62142bcda05a663f0");
    assert_string_equal(names.deployment, "depl-2920e605f0ff6ec62142bcda05a663f0");
    assert_string_equal(names.configs_topic, "prod.connect.connectconfigs");
    assert_string_equal(names.offsets_topic, "prod.connect.connectoffsets");
    assert_string_equal(names.status_topic, "prod.connect.connectstatus");
}

static void a_prefix_names_topics_and_group_and_no_object_of_kubernetes(void **state)
{
    struct kcbi_names names;
    const struct kcbi_names without = made("prod", "connect");
    assert_int_equal(kcbi_names_make(arena, "prod", MODEL_UUID, "connect", "eu", &names, NULL), 0);
    assert_string_equal(without.group, "connect");
    assert_string_equal(names.group, "eu");
    assert_string_equal(names.configs_topic, "eu.connectconfigs");
    assert_string_equal(names.offsets_topic, "eu.connectoffsets");
    assert_string_equal(names.status_topic, "eu.connectstatus");
    assert_string_equal(names.uuid, without.uuid);
    assert_string_equal(names.deployment, without.deployment);
}

static void an_unknown_model_or_application_is_refused(void **state)
{
    struct kcbi_names names;
    struct charm_error error;
    assert_int_equal(kcbi_names_make(arena, "", "u", "a", "", &names, &error), CHARM_EINVAL);
    assert_int_equal(kcbi_names_make(arena, "m", NULL, "a", "", &names, &error), CHARM_EINVAL);
    assert_int_equal(kcbi_names_make(arena, "m", "u", " ", "", &names, &error), CHARM_EINVAL);
}

static void a_topic_that_kafka_would_not_take_is_refused(void **state)
{
    char longest[250] = "";
    memset(longest, 'm', 249 - strlen(".a.connectconfigs"));
    assert_int_equal(strlen(made(longest, "a").configs_topic), 249);
    struct kcbi_names names;
    struct charm_error error;
    assert_int_equal(kcbi_names_make(arena, longest, "u", "ab", "", &names, &error), CHARM_EINVAL);
    assert_contains(error.text, "250 bytes");
    assert_int_equal(kcbi_names_make(arena, "m/x", "u", "a", "", &names, &error), CHARM_EINVAL);
    assert_int_equal(kcbi_names_make(arena, "m\xc3\xa9", "u", "a", "", &names, &error),
                     CHARM_EINVAL);
}

/* Kubernetes: apimachinery validation.go, IsValidLabelValue. */
static void assert_label(const char *text)
{
    const char *value = kcbi_label_value(arena, text);
    const size_t size = strlen(value);
    assert_in_range(size, 0, 63);
    for (size_t i = 0; i < size; i++) {
        const bool edge = i == 0 || i + 1 == size;
        assert_true(isalnum((unsigned char)value[i]) || (!edge && strchr("-_.", value[i])));
    }
}

static void any_text_becomes_a_label(void **state)
{
    static const char *const texts[] = {
        "connect",
        "",
        "-",
        "...",
        "-connect-",
        "a b",
        "caf\xc3\xa9",
        "\xff\xfe",
        "_",
        "a/b:c@d",
        "connect-connect-connect-connect-connect-connect-connect-connect",
        "----------------------------------------------------------------------",
        "0123456789012345678901234567890123456789012345678901234567890123456789",
    };
    for (size_t i = 0; i < CHARMI_COUNT(texts); i++) {
        assert_label(texts[i]);
    }
    assert_string_equal(kcbi_label_value(arena, "connect"), "connect");
    assert_string_equal(kcbi_label_value(arena, "a.b_c-d"), "a.b_c-d");
}

static void texts_that_differ_become_labels_that_differ(void **state)
{
    char one[80] = "";
    char other[80] = "";
    memset(one, 'x', sizeof(one) - 1);
    memset(other, 'x', sizeof(other) - 2);
    assert_string_not_equal(kcbi_label_value(arena, one), kcbi_label_value(arena, other));
    assert_string_not_equal(kcbi_label_value(arena, "a b"), kcbi_label_value(arena, "a/b"));
}

static void labels_hold_the_selector_and_the_recommended_ones(void **state)
{
    const struct kcbi_names names = made("prod", "connect");
    const struct charm_value *labels = kcbi_names_labels(arena, &names);
    assert_string_equal(TEXT_AT(labels, "app"), names.uuid);
    assert_string_equal(TEXT_AT(labels, "app.kubernetes.io/name"), "kafka-connect");
    assert_string_equal(TEXT_AT(labels, "app.kubernetes.io/instance"), "connect");
    assert_string_equal(TEXT_AT(labels, "app.kubernetes.io/part-of"), "prod");
    assert_string_equal(
        charm_value_render(arena, kcbi_names_selector(arena, &names), CHARM_JSON_COMPACT),
        "{\"app\":\"2920e605f0ff6ec62142bcda05a663f0\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_names_are_the_originals),
        TEST(a_prefix_names_topics_and_group_and_no_object_of_kubernetes),
        TEST(an_unknown_model_or_application_is_refused),
        TEST(a_topic_that_kafka_would_not_take_is_refused),
        TEST(any_text_becomes_a_label),
        TEST(texts_that_differ_become_labels_that_differ),
        TEST(labels_hold_the_selector_and_the_recommended_ones),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
