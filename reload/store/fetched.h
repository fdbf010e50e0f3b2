#ifndef RELOAD_STORE_FETCHED_H
#define RELOAD_STORE_FETCHED_H

#include "reload/config/config.h"
#include "reload/security/crypto.h"
#include "reload/store/access.h"
#include "reload/wire/cursor.h"

/* The requester's side of Fetch and Store (RFC 6940 s7): making signed values, and judging what
 * came back. Needs no store. */

struct reload_fetched_value {
    uint32_t kind;
    uint64_t generation;
    enum reload_data_model model;
    uint32_t index;          /* array */
    struct reload_slice key; /* dictionary */
    bool exists;             /* false: removed, or never stored */
    struct reload_slice value;
    uint64_t storage_time;         /* Unix ms */
    uint32_t lifetime_s;           /* left when it was answered */
    struct reload_node_id signer;  /* len 0 for a nonexistent value that nobody signed */
    struct reload_slice user_name; /* of the signer's certificate; empty when it has none */
};

struct reload_fetched { /* walks a FetchAns; the caller sets the first seven fields */
    const struct reload_config *config;
    const struct reload_crypto *crypto;
    reload_resource_id_function *resource_id;
    struct reload_slice resource;
    struct reload_slice certificates; /* the message's bucket */
    struct reload_slice asked;        /* the FetchReq's specifiers; p NULL: not known */
    struct reload_time now;
    struct reload_reader kinds, values; /* private */
    uint32_t kind;
    uint64_t generation;
    size_t rejected; /* values left out so far: bad signature, expired certificate, policy
                        (s7.4.2.2), of a Kind that was not asked for */
};

/* Starts a walk over a FetchAns body. RELOAD_E_DECODE; a Kind that appears twice is that too. */
RELOAD_MUST_USE int reload_fetched_begin(struct reload_fetched *walk, struct reload_slice body);
/* The next value whose signature and policy hold; others are counted and passed over. 1 with *out
 * (slices into the body, user_name valid until the next call), 0 at the end, RELOAD_E_DECODE. */
RELOAD_MUST_USE int reload_fetched_next(struct reload_fetched *walk,
                                        struct reload_fetched_value *out);
/* No honest peer has two values for one place. Sorts values by Kind and then by index or key, and
 * keeps the newest of each place: how many are left. */
size_t reload_fetched_unique(struct reload_fetched_value *values, size_t count);

struct reload_store_item { /* a value to store; the Kind's model says which of index and key counts
                            */
    uint32_t kind;
    uint64_t generation; /* 0: whatever the counter is */
    uint32_t index;      /* 0xffffffff appends */
    struct reload_slice key;
    bool exists; /* false removes */
    struct reload_slice value;
    uint32_t lifetime_s;
    uint64_t storage_time; /* Unix ms */
};

/* Writes the body of an original StoreReq (replica number 0) with each value signed. Items of one
 * Kind must stand together and carry the same generation. RELOAD_E_NOT_FOUND (Kind unknown),
 * RELOAD_E_LIMIT (value above max-size), RELOAD_E_INVALID (items of a Kind apart, a nonexistent
 * value with bytes, a key above 65535 bytes), RELOAD_E_NOSPACE, or what the crypto gives. */
RELOAD_MUST_USE int reload_store_request_encode(const struct reload_crypto *crypto,
                                                const struct reload_config *config,
                                                struct reload_slice resource,
                                                const struct reload_store_item *items, size_t count,
                                                struct reload_writer *body);

#endif
