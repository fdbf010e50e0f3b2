#ifndef RELOAD_STORE_HELD_H
#define RELOAD_STORE_HELD_H

#include "reload/store/certificates.h"
#include "reload/store/expiry.h"
#include "reload/store/store.h"
#include "reload/store/tree.h"
#include "reload/wire/stored_data.h"

/* What a store holds, for the files of this folder only: resources in ring order, each with Kinds,
 * each with values (RFC 6940 s7). A resource has at least one Kind and a Kind at least one value,
 * except inside a StoreReq and while rows are loaded. */

/* --- rows to write: what has changed since the host last asked --- */
struct reload_held_row {
    struct reload_held_row *prev, *next;
    bool queued;
    bool is_generation; /* embedded in a Kind, else in a value */
    bool on_disk;       /* the host has, or is about to get, a row of it */
    bool removed;       /* out of the store; kept to say so */
};
struct reload_held_rows {
    struct reload_held_row *first, *last;
    bool on;
    struct reload_held_row *shown; /* removed ones that were taken: freed at the next change */
};

struct reload_held_resource {
    struct reload_tree_node node;   /* key: the Resource-ID */
    struct reload_held_kind *kinds; /* by rising Kind-ID */
    size_t users;                   /* Kinds and removed rows that point here */
    uint8_t id[];
};

struct reload_held_kind {
    struct reload_held_row row;
    struct reload_tree_node node; /* key: Kind-ID and Resource-ID, for Find */
    struct reload_held_resource *resource;
    struct reload_held_kind *next;
    uint32_t id;
    enum reload_data_model model;
    const struct reload_access_ops *access;
    uint64_t generation;
    struct reload_held_value **entries; /* by rising index or key */
    size_t count, cap;
    size_t nonexistent;                        /* values among them with exists = False */
    struct reload_held_value *oldest, *newest; /* in the order they came */
    uint8_t key[];
};

struct reload_held_value {
    struct reload_held_row row;
    struct reload_expiry_item expiry; /* its at_ms: when the lifetime ends, monotonic */
    struct reload_held_kind *kind;
    struct reload_held_resource *resource;
    uint32_t kind_id; /* kind and resource outlive the row of a removed value, the Kind does not */
    enum reload_data_model model;
    struct reload_held_value *older, *newer;
    uint64_t serial; /* rises in the order the values came */
    uint64_t expires_unix_ms;
    struct reload_held_certificate *certificate;
    uint64_t storage_time_ms;
    uint32_t index;
    struct reload_slice key, value; /* in data */
    bool exists;
    size_t len;
    uint8_t data[]; /* StoredData as on the wire, with its length, and the index it has here */
};

/* Where fields of StoredData lie (s7): length, storage_time, lifetime, then the value. */
#define RELOAD_STORED_LIFETIME_AT 12
#define RELOAD_STORED_VALUE_AT    16

struct reload_store {
    const struct reload_crypto *crypto;
    const struct reload_config *config;
    reload_resource_id_function *resource_id;
    struct reload_store_limits limits;
    struct reload_store_counters counters;
    struct reload_tree resources, kinds;
    struct reload_expiry expiry;
    struct reload_certificates certificates;
    struct reload_held_rows rows;
    uint64_t serial;
    size_t bytes; /* of values and their places; certificates count their own */
    size_t value_count;
    size_t empty_kinds; /* made by a generation row that was loaded */
};

/* Makes a value out of StoredData that was decoded from `data->raw`; not yet in the store. Its
 * lifetime is cut to the limit and to the certificate's end. NULL when there is no memory. */
struct reload_held_value *reload_held_value_new(struct reload_store *store,
                                                const struct reload_stored_data *data,
                                                const struct reload_identity *signer,
                                                struct reload_time now);
/* Of one that is not in the store. */
void reload_held_value_free(struct reload_store *store, struct reload_held_value *value);

