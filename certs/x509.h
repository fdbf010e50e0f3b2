#ifndef CERTS_X509_H
#define CERTS_X509_H

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "certs/certificate.h"
#include "certs/key.h"

/* OpenSSL's objects behind the structs of this folder. Not for other folders. */

struct reload_cert_key {
    EVP_PKEY *pkey;
};

struct reload_cert {
    struct reload_identity identity;
    struct reload_node_id node_ids[RELOAD_CERT_NODE_IDS_MAX];
    char user_name[RELOAD_CERT_USER_NAME_MAX + 1];
    char overlay[256];
    struct reload_cert_bytes der, public_key;
    struct reload_cert_bytes issuers; /* once its chain was checked */
    X509 *x509;                       /* NULL once reload_cert_compact() was called */
    EVP_PKEY *key;                    /* the public key */
    bool self_issued;
};

/* One DER certificate and nothing after it, or NULL. Free with X509_free(). */
X509 *reload_cert_x509(struct reload_slice der);
/* Frees the parse tree, which only chain checks need. */
void reload_cert_compact(struct reload_cert *certificate);

/* 0, or RELOAD_E_INVALID with a reason: RSA of 2048 to 4096 bits, EC on P-256, P-384 or P-521. */
RELOAD_MUST_USE int reload_cert_pkey_check(EVP_PKEY *pkey, struct reload_cert_reason *reason);
/* 0, or RELOAD_E_CERTIFICATE: a certificate is signed with at least SHA-224. */
RELOAD_MUST_USE int reload_cert_digest_check(X509 *x509, struct reload_cert_reason *reason);

/* Unix time in ms; before 1970 is 0. */
uint64_t reload_cert_time_ms(const ASN1_TIME *time);
/* DER of whatever an i2d function writes. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_take_der(unsigned char *der, int len,
                                         struct reload_cert_bytes *out);

/* The rfc822Name of a subjectAltName as a terminated string: 0 names give "". RELOAD_E_CERTIFICATE
 * when there is more than one, or it holds NUL, control characters or is too long. */
RELOAD_MUST_USE int reload_cert_rfc822_name(const GENERAL_NAMES *names,
                                            char out[RELOAD_CERT_USER_NAME_MAX + 1],
                                            struct reload_cert_reason *reason);

#endif
