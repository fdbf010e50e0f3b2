#include "reload/node/state.h"

#include "reload/alloc.h"

/* Own requests and their end-to-end reliability (RFC 6940 s6.2.1): sent at most five times, one
 * overlay-reliability-timer apart, under one transaction_id. Only the originator does this. */

#define SECURITY_ROOM 1024
#define NO_ROUTE_MS   20 /* until a request that nobody can take fails: never from within a call */

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

static int add(struct reload_node *node, const struct reload_outgoing *outgoing,
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

static int write_via_self(const struct reload_node *node, struct reload_writer *w)
{
    struct reload_destination self = reload_destination_node(&node->self);
    return node->config.via_self ? reload_destination_encode(w, &self) : 0;
}

static int write_message(const struct reload_node *node, const struct reload_transaction *t,
                         const struct reload_outgoing *outgoing, struct reload_writer *w)
{
    uint8_t via[2 + RELOAD_NODE_ID_MAX];
    struct reload_writer via_writer = reload_writer_of(via, sizeof via);
    int e = write_via_self(node, &via_writer);
    struct reload_forwarding_header h = {
        .overlay = node->overlay->overlay,
        .version = RELOAD_VERSION,
        .ttl = node->overlay->initial_ttl, /* s6.3.2; sent as it is (docs/protocol.md) */
        .fragment = RELOAD_FRAGMENT_WHOLE,
        .transaction_id = t->id,
        .via_list = reload_writer_slice(&via_writer), /* s6.3.2: starts out empty */
        .destination_list = outgoing->destination_list,
    };
    if (e == 0)
        e = reload_forwarding_header_encode(w, &h);
    size_t start = w->len;
    size_t mark = reload_message_contents_begin(w, outgoing->code);
    reload_wr_bytes(w, outgoing->body);
    reload_message_contents_end(w, mark, (struct reload_slice){ 0 });
    if (e == 0)
        e = reload_writer_status(w);
    if (e != 0)
        return e;
    e = reload_message_sign(node->crypto, h.overlay, t->id,
                            reload_slice_of(w->buf + start, w->len - start), outgoing->certificates,
                            w);
    reload_forwarding_header_close(w, 0);
    return e;
}

static int encode(struct reload_node *node, struct reload_transaction *t,
                  const struct reload_outgoing *outgoing)
{
    size_t room = RELOAD_HEADER_FIXED + outgoing->destination_list.n + outgoing->body.n +
                  outgoing->certificates.n + node->crypto->own->certificates.n + SECURITY_ROOM;
    struct reload_writer w = reload_arena_writer(&node->queue.arena, room);
    if (!w.buf)
        return RELOAD_E_NOMEM;
    int e = write_message(node, t, outgoing, &w);
    if (e == 0 && w.len > node->overlay->max_message_size)
        e = RELOAD_E_NOSPACE;
    if (e == 0) {
        t->message = reload_memdup(w.buf, w.len);
        t->len = w.len;
        e = t->message ? 0 : RELOAD_E_NOMEM;
    }
    w.len = 0;
    reload_arena_trim(&node->queue.arena, &w);
    return e;
}

/* --- sending --- */

static enum reload_route_outcome
find_way(struct reload_node *node, const struct reload_transaction *t, struct reload_route *route)
{
    struct reload_slice list = { t->destination_list, t->destination_len };
    if (!t->link)
        return reload_route_find(node, list, false, route);
    *route =
        (struct reload_route){ .next = reload_connection_of_link(node, t->link), .list = list };
    return route->next ? RELOAD_ROUTE_NEXT : RELOAD_ROUTE_DROP;
}

static void put_off_local(struct reload_node *node, struct reload_transaction *t,
                          struct reload_slice body, struct reload_slice certificates)
{
    struct reload_work *work = reload_work_add(node, RELOAD_WORK_LOCAL);
    if (!work)
        return;
    struct reload_arena *arena = &node->queue.arena;
    work->local.transaction_id = t->id;
    work->local.code = t->code;
    work->local.body = reload_slice_of(reload_arena_copy(arena, body.p, body.n), body.n);
    work->local.certificates =
        reload_slice_of(reload_arena_copy(arena, certificates.p, certificates.n), certificates.n);
    if (!work->local.body.p || !work->local.certificates.p)
        work->local.code = 0; /* no method: it ends with an error */
    t->local = true;
}

/* What was to be sent turned out to be for this node: the ring changed. */
static void turn_local(struct reload_node *node, struct reload_transaction *t)
{
    struct reload_message m;
    struct reload_slice bytes = { t->message, t->len };
    if (reload_message_decode(bytes, reload_node_id_length(node), &m) == 0)
        put_off_local(node, t, m.body, m.security.certificates);
}

static void send_over(struct reload_node *node, struct reload_transaction *t,
                      const struct reload_route *route)
{
    struct reload_forwarding_header h;
    struct reload_slice message = { t->message, t->len };
    if (reload_forwarding_header_decode(message, reload_node_id_length(node), &h) != 0)
        return;
    struct reload_slice payload = reload_payload(message, &h);
    struct reload_arena *arena = &node->queue.arena;
    t->left = route->next->link;
    t->waits = false;
    payload.p = reload_arena_copy(arena, payload.p, payload.n);
    h.via_list.p = reload_arena_copy(arena, h.via_list.p, h.via_list.n);
    /* The header is not signed: a repetition carries the configuration that is in force now. */
    h.configuration_sequence = t->any_sequence ? RELOAD_SEQUENCE_ANY : node->overlay->sequence;
    h.destination_list = route->list;
    if (!payload.p || reload_send(node, route->next, &h, payload) != 0)
        reload_drop(node, RELOAD_DROP_MEMORY, route->next, "request");
}

static void transmit(struct reload_node *node, struct reload_transaction *t,
                     enum reload_route_outcome outcome, const struct reload_route *route)
{
    uint64_t now = node->now.monotonic_ms;
    t->transmissions++;
    t->doubted = false;
    t->waits = outcome == RELOAD_ROUTE_DROP;
    t->sent_ms = now;
    reload_timer_move(&node->timers, &t->timer, now + node->overlay->overlay_reliability_timer_ms);
    if (outcome == RELOAD_ROUTE_NEXT)
        send_over(node, t, route);
    else if (outcome == RELOAD_ROUTE_HERE)
        turn_local(node, t);
}

/* A node that has lost its peers finds others in a moment, and its user need not see that. */
static bool may_wait(const struct reload_node *node, const struct reload_transaction *t)
{
    return t->owner == RELOAD_OWNER_APPLICATION && node->was_joined &&
           node->state == RELOAD_TOPOLOGY_JOINING;
}

static int begin(struct reload_node *node, struct reload_transaction *t,
                 const struct reload_outgoing *outgoing)
{
    struct reload_route route;
    enum reload_route_outcome outcome = find_way(node, t, &route);
    bool early = outcome == RELOAD_ROUTE_HERE &&
                 (t->code == RELOAD_FETCH_REQ || t->code == RELOAD_STAT_REQ) &&
                 reload_fetch_too_early(node, outgoing->body);
    if (outcome == RELOAD_ROUTE_HERE && !early) {
        put_off_local(node, t, outgoing->body, outgoing->certificates);
        return t->local ? 0 : RELOAD_E_NOMEM;
    }
    if (outcome == RELOAD_ROUTE_DROP && !may_wait(node, t)) {
        t->no_route = true;
        reload_timer_move(&node->timers, &t->timer, node->now.monotonic_ms + NO_ROUTE_MS);
        return 0;
    }
    int e = encode(node, t, outgoing);
    if (e == 0)
        transmit(node, t, early ? RELOAD_ROUTE_DROP : outcome, &route);
    return e;
}

int reload_transaction_start(struct reload_node *node, const struct reload_outgoing *outgoing,
                             struct reload_transaction **out)
{
    struct reload_transaction *t = NULL;
    int e = add(node, outgoing, &t);
    if (e != 0)
        return e;
    e = begin(node, t, outgoing);
    if (e != 0) {
        reload_transaction_cancel(node, t);
        return e;
    }
    node->counters.requested++;
    if (out)
        *out = t;
    return 0;
}

static void fail(struct reload_node *node, struct reload_transaction *t)
{
    struct reload_answer answer = { .error = RELOAD_E_TIMEOUT };
    if (t->no_route)
        answer.error = RELOAD_E_NOT_FOUND;
    if (t->config_error) { /* nobody brought the two configurations together */
        answer.error = RELOAD_E_FORBIDDEN;
        answer.error_code = t->config_error;
    }
    if (answer.error == RELOAD_E_TIMEOUT)
        node->counters.timed_out++;
    reload_transaction_finish(node, t, &answer);
}

static void send_again(struct reload_node *node, struct reload_transaction *t)
{
    struct reload_route route;
    node->counters.retransmitted++;
    reload_reassembly_forget_answer(node, t->id);
    transmit(node, t, find_way(node, t, &route), &route);
}

void reload_transaction_due(struct reload_node *node, struct reload_transaction *t)
{
    /* The timer was taken out of the heap, which so has room to take it again. */
    if (t->no_route || t->local || t->transmissions >= RELOAD_TRANSMISSIONS ||
        reload_timer_set(&node->timers, &t->timer, node->now.monotonic_ms) != 0) {
        fail(node, t);
        return;
    }
    send_again(node, t);
}

/* By any link but `suspect`. */
static void send_elsewhere(struct reload_node *node, struct reload_transaction *t,
                           const struct reload_slot *suspect)
{
    struct reload_route route;
    if (t->link || t->local || t->no_route) /* of that link alone, or no longer on its way */
        return;
    enum reload_route_outcome outcome = find_way(node, t, &route);
    if (outcome == RELOAD_ROUTE_NEXT && route.next != suspect)
        send_over(node, t, &route);
    else if (outcome == RELOAD_ROUTE_HERE)
        turn_local(node, t);
}

void reload_transaction_returned(struct reload_node *node, struct reload_transaction *t)
{
    send_elsewhere(node, t, NULL);
}

void reload_transactions_detour(struct reload_node *node, const struct reload_slot *suspect)
{
    const struct reload_table *table = &node->transactions;
    for (size_t i = 0; i < table->capacity; i++) {
        struct reload_transaction *t = table->slots[i].value;
        if (t && t->left == suspect->link)
            send_elsewhere(node, t, suspect);
    }
}

void reload_transactions_depart(struct reload_node *node)
{
    const struct reload_table *table = &node->transactions;
    for (size_t i = 0; i < table->capacity; i++) {
        struct reload_transaction *t = table->slots[i].value;
        if (t && t->waits)
            send_elsewhere(node, t, NULL);
    }
}

void reload_transaction_doubted(struct reload_node *node, struct reload_transaction *t,
                                const struct reload_node_id *closer)
{
    if (t->doubted || !closer->len || !reload_connection_to(node, closer))
        return;
    t->doubted = true;
    node->ops->doubted(node->topology, closer, node->now);
}

void reload_transactions_reconsider(struct reload_node *node)
{
    const struct reload_table *table = &node->transactions;
    for (size_t i = 0; i < table->capacity; i++) {
        struct reload_transaction *t = table->slots[i].value;
        if (t && t->doubted && t->transmissions < RELOAD_TRANSMISSIONS)
            send_again(node, t);
    }
}

void reload_transactions_resume(struct reload_node *node)
{
    const struct reload_table *table = &node->transactions;
    for (size_t i = 0; i < table->capacity; i++) {
        struct reload_transaction *t = table->slots[i].value;
        if (!t || !t->config_error || t->local)
            continue;
        t->config_error = 0;
        if (t->transmissions < RELOAD_TRANSMISSIONS)
            send_again(node, t);
    }
}

struct reload_transaction *reload_transaction_of_timer(struct reload_timer *timer)
{
    return (struct reload_transaction *)((uint8_t *)timer -
                                         offsetof(struct reload_transaction, timer));
}

void reload_transactions_fini(struct reload_node *node)
{
    for (size_t i = 0; i < node->transactions.capacity; i++)
        if (node->transactions.slots[i].value)
            release(node->transactions.slots[i].value);
    reload_table_fini(&node->transactions);
}

int reload_destination_list(struct reload_node *node, const struct reload_node_id *via,
                            bool to_resource, struct reload_slice id, struct reload_slice *out)
{
    struct reload_writer w =
        reload_arena_writer(&node->queue.arena, 2 + RELOAD_NODE_ID_MAX + 3 + id.n);
    struct reload_node_id node_id = reload_node_id_from(id);
    struct reload_destination last =
        to_resource ? reload_destination_resource(id) : reload_destination_node(&node_id);
    int e = 0;
    if (via && via->len) {
        struct reload_destination first = reload_destination_node(via);
        e = reload_destination_encode(&w, &first);
    }
    if (e == 0)
        e = reload_destination_encode(&w, &last);
    reload_arena_trim(&node->queue.arena, &w);
    *out = reload_writer_slice(&w);
    return e;
}
