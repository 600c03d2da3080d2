#include "edge/kcb/http.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

/* Where Debian and Ubuntu, Fedora and its kin, Alpine and SUSE keep the certificates of public authorities. */
static const char *const ca_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
};

/* ---- one exchange ---- */

struct exchange {
    const struct kcb_http_request *request;
    CURL *curl;                  /* borrowed */
    struct curl_slist *headers;  /* own */
    struct charmi_buf body;      /* own */
    char words[CURL_ERROR_SIZE]; /* curl's, on failure */
};

static void exchange_release(struct exchange *exchange)
{
    curl_slist_free_all(exchange->headers);
    charmi_buf_release(&exchange->body);
}

/* What curl received. Fewer bytes taken than given ends the transfer. */
static size_t receive(char *bytes, size_t one, size_t count, void *userdata)
{
    struct exchange *exchange = userdata;
    const size_t size = one * count;
    charmi_buf_add_n(&exchange->body, bytes, size);
    return exchange->body.overflow ? 0 : size;
}

static void add_header(struct exchange *exchange, const char *line)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    if (longer == NULL) {
        charmi_no_memory();
    }
    exchange->headers = longer;
}

static const char *ca_bundle(void)
{
    for (size_t i = 0; i < CHARMI_COUNT(ca_bundles); i++) {
        if (access(ca_bundles[i], R_OK) == 0) {
            return ca_bundles[i];
        }
    }
    return ca_bundles[0];
}

/* ---- options. Those set here cannot fail but for want of memory ---- */

static void set_long(CURL *curl, CURLoption option, long number)
{
    if (curl_easy_setopt(curl, option, number) != CURLE_OK) {
        charmi_bug("an option that this libcurl does not know");
    }
}

static void set_text(CURL *curl, CURLoption option, const char *text)
{
    const CURLcode code = curl_easy_setopt(curl, option, text);
    if (code == CURLE_OUT_OF_MEMORY) {
        charmi_no_memory();
    }
    if (code != CURLE_OK) {
        charmi_bug("an option that this libcurl does not know");
    }
}

static void set_limits(struct exchange *exchange)
{
    CURL *curl = exchange->curl;
    set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    set_long(curl, CURLOPT_FOLLOWLOCATION, 0);
    set_text(curl, CURLOPT_PROXY, ""); /* also stops curl from reading http_proxy */
    set_long(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
    set_long(curl, CURLOPT_NOSIGNAL, 1);
    set_long(curl, CURLOPT_TIMEOUT_MS, (long)exchange->request->timeout_ms);
    set_text(curl, CURLOPT_CAINFO, ca_bundle());
}

static bool sends_a_body(const struct kcb_http_request *request)
{
    return request->body != NULL || charmi_same(request->method, "PUT") ||
           charmi_same(request->method, "POST");
}

static void set_request(struct exchange *exchange)
{
    CURL *curl = exchange->curl;
    const struct kcb_http_request *request = exchange->request;
    set_text(curl, CURLOPT_URL, request->url);
    if (sends_a_body(request)) {
        /* Not copied: the request outlives the exchange. */
        const char *body = request->body != NULL ? request->body : "";
        set_text(curl, CURLOPT_POSTFIELDS, body);
        set_long(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    }
    set_text(curl, CURLOPT_CUSTOMREQUEST, request->method);
    set_text(curl, CURLOPT_USERAGENT, "kafka-connect-base");
    add_header(exchange, "Accept: application/json");
    /* An empty value takes away the header that curl would send by itself. */
    add_header(exchange,
               request->body != NULL ? "Content-Type: application/json" : "Content-Type:");
    add_header(exchange, "Expect:");
}

static void set_callbacks(struct exchange *exchange)
{
    CURL *curl = exchange->curl;
    if (curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->headers) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->words) != CURLE_OK) {
        charmi_bug("an option that this libcurl does not know");
    }
}

/* ---- what stopped it ---- */

static enum charm_code code_of(CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return CHARM_ETIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED: /* a user name in the URL */
        return CHARM_EINVAL;
    default:
        return CHARM_ENET;
    }
}

