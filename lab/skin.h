/*
 * lab/skin.h: the charm in this process: one run of it is a function call, and all that is outside of it is data.
 *
 * A run reaches the outside only through ports. Here the hook tools are lab_tool_run(), the files are texts, the
 * clock is the model's (whoever sleeps moves it on), REST and Kafka are the caller's functions. Each such call is a
 * *point*, numbered in its run; at each point `strike` may have it fail, hang, lose its answer, or have the process
 * killed before or after it: from then on nothing of the run reaches the outside any more, which is all that the world
 * ever sees of a killed process.
 *
 *     struct lab_skin *skin = lab_skin_new(arena, &(struct lab_skin_options){
 *         .model = model, .files = files, .reading = &real, .outside = &ports });
 *     struct charm_layer kcb = KCBI_LAYER_WITH(lab_skin_ports(skin));
 *     lab_skin_link(skin, CHARM_LAYERS(&kcb, &kcb_standalone_layer));
 *     struct lab_skin_run run;
 *     lab_skin_run(skin, unit, &event, &run);
 *
 * The table of the layers is checked once, when they are linked. A run takes no memory that outlives the next one but
 * for what it changes in the model and in the unit's files.
 *
 * May include: include/charm, include/kcb, charm/{charmfiles,environment,runner}.h, lab/{model,context,tools}.h.
 */
#ifndef LAB_SKIN_H
#define LAB_SKIN_H

#include "charm/charmfiles.h"
#include "charm/layer.h"
#include "kcb/ports.h"
#include "lab/context.h"
#include "lab/model.h"

enum lab_point_kind { LAB_POINT_TOOL, LAB_POINT_HTTP, LAB_POINT_KAFKA, LAB_POINT_FILE };

/* One call to the outside. Borrowed. */
struct lab_point {
    enum lab_point_kind kind;
    size_t number; /* in its run, from 0 */
    const char
        *what; /* "relation-set", "PUT http://.../config", "create topics", "write sent.json" */
};

enum lab_blow {
    LAB_BLOW_NONE,
    LAB_BLOW_FAIL, /* it is not done, and says so */
    LAB_BLOW_HANG, /* it is not done, and its deadline passes */
    LAB_BLOW_LOSE, /* it is done, and its answer is lost */
    LAB_BLOW_KILL_BEFORE,
    LAB_BLOW_KILL_AFTER,
};

struct lab_skin_options {
    struct lab_model *model;
    const struct charm_files *files;   /* what the charm declares */
    const struct charm_ports *reading; /* whose YAML functions are used, nothing else */
    const struct kcb_ports *outside;   /* REST and Kafka as the charm shall see them */
    enum lab_blow (*strike)(void *userdata, const struct lab_unit *unit,
                            const struct lab_point *point); /* NULL: nothing ever happens */
    void *userdata;                                         /* for `strike` */
};

/* What a run was. Texts and values live until the next run of the same skin: copy what is to stay. */
struct lab_skin_run {
    int exit_code;
    bool killed;
    const char *end; /* "ok", or why the run does not count */
    const char *out; /* what the process would have printed */
    const char *err;
    struct charm_value *calls; /* list of {call, input, code}: hook tools, in order */
    size_t points;
};

struct lab_skin;

/* Released with the arena. The options are copied, what they point to is borrowed. */
struct lab_skin *lab_skin_new(struct charm_arena *arena, const struct lab_skin_options *options);
/* The same skin for another world: no unit has any files yet. Layers and table stay. */
void lab_skin_restart(struct lab_skin *skin, struct lab_model *model);
/* What lives as long as the skin. */
struct charm_arena *lab_skin_arena(const struct lab_skin *skin);
/* For KCBI_LAYER_WITH(): the outside, through the skin's points. */
const struct kcb_ports *lab_skin_ports(const struct lab_skin *skin);
/* The layers that run; borrowed. Once, before the first run. Layers that make no table fail each run, as in a process. */
void lab_skin_link(struct lab_skin *skin, const struct charm_layer *const *layers);
/*
 * Runs the charm for one event, to its end and commit. A command (`juju exec`) runs nothing: there is no shell here, it
 * ends well and has done nothing.
 */
void lab_skin_run(struct lab_skin *skin, struct lab_unit *unit, const struct lab_event *event,
                  struct lab_skin_run *ret_run);
/* For REST and Kafka in a run: they take this time to answer. Nobody sees it pass in a run that was killed. */
void lab_skin_pass_time(struct lab_skin *skin, int64_t ms);
/* The unit's files, path to text, in the order in which they were last written: what stands on its disk. */
const struct charm_value *lab_skin_files(const struct lab_skin *skin, const struct lab_unit *unit);

#endif
