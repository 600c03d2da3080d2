/* An action's parameters: the first byte chooses the action (l, d, r), a line end; then the JSON of action-get. */
#include "stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const actions[] = {
        ['d'] = "describe-connector", ['l'] = "list-connectors", ['r'] = "restart-connector"
    };
    if (size < 2 || data[0] == '\0' || strchr("dlr", data[0]) == NULL || data[1] != '\n') {
        return -1;
    }
    const struct stage_answer answer = { "action-get", 0, (const char *)data + 2, size - 2 };
    stage_play(
        &(struct stage_script){ .action = actions[data[0]], .answers = &answer, .count = 1 });
    return 0;
}
