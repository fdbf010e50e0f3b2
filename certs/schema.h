#ifndef CERTS_SCHEMA_H
#define CERTS_SCHEMA_H

#include <libxml/tree.h>

#include "certs/reason.h"

/* Validates a document by certs/overlay.rng. RELOAD_E_INVALID with the first fault and its line,
 * RELOAD_E_NOMEM. Safe from any thread. */
RELOAD_MUST_USE int reload_cert_schema_check(xmlDocPtr document, struct reload_cert_reason *reason);

/* An error of libxml2 as one sentence: appended to `prefix`. */
void reload_cert_xml_reason(struct reload_cert_reason *reason, const char *prefix,
                            const xmlError *error);

#endif
