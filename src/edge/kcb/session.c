#include "edge/kcb/session.h"

#include <openssl/crypto.h>

#include "base/memory.h"
#include "edge/kcb/http.h"
#include "edge/kcb/kafka.h"
#include "edge/kcb/kafka_client.h"
#include "kcb/ports.h"

void kcbi_session_begin(struct kcbi_session *session)
{
    if (session->begun) {
        return;
    }
    /* The first call decides: no clean-up at exit, see session.h. */
    CHARMI_IGNORE(OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1,
                  "then OpenSSL cleans up at exit, as it does by default");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
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
