#include "reload/node/state.h"

#include "reload/alloc.h"

/* Handing a range of the store to another peer, or each resource to the peer responsible for it
 * (topology.h): one StoreReq after the other, a few under way at a time, each with remaining
 * lifetimes and a replica number (RFC 6940 s6.4.2.3, s7.4.1.1, s10.5).
 *
 * A Store fails as a whole when one of its values is too old. So the values of a range in which
 * that happened go out a second time, one by one. */

#define WINDOW 4

struct reload_push {
    struct reload_push *next;
    uint8_t after[RELOAD_RESOURCE_ID_MAX], up_to[RELOAD_RESOURCE_ID_MAX];
    size_t after_len, up_to_len;
    struct reload_node_id target; /* len 0: whoever is responsible */
    uint8_t replica_number;
    uint32_t cookie;
    struct reload_store_cursor cursor;
    bool again, singly; /* a second walk is to follow; it is under way */
    size_t in_flight;
    bool finished; /* nothing more to send */
    int error;     /* the first */
};

static void tell(struct reload_node *node, uint32_t cookie, int error)
{
    if (cookie)
        node->ops->pushed(node->topology, cookie, error, node->now);
}

static void end(struct reload_node *node, struct reload_push *push)
{
    struct reload_push **link = &node->pushes.first;
    while (*link != push)
        link = &(*link)->next;
    *link = push->next;
    node->pushes.count--;
    tell(node, push->cookie, push->error);
    reload_free(push);
}

static int send_one(struct reload_node *node, struct reload_push *push,
                    struct reload_slice resource, struct reload_slice body,
                    struct reload_slice certificates)
{
    bool routed = push->target.len == 0;
    struct reload_outgoing outgoing = {
        .code = RELOAD_STORE_REQ,
        .body = body,
        .certificates = certificates,
        .owner = RELOAD_OWNER_PUSH,
        .owner_object = push,
    };
    int e = reload_destination_list(node, NULL, routed,
                                    routed ? resource : reload_node_id_slice(&push->target),
                                    &outgoing.destination_list);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, NULL);
    if (e == 0)
        push->in_flight++;
    return e;
}

/* The next request of the walk: 1 sent, or passed over because it is this node's own; 0 at the
 * end. */
static int step(struct reload_node *node, struct reload_push *push)
{
    size_t room = reload_replica_room(node);
    size_t most = push->singly ? 0 : room; /* one value goes out however long it is */
    struct reload_writer body = reload_arena_writer(&node->queue.arena, room);
    struct reload_writer certificates = reload_arena_writer(&node->queue.arena, room);
    struct reload_slice resource;
    int e = reload_store_walk(node->store, reload_slice_of(push->after, push->after_len),
                              reload_slice_of(push->up_to, push->up_to_len), push->replica_number,
                              most, node->now, &push->cursor, &resource, &body, &certificates);
    if (e != 1)
        return e;
    if (push->target.len == 0 && node->ops->responsible(node->topology, resource))
        return 1;
    e = send_one(node, push, resource, reload_writer_slice(&body),
                 reload_writer_slice(&certificates));
    return e == 0 ? 1 : e;
}

static void pump(struct reload_node *node, struct reload_push *push)
{
    while (!push->finished && push->in_flight < WINDOW) {
        int e = step(node, push);
        if (e == 1)
            continue;
        push->finished = true;
        if (e < 0 && !push->error)
            push->error = e;
    }
    if (!push->finished || push->in_flight > 0)
        return;
    if (push->again && !push->singly) {
        push->singly = true;
        push->finished = false;
        push->cursor = (struct reload_store_cursor){ 0 };
        pump(node, push);
        return;
    }
    end(node, push);
}

void reload_push_start(struct reload_node *node, const struct reload_topology_push *what)
{
    struct reload_push *push =
        node->pushes.count < node->config.limits.max_pushes ? reload_calloc(1, sizeof *push) : NULL;
    if (!push) {
        reload_drop(node, RELOAD_DROP_LIMIT, NULL, "pushes");
        tell(node, what->cookie, RELOAD_E_LIMIT);
        return;
    }
    push->after_len = what->after.n < sizeof push->after ? what->after.n : sizeof push->after;
    push->up_to_len = what->up_to.n < sizeof push->up_to ? what->up_to.n : sizeof push->up_to;
    memcpy(push->after, what->after.p, push->after_len);
    memcpy(push->up_to, what->up_to.p, push->up_to_len);
    push->target = what->target;
    push->replica_number = what->replica_number;
    push->cookie = what->cookie;
    push->next = node->pushes.first;
    node->pushes.first = push;
    node->pushes.count++;
    pump(node, push);
}

void reload_push_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_push *push = answer->transaction->owner_object;
    push->in_flight--;
    if (reload_is_superseded(answer)) { /* they have newer data: as good as done */
        if (!push->singly && reload_resync(node, answer))
            push->again = true;
    } else if (answer->error != 0) {
        if (!push->error)
            push->error = answer->error;
        if (answer->error != RELOAD_E_FORBIDDEN && push->target.len) /* nobody there */
            push->finished = true;
    }
    pump(node, push);
}

void reload_pushes_fini(struct reload_node *node)
{
    while (node->pushes.first) {
        struct reload_push *push = node->pushes.first;
        node->pushes.first = push->next;
        reload_free(push);
    }
}
