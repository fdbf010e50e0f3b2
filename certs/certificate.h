#ifndef CERTS_CERTIFICATE_H
#define CERTS_CERTIFICATE_H

#include "certs/reason.h"
#include "reload/security/crypto.h"

/* A node's X.509 certificate, read (RFC 6940 s11.3): what it says, before anyone asks whether it is
 * to be believed (certs/trust.h). */

#define RELOAD_CERT_DER_MAX       16384 /* bytes; a longer certificate is refused */
#define RELOAD_CERT_NODE_IDS_MAX  16    /* Node-IDs in one certificate */
#define RELOAD_CERT_USER_NAME_MAX 254   /* bytes of an rfc822Name */

struct reload_cert;

/* Reads one certificate. Its subjectAltName must hold at least one reload URI with a single node
 * Destination, all of one overlay and one length and none twice, and at most one rfc822Name without
 * NUL or control characters. Names of other types are passed over, a subject that is not empty is
 * accepted. bare_node_id_uri: see reload_cert_uri_node_id(). 0 with *out for
 * reload_cert_free(); RELOAD_E_DECODE (not one DER certificate, bytes left over),
 * RELOAD_E_LIMIT, RELOAD_E_CERTIFICATE (breaks a rule above, or has a key this code does not
 * accept), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_parse(struct reload_slice der, bool bare_node_id_uri,
                                      struct reload_cert **out, struct reload_cert_reason *reason);
void reload_cert_free(struct reload_cert *certificate); /* NULL is fine */

/* What it says; lives as long as the certificate. */
const struct reload_identity *reload_cert_content(const struct reload_cert *c);
/* The overlay its URIs name. */
const char *reload_cert_overlay(const struct reload_cert *c);
/* DER of its SubjectPublicKeyInfo. */
struct reload_slice reload_cert_public_key(const struct reload_cert *c);
/* Whether issuer and subject are the same name: self-signed, if it is to be believed at all. */
bool reload_cert_is_self_issued(const struct reload_cert *c);

/* From when a certificate that is made now is valid: an hour back, since the clocks of those who
 * read it, or of its owner, may be behind. Milliseconds of Unix time. */
uint64_t reload_cert_valid_from_ms(uint64_t now_unix_ms);

/* Whether a user name may be put into a certificate: 1..254 printable ASCII bytes of the form
 * local@domain, the domain in lower case. RELOAD_E_INVALID with a reason. */
RELOAD_MUST_USE int reload_cert_user_name_check(struct reload_slice name,
                                                struct reload_cert_reason *reason);

#endif
