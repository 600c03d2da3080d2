/*
 * The program `hello` (examples/hello) as Juju and as people run it: its exit status, what it prints where, and which
 * hook tools it calls.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "edge/juju/files.h"
#include "edge/juju/process.h"

extern char **environ;

struct fixture {
    struct charm_arena *arena;
    char folder[512]; /* holds charm/, tools/ and what the tools answer */
    struct charm_tool_answer answer;
};

static const char *in(struct fixture *f, const char *name)
{
    return charm_arena_printf(f->arena, "%s/%s", f->folder, name);
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
    assert_int_equal(0, charmi_file_write(in(f, name), text, strlen(text), NULL));
}

static const char *read_file(struct fixture *f, const char *name)
{
    const char *text;
    size_t size;
    const int result =
        charmi_file_read(f->arena, in(f, name), 1 << 20, CHARMI_LINKS_FOLLOWED, &text, &size, NULL);
    return result == 0 ? text : "";
}

static void link_into(struct fixture *f, const char *target, const char *name)
{
    assert_int_equal(0, symlink(target, in(f, name)));
}

/* A charm of its own, because runs leave records in it: the program is copied, its files are links. */
static void make_charm(struct fixture *f)
{
    static const char *const files[] = { "metadata.yaml", "config.yaml", "actions.yaml",
                                         "version" };
    assert_int_equal(0, mkdir(in(f, "charm"), 0700));
    for (size_t i = 0; i < CHARMI_COUNT(files); i++) {
        link_into(f, charm_arena_printf(f->arena, "%s/%s", HELLO_CHARM, files[i]),
                  charm_arena_printf(f->arena, "charm/%s", files[i]));
    }
    assert_int_equal(0, link(HELLO_CHARM "/dispatch", in(f, "charm/dispatch")));
}

static void make_tools(struct fixture *f)
{
    static const char *const tools[] = {
        "state-get",    "state-set",  "config-get",   "is-leader",  "relation-ids",
        "relation-get", "status-set", "relation-set", "juju-log",   "relation-list",
        "action-get",   "action-set", "action-fail",  "action-log", "network-get",
    };
    assert_int_equal(0, mkdir(in(f, "tools"), 0700));
    for (size_t i = 0; i < CHARMI_COUNT(tools); i++) {
        link_into(f, FAKE_TOOL, charm_arena_printf(f->arena, "tools/%s", tools[i]));
    }
    write_file(f, "state-get.out", "{}\n");
    write_file(f, "config-get.out", "{\"greeting\":\"Hello\",\"port\":8080}\n");
    write_file(f, "relation-ids.out", "[]\n");
    write_file(f, "action-get.out", "{\"name\":\"Juju\"}\n");
}

/* Juju gives exactly its own variables; the sanitizers' are ours. */
static void clear_environment(struct fixture *f)
{
    for (size_t i = 0; environ[i] != NULL;) {
        const size_t size = strcspn(environ[i], "=");
        const char *name = charm_arena_copy_n(f->arena, environ[i], size);
        if (charmi_ends_with(name, "SAN_OPTIONS")) {
            i++;
        } else {
            unsetenv(name);
        }
    }
}

/* What every hook and action has. */
static void be_juju(struct fixture *f)
{
    clear_environment(f);
    setenv("PATH", in(f, "tools"), 1);
    setenv("FAKE_TOOLS", f->folder, 1);
    setenv("JUJU_CONTEXT_ID", "hello/0-something-1", 1);
    setenv("JUJU_UNIT_NAME", "hello/0", 1);
    setenv("JUJU_MODEL_NAME", "prod", 1);
    setenv("JUJU_CHARM_DIR", in(f, "charm"), 1);
    setenv("CHARM_DIR", in(f, "charm"), 1);
    setenv("JUJU_VERSION", "3.6.4", 1);
}

static void be_hook(struct fixture *f)
{
    be_juju(f);
    setenv("JUJU_HOOK_NAME", "config-changed", 1);
    setenv("JUJU_DISPATCH_PATH", "hooks/config-changed", 1);
}

static void be_action(struct fixture *f)
{
    be_juju(f);
    setenv("JUJU_HOOK_NAME", "", 1);
    setenv("JUJU_DISPATCH_PATH", "actions/greet", 1);
    setenv("JUJU_ACTION_NAME", "greet", 1);
    setenv("JUJU_ACTION_UUID", "2", 1);
    setenv("JUJU_ACTION_TAG", "action-2", 1);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = charm_arena_new();
    strcpy(f->folder, HELLO_CHARM "/../test-XXXXXX");
    *state = f;
    if (strlen(HELLO_CHARM) + 20 > sizeof(f->folder) || mkdtemp(f->folder) == NULL) {
        return -1;
    }
    make_charm(f);
    make_tools(f);
    clear_environment(f);
    return 0;
}

