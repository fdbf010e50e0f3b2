#include "reload/node/state.h"

/* Own requests on their way, and their end-to-end reliability (RFC 6940 s6.2.1): sent at most five
 * times, one overlay-reliability-timer apart, under one transaction_id. Only the originator does
 * this. */

#define NO_ROUTE_MS 20 /* until a request that nobody can take fails: never from within a call */

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

static bool is_early(const struct reload_node *node, const struct reload_transaction *t,
                     struct reload_slice body)
{
    return (t->code == RELOAD_FETCH_REQ || t->code == RELOAD_STAT_REQ) &&
           reload_fetch_too_early(node, body);
}

/* What was to be sent turned out to be for this node: the ring changed. What another may hold still
 * is left to the next repetition. */
static void turn_local(struct reload_node *node, struct reload_transaction *t)
{
    struct reload_message m;
    struct reload_slice bytes = { t->message, t->len };
    if (reload_message_decode(bytes, reload_node_id_length(node), &m) == 0 &&
        !is_early(node, t, m.body))
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

/* For the topology to find out who answers for it; as the transmission that it is. */
static bool waits(struct reload_node *node, struct reload_transaction *t,
                  const struct reload_route *route)
{
    if (!route->undecided || !reload_request_is_repeatable(t->code) ||
        !reload_wait_own(node, route->first.id, t->id))
        return false;
    t->waits = true;
    return true;
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
    if (waits(node, t, route))
        return;
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
    bool early = outcome == RELOAD_ROUTE_HERE && is_early(node, t, outgoing->body);
    if (outcome == RELOAD_ROUTE_HERE && !early) {
        put_off_local(node, t, outgoing->body, outgoing->certificates);
        return t->local ? 0 : RELOAD_E_NOMEM;
    }
    if (outcome == RELOAD_ROUTE_DROP && !route.undecided && !may_wait(node, t)) {
        t->no_route = true;
        reload_timer_move(&node->timers, &t->timer, node->now.monotonic_ms + NO_ROUTE_MS);
        return 0;
    }
    int e = reload_transaction_encode(node, t, outgoing);
    if (e == 0)
        transmit(node, t, early ? RELOAD_ROUTE_DROP : outcome, &route);
    return e;
}

int reload_transaction_start(struct reload_node *node, const struct reload_outgoing *outgoing,
                             struct reload_transaction **out)
{
    struct reload_transaction *t = NULL;
    int e = reload_transaction_add(node, outgoing, &t);
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
    if (waits(node, t, &route))
        return;
    if (outcome == RELOAD_ROUTE_NEXT && route.next != suspect)
        send_over(node, t, &route);
    else if (outcome == RELOAD_ROUTE_HERE)
        turn_local(node, t);
}

void reload_transaction_go_on(struct reload_node *node, struct reload_transaction *t)
{
    if (t->waits)
        send_elsewhere(node, t, NULL);
}

void reload_transaction_returned(struct reload_node *node, struct reload_transaction *t)
{
    send_elsewhere(node, t, NULL);
}

void reload_transactions_detour(struct reload_node *node, const struct reload_slot *suspect)
{
    struct reload_transaction *t;
    for (size_t place = 0; (t = reload_table_each(&node->transactions, &place));)
        if (t->left == suspect->link)
            send_elsewhere(node, t, suspect);
}

void reload_transactions_depart(struct reload_node *node)
{
    struct reload_transaction *t;
    for (size_t place = 0; (t = reload_table_each(&node->transactions, &place));)
        if (t->waits)
            send_elsewhere(node, t, NULL);
}

void reload_transaction_doubted(struct reload_node *node, struct reload_transaction *t,
                                const struct reload_node_id *closer)
{
    if (t->doubted || !closer->len || !reload_connection_to(node, closer))
        return;
    t->doubted = true;
    node->ops->doubted(node->topology, closer, node->now);
}

/* What is on its way to a node whose range is this one's now: unless that one may have done it,
 * which the answer still tells. */
static void come_home(struct reload_node *node, struct reload_transaction *t)
{
    struct reload_route route;
    if (!t->link && !t->local && !t->no_route && reload_request_is_repeatable(t->code) &&
        find_way(node, t, &route) == RELOAD_ROUTE_HERE)
        turn_local(node, t);
}

void reload_transactions_reconsider(struct reload_node *node)
{
    struct reload_transaction *t;
    for (size_t place = 0; (t = reload_table_each(&node->transactions, &place));)
        if (t->doubted && t->transmissions < RELOAD_TRANSMISSIONS)
            send_again(node, t);
        else
            come_home(node, t);
}

void reload_transactions_resume(struct reload_node *node)
{
    struct reload_transaction *t;
    for (size_t place = 0; (t = reload_table_each(&node->transactions, &place));) {
        if (!t->config_error || t->local)
            continue;
        t->config_error = 0;
        if (t->transmissions < RELOAD_TRANSMISSIONS)
            send_again(node, t);
    }
}
