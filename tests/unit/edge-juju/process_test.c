#include "edge/juju/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "edge/juju/clock.h"

struct fixture {
    struct charm_arena *arena;
    struct charm_tool_answer answer;
    struct charm_error error;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = charm_arena_new();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    charm_arena_free(f->arena);
    free(f);
    return 0;
}

static struct charm_tool_call helper_call(const char *const *argv)
{
    return (struct charm_tool_call){ .argv = argv,
                                     .max_output_bytes = 1024 * 1024,
                                     .timeout_ms = 15000 };
}

static int run(struct fixture *f, const char *const *argv)
{
    const struct charm_tool_call call = helper_call(argv);
    return charmi_process_run(f->arena, &call, &f->answer, &f->error);
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define HELPER(...) ARGV("edge-juju-helper", __VA_ARGS__)

static void arguments_arrive_as_they_are(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, run(f, HELPER("; rm -rf $HOME", "", "a b\n*", "\xC3\xA9")));
    assert_string_equal("[edge-juju-helper][; rm -rf $HOME][][a b\n*][\xC3\xA9]", f->answer.out);
}

static void exit_codes_and_standard_error_are_answers(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, run(f, HELPER("exit", "2")));
    assert_int_equal(2, f->answer.exit_code);
    assert_string_equal("ERROR first line  second line", f->answer.err);
    assert_string_equal("", f->answer.out);
}

static void standard_input_reaches_the_program_whole(void **state)
{
    struct fixture *f = *state;
    const size_t size = 700 * 1000;
    char *text = charm_arena_alloc(f->arena, size + 1);
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)('a' + i % 26);
    }
    struct charm_tool_call call = helper_call(HELPER("echo"));
    call.stdin_text = text;
    call.stdin_size = size;
    assert_int_equal(0, charmi_process_run(f->arena, &call, &f->answer, &f->error));
    assert_int_equal(size, f->answer.out_size);
    assert_memory_equal(text, f->answer.out, size);
}

static void empty_standard_input_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct charm_tool_call call = helper_call(HELPER("echo"));
    call.stdin_text = "";
    assert_int_equal(0, charmi_process_run(f->arena, &call, &f->answer, &f->error));
    assert_int_equal(0, f->answer.out_size);
}

static void without_a_text_standard_input_is_empty(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, run(f, HELPER("echo")));
    assert_int_equal(0, f->answer.out_size);
}

static void a_program_that_does_not_read_is_no_failure(void **state)
{
    struct fixture *f = *state;
    const size_t size = 1000 * 1000;
    struct charm_tool_call call = helper_call(HELPER("deaf"));
    call.stdin_text = charm_arena_alloc(f->arena, size);
    call.stdin_size = size;
    assert_int_equal(0, charmi_process_run(f->arena, &call, &f->answer, &f->error));
    assert_string_equal("I did not listen\n", f->answer.out);
}

static void nuls_in_the_output_are_kept(void **state)
{
    struct fixture *f = *state;
    struct charm_tool_call call = helper_call(HELPER("echo"));
    call.stdin_text = "a\0b";
    call.stdin_size = 3;
    assert_int_equal(0, charmi_process_run(f->arena, &call, &f->answer, &f->error));
    assert_int_equal(3, f->answer.out_size);
    assert_memory_equal("a\0b", f->answer.out, 4);
}

static void output_up_to_the_ceiling_is_taken(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, run(f, HELPER("many", "1048576")));
    assert_int_equal(1048576, f->answer.out_size);
}

static void output_beyond_the_ceiling_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ETOOBIG, run(f, HELPER("many", "1048577")));
    assert_string_equal("run edge-juju-helper: it printed more than 1048576 bytes, killed",
                        f->error.text);
    assert_null(f->answer.out);
}

static void of_standard_error_the_first_kib_is_kept_and_the_rest_read(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, run(f, HELPER("many-err", "300000")));
    assert_int_equal(CHARMI_PROCESS_ERR_BYTES, strlen(f->answer.err));
}

static void a_program_that_hangs_is_killed_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct charm_tool_call call = helper_call(HELPER("hang"));
    call.timeout_ms = 150;
    const int64_t start = charmi_monotonic_ms();
    assert_int_equal(CHARM_ETIMEOUT, charmi_process_run(f->arena, &call, &f->answer, &f->error));
    assert_in_range(charmi_monotonic_ms() - start, 150, 5000);
    assert_string_equal("run edge-juju-helper: no end after 150 ms, killed", f->error.text);
    assert_true(f->error.retriable);
}

static void closed_outputs_do_not_hide_a_program_that_hangs(void **state)
{
    struct fixture *f = *state;
    struct charm_tool_call call = helper_call(HELPER("close-outputs"));
    call.timeout_ms = 150;
    assert_int_equal(CHARM_ETIMEOUT, charmi_process_run(f->arena, &call, &f->answer, &f->error));
}

