#include "charm/state.h"

#include <stdint.h>

#include "charm/store.h"

void charmi_state_empty(struct charmi_state *state, struct charm_arena *arena,
                        const struct charmi_words *owners)
{
    *state = (struct charmi_state){
        .arena = arena,
        .raw = charm_value_new_map(arena),
        .owners = *owners,
        .documents = charm_arena_array(arena, owners->size + 1, sizeof(struct charm_value *)),
    };
    for (size_t i = 0; i < owners->size; i++) {
        state->documents[i] = charm_value_new_map(arena);
    }
}

int charmi_state_load(struct charmi_state *state, struct charm_arena *arena,
                      struct charmi_tools *tools, const struct charmi_words *owners,
                      struct charm_error *reterr)
{
    const struct charm_value *raw = NULL;
    int r = charmi_tool_read(tools, CHARMI_ARGV("state-get", "--format=json"), CHARMI_ANSWER_BAG,
                             &raw, reterr);
    if (r < 0) {
        return r;
    }
    charmi_state_empty(state, arena, owners);
    state->raw = raw;
    for (size_t i = 0; i < owners->size; i++) {
        r = charmi_store_decode(arena, state->raw, owners->at[i], &state->documents[i], reterr);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

struct charm_value *charmi_state_of(const struct charmi_state *state, const char *owner)
{
    for (size_t i = 0; i < state->owners.size; i++) {
        if (charmi_same(state->owners.at[i], owner)) {
            return state->documents[i];
        }
    }
    return NULL;
}

int charmi_state_changes(const struct charmi_state *state, struct charm_value **ret_changes,
                         struct charm_error *reterr)
{
    struct charm_value *changes = charm_value_new_map(state->arena);
    for (size_t i = 0; i < state->owners.size; i++) {
        charmi_store_encode(state->arena, state->raw, state->owners.at[i], state->documents[i],
                            changes);
    }
    int r = charmi_store_check_size(state->arena, state->raw, changes, reterr);
    if (r < 0) {
        return r;
    }
    *ret_changes = changes;
    return 0;
}

struct charm_value *charmi_submap(struct charm_value *map, const char *key)
{
    const struct charm_value *found = charm_value_get(map, key);
    if (charm_value_kind(found) != CHARM_MAP) {
        return charm_value_add_map(map, key);
    }
    return (struct charm_value *)(uintptr_t)found; /* it is a part of `map`, which may change */
}
