/* Hook tools: flags, formats, exit codes, texts: juju-contract.md 3 and 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/tools_internal.h"
#include "play.h"

struct expectation {
    const char *words;
    int code;
    const char *out; /* NULL: not looked at */
    const char *err; /* NULL: empty */
};

static struct play *begin(const char *version)
{
    struct play *play = play_new(&(struct lab_model_options){ .juju_version = version });
    play_deploy_with(play, "a", "provides: {db: {interface: sql}}\npeers: {p: {interface: i}}",
                     "options:\n"
                     "  text: {type: string, default: abc}\n"
                     "  empty: {type: string, default: ''}\n"
                     "  none: {type: string}\n"
                     "  number: {type: int, default: 1000000}\n"
                     "  real: {type: float, default: 2.0}\n"
                     "  yes: {type: boolean, default: true}\n"
                     "  word: {type: string, default: 'true'}\n"
                     "  odd: {type: string, default: 'a<b>&c'}\n",
                     "go: {description: d, params: {name: {type: string, default: x},"
                     " nested: {type: object}}}",
                     1);
    play_deploy(play, "b", "requires: {db: {interface: sql}}", 1);
    play_relate(play, "a", "b");
    play_settle(play);
    return play;
}

static void enter(struct play *play, const char *action)
{
    struct lab_event event;
    struct lab_task *task;
    struct lab_unit *unit = play_unit(play, "a/0");
    struct charm_value *command = charm_value_new_list(play->arena);
    charm_value_append_text(command, "true");
    if (action == NULL) {
        lab_model_run_command(play->model, unit, command);
    } else {
        assert_int_equal(lab_model_run_action(play->model, unit, action, NULL, &task, NULL), 0);
    }
    assert_true(lab_event_next(play->model, unit, &event));
    play->context = lab_context_begin(play->model, unit, &event);
}

static void leave(struct play *play)
{
    CHARMI_IGNORE(lab_context_end(play->context, LAB_EXITED, 0, NULL), "not looked at");
    play_free(play);
}

static void expect(struct play *play, const struct expectation *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct lab_tool_result result = play_tool(play, list[i].words);
        print_message("  %s\n", list[i].words);
        assert_string_equal(result.err, list[i].err == NULL ? "" : list[i].err);
        assert_int_equal(result.code, list[i].code);
        if (list[i].out != NULL) {
            assert_string_equal(result.out, list[i].out);
        }
        assert_int_equal(result.out_size, strlen(result.out));
    }
}

#define EXPECT(play, list) expect((play), (list), CHARMI_COUNT(list))

