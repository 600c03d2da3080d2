/*
 * lab/command.h: how a verb of the `lab` command is written.
 *
 * A verb is a row {name, usage, summary, options, function}. Its function finds its words and options parsed,
 * asks the daemon with lab_ask(), prints, and returns the exit status: 0, 1 (it failed), 2 (used wrongly).
 *
 * May include: include/charm, base. Talks to the daemon by JSON alone (requests.c).
 */
#ifndef LAB_COMMAND_H
#define LAB_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "charm/value.h"

struct lab_args {
    struct charm_arena *arena;
    const char *dir;             /* the lab's directory, absolute */
    struct charmi_words words;   /* without the verb and the options */
    struct charm_value *options; /* name -> list of texts ("true" for those without a value) */
};

struct lab_verb {
    const char *name;
    const char *alias; /* or NULL */
    const char *usage;
    const char *summary;
    const char *options; /* "config= units= n= force": `=` takes a value */
    size_t least;        /* how many words there must be */
    size_t most;
    int (*run)(struct lab_args *args);
};

/* The tables, each ended by a row without a name. */
extern const struct lab_verb lab_verbs_deploy[];
extern const struct lab_verb lab_verbs_task[];
extern const struct lab_verb lab_verbs_look[];
extern const struct lab_verb lab_verbs_hooks[];
extern const struct lab_verb lab_verbs_status[];
extern const struct lab_verb lab_verbs_secret[];

/* A file's text ("-": standard input), or NULL after the reason has been printed. */
const char *lab_read_file(const struct lab_args *args, const char *path);
/* Last value of an option, or NULL. */
const char *lab_option(const struct lab_args *args, const char *name);
/* All its values, a list; NULL: none. */
const struct charm_value *lab_options(const struct lab_args *args, const char *name);
/* "5m", "30s", "2" (seconds), "250ms"; -1: not a duration. */
int64_t lab_duration_ms(const char *text);
/* Is --format json (or any other) asked for? */
bool lab_format_is(const struct lab_args *args, const char *format);

/* {"do": verb}, to be filled. */
struct charm_value *lab_new_request(const struct lab_args *args, const char *verb);
/* The daemon's answer, or NULL after the reason has been printed. */
const struct charm_value *lab_ask(const struct lab_args *args, const struct charm_value *request);
/* The same, quiet: NULL also when there is no daemon. */
const struct charm_value *lab_ask_quietly(const struct lab_args *args,
                                          const struct charm_value *request,
                                          const char **ret_error);
/* "ERROR ..." on standard error; returns `status`. */
int lab_complain(int status, const char *format, ...) CHARM_PRINTF(2, 3);
void lab_pause_ms(int64_t ms);
/* Makes sure that there is a daemon; `options` come from the words of `lab start`. */
int lab_start_daemon(struct lab_args *args);
bool lab_daemon_answers(const struct lab_args *args);
/* "key=value" into a map; false: there is no "=". */
bool lab_split_pair(const struct lab_args *args, const char *text, struct charm_value *map);

/* ---- tables for people (command_table.c) ---- */
enum lab_colour { LAB_PLAIN, LAB_BOLD, LAB_GREEN, LAB_YELLOW, LAB_RED, LAB_GREY };

struct lab_table;
struct lab_table *lab_table_new(struct charm_arena *arena, const char *const *titles);
void lab_table_row(struct lab_table *table);
void lab_table_cell(struct lab_table *table, enum lab_colour colour, const char *format, ...)
    CHARM_PRINTF(3, 4);
/* On standard output, in colour on a terminal (or when `colour`). Columns whose title starts with "#" are right-aligned. */
void lab_table_print(const struct lab_table *table, bool colour);
bool lab_wants_colour(const struct lab_args *args);
enum lab_colour lab_status_colour(const char *word);

#endif
