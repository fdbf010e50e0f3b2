#ifndef RELOAD_LINK_IDENTITY_H
#define RELOAD_LINK_IDENTITY_H

#include "reload/time.h"
#include "reload/wire/id.h"

/* What a TLS or DTLS engine asks about certificates (RFC 6940 s6.5.1.13, s13.2). Implemented by
 * certs/, which is the only verifier of chains; OpenSSL's own path check is replaced by it. */

#define RELOAD_LINK_NODE_IDS_MAX 16

struct reload_link_peer { /* what a handshake proved about the far end */
    struct reload_node_id node_ids[RELOAD_LINK_NODE_IDS_MAX]; /* all Node-IDs of its certificate */
    size_t node_id_count;
    uint64_t not_after_ms; /* when its certificate ends, Unix time */
};

struct reload_link_identity_ops {
    /* Own chain, DER, own certificate first, roots left out, and the private key as DER
     * (PrivateKeyInfo). Slices belong to the context and outlive the engine. */
    void (*own)(void *context, const struct reload_slice **chain, size_t *count,
                struct reload_slice *private_key);
    /* Checks a chain that the far end showed, end entity first. 0 and *peer, or an error as
     * reload_crypto_ops.identify gives; `reason` (reason_cap bytes, terminated) gets a sentence for
     * the log. */
    int (*check)(void *context, const struct reload_slice *chain, size_t count,
                 struct reload_time now, struct reload_link_peer *peer, char *reason,
                 size_t reason_cap);
};

#endif
