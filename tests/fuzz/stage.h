/*
 * stage.h: the base charm's whole run on ports that are data, and what must hold of every run, whatever it is told.
 *
 * The first call lives a life: related to Kafka, a deployer and a website, with one worker and one connector, until a
 * run writes nothing. A play begins there, replaces some answers, and lets the charm run once; then all answers
 * are right again, and the charm must come back to where it was. After each run it holds:
 *
 *   - it ends with 0, or with an error of one line; then it has written nothing but a log line, and status, relations
 *     and state are as they were;
 *   - the planted password (STAGE_SECRET: in option connectors, on Kafka's relation, in a Secret that the deployer
 *     echoes) is in no argument, document, file, log line, story and error;
 *   - what it tells Juju is what Juju takes: maps of texts, a status of one line.
 *
 *     stage_play(&(struct stage_script){ .answers = &(struct stage_answer){ "is-leader", 0, "tru", 3 }, .count = 1 });
 *
 * May include: everything of ours but edge/kcb.
 */
#ifndef STAGE_H
#define STAGE_H

#include "fuzz.h"

#define STAGE_SECRET "pl4nted-s3cret"

/*
 * `name`: a hook tool call as the charm makes it, without --format=json ("relation-get -r kafka:1 - kafka/0"); a
 * file beside the charm ("sent.json"). `code`: exit code of the tool; its words go to standard error when it is not 0.
 */
struct stage_answer {
    const char *name;
    int code;
    const char *bytes;
    size_t size;
};

/* The n-th REST request gets the n-th of these, what comes after is answered as Connect does. */
struct stage_reply {
    int status; /* 0: nobody answers */
    const char *body;
    size_t size;
};

struct stage_script {
    const char *action; /* NULL: the hook config-changed */
    const struct stage_answer *answers;
    size_t count;
    const struct stage_reply *replies;
    size_t reply_count;
    bool strange_memory; /* its own memory is replaced: it need not come back, only run */
    /* Answers of calls that are too many for a list; NULL: as it was. May be NULL. */
    const char *(*more)(struct charm_arena *arena, const char *line);
};

void stage_play(const struct stage_script *script);

/* One run, which must end well: how often it called a hook tool, and the most memory that was in use on the way. */
struct stage_cost {
    size_t calls;
    size_t peak_bytes; /* above what was in use before, the stage's own included; 0 without ASan */
};
struct stage_cost stage_cost(const struct stage_script *script);

/* Of the life's end: a call's answer, as a copy in this arena; "" if there is none. */
const char *stage_answer_now(struct charm_arena *arena, const char *name);
/* Every hook tool call of the steady run and of the run that reads its own bags, one a line. */
const char *stage_calls(void);

#endif
