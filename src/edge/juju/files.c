#include "edge/juju/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "edge/juju/clock.h"
#include "edge/juju/fd.h"

enum { READ_BYTES = 64 * 1024 };

/* ---- read ---- */

static int cannot_open(const char *path, int os_errno, struct charm_error *reterr)
{
    switch (os_errno) {
    case ENOENT:
    case ENOTDIR:
        return charm_error_set(reterr, CHARM_ENOTFOUND, "read %s: there is no such file", path);
    case ELOOP:
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "read %s: it is a symbolic link, which is not followed here", path);
    case EACCES:
    case EPERM:
        return charm_error_set(reterr, CHARM_EREFUSED, "read %s: %s", path, strerror(os_errno));
    default:
        return charm_error_os(reterr, os_errno, "read %s", path);
    }
}

static int open_regular(const char *path, enum charmi_links links, int *ret_fd,
                        struct charm_error *reterr)
{
    /* Without O_NONBLOCK, opening a named pipe would wait for a writer. */
    const int follow = links == CHARMI_LINKS_REFUSED ? O_NOFOLLOW : 0;
    charmi_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | follow);
    if (fd < 0) {
        return cannot_open(path, errno, reterr);
    }
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return charm_error_os(reterr, errno, "read %s", path);
    }
    if (!S_ISREG(about.st_mode)) {
        return charm_error_set(reterr, CHARM_EREFUSED, "read %s: it is no regular file", path);
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int charmi_file_read(struct charm_arena *arena, const char *path, size_t max_bytes,
                     enum charmi_links links, const char **ret_bytes, size_t *ret_size,
                     struct charm_error *reterr)
{
    charmi_auto_close int fd = -1;
    const int result = open_regular(path, links, &fd, reterr);
    if (result != 0) {
        return result;
    }
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init(max_bytes);
    char bytes[READ_BYTES];
    ssize_t size;
    while ((size = read(fd, bytes, sizeof(bytes))) != 0 && !buf.overflow) {
        if (size > 0) {
            charmi_buf_add_n(&buf, bytes, (size_t)size);
        } else if (errno != EINTR) {
            return charm_error_os(reterr, errno, "read %s", path);
        }
    }
    if (buf.overflow) {
        return charm_error_set(reterr, CHARM_ETOOBIG, "read %s: it is larger than %zu bytes", path,
                               max_bytes);
    }
    *ret_size = buf.size;
    *ret_bytes = charm_arena_copy_n(arena, charmi_buf_text(&buf), buf.size);
    return 0;
}

/* ---- write ---- */

enum { LONGEST_NAME = 200, LONGEST_FOLDER = 3800 };

/* A path cut at its last slash. */
struct place {
    char folder[LONGEST_FOLDER + 1];
    const char *name; /* borrowed from the path */
};

static int cut(struct place *ret_place, const char *path, struct charm_error *reterr)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const size_t folder_size = slash != NULL ? (size_t)(slash - path) : 0;
    if (name[0] == '\0' || strlen(name) > LONGEST_NAME || folder_size > LONGEST_FOLDER) {
        return charm_error_set(reterr, CHARM_EINVAL, "write %s: no name that a file can have",
                               path);
    }
    if (folder_size > 0) {
        memcpy(ret_place->folder, path, folder_size);
        ret_place->folder[folder_size] = '\0';
    } else {
        strncpy(ret_place->folder, slash != NULL ? "/" : ".", 2);
    }
    ret_place->name = name;
    return 0;
}

/* O_NOFOLLOW: a link in the folder's place would let somebody else choose where we write. */
static int open_folder(const struct place *place, int *ret_fd, struct charm_error *reterr)
{
    if (mkdir(place->folder, 0700) != 0 && errno != EEXIST) {
        return charm_error_os(reterr, errno, "make folder %s", place->folder);
    }
    const int fd = open(place->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        *ret_fd = fd;
        return 0;
    }
    if (errno == ELOOP || errno == ENOTDIR) {
        return charm_error_set(reterr, CHARM_EREFUSED,
                               "write into %s: it is a symbolic link or no folder", place->folder);
    }
    return charm_error_os(reterr, errno, "open folder %s", place->folder);
}

/* Returns 0 or an errno. */
static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* Returns 0 or an errno; leaves no temporary file behind. */
static int replace(int folder, const char *name, const char *bytes, size_t size)
{
    char temporary[LONGEST_NAME + 32];
    snprintf(temporary, sizeof(temporary), ".%s.%016" PRIx64, name, charmi_random());
    charmi_auto_close int fd =
        openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    int os_errno = write_all(fd, bytes, size);
    if (os_errno == 0 && renameat(folder, temporary, folder, name) != 0) {
        os_errno = errno;
    }
    if (os_errno != 0) {
        unlinkat(folder, temporary, 0);
        return os_errno;
    }
    return 0;
}

int charmi_file_write(const char *path, const char *bytes, size_t size, struct charm_error *reterr)
{
    struct place place;
    charmi_auto_close int folder = -1;
    int result = cut(&place, path, reterr);
    if (result == 0) {
        result = open_folder(&place, &folder, reterr);
    }
    if (result != 0) {
        return result;
    }
    const int os_errno = replace(folder, place.name, bytes, size);
    return os_errno == 0 ? 0 : charm_error_os(reterr, os_errno, "write %s", path);
}
