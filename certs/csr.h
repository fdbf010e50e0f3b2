#ifndef CERTS_CSR_H
#define CERTS_CSR_H

#include "certs/certificate.h"
#include "certs/key.h"

/* PKCS#10 certificate signing requests (RFC 2986), as RFC 6940 s11.3 has them POSTed. Of a request
 * only the public key and the wanted user name count; everything else in it is ignored. */

#define RELOAD_CERT_CSR_MAX 16384 /* bytes; a longer request is refused */

struct reload_cert_csr {
    struct reload_cert_bytes public_key;           /* DER of SubjectPublicKeyInfo */
    char user_name[RELOAD_CERT_USER_NAME_MAX + 1]; /* the rfc822Name of the requested
                                                      subjectAltName; empty when it asks for none */
};

/* Reads a request, DER or PEM, and checks its signature by its own key, the key (RSA 2048 to 4096
 * bits or EC P-256) and the name's form.
 * RELOAD_E_DECODE, RELOAD_E_LIMIT (size), RELOAD_E_SIGNATURE, RELOAD_E_UNSUPPORTED (kind or
 * strength of key or digest), RELOAD_E_INVALID (user name: malformed, NUL, more than one),
 * RELOAD_E_NOMEM. On success call _fini(). */
RELOAD_MUST_USE int reload_cert_csr_parse(struct reload_slice request, struct reload_cert_csr *out,
                                          struct reload_cert_reason *reason);
void reload_cert_csr_fini(struct reload_cert_csr *csr);

/* Makes a request (DER) with an empty subject; user_name empty: the account's own name is wanted.
 * RELOAD_E_INVALID (name), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_csr_create(const struct reload_cert_key *key,
                                           struct reload_slice user_name,
                                           struct reload_cert_bytes *der,
                                           struct reload_cert_reason *reason);

#endif
