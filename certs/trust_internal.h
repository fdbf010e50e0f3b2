#ifndef CERTS_TRUST_INTERNAL_H
#define CERTS_TRUST_INTERNAL_H

#include "certs/cache.h"
#include "certs/digest.h"
#include "certs/refusals.h"
#include "certs/trust.h"

/* What the files of the verifier share. */

struct reload_trust {
    const struct reload_config *config;
    bool bare_node_id_uri;
    X509_STORE *roots; /* NULL after a failed configure(): nothing is accepted */
    struct reload_cert_cache *cache;
    struct reload_cert_refusals *refusals;
    struct reload_cert_hasher hasher;
    struct reload_trust_counters counters;
};

/* --- trust.c --- */
/* RFC 6940 s7.1: the time is compared at every use, also for a certificate seen before. */
int reload_trust_check_time(const struct reload_cert_window *window, uint64_t now_unix_ms,
                            struct reload_cert_reason *reason);
/* What a SignerIdentity of that type would say of a certificate (RFC 6940 s6.3.4); *out borrows
 * `hash`. node_id NULL: cert_hash. Errors of reload_cert_hasher_digest(). */
int reload_trust_digest_name(struct reload_trust *trust, uint8_t type, uint8_t hash_algorithm,
                             const struct reload_node_id *node_id, struct reload_slice der,
                             uint8_t hash[RELOAD_DIGEST_MAX], struct reload_cert_name *out);
/* The entry of a certificate: known, or checked now. */
int reload_trust_admit(struct reload_trust *trust, struct reload_slice der,
                       const struct reload_slice *offered, size_t count, uint64_t now_unix_ms,
                       struct reload_cert_entry **out, struct reload_cert_reason *reason);

#endif
