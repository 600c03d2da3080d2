#include "edge/juju/hand.h"

#include <string.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/text.h"
#include "charm/charmfiles.h"
#include "charm/runner.h"
#include "edge/juju/place.h"

enum exit_status { ANSWERED = 0, FAILED = 1, NOT_UNDERSTOOD = 2 };

enum { LINE_WIDTH = 96, INDENT = 4 };

/* One word that can be asked. */
struct command {
    const char *word;
    const char *usage;
    const char *summary;
    int (*answer)(const struct charmi_hand *hand, const char *argument);
    bool takes_argument;
};

static int help(const struct charmi_hand *hand, const char *argument);
static int version(const struct charmi_hand *hand, const char *argument);
static int handlers(const struct charmi_hand *hand, const char *argument);
static int explain(const struct charmi_hand *hand, const char *argument);

static const struct command commands[] = {
    { .word = "--help", .usage = "--help", .summary = "this text", .answer = help },
    { .word = "--version",
      .usage = "--version",
      .summary = "what this is built from",
      .answer = version },
    { .word = "handlers",
      .usage = "handlers",
      .summary = "every handler: what it is for, what it waits for, what it sets",
      .answer = handlers },
    { .word = "explain",
      .usage = "explain [ROW|FLAG]",
      .summary = "what the last runs did, or why a handler ran or a flag is set",
      .answer = explain,
      .takes_argument = true },
};

/* The files of the charm, or NULL: by hand the program may be anywhere. */
static const struct charm_files *files_of(const struct charmi_hand *hand)
{
    const struct charm_files *files = NULL;
    if (hand->charm_dir[0] == '\0' ||
        charmi_charmfiles_load(hand->arena, hand->ports, hand->charm_dir, &files, NULL) != 0) {
        return NULL;
    }
    return files;
}

static int print_error(const struct charmi_hand *hand, const struct charm_error *error)
{
    fprintf(hand->err, "%s\n", error->text);
    return FAILED;
}

/* ---- help ---- */

/* Words in lines of at most LINE_WIDTH, indented. */
static void print_words(FILE *out, const struct charmi_words *words)
{
    size_t column = 0;
    for (size_t i = 0; i < words->size; i++) {
        const size_t size = strlen(words->at[i]);
        if (column > 0 && column + 1 + size > LINE_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%*s%s", column == 0 ? INDENT : 1, "", words->at[i]);
    }
    fputs(words->size > 0 ? "\n" : "    (none)\n", out);
}

/* Every hook that Juju can raise for this charm (juju-contract.md 1.5). */
static struct charmi_words hooks_of(struct charm_arena *arena, const struct charm_files *files)
{
    static const char *const always[] = { "install",
                                          "start",
                                          "stop",
                                          "remove",
                                          "upgrade-charm",
                                          "config-changed",
                                          "update-status",
                                          "leader-elected",
                                          "leader-settings-changed",
                                          NULL };
    struct charmi_words words = { 0 };
    for (size_t i = 0; always[i] != NULL; i++) {
        charmi_words_add(arena, &words, always[i]);
    }
    for (size_t i = 0; i < files->endpoint_count; i++) {
        charmi_words_add(arena, &words,
                         charm_arena_printf(arena,
                                            "%s-relation-{created,joined,changed,departed,broken}",
                                            files->endpoints[i].name));
    }
    return words;
}

static int help(const struct charmi_hand *hand, const char *argument)
{
    (void)argument;
    const struct charm_files *files = files_of(hand);
    FILE *out = hand->out;
    if (files != NULL) {
        fprintf(out, "%s: %s\n\n", files->name, files->summary);
    }
    fputs("This is the program of a Juju charm: Juju runs it for every hook and action. By hand it "
          "explains\n"
          "itself; it then calls no hook tool and changes nothing.\n\n",
          out);
    for (size_t i = 0; i < CHARMI_COUNT(commands); i++) {
        fprintf(out, "  %s %-20s %s\n", hand->program, commands[i].usage, commands[i].summary);
    }
    if (files == NULL) {
        fputs("\nThere is no charm around this program: its metadata.yaml was not found or not "
              "readable.\n",
              out);
        return ANSWERED;
    }
    const struct charmi_words hooks = hooks_of(hand->arena, files);
    struct charmi_words actions = { 0 };
    struct charm_error error = { 0 };
    if (charmi_charmfiles_actions(hand->arena, hand->ports, hand->charm_dir, &actions, &error) !=
        0) {
        charmi_words_add(hand->arena, &actions, error.text);
    }
    fputs("\nHooks:\n", out);
    print_words(out, &hooks);
    fputs("Actions:\n", out);
    print_words(out, &actions);
    return ANSWERED;
}

/* ---- the others ---- */

static int version(const struct charmi_hand *hand, const char *argument)
{
    (void)argument;
    const struct charm_files *files = files_of(hand);
    const char *of_charm = charmi_place_version(hand->arena, hand->charm_dir);
    fprintf(hand->out, "%s %s\n", files != NULL ? files->name : hand->program,
            of_charm[0] != '\0' ? of_charm : "(no version file)");
    fprintf(hand->out, "libcharm %s, libyaml %s\n", CHARMI_VERSION, yaml_get_version_string());
    return ANSWERED;
}

static int handlers(const struct charmi_hand *hand, const char *argument)
{
    (void)argument;
    struct charm_error error = { 0 };
    const struct charm_files *files = files_of(hand);
    if (files != NULL && charmi_layers_check(hand->layers, files, &error) != 0) {
        return print_error(hand, &error);
    }
    fputs(charmi_handlers_text(hand->arena, hand->layers), hand->out);
    return ANSWERED;
}

static int explain(const struct charmi_hand *hand, const char *argument)
{
    struct charm_error error = { 0 };
    const char *text = "";
    if (hand->charm_dir[0] == '\0') {
        fputs("explain: there is no charm around this program, so there are no records of runs\n",
              hand->err);
        return FAILED;
    }
    if (charmi_explain(hand->arena, hand->ports, hand->layers, hand->charm_dir, argument, &text,
                       &error) != 0) {
        return print_error(hand, &error);
    }
    fputs(text, hand->out);
    return ANSWERED;
}

/* ---- the command line ---- */

static const struct command *find(const char *word)
{
    if (charmi_same(word, "-h") || charmi_same(word, "help")) {
        return &commands[0];
    }
    for (size_t i = 0; i < CHARMI_COUNT(commands); i++) {
        if (charmi_same(word, commands[i].word)) {
            return &commands[i];
        }
    }
    return NULL;
}

static int not_understood(const struct charmi_hand *hand, const char *what, const char *word)
{
    fprintf(hand->err, "%s '%s'; understood are:", what, word);
    for (size_t i = 0; i < CHARMI_COUNT(commands); i++) {
        fprintf(hand->err, "%s %s", i > 0 ? "," : "", commands[i].usage);
    }
    fputc('\n', hand->err);
    return NOT_UNDERSTOOD;
}

int charmi_hand_answer(const struct charmi_hand *hand, const char *const *words)
{
    if (words[0] == NULL) {
        return help(hand, NULL);
    }
    const struct command *command = find(words[0]);
    if (command == NULL) {
        return not_understood(hand, "unknown word", words[0]);
    }
    const size_t most = command->takes_argument ? 2 : 1;
    if (charmi_list_size(words) > most) {
        return not_understood(hand, "one word too many:", words[most]);
    }
    return command->answer(hand, words[1]);
}
