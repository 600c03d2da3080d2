#include "lab/cluster_check.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/cluster_check_internal.h"
#include "lab/cluster_schema.h"
#include "lab/cluster_secret.h"

enum {
    MOST_CONFIG_MAP_BYTES = 1024 * 1024,
    MOST_ANNOTATION_BYTES = 256 * 1024,
    FIRST_NODE_PORT = 30000,
    LAST_NODE_PORT = 32767,
};

/* ---- causes ---- */

void lab_cause(struct lab_causes *causes, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *reason = charm_arena_vprintf(causes->arena, format, args);
    va_end(args);
    charmi_words_add(causes->arena, &causes->texts,
                     charm_arena_printf(causes->arena, "%s: %s", path, reason));
}

void lab_cause_invalid(struct lab_causes *causes, const char *path, const struct charm_value *value,
                       const char *reason)
{
    lab_cause(causes, path, "Invalid value: %s: %s",
              charm_value_render(causes->arena, value, CHARM_JSON_SORTED), reason);
}

/* ---- names ---- */

static bool is_lower_alnum(char c)
{
    return islower((unsigned char)c) || isdigit((unsigned char)c);
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])? of `size` bytes */
static bool is_label(const char *text, size_t size)
{
    if (size == 0 || !is_lower_alnum(text[0]) || !is_lower_alnum(text[size - 1])) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_lower_alnum(text[i]) && text[i] != '-') {
            return false;
        }
    }
    return true;
}

bool lab_is_dns_1123_label(const char *text)
{
    return strlen(text) <= 63 && is_label(text, strlen(text));
}

bool lab_is_dns_1035_label(const char *text)
{
    return islower((unsigned char)text[0]) && lab_is_dns_1123_label(text);
}

