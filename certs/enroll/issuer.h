#ifndef RELOAD_CERTS_ENROLL_ISSUER_H
#define RELOAD_CERTS_ENROLL_ISSUER_H

#include "certs/ca.h"
#include "certs/enroll/database.h"
#include "certs/enroll/events.h"
#include "certs/enroll/form.h"

/* The decision on an enrollment request (RFC 6940 s11.3), without HTTP: account and password first,
 * only then the request's CSR, Node-IDs and signature. Safe from several threads; passwords are
 * hashed side by side, all else is one at a time. */

#define RELOAD_ENROLL_LIFETIME_DEFAULT_S (365u * 24 * 3600)

struct reload_enroll_issuer;

struct reload_enroll_issuer_options {
    const char *directory;           /* holds enroll.db, ca.pem, ca.key */
    uint32_t certificate_lifetime_s; /* s13.3 */
    unsigned password_cost;          /* what an unknown account costs to check */
    struct reload_enroll_limits guesses;
    struct reload_enroll_events *events; /* borrowed */
};

/* Opens the database and loads the CA. Errors of database.h and ca.h with a reason. */
RELOAD_MUST_USE int reload_enroll_issuer_new(const struct reload_enroll_issuer_options *options,
                                             struct reload_enroll_issuer **out,
                                             struct reload_cert_reason *reason);
void reload_enroll_issuer_free(struct reload_enroll_issuer *issuer); /* NULL is fine */

/* The CA's certificate, DER; lives as long as the issuer. */
struct reload_slice reload_enroll_issuer_ca(const struct reload_enroll_issuer *issuer);

struct reload_enroll_overlay { /* what the document in force says */
    const char *name;
    size_t node_id_len;
};

struct reload_enroll_decision {
    enum reload_enroll_event
        event; /* ISSUED, one of the four tokens, or one of the 429 and 500 ones */
    struct reload_cert_bytes der; /* ISSUED only; the caller frees it */
    uint64_t retry_ms;            /* TOO_MANY_ATTEMPTS: when to come again */
};

/* Decides, notes the event with its reason, and when it is ISSUED the certificate is on disk. */
void reload_enroll_issuer_decide(struct reload_enroll_issuer *issuer,
                                 const struct reload_enroll_overlay *overlay,
                                 const struct reload_enroll_form *form,
                                 const struct reload_enroll_address *address,
                                 struct reload_enroll_decision *out);

#endif
