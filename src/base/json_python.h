/*
 * base/json_python.h: JSON text exactly as Python's json.dumps(value, sort_keys=True) writes it.
 *
 * The wire format of charms.reactive relations and digests: reactive-framework.md 4.6.
 *
 * May include: base/buf.h, jansson.
 */
#ifndef CHARMI_JSON_PYTHON_H
#define CHARMI_JSON_PYTHON_H

#include <jansson.h>

#include "base/buf.h"

void charmi_json_python(struct charmi_buf *buf, const json_t *value);

#endif
