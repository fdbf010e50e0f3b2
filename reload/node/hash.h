#ifndef RELOAD_NODE_HASH_H
#define RELOAD_NODE_HASH_H

#include "reload/wire/cursor.h"

/* SipHash-2-4 under a key that each node draws at start. Ids in messages are chosen by others: with
 * a secret key they can neither fill one chain of a table nor make two messages look alike. */

struct reload_hash_key {
    uint64_t k0, k1;
};

uint64_t reload_hash(const struct reload_hash_key *key, struct reload_slice bytes);
uint64_t reload_hash_u64(const struct reload_hash_key *key, uint64_t number);

#endif
