/*
 * lab/secrets.h: secrets of a model's users: `juju add-secret`, `grant-secret`, `update-secret` (contract 3.16).
 *
 * A user's secret belongs to the model; an application reads it once it has been granted. A unit that has read it *tracks* a
 * revision, and hears of newer ones by secret-changed (events.h). Ids follow from names, so that a scenario can name them.
 * Secrets that charms own are not played. Juju has users' secrets from 3.3 on.
 *
 *     lab_secret_add(model, "kafka-admin", content, &secret, reterr);
 *     lab_secret_grant(model, "kafka-admin", "connect", true, reterr);
 *
 * May include: lab/model.h.
 */
#ifndef LAB_SECRETS_H
#define LAB_SECRETS_H

#include "lab/model.h"

/* A unit that has read it. */
struct lab_secret_reader {
    struct lab_secret_reader *next;
    struct lab_unit *unit;
    size_t tracked; /* revision that secret-get gives it */
    size_t told;    /* newest revision that it knows of */
};

struct lab_secret {
    struct lab_secret *next;
    const char *id;
    const char *name;
    struct charm_value *revisions; /* list of maps of texts, oldest first */
    struct charm_value *grants;    /* map: application -> true */
    bool removed;
    struct lab_secret_reader *readers;
};

/* ---- what an operator does; each refuses what Juju refuses ---- */
CHARM_MUST_CHECK int lab_secret_add(struct lab_model *model, const char *name,
                                    const struct charm_value *content,
                                    struct lab_secret **ret_secret, struct charm_error *reterr);
CHARM_MUST_CHECK int lab_secret_update(struct lab_model *model, const char *name,
                                       const struct charm_value *content,
                                       struct charm_error *reterr);
/* `grant` false: revoke. */
CHARM_MUST_CHECK int lab_secret_grant(struct lab_model *model, const char *name, const char *app,
                                      bool grant, struct charm_error *reterr);
CHARM_MUST_CHECK int lab_secret_remove(struct lab_model *model, const char *name,
                                       struct charm_error *reterr);

/* ---- look ---- */
/* By name, id or URI; NULL: there is none, or it has been removed. */
struct lab_secret *lab_secret_find(const struct lab_model *model, const char *name);
/* "secret:ID" of a name, whether there is such a secret or not. */
const char *lab_secret_uri(struct charm_arena *arena, const char *name);

/* ---- for events.c and the hook tools ---- */
/* The newest secret that the unit has read and not been told of in its newest revision. */
bool lab_secret_news(const struct lab_model *model, const struct lab_unit *unit,
                     struct lab_event *ret_event);
void lab_secret_told(struct lab_model *model, struct lab_unit *unit, const struct lab_event *event);
enum lab_secret_read { LAB_SECRET_TRACKED, LAB_SECRET_REFRESH, LAB_SECRET_PEEK };
/* Content for the unit. Errors carry Juju's text. */
CHARM_MUST_CHECK int lab_secret_read(struct lab_model *model, struct lab_unit *unit,
                                     const char *uri, enum lab_secret_read how,
                                     const struct charm_value **ret_content,
                                     struct charm_error *reterr);

#endif
