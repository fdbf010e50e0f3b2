#ifndef RELOAD_TESTS_STORE_FIXTURE_H
#define RELOAD_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reload/store/fetched.h"
#include "reload/store/store.h"
#include "reload/wire/error.h"
#include "reload/wire/fetch.h"
#include "reload/wire/store.h"
#include "tests/sim/standin.h"

/* A storing peer, two writers, and what they say to it. */

#define BUFFER 65000

struct writer {
    struct reload_standin *standin;
    const struct reload_crypto *crypto;
    const struct reload_own_identity *own;
};

struct fixture {
    struct reload_standin_config config;
    struct writer peer, alice, bob;
    struct reload_store *store;
    struct reload_store_limits limits;
    struct reload_time now;
    struct reload_store_context
        context; /* of the next request; signer and certificates are set anew */
    uint8_t answer_bytes[BUFFER], certificate_bytes[BUFFER], body_bytes[BUFFER];
    struct reload_writer answer, certificates;
    bool changed;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

struct writer writer_new(struct fixture *f, uint64_t number, const char *user);
void advance(struct fixture *f, uint64_t ms);

struct id { /* a Resource-ID */
    uint8_t bytes[RELOAD_RESOURCE_ID_MAX];
    struct reload_slice slice;
};
struct id *user_place(const struct writer *w); /* each is static, and good until */
struct id *node_place(const struct writer *w); /* eight more were asked for */
struct id *multiple_place(const struct writer *w, uint8_t i);

/* Items with the fixture's time as storage_time. */
struct reload_store_item item(const struct fixture *f, uint32_t kind, const char *value);
struct reload_store_item item_at(const struct fixture *f, uint32_t kind, uint32_t index,
                                 const char *value);
struct reload_store_item item_key(const struct fixture *f, uint32_t kind, struct reload_slice key,
                                  const char *value);
struct reload_store_item removed(struct reload_store_item item);

/* The body of a StoreReq, in f->body_bytes. */
struct reload_slice store_body(struct fixture *f, const struct writer *w,
                               struct reload_slice resource, const struct reload_store_item *items,
                               size_t count);
/* Hands a body to the store, as from that node. */
uint16_t store_bytes(struct fixture *f, const struct writer *sender, struct reload_slice body);
/* An original store, values and request signed by the same. */
uint16_t store(struct fixture *f, const struct writer *w, struct reload_slice resource,
               const struct reload_store_item *items, size_t count);
uint16_t store_one(struct fixture *f, const struct writer *w, struct reload_slice resource,
                   struct reload_store_item item);
/* The body again with another replica number and generation counter for its first Kind. */
struct reload_slice as_replica(struct fixture *f, struct reload_slice body, uint8_t number,
                               uint64_t generation);

/* The generation counter of a Kind in the StoreAns in f->answer. */
uint64_t generation_of(const struct fixture *f, uint32_t kind);

/* Fetches everything of a Kind at a resource and verifies it as bob would. */
struct got {
    struct reload_fetched_value values[64];
    size_t count, rejected;
    uint64_t generation;
    uint16_t code;
};
struct got fetch(struct fixture *f, struct reload_slice resource, uint32_t kind);
struct got fetch_bytes(struct fixture *f, struct reload_slice resource, struct reload_slice body);
/* A FetchReq for the whole of one Kind. */
struct reload_slice fetch_body(struct fixture *f, struct reload_slice resource, uint32_t kind,
                               uint64_t generation);
bool value_is(const struct reload_fetched_value *v, const char *text);

#endif
