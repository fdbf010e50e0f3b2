#ifndef RELOAD_TESTS_TOPOLOGY_OVERLAY_INTERNAL_H
#define RELOAD_TESTS_TOPOLOGY_OVERLAY_INTERNAL_H

#include "reload/wire/message.h"
#include "tests/topology/overlay.h"

/* What the files of the overlay share. */

#define TTL 100

enum event_type { MESSAGE, RETRY, LINK, CLOSE, BOOTSTRAP, PUSHED, ANSWER };

enum method { ATTACH = 0x3, STORE = 0x7, PING = 0x17 };

struct message {
    size_t origin;
    uint16_t code;
    bool has_via, to_resource, send_update;
    struct reload_node_id via;
    uint8_t id[32];
    size_t id_len;
    uint8_t *body;
    size_t body_len;
    uint32_t cookie;
    size_t resource; /* STORE */
    bool replica;
    size_t path[TTL + 1], hops;
    unsigned ttl, sent;
    bool done, handled; /* the origin has its answer; the far end has handled it */
    size_t handler;
    uint16_t answer_code;
    uint8_t *answer;
    size_t answer_len;
    unsigned references;
};

struct event {
    uint64_t at, order;
    enum event_type type;
    size_t node, other;
    struct message *message;
    uint32_t cookie;
    int error;
    bool send_update;
    size_t hop;
};

struct overlay {
    struct overlay_options options;
    struct reload_config config;
    struct reload_random random;
    uint64_t state, now, order;
    struct overlay_node *nodes[OVERLAY_NODES_MAX];
    size_t count;
    bool linked[OVERLAY_NODES_MAX][OVERLAY_NODES_MAX];
    size_t border;
    bool cut;
    struct event *heap;
    size_t heap_count, heap_capacity;
    struct reload_node_id resources[OVERLAY_RESOURCES_MAX];
    size_t resource_count;
};

/* --- overlay_queue.c --- */
/* From the seed. */
uint64_t overlay_next_random(struct overlay *o);
/* The same into a buffer, as struct reload_random wants it. */
void overlay_fill(void *context, uint8_t *out, size_t len);
struct reload_time overlay_clock_of(const struct overlay *o);
/* Milliseconds of one hop. */
uint64_t overlay_delay(struct overlay *o);
/* Puts an event into the queue, which holds on to its message. */
void overlay_post(struct overlay *o, struct event e);
/* The next event; its message is the caller's to release. */
struct event overlay_take(struct overlay *o);
void overlay_release(struct message *m);

/* --- overlay_links.c --- */
/* SIZE_MAX: no such node. */
size_t overlay_index_of(const struct overlay *o, const struct reload_node_id *id);
/* By a partition. */
bool overlay_divided(const struct overlay *o, size_t a, size_t b);
const struct reload_topology_ops *overlay_ops(const struct overlay *o);
void overlay_link_nodes(struct overlay *o, size_t a, size_t b);
void overlay_unlink_nodes(struct overlay *o, size_t a, size_t b);

/* --- overlay_host.c --- */
/* All of the host but its Node-ID. */
void overlay_host_init(struct overlay_node *n, enum reload_role role);

/* --- overlay_messages.c --- */
/* Sends it, or sends it again, from its origin. */
void overlay_transmit(struct overlay *o, struct message *m);
struct message *overlay_message_new(struct overlay_node *n, uint16_t code,
                                    const struct reload_node_id *via, bool to_resource,
                                    struct reload_slice id, uint32_t cookie);
/* What an event does; nothing when its node is gone. */
void overlay_perform(struct overlay *o, struct event *e);

#endif
