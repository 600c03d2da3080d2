#include "lab/cluster_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

/* A port: a number, or the name that the container gives to one. */
static int resolve_port(const struct charm_value *port, const struct charm_value *container)
{
    if (charm_value_kind(port) != CHARM_STRING) {
        return (int)charm_value_int(port, 0);
    }
    const struct charm_value *ports = charm_value_get(container, "ports");
    for (size_t i = 0; i < charm_value_size(ports); i++) {
        const struct charm_value *item = charm_value_at(ports, i);
        if (charmi_same(charm_text(charm_value_get(item, "name")), charm_text(port))) {
            return (int)charm_value_int(charm_value_get(item, "containerPort"), 0);
        }
    }
    return 0;
}

static int64_t seconds(const struct charm_value *value, const char *name, int64_t fallback)
{
    return charm_value_int(charm_value_get(value, name), fallback) * 1000;
}

void lab_probe_init(struct lab_probe *probe, const struct charm_value *value,
                    const struct charm_value *container)
{
    *probe = (struct lab_probe){ .used = charm_value_kind(value) == CHARM_MAP };
    if (!probe->used) {
        return;
    }
    const struct charm_value *get = charm_value_get(value, "httpGet");
    probe->http = get != NULL;
    const struct charm_value *action = probe->http ? get : charm_value_get(value, "tcpSocket");
    probe->port = resolve_port(charm_value_get(action, "port"), container);
    const char *path = charm_text(charm_value_get(action, "path"));
    snprintf(probe->path, sizeof(probe->path), "%s%s", path[0] == '/' ? "" : "/", path);
    probe->delay_ms = seconds(value, "initialDelaySeconds", 0);
    probe->period_ms = seconds(value, "periodSeconds", 10);
    probe->timeout_ms = seconds(value, "timeoutSeconds", 1);
    probe->successes_wanted = (int)charm_value_int(charm_value_get(value, "successThreshold"), 1);
    probe->failures_wanted = (int)charm_value_int(charm_value_get(value, "failureThreshold"), 3);
}

void lab_probe_close(struct lab_probe *probe)
{
    if (probe->fd > 0) {
        close(probe->fd);
    }
    probe->fd = 0;
}

void lab_probe_restart(struct lab_probe *probe, int64_t now_ms)
{
    lab_probe_close(probe);
    probe->next_ms = now_ms + probe->delay_ms;
    probe->successes = 0;
    probe->failures = 0;
    probe->verdict = LAB_PROBE_UNDECIDED;
}

static void finish(struct lab_probe *probe, const char *failure)
{
    lab_probe_close(probe);
    if (failure == NULL) {
        probe->successes++;
        probe->failures = 0;
        probe->last_failure[0] = '\0';
    } else {
        probe->failures++;
        probe->successes = 0;
        snprintf(probe->last_failure, sizeof(probe->last_failure), "%s", failure);
    }
    if (probe->successes >= probe->successes_wanted) {
        probe->verdict = LAB_PROBE_GOOD;
    } else if (probe->failures >= probe->failures_wanted) {
        probe->verdict = LAB_PROBE_BAD;
    }
}

static bool begin(struct lab_probe *probe, const char *address, int64_t now_ms)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)probe->port) };
    probe->next_ms = now_ms + probe->period_ms;
    probe->deadline_ms = now_ms + probe->timeout_ms;
    probe->sent = false;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1) {
        finish(probe, "no socket");
        return true;
    }
    probe->fd = fd;
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
        finish(probe, strerror(errno));
        return true;
    }
    return false;
}

/* The connection stands (or failed): send the question. Returns whether that was the result. */
static bool send_question(struct lab_probe *probe, const char *address)
{
    int problem = 0;
    socklen_t size = sizeof(problem);
    if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &problem, &size) != 0 || problem != 0) {
        finish(probe, strerror(problem));
        return true;
    }
    if (!probe->http) {
        finish(probe, NULL);
        return true;
    }
    char text[512];
    const int length = snprintf(text, sizeof(text),
                                "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: kube-probe/1.34\r\n"
                                "Accept: */*\r\nConnection: close\r\n\r\n",
                                probe->path, address, probe->port);
    if (send(probe->fd, text, (size_t)length, MSG_NOSIGNAL) != length) {
        finish(probe, "the request could not be sent");
        return true;
    }
    probe->sent = true;
    return false;
}

/* The status of "HTTP/1.x STATUS ...", 0 when it is none. */
static int status_of(const char *text)
{
    int64_t status = 0;
    char digits[4] = "";
    if (!charmi_starts_with(text, "HTTP/1.") || strlen(text) < strlen("HTTP/1.1 200")) {
        return 0;
    }
    memcpy(digits, text + strlen("HTTP/1.1 "), 3);
    return charmi_parse_int(digits, 100, 999, &status) ? (int)status : 0;
}

static bool read_answer(struct lab_probe *probe)
{
    char text[64] = "";
    const ssize_t size = recv(probe->fd, text, sizeof(text) - 1, 0);
    const int status = size <= 0 ? 0 : status_of(text);
    if (status >= 200 && status < 400) {
        finish(probe, NULL);
        return true;
    }
    char failure[80];
    snprintf(failure, sizeof(failure), "HTTP probe failed with statuscode: %d", status);
    finish(probe, status == 0 ? "no HTTP answer" : failure);
    return true;
}

static bool proceed(struct lab_probe *probe, const char *address, int64_t now_ms)
{
    struct pollfd ready = { .fd = probe->fd, .events = probe->sent ? POLLIN : POLLOUT };
    if (poll(&ready, 1, 1) > 0) {
        return probe->sent ? read_answer(probe) : send_question(probe, address);
    }
    if (now_ms >= probe->deadline_ms) {
        finish(probe, "no answer in time");
        return true;
    }
    return false;
}

bool lab_probe_tick(struct lab_probe *probe, const char *address, int64_t now_ms)
{
    if (!probe->used) {
        return false;
    }
    if (probe->fd == 0) {
        return now_ms >= probe->next_ms ? begin(probe, address, now_ms) : false;
    }
    const bool sent = probe->sent;
    if (proceed(probe, address, now_ms)) {
        return true;
    }
    /* a question just sent is mostly answered within the same millisecond */
    return probe->sent && !sent ? proceed(probe, address, now_ms) : false;
}
