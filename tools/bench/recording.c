#include "recording.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "edge/juju/files.h"

enum { LARGEST_FILE = 4 * 1024 * 1024 };

/* ---- names ---- */

const char *bench_file_name(struct charm_arena *arena, const char *words)
{
    char *name = charm_arena_copy(arena, words);
    for (char *c = name; *c != '\0'; c++) {
        *c = *c == '/' ? '%' : *c;
    }
    return name;
}

const char *bench_call_name(struct charm_arena *arena, const char *const *argv)
{
    struct charmi_words words = { 0 };
    for (size_t i = 0; argv[i] != NULL; i++) {
        charmi_words_add(arena, &words, argv[i]);
    }
    return bench_file_name(arena, charmi_words_join(arena, &words, " "));
}

/* ---- load ---- */

static int read_text(struct charm_arena *arena, const char *path, const char **ret_text,
                     struct charm_error *reterr)
{
    size_t size;
    return charmi_file_read(arena, path, LARGEST_FILE, CHARMI_LINKS_FOLLOWED, ret_text, &size,
                            reterr);
}

static const char *replace(struct charm_arena *arena, const char *text, const char *what,
                           const char *with)
{
    struct charmi_buf buf = charmi_buf_init(LARGEST_FILE);
    for (const char *at; (at = strstr(text, what)) != NULL; text = at + strlen(what)) {
        charmi_buf_add_n(&buf, text, (size_t)(at - text));
        charmi_buf_add(&buf, with);
    }
    charmi_buf_add(&buf, text);
    return charmi_buf_into(&buf, arena);
}

/* Every file of a folder into a map; no folder is an empty map. */
static int load_folder(struct charm_arena *arena, const char *dir, int port,
                       struct charm_value *into, struct charm_error *reterr)
{
    DIR *folder = opendir(dir);
    if (folder == NULL) {
        return errno == ENOENT ? 0 : charm_error_os(reterr, errno, "read %s", dir);
    }
    int result = 0;
    for (const struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
        const char *text = NULL;
        if (entry->d_name[0] == '.') {
            continue;
        }
        result =
            read_text(arena, charm_arena_printf(arena, "%s/%s", dir, entry->d_name), &text, reterr);
        if (result == 0) {
            text = replace(arena, text, "@HOST@", "127.0.0.1");
            text = replace(arena, text, "@PORT@", charm_arena_printf(arena, "%d", port));
            charm_value_set_text(into, entry->d_name, text);
        }
    }
    closedir(folder);
    return result;
}

static int load_lines(struct charm_arena *arena, const char *path, struct charmi_words *ret_lines,
                      struct charm_error *reterr)
{
    const char *text = NULL;
    const int result = read_text(arena, path, &text, reterr);
    if (result == 0) {
        *ret_lines = charmi_split(arena, text, "\n");
    }
    return result;
}

int bench_recording_load(struct charm_arena *arena, const char *dir, int port,
                         struct bench_recording *ret_recording, struct charm_error *reterr)
{
    struct bench_recording *got = ret_recording;
    *got = (struct bench_recording){ .answers = charm_value_new_map(arena),
                                     .rest = charm_value_new_map(arena) };
    int result = load_lines(arena, charm_arena_printf(arena, "%s/calls", dir), &got->calls, reterr);
    for (size_t i = 0; i < got->calls.size; i++) {
        got->calls.at[i] = bench_file_name(arena, got->calls.at[i]);
    }
    if (result == 0) {
        result = load_lines(arena, charm_arena_printf(arena, "%s/environment", dir),
                            &got->environment, reterr);
    }
    if (result == 0) {
        result = load_folder(arena, charm_arena_printf(arena, "%s/answers", dir), port,
                             got->answers, reterr);
    }
    if (result == 0) {
        result =
            load_folder(arena, charm_arena_printf(arena, "%s/rest", dir), port, got->rest, reterr);
    }
    return result;
}

/* ---- save, compare ---- */

int bench_recording_save_answers(struct charm_arena *arena, const struct bench_recording *recording,
                                 const char *dir, struct charm_error *reterr)
{
    CHARM_EACH(recording->answers, it)
    {
        const char *path = charm_arena_printf(arena, "%s/%s", dir, it.key);
        const char *text = charm_text(it.value);
        const int result = charmi_file_write(path, text, strlen(text), reterr);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

int bench_recording_compare(const struct bench_recording *recording,
                            const struct charmi_words *calls, struct charm_error *reterr)
{
    const size_t size = calls->size > recording->calls.size ? calls->size : recording->calls.size;
    for (size_t i = 0; i < size; i++) {
        const char *wanted = i < recording->calls.size ? recording->calls.at[i] : "nothing";
        const char *got = i < calls->size ? calls->at[i] : "nothing";
        if (!charmi_same(wanted, got)) {
            return charm_error_set(
                reterr, CHARM_EFAILED,
                "hook tool call %zu: the recorded run has \"%s\", this one \"%s\"", i + 1, wanted,
                got);
        }
    }
    return 0;
}
