#include "kcb/names.h"

#include <ctype.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

/* Longest name of a topic (Kafka: Topic.java), and of a label's value (Kubernetes: validation.go). */
#define LABEL_VALUE_MAX 63

static int make_topic(struct charm_arena *arena, const char *prefix, const char *what,
                      const char **ret_topic, struct charm_error *reterr)
{
    const char *topic = charm_arena_printf(arena, "%s.connect%s", prefix, what);
    if (strlen(topic) > KCBI_TOPIC_NAME_MAX) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "name the internal topics: option topic-prefix, or the names of "
                               "model and application, make %zu bytes, Kafka takes %d",
                               strlen(topic), KCBI_TOPIC_NAME_MAX);
    }
    for (const char *at = topic; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL) {
            return charm_error_set(reterr, CHARM_EINVAL,
                                   "name the internal topics: Kafka takes only letters, digits "
                                   "and ._- in a name, not those of model and application");
        }
    }
    *ret_topic = topic;
    return 0;
}

int kcbi_names_make(struct charm_arena *arena, const char *model, const char *model_uuid,
                    const char *application, const char *prefix, struct kcbi_names *ret_names,
                    struct charm_error *reterr)
{
    if (charmi_blank(model) || charmi_blank(model_uuid) || charmi_blank(application)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "name the application's objects: model, its uuid and the "
                               "application must be known");
    }
    struct kcbi_names names = {
        .model = charm_arena_copy(arena, model),
        .model_uuid = charm_arena_copy(arena, model_uuid),
        .application = charm_arena_copy(arena, application),
    };
    const char *seed = charm_arena_printf(arena, "%s%s", model_uuid, application);
    names.uuid = charmi_md5(arena, seed, strlen(seed));
    names.config_map = charm_arena_printf(arena, "cfgmap-%s", names.uuid);
    names.secret = charm_arena_printf(arena, "secret-%s", names.uuid);
    names.service = charm_arena_printf(arena, "svc-%s", names.uuid);
    names.deployment = charm_arena_printf(arena, "depl-%s", names.uuid);

    const bool named = !charmi_blank(prefix);
    const char *start = named ? prefix : charm_arena_printf(arena, "%s.%s", model, application);
    names.group = charm_arena_copy(arena, named ? prefix : application);
    int code = make_topic(arena, start, "configs", &names.configs_topic, reterr);
    if (code == 0) {
        code = make_topic(arena, start, "offsets", &names.offsets_topic, reterr);
    }
    if (code == 0) {
        code = make_topic(arena, start, "status", &names.status_topic, reterr);
    }
    if (code == 0) {
        *ret_names = names;
    }
    return code;
}

struct charm_value *kcbi_names_selector(struct charm_arena *arena, const struct kcbi_names *names)
{
    struct charm_value *selector = charm_value_new_map(arena);
    charm_value_set_text(selector, "app", names->uuid);
    return selector;
}

struct charm_value *kcbi_names_labels(struct charm_arena *arena, const struct kcbi_names *names)
{
    struct charm_value *labels = kcbi_names_selector(arena, names);
    charm_value_set_text(labels, "app.kubernetes.io/component", "worker");
    charm_value_set_text(labels, "app.kubernetes.io/instance",
                         kcbi_label_value(arena, names->application));
    /* Not "juju": Juju selects the objects of its own Kubernetes models by that value. */
    charm_value_set_text(labels, "app.kubernetes.io/managed-by", "kafka-connect-base");
    charm_value_set_text(labels, "app.kubernetes.io/name", "kafka-connect");
    charm_value_set_text(labels, "app.kubernetes.io/part-of",
                         kcbi_label_value(arena, names->model));
    return labels;
}

static bool is_label_value(const char *text)
{
    const size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        const bool inner = i > 0 && i + 1 < size;
        if (!isalnum((unsigned char)text[i]) && !(inner && strchr("-_.", text[i]) != NULL)) {
            return false;
        }
    }
    return size <= LABEL_VALUE_MAX;
}

const char *kcbi_label_value(struct charm_arena *arena, const char *text)
{
    if (is_label_value(text)) {
        return charm_arena_copy(arena, text);
    }
    char kept[LABEL_VALUE_MAX - sizeof("-01234567") + 2];
    size_t size = 0;
    for (const char *at = text; *at != '\0' && size + 1 < sizeof(kept); at++) {
        if (isalnum((unsigned char)*at)) {
            kept[size++] = *at;
        } else if (size > 0) {
            kept[size++] = '-';
        }
    }
    kept[size] = '\0';
    const char *digest = charmi_sha256(arena, text, strlen(text));
    return charm_arena_printf(arena, "%s%s%.8s", kept, size > 0 ? "-" : "", digest);
}