static void remove_all(struct charm_arena *arena, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        const char *path = charm_arena_printf(arena, "%s/%s", folder, entry->d_name);
        if (unlink(path) != 0) {
            remove_all(arena, path);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(folder);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    remove_all(f->arena, f->folder);
    charm_arena_free(f->arena);
    free(f);
    return 0;
}

/* Runs a program; returns its exit status. Of its standard error `answer.err` has one line. */
static int run_program(struct fixture *f, const char *const *argv)
{
    struct charm_error error = { 0 };
    const struct charm_tool_call call = { .argv = argv,
                                          .max_output_bytes = 1 << 20,
                                          .timeout_ms = 60000 };
    if (charmi_process_run(f->arena, &call, &f->answer, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return f->answer.exit_code;
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define HELLO(f, ...) run_program((f), ARGV(in((f), "charm/dispatch"), __VA_ARGS__))

static void expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in: %s", part, text);
    }
}

/* ---- by hand ---- */

static void by_hand_without_a_word_it_helps(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, HELLO(f, NULL));
    expect_in(f->answer.out, "hello: Tells visitors where we are.");
    expect_in(f->answer.out, "dispatch explain [ROW|FLAG]");
    expect_in(f->answer.out, "website-relation-{created,joined,changed,departed,broken}");
    expect_in(f->answer.out, "Actions:\n    greet\n");
    assert_string_equal("", f->answer.err);
}

static void handlers_are_printed_from_the_rows(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, HELLO(f, "handlers"));
    expect_in(f->answer.out, "hello.announce: tell visitors where we are");
    expect_in(f->answer.out, "endpoint.website.joined, hello.port-good");
}

static void the_version_is_that_of_the_charm(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, HELLO(f, "--version"));
    expect_in(f->answer.out, "hello 1.0\nlibcharm ");
}

static void words_that_are_not_understood_exit_with_two(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(2, HELLO(f, "instal"));
    assert_string_equal("unknown word 'instal'; understood are: --help, --version, handlers, "
                        "explain [ROW|FLAG]",
                        f->answer.err);
    assert_int_equal(2, HELLO(f, "handlers", "all"));
    expect_in(f->answer.err, "one word too many: 'all'");
    assert_string_equal("", f->answer.out);
}

static void without_a_run_there_is_nothing_to_explain(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(1, HELLO(f, "explain"));
    expect_in(f->answer.err, "no record of a run yet");
}

static void a_program_without_a_charm_around_it_says_so(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(0, unlink(in(f, "charm/metadata.yaml")));
    assert_int_equal(0, HELLO(f, "--help"));
    expect_in(f->answer.out, "There is no charm around this program");
    assert_int_equal(1, HELLO(f, "explain"));
    expect_in(f->answer.err, "there is no charm around this program");
}

static void broken_charm_files_do_not_stop_the_answers(void **state)
{
    struct fixture *f = *state;
    write_file(f, "charm/metadata.yaml", "name: [");
    assert_int_equal(0, HELLO(f, "--help"));
    expect_in(f->answer.out, "metadata.yaml was not found or not readable");
    assert_int_equal(0, HELLO(f, "handlers"));
    assert_int_equal(0, HELLO(f, "--version"));
}

static void it_lives_without_descriptors_arguments_and_environment(void **state)
{
    struct fixture *f = *state;
    const char *program = in(f, "charm/dispatch");
    assert_int_equal(
        0, run_program(f, ARGV("/bin/sh", "-c", "exec \"$0\" handlers <&- >&- 2>&-", program)));
    assert_int_equal(0, run_program(f, ARGV("/bin/sh", "-c",
                                            "mkdir -m 0 \"$1\"; cd \"$1\" 2>/dev/null; exec \"$0\"",
                                            program, in(f, "closed"))));
    assert_int_equal(0, run_program(f, ARGV(HELPER, "bare", program)));
    expect_in(f->answer.out, "hello: Tells visitors where we are.");
}

/* ---- hooks ---- */

static void a_hook_runs_and_tells_its_story_on_standard_output(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    assert_int_equal(0, HELLO(f, NULL));
    assert_true(charmi_starts_with(f->answer.out, "config-changed on hello/0: "));
    expect_in(f->answer.out, "not hello.announce: needs endpoint.website.joined");
    assert_string_equal("", f->answer.err);
    expect_in(read_file(f, "calls"), "status-set -- active nobody asked yet\n");
    assert_null(strstr(read_file(f, "calls"), "juju-log"));
}

static void a_failed_hook_exits_with_one_and_logs_one_error(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    write_file(f, "state-get.err", "ERROR cannot read state\n");
    assert_int_equal(1, HELLO(f, NULL));
    assert_string_equal("state-get --format=json\n"
                        "juju-log -l ERROR -- state-get: exit code 1: ERROR cannot read state\n",
                        read_file(f, "calls"));
    assert_string_equal("", f->answer.err);
    expect_in(f->answer.out, "failed: ");
}

