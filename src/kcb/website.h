/*
 * kcb/website.h: the workers' REST address for those who relate to `website` (http).
 *
 * Published by the leader while the workers run, withdrawn otherwise. Wire format: reactive-framework.md 7.3.
 *
 * May include: charm/run.h.
 */
#ifndef KCBI_WEBSITE_H
#define KCBI_WEBSITE_H

#include "charm/run.h"

/* Output. */
enum charm_result kcbi_publish_website(struct charm_run *run, const struct charm_output *output);

#endif
