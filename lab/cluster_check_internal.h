/*
 * lab/cluster_check_internal.h: causes of a refusal, shared by the checks of metadata and of pods.
 *
 * May include: charm/value.h, base/text.h.
 */
#ifndef LAB_CLUSTER_CHECK_INTERNAL_H
#define LAB_CLUSTER_CHECK_INTERNAL_H

#include <stdbool.h>

#include "base/text.h"
#include "charm/value.h"

struct lab_causes {
    struct charm_arena *arena;
    struct charmi_words texts;
};

/* "PATH: REASON" */
void lab_cause(struct lab_causes *causes, const char *path, const char *format, ...)
    CHARM_PRINTF(3, 4);
/* "PATH: Invalid value: VALUE: REASON"; the value is written as Kubernetes writes it. */
void lab_cause_invalid(struct lab_causes *causes, const char *path, const struct charm_value *value,
                       const char *reason);

bool lab_is_dns_1123_label(const char *text);
bool lab_is_dns_1123_subdomain(const char *text);
bool lab_is_dns_1035_label(const char *text);
/* A port number, or the name of one. */
void lab_check_port(struct lab_causes *causes, const char *path, const struct charm_value *value);
void lab_check_meta(struct lab_causes *causes, const char *path, const struct charm_value *meta);
void lab_check_labels(struct lab_causes *causes, const char *path,
                      const struct charm_value *labels);
/* The pod template of a Deployment. */
void lab_check_pod_spec(struct lab_causes *causes, const char *path,
                        const struct charm_value *spec);

#define LAB_DNS_1123_LABEL                                                                         \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "   \
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "     \
    "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define LAB_DNS_1123_SUBDOMAIN                                                                     \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define LAB_DNS_1035_LABEL                                                                         \
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "   \
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "           \
    "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

#endif
