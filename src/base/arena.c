#include "charm/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_SIZE = 16 * 1024 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *object);
    void *object;
};

struct charm_arena {
    struct block *blocks;
    struct deferred *deferred;
};

struct charm_arena *charm_arena_new(void)
{
    struct charm_arena *arena = charmi_malloc(sizeof(*arena));
    *arena = (struct charm_arena){ 0 };
    return arena;
}

void charm_arena_free(struct charm_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    for (struct deferred *d = arena->deferred; d != NULL; d = d->next) {
        d->release(d->object);
    }
    for (struct block *block = arena->blocks; block != NULL;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(arena);
}

static struct block *block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block)) {
        charmi_no_memory();
    }
    struct block *block = charmi_malloc(sizeof(*block) + size);
    block->next = NULL;
    block->used = 0;
    block->size = size;
    return block;
}

/* A large object gets a block of its own behind the current one, which stays in use. */
static struct block *block_for(struct charm_arena *arena, size_t size)
{
    struct block *first = arena->blocks;
    if (first != NULL && first->size - first->used >= size) {
        return first;
    }
    if (size > BLOCK_SIZE / 4 && first != NULL) {
        struct block *own = block_new(size);
        own->next = first->next;
        first->next = own;
        return own;
    }
    struct block *fresh = block_new(size > BLOCK_SIZE ? size : BLOCK_SIZE);
    fresh->next = first;
    arena->blocks = fresh;
    return fresh;
}

void *charm_arena_alloc(struct charm_arena *arena, size_t size_bytes)
{
    const size_t unit = alignof(max_align_t);
    if (size_bytes > SIZE_MAX - unit) {
        charmi_no_memory();
    }
    const size_t size = size_bytes == 0 ? unit : (size_bytes + unit - 1) / unit * unit;
    struct block *block = block_for(arena, size);
    void *memory = block->bytes + block->used;
    block->used += size;
    memset(memory, 0, size);
    return memory;
}

void *charm_arena_array(struct charm_arena *arena, size_t count, size_t size_bytes)
{
    return charm_arena_alloc(arena, charmi_multiply(count, size_bytes));
}

char *charm_arena_copy_n(struct charm_arena *arena, const char *bytes, size_t size)
{
    char *copy = charm_arena_alloc(arena, size + 1);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

char *charm_arena_copy(struct charm_arena *arena, const char *text)
{
    return text == NULL ? NULL : charm_arena_copy_n(arena, text, strlen(text));
}

char *charm_arena_vprintf(struct charm_arena *arena, const char *format, va_list args)
{
    char small[256]; /* most texts fit, and are formatted once */
    va_list again;
    va_copy(again, args);
    const int size = vsnprintf(small, sizeof(small), format, args);
    if (size < 0) {
        charmi_bug("charm_arena_vprintf: bad format");
    }
    char *text = charm_arena_alloc(arena, (size_t)size + 1);
    if ((size_t)size < sizeof(small)) {
        memcpy(text, small, (size_t)size);
    } else {
        vsnprintf(text, (size_t)size + 1, format, again);
    }
    va_end(again);
    return text;
}

char *charm_arena_printf(struct charm_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = charm_arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void charm_arena_defer(struct charm_arena *arena, void (*release)(void *object), void *object)
{
    struct deferred *d = charm_arena_alloc(arena, sizeof(*d));
    *d = (struct deferred){ .next = arena->deferred, .release = release, .object = object };
    arena->deferred = d;
}
