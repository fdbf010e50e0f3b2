#ifndef RELOAD_WIRE_SECURITY_BLOCK_H
#define RELOAD_WIRE_SECURITY_BLOCK_H

#include "reload/wire/algorithm.h"
#include "reload/wire/cursor.h"

/* SecurityBlock, Signature and SignerIdentity (RFC 6940 s6.3.4). */

enum reload_signer_identity_type {
    RELOAD_SIGNER_INVALID = 0,
    RELOAD_SIGNER_CERT_HASH = 1,
    RELOAD_SIGNER_CERT_HASH_NODE_ID = 2,
    RELOAD_SIGNER_NONE = 3,
};

#define RELOAD_CERTIFICATE_X509 0 /* CertificateType, from RFC 6091 */

struct reload_signer_identity {
    uint8_t type;             /* enum reload_signer_identity_type, or unknown */
    uint8_t hash_algorithm;   /* CERT_HASH and CERT_HASH_NODE_ID: enum reload_hash_algorithm */
    struct reload_slice hash; /* CERT_HASH and CERT_HASH_NODE_ID; else empty */
    struct reload_slice
        value; /* as received, without type and length; read by encode for unknown types only */
    struct reload_slice
        raw; /* the whole structure as received: what a signature covers; not read by encode */
};

struct reload_signature {
    uint8_t hash_algorithm;      /* enum reload_hash_algorithm */
    uint8_t signature_algorithm; /* enum reload_signature_algorithm */
    struct reload_signer_identity identity;
    struct reload_slice value;
};

struct reload_certificate {          /* GenericCertificate */
    uint8_t type;                    /* RELOAD_CERTIFICATE_X509, or unknown */
    struct reload_slice certificate; /* DER */
};

struct reload_security_block {
    struct reload_slice
        certificates; /* for reload_certificate_next(); not covered by any signature */
    struct reload_signature signature;
};

/* Each decode returns 0, or RELOAD_E_DECODE with *out unspecified; slices are borrowed from the
 * input. Each encode returns 0, or RELOAD_E_NOSPACE: the buffer or a length prefix is too small. */

/* Type 0, or a known type whose value is not exactly its fields, fails. Unknown types are kept. */
RELOAD_MUST_USE int reload_signer_identity_decode(struct reload_reader *r,
                                                  struct reload_signer_identity *out);
RELOAD_MUST_USE int reload_signer_identity_encode(struct reload_writer *w,
                                                  const struct reload_signer_identity *identity);

RELOAD_MUST_USE int reload_signature_decode(struct reload_reader *r, struct reload_signature *out);
RELOAD_MUST_USE int reload_signature_encode(struct reload_writer *w,
                                            const struct reload_signature *signature);
/* The signature of a synthesized nonexistent value: algorithms {0, 0}, identity none, no value
 * (s7.4.2.2). */
struct reload_signature reload_signature_none(void);
/* Either mark of such a signature: identity none, or algorithm 0 anywhere. A Store refuses it. */
bool reload_signature_is_none(const struct reload_signature *signature);

RELOAD_MUST_USE int reload_certificate_decode(struct reload_reader *r,
                                              struct reload_certificate *out);
RELOAD_MUST_USE int reload_certificate_encode(struct reload_writer *w,
                                              const struct reload_certificate *certificate);
/* Walks a certificate bucket: true with the next one, false at the end. */
bool reload_certificate_next(struct reload_reader *list, struct reload_certificate *out);

/* `block` must be consumed exactly. */
RELOAD_MUST_USE int reload_security_block_decode(struct reload_slice block,
                                                 struct reload_security_block *out);
RELOAD_MUST_USE int reload_security_block_encode(struct reload_writer *w,
                                                 const struct reload_security_block *block);

#endif
