#include "reload/node/attach_record.h"

#include "reload/alloc.h"

/* The table of Attaches under way: who waits for which, and for how long. */

void reload_attach_enter(struct reload_node *node, struct reload_attach_record *a,
                         enum reload_attach_state state)
{
    static const char *const names[] = { "requested", "deferred", "expecting", "dialling" };
    uint64_t lifetime = reload_request_lifetime_ms(node);
    uint64_t patience = state == RELOAD_ATTACH_REQUESTED
                            ? 2 * lifetime /* the transaction ends it before */
                        : state == RELOAD_ATTACH_DEFERRED ? lifetime
                                                          : RELOAD_ATTACH_DIAL_MS;
    a->state = state;
    reload_timer_move(&node->timers, &a->timer, node->now.monotonic_ms + patience);
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
    all->next_number++;
    a->number = all->next_number ? all->next_number : ++all->next_number;
    a->remote = *remote;
    a->next = all->first;
    all->first = a;
    all->count++;
    return a;
}

static void take_out(struct reload_node *node, struct reload_attach_record *a)
{
    struct reload_attach_record **link = &node->attaches.first;
    while (*link != a)
        link = &(*link)->next;
    *link = a->next;
    node->attaches.count--;
    reload_timer_clear(&node->timers, &a->timer);
    if (a->transaction)
        reload_transaction_cancel(node, a->transaction);
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

void reload_attach_end(struct reload_node *node, struct reload_attach_record *a, int error,
                       uint16_t error_code)
{
    take_out(node, a);
    for (size_t i = 0; i < a->waiter_count; i++)
        reload_waiter_tell(node, a->waiters[i], error, error_code, &a->remote);
    if (error == 0 && a->owe_update)
        node->ops->update_wanted(node->topology, &a->remote, node->now);
    reload_free(a);
}

void reload_attach_discard(struct reload_node *node, struct reload_attach_record *a)
{
    take_out(node, a);
    reload_free(a);
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
        reload_free(a);
    }
}
