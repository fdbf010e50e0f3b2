#ifndef RELOAD_NODE_WORK_H
#define RELOAD_NODE_WORK_H

#include "reload/node/attach.h"

/* Work that a call of the topology, or a local request, put off: work.c, host.c. */

enum reload_work_type {
    RELOAD_WORK_REQUEST,
    RELOAD_WORK_ATTACH,
    RELOAD_WORK_PUSH,
    RELOAD_WORK_DISCONNECT,
    RELOAD_WORK_BOOTSTRAP,
    RELOAD_WORK_LOCAL, /* a request to this node itself */
    RELOAD_WORK_TELL,  /* tells a waiter how its Attach ended */
    RELOAD_WORK_PUBLISH,
    RELOAD_WORK_RECONSIDER, /* a node was lost */
};

struct reload_work { /* in the arena, as all it points to */
    struct reload_work *next;
    enum reload_work_type type;
    union {
        struct {
            uint16_t code;
            struct reload_slice destination_list, body;
            uint32_t cookie;
        } request;
        struct {
            const struct reload_node_id *via;
            bool to_resource, send_update;
            struct reload_slice destination;
            uint32_t cookie;
        } attach;
        struct reload_topology_push push;
        struct {
            uint64_t transaction_id;
            uint16_t code; /* or the error code of a response */
            struct reload_slice body, certificates;
        } local;
        struct {
            struct reload_waiter waiter;
            int error;
            uint16_t error_code;
            struct reload_node_id node_id;
        } tell;
        struct reload_node_id node_id;
    };
};

/* Puts work off until the present call into the node is through. NULL without memory. */
struct reload_work *reload_work_add(struct reload_node *node, enum reload_work_type type);
/* Does all work that was put off. */
void reload_work_run(struct reload_node *node);
void reload_host_init(struct reload_node *node);

#endif
