#include "lab/cluster_sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "lab/net.h"

/* Where the worker's root shows the machine's own. */
#define HOST "/.host"

/* ---- namespaces ---- */

static int write_proc(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    const ssize_t size = write(fd, text, strlen(text));
    close(fd);
    return size == (ssize_t)strlen(text) ? 0 : -1;
}

int lab_unshare(int flags, struct charm_error *reterr)
{
    const unsigned uid = getuid();
    const unsigned gid = getgid();
    if (unshare(flags) == 0) {
        return 0;
    }
    if (unshare(flags | CLONE_NEWUSER) != 0) {
        return charm_error_os(reterr, errno, "make namespaces");
    }
    char user_map[64];
    char group_map[64];
    snprintf(user_map, sizeof(user_map), "0 %u 1", uid);
    snprintf(group_map, sizeof(group_map), "0 %u 1", gid);
    if (write_proc("/proc/self/setgroups", "deny") != 0 ||
        write_proc("/proc/self/uid_map", user_map) != 0 ||
        write_proc("/proc/self/gid_map", group_map) != 0) {
        return charm_error_os(reterr, errno, "map the user into a user namespace");
    }
    return 0;
}

/* ---- the network ---- */

static int in_network(int network, const char *lines, struct charm_error *reterr)
{
    if (setns(network, CLONE_NEWNET) != 0) {
        return charm_error_os(reterr, errno, "enter a network namespace");
    }
    return lab_net_ip(lines, reterr);
}

static int make_network(const struct lab_sandbox *sandbox, struct charm_error *reterr)
{
    char lines[600];
    snprintf(lines, sizeof(lines),
             "link set lo up\n"
             "link add eth0 type veth peer name %s netns %d\n"
             "addr add %s/%d dev eth0\n"
             "link set eth0 up\n"
             "route add default via %s\n",
             sandbox->link, (int)sandbox->daemon, sandbox->address, LAB_NET_PREFIX,
             LAB_NET_GATEWAY);
    char cable[200];
    snprintf(cable, sizeof(cable), "link set %s master %s\nlink set %s up\n", sandbox->link,
             LAB_NET_BRIDGE, sandbox->link);
    const int outside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int code = lab_unshare(CLONE_NEWNET, reterr);
    const int inside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (code == 0) {
        code = in_network(inside, lines, reterr);
    }
    if (code == 0) {
        code = in_network(outside, cable, reterr);
    }
    if (code == 0 && setns(inside, CLONE_NEWNET) != 0) {
        code = charm_error_os(reterr, errno, "return to the worker's network namespace");
    }
    close(outside);
    close(inside);
    return code;
}

/* ---- the root ---- */

static int bind_mount(const char *source, const char *target, struct charm_error *reterr)
{
    if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) != 0) {
        return charm_error_os(reterr, errno, "bind %s to %s", source, target);
    }
    return 0;
}

static void make_read_only(const char *target)
{
    CHARMI_IGNORE(mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL),
                  "in a user namespace the kernel may keep a mount's flags");
}

/* Makes an empty file or directory like `source` that it can be bound to. */
static int make_like(const char *source, const char *target, struct charm_error *reterr)
{
    struct stat like;
    if (stat(source, &like) != 0) {
        return charm_error_os(reterr, errno, "bind %s", source);
    }
    struct stat there;
    if (lstat(target, &there) == 0 && S_ISLNK(there.st_mode) && unlink(target) != 0) {
        return charm_error_os(reterr, errno, "clear the way for %s", target);
    }
    if (S_ISDIR(like.st_mode)) {
        return mkdir(target, 0755) == 0 || errno == EEXIST
                   ? 0
                   : charm_error_os(reterr, errno, "make %s", target);
    }
    const int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return charm_error_os(reterr, errno, "make %s", target);
    }
    close(fd);
    return 0;
}

/*
 * The directory PATH of the new root becomes one of ours, in which each entry is a link to the machine's: so that
 * something can be put beside what is there without touching it.
 */
static int make_farm(const char *root, const char *path, struct charm_error *reterr)
{
    char here[2 * PATH_MAX];
    char original[2 * PATH_MAX + 8];
    snprintf(here, sizeof(here), "%s%s", root, path);
    snprintf(original, sizeof(original), "%s" HOST "%s", root, path);
    struct stat there;
    if (lstat(here, &there) == 0 && S_ISLNK(there.st_mode) && unlink(here) != 0) {
        return charm_error_os(reterr, errno, "clear the way for %s", here);
    }
    if (mkdir(here, 0755) != 0) {
        return errno == EEXIST ? 0 : charm_error_os(reterr, errno, "make %s", here);
    }
    DIR *dir = opendir(original);
    if (dir == NULL) {
        return 0; /* the machine has no such directory */
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char link_path[2 * PATH_MAX + 300];
        char to[PATH_MAX + 300];
        snprintf(link_path, sizeof(link_path), "%s/%s", here, entry->d_name);
        snprintf(to, sizeof(to), HOST "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            CHARMI_IGNORE(symlink(to, link_path), "a missing neighbour hurts nobody");
        }
    }
    closedir(dir);
    return 0;
}

/* Every directory above `target`. */
static int make_parents(const char *root, const char *target, struct charm_error *reterr)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s", target);
    int code = 0;
    for (char *slash = strchr(path + 1, '/'); code == 0 && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        code = make_farm(root, path, reterr);
        *slash = '/';
    }
    return code;
}

