#include "fixture.h"

#include "kcb/versions.h"

static struct kcbi_version version_of(const char *text)
{
    struct kcbi_version version = { 0 };
    struct charm_error error;
    if (kcbi_version_parse(text, &version, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return version;
}

static const char *read_back(const char *text)
{
    return kcbi_version_text(arena, version_of(text));
}

static void versions_are_read_in_all_their_lengths(void **state)
{
    assert_string_equal(read_back("0.10"), "0.10.0");
    assert_string_equal(read_back("0.10.1.1"), "0.10.1");
    assert_string_equal(read_back("3.9.1"), "3.9.1");
    assert_string_equal(read_back("4.3"), "4.3.0");
    assert_string_equal(read_back("4"), "4.0.0");
}

static void what_is_no_version_is_refused(void **state)
{
    static const char *const texts[] = {
        "",       " ",    "0.9",       "latest", "3.",   ".3", "3..1",
        "3.9.1-", "v3.9", "1.2.3.4.5", "-4.0",   "3.9 ", "0",  "99999999999999999999"
    };
    for (size_t i = 0; i < CHARMI_COUNT(texts); i++) {
        struct kcbi_version version = { 7, 7, 7 };
        struct charm_error error;
        assert_int_equal(kcbi_version_parse(texts[i], &version, &error), CHARM_EINVAL);
        assert_int_equal(version.major, 7);
    }
}

static void versions_are_compared_part_by_part(void **state)
{
    assert_true(kcbi_version_compare(version_of("0.10"), version_of("0.9999")) < 0);
    assert_true(kcbi_version_compare(version_of("3.10"), version_of("3.9.9")) > 0);
    assert_int_equal(kcbi_version_compare(version_of("4.0"), version_of("4.0.0")), 0);
    assert_true(kcbi_version_at_least(version_of("3.1.1"), 3, 1, 1));
    assert_false(kcbi_version_at_least(version_of("3.1.0"), 3, 1, 1));
}

static void assert_image(const char *name, enum kcbi_image_kind kind, const char *version)
{
    const struct kcbi_image image = kcbi_image_read(arena, name);
    assert_int_equal(image.kind, kind);
    assert_string_equal(image.name, name);
    assert_int_equal(image.has_version, version[0] != '\0');
    if (image.has_version) {
        assert_string_equal(kcbi_version_text(arena, image.version), version);
    }
}

static void images_say_what_is_inside(void **state)
{
    assert_image("apache/kafka:4.3.1", KCBI_IMAGE_APACHE, "4.3.1");
    assert_image("docker.io/apache/kafka:3.9.0-rc2", KCBI_IMAGE_APACHE, "3.9.0");
    assert_image("registry:5000/mirror/apache/kafka:4.1.0@sha256:00", KCBI_IMAGE_APACHE, "4.1.0");
    assert_image("apache/kafka", KCBI_IMAGE_APACHE, "");
    assert_image("apache/kafka:latest", KCBI_IMAGE_APACHE, "");
    assert_image("apache/kafka@sha256:00", KCBI_IMAGE_APACHE, "");
    assert_image("sborny/kafka-connect-base", KCBI_IMAGE_ORIGINAL, "0.10.1");
    assert_image("docker.io/sborny/kafka-connect-base:latest", KCBI_IMAGE_ORIGINAL, "0.10.1");
    assert_image("example/connect-mongodb:1.2", KCBI_IMAGE_OTHER, "");
    assert_image("apache/kafka-native:4.1.0", KCBI_IMAGE_OTHER, "");
    assert_image("notapache/kafka:4.1.0", KCBI_IMAGE_OTHER, "");
    assert_image("registry:5000/connect", KCBI_IMAGE_OTHER, "");
    assert_image("kafka", KCBI_IMAGE_OTHER, "");
    assert_image("", KCBI_IMAGE_OTHER, "");
    assert_image(":@/", KCBI_IMAGE_OTHER, "");
}

static const char *chosen(const char *option, const char *image_name)
{
    const struct kcbi_image image = kcbi_image_read(arena, image_name);
    struct kcbi_version version = { 0 };
    struct charm_error error;
    return kcbi_version_choose(option, &image, &version, &error) == 0
               ? kcbi_version_text(arena, version)
               : charm_arena_copy(arena, error.text);
}

static void the_option_wins_over_the_image_and_the_default_comes_last(void **state)
{
    assert_string_equal(chosen("2.8.2", "apache/kafka:4.1.0"), "2.8.2");
    assert_string_equal(chosen("", "apache/kafka:4.1.0"), "4.1.0");
    assert_string_equal(chosen(NULL, KCBI_ORIGINAL_IMAGE), "0.10.1");
    assert_string_equal(chosen("", "example/connect"), chosen("", KCBI_DEFAULT_IMAGE));
    assert_contains(chosen("new", "example/connect"), "option worker-version: read version 'new'");
}

static struct kcbi_traits traits_of(const char *text)
{
    return kcbi_version_traits(version_of(text));
}

static void each_trait_begins_and_ends_with_its_version(void **state)
{
    assert_true(traits_of("1.1").internal_converters && !traits_of("2.0").internal_converters);
    assert_true(traits_of("1.0.2").rest_port && !traits_of("1.1").rest_port);
    assert_true(!traits_of("0.10.2").plugin_path && traits_of("0.11").plugin_path);
    assert_true(!traits_of("0.10.2").creates_topics && traits_of("0.11").creates_topics);
    assert_true(!traits_of("2.2").client_override && traits_of("2.3").client_override);
    assert_true(!traits_of("2.2").expand && traits_of("2.3").expand);
    assert_true(!traits_of("2.5").broker_replication && traits_of("2.6").broker_replication);
    assert_true(!traits_of("2.5").topic_creation && traits_of("2.6").topic_creation);
    assert_true(!traits_of("3.1.0").file_plugin && traits_of("3.1.1").file_plugin);
    assert_true(!traits_of("3.4").env_provider && traits_of("3.5").env_provider);
    assert_string_equal(traits_of("3.8").ready_path, "/connectors");
    assert_string_equal(traits_of("3.9").ready_path, "/health");
    assert_string_equal(traits_of("4.3").alive_path, "/");
}

static void kafka_4_refuses_workers_before_2_1_and_older_brokers_nobody(void **state)
{
    assert_true(kcbi_version_refused(version_of("0.10"), 4));
    assert_true(kcbi_version_refused(version_of("2.0.1"), 4));
    assert_false(kcbi_version_refused(version_of("2.1"), 4));
    assert_false(kcbi_version_refused(version_of("0.10"), 0));
    assert_false(kcbi_version_refused(version_of("0.10"), -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(versions_are_read_in_all_their_lengths),
        TEST(what_is_no_version_is_refused),
        TEST(versions_are_compared_part_by_part),
        TEST(images_say_what_is_inside),
        TEST(the_option_wins_over_the_image_and_the_default_comes_last),
        TEST(each_trait_begins_and_ends_with_its_version),
        TEST(kafka_4_refuses_workers_before_2_1_and_older_brokers_nobody),
    };
    return cmocka_run_group_tests_name("versions", tests, NULL, NULL);
}
