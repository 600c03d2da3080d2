#include "fixture.h"

#include "base/text.h"
#include "kcb/pem.h"

#define CERT(body) "-----BEGIN CERTIFICATE-----\n" body "\n-----END CERTIFICATE-----\n"
#define KEY(kind, body)                                                                            \
    "-----BEGIN " kind "PRIVATE KEY-----\n" body "\n-----END " kind "PRIVATE KEY-----\n"

static const char *certificates(const char *text)
{
    const char *lines = NULL;
    struct charm_error error = { 0 };
    if (kcbi_pem_certificates(arena, text, &lines, &error) != 0) {
        assert_null(lines);
        return charm_arena_copy(arena, error.text);
    }
    return lines;
}

static const char *key(const char *text, bool *ret_encrypted)
{
    const char *lines = NULL;
    struct charm_error error = { 0 };
    if (kcbi_pem_key(arena, text, &lines, ret_encrypted, &error) != 0) {
        assert_null(lines);
        return charm_arena_copy(arena, error.text);
    }
    return lines;
}

static void one_line_becomes_the_lines_that_openssl_wants(void **state)
{
    (void)state;
    assert_string_equal(
        certificates("-----BEGIN CERTIFICATE----- QUJD REVG== -----END CERTIFICATE-----"),
        CERT("QUJDREVG=="));
    assert_string_equal(certificates(CERT("QUJD")), CERT("QUJD"));
    static const char line[] = "QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD";
    const char *two = charm_arena_printf(
        arena, "-----BEGIN CERTIFICATE-----%s%s-----END CERTIFICATE-----", line, line);
    assert_string_equal(
        certificates(two),
        charm_arena_printf(
            arena, "-----BEGIN CERTIFICATE-----\n%s\n%s\n-----END CERTIFICATE-----\n", line, line));
}

static void all_certificates_are_taken_and_what_stands_between_is_not(void **state)
{
    (void)state;
    assert_string_equal(certificates("subject=CN = ca\r\n" CERT("QQ==") "then\n" KEY("", "SECRET")
                                         CERT("Qg==") "end"),
                        CERT("QQ==") CERT("Qg=="));
}

/* Tried: workers of 4.3.1 sent the last certificate of such a chain for their own. */
static void two_certificates_on_one_line_are_refused_since_kafka_reads_the_last(void **state)
{
    (void)state;
    static const char one[] = "-----BEGIN CERTIFICATE----- QQ== -----END CERTIFICATE-----";
    assert_contains(certificates(charm_arena_printf(arena, "%s %s", one, one)),
                    "certificates 1 and 2 share a line");
    assert_contains(certificates(charm_arena_printf(arena, "%s\n%s%s", one, one, one)),
                    "certificates 2 and 3 share a line");
    assert_string_equal(certificates(charm_arena_printf(arena, "%s\n%s", one, one)),
                        CERT("QQ==") CERT("QQ=="));
}

static void a_key_is_found_beside_its_certificate(void **state)
{
    (void)state;
    bool encrypted = true;
    assert_string_equal(key(CERT("QQ==") KEY("", "Qg=="), &encrypted), KEY("", "Qg=="));
    assert_false(encrypted);
    assert_string_equal(key(KEY("ENCRYPTED ", "Qg=="), &encrypted), KEY("ENCRYPTED ", "Qg=="));
    assert_true(encrypted);
}

static void what_is_wrong_is_said_without_a_piece_of_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *said;
    } bad[] = {
        { "", "there is no certificate" },
        { "hunter2", "there is no certificate" },
        { "-----BEGIN hunter2", "certificate 1 is cut short" },
        { "-----BEGIN CERTIFICATE-----hunter2", "certificate 1 is cut short" },
        { CERT("QQ==") "-----BEGIN CERTIFICATE-----hunter2", "certificate 2 is cut short" },
        { CERT("hunter2!"), "certificate 1 is cut short or no base64" },
        { CERT("caf\xc3\xa9"), "certificate 1 is cut short or no base64" },
        { CERT(""), "certificate 1 is cut short or no base64" },
        { "-----BEGIN CERTIFICATE-----\nQQ==\n-----END hunter2-----",
          "certificate 1 is cut short" },
        { KEY("", "hunter2"), "there is no certificate" },
    };
    for (size_t i = 0; i < CHARMI_COUNT(bad); i++) {
        const char *text = certificates(bad[i].text);
        assert_contains(text, bad[i].said);
        assert_lacks(text, "hunter");
    }
    bool encrypted = false;
    assert_contains(key(CERT("QQ=="), &encrypted), "there is no key");
    assert_contains(key(KEY("", "hunter2*"), &encrypted), "key 1 is cut short");
    assert_contains(key("-----BEGIN PRIVATE KEY-----\nQQ", &encrypted), "key 1 is cut short");
    assert_contains(key(KEY("RSA ", "Qg=="), &encrypted), "PKCS#8 alone: openssl pkcs8 -topk8");
    assert_contains(key(KEY("EC ", "Qg=="), &encrypted), "PKCS#8 alone");
}

static void long_texts_end_in_an_error(void **state)
{
    (void)state;
    char *text = charm_arena_alloc(arena, KCBI_PEM_MAX + 2);
    memset(text, '-', KCBI_PEM_MAX + 1);
    assert_contains(certificates(text), "longer than");
    text[KCBI_PEM_MAX] = '\0';
    assert_contains(certificates(text), "there is no certificate");
    static const char begin[] = "-----BEGIN A-----";
    for (size_t at = 0; at + sizeof(begin) < KCBI_PEM_MAX; at += sizeof(begin) - 1) {
        memcpy(text + at, begin, sizeof(begin) - 1);
    }
    assert_contains(certificates(text), "certificate 1 is cut short");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_line_becomes_the_lines_that_openssl_wants),
        TEST(all_certificates_are_taken_and_what_stands_between_is_not),
        TEST(two_certificates_on_one_line_are_refused_since_kafka_reads_the_last),
        TEST(a_key_is_found_beside_its_certificate),
        TEST(what_is_wrong_is_said_without_a_piece_of_the_text),
        TEST(long_texts_end_in_an_error),
    };
    return cmocka_run_group_tests_name("pem", tests, NULL, NULL);
}
