/*
 * charm/relations.h: endpoints, their relations, units and bags as Juju shows them, each read once and only if asked for.
 *
 * Invariants. Relations are ordered by id, units by relation id and name, all as text (reactive-framework.md, P27). A
 * relation in its own -broken hook is gone already, in every version of Juju. A read that Juju refuses makes the
 * relation and its endpoint *unknown* for this run, which is not the same as absent; refused in three runs in a row
 * while it is still listed, the relation is gone (architecture, decision 6). A tool that does not work at all breaks the run.
 *
 * May include: charm/{facts,run}.h.
 */
#ifndef CHARMI_RELATIONS_H
#define CHARMI_RELATIONS_H

#include "base/text.h"
#include "charm/facts.h"
#include "charm/run.h"

struct charmi_relations;

/* `refused_before`: relation id -> in how many runs in a row it has been refused; NULL: none. */
struct charmi_relations *charmi_relations_new(struct charmi_facts *facts,
                                              const struct charm_value *refused_before);

/* NULL-ended lists, never NULL. */
const struct charm_relation *const *charmi_relations_of(struct charmi_relations *relations,
                                                        const char *endpoint);
const struct charm_unit *const *charmi_relations_units(struct charmi_relations *relations,
                                                       const struct charm_relation *relation);
const struct charm_unit *const *charmi_relations_all_units(struct charmi_relations *relations,
                                                           const char *endpoint);
/* Bags: maps of texts; NULL when refused. */
const struct charm_value *charmi_relations_unit_data(struct charmi_relations *relations,
                                                     const struct charm_unit *unit);
const struct charm_value *charmi_relations_app_data(struct charmi_relations *relations,
                                                    const struct charm_relation *relation);
const struct charm_value *charmi_relations_own_data(struct charmi_relations *relations,
                                                    const struct charm_relation *relation);
/* The own application's bag: of a peer relation, or by the leader. */
const struct charm_value *charmi_relations_own_app_data(struct charmi_relations *relations,
                                                        const struct charm_relation *relation);
const char *charmi_relations_ingress(struct charmi_relations *relations,
                                     const struct charm_relation *relation);

/* Was a read of this endpoint, or relation, refused so far in this run? */
bool charmi_relations_unknown(const struct charmi_relations *relations, const char *endpoint);
bool charmi_relations_any_unknown(const struct charmi_relations *relations);
bool charmi_relations_refused(const struct charmi_relations *relations, const char *relation_id);
/* For the next run: relation id -> count, without those that answered. */
const struct charm_value *charmi_relations_refusals(const struct charmi_relations *relations);
/* Why reads were refused, one line each. */
const struct charmi_words *charmi_relations_complaints(const struct charmi_relations *relations);

/* What was read so far in this run, for people: `kafka:1=kafka/0,kafka/1`, `peer:0` (its units were not asked for),
 * `website=none`, `kafka:1=refused`. */
struct charmi_words charmi_relations_seen(const struct charmi_relations *relations);

/* "kafka" of "kafka:1". Pure. */
const char *charmi_relation_endpoint(struct charm_arena *arena, const char *relation_id);
/* Is this hook one of the endpoint's own, as kafka-relation-joined is of kafka? Pure. */
bool charmi_hook_of_endpoint(const char *hook, const char *endpoint);

#endif