/* The Kind at a resource, or NULL; open makes it when it is not there (NULL: no memory). */
struct reload_held_kind *reload_held_kind_find(const struct reload_store *store,
                                               struct reload_slice resource, uint32_t kind);
struct reload_held_kind *reload_held_kind_open(struct reload_store *store,
                                               struct reload_slice resource,
                                               const struct reload_kind_config *kind);
/* Drops a Kind that has no value left, and its resource when that was the last. */
void reload_held_kind_close(struct reload_store *store, struct reload_held_kind *kind);

/* The value at an index or key (single: neither counts), or NULL. */
struct reload_held_value *reload_held_find(const struct reload_held_kind *kind, uint32_t index,
                                           struct reload_slice key);
/* Puts a value in its place; what was there comes out in *old, still counted and whole, for either
 * reload_held_drop() or reload_held_take_back(). RELOAD_E_NOMEM changes nothing. */
RELOAD_MUST_USE int reload_held_put(struct reload_store *store, struct reload_held_kind *kind,
                                    struct reload_held_value *value,
                                    struct reload_held_value **old);
/* Undoes a put, newest first; frees the new value. */
void reload_held_take_back(struct reload_store *store, struct reload_held_value *value,
                           struct reload_held_value *old);
/* Frees what a put has replaced. */
void reload_held_drop(struct reload_store *store, struct reload_held_value *old);
/* Takes a value out for good: it expired, or its resource is no longer kept. */
void reload_held_remove(struct reload_store *store, struct reload_held_value *value);
/* The same for all values of a Kind, and the Kind. */
void reload_held_kind_remove(struct reload_store *store, struct reload_held_kind *kind);

/* And for all Kinds of a resource. */
void reload_held_resource_remove(struct reload_store *store, struct reload_held_resource *resource);

static inline struct reload_held_kind *reload_held_kind_of_node(struct reload_tree_node *node)
{
    char *at = (char *)node - offsetof(struct reload_held_kind, node);
    return (struct reload_held_kind *)(void *)at;
}

/* Seconds of lifetime left, rounded down (s7.4.1.1); 0 when none. */
uint32_t reload_held_lifetime_left(const struct reload_held_value *value, struct reload_time now);
static inline bool reload_held_is_live(const struct reload_held_value *value,
                                       struct reload_time now)
{
    return now.monotonic_ms < value->expiry.at_ms;
}
/* Writes the StoredData with the lifetime that is left. */
void reload_held_write(const struct reload_held_value *value, struct reload_time now,
                       struct reload_writer *w);

/* Bytes that a value takes, and all that count against the limit. With each block what an allocator
 * adds to it, about, so that the limit is that of the memory. */
#define RELOAD_HELD_BLOCK 16
static inline size_t reload_held_value_bytes(const struct reload_held_value *value)
{
    size_t places = 2 * sizeof value; /* in its Kind's entries, which grow to twice their size */
    return RELOAD_HELD_BLOCK + sizeof *value + value->len + places;
}
static inline size_t reload_held_bytes(const struct reload_store *store)
{
    return store->bytes + store->certificates.bytes;
}

/* --- rows --- */
/* Queues the row of what was stored or changed. */
void reload_held_row_changed(struct reload_store *store, struct reload_held_row *row);
/* Takes over a value or Kind that has left the store: says so to the host if that knows it, and
 * frees it afterwards. */
void reload_held_row_removed(struct reload_store *store, struct reload_held_row *row);
/* Forgets what was queued of a value that another has replaced. */
void reload_held_row_replaced(struct reload_store *store, struct reload_held_row *row);
/* Frees what the last rows shown pointed to; every change of the store begins with it. */
void reload_held_rows_settle(struct reload_store *store);
/* Frees all rows of removed things; the store is about to go. */
void reload_held_rows_fini(struct reload_store *store);
/* One user less; frees a resource that has none. */
void reload_held_resource_leave(struct reload_held_resource *resource);

#endif
