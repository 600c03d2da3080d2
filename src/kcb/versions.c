#include "kcb/versions.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* ---- version ---- */

#define PARTS_MAX 4

/* Reads digits and dots from the start of `text` into `part`; returns how many parts, `*ret_end` what follows. */
static int read_parts(const char *text, int part[PARTS_MAX], const char **ret_end)
{
    int parts = 0;
    const char *at = text;
    while (parts < PARTS_MAX && isdigit((unsigned char)*at)) {
        int number = 0;
        for (; isdigit((unsigned char)*at) && number < 10000; at++) {
            number = number * 10 + (*at - '0');
        }
        part[parts++] = number;
        if (at[0] != '.' || !isdigit((unsigned char)at[1])) {
            break;
        }
        at++;
    }
    *ret_end = at;
    return parts;
}

int kcbi_version_parse(const char *text, struct kcbi_version *ret_version,
                       struct charm_error *reterr)
{
    int part[PARTS_MAX] = { 0 };
    const char *end = text;
    const int parts = read_parts(text, part, &end);
    const struct kcbi_version version = { part[0], part[1], part[2] };
    if (parts == 0 || *end != '\0' || !kcbi_version_at_least(version, 0, 10, 0)) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "read version '%.40s': use a version from 0.10 on, such as 3.9.1",
                               text);
    }
    *ret_version = version;
    return 0;
}

bool kcbi_version_before(const char *text, int major, int minor)
{
    int part[PARTS_MAX] = { 0 };
    const char *end = text;
    return read_parts(text, part, &end) >= 2 &&
           !kcbi_version_at_least((struct kcbi_version){ part[0], part[1], part[2] }, major, minor,
                                  0);
}

int kcbi_version_compare(struct kcbi_version left, struct kcbi_version right)
{
    if (left.major != right.major) {
        return left.major - right.major;
    }
    if (left.minor != right.minor) {
        return left.minor - right.minor;
    }
    return left.patch - right.patch;
}

bool kcbi_version_at_least(struct kcbi_version version, int major, int minor, int patch)
{
    return kcbi_version_compare(version, (struct kcbi_version){ major, minor, patch }) >= 0;
}

const char *kcbi_version_text(struct charm_arena *arena, struct kcbi_version version)
{
    return charm_arena_printf(arena, "%d.%d.%d", version.major, version.minor, version.patch);
}

/* ---- image ---- */

/* The last two segments of the repository: "docker.io/apache/kafka" -> "apache/kafka". */
static const char *short_repository(const char *repository)
{
    const char *last = strrchr(repository, '/');
    const char *at = last;
    while (at != NULL && at > repository && at[-1] != '/') {
        at--;
    }
    return at == NULL ? repository : at;
}

static enum kcbi_image_kind kind_of(const char *repository)
{
    const char *name = short_repository(repository);
    if (charmi_same(name, "apache/kafka")) {
        return KCBI_IMAGE_APACHE;
    }
    return charmi_same(name, KCBI_ORIGINAL_IMAGE) ? KCBI_IMAGE_ORIGINAL : KCBI_IMAGE_OTHER;
}

/* Apache's tags are "4.1.0" and "4.1.0-rc1"; no other image's tag says what Kafka is inside. */
static void read_tag(struct kcbi_image *image)
{
    if (image->kind == KCBI_IMAGE_ORIGINAL) {
        image->version = (struct kcbi_version){ 0, 10, 1 };
        image->has_version = true;
        return;
    }
    int part[PARTS_MAX] = { 0 };
    const char *end = image->tag;
    const int parts = read_parts(image->tag, part, &end);
    const struct kcbi_version version = { part[0], part[1], part[2] };
    image->has_version = image->kind == KCBI_IMAGE_APACHE && parts >= 2 && parts <= 3 &&
                         (*end == '\0' || *end == '-') && kcbi_version_at_least(version, 0, 10, 0);
    if (image->has_version) {
        image->version = version;
    }
}

struct kcbi_image kcbi_image_read(struct charm_arena *arena, const char *image)
{
    struct kcbi_image read = { .name = charm_arena_copy(arena, image == NULL ? "" : image) };
    char *repository = charm_arena_copy_n(arena, read.name, strcspn(read.name, "@"));
    /* A colon before the last slash belongs to the registry's port. */
    char *slash = strrchr(repository, '/');
    char *colon = strchr(slash == NULL ? repository : slash, ':');
    read.tag = "";
    if (colon != NULL) {
        *colon = '\0';
        read.tag = colon + 1;
    }
    read.kind = kind_of(repository);
    read_tag(&read);
    return read;
}

int kcbi_version_choose(const char *option, const struct kcbi_image *image,
                        struct kcbi_version *ret_version, struct charm_error *reterr)
{
    if (!charmi_blank(option)) {
        const int code = kcbi_version_parse(option, ret_version, reterr);
        return code == 0 ? 0 : charm_error_wrap(reterr, "option worker-version");
    }
    if (image->has_version) {
        *ret_version = image->version;
        return 0;
    }
    return kcbi_version_parse(strchr(KCBI_DEFAULT_IMAGE, ':') + 1, ret_version, reterr);
}

/* ---- what follows ---- */

struct kcbi_traits kcbi_version_traits(struct kcbi_version version)
{
    /* kafka-connect.md 2.1, 2.7 */
    return (struct kcbi_traits){
        .internal_converters = !kcbi_version_at_least(version, 2, 0, 0),
        .rest_port = !kcbi_version_at_least(version, 1, 1, 0),
        .creates_topics = kcbi_version_at_least(version, 0, 11, 0),
        .plugin_path = kcbi_version_at_least(version, 0, 11, 0),
        .client_override = kcbi_version_at_least(version, 2, 3, 0),
        .expand = kcbi_version_at_least(version, 2, 3, 0),
        .broker_replication = kcbi_version_at_least(version, 2, 6, 0),
        .topic_creation = kcbi_version_at_least(version, 2, 6, 0),
        .file_plugin = kcbi_version_at_least(version, 3, 1, 1),
        .env_provider = kcbi_version_at_least(version, 3, 5, 0),
        .own_providers = kcbi_version_at_least(version, 2, 3, 0),
        /* Not /health: it fails while Kafka is away, and killing workers brings no broker back. */
        .alive_path = "/",
        .ready_path = kcbi_version_at_least(version, 3, 9, 0) ? "/health" : "/connectors",
    };
}

bool kcbi_version_refused(struct kcbi_version version, int fetch_min_version)
{
    return fetch_min_version >= 4 && !kcbi_version_at_least(version, 2, 1, 0);
}
