#ifndef RELOAD_TESTS_TOPOLOGY_CHORD_FAKE_H
#define RELOAD_TESTS_TOPOLOGY_CHORD_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reload/alloc.h"
#include "reload/wire/chord.h"
#include "reload/wire/error.h"
#include "reload/wire/join.h"
#include "reload/wire/message.h"
#include "reload/wire/route_query.h"
#include "topology/chord/chord.h"
#include "topology/chord/instance.h"

/* One instance of the plug-in and a host that only writes down what it is asked. Node-IDs are
 * written as their first byte, the rest being zero: the ring seen as 256 places. */

#define FAKE_MAX 4096

struct fake_request {
    uint16_t code;
    bool to_resource, has_via;
    struct reload_node_id to, via;
    uint8_t body[3000];
    size_t len;
    uint32_t cookie;
};
struct fake_attach {
    bool to_resource, has_via, send_update;
    struct reload_node_id to, via;
    uint32_t cookie;
};
struct fake_push {
    struct reload_node_id after, up_to, target;
    uint8_t number;
    uint32_t cookie;
};

struct fake {
    struct reload_topology_host host;
    struct reload_config config;
    struct reload_random random;
    uint64_t random_state, now_ms;
    struct reload_topology *t;
    struct fake_request requests[FAKE_MAX];
    struct fake_attach attaches[FAKE_MAX];
    struct fake_push pushes[FAKE_MAX];
    struct reload_node_id disconnects[FAKE_MAX], linked[FAKE_MAX];
    size_t request_count, attach_count, push_count, disconnect_count, linked_count;
    struct reload_node_id forget_after, forget_up_to;
    size_t forget_count, bootstrap_count, lost_count, state_count;
    enum reload_topology_state state;
};

struct reload_node_id place(unsigned first_byte);
struct reload_chord_id ring_id(unsigned first_byte);

struct fake *fake_new(unsigned self, enum reload_role role);
void fake_free(struct fake *f);
/* A JOINED peer that was the first one, and the others in its tables. */
struct fake *fake_ring(unsigned self, const unsigned *others, size_t count);
void fake_link(struct fake *f, unsigned id);
void fake_unlink(struct fake *f, unsigned id);
/* Lets time pass, with a tick at each deadline. */
void fake_run(struct fake *f, uint64_t ms);
/* Hands a request to the plug-in, over the signer's own link unless `over` says otherwise. */
uint16_t fake_handle(struct fake *f, uint16_t code, unsigned signer, struct reload_slice body);
uint16_t fake_handle_over(struct fake *f, uint16_t code, unsigned signer, unsigned over,
                          bool direct, struct reload_slice body);
/* An Update of a linked node; lists end with 0. NULL lists: peer_ready. */
uint16_t fake_update(struct fake *f, unsigned from, const unsigned *predecessors,
                     const unsigned *successors);
uint16_t fake_join_from(struct fake *f, unsigned joining, unsigned signer, unsigned over,
                        bool direct);
void fake_attached(struct fake *f, size_t attach, int error, unsigned id);
void fake_answer(struct fake *f, uint32_t cookie, int error, unsigned signer);
/* How many requests with that code went to that node since `since`, an earlier request_count. */
size_t fake_sent(const struct fake *f, size_t since, uint16_t code, unsigned to);
size_t fake_attached_to(const struct fake *f, unsigned to); /* Attaches to that node */
void fake_forget_records(struct fake *f);

#endif
