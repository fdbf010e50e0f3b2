#include "reload/node/state.h"

#include "reload/alloc.h"

/* Own requests: the table of them, and who is told how each ended. transmission.c sends them. */

uint64_t reload_request_lifetime_ms(const struct reload_node *node)
{
    return (uint64_t)node->overlay->overlay_reliability_timer_ms * RELOAD_TRANSMISSIONS;
}

struct reload_transaction *reload_transaction_find(const struct reload_node *node, uint64_t id)
{
    size_t place = 0;
    uint64_t hash = reload_hash_u64(&node->key, id);
    struct reload_transaction *t;
    while ((t = reload_table_next(&node->transactions, hash, &place)))
        if (t->id == id)
            return t;
    return NULL;
}

static void take_out(struct reload_node *node, struct reload_transaction *t)
{
    reload_table_remove(&node->transactions, reload_hash_u64(&node->key, t->id), t);
    reload_timer_clear(&node->timers, &t->timer);
    node->transaction_count--;
}

static void release(struct reload_transaction *t)
{
    reload_free(t->message);
    reload_free(t->destination_list);
    reload_free(t->kept);
    reload_free(t);
}

void reload_transaction_cancel(struct reload_node *node, struct reload_transaction *t)
{
    take_out(node, t);
    release(t);
}

static void tell_topology(struct reload_node *node, const struct reload_answer *answer)
{
    struct reload_topology_answer told = {
        .cookie = (uint32_t)answer->transaction->owner_id,
        .error = answer->error,
        .error_code = answer->error_code,
        .signer = answer->signer,
        .body = answer->body,
    };
    if (told.cookie)
        node->ops->answer(node->topology, &told, node->now);
}

static void tell_application(struct reload_node *node, const struct reload_answer *answer)
{
    const struct reload_transaction *t = answer->transaction;
    struct reload_result result = {
        .request = t->owner_id,
        .code = t->code,
        .error = answer->error,
        .error_code = answer->error_code,
        .body = answer->body,
        .signer = answer->signer,
        .round_trip_ms = (uint32_t)(node->now.monotonic_ms - t->sent_ms),
        .transmissions = t->transmissions,
        .hops = answer->hops,
    };
    if (reload_refused_fetch(node, answer))
        return;
    if (t->code == RELOAD_FETCH_REQ && answer->error == 0)
        reload_fetch_result(node, answer, &result);
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_REQUEST_DONE);
    if (action)
        action->result = result;
}

static void tell_owner(struct reload_node *node, struct reload_answer *answer)
{
    switch (answer->transaction->owner) {
    case RELOAD_OWNER_TOPOLOGY: tell_topology(node, answer); return;
    case RELOAD_OWNER_APPLICATION: tell_application(node, answer); return;
    case RELOAD_OWNER_ATTACH: reload_attach_answered(node, answer); return;
    case RELOAD_OWNER_APP_ATTACH: reload_app_attach_answered(node, answer); return;
    case RELOAD_OWNER_PUSH: reload_push_answered(node, answer); return;
    case RELOAD_OWNER_REPLICA: reload_replica_answered(node, answer); return;
    case RELOAD_OWNER_RESYNC: reload_resync_answered(node, answer); return;
    case RELOAD_OWNER_REFUSED: reload_refused_answered(node, answer); return;
    case RELOAD_OWNER_CONFIG: reload_config_push_answered(node, answer); return;
    case RELOAD_OWNER_PUBLICATION: reload_publish_answered(node, answer); return;
    case RELOAD_OWNER_LINK: reload_introduce_answered(node, answer); return;
    case RELOAD_OWNER_KEEPALIVE: reload_keepalive_answered(node, answer); return;
    }
}

struct reload_destination reload_transaction_target(const struct reload_node *node,
                                                    const struct reload_transaction *t)
{
    struct reload_reader r =
        reload_reader_over(reload_slice_of(t->destination_list, t->destination_len));
    struct reload_destination last = { 0 };
    while (reload_destination_next(&r, reload_node_id_length(node), &last))
        ;
    return last;
}

void reload_transaction_finish(struct reload_node *node, struct reload_transaction *t,
                               struct reload_answer *answer)
{
    take_out(node, t);
    answer->transaction = t;
    tell_owner(node, answer);
    release(t);
}

/* --- making one --- */

static uint64_t new_id(struct reload_node *node)
{
    uint64_t id; /* s6.3.2: 64 random bits */
    do
        id = reload_random_u64(&node->random);
    while (id == 0 || reload_transaction_find(node, id));
    return id;
}

int reload_transaction_add(struct reload_node *node, const struct reload_outgoing *outgoing,
                           struct reload_transaction **out)
{
    if (node->transaction_count >= node->config.limits.max_transactions) {
        reload_drop(node, RELOAD_DROP_LIMIT, NULL, "transactions");
        return RELOAD_E_LIMIT;
    }
    struct reload_transaction *t = reload_calloc(1, sizeof *t);
    uint8_t *list = reload_memdup(outgoing->destination_list.p, outgoing->destination_list.n);
    uint8_t *kept = outgoing->keep.n ? reload_memdup(outgoing->keep.p, outgoing->keep.n) : NULL;
    if (!t || !list || (outgoing->keep.n && !kept))
        goto fail;
    t->id = new_id(node);
    t->code = outgoing->code;
    t->any_sequence = outgoing->any_sequence;
    t->link = outgoing->link;
    t->owner = outgoing->owner;
    t->owner_id = outgoing->owner_id;
    t->owner_object = outgoing->owner_object;
    t->destination_list = list;
    t->destination_len = outgoing->destination_list.n;
    t->kept = kept;
    t->kept_len = outgoing->keep.n;
    t->sent_ms = node->now.monotonic_ms;
    t->timer.kind = RELOAD_TIMER_TRANSACTION;
    uint64_t hash = reload_hash_u64(&node->key, t->id);
    if (reload_table_insert(&node->transactions, hash, t) != 0)
        goto fail;
    node->transaction_count++;
    if (reload_timer_set(&node->timers, &t->timer,
                         node->now.monotonic_ms + reload_request_lifetime_ms(node)) != 0) {
        reload_transaction_cancel(node, t);
        return RELOAD_E_NOMEM;
    }
    *out = t;
    return 0;
fail:
    reload_free(t);
    reload_free(list);
    reload_free(kept);
    return RELOAD_E_NOMEM;
}

struct reload_transaction *reload_transaction_of_timer(struct reload_timer *timer)
{
    return (struct reload_transaction *)((uint8_t *)timer -
                                         offsetof(struct reload_transaction, timer));
}

void reload_transactions_fini(struct reload_node *node)
{
    struct reload_transaction *t;
    for (size_t place = 0; (t = reload_table_each(&node->transactions, &place));)
        release(t);
    reload_table_fini(&node->transactions);
}
