#ifndef RELOAD_STORE_PUT_H
#define RELOAD_STORE_PUT_H

#include "reload/store/held.h"
#include "reload/wire/error.h"
#include "reload/wire/store.h"

/* A StoreReq on its way in (RFC 6940 s7.4.1.1), for the files of this folder only: first everything
 * that can be judged without touching the store, then each value in turn, with a way back. */

struct reload_put_kind { /* one StoreKindData */
    const struct reload_kind_config *config;
    struct reload_store_kind_data data;
    struct reload_held_kind *held; /* once a value was put there */
    bool has_values, changed;
};

struct reload_put_value {
    struct reload_put_kind *kind;
    struct reload_held_value *value, *old;
    bool is_put;
};

struct reload_put {
    struct reload_store *store;
    const struct reload_store_context *context;
    struct reload_store_req req;
    struct reload_put_kind *kinds;
    size_t kind_count;
    struct reload_put_value *values; /* verified, in the order of the request */
    size_t value_count, value_cap;
    const char *why; /* for people: what is wrong with the request */
};

static inline bool reload_put_is_replica(const struct reload_put *put)
{
    return put->req.replica_number > 0;
}

/* Each answers 0 or an RFC error code, with put->why. */

/* Well-formed, and no Kind twice; an unknown one is Error_Unknown_Kind with error_info in *info. */
uint16_t reload_put_read(struct reload_put *put, struct reload_slice body,
                         struct reload_writer *info);
/* This node may hold it, and the StoreReq's signer may write it. */
uint16_t reload_put_check_request(struct reload_put *put);
/* Each value is signed by one who may write it. Fills put->values. */
uint16_t reload_put_check_values(struct reload_put *put);
/* The Kind's counter before anything is put; 0 when nothing was ever stored. */
uint64_t reload_put_generation(const struct reload_put *put, const struct reload_put_kind *kind);
/* Generation counters; Error_Generation_Counter_Too_Low with error_info in *info. */
uint16_t reload_put_check_generations(struct reload_put *put, struct reload_writer *info);
/* Puts each value in turn. Afterwards either commit or undo; undo also after any failure above. */
uint16_t reload_put_apply(struct reload_put *put);
void reload_put_commit(struct reload_put *put);
void reload_put_undo(struct reload_put *put);

#endif