static int put_binds(const struct lab_sandbox *sandbox, struct charm_error *reterr)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < sandbox->bind_count; i++) {
        const struct lab_bind *it = &sandbox->binds[i];
        char target[PATH_MAX];
        snprintf(target, sizeof(target), "%s%s", sandbox->root, it->target);
        code = make_parents(sandbox->root, it->target, reterr);
        if (code == 0) {
            code = make_like(it->source, target, reterr);
        }
        if (code == 0) {
            code = bind_mount(it->source, target, reterr);
        }
        if (code == 0 && it->read_only) {
            make_read_only(target);
        }
    }
    return code;
}

static bool is_name_of_ours(const struct lab_sandbox *sandbox, const char *name)
{
    for (size_t i = 0; i < sandbox->bind_count; i++) {
        const char *target = sandbox->binds[i].target + 1;
        const size_t size = strcspn(target, "/");
        if (strlen(name) == size && strncmp(target, name, size) == 0) {
            return true;
        }
    }
    return false;
}

static int bind_top(const struct lab_sandbox *sandbox, const char *name, struct charm_error *reterr)
{
    char source[PATH_MAX];
    char target[PATH_MAX + 300];
    snprintf(source, sizeof(source), "/%s", name);
    snprintf(target, sizeof(target), "%s/%s", sandbox->root, name);
    struct stat info;
    if (lstat(source, &info) != 0) {
        return 0;
    }
    if (S_ISLNK(info.st_mode)) {
        char to[PATH_MAX];
        const ssize_t size = readlink(source, to, sizeof(to) - 1);
        to[size > 0 ? size : 0] = '\0';
        return symlink(to, target) == 0 ? 0 : charm_error_os(reterr, errno, "link %s", target);
    }
    const int code = make_like(source, target, reterr);
    if (code != 0) {
        return code;
    }
    const bool kernel =
        strcmp(name, "proc") == 0 || strcmp(name, "sys") == 0 || strcmp(name, "dev") == 0;
    if (bind_mount(source, target, reterr) != 0) {
        return CHARM_EFAILED;
    }
    if (sandbox->read_only && !kernel) {
        make_read_only(target);
    }
    return 0;
}

/* Directories of / that nothing of ours goes into are bound as they are. */
static int bind_tops(const struct lab_sandbox *sandbox, struct charm_error *reterr)
{
    DIR *dir = opendir("/");
    if (dir == NULL) {
        return charm_error_os(reterr, errno, "read /");
    }
    int code = 0;
    for (const struct dirent *entry = readdir(dir); code == 0 && entry != NULL;
         entry = readdir(dir)) {
        if (entry->d_name[0] != '.' && !is_name_of_ours(sandbox, entry->d_name)) {
            code = bind_top(sandbox, entry->d_name, reterr);
        }
    }
    closedir(dir);
    return code;
}

static int make_root(const struct lab_sandbox *sandbox, struct charm_error *reterr)
{
    char host[PATH_MAX];
    snprintf(host, sizeof(host), "%s" HOST, sandbox->root);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", sandbox->root, "tmpfs", 0, "mode=0755") != 0 || mkdir(host, 0755) != 0) {
        return charm_error_os(reterr, errno, "make a root for the worker");
    }
    int code = bind_mount("/", host, reterr);
    if (code == 0) {
        code = bind_tops(sandbox, reterr);
    }
    if (code == 0) {
        code = put_binds(sandbox, reterr);
    }
    if (code == 0 && sandbox->read_only &&
        mount(NULL, sandbox->root, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0) {
        code = charm_error_os(reterr, errno, "make the root read-only");
    }
    if (code == 0 && (chroot(sandbox->root) != 0 || chdir("/") != 0)) {
        code = charm_error_os(reterr, errno, "enter the worker's root");
    }
    return code;
}

int lab_sandbox_enter(void *userdata)
{
    const struct lab_sandbox *sandbox = userdata;
    struct charm_error error = { 0 };
    int code = sandbox->network ? make_network(sandbox, &error) : 0;
    if (code == 0 && sandbox->mounts) {
        code = lab_unshare(CLONE_NEWNS | CLONE_NEWUTS, &error);
        if (code == 0) {
            CHARMI_IGNORE(sethostname(sandbox->hostname, strlen(sandbox->hostname)),
                          "/etc/hosts has the name too");
            code = make_root(sandbox, &error);
        }
    }
    if (code != 0) {
        dprintf(2, "lab: %s\n", error.text);
        return 125;
    }
    /* entering a user namespace has taken the promise back */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return 0;
}

bool lab_sandbox_can_mount(const char *dir, struct charm_error *reterr)
{
    const pid_t pid = fork();
    if (pid == 0) {
        struct charm_error error = { 0 };
        const bool fine = lab_unshare(CLONE_NEWNS | CLONE_NEWUTS, &error) == 0 &&
                          mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                          mount("tmpfs", dir, "tmpfs", 0, "mode=0755") == 0;
        _exit(fine ? 0 : 1);
    }
    int status = 1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (pid < 0 || status != 0) {
        CHARMI_IGNORE(charm_error_set(reterr, CHARM_EFAILED, "no mount namespace can be made here"),
                      "the answer says it");
        return false;
    }
    return true;
}
