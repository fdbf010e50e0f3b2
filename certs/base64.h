#ifndef CERTS_BASE64_H
#define CERTS_BASE64_H

#include "certs/bytes.h"

/* Decodes base64 (RFC 4648) with XML white space anywhere. RELOAD_E_DECODE, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_base64_decode(struct reload_slice text,
                                              struct reload_cert_bytes *out);

#endif
