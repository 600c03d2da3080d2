#include "lab/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "lab/app.h"
#include "lab/cluster_sandbox.h"

static struct {
    enum lab_net_kind kind;
    char description[1200];
} net;

static const char private_lines[] = "link set lo up\n"
                                    "link add " LAB_NET_BRIDGE " type bridge\n"
                                    "addr add " LAB_NET_GATEWAY "/16 dev " LAB_NET_BRIDGE "\n"
                                    "link set " LAB_NET_BRIDGE " up\n"
                                    "route add local 10.73.0.0/19 dev " LAB_NET_BRIDGE "\n"
                                    "route add local 10.96.0.0/16 dev " LAB_NET_BRIDGE "\n";

enum lab_net_kind lab_net_kind_now(void)
{
    return net.kind;
}

/* ---- addresses ---- */

char *lab_net_address(struct charm_arena *arena, enum lab_net_role role, int number)
{
    static const struct {
        const char *private_net;
        const char *loopback_net;
        int first;
    } nets[] = {
        [LAB_NET_UNIT] = { NULL, "127.0.1", 1 },
        [LAB_NET_BROKER] = { "10.73.16", "127.0.2", 1 },
        [LAB_NET_NODE] = { "10.73.17", "127.0.3", 1 },
        [LAB_NET_BALANCER] = { "10.73.18", "127.0.4", 1 },
        [LAB_NET_CLUSTER_IP] = { "10.96.0", "127.0.5", 10 },
        [LAB_NET_WORKER] = { "10.73.32", "127.0.0", 2 },
    };
    if (role == LAB_NET_UNIT && net.kind == LAB_NET_PRIVATE) {
        return charm_arena_printf(arena, "10.73.%d.%d", 1 + number / 250 % 15, 1 + number % 250);
    }
    const char *start =
        net.kind == LAB_NET_PRIVATE ? nets[role].private_net : nets[role].loopback_net;
    return charm_arena_printf(arena, "%s.%d", start, nets[role].first + number % 240);
}

const char *lab_net_unit_address(struct charm_arena *arena, int number)
{
    return lab_net_address(arena, LAB_NET_UNIT, number);
}

/* A listening socket on the address, or -1; port 0 takes any. */
static int listen_on(const char *address, int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
        return -1;
    }
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    const int on = 1;
    CHARMI_IGNORE(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)),
                  "without it the test is only stricter");
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool lab_net_is_free(const char *address, int port)
{
    const int fd = listen_on(address, port);
    if (fd < 0) {
        return false;
    }
    close(fd);
    return true;
}

int lab_net_free_port(const char *address)
{
    const int fd = listen_on(address, 0);
    if (fd < 0) {
        return 0;
    }
    struct sockaddr_in at = { 0 };
    socklen_t size = sizeof(at);
    const int got = getsockname(fd, (struct sockaddr *)&at, &size);
    close(fd);
    return got == 0 ? ntohs(at.sin_port) : 0;
}

/* ---- ip(8) ---- */

/* In the child: ip reads the lines from `in` and complains into `out`. */
static _Noreturn void exec_ip(int in, int out)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execlp("ip", "ip", "-batch", "-", (char *)NULL);
    dprintf(STDERR_FILENO, "cannot run ip (package iproute2): %s", strerror(errno));
    _exit(127);
}

static int run_ip(int in, int out, struct charm_error *reterr)
{
    const pid_t pid = fork();
    if (pid < 0) {
        return charm_error_os(reterr, errno, "start ip");
    }
    if (pid == 0) {
        exec_ip(in, out);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return 0;
    }
    char text[300] = "";
    const ssize_t size = pread(out, text, sizeof(text) - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return charm_error_set(reterr, CHARM_EFAILED, "ip -batch: %s", text);
}

int lab_net_ip(const char *lines, struct charm_error *reterr)
{
    const int in = memfd_create("lab-ip-in", MFD_CLOEXEC);
    const int out = memfd_create("lab-ip-out", MFD_CLOEXEC);
    int code = 0;
    if (in < 0 || out < 0 || write(in, lines, strlen(lines)) != (ssize_t)strlen(lines) ||
        lseek(in, 0, SEEK_SET) != 0) {
        code = charm_error_os(reterr, errno, "prepare the lines for ip");
    } else {
        code = run_ip(in, out, reterr);
    }
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
    }
    return code;
}

/* ---- the private network ---- */

static int make_private(struct charm_error *reterr)
{
    const int code = lab_unshare(CLONE_NEWNET, reterr);
    return code != 0 ? code : lab_net_ip(private_lines, reterr);
}

/* Tries it in a child, because a half made namespace cannot be left again. */
static int try_private(struct charm_error *reterr)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return charm_error_os(reterr, errno, "try a private network");
    }
    const pid_t pid = fork();
    if (pid == 0) {
        struct charm_error error = { 0 };
        const int code = make_private(&error);
        if (code != 0) {
            CHARMI_IGNORE(write(ends[1], error.text, strlen(error.text)) < 0,
                          "the exit code says it too");
        }
        _exit(code == 0 ? 0 : 1);
    }
    close(ends[1]);
    char text[400] = "";
    const ssize_t size = read(ends[0], text, sizeof(text) - 1);
    text[size > 0 ? size : 0] = '\0';
    close(ends[0]);
    int status = 1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (pid < 0 || status != 0) {
        return charm_error_set(reterr, CHARM_EFAILED, "private network: %s", text);
    }
    return 0;
}

static int enter_private(struct charm_error *reterr)
{
    int code = try_private(reterr);
    if (code == 0) {
        code = make_private(reterr);
    }
    if (code == 0) {
        net.kind = LAB_NET_PRIVATE;
        snprintf(net.description, sizeof(net.description),
                 "private: a network namespace with the bridge %s, each worker in one of its own "
                 "behind it",
                 LAB_NET_BRIDGE);
    }
    return code;
}

int lab_net_enter(const char *wish, const char *dir, const char **ret_description,
                  struct charm_error *reterr)
{
    (void)dir;
    struct charm_error error = { 0 };
    net.kind = LAB_NET_LOOPBACK;
    if (charmi_same(wish, "loopback")) {
        snprintf(net.description, sizeof(net.description),
                 "loopback: each worker has an address 127.0.0.N of its own");
    } else if (charmi_same(wish, "private") || charmi_same(wish, "auto")) {
        const int code = enter_private(&error);
        if (code != 0 && charmi_same(wish, "private")) {
            return charm_error_set(reterr, code, "%s", error.text);
        }
        if (code != 0) {
            snprintf(net.description, sizeof(net.description),
                     "loopback: each worker has an address 127.0.0.N of its own (%s)", error.text);
        }
    } else {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "network '%s': allowed are private, loopback and auto", wish);
    }
    *ret_description = net.description;
    return 0;
}

void lab_net_leave(void)
{
    /* A namespace goes with its last process; there is nothing to undo on the loopback. */
    net.kind = LAB_NET_LOOPBACK;
}
