#ifndef CERTS_BUILDER_H
#define CERTS_BUILDER_H

#include "certs/x509.h"

/* Putting X.509 certificates together; what goes into which certificate is for ca.c and
 * self_signed_make.c to say. */

struct reload_cert_extension {
    int nid;
    const char *value; /* in OpenSSL's configuration syntax: constants only, never input */
};

struct reload_cert_plan {
    struct reload_slice public_key; /* DER of SubjectPublicKeyInfo */
    struct reload_slice serial;     /* big-endian, 1..20 bytes */
    const char *common_name;        /* of the subject; NULL leaves it empty */
    uint64_t not_before_ms, not_after_ms;
    GENERAL_NAMES *alternative_names; /* borrowed; NULL for none */
    const struct reload_cert_extension *extensions;
    size_t extension_count;
    X509 *issuer; /* NULL: self-signed */
    EVP_PKEY *issuer_key;
};

/* Builds and signs with SHA-256. RELOAD_E_INVALID with a reason, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_build(const struct reload_cert_plan *plan, X509 **out,
                                      struct reload_cert_reason *reason);

/* The subjectAltName of a node (RFC 6940 s11.3): its Node-IDs as URIs, then the user name unless it
 * is empty. NULL without memory or for an overlay name that is none. Free with
 * GENERAL_NAMES_free(). */
GENERAL_NAMES *reload_cert_node_names(const struct reload_node_id *ids, size_t count,
                                      const char *overlay, struct reload_slice user_name);
/* One more IA5String name (GEN_EMAIL, GEN_URI, GEN_DNS) or address (GEN_IPADD, raw bytes). */
bool reload_cert_add_name(GENERAL_NAMES *names, int type, struct reload_slice value);

RELOAD_MUST_USE int reload_cert_to_der(X509 *x509, struct reload_cert_bytes *out);

/* keyUsage of whoever has this key and does TLS, in OpenSSL's syntax. */
const char *reload_cert_key_usage(EVP_PKEY *public_key);

#endif
