#include "charm/names.h"

#include <stdint.h>
#include <string.h>

/* Open addressing, at most half full; a slot holds the index of its name plus one. */
struct charmi_names {
    struct charm_arena *arena;
    size_t first;
    const char **texts;
    size_t count;
    size_t capacity;
    size_t *slots;
    size_t slot_count; /* a power of two */
};

enum { FIRST_SLOTS = 64 };

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t hash(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (const char *c = name; *c != '\0'; c++) {
        h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    return (size_t)(h ^ (h >> 32));
}

/* The slot that holds `name`, or the free one where it belongs. */
static size_t *slot_of(const struct charmi_names *names, const char *name)
{
    size_t mask = names->slot_count - 1;
    for (size_t i = hash(name) & mask;; i = (i + 1) & mask) {
        size_t *slot = &names->slots[i];
        if (*slot == 0 || strcmp(names->texts[*slot - 1], name) == 0) {
            return slot;
        }
    }
}

struct charmi_names *charmi_names_new(struct charm_arena *arena, size_t first)
{
    struct charmi_names *names = charm_arena_alloc(arena, sizeof(*names));
    names->arena = arena;
    names->first = first;
    names->capacity = FIRST_SLOTS / 2;
    names->texts = charm_arena_array(arena, names->capacity, sizeof(*names->texts));
    names->slot_count = FIRST_SLOTS;
    names->slots = charm_arena_array(arena, names->slot_count, sizeof(*names->slots));
    return names;
}

static void grow(struct charmi_names *names)
{
    const char **texts =
        charm_arena_array(names->arena, 2 * names->capacity, sizeof(*names->texts));
    memcpy(texts, names->texts, names->count * sizeof(*texts));
    names->texts = texts;
    names->capacity *= 2;
    names->slot_count *= 2;
    names->slots = charm_arena_array(names->arena, names->slot_count, sizeof(*names->slots));
    for (size_t i = 0; i < names->count; i++) {
        *slot_of(names, names->texts[i]) = i + 1;
    }
}

size_t charmi_names_intern(struct charmi_names *names, const char *name)
{
    size_t *slot = slot_of(names, name);
    if (*slot != 0) {
        return names->first + *slot - 1;
    }
    if (names->count == names->capacity) {
        grow(names);
        slot = slot_of(names, name);
    }
    names->texts[names->count] = charm_arena_copy(names->arena, name);
    *slot = ++names->count;
    return names->first + names->count - 1;
}

size_t charmi_names_find(const struct charmi_names *names, const char *name)
{
    size_t found = *slot_of(names, name);
    return found == 0 ? CHARMI_NO_NAME : names->first + found - 1;
}

const char *charmi_names_text(const struct charmi_names *names, size_t id)
{
    return names->texts[id - names->first];
}

size_t charmi_names_count(const struct charmi_names *names)
{
    return names->count;
}

void charmi_ids_add(struct charm_arena *arena, struct charmi_ids *ids, size_t id)
{
    if (ids->size == ids->capacity) {
        size_t capacity = ids->capacity == 0 ? 4 : 2 * ids->capacity;
        size_t *larger = charm_arena_array(arena, capacity, sizeof(*larger));
        if (ids->size > 0) {
            memcpy(larger, ids->at, ids->size * sizeof(*larger));
        }
        ids->at = larger;
        ids->capacity = capacity;
    }
    ids->at[ids->size++] = id;
}

bool charmi_ids_have(const struct charmi_ids *ids, size_t id)
{
    for (size_t i = 0; i < ids->size; i++) {
        if (ids->at[i] == id) {
            return true;
        }
    }
    return false;
}

bool charmi_ids_add_once(struct charm_arena *arena, struct charmi_ids *ids, size_t id)
{
    if (charmi_ids_have(ids, id)) {
        return false;
    }
    charmi_ids_add(arena, ids, id);
    return true;
}
