#ifndef RELOAD_SECURITY_CRYPTO_H
#define RELOAD_SECURITY_CRYPTO_H

#include "reload/config/config.h"
#include "reload/time.h"
#include "reload/wire/algorithm.h"
#include "reload/wire/id.h"

/* What the core asks of cryptography, and identities as it sees them. The program's implementation
 * is certs/ on OpenSSL; tests/sim has a stand-in with fixed sizes. */

#define RELOAD_DIGEST_MAX    64
#define RELOAD_SIGNATURE_MAX 512 /* bytes of the largest signature made: RSA-4096 */

struct reload_identity { /* a certificate that was checked: chain or self-signed rule, overlay,
                            bad-node */
    struct reload_slice certificate;       /* DER (in the simulator: whatever it stands for) */
    const struct reload_node_id *node_ids; /* in subjectAltName order, at least one */
    size_t node_id_count;
    struct reload_slice user_name;        /* the rfc822Name's bytes; empty when there is none */
    uint64_t not_before_ms, not_after_ms; /* validity, Unix time */
    struct reload_slice issuers; /* a bucket's bytes: the certificates between it and a root-cert,
                                    without which others cannot check it (s6.3.4); often none */
};

struct reload_signer {                      /* who made a signature */
    const struct reload_identity *identity; /* owned by the crypto context; valid until its next
                                               identify() call or the next configuration */
    struct reload_node_id node_id;          /* the Node-ID that the SignerIdentity selects */
};

/* What this node signs with. Constant for the life of the node; all slices belong to the host. */
struct reload_own_identity {
    struct reload_node_id node_id; /* the Node-ID this node acts as */
    struct reload_slice user_name;
    struct reload_slice certificate;  /* own DER */
    struct reload_slice certificates; /* the bucket's bytes: GenericCertificate list, no outer
                                         length, own certificate first, roots left out (s6.3.4) */
    uint8_t hash_algorithm;           /* enum reload_hash_algorithm */
    uint8_t signature_algorithm;      /* enum reload_signature_algorithm */
    struct reload_slice
        signer_identity; /* the SignerIdentity struct's bytes, type and length included:
                            cert_hash with one Node-ID, cert_hash_node_id with more */
    uint64_t not_after_ms;
    bool self_signed; /* s11.3.1: nobody has seen to it that the user name is its holder's */
};

struct reload_crypto_ops {
    /* Digest of the parts in order. out holds RELOAD_DIGEST_MAX bytes; *len is what was written.
     * RELOAD_E_UNSUPPORTED for an algorithm other than SHA-1, -224, -256, -384 and -512. */
    int (*digest)(void *context, enum reload_hash_algorithm algorithm,
                  const struct reload_slice *parts, size_t count, uint8_t *out, size_t *len);
    /* Signs the parts in order with the own key and the algorithms of struct reload_own_identity.
     * out holds RELOAD_SIGNATURE_MAX bytes. */
    int (*sign)(void *context, const struct reload_slice *parts, size_t count, uint8_t *out,
                size_t *len);
    /* Finds the certificate that a SignerIdentity (identity_type, then the bytes inside: hash_alg
     * and hash<1 byte>) names, among `certificates` (a bucket's bytes; may be empty: what was
     * checked before is remembered) and checks it: chain to a root-cert with BasicConstraints or
     * the self-signed rule (s11.3.1), validity at `now`, overlay name, bad-node. 0;
     * RELOAD_E_CERTIFICATE (not there, or not acceptable; the reason goes to the context's log),
     * RELOAD_E_EXPIRED, RELOAD_E_FORBIDDEN (bad-node), RELOAD_E_UNSUPPORTED (hash algorithm),
     * RELOAD_E_NOMEM. */
    int (*identify)(void *context, struct reload_slice certificates, uint8_t identity_type,
                    struct reload_slice identity_value, struct reload_time now,
                    struct reload_signer *out);
    /* Verifies a signature over the parts in order by that identity's key. 0, RELOAD_E_SIGNATURE,
     * or RELOAD_E_UNSUPPORTED for an algorithm pair that is not accepted. */
    int (*verify)(void *context, const struct reload_identity *identity, uint8_t hash_algorithm,
                  uint8_t signature_algorithm, const struct reload_slice *parts, size_t count,
                  struct reload_slice signature);
    /* A new configuration is in force: roots, bad-nodes and the self-signed rule may differ.
     * Forgets every identity that was checked under the old one. */
    void (*configure)(void *context, const struct reload_config *config);
};

/* The operations with their context, as the core holds them. */
struct reload_crypto {
    const struct reload_crypto_ops *ops;
    void *context;
    const struct reload_own_identity *own;
    bool raw_resource_ids; /* compatibility: see reload_value_verify() */
};

/* The first `len` bytes of the SHA-1 of `bytes`: how a Resource-ID is made of a Resource Name
 * (RFC 6940 s10.2). Fails as digest() does; RELOAD_E_UNSUPPORTED when a digest is shorter. */
RELOAD_MUST_USE int reload_crypto_sha1_head(const struct reload_crypto *crypto,
                                            struct reload_slice bytes, size_t len, uint8_t *out);

#endif
