#ifndef CERTS_TRUST_H
#define CERTS_TRUST_H

#include "certs/certificate.h"
#include "reload/config/config.h"

/* The only verifier of certificates, with its one cache (RFC 6940 s6.3.4, s11.1, s11.3, s11.3.1).
 *
 * A certificate is accepted when it chains to a root-cert of the configuration through CAs with
 * BasicConstraints, or is self-signed where that is permitted and its Node-IDs follow from its key;
 * is inside its validity; names this overlay, with Node-IDs of the overlay's length; holds no
 * bad-node; and uses no weak key or digest (RSA below 2048 bits, MD5, SHA-1). What was accepted is
 * remembered under the hashes that SignerIdentity can name it by, so that a known signer costs one
 * table look-up.
 *
 * One struct is used from one thread at a time. */

#define RELOAD_CERT_CACHE_MAX                                                                      \
    1024 /* accepted certificates kept; the least recently used one goes */
#define RELOAD_CERT_BUCKET_MAX 256 /* certificates looked at in one bucket or chain */
#define RELOAD_CERT_ROOTS_MAX  64  /* root-certs of one configuration */

struct reload_trust;

struct reload_trust_counters {
    uint64_t hits;          /* found in the cache */
    uint64_t checked;       /* certificates that were parsed and checked in full */
    uint64_t refused;       /* not acceptable */
    uint64_t refused_again; /* of these, known from before and not checked again */
    uint64_t unknown;       /* no certificate for a SignerIdentity */
    uint64_t evicted;       /* cache was full */
    uint64_t verified;      /* signatures that verified */
    uint64_t forged;        /* signatures that did not */
};

/* config is borrowed until the next reload_trust_configure() or the end.
 * bare_node_id_uri: see certs/uri.h. RELOAD_E_NOMEM; RELOAD_E_CERTIFICATE when a root-cert is not a
 * certificate of a CA; RELOAD_E_LIMIT. */
RELOAD_MUST_USE int reload_trust_new(const struct reload_config *config, bool bare_node_id_uri,
                                     struct reload_trust **out, struct reload_cert_reason *reason);
void reload_trust_free(struct reload_trust *trust); /* NULL is fine */

/* Forgets everything that was accepted and goes by another configuration. On an error (as above)
 * nothing is accepted any more until a later call succeeds. */
RELOAD_MUST_USE int reload_trust_configure(struct reload_trust *trust,
                                           const struct reload_config *config,
                                           struct reload_cert_reason *reason);

/* As reload_crypto_ops.identify. The identity stays valid while it is among the
 * RELOAD_CERT_CACHE_MAX most recently used ones and no new configuration comes. cert_hash of a
 * certificate with several Node-IDs is refused: it does not say which one (s6.3.4);
 * cert_hash_node_id is accepted for a single one. */
RELOAD_MUST_USE int reload_trust_identify(struct reload_trust *trust,
                                          struct reload_slice certificates, uint8_t identity_type,
                                          struct reload_slice identity_value, uint64_t now_unix_ms,
                                          struct reload_signer *out,
                                          struct reload_cert_reason *reason);

/* Checks chain[0], the others being intermediates on offer in any order. Same errors and lifetime.
 */
RELOAD_MUST_USE int reload_trust_check(struct reload_trust *trust, const struct reload_slice *chain,
                                       size_t count, uint64_t now_unix_ms,
                                       const struct reload_identity **out,
                                       struct reload_cert_reason *reason);

/* As reload_crypto_ops.verify: SHA-256, -384 or -512 with the RSA or ECDSA that the key is.
 * `identity` came from one of the two functions above. */
RELOAD_MUST_USE int reload_trust_verify(struct reload_trust *trust,
                                        const struct reload_identity *identity,
                                        uint8_t hash_algorithm, uint8_t signature_algorithm,
                                        const struct reload_slice *parts, size_t count,
                                        struct reload_slice signature);

const struct reload_trust_counters *reload_trust_counters(const struct reload_trust *trust);

/* A Node-ID by the rule for self-signed certificates (s11.3.1): the first node_id_len bytes of
 * digest(SubjectPublicKeyInfo), with a 4-byte index from 1 in front when there are several (index
 * 0: the only one). RELOAD_E_UNSUPPORTED for a digest other than SHA-1 and SHA-256. */
RELOAD_MUST_USE int reload_cert_self_signed_node_id(enum reload_hash_algorithm digest,
                                                    struct reload_slice public_key, uint32_t index,
                                                    size_t node_id_len, struct reload_node_id *out);

#endif
