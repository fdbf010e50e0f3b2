#ifndef CERTS_CA_H
#define CERTS_CA_H

#include "certs/certificate.h"
#include "certs/key.h"

/* The overlay's certification authority (RFC 6940 s11.3): pure signing. Who may have which name and
 * which serials were used is the enrollment server's to know. */

struct reload_cert_ca;

/* A new CA, self-signed, CA:TRUE with no intermediates below it. RELOAD_E_INVALID (name),
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_ca_create(enum reload_cert_key_type type, const char *overlay,
                                          uint64_t not_before_ms, uint64_t not_after_ms,
                                          struct reload_cert_ca **out,
                                          struct reload_cert_reason *reason);
/* From files (PEM; key not wider than 0600). RELOAD_E_CERTIFICATE when the certificate is not a
 * CA's or the key is another one's; errors of certs/file.h and certs/key.h. */
RELOAD_MUST_USE int reload_cert_ca_load(const char *certificate_path, const char *key_path,
                                        struct reload_cert_ca **out,
                                        struct reload_cert_reason *reason);
RELOAD_MUST_USE int reload_cert_ca_save(const struct reload_cert_ca *ca,
                                        const char *certificate_path, const char *key_path,
                                        struct reload_cert_reason *reason);
void reload_cert_ca_free(struct reload_cert_ca *ca); /* NULL is fine */

struct reload_slice reload_cert_ca_certificate(const struct reload_cert_ca *ca); /* DER */
uint64_t reload_cert_ca_not_after_ms(const struct reload_cert_ca *ca);

struct reload_cert_issue { /* what a node certificate says; all borrowed for the call */
    const char *overlay;
    struct reload_slice public_key;        /* DER of SubjectPublicKeyInfo */
    struct reload_slice user_name;         /* empty for none */
    const struct reload_node_id *node_ids; /* 1..RELOAD_CERT_NODE_IDS_MAX */
    size_t node_id_count;
    struct reload_slice serial; /* big-endian, 1..20 bytes, not zero, top bit clear when 20 */
    uint64_t not_before_ms, not_after_ms; /* the end is cut to the CA's own */
};

/* Issues a node certificate in the profile of certs/lint.h, which it is checked against before it
 * is handed out. 0 with the DER; RELOAD_E_INVALID with a reason, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_ca_issue(const struct reload_cert_ca *ca,
                                         const struct reload_cert_issue *issue,
                                         struct reload_cert_bytes *der,
                                         struct reload_cert_reason *reason);

struct reload_cert_issue_server { /* an HTTPS server certificate (s11.2, s11.3) */
    struct reload_slice public_key;
    const char *const *names; /* DNS names and IP literals, 1 or more; the overlay's name first */
    size_t name_count;
    struct reload_slice serial;
    uint64_t not_before_ms, not_after_ms;
};
RELOAD_MUST_USE int reload_cert_ca_issue_server(const struct reload_cert_ca *ca,
                                                const struct reload_cert_issue_server *issue,
                                                struct reload_cert_bytes *der,
                                                struct reload_cert_reason *reason);

#define RELOAD_CERT_SERIAL_LEN 16
/* A random serial: for certificates whose issuer keeps no list. */
RELOAD_MUST_USE int reload_cert_serial_random(uint8_t serial[RELOAD_CERT_SERIAL_LEN]);

/* PEM of DER certificates, one after another. RELOAD_E_DECODE, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_pem(const struct reload_slice *ders, size_t count,
                                    struct reload_cert_bytes *out);
/* The first certificate of a PEM (or DER) text as DER. RELOAD_E_DECODE, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_from_pem(struct reload_slice pem, struct reload_cert_bytes *der);

#endif