bool lab_is_dns_1123_subdomain(const char *text)
{
    if (strlen(text) > 253) {
        return false;
    }
    for (;;) {
        const size_t size = strcspn(text, ".");
        if (!is_label(text, size)) {
            return false;
        }
        if (text[size] == '\0') {
            return true;
        }
        text += size + 1;
    }
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9], at most 63: label values and the name part of keys */
static bool is_label_text(const char *text)
{
    const size_t size = strlen(text);
    if (size == 0 || size > 63 || !isalnum((unsigned char)text[0]) ||
        !isalnum((unsigned char)text[size - 1])) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("-_.", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* [prefix/]name */
static bool is_qualified(struct charm_arena *arena, const char *key)
{
    const char *slash = strchr(key, '/');
    if (slash == NULL) {
        return is_label_text(key);
    }
    const char *prefix = charm_arena_copy_n(arena, key, (size_t)(slash - key));
    return lab_is_dns_1123_subdomain(prefix) && is_label_text(slash + 1);
}

/* [-._a-zA-Z0-9]+, at most 253 */
static bool is_data_key(const char *key)
{
    const size_t size = strlen(key);
    return size > 0 && size <= 253 && !charmi_same(key, ".") && !charmi_starts_with(key, "..") &&
           strspn(key, "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == size;
}

/* ---- metadata ---- */

static void check_key(struct lab_causes *causes, const char *path, const char *key)
{
    if (!is_qualified(causes->arena, key)) {
        lab_cause(causes, path,
                  "Invalid value: \"%s\": name part must consist of alphanumeric characters, '-', "
                  "'_' or '.', and must start and end with an alphanumeric character (e.g. "
                  "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
                  key);
    }
}

static void check_label_value(struct lab_causes *causes, const char *path, const char *value)
{
    if (strlen(value) > 63) {
        lab_cause(causes, path, "Invalid value: \"%s\": must be no more than 63 bytes", value);
    } else if (value[0] != '\0' && !is_label_text(value)) {
        lab_cause(causes, path,
                  "Invalid value: \"%s\": a valid label must be an empty string or consist of "
                  "alphanumeric characters, '-', '_' or '.', and must start and end with an "
                  "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
                  "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
                  value);
    }
}

void lab_check_labels(struct lab_causes *causes, const char *path, const struct charm_value *labels)
{
    CHARM_EACH(labels, it)
    {
        check_key(causes, path, it.key);
        check_label_value(causes, path, charm_text(it.value));
    }
}

static void check_annotations(struct lab_causes *causes, const char *path,
                              const struct charm_value *annotations)
{
    size_t size = 0;
    CHARM_EACH(annotations, it)
    {
        check_key(causes, path, it.key);
        size += strlen(it.key) + strlen(charm_text(it.value));
    }
    if (size > MOST_ANNOTATION_BYTES) {
        lab_cause(causes, path, "Too long: may not be more than %d bytes", MOST_ANNOTATION_BYTES);
    }
}

void lab_check_meta(struct lab_causes *causes, const char *path, const struct charm_value *meta)
{
    lab_check_labels(causes, charm_arena_printf(causes->arena, "%s.labels", path),
                     charm_value_get(meta, "labels"));
    check_annotations(causes, charm_arena_printf(causes->arena, "%s.annotations", path),
                      charm_value_get(meta, "annotations"));
}

static void check_name(struct lab_causes *causes, const char *kind, const char *name)
{
    const bool service = charmi_same(kind, "Service");
    if (service ? !lab_is_dns_1035_label(name) : !lab_is_dns_1123_subdomain(name)) {
        lab_cause(causes, "metadata.name", "Invalid value: \"%s\": %s", name,
                  service ? LAB_DNS_1035_LABEL : LAB_DNS_1123_SUBDOMAIN);
    }
}

/* ---- ports ---- */

static bool is_port_name(const char *name)
{
    return strlen(name) <= 15 && lab_is_dns_1123_label(name) &&
           strpbrk(name, "abcdefghijklmnopqrstuvwxyz") != NULL && strstr(name, "--") == NULL;
}

void lab_check_port(struct lab_causes *causes, const char *path, const struct charm_value *value)
{
    if (charm_value_kind(value) == CHARM_STRING) {
        if (!is_port_name(charm_text(value))) {
            lab_cause_invalid(
                causes, path, value,
                "must be a valid port name: at most 15 lower case letters, digits and "
                "'-', at least one letter");
        }
        return;
    }
    const int64_t port = charm_value_int(value, 0);
    if (port < 1 || port > 65535) {
        lab_cause_invalid(causes, path, value, "must be between 1 and 65535, inclusive");
    }
}

/* ---- ConfigMap, Secret ---- */

static void check_data_key(struct lab_causes *causes, const char *key)
{
    if (!is_data_key(key)) {
        lab_cause(causes, charm_arena_printf(causes->arena, "data[%s]", key),
                  "Invalid value: \"%s\": a valid config key must consist of alphanumeric "
                  "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
                  "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
                  key);
    }
}

/* As the API server holds it: `stringData` is in `data` already. */
static void check_secret(struct lab_causes *causes, const struct charm_value *manifest,
                         const struct charm_value *before)
{
    const struct charm_value *data = charm_value_get(manifest, "data");
    const char *type = charm_text(charm_value_get(manifest, "type"));
    const char *type_before = charm_text(charm_value_get(before, "type"));
    size_t size = 0;
    CHARM_EACH(data, it)
    {
        size += strlen(charm_text(it.value)) / 4 * 3;
        check_data_key(causes, it.key);
    }
    if (size > MOST_CONFIG_MAP_BYTES) {
        lab_cause(causes, "data", "Too long: may not be more than %d bytes", MOST_CONFIG_MAP_BYTES);
    }
    if (before != NULL && !charmi_same(type[0] == '\0' ? "Opaque" : type,
                                       type_before[0] == '\0' ? "Opaque" : type_before)) {
        lab_cause(causes, "type", "Invalid value: \"%s\": field is immutable", type);
    }
    if (charm_value_true(charm_value_get(before, "immutable")) &&
        !charm_value_equal(data, charm_value_get(before, "data"))) {
        lab_cause(causes, "data", "Forbidden: field is immutable when `immutable` is set");
    }
}

static void check_config_map(struct lab_causes *causes, const struct charm_value *manifest,
                             const struct charm_value *before)
{
    const struct charm_value *data = charm_value_get(manifest, "data");
    size_t size = 0;
    CHARM_EACH(data, it)
    {
        size += strlen(charm_text(it.value));
        check_data_key(causes, it.key);
    }
    CHARM_EACH(charm_value_get(manifest, "binaryData"), binary)
    {
        size += strlen(charm_text(binary.value)) / 4 * 3;
    }
    if (size > MOST_CONFIG_MAP_BYTES) {
        lab_cause(causes, "[]", "Too long: may not be more than %d bytes", MOST_CONFIG_MAP_BYTES);
    }
    if (charm_value_true(charm_value_get(before, "immutable")) &&
        !charm_value_equal(data, charm_value_get(before, "data"))) {
        lab_cause(causes, "data", "Forbidden: field is immutable when `immutable` is set");
    }
}

/* ---- Service ---- */

static void check_node_port(struct lab_causes *causes, const char *path,
                            const struct charm_value *value, const char *type)
{
    const int64_t port = charm_value_int(value, 0);
    if (port == 0) {
        return;
    }
    if (charmi_same(type, "ClusterIP")) {
        lab_cause(causes, path, "Forbidden: may not be used when `type` is 'ClusterIP'");
    } else if (port < FIRST_NODE_PORT || port > LAST_NODE_PORT) {
        lab_cause_invalid(causes, path, value,
                          "provided port is not in the valid range. The range of valid ports is "
                          "30000-32767");
    }
}

static void check_service_port(struct lab_causes *causes, const struct charm_value *spec,
                               size_t index, const char *type)
{
    struct charm_arena *arena = causes->arena;
    const struct charm_value *ports = charm_value_get(spec, "ports");
    const struct charm_value *port = charm_value_at(ports, index);
    const char *path = charm_arena_printf(arena, "spec.ports[%zu]", index);
    const char *name = charm_text(charm_value_get(port, "name"));
    if (name[0] == '\0' && charm_value_size(ports) > 1) {
        lab_cause(causes, charm_arena_printf(arena, "%s.name", path), "Required value");
    } else if (name[0] != '\0' && !lab_is_dns_1123_label(name)) {
        lab_cause_invalid(causes, charm_arena_printf(arena, "%s.name", path),
                          charm_value_get(port, "name"), LAB_DNS_1123_LABEL);
    }
    lab_check_port(causes, charm_arena_printf(arena, "%s.port", path),
                   charm_value_get(port, "port"));
    const struct charm_value *target = charm_value_get(port, "targetPort");
    if (charm_value_kind(target) != CHARM_NULL) {
        lab_check_port(causes, charm_arena_printf(arena, "%s.targetPort", path), target);
    }
    check_node_port(causes, charm_arena_printf(arena, "%s.nodePort", path),
                    charm_value_get(port, "nodePort"), type);
}

static void check_service(struct lab_causes *causes, const struct charm_value *manifest)
{
    static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer", "NodePort",
                                         NULL };
    const struct charm_value *spec = charm_value_get(manifest, "spec");
    const struct charm_value *type_value = charm_value_get(spec, "type");
    const char *type =
        charm_value_kind(type_value) == CHARM_STRING ? charm_text(type_value) : "ClusterIP";
    if (!charmi_in(types, type)) {
        lab_cause(causes, "spec.type",
                  "Unsupported value: \"%s\": supported values: \"ClusterIP\", \"ExternalName\", "
                  "\"LoadBalancer\", \"NodePort\"",
                  type);
    }
    const struct charm_value *ports = charm_value_get(spec, "ports");
    if (charm_value_size(ports) == 0 && !charmi_same(type, "ExternalName")) {
        lab_cause(causes, "spec.ports", "Required value");
    }
    for (size_t i = 0; i < charm_value_size(ports); i++) {
        check_service_port(causes, spec, i, type);
    }
    lab_check_labels(causes, "spec.selector", charm_value_get(spec, "selector"));
}

/* ---- Deployment ---- */

static bool labels_match(const struct charm_value *selector, const struct charm_value *labels)
{
    CHARM_EACH(selector, it)
    {
        const struct charm_value *there = charm_value_get(labels, it.key);
        if (there == NULL || !charmi_same(charm_text(there), charm_text(it.value))) {
            return false;
        }
    }
    return true;
}

static void check_selector(struct lab_causes *causes, const struct charm_value *spec,
                           const struct charm_value *before)
{
    const struct charm_value *selector = charm_value_get(spec, "selector");
    const struct charm_value *match = charm_value_get(selector, "matchLabels");
    const struct charm_value *labels =
        charm_value_path(spec, "template", "metadata", "labels", NULL);
    if (charm_value_kind(selector) != CHARM_MAP) {
        lab_cause(causes, "spec.selector", "Required value");
    } else if (charm_value_size(match) == 0) {
        lab_cause_invalid(causes, "spec.selector", selector,
                          "empty selector is invalid for deployment");
    } else if (!labels_match(match, labels)) {
        lab_cause_invalid(causes, "spec.template.metadata.labels", labels,
                          "`selector` does not match template `labels`");
    }
    const struct charm_value *old = charm_value_path(before, "spec", "selector", NULL);
    if (before != NULL && !charm_value_equal(old, selector)) {
        lab_cause_invalid(causes, "spec.selector", selector, "field is immutable");
    }
}

static void check_not_negative(struct lab_causes *causes, const struct charm_value *spec,
                               const char *name)
{
    const struct charm_value *value = charm_value_get(spec, name);
    if (charm_value_int(value, 0) < 0) {
        lab_cause_invalid(causes, charm_arena_printf(causes->arena, "spec.%s", name), value,
                          "must be greater than or equal to 0");
    }
}

/* Of "25%", "0" or a number: is there nothing of it? */
static bool is_nothing(const struct charm_value *value)
{
    const char *text = charm_text(value);
    return charm_value_kind(value) == CHARM_STRING ? charmi_same(text, "0%") || text[0] == '\0'
                                                   : charm_value_int(value, 1) == 0;
}

static void check_strategy(struct lab_causes *causes, const struct charm_value *strategy)
{
    const char *type = charm_text(charm_value_get(strategy, "type"));
    const struct charm_value *rolling = charm_value_get(strategy, "rollingUpdate");
    if (type[0] != '\0' && !charmi_same(type, "Recreate") && !charmi_same(type, "RollingUpdate")) {
        lab_cause(causes, "spec.strategy.type",
                  "Unsupported value: \"%s\": supported values: \"Recreate\", \"RollingUpdate\"",
                  type);
    }
    if (charmi_same(type, "Recreate") && charm_value_kind(rolling) == CHARM_MAP) {
        lab_cause(causes, "spec.strategy.rollingUpdate",
                  "Forbidden: may not be specified when strategy `type` is 'Recreate'");
    }
    const struct charm_value *surge = charm_value_get(rolling, "maxSurge");
    const struct charm_value *unavailable = charm_value_get(rolling, "maxUnavailable");
    if (surge != NULL && unavailable != NULL && is_nothing(surge) && is_nothing(unavailable)) {
        lab_cause_invalid(causes, "spec.strategy.rollingUpdate.maxUnavailable", unavailable,
                          "may not be 0 when `maxSurge` is 0");
    }
}

static void check_deployment(struct lab_causes *causes, const struct charm_value *manifest,
                             const struct charm_value *before)
{
    const struct charm_value *spec = charm_value_get(manifest, "spec");
    check_not_negative(causes, spec, "replicas");
    check_not_negative(causes, spec, "minReadySeconds");
    check_not_negative(causes, spec, "revisionHistoryLimit");
    check_not_negative(causes, spec, "progressDeadlineSeconds");
    if (charm_value_int(charm_value_get(spec, "progressDeadlineSeconds"), 600) <=
        charm_value_int(charm_value_get(spec, "minReadySeconds"), 0)) {
        lab_cause_invalid(causes, "spec.progressDeadlineSeconds",
                          charm_value_get(spec, "progressDeadlineSeconds"),
                          "must be greater than minReadySeconds");
    }
    check_selector(causes, spec, before);
    check_strategy(causes, charm_value_get(spec, "strategy"));
    lab_check_meta(causes, "spec.template.metadata",
                   charm_value_path(spec, "template", "metadata", NULL));
    lab_check_pod_spec(causes, "spec.template.spec",
                       charm_value_path(spec, "template", "spec", NULL));
}

/* ---- the whole ---- */

static const char *group_kind(const char *kind)
{
    return charmi_same(kind, "Deployment") ? "Deployment.apps" : kind;
}

static int report(const struct lab_causes *causes, const char *kind, const char *name,
                  struct charm_error *reterr)
{
    if (causes->texts.size == 0) {
        return 0;
    }
    const bool many = causes->texts.size > 1;
    return charm_error_set(reterr, CHARM_EINVAL, "%s \"%s\" is invalid: %s%s%s", group_kind(kind),
                           name, many ? "[" : "",
                           charmi_words_join(causes->arena, &causes->texts, ", "), many ? "]" : "");
}

static int check_version(const struct charm_value *manifest, const char *kind,
                         struct charm_error *reterr)
{
    const char *version = charm_text(charm_value_get(manifest, "apiVersion"));
    const char *wanted = charmi_same(kind, "Deployment") ? "apps/v1" : "v1";
    if (lab_schema_of_kind(kind) == NULL || charmi_same(version, wanted)) {
        return 0;
    }
    return charm_error_set(reterr, CHARM_EINVAL,
                           "no matches for kind \"%s\" in version \"%s\" (wanted: %s)", kind,
                           version, wanted);
}

int lab_manifest_check(struct charm_arena *arena, const struct charm_value *manifest,
                       const struct charm_value *before, struct charm_error *reterr)
{
    const char *kind = charm_text(charm_value_get(manifest, "kind"));
    const char *name = charm_text(charm_value_path(manifest, "metadata", "name", NULL));
    if (kind[0] == '\0') {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "error validating data: kind not set in a resource");
    }
    const struct charm_value *stored = manifest;
    int code = check_version(manifest, kind, reterr);
    if (code == 0) {
        code = lab_schema_check(arena, kind, manifest, reterr);
    }
    if (code == 0 && charmi_same(kind, "Secret")) {
        code = lab_secret_stored(arena, manifest, &stored, reterr);
    }
    if (code != 0) {
        return code;
    }
    if (name[0] == '\0') {
        return charm_error_set(reterr, CHARM_EINVAL, "resource name may not be empty (%s)", kind);
    }
    struct lab_causes causes = { .arena = arena };
    check_name(&causes, kind, name);
    lab_check_meta(&causes, "metadata", charm_value_get(manifest, "metadata"));
    if (charmi_same(kind, "ConfigMap")) {
        check_config_map(&causes, manifest, before);
    } else if (charmi_same(kind, "Secret")) {
        check_secret(&causes, stored, before);
    } else if (charmi_same(kind, "Service")) {
        check_service(&causes, manifest);
    } else {
        check_deployment(&causes, manifest, before);
    }
    return report(&causes, kind, name, reterr);
}
