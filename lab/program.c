#define _GNU_SOURCE
#include "lab/program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *lab_path_whole(struct charm_arena *arena, const char *path)
{
    char whole[PATH_MAX];
    return path == NULL || realpath(path, whole) == NULL ? NULL : charm_arena_copy(arena, whole);
}

const char *lab_program_beside(struct charm_arena *arena, const char *name)
{
    char path[PATH_MAX];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (size <= 0) {
        return NULL;
    }
    path[size] = '\0';
    *strrchr(path, '/') = '\0';
    return lab_path_whole(arena, charm_arena_printf(arena, "%s/%s", path, name));
}
