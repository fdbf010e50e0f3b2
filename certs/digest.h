#ifndef CERTS_DIGEST_H
#define CERTS_DIGEST_H

#include <openssl/evp.h>

#include "certs/bytes.h"
#include "reload/security/crypto.h"

/* Digests over parts. The algorithms are looked up once and the state is used again: OpenSSL's
 * look-up costs more than hashing a short message. One hasher is used from one thread at a time. */

#define RELOAD_CERT_DIGESTS (RELOAD_HASH_SHA512 + 1)

struct reload_cert_hasher {
    EVP_MD_CTX *state;
    EVP_MD *algorithms[RELOAD_CERT_DIGESTS];
};

/* RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_hasher_init(struct reload_cert_hasher *hasher);
void reload_cert_hasher_fini(struct reload_cert_hasher *hasher);

/* NULL for MD5, none and unknown ones. */
const EVP_MD *reload_cert_hasher_algorithm(const struct reload_cert_hasher *hasher,
                                           uint8_t hash_algorithm);
/* out holds RELOAD_DIGEST_MAX bytes. RELOAD_E_UNSUPPORTED, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_hasher_digest(struct reload_cert_hasher *hasher,
                                              uint8_t hash_algorithm,
                                              const struct reload_slice *parts, size_t count,
                                              uint8_t *out, size_t *len);

#endif
