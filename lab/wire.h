/*
 * lab/wire.h: how the lab's programs speak over its unix sockets.
 *
 * A message is a 32-bit length (of this machine's byte order) and that many bytes; the bytes are fields, each
 * with a 32-bit length before it. A hook tool sends: context id, working directory, start time (CLOCK_MONOTONIC,
 * microseconds), "y" or "n" (is standard input here?), standard input, then its arguments from argv[0] on. It is
 * answered: exit status, "y" or "n" (send standard input), stdout, stderr. The `lab` command sends one field of
 * JSON and gets one.
 *
 * The hook tool is a small static program, so this file uses nothing but the C library.
 */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LAB_WIRE_LARGEST = 256 * 1024 * 1024 };

struct lab_message {
    char *bytes; /* own: lab_message_release() */
    size_t size;
    size_t capacity;
    size_t at; /* how far it has been read */
};

void lab_message_release(struct lab_message *message);
/* False when it would grow too large, or there is no memory. */
bool lab_message_add(struct lab_message *message, const void *bytes, size_t size);
bool lab_message_add_text(struct lab_message *message, const char *text);
/* The next field, NUL-terminated inside the message (changes it); false at the end or when it is cut. */
bool lab_message_next(struct lab_message *message, const char **ret_bytes, size_t *ret_size);

/* A connection to a socket at this path, or -1. */
int lab_wire_connect(const char *path);
/* Whole messages, blocking; false on any failure. */
bool lab_wire_send(int fd, const struct lab_message *message);
bool lab_wire_receive(int fd, struct lab_message *ret_message);

#endif
