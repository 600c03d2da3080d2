#include "lab/cluster_schema.h"

#include "base/text.h"

#define ANY(name_)                                                                                 \
    {                                                                                              \
        .name = (name_), .type = LAB_SCHEMA_ANY                                                    \
    }
#define FIELD(name_, type_)                                                                        \
    {                                                                                              \
        .name = (name_), .type = LAB_SCHEMA_##type_                                                \
    }
#define OBJECT(name_, members_)                                                                    \
    {                                                                                              \
        .name = (name_), .type = LAB_SCHEMA_OBJECT, .members = (members_)                          \
    }
#define OBJECTS(name_, members_)                                                                   \
    {                                                                                              \
        .name = (name_), .type = LAB_SCHEMA_OBJECTS, .members = (members_)                         \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const struct lab_schema_field meta_fields[] = {
    FIELD("annotations", STRING_MAP),
    FIELD("creationTimestamp", STRING),
    FIELD("deletionGracePeriodSeconds", INT),
    FIELD("deletionTimestamp", STRING),
    FIELD("finalizers", STRINGS),
    FIELD("generateName", STRING),
    FIELD("generation", INT),
    FIELD("labels", STRING_MAP),
    ANY("managedFields"),
    FIELD("name", STRING),
    FIELD("namespace", STRING),
    ANY("ownerReferences"),
    FIELD("resourceVersion", STRING),
    FIELD("selfLink", STRING),
    FIELD("uid", STRING),
    END,
};

static const struct lab_schema_field config_map_fields[] = {
    FIELD("apiVersion", STRING),
    FIELD("binaryData", STRING_MAP),
    FIELD("data", STRING_MAP),
    FIELD("immutable", BOOL),
    FIELD("kind", STRING),
    OBJECT("metadata", meta_fields),
    END,
};

static const struct lab_schema_field secret_fields[] = {
    FIELD("apiVersion", STRING),     FIELD("data", STRING_MAP),
    FIELD("immutable", BOOL),        FIELD("kind", STRING),
    OBJECT("metadata", meta_fields), FIELD("stringData", STRING_MAP),
    FIELD("type", STRING),           END,
};

static const struct lab_schema_field service_port_fields[] = {
    FIELD("appProtocol", STRING),
    FIELD("name", STRING),
    FIELD("nodePort", INT),
    FIELD("port", INT),
    FIELD("protocol", STRING),
    FIELD("targetPort", INT_OR_STRING),
    END,
};

static const struct lab_schema_field service_spec_fields[] = {
    FIELD("allocateLoadBalancerNodePorts", BOOL),
    FIELD("clusterIP", STRING),
    FIELD("clusterIPs", STRINGS),
    FIELD("externalIPs", STRINGS),
    FIELD("externalName", STRING),
    FIELD("externalTrafficPolicy", STRING),
    FIELD("healthCheckNodePort", INT),
    FIELD("internalTrafficPolicy", STRING),
    FIELD("ipFamilies", STRINGS),
    FIELD("ipFamilyPolicy", STRING),
    FIELD("loadBalancerClass", STRING),
    FIELD("loadBalancerIP", STRING),
    FIELD("loadBalancerSourceRanges", STRINGS),
    OBJECTS("ports", service_port_fields),
    FIELD("publishNotReadyAddresses", BOOL),
    FIELD("selector", STRING_MAP),
    FIELD("sessionAffinity", STRING),
    ANY("sessionAffinityConfig"),
    FIELD("trafficDistribution", STRING),
    FIELD("type", STRING),
    END,
};

static const struct lab_schema_field service_fields[] = {
    FIELD("apiVersion", STRING),         FIELD("kind", STRING), OBJECT("metadata", meta_fields),
    OBJECT("spec", service_spec_fields), ANY("status"),         END,
};

/* ---- pods ---- */

static const struct lab_schema_field http_header_fields[] = {
    FIELD("name", STRING),
    FIELD("value", STRING),
    END,
};

static const struct lab_schema_field http_get_fields[] = {
    FIELD("host", STRING),   OBJECTS("httpHeaders", http_header_fields),
    FIELD("path", STRING),   FIELD("port", INT_OR_STRING),
    FIELD("scheme", STRING), END,
};

static const struct lab_schema_field tcp_socket_fields[] = {
    FIELD("host", STRING),
    FIELD("port", INT_OR_STRING),
    END,
};

static const struct lab_schema_field exec_fields[] = {
    FIELD("command", STRINGS),
    END,
};

static const struct lab_schema_field probe_fields[] = {
    OBJECT("exec", exec_fields),
    FIELD("failureThreshold", INT),
    ANY("grpc"),
    OBJECT("httpGet", http_get_fields),
    FIELD("initialDelaySeconds", INT),
    FIELD("periodSeconds", INT),
    FIELD("successThreshold", INT),
    OBJECT("tcpSocket", tcp_socket_fields),
    FIELD("terminationGracePeriodSeconds", INT),
    FIELD("timeoutSeconds", INT),
    END,
};

static const struct lab_schema_field key_ref_fields[] = {
    FIELD("key", STRING),
    FIELD("name", STRING),
    FIELD("optional", BOOL),
    END,
};

static const struct lab_schema_field field_ref_fields[] = {
    FIELD("apiVersion", STRING),
    FIELD("fieldPath", STRING),
    END,
};

static const struct lab_schema_field value_from_fields[] = {
    OBJECT("configMapKeyRef", key_ref_fields),
    OBJECT("fieldRef", field_ref_fields),
    ANY("fileKeyRef"),
    ANY("resourceFieldRef"),
    OBJECT("secretKeyRef", key_ref_fields),
    END,
};

static const struct lab_schema_field env_fields[] = {
    FIELD("name", STRING),
    FIELD("value", STRING),
    OBJECT("valueFrom", value_from_fields),
    END,
};

static const struct lab_schema_field container_port_fields[] = {
    FIELD("containerPort", INT), FIELD("hostIP", STRING),   FIELD("hostPort", INT),
    FIELD("name", STRING),       FIELD("protocol", STRING), END,
};

static const struct lab_schema_field resources_fields[] = {
    ANY("claims"),
    FIELD("limits", QUANTITIES),
    FIELD("requests", QUANTITIES),
    END,
};

static const struct lab_schema_field capabilities_fields[] = {
    FIELD("add", STRINGS),
    FIELD("drop", STRINGS),
    END,
};

static const struct lab_schema_field seccomp_fields[] = {
    FIELD("localhostProfile", STRING),
    FIELD("type", STRING),
    END,
};

static const struct lab_schema_field container_security_fields[] = {
    FIELD("allowPrivilegeEscalation", BOOL),
    ANY("appArmorProfile"),
    OBJECT("capabilities", capabilities_fields),
    FIELD("privileged", BOOL),
    FIELD("procMount", STRING),
    FIELD("readOnlyRootFilesystem", BOOL),
    FIELD("runAsGroup", INT),
    FIELD("runAsNonRoot", BOOL),
    FIELD("runAsUser", INT),
    ANY("seLinuxOptions"),
    OBJECT("seccompProfile", seccomp_fields),
    ANY("windowsOptions"),
    END,
};

static const struct lab_schema_field volume_mount_fields[] = {
    FIELD("mountPath", STRING),
    FIELD("mountPropagation", STRING),
    FIELD("name", STRING),
    FIELD("readOnly", BOOL),
    FIELD("recursiveReadOnly", STRING),
    FIELD("subPath", STRING),
    FIELD("subPathExpr", STRING),
    END,
};

static const struct lab_schema_field container_fields[] = {
    FIELD("args", STRINGS),
    FIELD("command", STRINGS),
    OBJECTS("env", env_fields),
    ANY("envFrom"),
    FIELD("image", STRING),
    FIELD("imagePullPolicy", STRING),
    ANY("lifecycle"),
    OBJECT("livenessProbe", probe_fields),
    FIELD("name", STRING),
    OBJECTS("ports", container_port_fields),
    OBJECT("readinessProbe", probe_fields),
    ANY("resizePolicy"),
    OBJECT("resources", resources_fields),
    FIELD("restartPolicy", STRING),
    ANY("restartPolicyRules"),
    OBJECT("securityContext", container_security_fields),
    OBJECT("startupProbe", probe_fields),
    FIELD("stdin", BOOL),
    FIELD("stdinOnce", BOOL),
    FIELD("terminationMessagePath", STRING),
    FIELD("terminationMessagePolicy", STRING),
    FIELD("tty", BOOL),
    ANY("volumeDevices"),
    OBJECTS("volumeMounts", volume_mount_fields),
    FIELD("workingDir", STRING),
    END,
};

static const struct lab_schema_field key_to_path_fields[] = {
    FIELD("key", STRING),
    FIELD("mode", INT),
    FIELD("path", STRING),
    END,
};

static const struct lab_schema_field config_map_volume_fields[] = {
    FIELD("defaultMode", INT),
    OBJECTS("items", key_to_path_fields),
    FIELD("name", STRING),
    FIELD("optional", BOOL),
    END,
};

static const struct lab_schema_field secret_volume_fields[] = {
    FIELD("defaultMode", INT),
    OBJECTS("items", key_to_path_fields),
    FIELD("optional", BOOL),
    FIELD("secretName", STRING),
    END,
};

static const struct lab_schema_field empty_dir_fields[] = {
    FIELD("medium", STRING),
    FIELD("sizeLimit", INT_OR_STRING),
    END,
};

static const struct lab_schema_field volume_fields[] = {
    OBJECT("configMap", config_map_volume_fields),
    ANY("csi"),
    ANY("downwardAPI"),
    OBJECT("emptyDir", empty_dir_fields),
    ANY("ephemeral"),
    ANY("hostPath"),
    ANY("image"),
    FIELD("name", STRING),
    ANY("nfs"),
    ANY("persistentVolumeClaim"),
    ANY("projected"),
    OBJECT("secret", secret_volume_fields),
    END,
};

static const struct lab_schema_field pod_security_fields[] = {
    ANY("appArmorProfile"),
    FIELD("fsGroup", INT),
    FIELD("fsGroupChangePolicy", STRING),
    FIELD("runAsGroup", INT),
    FIELD("runAsNonRoot", BOOL),
    FIELD("runAsUser", INT),
    FIELD("seLinuxChangePolicy", STRING),
    ANY("seLinuxOptions"),
    OBJECT("seccompProfile", seccomp_fields),
    FIELD("supplementalGroups", INTS),
    FIELD("supplementalGroupsPolicy", STRING),
    ANY("sysctls"),
    ANY("windowsOptions"),
    END,
};

static const struct lab_schema_field pod_spec_fields[] = {
    FIELD("activeDeadlineSeconds", INT),
    ANY("affinity"),
    FIELD("automountServiceAccountToken", BOOL),
    OBJECTS("containers", container_fields),
    ANY("dnsConfig"),
    FIELD("dnsPolicy", STRING),
    FIELD("enableServiceLinks", BOOL),
    ANY("ephemeralContainers"),
    ANY("hostAliases"),
    FIELD("hostIPC", BOOL),
    FIELD("hostNetwork", BOOL),
    FIELD("hostPID", BOOL),
    FIELD("hostUsers", BOOL),
    FIELD("hostname", STRING),
    FIELD("hostnameOverride", STRING),
    ANY("imagePullSecrets"),
    OBJECTS("initContainers", container_fields),
    FIELD("nodeName", STRING),
    FIELD("nodeSelector", STRING_MAP),
    ANY("os"),
    FIELD("overhead", QUANTITIES),
    FIELD("preemptionPolicy", STRING),
    FIELD("priority", INT),
    FIELD("priorityClassName", STRING),
    ANY("readinessGates"),
    ANY("resourceClaims"),
    OBJECT("resources", resources_fields),
    FIELD("restartPolicy", STRING),
    FIELD("runtimeClassName", STRING),
    FIELD("schedulerName", STRING),
    ANY("schedulingGates"),
    OBJECT("securityContext", pod_security_fields),
    FIELD("serviceAccount", STRING),
    FIELD("serviceAccountName", STRING),
    FIELD("setHostnameAsFQDN", BOOL),
    FIELD("shareProcessNamespace", BOOL),
    FIELD("subdomain", STRING),
    FIELD("terminationGracePeriodSeconds", INT),
    ANY("tolerations"),
    ANY("topologySpreadConstraints"),
    OBJECTS("volumes", volume_fields),
    END,
};

static const struct lab_schema_field template_fields[] = {
    OBJECT("metadata", meta_fields),
    OBJECT("spec", pod_spec_fields),
    END,
};

/* ---- deployments ---- */

static const struct lab_schema_field selector_fields[] = {
    ANY("matchExpressions"),
    FIELD("matchLabels", STRING_MAP),
    END,
};

static const struct lab_schema_field rolling_fields[] = {
    FIELD("maxSurge", INT_OR_STRING),
    FIELD("maxUnavailable", INT_OR_STRING),
    END,
};

static const struct lab_schema_field strategy_fields[] = {
    OBJECT("rollingUpdate", rolling_fields),
    FIELD("type", STRING),
    END,
};

static const struct lab_schema_field deployment_spec_fields[] = {
    FIELD("minReadySeconds", INT),
    FIELD("paused", BOOL),
    FIELD("progressDeadlineSeconds", INT),
    FIELD("replicas", INT),
    FIELD("revisionHistoryLimit", INT),
    OBJECT("selector", selector_fields),
    OBJECT("strategy", strategy_fields),
    OBJECT("template", template_fields),
    END,
};

static const struct lab_schema_field deployment_fields[] = {
    FIELD("apiVersion", STRING),
    FIELD("kind", STRING),
    OBJECT("metadata", meta_fields),
    OBJECT("spec", deployment_spec_fields),
    ANY("status"),
    END,
};

const struct lab_schema_field *lab_schema_of_kind(const char *kind)
{
    if (charmi_same(kind, "ConfigMap")) {
        return config_map_fields;
    }
    if (charmi_same(kind, "Secret")) {
        return secret_fields;
    }
    if (charmi_same(kind, "Service")) {
        return service_fields;
    }
    return charmi_same(kind, "Deployment") ? deployment_fields : NULL;
}

/* ---- the check ---- */

struct check {
    struct charm_arena *arena;
    const char *kind;
    struct charm_error *reterr;
};

static const char *kind_name(enum charm_kind kind)
{
    static const char *const names[] = {
        [CHARM_NULL] = "null",     [CHARM_BOOL] = "bool",  [CHARM_INT] = "number",
        [CHARM_REAL] = "number",   [CHARM_LIST] = "array", [CHARM_MAP] = "object",
        [CHARM_STRING] = "string",
    };
    return names[kind];
}

static int wrong_type(const struct check *check, const char *path, const struct charm_value *value,
                      const char *wanted)
{
    return charm_error_set(check->reterr, CHARM_EINVAL,
                           "%s in version \"v1\" cannot be handled as a %s: json: cannot unmarshal "
                           "%s into Go struct field %s.%s of type %s",
                           check->kind, check->kind, kind_name(charm_value_kind(value)),
                           check->kind, path, wanted);
}

static int need_kind(const struct check *check, const char *path, const struct charm_value *value,
                     enum charm_kind kind, const char *wanted)
{
    return charm_value_kind(value) == kind ? 0 : wrong_type(check, path, value, wanted);
}

static int check_list_of(const struct check *check, const char *path,
                         const struct charm_value *value, enum charm_kind kind, const char *wanted)
{
    if (charm_value_kind(value) != CHARM_LIST) {
        return wrong_type(check, path, value, charm_arena_printf(check->arena, "[]%s", wanted));
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < charm_value_size(value); i++) {
        code = need_kind(check, path, charm_value_at(value, i), kind, wanted);
    }
    return code;
}

static int check_string_map(const struct check *check, const char *path,
                            const struct charm_value *value)
{
    if (charm_value_kind(value) != CHARM_MAP) {
        return wrong_type(check, path, value, "map[string]string");
    }
    CHARM_EACH(value, it)
    {
        const enum charm_kind kind = charm_value_kind(it.value);
        if (kind != CHARM_STRING && kind != CHARM_NULL) {
            return wrong_type(check, path, it.value, "string");
        }
    }
    return 0;
}

static int check_quantities(const struct check *check, const char *path,
                            const struct charm_value *value)
{
    if (charm_value_kind(value) != CHARM_MAP) {
        return wrong_type(check, path, value, "v1.ResourceList");
    }
    CHARM_EACH(value, it)
    {
        const enum charm_kind kind = charm_value_kind(it.value);
        if (kind != CHARM_STRING && kind != CHARM_INT && kind != CHARM_REAL) {
            return wrong_type(check, path, it.value, "resource.Quantity");
        }
    }
    return 0;
}

static int check_members(const struct check *check, const char *path,
                         const struct charm_value *value, const struct lab_schema_field *fields);

static int check_objects(const struct check *check, const char *path,
                         const struct charm_value *value, const struct lab_schema_field *fields)
{
    if (charm_value_kind(value) != CHARM_LIST) {
        return wrong_type(check, path, value, "[]object");
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < charm_value_size(value); i++) {
        code = check_members(check, charm_arena_printf(check->arena, "%s[%zu]", path, i),
                             charm_value_at(value, i), fields);
    }
    return code;
}

/* strict decoding: type of one field. NOLINTNEXTLINE(misc-no-recursion): depth is that of the tables */
static int check_field(const struct check *check, const char *path, const struct charm_value *value,
                       const struct lab_schema_field *field)
{
    const enum charm_kind kind = charm_value_kind(value);
    if (kind == CHARM_NULL) {
        return 0; /* as if it were not there */
    }
    switch (field->type) {
    case LAB_SCHEMA_ANY:
        return 0;
    case LAB_SCHEMA_STRING:
        return need_kind(check, path, value, CHARM_STRING, "string");
    case LAB_SCHEMA_INT:
        return need_kind(check, path, value, CHARM_INT, "int32");
    case LAB_SCHEMA_BOOL:
        return need_kind(check, path, value, CHARM_BOOL, "bool");
    case LAB_SCHEMA_INT_OR_STRING:
        return kind == CHARM_INT || kind == CHARM_STRING
                   ? 0
                   : wrong_type(check, path, value, "intstr.IntOrString");
    case LAB_SCHEMA_QUANTITIES:
        return check_quantities(check, path, value);
    case LAB_SCHEMA_STRINGS:
        return check_list_of(check, path, value, CHARM_STRING, "string");
    case LAB_SCHEMA_INTS:
        return check_list_of(check, path, value, CHARM_INT, "int64");
    case LAB_SCHEMA_STRING_MAP:
        return check_string_map(check, path, value);
    case LAB_SCHEMA_OBJECT:
        return check_members(check, path, value, field->members);
    case LAB_SCHEMA_OBJECTS:
        return check_objects(check, path, value, field->members);
    }
    return 0;
}

static const struct lab_schema_field *find_field(const struct lab_schema_field *fields,
                                                 const char *name)
{
    for (; fields->name != NULL; fields++) {
        if (charmi_same(fields->name, name)) {
            return fields;
        }
    }
    return NULL;
}

static int check_members(const struct check *check, const char *path,
                         const struct charm_value *value, const struct lab_schema_field *fields)
{
    if (charm_value_kind(value) != CHARM_MAP) {
        return wrong_type(check, path, value, "object");
    }
    int code = 0;
    CHARM_EACH(value, it)
    {
        const char *below =
            path[0] == '\0' ? it.key : charm_arena_printf(check->arena, "%s.%s", path, it.key);
        const struct lab_schema_field *field = find_field(fields, it.key);
        if (field == NULL) {
            return charm_error_set(check->reterr, CHARM_EINVAL,
                                   "%s in version \"v1\" cannot be handled as a %s: strict "
                                   "decoding error: unknown field \"%s\"",
                                   check->kind, check->kind, below);
        }
        code = check_field(check, below, it.value, field);
        if (code != 0) {
            return code;
        }
    }
    return code;
}

int lab_schema_check(struct charm_arena *arena, const char *kind,
                     const struct charm_value *manifest, struct charm_error *reterr)
{
    const struct lab_schema_field *fields = lab_schema_of_kind(kind);
    if (fields == NULL) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "no matches for kind \"%s\": the lab plays ConfigMap, Service and "
                               "Deployment",
                               kind);
    }
    const struct check check = { .arena = arena, .kind = kind, .reterr = reterr };
    return check_members(&check, "", manifest, fields);
}
