/*
 * play.h: a model, charms written as YAML texts, and a charm's behaviour as a C function.
 *
 *     struct play *play = play_new(NULL);
 *     play->hook = my_hook;                        (may call play_tool(), returns the exit status)
 *     play_deploy(play, "a", "peers: {p: {interface: i}}", 1);
 *     play_settle(play);
 *     assert_string_equal(play_record(play), "a/0:install ...");
 *     play_free(play);
 */
#ifndef PLAY_H
#define PLAY_H

#include "base/buf.h"
#include "lab/context.h"
#include "lab/model.h"
#include "lab/tools.h"

struct play {
    struct charm_arena *arena;
    struct lab_model *model;
    struct charmi_buf record;
    struct lab_context *context; /* of the running hook */
    int (*hook)(struct play *play, const char *unit, const char *name);
    void *userdata;
    int hooks; /* run so far */
};

struct play *play_new(const struct lab_model_options *options);
void play_free(struct play *play);
/* `metadata`, `config`, `actions`: YAML, or NULL. */
struct lab_application *play_deploy_with(struct play *play, const char *name, const char *metadata,
                                         const char *config, const char *actions, int units);
struct lab_application *play_deploy(struct play *play, const char *name, const char *metadata,
                                    int units);
int play_relate(struct play *play, const char *left, const char *right);
struct lab_unit *play_unit(struct play *play, const char *name);
/* Runs one event of the unit; false if there is none. */
bool play_step(struct play *play, struct lab_unit *unit);
/* Runs every unit until nothing is left (at most 1,000 hooks). */
void play_settle(struct play *play);
/* What ran since the last call: "a/0:install a/0:db-relation-joined(b/0)", one blank between. */
const char *play_record(struct play *play);
/* A hook tool in the running hook; `words` split at blanks. */
struct lab_tool_result play_tool(struct play *play, const char *words);
struct lab_tool_result play_tool_with(struct play *play, const char *const *argv,
                                      const char *input);
/* stdout of a tool that must succeed, without its last newline. */
const char *play_out(struct play *play, const char *words);

#endif
