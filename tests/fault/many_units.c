/*
 * Thousands of units on a relation: the real charm's run calls a hook tool once for each of them and not once more, and
 * its memory grows with them and no faster.
 */
#include "base/text.h"
#include "stage.h"

static size_t units; /* on the relation of the test */

/* kafka/0 to kafka/N, each with an address of its own. */
static const char *kafka_answer(struct charm_arena *arena, const char *line)
{
    static const char bag[] = "relation-get -r kafka:1 - kafka/";
    if (charmi_starts_with(line, bag)) {
        const unsigned long number = strtoul(line + strlen(bag), NULL, 10);
        return charm_arena_printf(arena,
                                  "{\"host\":\"10.%lu.%lu.1\",\"port\":\"9092\",\"egress-subnets\":"
                                  "\"10.%lu.%lu.1/32\",\"private-address\":\"10.%lu.%lu.1\"}",
                                  number / 256, number % 256, number / 256, number % 256,
                                  number / 256, number % 256);
    }
    if (!charmi_same(line, "relation-list -r kafka:1")) {
        return NULL;
    }
    struct charm_value *list = charm_value_new_list(arena);
    for (size_t i = 0; i < units; i++) {
        charm_value_append_text(list, charm_arena_printf(arena, "kafka/%zu", i));
    }
    return charm_value_render(arena, list, CHARM_JSON_COMPACT);
}

static struct stage_cost cost_of(size_t count)
{
    units = count;
    return stage_cost(&(struct stage_script){ .more = kafka_answer });
}

int main(void)
{
    const struct stage_cost few = cost_of(10);
    const struct stage_cost some = cost_of(2000);
    const struct stage_cost all = cost_of(10000);
    printf("%zu, %zu, %zu calls; %zu, %zu, %zu KiB at most\n", few.calls, some.calls, all.calls,
           few.peak_bytes / 1024, some.peak_bytes / 1024, all.peak_bytes / 1024);
    MUST(some.calls == few.calls + 1990, "%zu calls", some.calls);
    MUST(all.calls == few.calls + 9990, "%zu calls", all.calls);
    MUST(few.peak_bytes > 0, "memory was not measured");
    MUST(all.peak_bytes < 6 * some.peak_bytes, "memory grows faster than the units");
    MUST(all.peak_bytes < (size_t)10000 * 8 * 1024, "more than 8 KiB a unit");
    return 0;
}
