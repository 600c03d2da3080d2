/* The forwarder that plays kube-proxy: turns, refusals, and bytes in both directions. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/forwarder.h"
#include "lab/net.h"

#define FRONT "127.0.7.1"
#define BACK "127.0.7.2"

struct fixture {
    struct lab_forwarder forwarder;
    int backends[2]; /* listening sockets */
    int backend_ports[2];
    int port;
};

static int listen_on(const char *address, int *ret_port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof(at);
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){ 0 };
    struct charm_error error = { 0 };
    for (int i = 0; i < 2; i++) {
        fixture.backends[i] = listen_on(BACK, &fixture.backend_ports[i]);
    }
    fixture.port = lab_net_free_port(FRONT);
    *state = &fixture;
    return lab_forwarder_start(&fixture.forwarder, "/dev/null", &error);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    lab_forwarder_stop(&fixture->forwarder);
    close(fixture->backends[0]);
    close(fixture->backends[1]);
    return 0;
}

static void set_backends(struct fixture *fixture, int count)
{
    char table[300];
    int size = snprintf(table, sizeof(table), "%s %d", FRONT, fixture->port);
    for (int i = 0; i < count; i++) {
        size += snprintf(table + size, sizeof(table) - (size_t)size, " %s:%d", BACK,
                         fixture->backend_ports[i]);
    }
    snprintf(table + size, sizeof(table) - (size_t)size, "\n");
    lab_forwarder_set(&fixture->forwarder, table);
}

static int try_connect(const struct fixture *fixture)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)fixture->port) };
    assert_int_equal(inet_pton(AF_INET, FRONT, &to.sin_addr), 1);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The table takes a moment to arrive: tries until the answer is the one that is wanted. */
static int connect_when(const struct fixture *fixture, bool wanted)
{
    const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
    for (int i = 0; i < 400; i++) {
        const int fd = try_connect(fixture);
        if ((fd >= 0) == wanted) {
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
        nanosleep(&pause, NULL);
    }
    fail_msg("the port was %s all the time", wanted ? "closed" : "open");
    return -1;
}

static void says(int from, int to, const char *text)
{
    char heard[64] = "";
    assert_int_equal(send(from, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    assert_int_equal(recv(to, heard, sizeof(heard) - 1, 0), strlen(text));
    assert_string_equal(heard, text);
}

static void without_a_backend_nobody_listens(void **state)
{
    struct fixture *fixture = *state;
    set_backends(fixture, 0);
    assert_int_equal(try_connect(fixture), -1);
}

static void bytes_go_both_ways_and_the_end_is_passed_on(void **state)
{
    struct fixture *fixture = *state;
    set_backends(fixture, 1);
    const int client = connect_when(fixture, true);
    const int backend = accept(fixture->backends[0], NULL, NULL);
    says(client, backend, "question");
    says(backend, client, "answer");
    char byte;
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    assert_int_equal(recv(backend, &byte, 1, 0), 0);
    says(backend, client, "a late word");
    close(backend);
    assert_int_equal(recv(client, &byte, 1, 0), 0);
    close(client);
}

static void connections_take_turns(void **state)
{
    struct fixture *fixture = *state;
    set_backends(fixture, 2);
    const int first = connect_when(fixture, true);
    const int second = connect_when(fixture, true);
    /* each backend got one of the two: accept would wait for ever otherwise */
    close(accept(fixture->backends[0], NULL, NULL));
    close(accept(fixture->backends[1], NULL, NULL));
    close(first);
    close(second);
}

static void when_the_last_backend_goes_the_port_closes(void **state)
{
    struct fixture *fixture = *state;
    set_backends(fixture, 1);
    close(connect_when(fixture, true));
    set_backends(fixture, 0);
    connect_when(fixture, false);
}

static void much_is_carried_whole(void **state)
{
    static char block[256 * 1024];
    struct fixture *fixture = *state;
    set_backends(fixture, 1);
    const int client = connect_when(fixture, true);
    const int backend = accept(fixture->backends[0], NULL, NULL);
    memset(block, 'x', sizeof(block));
    size_t sent = 0;
    size_t got = 0;
    while (got < sizeof(block)) {
        const ssize_t out =
            send(client, block + sent, sizeof(block) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += out > 0 ? (size_t)out : 0;
        char piece[32 * 1024];
        const ssize_t in =
            recv(backend, piece, sizeof(piece), sent == sizeof(block) ? 0 : MSG_DONTWAIT);
        assert_int_not_equal(in, 0);
        got += in > 0 ? (size_t)in : 0;
    }
    close(client);
    close(backend);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(without_a_backend_nobody_listens),
        T(bytes_go_both_ways_and_the_end_is_passed_on),
        T(connections_take_turns),
        T(when_the_last_backend_goes_the_port_closes),
        T(much_is_carried_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
