/* The pod template of a Deployment: containers, probes, resources, volumes. */
#include <string.h>

#include "lab/cluster_check_internal.h"
#include "lab/cluster_quantity.h"

static const char *below(struct lab_causes *causes, const char *path, const char *name)
{
    return charm_arena_printf(causes->arena, "%s.%s", path, name);
}

static const char *nth(struct lab_causes *causes, const char *path, const char *name, size_t index)
{
    return charm_arena_printf(causes->arena, "%s.%s[%zu]", path, name, index);
}

/* ---- resources ---- */

static void check_quantities(struct lab_causes *causes, const char *path,
                             const struct charm_value *amounts)
{
    CHARM_EACH(amounts, it)
    {
        double amount = 0;
        const char *at = charm_arena_printf(causes->arena, "%s[%s]", path, it.key);
        if (!lab_quantity_parse(causes->arena, it.value, &amount)) {
            lab_cause_invalid(causes, at, it.value,
                              "quantities must match the regular expression "
                              "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
        } else if (amount < 0) {
            lab_cause_invalid(causes, at, it.value, "must be greater than or equal to 0");
        }
    }
}

static void check_resources(struct lab_causes *causes, const char *path,
                            const struct charm_value *resources)
{
    const struct charm_value *limits = charm_value_get(resources, "limits");
    const struct charm_value *requests = charm_value_get(resources, "requests");
    check_quantities(causes, below(causes, path, "limits"), limits);
    check_quantities(causes, below(causes, path, "requests"), requests);
    CHARM_EACH(requests, it)
    {
        double asked = 0;
        double limit = 0;
        const struct charm_value *cap = charm_value_get(limits, it.key);
        if (cap != NULL && lab_quantity_parse(causes->arena, it.value, &asked) &&
            lab_quantity_parse(causes->arena, cap, &limit) && asked > limit) {
            lab_cause_invalid(causes, below(causes, path, "requests"), it.value,
                              charm_arena_printf(causes->arena,
                                                 "must be less than or equal to %s limit of %s",
                                                 it.key, charm_value_scalar(causes->arena, cap)));
        }
    }
}

/* ---- probes ---- */

static void check_probe_number(struct lab_causes *causes, const char *path,
                               const struct charm_value *probe, const char *name, int64_t least)
{
    const struct charm_value *value = charm_value_get(probe, name);
    if (charm_value_kind(value) == CHARM_INT && charm_value_int(value, 0) < least) {
        lab_cause_invalid(causes, below(causes, path, name), value,
                          charm_arena_printf(causes->arena,
                                             least == 0 ? "must be greater than or equal to %d"
                                                        : "must be greater than %d",
                                             0));
    }
}

static void check_probe_action(struct lab_causes *causes, const char *path,
                               const struct charm_value *probe)
{
    const struct charm_value *get = charm_value_get(probe, "httpGet");
    const struct charm_value *tcp = charm_value_get(probe, "tcpSocket");
    const bool others =
        charm_value_get(probe, "exec") != NULL || charm_value_get(probe, "grpc") != NULL;
    if (others) {
        lab_cause(causes, path, "the lab plays httpGet and tcpSocket probes only");
    } else if (get == NULL && tcp == NULL) {
        lab_cause(causes, path, "Required value: must specify a handler type");
    } else if (get != NULL && tcp != NULL) {
        lab_cause(causes, below(causes, path, "tcpSocket"),
                  "Forbidden: may not specify more than 1 handler type");
    }
    if (get != NULL) {
        lab_check_port(causes, below(causes, path, "httpGet.port"), charm_value_get(get, "port"));
    }
    if (tcp != NULL) {
        lab_check_port(causes, below(causes, path, "tcpSocket.port"), charm_value_get(tcp, "port"));
    }
}

static void check_probe(struct lab_causes *causes, const char *path,
                        const struct charm_value *probe, const char *name)
{
    if (charm_value_kind(probe) != CHARM_MAP) {
        return;
    }
    const char *at = below(causes, path, name);
    check_probe_action(causes, at, probe);
    check_probe_number(causes, at, probe, "initialDelaySeconds", 0);
    check_probe_number(causes, at, probe, "timeoutSeconds", 1);
    check_probe_number(causes, at, probe, "periodSeconds", 1);
    check_probe_number(causes, at, probe, "successThreshold", 1);
    check_probe_number(causes, at, probe, "failureThreshold", 1);
    const struct charm_value *successes = charm_value_get(probe, "successThreshold");
    if (!charmi_same(name, "readinessProbe") && charm_value_int(successes, 1) != 1) {
        lab_cause_invalid(causes, below(causes, at, "successThreshold"), successes, "must be 1");
    }
}

/* ---- containers ---- */

static bool has_volume(const struct charm_value *volumes, const char *name)
{
    for (size_t i = 0; i < charm_value_size(volumes); i++) {
        if (charmi_same(charm_text(charm_value_get(charm_value_at(volumes, i), "name")), name)) {
            return true;
        }
    }
    return false;
}

static void check_mounts(struct lab_causes *causes, const char *path,
                         const struct charm_value *container, const struct charm_value *volumes)
{
    const struct charm_value *mounts = charm_value_get(container, "volumeMounts");
    struct charmi_words seen = { 0 };
    for (size_t i = 0; i < charm_value_size(mounts); i++) {
        const struct charm_value *mount = charm_value_at(mounts, i);
        const char *at = nth(causes, path, "volumeMounts", i);
        const char *name = charm_text(charm_value_get(mount, "name"));
        const char *where = charm_text(charm_value_get(mount, "mountPath"));
        if (!has_volume(volumes, name)) {
            lab_cause(causes, below(causes, at, "name"), "Not found: \"%s\"", name);
        }
        if (where[0] == '\0') {
            lab_cause(causes, below(causes, at, "mountPath"), "Required value");
        } else if (charmi_words_have(&seen, where)) {
            lab_cause(causes, below(causes, at, "mountPath"),
                      "Invalid value: \"%s\": must be unique", where);
        }
        charmi_words_add(causes->arena, &seen, where);
    }
}

static void check_env(struct lab_causes *causes, const char *path,
                      const struct charm_value *container)
{
    const struct charm_value *env = charm_value_get(container, "env");
    for (size_t i = 0; i < charm_value_size(env); i++) {
        const struct charm_value *item = charm_value_at(env, i);
        const char *at = nth(causes, path, "env", i);
        if (charm_text(charm_value_get(item, "name"))[0] == '\0') {
            lab_cause(causes, below(causes, at, "name"), "Required value");
        }
        if (charm_value_get(item, "valueFrom") != NULL &&
            charm_text(charm_value_get(item, "value"))[0] != '\0') {
            lab_cause(causes, below(causes, at, "valueFrom"),
                      "Invalid value: \"\": may not be specified when `value` is not empty");
        }
    }
}

static void check_container_ports(struct lab_causes *causes, const char *path,
                                  const struct charm_value *container)
{
    const struct charm_value *ports = charm_value_get(container, "ports");
    for (size_t i = 0; i < charm_value_size(ports); i++) {
        const struct charm_value *port = charm_value_at(ports, i);
        const char *at = nth(causes, path, "ports", i);
        lab_check_port(causes, below(causes, at, "containerPort"),
                       charm_value_get(port, "containerPort"));
        if (charm_value_get(port, "name") != NULL) {
            lab_check_port(causes, below(causes, at, "name"), charm_value_get(port, "name"));
        }
    }
}

static void check_container(struct lab_causes *causes, const char *path,
                            const struct charm_value *container, const struct charm_value *volumes)
{
    const struct charm_value *name = charm_value_get(container, "name");
    if (charm_text(name)[0] == '\0') {
        lab_cause(causes, below(causes, path, "name"), "Required value");
    } else if (!lab_is_dns_1123_label(charm_text(name))) {
        lab_cause_invalid(causes, below(causes, path, "name"), name, LAB_DNS_1123_LABEL);
    }
    const char *image = charm_text(charm_value_get(container, "image"));
    if (image[0] == '\0') {
        lab_cause(causes, below(causes, path, "image"), "Required value");
    } else if (image[strspn(image, " \t")] == '\0' || strpbrk(image, " \t") != NULL) {
        lab_cause_invalid(causes, below(causes, path, "image"), charm_value_get(container, "image"),
                          "must not have leading or trailing whitespace");
    }
    check_container_ports(causes, path, container);
    check_env(causes, path, container);
    check_mounts(causes, path, container, volumes);
    check_resources(causes, below(causes, path, "resources"),
                    charm_value_get(container, "resources"));
    check_probe(causes, path, charm_value_get(container, "livenessProbe"), "livenessProbe");
    check_probe(causes, path, charm_value_get(container, "readinessProbe"), "readinessProbe");
    check_probe(causes, path, charm_value_get(container, "startupProbe"), "startupProbe");
}

/* ---- volumes ---- */

static void check_volume(struct lab_causes *causes, const char *path,
                         const struct charm_value *volume)
{
    const struct charm_value *name = charm_value_get(volume, "name");
    if (!lab_is_dns_1123_label(charm_text(name))) {
        lab_cause_invalid(causes, below(causes, path, "name"), name, LAB_DNS_1123_LABEL);
    }
    if (charm_value_size(volume) == 1) {
        lab_cause(causes, path, "Required value: must specify a volume type");
    } else if (charm_value_size(volume) > 2) {
        lab_cause(causes, path, "Forbidden: may not specify more than 1 volume type");
    } else if (charm_value_get(volume, "configMap") == NULL &&
               charm_value_get(volume, "secret") == NULL &&
               charm_value_get(volume, "emptyDir") == NULL) {
        lab_cause(causes, path,
                  "the lab plays volumes of type configMap, secret and emptyDir only");
    }
    const struct charm_value *map = charm_value_get(volume, "configMap");
    if (map != NULL && charm_text(charm_value_get(map, "name"))[0] == '\0') {
        lab_cause(causes, below(causes, path, "configMap.name"), "Required value");
    }
    const struct charm_value *secret = charm_value_get(volume, "secret");
    const struct charm_value *mode = charm_value_get(secret, "defaultMode");
    if (secret != NULL && charm_text(charm_value_get(secret, "secretName"))[0] == '\0') {
        lab_cause(causes, below(causes, path, "secret.secretName"), "Required value");
    }
    if (charm_value_int(mode, 0) < 0 || charm_value_int(mode, 0) > 0777) {
        lab_cause_invalid(causes, below(causes, path, "secret.defaultMode"), mode,
                          "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

void lab_check_pod_spec(struct lab_causes *causes, const char *path, const struct charm_value *spec)
{
    const struct charm_value *containers = charm_value_get(spec, "containers");
    const struct charm_value *volumes = charm_value_get(spec, "volumes");
    const struct charm_value *policy = charm_value_get(spec, "restartPolicy");
    if (charm_value_size(containers) == 0) {
        lab_cause(causes, below(causes, path, "containers"), "Required value");
    }
    if (charm_value_size(containers) > 1 ||
        charm_value_size(charm_value_get(spec, "initContainers")) > 0) {
        lab_cause(causes, below(causes, path, "containers"), "the lab plays one container a pod");
    }
    for (size_t i = 0; i < charm_value_size(volumes); i++) {
        check_volume(causes, nth(causes, path, "volumes", i), charm_value_at(volumes, i));
    }
    for (size_t i = 0; i < charm_value_size(containers); i++) {
        check_container(causes, nth(causes, path, "containers", i), charm_value_at(containers, i),
                        volumes);
    }
    if (charm_text(policy)[0] != '\0' && !charmi_same(charm_text(policy), "Always")) {
        lab_cause(causes, below(causes, path, "restartPolicy"),
                  "Unsupported value: \"%s\": supported values: \"Always\"", charm_text(policy));
    }
    const struct charm_value *grace = charm_value_get(spec, "terminationGracePeriodSeconds");
    if (charm_value_int(grace, 0) < 0) {
        lab_cause_invalid(causes, below(causes, path, "terminationGracePeriodSeconds"), grace,
                          "must be greater than or equal to 0");
    }
}
