#ifndef TESTS_RELOAD_LINK_PKI_H
#define TESTS_RELOAD_LINK_PKI_H

#include <openssl/ssl.h>

#include "reload/link/identity.h"

/* A small trust for the tests of the TLS engine: a CA, certificates with one Node-ID each, and the
 * identity operations over them. The real ones live in certs/. */

/* Ends the test program when something it relies on does not hold, in every build. */
void must(bool holds);

struct pki {
    EVP_PKEY *key;
    X509 *ca;
};

struct identity {
    const struct pki *trust; /* whose certificates check() takes */
    X509 *x509;
    EVP_PKEY *key;
    unsigned char *der, *key_der;
    struct reload_slice chain[1], private_key;
    unsigned checks; /* calls of check() */
};

enum pki_sort {
    PKI_EC,
    PKI_RSA,
    PKI_EXPIRED,
};

extern const struct reload_link_identity_ops pki_ops; /* context: struct identity */

void pki_init(struct pki *pki);
void pki_fini(struct pki *pki);
/* A certificate by `issuer` for the Node-ID whose 16 bytes are all `node`; trusts `trust`. */
void identity_init(struct identity *identity, const struct pki *issuer, const struct pki *trust,
                   uint8_t node, enum pki_sort sort);
void identity_fini(struct identity *identity);
struct reload_node_id node_id_of(uint8_t node);

#endif
