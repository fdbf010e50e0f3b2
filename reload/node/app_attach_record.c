#include "reload/node/app_attach_record.h"

#include "reload/alloc.h"

/* The table of channels that are being agreed on, and the host's side of them. */

void reload_app_attach_enter(struct reload_node *node, struct reload_app_attach_record *a,
                             enum reload_app_attach_state state)
{
    static const char *const names[] = { "gathering", "requested", "answering" };
    uint64_t patience = reload_request_lifetime_ms(node);
    if (state == RELOAD_APP_ATTACH_REQUESTED) /* the transaction ends it before */
        patience *= 2;
    a->state = state;
    reload_timer_move(&node->timers, &a->timer, node->now.monotonic_ms + patience);
    reload_log_line(node, RELOAD_LOG_DEBUG, "channel %u of application %u: %s", a->number,
                    a->application, names[state]);
}

struct reload_app_attach_record *reload_app_attach_add(struct reload_node *node,
                                                       uint16_t application)
{
    struct reload_app_attaches *all = &node->app_attaches;
    if (all->count >= node->config.limits.max_app_attaches) {
        reload_drop(node, RELOAD_DROP_LIMIT, NULL, "channels of applications");
        return NULL;
    }
    struct reload_app_attach_record *a = reload_calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->timer.kind = RELOAD_TIMER_APP_ATTACH;
    if (reload_timer_set(&node->timers, &a->timer, RELOAD_NEVER) != 0) {
        reload_free(a);
        return NULL;
    }
    a->ice = reload_app_attach_uses_ice(node, application);
    a->application = application;
    a->next = all->first;
    all->first = a;
    all->count++;
    return a;
}

static void release(struct reload_app_attach_record *a)
{
    reload_free(a->destination_list);
    reload_free(a->asked);
    reload_free(a);
}

void reload_app_attach_end(struct reload_node *node, struct reload_app_attach_record *a)
{
    struct reload_app_attach_record **link = &node->app_attaches.first;
    while (*link != a)
        link = &(*link)->next;
    *link = a->next;
    node->app_attaches.count--;
    reload_timer_clear(&node->timers, &a->timer);
    if (a->transaction)
        reload_transaction_cancel(node, a->transaction);
    reload_abandon(node, a->number);
    release(a);
}

void reload_app_attaches_fini(struct reload_node *node)
{
    while (node->app_attaches.first) {
        struct reload_app_attach_record *a = node->app_attaches.first;
        node->app_attaches.first = a->next;
        release(a);
    }
}

struct reload_app_attach_record *reload_app_attach_of_timer(struct reload_timer *timer)
{
    return (struct reload_app_attach_record *)((uint8_t *)timer -
                                               offsetof(struct reload_app_attach_record, timer));
}

struct reload_app_attach_record *reload_app_attach_numbered(const struct reload_node *node,
                                                            uint32_t number)
{
    struct reload_app_attach_record *a = node->app_attaches.first;
    while (a && (number == 0 || a->number != number))
        a = a->next;
    return a;
}

int reload_app_attach_write(struct reload_node *node, const char *role, uint16_t application,
                            const struct reload_offer *own, struct reload_slice *body)
{
    struct reload_writer w = reload_arena_writer(
        &node->queue.arena, own->ufrag.n + own->password.n + own->candidates.n + 32);
    const struct reload_app_attach attach = {
        .ufrag = own->ufrag,
        .password = own->password,
        .application = application,
        .role = reload_slice_of(role, strlen(role)),
        .candidates = own->candidates,
    };
    int e = reload_app_attach_encode(&w, &attach);
    *body = reload_writer_slice(&w);
    return e;
}

/* Where the channel leads, as the action says it. */
static int fill(struct reload_node *node, const struct reload_app_attach_record *a,
                const struct reload_offer *offer, bool waits,
                struct reload_action_app_channel *channel)
{
    struct reload_offer far;
    struct reload_dial_plan plan;
    if (a->ice) {
        if (reload_offer_copy(node, offer, &far) != 0)
            return RELOAD_E_NOMEM;
        channel->link_type = RELOAD_LINK_DTLS_UDP_SR;
        channel->ufrag = far.ufrag;
        channel->password = far.password;
        channel->candidates = far.candidates;
        return 0;
    }
    if (reload_candidates_read(node, offer->candidates, &plan) != 0)
        return RELOAD_E_NOMEM;
    if (plan.count == 0 && !waits)
        return RELOAD_E_UNSUPPORTED;
    channel->link_type = (uint8_t)plan.type;
    channel->addresses = plan.addresses;
    channel->address_count = waits ? 0 : plan.count;
    return 0;
}

int reload_app_attach_hand_over(struct reload_node *node, struct reload_app_attach_record *a,
                                const struct reload_node_id *remote,
                                const struct reload_offer *offer, bool waits)
{
    struct reload_action_app_channel channel = {
        .request = a->request,
        .attach = a->number,
        .application = a->application,
        .node_id = *remote,
        .tls_server = waits,
    };
    int e = fill(node, a, offer, waits, &channel);
    if (e != 0)
        return e;
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_APP_CHANNEL);
    if (!action)
        return RELOAD_E_NOMEM;
    action->app_channel = channel;
    a->number = 0; /* the host's from here on */
    return 0;
}

/* --- what the host and the clock say --- */

static void fail(struct reload_node *node, struct reload_app_attach_record *a, int error)
{
    if (a->request)
        reload_app_attach_fail(node, a, error);
    else
        reload_app_attach_refuse(node, a, RELOAD_ERROR_REQUEST_TIMEOUT,
                                 "no candidates for a connection could be gathered");
}

void reload_app_attach_gathered(struct reload_node *node, struct reload_app_attach_record *a,
                                const struct reload_offer *own)
{
    if (a->state == RELOAD_APP_ATTACH_REQUESTED) {
        reload_drop(node, RELOAD_DROP_STATE, NULL, "candidates that were not asked for");
    } else if (!reload_offer_is_own(own, a->ice)) {
        reload_drop(node, RELOAD_DROP_BODY, NULL, "what was gathered");
        fail(node, a, RELOAD_E_INVALID);
    } else if (a->state == RELOAD_APP_ATTACH_GATHERING) {
        reload_app_attach_ask(node, a, own);
    } else {
        reload_app_attach_answer(node, a, own);
    }
}

bool reload_app_attach_open_failed(struct reload_node *node, uint32_t number)
{
    struct reload_app_attach_record *a = reload_app_attach_numbered(node, number);
    if (!a)
        return false;
    a->number = 0; /* the host has nothing of it any more */
    fail(node, a, RELOAD_E_IO);
    return true;
}

void reload_app_attach_due(struct reload_node *node, struct reload_app_attach_record *a)
{
    fail(node, a, RELOAD_E_TIMEOUT);
}
