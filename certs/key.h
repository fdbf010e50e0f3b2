#ifndef CERTS_KEY_H
#define CERTS_KEY_H

#include "certs/bytes.h"
#include "certs/reason.h"

/* Private keys. A key is immutable; it may be used by several threads at a time. */

struct reload_cert_key;

enum reload_cert_key_type {
    RELOAD_CERT_KEY_EC,  /* P-256: the default */
    RELOAD_CERT_KEY_RSA, /* 2048 bits: for overlays with peers that know only the RFC's mandatory
                            algorithm */
};

/* "ec" or "rsa"; RELOAD_E_INVALID for other words. */
RELOAD_MUST_USE int reload_cert_key_type_parse(const char *word, enum reload_cert_key_type *out);

/* A new key. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_key_generate(enum reload_cert_key_type type,
                                             struct reload_cert_key **out);
/* From PEM (PKCS#8 or the older forms, not encrypted) or DER. RELOAD_E_DECODE; RELOAD_E_INVALID for
 * a weak or unknown key: RSA below 2048 or above 4096 bits, a curve other than P-256, P-384 and
 * P-521. */
RELOAD_MUST_USE int reload_cert_key_parse(struct reload_slice bytes, struct reload_cert_key **out,
                                          struct reload_cert_reason *reason);
/* From a file; its mode must not be wider than 0600. Errors of reload_cert_key_parse() and
 * reload_cert_file_read_secret(). */
RELOAD_MUST_USE int reload_cert_key_read(const char *path, struct reload_cert_key **out,
                                         struct reload_cert_reason *reason);
/* To a PEM file (PKCS#8), mode 0600, replaced atomically. */
RELOAD_MUST_USE int reload_cert_key_write(const struct reload_cert_key *key, const char *path,
                                          struct reload_cert_reason *reason);
void reload_cert_key_free(struct reload_cert_key *key); /* NULL is fine */

enum reload_cert_key_type reload_cert_key_type(const struct reload_cert_key *key);
/* The public half: DER of SubjectPublicKeyInfo. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_key_public(const struct reload_cert_key *key,
                                           struct reload_cert_bytes *out);
/* The private half: DER of PrivateKeyInfo. Wipe it after use. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_key_private(const struct reload_cert_key *key,
                                            struct reload_cert_bytes *out);

#endif
