/* Secrets: Juju's, as `juju add-secret` and its kin have them, and what an operator puts into Kubernetes. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/command.h"
#include "lab/yaml.h"

/* KEY=VALUE, KEY#file=PATH. */
static int add_pair(const struct lab_args *args, const char *pair, struct charm_value *content)
{
    static const char from_file[] = "#file=";
    const char *file = strstr(pair, from_file);
    if (file == NULL || file > strchr(pair, '=')) {
        return lab_split_pair(args, pair, content)
                   ? 0
                   : lab_complain(2, "expected \"key=value\", got \"%s\"", pair);
    }
    const char *text = lab_read_file(args, file + strlen(from_file));
    if (text == NULL) {
        return 1;
    }
    charm_value_set_text(content, charm_arena_copy_n(args->arena, pair, (size_t)(file - pair)),
                         text);
    return 0;
}

static int send_content(struct lab_args *args, const char *verb, const char **ret_uri)
{
    struct charm_value *request = lab_new_request(args, verb);
    struct charm_value *content = charm_value_add_map(request, "content");
    charm_value_set_text(request, "secret", args->words.at[0]);
    for (size_t i = 1; i < args->words.size; i++) {
        const int code = add_pair(args, args->words.at[i], content);
        if (code != 0) {
            return code;
        }
    }
    const struct charm_value *answer = lab_ask(args, request);
    if (answer == NULL) {
        return 1;
    }
    *ret_uri = charm_text(charm_value_get(answer, "uri"));
    return 0;
}

static int add_secret(struct lab_args *args)
{
    const char *uri = "";
    const int code = send_content(args, "add-secret", &uri);
    if (code == 0) {
        puts(uri);
    }
    return code;
}

static int update_secret(struct lab_args *args)
{
    const char *uri = "";
    return send_content(args, "update-secret", &uri);
}

static int ask_for(struct lab_args *args, const char *verb)
{
    struct charm_value *request = lab_new_request(args, verb);
    charm_value_set_text(request, "secret", args->words.at[0]);
    if (args->words.size > 1) {
        charm_value_set_text(request, "app", args->words.at[1]);
    }
    return lab_ask(args, request) == NULL ? 1 : 0;
}

static int grant_secret(struct lab_args *args)
{
    return ask_for(args, "grant-secret");
}

static int revoke_secret(struct lab_args *args)
{
    return ask_for(args, "revoke-secret");
}

static int remove_secret(struct lab_args *args)
{
    return ask_for(args, "remove-secret");
}

/* As `kubectl apply -f FILE` of a person. */
static int apply(struct lab_args *args)
{
    struct charm_value *request = lab_new_request(args, "apply");
    const char *text = lab_read_file(args, args->words.at[1]);
    struct charm_value *manifest = NULL;
    struct charm_error error = { 0 };
    if (text == NULL) {
        return 1;
    }
    if (lab_yaml_parse(args->arena, text, strlen(text), LAB_YAML_TYPED, &manifest, &error) != 0) {
        return lab_complain(1, "read %s: %s", args->words.at[1], error.text);
    }
    charm_value_set_text(request, "app", args->words.at[0]);
    charm_value_set(request, "manifest", manifest);
    return lab_ask(args, request) == NULL ? 1 : 0;
}

const struct lab_verb lab_verbs_secret[] = {
    {
        .name = "add-secret",
        .usage = "NAME KEY=VALUE|KEY#file=FILE...",
        .summary = "make a secret of Juju's; prints its URI",
        .least = 2,
        .most = 100,
        .run = add_secret,
    },
    {
        .name = "update-secret",
        .usage = "NAME KEY=VALUE|KEY#file=FILE...",
        .summary = "give a secret another content",
        .least = 2,
        .most = 100,
        .run = update_secret,
    },
    {
        .name = "grant-secret",
        .usage = "NAME APPLICATION",
        .summary = "let an application read a secret",
        .least = 2,
        .most = 2,
        .run = grant_secret,
    },
    {
        .name = "revoke-secret",
        .usage = "NAME APPLICATION",
        .summary = "take that back",
        .least = 2,
        .most = 2,
        .run = revoke_secret,
    },
    {
        .name = "remove-secret",
        .usage = "NAME",
        .summary = "remove a secret",
        .least = 1,
        .most = 1,
        .run = remove_secret,
    },
    {
        .name = "apply",
        .usage = "APPLICATION FILE",
        .summary = "what `kubectl apply -f FILE` would do in the deployer's Kubernetes (- is "
                   "standard input)",
        .least = 2,
        .most = 2,
        .run = apply,
    },
    { 0 },
};
