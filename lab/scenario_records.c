/* What the charm keeps beside itself (.charm/): files of its process, or texts of the skin. */
#define _GNU_SOURCE
#include "lab/scenario.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_RECORD = 4 * 1024 * 1024, MOST_RECORDS = 1000 };

/* ---- of a process ---- */

struct record {
    const char *name;
    const char *path;
    struct timespec written;
};

static const char *read_text(struct charm_arena *arena, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return "";
    }
    struct charmi_buf text = charmi_buf_init(LARGEST_RECORD);
    char piece[16384];
    for (size_t got = 1; got > 0;) {
        got = fread(piece, 1, sizeof(piece), file);
        charmi_buf_add_n(&text, piece, got);
    }
    fclose(file);
    return charmi_buf_into(&text, arena);
}

static int oldest_first(const void *left, const void *right)
{
    const struct timespec *a = &((const struct record *)left)->written;
    const struct timespec *b = &((const struct record *)right)->written;
    return a->tv_sec != b->tv_sec ? (a->tv_sec > b->tv_sec) - (a->tv_sec < b->tv_sec)
                                  : (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

static size_t list_records(struct charm_arena *arena, const char *place, struct record *ret)
{
    size_t count = 0;
    DIR *dir = opendir(place);
    for (const struct dirent *entry = dir == NULL ? NULL : readdir(dir);
         entry != NULL && count < MOST_RECORDS; entry = readdir(dir)) {
        const char *path = charm_arena_printf(arena, "%s/%s", place, entry->d_name);
        struct stat info;
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
            ret[count++] =
                (struct record){ charm_arena_copy(arena, entry->d_name), path, info.st_mtim };
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    qsort(ret, count, sizeof(*ret), oldest_first);
    return count;
}

static void read_files(struct lab_scene *scene, const struct lab_unit *unit,
                       struct charm_value *records)
{
    struct charm_arena *arena = scene->arena;
    struct record *list = charm_arena_array(arena, MOST_RECORDS, sizeof(*list));
    const size_t count = list_records(
        arena, charm_arena_printf(arena, "%s/.charm", lab_scene_charm_dir(scene, unit)), list);
    for (size_t i = 0; i < count; i++) {
        charm_value_set_text(records, list[i].name, read_text(arena, list[i].path));
    }
}

/* ---- of the skin ---- */

static void take_texts(const struct lab_scene *scene, const struct lab_unit *unit,
                       struct charm_value *records)
{
    CHARM_EACH(scene->skin == NULL ? NULL : lab_skin_files(scene->skin, unit), it)
    {
        const char *place = strstr(it.key, "/.charm/");
        if (place != NULL) {
            charm_value_set(records, place + strlen("/.charm/"), it.value);
        }
    }
}

const struct charm_value *lab_scene_records(struct lab_scene *scene, const struct lab_unit *unit)
{
    struct charm_value *records = charm_value_new_map(scene->arena);
    if (scene->inside) {
        take_texts(scene, unit, records);
    } else {
        read_files(scene, unit, records);
    }
    return records;
}
