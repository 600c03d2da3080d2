/*
 * What a hook tool answers: the first byte chooses the call (see calls[]), the second is its exit code, a line end, and
 * behind it come the bytes that it prints.
 */
#include "stage.h"

#include "base/text.h"

static const struct {
    char letter;
    const char *call;
    const char *action;
} calls[] = {
    { 'a', "action-get", "describe-connector" },
    { 'c', "config-get --all", NULL },
    { 'd', "relation-get -r kubernetes:2 - deployer/0", NULL },
    { 'e', "relation-list -r kubernetes:2", NULL },
    { 'i', "relation-ids kafka", NULL },
    { 'j', "relation-ids kubernetes", NULL },
    { 'k', "relation-get -r kafka:1 - kafka/0", NULL },
    { 'l', "relation-list -r kafka:1", NULL },
    { 'm', "relation-get -r cluster:0 --app - connect", NULL },
    { 'n', "network-get website -r website:3 --ingress-address", NULL },
    { 'o', "is-leader", NULL },
    { 'p', "relation-ids cluster", NULL },
    { 'q', "relation-get -r kubernetes:2 - connect/0", NULL },
    { 's', "state-get", NULL },
    { 't', "relation-ids website", NULL },
    { 'w', "status-set", NULL },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || data[1] < '0' || data[1] > '9' || data[2] != '\n') {
        return -1;
    }
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if ((char)data[0] == calls[i].letter) {
            const struct stage_answer answer = { calls[i].call, data[1] - '0',
                                                 (const char *)data + 3, size - 3 };
            stage_play(&(struct stage_script){
                .action = calls[i].action,
                .answers = &answer,
                .count = 1,
                /* what the unit and the application remember */
                .strange_memory = strchr("ms", calls[i].letter) != NULL,
            });
            return 0;
        }
    }
    return -1;
}