static void a_child_left_behind_does_not_hold_us(void **state)
{
    struct fixture *f = *state;
    const int64_t start = charmi_monotonic_ms();
    assert_int_equal(0, run(f, HELPER("leave-child")));
    assert_string_equal("left\n", f->answer.out);
    assert_in_range(charmi_monotonic_ms() - start, 0, 5000);
}

static void a_killed_program_is_an_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_EFAILED, run(f, HELPER("kill")));
    assert_string_equal("run edge-juju-helper: it was killed by signal 9 (Killed)", f->error.text);
}

static void a_missing_program_is_not_found(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_ENOTFOUND, run(f, ARGV("no-such-tool", "secret")));
    assert_string_equal("run no-such-tool: there is no such program in PATH", f->error.text);
}

static void a_program_that_may_not_run_says_so(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_EFAILED, run(f, ARGV("/etc/passwd")));
    assert_string_equal("run /etc/passwd: Permission denied", f->error.text);
}

static void arguments_that_are_too_long_are_too_big(void **state)
{
    struct fixture *f = *state;
    char *longest = charm_arena_alloc(f->arena, 200001);
    memset(longest, 'x', 200000);
    assert_int_equal(CHARM_ETOOBIG, run(f, HELPER("echo", longest)));
}

static void no_name_is_our_mistake(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(CHARM_EINVAL, run(f, ARGV("")));
}

static void the_environment_is_ours(void **state)
{
    struct fixture *f = *state;
    setenv("JUJU_CONTEXT_ID", "connect/0-install-1", 1);
    assert_int_equal(0, run(f, HELPER("env", "JUJU_CONTEXT_ID")));
    assert_string_equal("connect/0-install-1\n", f->answer.out);
}

static void no_descriptor_of_ours_reaches_the_program(void **state)
{
    struct fixture *f = *state;
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(0, run(f, HELPER("descriptors")));
    close(fd);
    /* The order is the kernel's. */
    struct charmi_words words = charmi_split(f->arena, f->answer.out, " ");
    charmi_words_sort(&words);
    assert_string_equal("0 1 2", charmi_words_join(f->arena, &words, " "));
}

static void sigpipe_is_as_programs_expect_and_ours_is_put_back(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, run(f, HELPER("sigpipe")));
    assert_string_equal("default\n", f->answer.out);
    struct sigaction after;
    sigaction(SIGPIPE, NULL, &after);
    assert_ptr_equal(SIG_DFL, after.sa_handler);
}

static void nothing_stays_open_after_many_runs(void **state)
{
    struct fixture *f = *state;
    const int before = dup(STDIN_FILENO);
    for (int i = 0; i < 20; i++) {
        CHARMI_IGNORE(run(f, HELPER("exit", "0")), "only the descriptors matter");
        CHARMI_IGNORE(run(f, ARGV("no-such-tool")), "only the descriptors matter");
    }
    const int after = dup(STDIN_FILENO);
    assert_int_equal(before + 1, after);
    close(before);
    close(after);
}

int main(void)
{
    /* What our own parent left open is not ours to judge. */
    for (int fd = 3; fd < 1024; fd++) {
        close(fd);
    }
    setenv("PATH", HELPER_FOLDER ":/usr/bin:/bin", 1);
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(arguments_arrive_as_they_are),
        TEST(exit_codes_and_standard_error_are_answers),
        TEST(standard_input_reaches_the_program_whole),
        TEST(empty_standard_input_ends_at_once),
        TEST(without_a_text_standard_input_is_empty),
        TEST(a_program_that_does_not_read_is_no_failure),
        TEST(nuls_in_the_output_are_kept),
        TEST(output_up_to_the_ceiling_is_taken),
        TEST(output_beyond_the_ceiling_is_refused),
        TEST(of_standard_error_the_first_kib_is_kept_and_the_rest_read),
        TEST(a_program_that_hangs_is_killed_at_the_deadline),
        TEST(closed_outputs_do_not_hide_a_program_that_hangs),
        TEST(a_child_left_behind_does_not_hold_us),
        TEST(a_killed_program_is_an_error),
        TEST(a_missing_program_is_not_found),
        TEST(a_program_that_may_not_run_says_so),
        TEST(arguments_that_are_too_long_are_too_big),
        TEST(no_name_is_our_mistake),
        TEST(the_environment_is_ours),
        TEST(no_descriptor_of_ours_reaches_the_program),
        TEST(sigpipe_is_as_programs_expect_and_ours_is_put_back),
        TEST(nothing_stays_open_after_many_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
