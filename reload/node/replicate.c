#include "reload/alloc.h"
#include "reload/node/state.h"

/* Replicas of what was just stored (RFC 6940 s10.4): the values that the Store changed, not the
 * whole resource. What a holder does not take is sent once more, and then it is the topology's to
 * bring that holder up to date. */

#define MESSAGE_ROOM 1024 /* of a StoreReq: header, SignerIdentity, signature */
#define RETRY_MS     1000
#define WAITING_MAX  1024 /* Stores that wait for their second try */

/* One StoreReq to one holder, under way or waiting. */
struct reload_replica {
    struct reload_replica *prev, *next;
    struct reload_node_id holder;
    uint8_t number;
    uint8_t resource[RELOAD_RESOURCE_ID_MAX];
    size_t resource_len;
    struct reload_store_changes changes;
    bool second_try;
    struct reload_timer timer; /* waiting */
};

size_t reload_replica_room(const struct reload_node *node)
{
    size_t used = MESSAGE_ROOM + node->crypto->own->certificates.n;
    size_t most = node->overlay->max_message_size;
    return most > 2 * used ? most - used : most / 2;
}

static void discard(struct reload_node *node, struct reload_replica *r)
{
    *(r->prev ? &r->prev->next : &node->replicas.first) = r->next;
    if (r->next)
        r->next->prev = r->prev;
    reload_free(r);
}

static struct reload_replica *add(struct reload_node *node, const struct reload_replica *like)
{
    struct reload_replica *r = reload_memdup(like, sizeof *like);
    if (!r)
        return NULL;
    r->prev = NULL;
    r->next = node->replicas.first;
    if (r->next)
        r->next->prev = r;
    node->replicas.first = r;
    return r;
}

static void give_up(struct reload_node *node, const struct reload_replica *r, int error)
{
    char text[RELOAD_NODE_ID_TEXT];
    reload_log_line(node, RELOAD_LOG_WARNING, "replica not stored at %s: %s",
                    reload_node_id_text(&r->holder, text), reload_error_text(error));
    if (node->ops->replica_failed)
        node->ops->replica_failed(node->topology, &r->holder, node->now);
}

static void send_one(struct reload_node *node, const struct reload_replica *like,
                     struct reload_slice body, struct reload_slice certificates)
{
    struct reload_replica *r = add(node, like);
    struct reload_outgoing outgoing = {
        .code = RELOAD_STORE_REQ,
        .body = body,
        .certificates = certificates,
        .owner = RELOAD_OWNER_REPLICA,
        .owner_object = r,
    };
    int e = r ? reload_destination_list(node, NULL, false, reload_node_id_slice(&r->holder),
                                        &outgoing.destination_list)
              : RELOAD_E_NOMEM;
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, NULL);
    if (e == 0)
        return;
    give_up(node, like, e);
    if (r)
        discard(node, r);
}

/* The same requests to each holder, with its own replica number, counted up from like's. */
static void send_all(struct reload_node *node, struct reload_replica *like,
                     const struct reload_node_id *holders, size_t count)
{
    struct reload_slice resource = { like->resource, like->resource_len };
    struct reload_store_cursor cursor = { 0 };
    size_t room = reload_replica_room(node);
    const uint8_t first = like->number;
    int more = count > 0;
    while (more == 1) {
        struct reload_writer body = reload_arena_writer(&node->queue.arena, room);
        struct reload_writer certificates = reload_arena_writer(&node->queue.arena, room);
        more = reload_store_walk_changes(node->store, resource, like->changes, first, room,
                                         node->now, &cursor, &body, &certificates);
        for (size_t i = 0; more == 1 && i < count; i++) {
            like->holder = holders[i];
            like->number = (uint8_t)(first + i);
            body.buf[1 + resource.n] = like->number; /* after the ResourceId */
            send_one(node, like, reload_writer_slice(&body), reload_writer_slice(&certificates));
        }
    }
    if (more < 0)
        reload_log_line(node, RELOAD_LOG_WARNING, "replicas: a value does not fit a message");
}

void reload_replicate(struct reload_node *node, struct reload_slice resource,
                      struct reload_store_changes changes)
{
    struct reload_node_id holders[RELOAD_REPLICAS_MAX];
    size_t count = node->ops->replicas(node->topology, resource, holders, RELOAD_REPLICAS_MAX);
    struct reload_replica like = { .number = 1, /* s7.4.1.1: 0 is the original */
                                   .resource_len = resource.n,
                                   .changes = changes,
                                   .timer.kind = RELOAD_TIMER_REPLICA };
    if (resource.n > sizeof like.resource)
        return;
    memcpy(like.resource, resource.p, resource.n);
    send_all(node, &like, holders, count);
}

static bool put_off(struct reload_node *node, struct reload_replica *r)
{
    if (node->replicas.waiting >= WAITING_MAX) {
        reload_drop(node, RELOAD_DROP_LIMIT, NULL, "replicas");
        return false;
    }
    if (reload_timer_set(&node->timers, &r->timer, node->now.monotonic_ms + RETRY_MS) != 0)
        return false;
    node->replicas.waiting++;
    return true;
}

void reload_replica_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_replica *r = answer->transaction->owner_object;
    bool others = reload_resync(node, answer);
    bool failed = answer->error != 0 && !reload_is_superseded(answer);
    if (failed && !r->second_try && put_off(node, r))
        return;
    failed |= others; /* the topology's push sends them one by one */
    if (failed)
        give_up(node, r, answer->error);
    discard(node, r);
}

void reload_replica_due(struct reload_node *node, struct reload_replica *r)
{
    struct reload_node_id holders[RELOAD_REPLICAS_MAX];
    struct reload_replica again = *r;
    node->replicas.waiting--;
    discard(node, r);
    again.second_try = true;
    again.timer = (struct reload_timer){ .kind = RELOAD_TIMER_REPLICA };
    size_t count =
        node->ops->replicas(node->topology, reload_slice_of(again.resource, again.resource_len),
                            holders, RELOAD_REPLICAS_MAX);
    for (size_t i = 0; i < count; i++) /* still a holder, perhaps in another place */
        if (reload_node_id_equal(&holders[i], &again.holder)) {
            again.number = (uint8_t)(i + 1);
            send_all(node, &again, &holders[i], 1);
        }
}

struct reload_replica *reload_replica_of_timer(struct reload_timer *timer)
{
    return (struct reload_replica *)((uint8_t *)timer - offsetof(struct reload_replica, timer));
}

void reload_replicas_fini(struct reload_node *node)
{
    while (node->replicas.first)
        discard(node, node->replicas.first);
}
