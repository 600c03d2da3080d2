/*
 * lab-tool: every hook tool of the lab, by the name it is called by.
 *
 * It hands its arguments to the lab's daemon and prints what comes back; what they mean is decided there
 * (lab/tools.h). As Juju's own, it sends standard input only when it is asked for it (contract 6). A static
 * program of the C library alone, so that it starts in well under a millisecond.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lab/wire.h"

enum { CANNOT = 1, MOST_INPUT = 64 * 1024 * 1024 };

static int complain(const char *text)
{
    fprintf(stderr, "ERROR %s\n", text);
    return CANNOT;
}

static const char *own_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void start_time(char *text, size_t size)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, size, "%lld", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

/* All of standard input; own: free it. */
static char *read_input(size_t *ret_size)
{
    size_t size = 0;
    size_t capacity = 65536;
    char *text = malloc(capacity);
    while (text != NULL && size < MOST_INPUT) {
        const ssize_t got = read(STDIN_FILENO, text + size, capacity - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
        if (size == capacity) {
            capacity *= 2;
            char *larger = realloc(text, capacity);
            if (larger == NULL) {
                break;
            }
            text = larger;
        }
    }
    *ret_size = size;
    return text;
}

struct request {
    const char *context;
    const char *started;
    char **argv;
    const char *input; /* NULL: not sent */
    size_t input_size;
};

static bool build(struct lab_message *message, const struct request *request)
{
    char directory[4096];
    if (getcwd(directory, sizeof(directory)) == NULL) {
        directory[0] = '\0';
    }
    bool fits = lab_message_add_text(message, request->context) &&
                lab_message_add_text(message, directory) &&
                lab_message_add_text(message, request->started) &&
                lab_message_add_text(message, request->input == NULL ? "n" : "y") &&
                lab_message_add(message, request->input == NULL ? "" : request->input,
                                request->input_size) &&
                lab_message_add_text(message, own_name(request->argv[0]));
    for (char **arg = request->argv + 1; fits && *arg != NULL; arg++) {
        fits = lab_message_add_text(message, *arg);
    }
    return fits;
}

static bool ask(const char *socket, const struct request *request, struct lab_message *ret_reply)
{
    struct lab_message message = { 0 };
    bool done = build(&message, request);
    const int fd = done ? lab_wire_connect(socket) : -1;
    done = fd >= 0 && lab_wire_send(fd, &message) && lab_wire_receive(fd, ret_reply);
    if (fd >= 0) {
        close(fd);
    }
    lab_message_release(&message);
    return done;
}

static void put(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return;
        }
        bytes += written;
        size -= (size_t)written;
    }
}

/* The exit status, or -1 when standard input is wanted. */
static int print_reply(struct lab_message *reply)
{
    const char *code;
    const char *input;
    const char *out;
    const char *err;
    size_t out_size;
    size_t err_size;
    if (!lab_message_next(reply, &code, NULL) || !lab_message_next(reply, &input, NULL) ||
        !lab_message_next(reply, &out, &out_size) || !lab_message_next(reply, &err, &err_size)) {
        return complain("the lab's answer is cut");
    }
    if (input[0] == 'y') {
        return -1;
    }
    put(STDOUT_FILENO, out, out_size);
    put(STDERR_FILENO, err, err_size);
    return (int)strtol(code, NULL, 10);
}

int main(int argc, char **argv)
{
    char started[32];
    start_time(started, sizeof(started));
    const char *socket = getenv("JUJU_AGENT_SOCKET_ADDRESS");
    struct request request = { .context = getenv("JUJU_CONTEXT_ID"),
                               .started = started,
                               .argv = argv };
    if (argc < 1 || request.context == NULL) {
        return complain("JUJU_CONTEXT_ID not set");
    }
    if (socket == NULL) {
        return complain("JUJU_AGENT_SOCKET_ADDRESS not set");
    }
    struct lab_message reply = { 0 };
    if (!ask(socket, &request, &reply)) {
        return complain("dial unix: connect: the lab does not answer");
    }
    int status = print_reply(&reply);
    if (status >= 0) {
        return status;
    }
    request.input = read_input(&request.input_size);
    if (request.input == NULL || !ask(socket, &request, &reply)) {
        return complain("cannot read standard input");
    }
    status = print_reply(&reply);
    return status < 0 ? complain("standard input asked for twice") : status;
}
