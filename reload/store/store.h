#ifndef RELOAD_STORE_STORE_H
#define RELOAD_STORE_STORE_H

#include "reload/config/config.h"
#include "reload/security/crypto.h"
#include "reload/store/access.h"
#include "reload/time.h"
#include "reload/wire/cursor.h"

/* What a peer holds for the overlay (RFC 6940 s7): values by Resource-ID, Kind and index or key,
 * the certificates that verify them, generation counters and lifetimes. No I/O; bytes and time in.
 *
 * Functions that act for a remote party return 0 or an RFC error code (enum reload_error_code); the
 * writer then holds the answer's body, or the error_info of that code. */

struct reload_store;

struct reload_store_limits {
    size_t max_bytes; /* of the memory for values, their places and certificates together */
    size_t max_resources;
    uint32_t max_lifetime_s; /* longer lifetimes are cut to this (docs/protocol.md) */
};

struct reload_store_counters {
    uint64_t stored, replicated, replaced, removed, expired, fetched, refused_signature,
        refused_access, refused_old, refused_generation, refused_size, refused_kind, refused_full;
};

/* What the node and its topology know about a StoreReq that came in. */
struct reload_store_context {
    const struct reload_signer *signer;    /* of the StoreReq; NULL for rows loaded from disk */
    struct reload_slice certificates;      /* the message's bucket */
    bool responsible;                      /* for the Resource-ID */
    bool replica_plausible;                /* as the topology says; looked at for replicas only */
    const struct reload_node_id *replicas; /* named in the StoreAns */
    size_t replica_count;
    struct reload_time now;
};

/* RELOAD_E_NOMEM. The crypto and configuration are borrowed. */
int reload_store_new(const struct reload_crypto *crypto, const struct reload_config *config,
                     reload_resource_id_function *resource_id,
                     const struct reload_store_limits *limits, struct reload_store **out);
void reload_store_free(struct reload_store *store); /* NULL is fine */
/* Another configuration, borrowed, is in force: Kinds that are gone are dropped with their data
 * (s11.1). */
void reload_store_configure(struct reload_store *store, const struct reload_config *config);

/* --- requests that arrived; `body` is the request's message body --- */

/* Store (s7.4.1), all or nothing. *changed tells whether anything was stored that replicas should
 * get. What is stored is also queued for reload_store_next_row(). */
uint16_t reload_store_handle_store(struct reload_store *store, struct reload_slice body,
                                   const struct reload_store_context *context,
                                   struct reload_writer *answer, bool *changed);
/* Fetch (s7.4.2). `certificates` gets the GenericCertificates that verify the values, each once. */
uint16_t reload_store_handle_fetch(struct reload_store *store, struct reload_slice body,
                                   struct reload_time now, struct reload_writer *answer,
                                   struct reload_writer *certificates);
/* Stat (s7.4.3). */
uint16_t reload_store_handle_stat(struct reload_store *store, struct reload_slice body,
                                  struct reload_time now, struct reload_writer *answer);
/* Find (s7.4.4) over (after, up_to], the range this node is responsible for: nearest stored
 * Resource-ID clockwise from the requested one. `responsible` as above: not responsible is
 * Error_Not_Found. */
uint16_t reload_store_handle_find(struct reload_store *store, struct reload_slice body,
                                  bool responsible, struct reload_time now,
                                  struct reload_writer *answer);

/* --- handing data on --- */

struct reload_store_cursor { /* a place in a walk; zero-initialise to start; private */
    bool started, within;    /* within: `resource` is not done yet */
    uint8_t resource_len;
    uint8_t resource[RELOAD_RESOURCE_ID_MAX];
    uint32_t kind; /* the last value that was written */
    uint64_t serial;
};

/* Writes the next StoreReq body of a walk over (after, up_to] in ring order (equal ends:
 * everything), with remaining lifetimes (s7.4.1.1) and the certificates it needs; one resource at
 * most in a request, and no more than max_len bytes of body and certificates together (one value at
 * least). 1 with a request written, 0 at the end of the range, or RELOAD_E_NOSPACE. The store may
 * change between calls. *resource is valid until the store changes. */
int reload_store_walk(struct reload_store *store, struct reload_slice after,
                      struct reload_slice up_to, uint8_t replica_number, size_t max_len,
                      struct reload_time now, struct reload_store_cursor *cursor,
                      struct reload_slice *resource, struct reload_writer *body,
                      struct reload_writer *certificates);
/* Values are numbered in the order they came; this is the newest one's number. What a Store changes
 * lies between the numbers before and after it. */
struct reload_store_changes {
    uint64_t after, up_to; /* numbers in (after, up_to] */
};
uint64_t reload_store_serial(const struct reload_store *store);
/* The same for those values alone, of one resource, with the generation counters of now; one that
 * was replaced since is left out. 0 when there is none, or no more. */
int reload_store_walk_changes(struct reload_store *store, struct reload_slice resource,
                              struct reload_store_changes changes, uint8_t replica_number,
                              size_t max_len, struct reload_time now,
                              struct reload_store_cursor *cursor, struct reload_writer *body,
                              struct reload_writer *certificates);
/* Drops every resource in (after, up_to]. */
void reload_store_forget(struct reload_store *store, struct reload_slice after,
                         struct reload_slice up_to);

/* --- time --- */
uint64_t reload_store_deadline(const struct reload_store *store); /* next expiry, monotonic ms */
/* Drops what has expired. */
void reload_store_tick(struct reload_store *store, struct reload_time now);

/* --- disk: rows go out as PERSIST actions and come back at the next start --- */

struct reload_store_row { /* one value, one generation counter, or its removal */
    struct reload_slice resource;
    uint32_t kind;
    struct reload_slice
        entry;          /* the index (4 bytes) or key; empty for single and for a generation row */
    bool is_generation; /* the row holds the (Resource-ID, Kind) generation counter only */
    bool removed;       /* delete this row */
    uint64_t generation;
    uint64_t expires_ms;             /* Unix time at which the lifetime ends */
    struct reload_slice stored_data; /* StoredData struct as on the wire, with its length field */
    struct reload_slice certificate; /* DER of the value's signer */
    struct reload_slice issuers;     /* and a bucket's bytes: those between it and a root-cert */
};

/* Whether what changes is queued as rows from now on; not at first. */
void reload_store_persist(struct reload_store *store, bool on);
/* Takes the next row to write since the last call; false when there is none. Valid until the store
 * changes. */
bool reload_store_next_row(struct reload_store *store, struct reload_store_row *row);
/* Puts a row back at start-up; the value's signature and policy are checked again.
 * RELOAD_E_SIGNATURE, RELOAD_E_CERTIFICATE, RELOAD_E_EXPIRED, RELOAD_E_DECODE, RELOAD_E_FORBIDDEN,
 * RELOAD_E_NOT_FOUND (Kind unknown), RELOAD_E_LIMIT, RELOAD_E_NOMEM: the row is dropped. */
int reload_store_load(struct reload_store *store, const struct reload_store_row *row,
                      struct reload_time now);

/* --- looking in --- */
size_t reload_store_resource_count(const struct reload_store *store); /* s6.4.2.5.2 num_resources */
size_t reload_store_value_count(const struct reload_store *store);
/* Of the memory that limits.max_bytes bounds. */
size_t reload_store_bytes(const struct reload_store *store);
/* Whether it holds a value of that Kind there. */
bool reload_store_holds(const struct reload_store *store, struct reload_slice resource,
                        uint32_t kind);
const struct reload_store_counters *reload_store_counters(const struct reload_store *store);

#endif
