/*
 * edge/juju/files.h: whole files, read with a ceiling and replaced at once.
 *
 * Invariants. A reader of a file that charmi_file_write() replaces sees the old bytes or the new ones, never a mixture,
 * also after a crash. Only regular files are read: a device or a pipe under the name is an error, not a wait. What
 * we write is for the owner alone (0600, folders 0700).
 *
 *     const char *bytes;
 *     size_t size;
 *     int result = charmi_file_read(arena, path, 1 << 20, CHARMI_LINKS_REFUSED, &bytes, &size, &error);
 *
 * May include: charm/arena.h, charm/error.h.
 */
#ifndef CHARMI_FILES_H
#define CHARMI_FILES_H

#include <stddef.h>

#include "charm/arena.h"
#include "charm/error.h"

/* May the last part of a path be a symbolic link? Not where others might have put one for us. */
enum charmi_links { CHARMI_LINKS_REFUSED, CHARMI_LINKS_FOLLOWED };

/*
 * The whole file, NUL-terminated, owned by the arena. CHARM_ENOTFOUND: there is none; CHARM_ETOOBIG: more than
 * `max_bytes`; CHARM_EREFUSED: a link, no regular file, or no right to read it.
 */
CHARM_MUST_CHECK int charmi_file_read(struct charm_arena *arena, const char *path, size_t max_bytes,
                                      enum charmi_links links, const char **ret_bytes,
                                      size_t *ret_size, struct charm_error *reterr);

/*
 * Replaces the file through a temporary one beside it (rename; not flushed to the disk, see docs/decisions/004). A
 * missing folder is made, its parent must exist; a folder that is a symbolic link is refused (CHARM_EREFUSED). A link in
 * the file's place is replaced, not followed.
 */
CHARM_MUST_CHECK int charmi_file_write(const char *path, const char *bytes, size_t size,
                                       struct charm_error *reterr);

#endif
