/*
 * A small HTTP server on 127.0.0.1 in a thread of its own; the path says how it behaves:
 *
 *     /echo       200, text/plain: method, blank, the headers asked for below, blank, the body
 *     /count      200, application/json: how many connections there have been
 *     /status/N   status N with a body {"n":1}
 *     /bytes/N    200 with N bytes, announced
 *     /stream/N   200 with N bytes, the end marked by closing
 *     /trickle    200, a byte every 50 ms, for ever
 *     /silence    no answer
 *     /close      closes without an answer
 *     /garbage    bytes that are no HTTP
 *     /redirect   302 to /status/200
 *     /nul        200, three bytes: a, NUL, b
 *     /headers    endless headers
 *     /empty      204, no body, no content type
 *
 *     struct tiny_server *server = tiny_server_start();
 *     int port = tiny_server_port(server);
 *     tiny_server_stop(server);
 */
#ifndef TINY_SERVER_H
#define TINY_SERVER_H

struct tiny_server;

struct tiny_server *tiny_server_start(void);
int tiny_server_port(const struct tiny_server *server);
void tiny_server_stop(struct tiny_server *server);

#endif
