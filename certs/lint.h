#ifndef CERTS_LINT_H
#define CERTS_LINT_H

#include "certs/reason.h"
#include "reload/wire/id.h"

/* The strict profile of what we issue (RFC 6940 s11.3, RFC 5280), checked on the finished bytes
 * before they leave the issuer: version 3, positive serial of at most 20 bytes, empty subject
 * (unless self-signed, where it is the issuer), a critical subjectAltName of exactly these Node-IDs
 * as URIs in the form of s14.15 and exactly this user name, nothing else; keyUsage and
 * extendedKeyUsage for TLS on both sides, no CA, key identifiers, SHA-256 or better. */
struct reload_cert_lint {
    const char *overlay;
    const struct reload_node_id *node_ids; /* in this order */
    size_t node_id_count;
    struct reload_slice user_name; /* empty: there must be none */
};

/* 0, or RELOAD_E_INVALID with the first rule that is broken. */
RELOAD_MUST_USE int reload_cert_lint(struct reload_slice der,
                                     const struct reload_cert_lint *expected,
                                     struct reload_cert_reason *reason);

#endif
