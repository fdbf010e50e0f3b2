#ifndef CERTS_CHAIN_H
#define CERTS_CHAIN_H

#include <openssl/x509_vfy.h>

#include "certs/trust.h"
#include "certs/x509.h"

/* The one place where a certification path is checked (RFC 5280, RFC 6940 s11.3). */

struct reload_cert_window { /* Unix time in ms, both ends included */
    uint64_t not_before_ms, not_after_ms;
};

/* The roots of a configuration as a store. RELOAD_E_CERTIFICATE when one is not a CA's certificate,
 * RELOAD_E_LIMIT, RELOAD_E_NOMEM. Free with X509_STORE_free(). */
RELOAD_MUST_USE int reload_cert_chain_roots(const struct reload_config *config, X509_STORE **out,
                                            struct reload_cert_reason *reason);

/* Whether `leaf` chains to a root at `now`, by way of the CAs among `offered` (DER, any order).
 * *window is when the whole chain is valid; *issuers gets the CAs between the two as in a bucket
 * (s6.3.4), often none, for reload_cert_bytes_fini(). RELOAD_E_CERTIFICATE, RELOAD_E_EXPIRED,
 * RELOAD_E_NOMEM, and then there are no *issuers. */
RELOAD_MUST_USE int reload_cert_chain_check(X509_STORE *roots, X509 *leaf,
                                            const struct reload_slice *offered, size_t count,
                                            uint64_t now_unix_ms, struct reload_cert_window *window,
                                            struct reload_cert_bytes *issuers,
                                            struct reload_cert_reason *reason);

#endif
