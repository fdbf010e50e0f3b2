#ifndef CERTS_CACHE_H
#define CERTS_CACHE_H

#include "certs/chain.h"
#include "certs/x509.h"

/* Accepted certificates, found by the hashes that a SignerIdentity names them by. Bounded; the
 * least recently used one goes. */

struct reload_cert_alias;

struct reload_cert_entry {
    struct reload_identity identity; /* first: an identity handed out is its entry */
    struct reload_cert *certificate;
    struct reload_cert_window window; /* when certificate and chain are valid */
    EVP_PKEY_CTX *verify;             /* made at the first signature; reused */
    const EVP_MD *verify_digest;      /* what `verify` is set to */
    struct reload_cert_alias *aliases;
    struct reload_cert_entry *newer, *older;
};

struct reload_cert_name { /* what a SignerIdentity says */
    uint8_t type;         /* enum reload_signer_identity_type */
    uint8_t hash_algorithm;
    struct reload_slice hash;
};

struct reload_cert_cache;

RELOAD_MUST_USE int reload_cert_cache_new(struct reload_cert_cache **out);
void reload_cert_cache_free(struct reload_cert_cache *cache); /* NULL is fine */
void reload_cert_cache_clear(struct reload_cert_cache *cache);

/* The entry of a name, now the most recently used one, and which of its Node-IDs is meant; NULL
 * when not known. */
struct reload_cert_entry *reload_cert_cache_find(struct reload_cert_cache *cache,
                                                 const struct reload_cert_name *name,
                                                 size_t *node_id_index);
/* Adds a certificate, which is the cache's from now on, also on failure. *evicted is increased when
 * another one went. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_cache_add_take(struct reload_cert_cache *cache,
                                               struct reload_cert *certificate,
                                               struct reload_cert_window window, uint64_t *evicted,
                                               struct reload_cert_entry **out);
/* One more name for an entry; a name that is there already is fine. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_cache_alias(struct reload_cert_cache *cache,
                                            struct reload_cert_entry *entry,
                                            const struct reload_cert_name *name,
                                            size_t node_id_index);

#endif
