#ifndef CERTS_IDENTITY_H
#define CERTS_IDENTITY_H

#include "certs/certificate.h"
#include "certs/key.h"

/* This node's own identity: certificate, intermediates, private key, and all that is derived from
 * them for signing (RFC 6940 s6.3.4). Immutable once made. */

#define RELOAD_CERT_CHAIN_MAX 8 /* certificates in one's own chain */

struct reload_cert_identity;

/* From a PEM (or single DER) certificate chain, end entity first, and a key, which is copied.
 * `config` (borrowed for the call) names the overlay that the certificate must be for; NULL for
 * none: a user of certificates only. Self-issued roots in the chain are left out of what is sent.
 * 0 with *out; RELOAD_E_DECODE, RELOAD_E_CERTIFICATE (wrong overlay, key that does not match, any
 * rule of reload_cert_parse()), RELOAD_E_LIMIT, RELOAD_E_NOMEM. Expiry and chain are not
 * looked at: that is reload_cert_identity_check(). */
RELOAD_MUST_USE int reload_cert_identity_new(struct reload_slice chain,
                                             const struct reload_cert_key *key,
                                             const struct reload_config *config,
                                             struct reload_cert_identity **out,
                                             struct reload_cert_reason *reason);
/* The same from files. The key's mode must not be wider than 0600. */
RELOAD_MUST_USE int reload_cert_identity_load(const char *certificate_path, const char *key_path,
                                              const struct reload_config *config,
                                              struct reload_cert_identity **out,
                                              struct reload_cert_reason *reason);
void reload_cert_identity_free(struct reload_cert_identity *identity); /* NULL is fine */

/* Whether the other nodes of this overlay would accept it now: errors of reload_trust_check(). To
 * be called at start, so that the operator hears it and not the peers. */
RELOAD_MUST_USE int reload_cert_identity_check(const struct reload_cert_identity *identity,
                                               const struct reload_config *config,
                                               uint64_t now_unix_ms,
                                               struct reload_cert_reason *reason);

/* Acts as another Node-ID of its certificate (the first one by default). RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_cert_identity_select(struct reload_cert_identity *identity,
                                                const struct reload_node_id *node_id);

/* All of these live as long as the identity. */
const struct reload_own_identity *reload_cert_identity_own(const struct reload_cert_identity *i);
const struct reload_identity *
reload_cert_identity_certificate(const struct reload_cert_identity *i);
const char *reload_cert_identity_overlay(const struct reload_cert_identity *i); /* its URIs' */
const struct reload_cert_key *reload_cert_identity_key(const struct reload_cert_identity *i);
/* DER of its certificates as sent, end entity first, and of its key (PrivateKeyInfo). */
const struct reload_slice *reload_cert_identity_chain(const struct reload_cert_identity *i,
                                                      size_t *count);
struct reload_slice reload_cert_identity_private_key(const struct reload_cert_identity *i);

/* Signs the parts with the own key. out holds RELOAD_SIGNATURE_MAX bytes. One identity signs from
 * one thread at a time. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_identity_sign(const struct reload_cert_identity *identity,
                                              const struct reload_slice *parts, size_t count,
                                              uint8_t *out, size_t *len);

/* A self-signed certificate (s11.3.1) for a key, with 1..RELOAD_CERT_NODE_IDS_MAX Node-IDs. */
struct reload_cert_self_signed_request {
    const char *overlay;
    enum reload_hash_algorithm digest; /* SHA-1 or SHA-256: self-signed-permitted's attribute */
    size_t node_id_len;
    size_t node_id_count;
    struct reload_slice user_name; /* empty for none */
    uint64_t not_before_ms, not_after_ms;
};
/* 0 with the DER; RELOAD_E_INVALID with a reason, RELOAD_E_UNSUPPORTED (digest), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_self_signed(const struct reload_cert_key *key,
                                            const struct reload_cert_self_signed_request *request,
                                            struct reload_cert_bytes *der,
                                            struct reload_cert_reason *reason);

#endif
