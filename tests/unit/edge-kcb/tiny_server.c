#include "tiny_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_REQUEST = 64 * 1024, MOST_CONNECTIONS = 64 };

struct tiny_server {
    int listener;
    int stop[2]; /* closed at the writing end: everybody stops */
    int port;
    int connections; /* accepted so far; only the accepting thread writes, before the others start */
    pthread_t thread;
    pthread_t serving[MOST_CONNECTIONS];
};

struct connection {
    struct tiny_server *server;
    int fd;
    int number;
    char request[LONGEST_REQUEST + 1];
    size_t size;
};

/* Waits until the socket can be read, or at most `ms`; false: the server stops, or time is up. */
static bool readable(struct connection *c, int ms)
{
    struct pollfd polled[] = { { .fd = c->fd, .events = POLLIN },
                               { .fd = c->server->stop[0], .events = POLLIN } };
    return poll(polled, 2, ms) > 0 && polled[1].revents == 0;
}

static bool stopped(struct connection *c, int ms)
{
    struct pollfd polled = { .fd = c->server->stop[0], .events = POLLIN };
    return poll(&polled, 1, ms) > 0;
}

static bool put(struct connection *c, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        const ssize_t sent = send(c->fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool put_text(struct connection *c, const char *text)
{
    return put(c, text, strlen(text));
}

static bool reply(struct connection *c, int status, const char *type, const void *body, size_t size)
{
    char head[256];
    snprintf(head, sizeof(head),
             "HTTP/1.1 %d Whatever\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status,
             type, size);
    return put_text(c, head) && put(c, body, size);
}

static size_t content_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");
    return line != NULL ? strtoul(line + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

/* One whole request into `request`; false when there is none. Returns where its body begins. */
static bool receive(struct connection *c, const char **ret_body)
{
    c->size = 0;
    for (;;) {
        c->request[c->size] = '\0';
        const char *end = strstr(c->request, "\r\n\r\n");
        if (end != NULL && (size_t)(end + 4 - c->request) + content_length(c->request) <= c->size) {
            *ret_body = end + 4;
            return true;
        }
        if (c->size == LONGEST_REQUEST || !readable(c, -1)) {
            return false;
        }
        const ssize_t size = recv(c->fd, c->request + c->size, LONGEST_REQUEST - c->size, 0);
        if (size <= 0) {
            return false;
        }
        c->size += (size_t)size;
        if (c->request[0] == 0x16) { /* TLS begins like this, and would wait for our answer */
            return false;
        }
    }
}

/* Appends the header's line, if the request has it. */
static void show_header(struct connection *c, const char *name, char *text, size_t room)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "\r\n%s:", name);
    const char *line = strcasestr(c->request, wanted);
    if (line != NULL) {
        line += 2;
        const size_t used = strlen(text);
        snprintf(text + used, room - used, "%.*s;", (int)strcspn(line, "\r"), line);
    }
}

static bool echo(struct connection *c, const char *body)
{
    static char text[LONGEST_REQUEST + 1024];
    snprintf(text, sizeof(text), "%.*s ", (int)strcspn(c->request, " "), c->request);
    static const char *const shown[] = { "Accept", "Content-Type", "Content-Length", "Expect",
                                         "Authorization" };
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        show_header(c, shown[i], text, sizeof(text));
    }
    const size_t used = strlen(text);
    snprintf(text + used, sizeof(text) - used, " %s", body);
    return reply(c, 200, "text/plain", text, strlen(text));
}

static bool bytes(struct connection *c, size_t size, bool announced)
{
    char *body = malloc(size + 1);
    memset(body, 'x', size);
    bool go_on = false;
    if (announced) {
        go_on = reply(c, 200, "application/json", body, size);
    } else if (put_text(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")) {
        put(c, body, size);
    }
    free(body);
    return go_on;
}

static bool trickle(struct connection *c)
{
    if (put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")) {
        while (!stopped(c, 50) && put_text(c, "x")) {
        }
    }
    return false;
}

static bool endless_headers(struct connection *c)
{
    if (put_text(c, "HTTP/1.1 200 OK\r\n")) {
        while (!stopped(c, 0) && put_text(c, "X-More: and more and more and more and more\r\n")) {
        }
    }
    return false;
}

static bool starts(const char *path, const char *start)
{
    return strncmp(path, start, strlen(start)) == 0;
}

/* Returns whether the connection stays open. */
static bool answer(struct connection *c, const char *body)
{
    char count[32];
    const char *path = strchr(c->request, ' ');
    path = path != NULL ? path + 1 : "";
    if (starts(path, "/echo")) {
        return echo(c, body);
    }
    if (starts(path, "/count")) {
        snprintf(count, sizeof(count), "%d", c->number);
        return reply(c, 200, "application/json", count, strlen(count));
    }
    if (starts(path, "/status/")) {
        return reply(c, (int)strtol(path + strlen("/status/"), NULL, 10), "application/json",
                     "{\"n\":1}", 7);
    }
    if (starts(path, "/bytes/")) {
        return bytes(c, strtoul(path + strlen("/bytes/"), NULL, 10), true);
    }
    if (starts(path, "/stream/")) {
        return bytes(c, strtoul(path + strlen("/stream/"), NULL, 10), false);
    }
    if (starts(path, "/trickle")) {
        return trickle(c);
    }
    if (starts(path, "/silence")) {
        stopped(c, -1);
        return false;
    }
    if (starts(path, "/garbage")) {
        put_text(c, "220 mail.example.com ESMTP\r\n");
        return false;
    }
    if (starts(path, "/redirect")) {
        return put_text(c,
                        "HTTP/1.1 302 Found\r\nLocation: /status/200\r\nContent-Length: 0\r\n\r\n");
    }
    if (starts(path, "/nul")) {
        return reply(c, 200, "text/plain", "a\0b", 3);
    }
    if (starts(path, "/headers")) {
        return endless_headers(c);
    }
    if (starts(path, "/empty")) {
        return put_text(c, "HTTP/1.1 204 No Content\r\n\r\n");
    }
    return false; /* /close */
}

static void *serve(void *userdata)
{
    struct connection *c = userdata;
    const char *body;
    while (receive(c, &body) && answer(c, body)) {
    }
    close(c->fd);
    free(c);
    return NULL;
}

static void *accept_all(void *userdata)
{
    struct tiny_server *server = userdata;
    struct pollfd polled[] = { { .fd = server->listener, .events = POLLIN },
                               { .fd = server->stop[0], .events = POLLIN } };
    while (poll(polled, 2, -1) > 0 && polled[1].revents == 0 &&
           server->connections < MOST_CONNECTIONS) {
        struct connection *c = calloc(1, sizeof(*c));
        c->server = server;
        c->fd = accept(server->listener, NULL, NULL);
        c->number = server->connections + 1;
        pthread_create(&server->serving[server->connections++], NULL, serve, c);
    }
    return NULL;
}

struct tiny_server *tiny_server_start(void)
{
    struct tiny_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, 16) != 0 || pipe(server->stop) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0) {
        perror("tiny server");
        abort();
    }
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, accept_all, server);
    return server;
}

int tiny_server_port(const struct tiny_server *server)
{
    return server->port;
}

void tiny_server_stop(struct tiny_server *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->connections; i++) {
        pthread_join(server->serving[i], NULL);
    }
    close(server->stop[0]);
    close(server->listener);
    free(server);
}