/* curl says "Couldn't connect to server"; why is in errno. */
static const char *words_of(struct exchange *exchange, CURLcode code)
{
    long os_errno = 0;
    if (code == CURLE_SSL_CACERT_BADFILE) {
        return "there is no CA bundle in any of the usual places "
               "(/etc/ssl/certs/ca-certificates.crt ...): "
               "install the package ca-certificates";
    }
    if (code == CURLE_COULDNT_CONNECT &&
        curl_easy_getinfo(exchange->curl, CURLINFO_OS_ERRNO, &os_errno) == CURLE_OK &&
        os_errno != 0) {
        return strerror((int)os_errno);
    }
    return exchange->words[0] != '\0' ? exchange->words : curl_easy_strerror(code);
}

static int failed(struct exchange *exchange, CURLcode code, struct charm_error *reterr)
{
    const struct kcb_http_request *request = exchange->request;
    const int shown = (int)strcspn(request->url, "?#");
    if (code == CURLE_OUT_OF_MEMORY) {
        charmi_no_memory();
    }
    if (exchange->body.overflow) {
        return charm_error_set(reterr, CHARM_ETOOBIG,
                               "%s %.*s: the answer is longer than %zu bytes", request->method,
                               shown, request->url, request->max_body_bytes);
    }
    return charm_error_set(reterr, code_of(code), "%s %.*s: %s", request->method, shown,
                           request->url, words_of(exchange, code));
}

static void take_answer(struct charm_arena *arena, struct exchange *exchange,
                        struct kcb_http_answer *ret_answer)
{
    long status = 0;
    const char *type = NULL;
    if (curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
        curl_easy_getinfo(exchange->curl, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK) {
        charmi_bug("an information that this libcurl does not have");
    }
    *ret_answer = (struct kcb_http_answer){
        .status = (int)status,
        .body = charm_arena_copy_n(arena, charmi_buf_text(&exchange->body), exchange->body.size),
        .body_size = exchange->body.size,
        .content_type = charm_arena_copy(arena, type != NULL ? type : ""),
    };
}

/* ---- the call ---- */

/* The session's handle without the options of the call before; it keeps its connections. */
static CURL *handle(struct kcbi_session *session)
{
    kcbi_session_begin(session);
    if (session->http == NULL) {
        session->http = curl_easy_init();
        if (session->http == NULL) {
            charmi_no_memory();
        }
    }
    curl_easy_reset(session->http);
    return session->http;
}

static int check_request(const struct kcb_http_request *request, struct charm_error *reterr)
{
    const int shown = (int)strcspn(request->url, "?#");
    if (!charmi_starts_with(request->url, "http://") &&
        !charmi_starts_with(request->url, "https://")) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "%s %.*s: only http:// and https:// are spoken", request->method,
                               shown, request->url);
    }
    if (request->timeout_ms <= 0) { /* to curl, 0 would mean without end */
        return charm_error_set(reterr, CHARM_ETIMEOUT, "%s %.*s: no time left", request->method,
                               shown, request->url);
    }
    return 0;
}

int kcbi_http(struct kcbi_session *session, struct charm_arena *arena,
              const struct kcb_http_request *request, struct kcb_http_answer *ret_answer,
              struct charm_error *reterr)
{
    const int refused = check_request(request, reterr);
    if (refused != 0) {
        return refused;
    }
    __attribute__((cleanup(exchange_release))) struct exchange exchange = {
        .request = request,
        .curl = handle(session),
        .body = charmi_buf_init(request->max_body_bytes),
    };
    set_limits(&exchange);
    set_request(&exchange);
    set_callbacks(&exchange);
    const CURLcode code = curl_easy_perform(exchange.curl);
    const int result = code == CURLE_OK ? 0 : failed(&exchange, code, reterr);
    if (result == 0) {
        take_answer(arena, &exchange, ret_answer);
    }
    /* The handle outlives the exchange, and must not point into it. */
    curl_easy_reset(exchange.curl);
    return result;
}

void kcbi_http_release(struct kcbi_session *session)
{
    curl_easy_cleanup(session->http);
    session->http = NULL;
}
