#include "reload/node/attach_record.h"

#include "reload/alloc.h"

/* The table of Attaches under way: who waits for which, and for how long. */

static uint64_t patience_ms(const struct reload_node *node, const struct reload_attach_record *a)
{
    uint64_t lifetime = reload_request_lifetime_ms(node);
    switch (a->state) {
    case RELOAD_ATTACH_GATHERING:
    case RELOAD_ATTACH_ANSWERING: /* a later answer would be to nobody */
    case RELOAD_ATTACH_DEFERRED: return lifetime;
    case RELOAD_ATTACH_REQUESTED: return 2 * lifetime; /* the transaction ends it before */
    case RELOAD_ATTACH_EXPECTING:
    case RELOAD_ATTACH_DIALLING: break;
    }
    return a->ice ? RELOAD_ATTACH_ICE_MS : RELOAD_ATTACH_DIAL_MS;
}

uint64_t reload_attach_age_ms(const struct reload_node *node, const struct reload_attach_record *a)
{
    return node->now.monotonic_ms + patience_ms(node, a) - a->timer.at_ms;
}

void reload_attach_enter(struct reload_node *node, struct reload_attach_record *a,
                         enum reload_attach_state state)
{
    static const char *const names[] = { "gathering", "requested", "deferred",
                                         "answering", "expecting", "dialling" };
    a->state = state;
    reload_timer_move(&node->timers, &a->timer, node->now.monotonic_ms + patience_ms(node, a));
    char text[RELOAD_NODE_ID_TEXT] = "?";
    if (a->remote.len)
        reload_node_id_text(&a->remote, text);
    reload_log_line(node, RELOAD_LOG_DEBUG, "attach %u to %s: %s", a->number, text, names[state]);
}

struct reload_attach_record *reload_attach_find(const struct reload_node *node,
                                                const struct reload_node_id *remote)
{
    struct reload_attach_record *a = node->attaches.first;
    while (a && !reload_node_id_equal(&a->remote, remote))
        a = a->next;
    return a;
}

struct reload_attach_record *reload_attach_numbered(const struct reload_node *node, uint32_t number)
{
    struct reload_attach_record *a = node->attaches.first;
    while (a && (number == 0 || a->number != number))
        a = a->next;
    return a;
}

struct reload_attach_record *reload_attach_add(struct reload_node *node,
                                               const struct reload_node_id *remote)
{
    struct reload_attaches *all = &node->attaches;
    if (all->count >= node->config.limits.max_attaches) {
        reload_drop(node, RELOAD_DROP_LIMIT, NULL, "attaches");
        return NULL;
    }
    struct reload_attach_record *a = reload_calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->timer.kind = RELOAD_TIMER_ATTACH;
    if (reload_timer_set(&node->timers, &a->timer, RELOAD_NEVER) != 0) {
        reload_free(a);
        return NULL;
    }
    a->ice = reload_uses_ice(node);
    a->remote = *remote;
    a->next = all->first;
    all->first = a;
    all->count++;
    return a;
}

void reload_attach_withdraw(struct reload_node *node, struct reload_attach_record *a)
{
    if (a->transaction)
        reload_transaction_cancel(node, a->transaction);
    a->transaction = NULL;
    reload_free(a->destination_list);
    a->destination_list = NULL;
    if (a->ice) /* a dial without ICE ends by itself */
        reload_abandon(node, a->number);
    a->number = 0;
}

static void take_out(struct reload_node *node, struct reload_attach_record *a)
{
    struct reload_attach_record **link = &node->attaches.first;
    while (*link != a)
        link = &(*link)->next;
    *link = a->next;
    node->attaches.count--;
    reload_timer_clear(&node->timers, &a->timer);
    reload_attach_withdraw(node, a);
}

static void release(struct reload_attach_record *a)
{
    reload_free(a->destination_list);
    reload_free(a->asked);
    reload_free(a);
}

int reload_attach_add_waiter(struct reload_attach_record *a, struct reload_waiter waiter)
{
    if (waiter.kind == RELOAD_WAITER_NONE)
        return 0;
    if (a->waiter_count == RELOAD_ATTACH_WAITERS_MAX)
        return RELOAD_E_LIMIT;
    a->waiters[a->waiter_count++] = waiter;
    return 0;
}

void reload_waiter_tell(struct reload_node *node, struct reload_waiter waiter, int error,
                        uint16_t error_code, const struct reload_node_id *node_id)
{
    if (waiter.kind == RELOAD_WAITER_TOPOLOGY)
        node->ops->attached(node->topology, (uint32_t)waiter.id, error, node_id, node->now);
    if (waiter.kind != RELOAD_WAITER_APPLICATION)
        return;
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_REQUEST_DONE);
    if (!action)
        return;
    action->result = (struct reload_result){ .request = waiter.id,
                                             .code = RELOAD_ATTACH_REQ,
                                             .error = error,
                                             .error_code = error_code,
                                             .signer = *node_id };
}

void reload_attach_tell(struct reload_node *node, struct reload_attach_record *a, int error,
                        uint16_t error_code)
{
    size_t count = a->waiter_count;
    bool update = error == 0 && a->owe_update;
    a->waiter_count = 0;
    a->owe_update = a->owe_update && !update;
    for (size_t i = 0; i < count; i++)
        reload_waiter_tell(node, a->waiters[i], error, error_code, &a->remote);
    if (update)
        node->ops->update_wanted(node->topology, &a->remote, node->now);
}

/* The request that still waits for an answer. With a link there its sender has what it asked for;
 * if it should ask again all the same, it is heard anew. */
static void settle_request(struct reload_node *node, const struct reload_asked *asked, int error)
{
    if (error == 0)
        reload_answered_forget(node, &asked->reply);
    else
        reload_respond_error_text(node, &asked->reply, RELOAD_ERROR_REQUEST_TIMEOUT,
                                  "no candidates for a connection could be gathered");
}

/* Checks that nobody met, perhaps because the answer was lost: a repetition of the request must not
 * get that answer, whose candidates are gone, but another. */
static void take_back_answer(struct reload_node *node, const struct reload_attach_record *a)
{
    const struct reload_reply reply = { .transaction_id = a->answered, .signer = a->remote };
    reload_answered_forget(node, &reply);
}

void reload_attach_end(struct reload_node *node, struct reload_attach_record *a, int error,
                       uint16_t error_code)
{
    take_out(node, a);
    if (a->asked)
        settle_request(node, a->asked, error);
    else if (error != 0 && a->ice && a->state == RELOAD_ATTACH_DIALLING)
        take_back_answer(node, a);
    reload_attach_tell(node, a, error, error_code);
    release(a);
}

void reload_attach_discard(struct reload_node *node, struct reload_attach_record *a)
{
    take_out(node, a);
    release(a);
}

void reload_attach_due(struct reload_node *node, struct reload_attach_record *a)
{
    reload_attach_end(node, a, RELOAD_E_TIMEOUT, 0);
}

struct reload_attach_record *reload_attach_of_timer(struct reload_timer *timer)
{
    return (struct reload_attach_record *)((uint8_t *)timer -
                                           offsetof(struct reload_attach_record, timer));
}

void reload_attaches_fini(struct reload_node *node)
{
    while (node->attaches.first) {
        struct reload_attach_record *a = node->attaches.first;
        node->attaches.first = a->next;
        release(a);
    }
}