static void values_print_in_each_format_as_juju_prints_them(void **state)
{
    static const struct expectation list[] = {
        { "config-get text", 0, "abc\n", NULL },
        { "config-get text --format=json", 0, "\"abc\"\n", NULL },
        { "config-get text --format yaml", 0, "abc\n", NULL },
        { "config-get empty", 0, "", NULL },
        { "config-get empty --format=yaml", 0, "\"\"\n", NULL },
        { "config-get none --format=json", 0, "null\n", NULL },
        { "config-get none", 0, "", NULL },
        { "config-get unheard-of --format=json", 0, "null\n", NULL },
        { "config-get number", 0, "1e+06\n", NULL },
        { "config-get number --format=yaml", 0, "1e+06\n", NULL },
        { "config-get number --format=json", 0, "1000000\n", NULL },
        { "config-get real", 0, "2\n", NULL },
        { "config-get real --format=json", 0, "2\n", NULL },
        { "config-get yes", 0, "True\n", NULL },
        { "config-get yes --format=yaml", 0, "true\n", NULL },
        { "config-get word --format=yaml", 0, "\"true\"\n", NULL },
        { "config-get word", 0, "true\n", NULL },
        { "config-get odd --format=json", 0, "\"a\\u003cb\\u003e\\u0026c\"\n", NULL },
        { "relation-get -r db:1 --format=json ingress-address b/0", 0, "\"127.0.0.1\"\n", NULL },
        { "state-get --format=json", 0, "{}\n", NULL },
        { "state-get", 0, "{}\n", NULL },
        { "state-get missing --format=json", 0, "\"\"\n", NULL },
        { "opened-ports --format=json", 0, "[]\n", NULL },
        { "opened-ports", 0, "", NULL },
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    EXPECT(play, list);
    leave(play);
}

static void flags_are_read_as_gnuflag_reads_them(void **state)
{
    static const struct expectation list[] = {
        { "config-get --x", 2, "", "ERROR option provided but not defined: --x\n" },
        { "config-get -x", 2, "", "ERROR option provided but not defined: -x\n" },
        { "config-get --format=bad", 2, "",
          "ERROR invalid value \"bad\" for option --format: unknown format \"bad\"\n" },
        { "config-get text --format", 2, "", "ERROR option needs an argument: --format\n" },
        { "config-get a b c", 2, "", "ERROR unrecognized args: [\"b\" \"c\"]\n" },
        { "config-get --all text", 2, "",
          "ERROR cannot use argument --all together with key \"text\"\n" },
        { "relation-list -r", 2, "", "ERROR option needs an argument: -r\n" },
        { "relation-list -r=0", 2, "",
          "ERROR invalid value \"=0\" for option -r: invalid relation id\n" },
        { "relation-list -r one", 2, "",
          "ERROR invalid value \"one\" for option -r: invalid relation id\n" },
        { "relation-list -r db:123", 2, "",
          "ERROR invalid value \"db:123\" for option -r: relation not found\n" },
        { "relation-list -rdb:1", 0, "b/0\n", NULL },
        { "relation-list -r other:1", 0, "b/0\n", NULL },
        { "relation-list --r 1", 0, "b/0\n", NULL },
        { "relation-list --relation=db:1 --app", 0, "b\n", NULL },
        { "relation-list", 2, "", "ERROR no relation id specified\n" },
        { "status-set active -x", 2, "", "ERROR option provided but not defined: -x\n" },
        { "status-set active -- -x", 0, "", NULL },
        { "is-leader --format=json", 0, "true\n", NULL },
        { "no-such-tool", 1, "", "ERROR bad request: unknown command: no-such-tool\n" },
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    EXPECT(play, list);
    leave(play);
}

static void letters_left_behind_a_boolean_are_dropped_at_the_end(void **state)
{
    struct play *play = begin(NULL);
    enter(play, NULL);
    assert_int_equal(play_tool(play, "config-get -all --format=json").code, 2);
    assert_string_equal(play_out(play, "config-get --format=json -all"),
                        play_out(play, "config-get --format=json -a"));
    leave(play);
}

static void relation_get_finds_whose_bag_is_meant(void **state)
{
    static const struct expectation list[] = {
        { "relation-get -r db:1", 2, "", "ERROR no unit or application specified\n" },
        { "relation-get -r db:1 --app", 2, "", "ERROR no unit or application specified\n" },
        { "relation-get -r db:1 - b", 2, "",
          "ERROR expected unit name, got application name \"b\"\n" },
        { "relation-get -r db:1 - b//0", 2, "", "ERROR invalid unit name \"b//0\"\n" },
        { "relation-get -r db:1 --app - b/0 --format=json", 0, "{}\n", NULL },
        { "relation-get -r db:1 --format=json nothing b/0", 0, "null\n", NULL },
        { "relation-get -r db:1 nothing b/0", 0, "", NULL },
        { "relation-ids db", 0, "db:1\n", NULL },
        { "relation-ids nothing --format=json", 0, "[]\n", NULL },
        { "relation-ids", 2, "", "ERROR no endpoint name specified\n" },
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    EXPECT(play, list);
    leave(play);
}

static void pairs_are_split_trimmed_and_checked(void **state)
{
    static const struct expectation list[] = {
        { "relation-set -r db:1 x", 2, "", "ERROR expected \"key=value\", got \"x\"\n" },
        { "relation-set -r db:1 =v", 2, "", "ERROR expected \"key=value\", got \"=v\"\n" },
        { "relation-set -r db:1 k=1 k=2", 2, "", "ERROR key \"k\" specified more than once\n" },
        { "relation-set -r db:1 -", 2, "", "ERROR expected \"key=value\", got \"-\"\n" },
        { "relation-set -r db:1", 0, "", NULL },
        { "relation-set -r db:1 a=b=c", 0, "", NULL },
        { "relation-get -r db:1 a a/0", 0, "b=c\n", NULL },
        { "relation-set -r db:1 a=", 0, "", NULL },
        { "relation-get -r db:1 a a/0 --format=json", 0, "null\n", NULL },
        { "relation-set --format=json -r db:1 x", 2, "",
          "--format flag deprecated for command \"relation-set\"ERROR expected \"key=value\", got "
          "\"x\"\n" },
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    EXPECT(play, list);
    const char *const argv[] = { "relation-set", "-r", "db:1", "  k  =  v  ", "", NULL };
    assert_int_equal(play_tool_with(play, argv, NULL).code, 0);
    assert_string_equal(play_out(play, "relation-get -r db:1 k a/0"), "v");
    leave(play);
}

static void a_file_on_standard_input_is_asked_for_and_read_as_yaml(void **state)
{
    static const char *const argv[] = {
        "relation-set", "-r", "db:1", "--file", "-", "c=over", NULL
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    assert_true(play_tool_with(play, argv, NULL).wants_input);
    assert_int_equal(
        play_tool_with(play, argv, "a: ' x '\nb: 1.50\nc: file\nd: null\ne: \"\\u00e9\"\n").code,
        0);
    assert_string_equal(play_out(play, "relation-get -r db:1 a a/0"), " x ");
    assert_string_equal(play_out(play, "relation-get -r db:1 b a/0"), "1.50");
    assert_string_equal(play_out(play, "relation-get -r db:1 c a/0"), "over");
    assert_string_equal(play_out(play, "relation-get -r db:1 d a/0"), "");
    assert_string_equal(play_out(play, "relation-get -r db:1 e a/0"), "\u00e9");
    assert_int_equal(play_tool_with(play, argv, "{\"json\": \"{\\\"a\\\": 1}\\n\"}").code, 0);
    assert_string_equal(play_tool(play, "relation-get -r db:1 json a/0").out, "{\"a\": 1}\n\n");
    assert_int_equal(play_tool_with(play, argv, "a: {b: c}\n").code, 1);
    assert_int_equal(play_tool_with(play, argv, "").code, 0);
    /* JSON's pairs of surrogates are no YAML: Juju refuses them, and so does the lab */
    assert_int_equal(play_tool_with(play, argv, "{\"a\": \"\\ud83d\\ude00\"}").code, 1);
    leave(play);
}

static void state_has_limits_and_strict_knows_what_is_missing(void **state)
{
    struct play *play = begin(NULL);
    enter(play, NULL);
    char *big = charm_arena_alloc(play->arena, 65539);
    memset(big, 'x', 65538);
    big[0] = 'k';
    big[1] = '=';
    const char *argv[] = { "state-set", big, NULL };
    assert_int_equal(play_tool_with(play, argv, NULL).code, 0); /* 65,536 bytes */
    argv[1] = charm_arena_printf(play->arena, "%sx", big);
    assert_int_equal(play_tool_with(play, argv, NULL).code, 1);
    char *key = charm_arena_alloc(play->arena, 300);
    memset(key, 'k', 257);
    key[257] = '=';
    argv[1] = key;
    assert_int_equal(play_tool_with(play, argv, NULL).code, 1);
    argv[1] = key + 1;
    assert_int_equal(play_tool_with(play, argv, NULL).code, 0);
    static const struct expectation list[] = {
        { "state-get gone --strict", 1, "", "ERROR \"gone\" not found\n" },
        { "state-set a=1", 0, "", NULL },
        { "state-get a --strict", 0, "1\n", NULL },
        { "state-delete a", 0, "", NULL },
        { "state-get a", 0, "", NULL },
        { "state-delete", 2, "", "ERROR missing key\n" },
    };
    EXPECT(play, list);
    leave(play);
}

static void status_set_knows_four_words_and_one_message(void **state)
{
    static const struct expectation list[] = {
        { "status-set", 2, "", "ERROR invalid args, require <status> [message]\n" },
        { "status-set error", 2, "",
          "ERROR invalid status \"error\", expected one of [maintenance blocked waiting "
          "active]\n" },
        { "status-set active a b", 2, "", "ERROR unrecognized args: [\"b\"]\n" },
        { "status-set active fine", 0, "", NULL },
        { "status-get", 0, "active\n", NULL },
        { "status-get --format=json", 0, "{\"status\":\"active\"}\n", NULL },
        { "status-get --include-data --format=json", 0,
          "{\"message\":\"fine\",\"status\":\"active\",\"status-data\":{}}\n", NULL },
        { "status-set --application blocked no", 0, "", NULL },
        { "application-version-set", 2, "", "ERROR no version specified\n" },
        { "juju-log", 2, "", "ERROR no message specified\n" },
        { "juju-log -l WARNING a b", 0, "", NULL },
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    EXPECT(play, list);
    leave(play);
}

static void ports_are_checked_sorted_and_do_not_overlap(void **state)
{
    static const struct expectation list[] = {
        { "open-port", 2, "", "ERROR no port or range specified\n" },
        { "open-port 80/foo", 2, "",
          "ERROR invalid protocol \"foo\", expected \"tcp\", \"udp\", or \"icmp\"\n" },
        { "open-port 90-80", 2, "", "ERROR invalid port range 90-80/tcp\n" },
        { "open-port 70000", 2, "",
          "ERROR port range bounds must be between 0 and 65535, got 70000-70000\n" },
        { "open-port 8080", 0, "", NULL },
        { "open-port 80", 0, "", NULL },
        { "open-port 80", 0, "", NULL },
        { "open-port 100-200/UDP", 0, "", NULL },
        { "open-port icmp", 0, "", NULL },
        { "opened-ports", 0, "icmp\n80/tcp\n8080/tcp\n100-200/udp\n", NULL },
        { "open-port 75-85", 1, "",
          "ERROR cannot open 75-85/tcp (unit \"a/0\"): port range conflicts with 80/tcp (unit "
          "\"a/0\") requested earlier\n" },
        { "close-port 80", 0, "", NULL },
        { "close-port 81", 0, "", NULL },
        { "opened-ports --format=json", 0, "[\"icmp\",\"8080/tcp\",\"100-200/udp\"]\n", NULL },
        { "opened-ports --endpoints", 0, "icmp (*)\n8080/tcp (*)\n100-200/udp (*)\n", NULL },
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    EXPECT(play, list);
    leave(play);
}

static void an_action_reads_parameters_and_sets_nested_results(void **state)
{
    static const struct expectation list[] = {
        { "action-get name", 0, "x\n", NULL },
        { "action-get nothing --format=json", 0, "null\n", NULL },
        { "action-get --format=json", 0, "{\"name\":\"x\"}\n", NULL },
        { "action-set a.b=1 a.c=2", 0, "", NULL },
        { "action-set a=", 0, "", NULL },
        { "action-set good=1 Bad=2", 2, "",
          "ERROR key \"Bad\" must start and end with lowercase alphanumeric, and contain only "
          "lowercase alphanumeric, hyphens and periods\n" },
        { "action-set x", 2, "", "ERROR argument \"x\" must be of the form key...=value\n" },
        { "action-set a.stdout=1", 2, "", "ERROR cannot set reserved action key \"stdout\"\n" },
        { "action-set", 0, "", NULL },
        { "action-fail a b", 2, "", "ERROR unrecognized args: [\"b\"]\n" },
    };
    struct play *play = begin(NULL);
    enter(play, "go");
    EXPECT(play, list);
    const struct lab_task *task = play->context->event.task;
    assert_string_equal(charm_value_render(play->arena, task->results, CHARM_JSON_SORTED),
                        "{\"a\":\"\"}"); /* and nothing of the refused call */
    leave(play);
}

static void action_fail_keeps_the_results_and_fails_the_task(void **state)
{
    struct play *play = begin(NULL);
    enter(play, "go");
    struct lab_task *task = play->context->event.task;
    play_tool(play, "action-set a=1");
    play_tool(play, "action-fail");
    CHARMI_IGNORE(lab_context_end(play->context, LAB_EXITED, 0, NULL), "looked at below");
    assert_int_equal(task->state, LAB_TASK_FAILED);
    assert_string_equal(task->message,
                        "action failed without reason given, check action for errors");
    assert_int_equal(charm_value_size(task->results), 1);
    play_free(play);
}

static void action_tools_refuse_outside_an_action(void **state)
{
    static const struct expectation list[] = {
        { "action-get", 1, "", "ERROR not running an action\n" },
        { "action-set a=1", 1, "", "ERROR not running an action\n" },
        { "action-set", 0, "", NULL },
        { "action-log hello", 1, "", "ERROR not running an action\n" },
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    EXPECT(play, list);
    leave(play);
}

static void leader_settings_end_with_juju_3(void **state)
{
    static const struct expectation before[] = {
        { "leader-set a=1", 0, "", NULL },
        { "leader-get a", 0, "1\n", NULL },
        { "leader-get a=b", 2, "", "ERROR invalid key \"a=b\"\n" },
    };
    static const struct expectation after[] = {
        { "leader-get", 1, "", "ERROR bad request: unknown command: leader-get\n" },
        { "state-get --format=json", 0, "null\n", NULL },
    };
    struct play *three = begin("3.6.4");
    enter(three, NULL);
    EXPECT(three, before);
    leave(three);
    struct play *four = begin("4.0.1");
    enter(four, NULL);
    EXPECT(four, after);
    leave(four);
}

static void network_get_gives_the_units_address(void **state)
{
    static const struct expectation list[] = {
        { "network-get", 2, "", "ERROR no arguments specified\n" },
        { "network-get nothing", 1, "", "ERROR no network config found for binding \"nothing\"\n" },
        { "network-get db --ingress-address", 0, "127.0.0.1\n", NULL },
        { "unit-get private-address", 0, "127.0.0.1\n", NULL },
        { "unit-get x", 2, "", "ERROR unknown setting \"x\"\n" },
    };
    struct play *play = begin(NULL);
    enter(play, NULL);
    EXPECT(play, list);
    leave(play);
}

static void every_tool_of_the_tables_has_a_link(void **state)
{
    static const struct lab_tool *const tables[] = { lab_tools_relation, lab_tools_unit,
                                                     lab_tools_state,    lab_tools_port,
                                                     lab_tools_action,   lab_tools_secret };
    for (size_t i = 0; i < CHARMI_COUNT(tables); i++) {
        for (const struct lab_tool *tool = tables[i]; tool->name != NULL; tool++) {
            print_message("  %s\n", tool->name);
            assert_true(charmi_in(lab_tool_names(), tool->name));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_print_in_each_format_as_juju_prints_them),
        cmocka_unit_test(flags_are_read_as_gnuflag_reads_them),
        cmocka_unit_test(letters_left_behind_a_boolean_are_dropped_at_the_end),
        cmocka_unit_test(relation_get_finds_whose_bag_is_meant),
        cmocka_unit_test(pairs_are_split_trimmed_and_checked),
        cmocka_unit_test(a_file_on_standard_input_is_asked_for_and_read_as_yaml),
        cmocka_unit_test(state_has_limits_and_strict_knows_what_is_missing),
        cmocka_unit_test(status_set_knows_four_words_and_one_message),
        cmocka_unit_test(ports_are_checked_sorted_and_do_not_overlap),
        cmocka_unit_test(an_action_reads_parameters_and_sets_nested_results),
        cmocka_unit_test(action_fail_keeps_the_results_and_fails_the_task),
        cmocka_unit_test(action_tools_refuse_outside_an_action),
        cmocka_unit_test(leader_settings_end_with_juju_3),
        cmocka_unit_test(network_get_gives_the_units_address),
        cmocka_unit_test(every_tool_of_the_tables_has_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