static void what_cannot_be_logged_goes_to_standard_error(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    write_file(f, "state-get.err", "ERROR cannot read state\n");
    write_file(f, "juju-log.err", "ERROR no socket\n");
    assert_int_equal(1, HELLO(f, NULL));
    assert_string_equal("ERROR state-get: exit code 1: ERROR cannot read state", f->answer.err);
}

static void without_any_hook_tool_it_fails_in_words(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(1, HELLO(f, NULL));
    expect_in(f->answer.err, "ERROR ");
    expect_in(f->answer.err, "run state-get: there is no such program in PATH");
}

static void an_environment_that_juju_cannot_have_made_fails_in_words(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    setenv("JUJU_UNIT_NAME", "not a unit", 1);
    assert_int_equal(1, HELLO(f, NULL));
    expect_in(read_file(f, "calls"), "juju-log -l ERROR -- ");
    expect_in(read_file(f, "calls"), "JUJU_UNIT_NAME");
}

/* Variables that somebody's shell, or a broken agent, may hold: one line, exit 1, no hook tool but the log. */
static void a_hostile_environment_is_refused_in_one_line(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {
        "JUJU_HOOK_NAME",   "JUJU_ACTION_NAME", "JUJU_UNIT_NAME",   "JUJU_MODEL_NAME",
        "JUJU_MODEL_UUID",  "JUJU_CHARM_DIR",   "JUJU_VERSION",     "JUJU_RELATION",
        "JUJU_RELATION_ID", "JUJU_REMOTE_APP",  "JUJU_REMOTE_UNIT", "JUJU_DISPATCH_PATH",
    };
    char *huge = charm_arena_alloc(f->arena, 100001);
    memset(huge, 'a', 100000);
    const char *const values[] = { "a\nb", "\xff\xfe", "\x1b[31m", huge };
    for (size_t i = 0; i < CHARMI_COUNT(names); i++) {
        for (size_t k = 0; k < CHARMI_COUNT(values); k++) {
            be_hook(f);
            setenv(names[i], values[k], 1);
            assert_int_equal(1, HELLO(f, NULL));
            const char *calls = read_file(f, "calls");
            assert_true(charmi_starts_with(calls, "juju-log -l ERROR -- read the environment: "));
            expect_in(calls, names[i]);
            assert_ptr_equal(strchr(calls, '\n'), calls + strlen(calls) - 1);
            assert_true(strlen(calls) < 300);
            assert_string_equal("", f->answer.err);
            assert_int_equal(0, unlink(in(f, "calls")));
        }
        assert_int_equal(0, HELLO(f, "--version")); /* a person is answered all the same */
    }
}

static void option_trace_tells_each_call_on_a_line_of_its_own(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    write_file(f, "charm/config.yaml",
               "options:\n  trace: {type: boolean}\n  port: {type: int}\n"
               "  greeting: {type: string}\n");
    write_file(f, "config-get.out", "{\"greeting\":\"Hello\",\"port\":8080,\"trace\":true}\n");
    assert_int_equal(0, HELLO(f, NULL));
    expect_in(f->answer.out, "  flags at the end: ");
    expect_in(f->answer.out, "\n  tool config-get --all ");
    expect_in(f->answer.out, "\n  tool relation-ids website ");
    be_action(f);
    assert_int_equal(0, HELLO(f, NULL));
    assert_string_equal("", f->answer.out);
    expect_in(f->answer.err, "  flags at the end: ");
}

static void records_are_for_their_owner_alone_and_bounded(void **state)
{
    struct fixture *f = *state;
    struct stat about;
    be_hook(f);
    for (int i = 0; i < 15; i++) {
        setenv("JUJU_HOOK_NAME", i % 2 == 0 ? "start" : "update-status", 1);
        assert_int_equal(0, HELLO(f, NULL));
    }
    assert_int_equal(0, stat(in(f, "charm/.charm"), &about));
    assert_int_equal(0700, about.st_mode & 07777);
    DIR *dir = opendir(in(f, "charm/.charm"));
    size_t files = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.') {
            assert_true(strlen(entry->d_name) <= 2); /* no temporary file is left */
            continue;
        }
        files++;
        assert_int_equal(
            0, stat(in(f, charm_arena_printf(f->arena, "charm/.charm/%s", entry->d_name)), &about));
        assert_int_equal(0600, about.st_mode & 07777);
        assert_true(about.st_size <= 64 * 1024);
    }
    closedir(dir);
    assert_in_range(files, 2, 12); /* ten runs, the steady one, what was sent */
}

