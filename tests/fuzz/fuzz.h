/*
 * fuzz.h: what every fuzz target includes.
 *
 * A target is one file with LLVMFuzzerTestOneInput(). It is linked twice: with libFuzzer (preset fuzz, command
 * tools/fuzz), and with replay.c (every other preset), which plays the corpus that is kept in corpus/TARGET.
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *     {
 *         struct charm_arena *arena = charm_arena_new();
 *         const char *text = charm_arena_copy_n(arena, (const char *)data, size);
 *         MUST(strlen(render(parse(text))) > 0, "what was parsed renders as nothing");
 *         charm_arena_free(arena);
 *         return 0;
 *     }
 *
 * May include: everything of ours.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "charm/error.h"
#include "charm/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What does not hold ends the process, as a finding. */
#define MUST(holds, ...)                                                                           \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);             \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Something for people: one line of UTF-8, not endless. `what` says whose words these are. */
void fuzz_one_line(const char *what, const char *text);
/* An error that was returned: its code is the result, it has words, and they are one line. */
void fuzz_error(const char *what, int result, const struct charm_error *error);
/* A copy with `with` for each `what`. */
char *fuzz_replace(struct charm_arena *arena, const char *text, const char *what, const char *with);

/* The input in pieces, cut where a line is "---" alone; each copied, and ended by a NUL beyond its size. */
struct fuzz_piece {
    const char *bytes;
    size_t size;
};
size_t fuzz_pieces(struct charm_arena *arena, const uint8_t *data, size_t size,
                   struct fuzz_piece *pieces, size_t most);

#endif
