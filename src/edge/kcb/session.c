#include "edge/kcb/session.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "edge/kcb/http.h"
#include "edge/kcb/kafka.h"
#include "edge/kcb/kafka_client.h"
#include "kcb/ports.h"

/*
 * Memory for OpenSSL and curl. Where it is wanting, OpenSSL 3 can leave a lock behind, and then waits for it for ever;
 * ours ends the process (base/memory.h).
 */
static void *take_for_openssl(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return charmi_malloc(size);
}

static void *retake_for_openssl(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return charmi_realloc(old, size);
}

static void free_for_openssl(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

static void *take_zeroed(size_t count, size_t size)
{
    const size_t all = charmi_multiply(count, size);
    return memset(charmi_malloc(all), 0, all);
}

static char *copy_text(const char *text)
{
    const size_t size = strlen(text) + 1;
    return memcpy(charmi_malloc(size), text, size);
}

void kcbi_session_begin(struct kcbi_session *session)
{
    if (session->begun) {
        return;
    }
    CHARMI_IGNORE(
        CRYPTO_set_mem_functions(take_for_openssl, retake_for_openssl, free_for_openssl) != 1,
        "then something in this process has used OpenSSL before, and it keeps malloc");
    /* The first call decides: no clean-up at exit, see session.h. */
    CHARMI_IGNORE(OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1,
                  "then OpenSSL cleans up at exit, as it does by default");
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, charmi_malloc, free, charmi_realloc, copy_text,
                             take_zeroed) != CURLE_OK) {
        charmi_no_memory();
    }
    session->begun = true;
}

void kcbi_session_end(struct kcbi_session *session)
{
    kcbi_kafka_release(session);
    kcbi_http_release(session);
    if (session->begun) {
        curl_global_cleanup();
    }
    *session = (struct kcbi_session){ 0 };
}

struct kcbi_session *kcbi_session_of_process(void)
{
    /* The one exception to "no mutable globals": connections belong to the process, and ports are a constant. */
    static struct kcbi_session session;
    return &session;
}

/* ---- behind the ports: the session's functions, without a session ---- */

static int http(void *userdata, struct charm_arena *arena, const struct kcb_http_request *request,
                struct kcb_http_answer *ret_answer, struct charm_error *reterr)
{
    (void)userdata;
    return kcbi_http(kcbi_session_of_process(), arena, request, ret_answer, reterr);
}

static int kafka_look(void *userdata, struct charm_arena *arena, const struct charm_value *settings,
                      const char *const *topics, int64_t timeout_ms,
                      struct kcb_cluster_view *ret_view, struct charm_error *reterr)
{
    (void)userdata;
    return kcbi_kafka_look(kcbi_session_of_process(), arena, settings, topics, timeout_ms, ret_view,
                           reterr);
}

static int kafka_create(void *userdata, struct charm_arena *arena,
                        const struct charm_value *settings, const struct kcb_topic_spec *specs,
                        size_t count, int64_t timeout_ms, struct kcb_topic_result *ret_results,
                        struct charm_error *reterr)
{
    (void)userdata;
    return kcbi_kafka_create(kcbi_session_of_process(), arena, settings, specs, count, timeout_ms,
                             ret_results, reterr);
}

const struct kcb_ports kcb_runtime_ports = {
    .http = http,
    .kafka_look = kafka_look,
    .kafka_create = kafka_create,
};