static void after_a_hook_it_can_explain(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    assert_int_equal(0, HELLO(f, NULL));
    clear_environment(f);
    assert_int_equal(0, HELLO(f, "explain"));
    expect_in(f->answer.out, "config-changed on hello/0");
    assert_int_equal(0, HELLO(f, "explain", "hello.announce"));
    expect_in(f->answer.out, "endpoint.website.joined");
    assert_int_equal(1, HELLO(f, "explain", "no.such.thing"));
    assert_string_equal("", f->answer.out);
}

static void a_link_in_hooks_is_the_hook(void **state)
{
    struct fixture *f = *state;
    be_juju(f);
    assert_int_equal(0, mkdir(in(f, "charm/hooks"), 0700));
    link_into(f, "../dispatch", "charm/hooks/start");
    assert_int_equal(0, run_program(f, ARGV(in(f, "charm/hooks/start"))));
    assert_true(charmi_starts_with(f->answer.out, "start on hello/0: "));
}

static void nobody_who_reads_is_no_failure(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    assert_int_equal(
        0, run_program(f, ARGV("/bin/sh", "-c", "{ \"$0\"; echo $? > \"$FAKE_TOOLS/status\"; } | :",
                               in(f, "charm/dispatch"))));
    assert_string_equal("0\n", read_file(f, "status"));
}

/* ---- actions ---- */

static void an_action_answers_and_tells_its_story_on_standard_error(void **state)
{
    struct fixture *f = *state;
    be_action(f);
    assert_int_equal(0, HELLO(f, NULL));
    assert_string_equal("", f->answer.out);
    assert_true(charmi_starts_with(f->answer.err, "action greet on hello/0: "));
    expect_in(read_file(f, "calls"), "action-set greeting=Hello, Juju!\n");
}

static void a_failed_action_says_why_to_both_who_ran_it_and_the_log(void **state)
{
    struct fixture *f = *state;
    be_action(f);
    write_file(f, "action-get.err", "ERROR no parameters\n");
    assert_int_equal(1, HELLO(f, NULL));
    expect_in(f->answer.err, "ERROR no parameters");
    expect_in(read_file(f, "calls"), "juju-log -l ERROR -- ");
}

/* ---- juju exec and debug-hooks ---- */

static void under_juju_exec_it_explains_and_calls_nothing(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    assert_int_equal(0, HELLO(f, NULL));
    be_juju(f);
    setenv("JUJU_HOOK_NAME", "", 1);
    assert_int_equal(0, unlink(in(f, "calls")));
    assert_int_equal(0, HELLO(f, NULL));
    expect_in(f->answer.out, "config-changed on hello/0");
    /* `juju exec hooks/start` runs beside hooks, so it must not be one */
    assert_int_equal(0, mkdir(in(f, "charm/hooks"), 0700));
    link_into(f, "../dispatch", "charm/hooks/start");
    assert_int_equal(0, run_program(f, ARGV(in(f, "charm/hooks/start"))));
    expect_in(f->answer.out, "config-changed on hello/0");
    assert_string_equal("", read_file(f, "calls"));
}

static void with_a_word_a_hook_is_not_run(void **state)
{
    struct fixture *f = *state;
    be_hook(f);
    assert_int_equal(0, HELLO(f, "handlers"));
    assert_int_equal(2, HELLO(f, "config-changed"));
    assert_string_equal("", read_file(f, "calls"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(by_hand_without_a_word_it_helps),
        TEST(handlers_are_printed_from_the_rows),
        TEST(the_version_is_that_of_the_charm),
        TEST(words_that_are_not_understood_exit_with_two),
        TEST(without_a_run_there_is_nothing_to_explain),
        TEST(a_program_without_a_charm_around_it_says_so),
        TEST(broken_charm_files_do_not_stop_the_answers),
        TEST(it_lives_without_descriptors_arguments_and_environment),
        TEST(a_hook_runs_and_tells_its_story_on_standard_output),
        TEST(a_failed_hook_exits_with_one_and_logs_one_error),
        TEST(what_cannot_be_logged_goes_to_standard_error),
        TEST(without_any_hook_tool_it_fails_in_words),
        TEST(an_environment_that_juju_cannot_have_made_fails_in_words),
        TEST(a_hostile_environment_is_refused_in_one_line),
        TEST(option_trace_tells_each_call_on_a_line_of_its_own),
        TEST(records_are_for_their_owner_alone_and_bounded),
        TEST(after_a_hook_it_can_explain),
        TEST(a_link_in_hooks_is_the_hook),
        TEST(nobody_who_reads_is_no_failure),
        TEST(an_action_answers_and_tells_its_story_on_standard_error),
        TEST(a_failed_action_says_why_to_both_who_ran_it_and_the_log),
        TEST(under_juju_exec_it_explains_and_calls_nothing),
        TEST(with_a_word_a_hook_is_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
