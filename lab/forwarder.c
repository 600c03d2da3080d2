#include "lab/forwarder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

enum {
    MOST_LISTENERS = 16,
    MOST_BACKENDS = 64,
    MOST_CONNECTIONS = 256,
    PIECE = 16 * 1024,
};

struct listener {
    int fd; /* 0: unused */
    struct sockaddr_in at;
    struct sockaddr_in backends[MOST_BACKENDS];
    size_t count;
    size_t next;
};

/* Bytes on their way from one socket to the other. */
struct flow {
    char bytes[PIECE];
    size_t from;
    size_t to;
    bool ended; /* the sender has no more */
    bool shut;  /* and the receiver knows */
};

struct connection {
    int ends[2]; /* client, backend; ends[0] == 0: unused */
    struct flow flows[2];
};

struct proxy {
    int control;
    struct listener listeners[MOST_LISTENERS];
    struct connection *connections;
};

/* ---- the table ---- */

static bool read_address(const char *text, struct sockaddr_in *at)
{
    char address[INET_ADDRSTRLEN] = "";
    int64_t port = 0;
    const size_t size = strcspn(text, ":");
    if (size >= sizeof(address) || text[size] == '\0' ||
        !charmi_parse_int(text + size + 1, 1, 65535, &port)) {
        return false;
    }
    memcpy(address, text, size);
    *at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    return inet_pton(AF_INET, address, &at->sin_addr) == 1;
}

static bool same_address(const struct sockaddr_in *left, const struct sockaddr_in *right)
{
    return left->sin_port == right->sin_port && left->sin_addr.s_addr == right->sin_addr.s_addr;
}

static int open_listener(const struct sockaddr_in *at)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)at, sizeof(*at)) != 0 || listen(fd, 64) != 0) {
        dprintf(2, "cannot listen on port %d: %s\n", ntohs(at->sin_port), strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return 0;
    }
    return fd;
}

/* The listener that is there for the address, kept as it is, or a new one. */
static int take_listener(struct listener *old, const struct sockaddr_in *at)
{
    for (size_t i = 0; i < MOST_LISTENERS; i++) {
        if (old[i].fd > 0 && same_address(&old[i].at, at)) {
            const int fd = old[i].fd;
            old[i].fd = 0;
            return fd;
        }
    }
    return open_listener(at);
}

/* One line into `listener`; without a backend it stays unused. */
static void read_line(char *line, struct listener *old, struct listener *listener)
{
    char *rest = NULL;
    const char *address = strtok_r(line, " ", &rest);
    const char *port = strtok_r(NULL, " ", &rest);
    char both[80];
    snprintf(both, sizeof(both), "%s:%s", address == NULL ? "" : address, port == NULL ? "" : port);
    if (!read_address(both, &listener->at)) {
        return;
    }
    for (const char *backend = strtok_r(NULL, " ", &rest);
         backend != NULL && listener->count < MOST_BACKENDS; backend = strtok_r(NULL, " ", &rest)) {
        if (read_address(backend, &listener->backends[listener->count])) {
            listener->count++;
        }
    }
    if (listener->count > 0) {
        listener->fd = take_listener(old, &listener->at);
    }
}

static void read_table(struct proxy *proxy, char *table)
{
    static struct listener fresh[MOST_LISTENERS]; /* the process has one table and is not small */
    memset(fresh, 0, sizeof(fresh));
    char *rest = NULL;
    size_t count = 0;
    for (char *line = strtok_r(table, "\n", &rest); line != NULL && count < MOST_LISTENERS;
         line = strtok_r(NULL, "\n", &rest)) {
        read_line(line, proxy->listeners, &fresh[count++]);
    }
    for (size_t i = 0; i < MOST_LISTENERS; i++) {
        if (proxy->listeners[i].fd > 0) {
            close(proxy->listeners[i].fd);
        }
    }
    memcpy(proxy->listeners, fresh, sizeof(fresh));
}

/* ---- connections ---- */

static void drop(struct connection *connection)
{
    close(connection->ends[0]);
    close(connection->ends[1]);
    connection->ends[0] = 0;
}

static int dial(struct listener *listener)
{
    const struct sockaddr_in *to = &listener->backends[listener->next++ % listener->count];
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0 &&
        errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static struct connection *unused(struct proxy *proxy)
{
    for (size_t i = 0; i < MOST_CONNECTIONS; i++) {
        if (proxy->connections[i].ends[0] == 0) {
            return &proxy->connections[i];
        }
    }
    return NULL;
}

static void accept_one(struct proxy *proxy, struct listener *listener)
{
    const int client = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) {
        return;
    }
    struct connection *connection = unused(proxy);
    const int backend = connection == NULL ? -1 : dial(listener);
    if (backend < 0) {
        close(client);
        return;
    }
    *connection = (struct connection){ .ends = { client, backend } };
}

