#include "reload/node/state.h"

#include "reload/alloc.h"

/* Requests for ids of which the topology is just finding out who answers for them: whether a silent
 * node lives (RFC 6940 s10.7.1). Sent to it they would be lost when it does not, and only the
 * requester repeats them, seconds later (s6.2.1). So they wait here for the fraction of a second
 * that a check takes, and leave, once, by what came of it. A Store does not wait: whoever is silent
 * may have done it, and its heir would do it again. */

struct reload_waiting_request {
    struct reload_waiting_request *next;
    uint8_t id[RELOAD_RESOURCE_ID_MAX];
    size_t id_len;
    reload_link_id from;     /* 0: of this node, */
    uint64_t transaction_id; /* ... which is this */
    size_t len;
    uint8_t bytes[];
};

bool reload_undecided(const struct reload_node *node, struct reload_slice id)
{
    return node->ops->undecided && node->ops->undecided(node->topology, id);
}

static struct reload_waiting_request *add(struct reload_node *node, struct reload_slice id,
                                          struct reload_slice bytes)
{
    struct reload_waiting *all = &node->waiting;
    if (id.n > RELOAD_RESOURCE_ID_MAX || all->count >= RELOAD_WAITING_MAX ||
        all->bytes + bytes.n > RELOAD_WAITING_BYTES_MAX)
        return NULL;
    struct reload_waiting_request *r = reload_calloc(1, sizeof *r + bytes.n);
    if (!r)
        return NULL;
    memcpy(r->id, id.p, id.n);
    r->id_len = id.n;
    if (bytes.n)
        memcpy(r->bytes, bytes.p, bytes.n);
    r->len = bytes.n;
    *all->end = r;
    all->end = &r->next;
    all->count++;
    all->bytes += r->len;
    return r;
}

bool reload_wait(struct reload_node *node, const struct reload_slot *from, struct reload_slice id,
                 struct reload_slice bytes)
{
    struct reload_waiting_request *r = add(node, id, bytes);
    if (r)
        r->from = from->link;
    return r != NULL;
}

bool reload_wait_own(struct reload_node *node, struct reload_slice id, uint64_t transaction_id)
{
    struct reload_waiting_request *r = add(node, id, (struct reload_slice){ 0 });
    if (r)
        r->transaction_id = transaction_id;
    return r != NULL;
}

static void discard(struct reload_node *node, struct reload_waiting_request **at)
{
    struct reload_waiting *all = &node->waiting;
    struct reload_waiting_request *r = *at;
    *at = r->next;
    if (!*at)
        all->end = at;
    all->count--;
    all->bytes -= r->len;
    reload_free(r);
}

static void go_on(struct reload_node *node, const struct reload_waiting_request *r)
{
    struct reload_transaction *own =
        r->from ? NULL : reload_transaction_find(node, r->transaction_id);
    struct reload_slot *from = r->from ? reload_connection_of_link(node, r->from) : NULL;
    const uint8_t *bytes = from ? reload_arena_copy(&node->queue.arena, r->bytes, r->len) : NULL;
    if (own)
        reload_transaction_go_on(node, own);
    else if (bytes)
        reload_receipt_go_on(node, from, reload_slice_of(bytes, r->len));
}

void reload_waiting_go_on(struct reload_node *node)
{
    struct reload_waiting_request **at = &node->waiting.first;
    if (!*at)
        return;
    while (*at) {
        if (reload_undecided(node, reload_slice_of((*at)->id, (*at)->id_len))) {
            at = &(*at)->next;
            continue;
        }
        go_on(node, *at);
        discard(node, at);
    }
    reload_work_run(node);
}

void reload_waiting_fini(struct reload_node *node)
{
    while (node->waiting.first)
        discard(node, &node->waiting.first);
}
