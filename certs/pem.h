#ifndef CERTS_PEM_H
#define CERTS_PEM_H

#include "certs/bytes.h"

/* Reads up to `max` certificates from PEM, or one from DER, as DER; the text around them is passed
 * over. *count is how many. RELOAD_E_DECODE (none, or one that is broken), RELOAD_E_LIMIT,
 * RELOAD_E_NOMEM; on an error nothing is kept. */
RELOAD_MUST_USE int reload_cert_read_pem(struct reload_slice text, struct reload_cert_bytes *out,
                                         size_t max, size_t *count);

#endif
