/*
 * kcb/names.h: what things are called: topics, Kubernetes objects, labels.
 *
 * All of it follows from model, application and one option, so that every unit finds the same names. The uuid, the topics and
 * the objects are the original's (reactive-framework.md 7.4, 8.2, 8.3). Kubernetes takes these names whatever the
 * application is called: they end in 32 hex digits and begin with a letter; labels that quote the application are made fit.
 *
 *     struct kcbi_names names;
 *     if (kcbi_names_make(arena, "prod", "e0453597-8109-4f7d-a58f-af08bc72a414", "connect", "", &names, reterr) < 0) {
 *         return reterr->code;
 *     }
 *
 * May include: charm/value.h, base.
 */
#ifndef KCBI_NAMES_H
#define KCBI_NAMES_H

#include "charm/value.h"

/* Longest name of a topic that Kafka takes (Topic.java). */
#define KCBI_TOPIC_NAME_MAX 249

struct kcbi_names {
    const char *model;
    const char *model_uuid;
    const char *application;
    const char *uuid;       /* md5 of model uuid and application: 32 hex digits */
    const char *config_map; /* cfgmap-UUID */
    const char *secret;     /* secret-UUID */
    const char *service;    /* svc-UUID */
    const char *deployment; /* depl-UUID */
    const char *group;      /* of the workers, unless somebody names another */
    const char *configs_topic;
    const char *offsets_topic;
    const char *status_topic;
};

/*
 * `prefix` is what the topics' names begin with, and the group's name, when model and application do not tell two
 * applications on one Kafka apart; "": MODEL.APPLICATION, and the application's name. CHARM_EINVAL when one of the first
 * three is empty, or Kafka would not take a topic of these names. Texts are copied.
 */
CHARM_MUST_CHECK int kcbi_names_make(struct charm_arena *arena, const char *model,
                                     const char *model_uuid, const char *application,
                                     const char *prefix, struct kcbi_names *ret_names,
                                     struct charm_error *reterr);

/* What a selector asks for: `app`. It never changes: Kubernetes refuses a Deployment whose selector does. */
struct charm_value *kcbi_names_selector(struct charm_arena *arena, const struct kcbi_names *names);
/* The selector's label and the recommended app.kubernetes.io/ ones. */
struct charm_value *kcbi_names_labels(struct charm_arena *arena, const struct kcbi_names *names);
/*
 * The text as a label's value: itself if it is one (63 characters of letters, digits and `-_.`, a letter or digit at both
 * ends), else what is left of it, a hyphen and 8 hex digits of its digest, so that two names stay two.
 */
const char *kcbi_label_value(struct charm_arena *arena, const char *text);

#endif
