#include "charm/records.h"

#include <stdlib.h>
#include <string.h>

#include "charm/story.h"

/* More runs than any unit lives to see. */
#define NEXT_MAX (INT64_C(1) << 40)

static const char *path_of(struct charm_arena *arena, const char *dir, const char *name)
{
    return charm_arena_printf(arena, "%s/.charm/%s", dir, name);
}

/* A JSON map of a file, or NULL. `trouble`: takes the first reason why a file that is there cannot be read. */
static struct charm_value *read_map(struct charm_arena *arena, const struct charm_ports *ports,
                                    const char *dir, const char *name, struct charm_error *trouble)
{
    const char *bytes = NULL;
    size_t size = 0;
    struct charm_value *value = NULL;
    struct charm_error error = { 0 };
    int r = ports->file_read(ports->userdata, arena, path_of(arena, dir, name),
                             CHARMI_RECORD_MAX_BYTES * 2, &bytes, &size, &error);
    if (r < 0) {
        bool is_first = trouble != NULL && trouble->code == CHARM_OK;
        if (is_first && r != CHARM_ENOTFOUND) {
            *trouble = error;
        }
        return NULL;
    }
    if (charm_value_parse(arena, bytes, size, &value, NULL) < 0 ||
        charm_value_kind(value) != CHARM_MAP) {
        return NULL;
    }
    return value;
}

static int write_text(const struct charmi_records *records, const char *name, const char *text,
                      struct charm_error *reterr)
{
    const char *path = path_of(records->arena, records->dir, name);
    return records->ports->file_write(records->ports->userdata, path, text, strlen(text), reterr);
}

static int write_sent(const struct charmi_records *records, struct charm_error *reterr)
{
    return write_text(records, "sent.json",
                      charm_value_render(records->arena, records->sent, CHARM_JSON_SORTED), reterr);
}

void charmi_records_open(struct charmi_records *records, struct charm_arena *arena,
                         const struct charm_ports *ports, const char *charm_dir)
{
    *records = (struct charmi_records){ .ports = ports, .arena = arena, .dir = charm_dir };
    records->sent = read_map(arena, ports, charm_dir, "sent.json", NULL);
    if (records->sent == NULL ||
        charm_value_int(charm_value_get(records->sent, "format"), 0) != 1) {
        records->sent = charm_value_new_map(arena);
        charm_value_set_int(records->sent, "format", 1);
    }
}

const struct charm_value *charmi_records_sent(const struct charmi_records *records,
                                              const char *what)
{
    return charm_value_get(records->sent, what);
}

int charmi_records_forget(struct charmi_records *records, const char *what,
                          struct charm_error *reterr)
{
    if (charm_value_get(records->sent, what) == NULL) {
        return 0;
    }
    charm_value_remove(records->sent, what);
    return write_sent(records, reterr);
}

int charmi_records_keep(struct charmi_records *records, const char *what,
                        const struct charm_value *value, struct charm_error *reterr)
{
    charm_value_set(records->sent, what, value);
    return write_sent(records, reterr);
}

int64_t charmi_records_next(const struct charmi_records *records)
{
    /* A damaged file must neither overflow nor choose other names for files. */
    int64_t next = charm_value_int(charm_value_get(records->sent, "next"), 1);
    return next < 1 || next > NEXT_MAX ? 1 : next;
}

int charmi_records_add(struct charmi_records *records, const struct charm_value *record,
                       struct charm_error *reterr)
{
    const char *text = charmi_story_record_text(records->arena, record);
    if (charmi_story_is_steady(record)) {
        return write_text(records, "steady.json", text, reterr);
    }
    int64_t number = charmi_records_next(records);
    charm_value_set_int(records->sent, "next", number + 1);
    int r = write_sent(records, reterr);
    if (r < 0) {
        return r;
    }
    return write_text(
        records,
        charm_arena_printf(records->arena, "run-%d.json", (int)(number % CHARMI_RECORDS_KEPT)),
        text, reterr);
}

/* By time, then by number; texts of equal form sort as times do. */
static int latest_first(const void *left, const void *right)
{
    const struct charm_value *a = *(const struct charm_value *const *)left;
    const struct charm_value *b = *(const struct charm_value *const *)right;
    int order = strcmp(charm_text(charm_value_get(b, "at")), charm_text(charm_value_get(a, "at")));
    if (order != 0) {
        return order;
    }
    int64_t number_a = charm_value_int(charm_value_get(a, "run"), 0);
    int64_t number_b = charm_value_int(charm_value_get(b, "run"), 0);
    return (number_a < number_b) - (number_a > number_b);
}

const struct charm_value *const *charmi_records_all(struct charm_arena *arena,
                                                    const struct charm_ports *ports,
                                                    const char *charm_dir,
                                                    struct charm_error *ret_trouble)
{
    *ret_trouble = (struct charm_error){ 0 };
    const struct charm_value **all =
        charm_arena_array(arena, CHARMI_RECORDS_KEPT + 2, sizeof(*all));
    size_t count = 0;
    for (int i = -1; i < CHARMI_RECORDS_KEPT; i++) {
        const char *name = i < 0 ? "steady.json" : charm_arena_printf(arena, "run-%d.json", i);
        const struct charm_value *record = read_map(arena, ports, charm_dir, name, ret_trouble);
        if (record != NULL) {
            all[count++] = record;
        }
    }
    qsort(all, count, sizeof(*all), latest_first);
    return all;
}
