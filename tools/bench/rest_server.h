/*
 * bench/rest_server.h: a worker's REST port on the loopback that knows a few answers by heart.
 *
 * One thread, one connection at a time, for as long as the process lives.
 *
 * May include: charm/value.h.
 */
#ifndef BENCH_REST_SERVER_H
#define BENCH_REST_SERVER_H

#include "charm/value.h"

/* Own: nothing; the socket lives as long as the process. Returns it, and the port that the kernel chose. */
CHARM_MUST_CHECK int bench_rest_listen(int *ret_socket, int *ret_port, struct charm_error *reterr);
/* Answers from now on from the map, by names as in bench/recording.h; it must stay and not change. */
CHARM_MUST_CHECK int bench_rest_serve(int socket, const struct charm_value *answers,
                                      struct charm_error *reterr);

#endif
