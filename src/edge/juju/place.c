#include "edge/juju/place.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "edge/juju/files.h"

enum { FOLDERS_UP = 3, LONGEST_PATH = 4096, LONGEST_VERSION = 4096 };

const char *charmi_place_find(struct charm_arena *arena, const char *told)
{
    if (told[0] != '\0') {
        return told;
    }
    char path[LONGEST_PATH];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (size < 0) {
        return "";
    }
    path[size] = '\0';
    for (int i = 0; i < FOLDERS_UP; i++) {
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            break;
        }
        *slash = '\0';
        const char *metadata = charm_arena_printf(arena, "%s/metadata.yaml", path);
        if (access(metadata, F_OK) == 0) {
            return charm_arena_copy(arena, path);
        }
    }
    return "";
}

const char *charmi_place_version(struct charm_arena *arena, const char *charm_dir)
{
    const char *bytes;
    size_t size;
    const char *path = charm_arena_printf(arena, "%s/version", charm_dir);
    if (charmi_file_read(arena, path, LONGEST_VERSION, CHARMI_LINKS_FOLLOWED, &bytes, &size,
                         NULL) != 0) {
        return "";
    }
    return charm_arena_copy_n(arena, bytes, strcspn(bytes, "\r\n"));
}
