#ifndef TESTS_CERTS_ASKED_H
#define TESTS_CERTS_ASKED_H

#include "tests/certs/fixture.h"

/* A verifier that is asked, and certificates to ask it about. */

struct asked {
    struct reload_trust *trust;
    struct reload_cert_reason why; /* it last refused */
};

/* One of that configuration; its trust is the caller's to free. */
struct asked asked_of(const struct reload_config *config);
/* As reload_trust_check() and reload_trust_identify(), the latter at NOW_MS; certificates may be
 * NULL. */
int asked_check(struct asked *a, const struct reload_cert_bytes *der, uint64_t now_ms);
int asked_identify(struct asked *a, const struct reload_cert_bytes *certificates, uint8_t type,
                   const struct reload_cert_bytes *value, struct reload_signer *out);

/* Certificates of keys that nobody has: by the overlay's CA, and self-signed (zero fields take what
 * a good one has). */
struct reload_cert_bytes asked_issued(const struct fixture *f, uint8_t fill, struct wish wish);
struct reload_cert_bytes asked_self_signed(struct reload_cert_self_signed_request request);

#endif
