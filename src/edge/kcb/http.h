/*
 * edge/kcb/http.h: one HTTP request by libcurl.
 *
 * Only http and https, no redirects, no proxy from the environment, no user name in the URL. Errors read "METHOD
 * URL: what stopped it", without the URL's query.
 *
 * May include: kcb/ports.h, edge/kcb/session.h, curl.
 */
#ifndef KCBI_HTTP_H
#define KCBI_HTTP_H

#include "edge/kcb/session.h"
#include "kcb/ports.h"

/* As kcb_ports.http. */
CHARM_MUST_CHECK int kcbi_http(struct kcbi_session *session, struct charm_arena *arena,
                               const struct kcb_http_request *request,
                               struct kcb_http_answer *ret_answer, struct charm_error *reterr);
void kcbi_http_release(struct kcbi_session *session);

#endif
