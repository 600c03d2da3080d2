#include "rest_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { LONGEST_REQUEST = 8192 };

struct server {
    int socket;
    const struct charm_value *answers;
};

/* "GET /connectors HTTP/1.1..." becomes "GET %connectors". */
static void name_of(char *request)
{
    char *space = strchr(request, ' ');
    char *end = space == NULL ? NULL : strchr(space + 1, ' ');
    if (end != NULL) {
        *end = '\0';
    }
    for (char *c = request; *c != '\0'; c++) {
        *c = (char)(*c == '/' ? '%' : *c);
    }
}

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void answer(int fd, const struct charm_value *body)
{
    const char *text = body == NULL ? "{\"message\": \"not recorded\"}" : charm_text(body);
    char head[256];
    const int size = snprintf(head, sizeof(head),
                              "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                              "Content-Length: %zu\r\n\r\n",
                              body == NULL ? "404 Not Found" : "200 OK", strlen(text));
    send_all(fd, head, (size_t)size);
    send_all(fd, text, strlen(text));
}

/* Requests one after the other, none with a body, until the other side closes. */
static void serve_connection(const struct server *server, int fd)
{
    char request[LONGEST_REQUEST];
    size_t size = 0;
    for (;;) {
        const ssize_t got = recv(fd, request + size, sizeof(request) - 1 - size, 0);
        if (got <= 0) {
            return;
        }
        size += (size_t)got;
        request[size] = '\0';
        if (strstr(request, "\r\n\r\n") != NULL) {
            name_of(request);
            answer(fd, charm_value_get(server->answers, request));
            size = 0;
        }
    }
}

static void *serve(void *argument)
{
    const struct server *server = argument;
    const int yes = 1;
    for (;;) {
        const int fd = accept(server->socket, NULL, NULL);
        if (fd >= 0) {
            CHARMI_IGNORE(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0,
                          "then it is slower");
            serve_connection(server, fd);
            close(fd);
        }
    }
    return NULL;
}

int bench_rest_listen(int *ret_socket, int *ret_port, struct charm_error *reterr)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        return charm_error_os(reterr, errno, "listen on 127.0.0.1");
    }
    *ret_socket = fd;
    *ret_port = ntohs(address.sin_port);
    return 0;
}

int bench_rest_serve(int socket, const struct charm_value *answers, struct charm_error *reterr)
{
    /* Never freed: the thread lives as long as the process. */
    static struct server server;
    pthread_t thread;
    server = (struct server){ .socket = socket, .answers = answers };
    const int os_errno = pthread_create(&thread, NULL, serve, &server);
    return os_errno == 0 ? 0 : charm_error_os(reterr, os_errno, "start a thread");
}