/* Reads what comes and writes what goes, in one direction; false when the connection is broken. */
static bool carry(int from, int to, struct flow *flow, short can_read, short can_write)
{
    if (can_read && flow->from == flow->to && !flow->ended) {
        const ssize_t size = recv(from, flow->bytes, PIECE, 0);
        if (size < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        flow->from = 0;
        flow->to = size > 0 ? (size_t)size : 0;
        flow->ended = size == 0;
    }
    if (can_write && flow->from < flow->to) {
        const ssize_t size =
            send(to, flow->bytes + flow->from, flow->to - flow->from, MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        flow->from += size > 0 ? (size_t)size : 0;
    }
    if (flow->ended && flow->from == flow->to && !flow->shut) {
        flow->shut = true;
        return shutdown(to, SHUT_WR) == 0;
    }
    return true;
}

static short wanted(const struct connection *connection, int end)
{
    const struct flow *in = &connection->flows[end];
    const struct flow *out = &connection->flows[1 - end];
    const bool reads = in->from == in->to && !in->ended;
    const bool writes = out->from < out->to;
    return (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

static void serve(struct connection *connection, short client, short backend)
{
    const short in = POLLIN | POLLHUP | POLLERR;
    bool fine = carry(connection->ends[0], connection->ends[1], &connection->flows[0], client & in,
                      backend & POLLOUT) &&
                carry(connection->ends[1], connection->ends[0], &connection->flows[1], backend & in,
                      client & POLLOUT);
    /* what was just read goes out at once if it can */
    fine = fine && carry(connection->ends[0], connection->ends[1], &connection->flows[0], 0, 1) &&
           carry(connection->ends[1], connection->ends[0], &connection->flows[1], 0, 1);
    if (!fine || (connection->flows[0].shut && connection->flows[1].shut)) {
        drop(connection);
    }
}

/* ---- the process ---- */

struct poll_set {
    struct pollfd fds[1 + MOST_LISTENERS + 2 * MOST_CONNECTIONS];
};

static void fill(const struct proxy *proxy, struct poll_set *set)
{
    struct pollfd *at = set->fds;
    *at++ = (struct pollfd){ .fd = proxy->control, .events = POLLIN };
    for (size_t i = 0; i < MOST_LISTENERS; i++) {
        const int fd = proxy->listeners[i].fd;
        *at++ = (struct pollfd){ .fd = fd > 0 ? fd : -1, .events = POLLIN };
    }
    for (size_t i = 0; i < MOST_CONNECTIONS; i++) {
        const struct connection *connection = &proxy->connections[i];
        for (int end = 0; end < 2; end++) {
            const bool used = connection->ends[0] > 0;
            *at++ = (struct pollfd){ .fd = used ? connection->ends[end] : -1,
                                     .events = used ? wanted(connection, end) : 0 };
        }
    }
}

/* false when the daemon has gone. */
static bool hear(struct proxy *proxy)
{
    char table[LAB_FORWARDER_MESSAGE];
    const ssize_t size = recv(proxy->control, table, sizeof(table) - 1, 0);
    if (size <= 0) {
        return size < 0 && errno == EINTR;
    }
    table[size] = '\0';
    read_table(proxy, table);
    return true;
}

static bool turn(struct proxy *proxy, struct poll_set *set)
{
    fill(proxy, set);
    if (poll(set->fds, CHARMI_COUNT(set->fds), -1) < 0) {
        return errno == EINTR;
    }
    const struct pollfd *connections = set->fds + 1 + MOST_LISTENERS;
    for (size_t i = 0; i < MOST_CONNECTIONS; i++) {
        const short client = connections[2 * i].revents;
        const short backend = connections[2 * i + 1].revents;
        if (proxy->connections[i].ends[0] > 0 && (client != 0 || backend != 0)) {
            serve(&proxy->connections[i], client, backend);
        }
    }
    for (size_t i = 0; i < MOST_LISTENERS; i++) {
        if (set->fds[1 + i].revents != 0) {
            accept_one(proxy, &proxy->listeners[i]);
        }
    }
    return set->fds[0].revents == 0 || hear(proxy);
}

static int forward(void *userdata)
{
    const int *control = userdata;
    prctl(PR_SET_NAME, "lab-forwarder");
    signal(SIGPIPE, SIG_IGN);
    struct charm_arena *arena = charm_arena_new();
    struct poll_set *set = charm_arena_alloc(arena, sizeof(*set));
    struct proxy *proxy = charm_arena_alloc(arena, sizeof(*proxy));
    proxy->control = *control;
    proxy->connections = charm_arena_array(arena, MOST_CONNECTIONS, sizeof(*proxy->connections));
    while (turn(proxy, set)) {
    }
    charm_arena_free(arena);
    _exit(0); /* the daemon's own memory, of which this is a copy, is not ours to look at */
}

/* ---- the daemon's side ---- */

int lab_forwarder_start(struct lab_forwarder *forwarder, const char *log,
                        struct charm_error *reterr)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return charm_error_os(reterr, errno, "start a forwarder");
    }
    const struct lab_child_plan plan = {
        .log = log,
        .keep_fd = ends[1],
        .body = forward,
        .userdata = &ends[1],
    };
    *forwarder = (struct lab_forwarder){ .control = ends[0] };
    const int code = lab_child_start(&forwarder->child, &plan, reterr);
    close(ends[1]);
    if (code != 0) {
        close(ends[0]);
        forwarder->control = 0;
    }
    return code;
}

void lab_forwarder_set(struct lab_forwarder *forwarder, const char *table)
{
    if (forwarder->control == 0 || strcmp(forwarder->table, table) == 0) {
        return;
    }
    const size_t size = strlen(table);
    /* an empty message would look like the end */
    const char *message = size == 0 ? "\n" : table;
    if (size < sizeof(forwarder->table) &&
        send(forwarder->control, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
        memcpy(forwarder->table, table, size + 1);
    }
}

void lab_forwarder_stop(struct lab_forwarder *forwarder)
{
    if (forwarder->control > 0) {
        close(forwarder->control);
    }
    if (forwarder->child.pid > 0) {
        lab_child_stop(&forwarder->child, 1000);
    }
    *forwarder = (struct lab_forwarder){ 0 };
}
