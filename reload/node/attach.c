#include "reload/node/state.h"

#include "reload/alloc.h"
#include "reload/wire/attach.h"

/* Attach (RFC 6940 s6.5.1) without ICE. The node that sent the AttachReq is the TLS server and
 * waits; the one that answers dials (s6.5.1.13). A node without an address to wait at dials itself,
 * as TLS client, to where the answer says.
 *
 *      start -> REQUESTED --answer--> EXPECTING ---.
 *                  |  \--answer, no own address--> DIALLING --link--> done
 *                  |--In_Progress--> DEFERRED --its Attach--^   ^
 *                  '--its Attach, own Node-ID smaller-----------|
 *      its Attach, none of ours under way ----------------------'
 *
 * One record a far end. A link that is bound to the far end, however it came about, ends the record
 * with success. */

#define DIAL_MS     20000
#define WAITERS_MAX 8

enum attach_state {
    ATTACH_REQUESTED, /* own request is out, unanswered */
    ATTACH_DEFERRED,  /* the far end said In_Progress: its own Attach is on the way */
    ATTACH_EXPECTING, /* the far end dials */
    ATTACH_DIALLING,  /* OPEN_LINK is out */
};

struct reload_attach_record {
    struct reload_attach_record *next;
    uint32_t number;
    enum attach_state state;
    struct reload_node_id remote;           /* len 0: not known before the answer */
    struct reload_transaction *transaction; /* REQUESTED */
    bool send_update;                       /* we want an Update */
    bool owe_update;                        /* the far end wants one */
    struct reload_waiter waiters[WAITERS_MAX];
    size_t waiter_count;
    struct reload_timer timer;
};

static void enter(struct reload_node *node, struct reload_attach_record *a, enum attach_state state)
{
    static const char *const names[] = { "requested", "deferred", "expecting", "dialling" };
    uint64_t lifetime = reload_request_lifetime_ms(node);
    uint64_t patience = state == ATTACH_REQUESTED
                            ? 2 * lifetime /* the transaction ends it before */
                        : state == ATTACH_DEFERRED ? lifetime
                                                   : DIAL_MS;
    a->state = state;
    reload_timer_move(&node->timers, &a->timer, node->now.monotonic_ms + patience);
    char text[RELOAD_NODE_ID_TEXT] = "?";
    if (a->remote.len)
        reload_node_id_text(&a->remote, text);
    reload_log_line(node, RELOAD_LOG_DEBUG, "attach %u to %s: %s", a->number, text, names[state]);
}

static struct reload_attach_record *find(const struct reload_node *node,
                                         const struct reload_node_id *remote)
{
    struct reload_attach_record *a = node->attaches.first;
    while (a && !reload_node_id_equal(&a->remote, remote))
        a = a->next;
    return a;
}

static struct reload_attach_record *add(struct reload_node *node,
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

static int add_waiter(struct reload_attach_record *a, struct reload_waiter waiter)
{
    if (waiter.kind == RELOAD_WAITER_NONE)
        return 0;
    if (a->waiter_count == WAITERS_MAX)
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

static void end(struct reload_node *node, struct reload_attach_record *a, int error,
                uint16_t error_code)
{
    take_out(node, a);
    for (size_t i = 0; i < a->waiter_count; i++)
        reload_waiter_tell(node, a->waiters[i], error, error_code, &a->remote);
    if (error == 0 && a->owe_update)
        node->ops->update_wanted(node->topology, &a->remote, node->now);
    reload_free(a);
}

/* --- bodies --- */

static int write_body(struct reload_node *node, const char *role, bool send_update,
                      struct reload_slice *body)
{
    size_t room = 64 * (node->config.address_count + 1);
    struct reload_writer candidates = reload_arena_writer(&node->queue.arena, room);
    reload_candidates_write(node, &candidates);
    struct reload_writer w = reload_arena_writer(&node->queue.arena, room + 64);
    const struct reload_attach attach = {
        .role = reload_slice_of(role, strlen(role)), /* s6.5.1.1 */
        .candidates = reload_writer_slice(&candidates),
        .send_update = send_update,
    };
    int e = reload_attach_encode(&w, &attach);
    *body = reload_writer_slice(&w);
    return candidates.failed ? RELOAD_E_NOMEM : e;
}

static void dial(struct reload_node *node, struct reload_attach_record *a,
                 const struct reload_ip_address_port *addresses, size_t count)
{
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_OPEN_LINK);
    if (!action) {
        end(node, a, RELOAD_E_NOMEM, 0);
        return;
    }
    action->open_link = (struct reload_action_open_link){
        .attach = a->number,
        .node_id = a->remote,
        .addresses = addresses,
        .address_count = count,
        .tls_server = false,
    };
    enter(node, a, ATTACH_DIALLING);
}

/* --- own Attach --- */

static int request(struct reload_node *node, struct reload_attach_record *a,
                   const struct reload_node_id *via, bool to_resource,
                   struct reload_slice destination)
{
    struct reload_outgoing outgoing = {
        .code = RELOAD_ATTACH_REQ,
        .owner = RELOAD_OWNER_ATTACH,
        .owner_id = a->number,
        .owner_object = a,
    };
    int e =
        reload_destination_list(node, via, to_resource, destination, &outgoing.destination_list);
    if (e == 0)
        e = write_body(node, "passive", a->send_update, &outgoing.body);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, &a->transaction);
    if (e == 0)
        enter(node, a, ATTACH_REQUESTED);
    return e;
}

/* s6.5.1: nothing to do for a node that is connected; nothing twice for one that is being attached.
 */
static bool join_present(struct reload_node *node, const struct reload_node_id *remote,
                         bool send_update, struct reload_waiter waiter, int *error)
{
    *error = 0;
    if (reload_connection_to(node, remote)) {
        struct reload_work *work = reload_work_add(node, RELOAD_WORK_TELL);
        *error = work ? 0 : RELOAD_E_NOMEM;
        if (work) {
            work->tell.waiter = waiter;
            work->tell.node_id = *remote;
        }
        return true;
    }
    struct reload_attach_record *a = find(node, remote);
    if (!a)
        return false;
    a->send_update = a->send_update || send_update;
    *error = add_waiter(a, waiter);
    return true;
}

int reload_attach_start(struct reload_node *node, const struct reload_node_id *via,
                        bool to_resource, struct reload_slice destination, bool send_update,
                        struct reload_waiter waiter)
{
    struct reload_node_id remote = { 0 };
    int e;
    if (!to_resource)
        remote = reload_node_id_from(destination);
    if (remote.len && reload_node_id_equal(&remote, &node->self))
        return RELOAD_E_INVALID;
    if (remote.len && join_present(node, &remote, send_update, waiter, &e))
        return e;
    struct reload_attach_record *a = add(node, &remote);
    if (!a)
        return RELOAD_E_LIMIT;
    a->send_update = send_update;
    e = add_waiter(a, waiter);
    if (e == 0)
        e = request(node, a, via, to_resource, destination);
    if (e != 0) {
        take_out(node, a);
        reload_free(a);
    }
    return e;
}

/* What the answer brings: the far end dials, or we do, or the link is there already. */
static void proceed(struct reload_node *node, struct reload_attach_record *a,
                    const struct reload_attach *body)
{
    a->owe_update = a->owe_update || body->send_update;
    if (reload_connection_to(node, &a->remote)) {
        end(node, a, 0, 0);
        return;
    }
    if (node->config.address_count) {
        enter(node, a, ATTACH_EXPECTING);
        return;
    }
    struct reload_ip_address_port *addresses;
    size_t count;
    if (reload_candidates_read(node, body->candidates, &addresses, &count) != 0)
        end(node, a, RELOAD_E_NOMEM, 0);
    else if (count == 0)
        end(node, a, RELOAD_E_UNSUPPORTED, 0);
    else
        dial(node, a, addresses, count);
}

void reload_attach_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_attach_record *a = answer->transaction->owner_object;
    struct reload_attach body;
    a->transaction = NULL;
    if (answer->error == 0 && reload_attach_decode(answer->body, &body) != 0) {
        reload_drop(node, RELOAD_DROP_BODY, NULL, "AttachAns");
        answer->error = RELOAD_E_DECODE;
    }
    if (answer->error_code == RELOAD_ERROR_IN_PROGRESS) {
        a->remote = answer->signer;
        enter(node, a, ATTACH_DEFERRED);
        return;
    }
    if (answer->error != 0) {
        end(node, a, answer->error, answer->error_code);
        return;
    }
    a->remote = answer->signer;
    proceed(node, a, &body);
}

/* --- the far end's Attach (s6.5.1.2) --- */

static bool is_direct(const struct reload_request *request)
{
    return request->from && request->message.header.via_list.n == 0 &&
           reload_node_id_equal(&request->from->node_id, &request->signer_id);
}

/* s6.5.1.2: whether the own Attach to that node goes on, so that this one is refused. */
static bool own_goes_on(const struct reload_node *node, const struct reload_attach_record *a)
{
    switch (a->state) {
    case ATTACH_EXPECTING: return true;
    case ATTACH_REQUESTED: return reload_node_id_compare(&node->self, &a->remote) > 0;
    case ATTACH_DEFERRED: /* it said that it would */
    case ATTACH_DIALLING: /* it asks again: the answer was lost */ return false;
    }
    return false;
}

/* Answers and gets ready for the link. */
static void accept(struct reload_node *node, const struct reload_request *request,
                   const struct reload_attach *body, struct reload_attach_record *a)
{
    struct reload_ip_address_port *addresses;
    struct reload_slice answer;
    size_t count;
    a->owe_update = a->owe_update || body->send_update;
    if (reload_candidates_read(node, body->candidates, &addresses, &count) != 0 ||
        write_body(node, "active", a->send_update, &answer) != 0) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_FORBIDDEN, "out of memory");
        end(node, a, RELOAD_E_NOMEM, 0);
        return;
    }
    if (count == 0 && node->config.address_count == 0) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY,
                                  "no common overlay link");
        end(node, a, RELOAD_E_UNSUPPORTED, 0);
        return;
    }
    reload_respond(node, &request->reply, answer, (struct reload_slice){ 0 });
    if (a->transaction) { /* s6.5.1.2: the own, incomplete Attach is not repeated any more */
        reload_transaction_cancel(node, a->transaction);
        a->transaction = NULL;
    }
    if (count == 0)
        enter(node, a, ATTACH_EXPECTING);
    else if (a->state != ATTACH_DIALLING)
        dial(node, a, addresses, count);
}

/* The request came over a link that is the signer's already: one link is enough. */
static void accept_linked(struct reload_node *node, const struct reload_request *request,
                          const struct reload_attach *body)
{
    struct reload_slice answer;
    if (write_body(node, "active", false, &answer) != 0)
        return;
    reload_respond(node, &request->reply, answer, (struct reload_slice){ 0 });
    if (body->send_update)
        node->ops->update_wanted(node->topology, &request->signer_id, node->now);
}

static bool well_formed(const struct reload_request *request, struct reload_attach *body)
{
    return reload_attach_decode(request->message.body, body) == 0 &&
           reload_slice_equal(body->role, reload_slice_of("passive", 7)) &&
           reload_ice_candidates_validate(body->candidates) == 0;
}

void reload_attach_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_attach body;
    if (!well_formed(request, &body)) {
        reload_drop(node, RELOAD_DROP_BODY, request->from, "AttachReq");
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_INVALID_MESSAGE,
                                  "malformed Attach");
        return;
    }
    if (reload_node_id_equal(&request->signer_id, &node->self)) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_NOT_FOUND,
                                  "that is this node itself");
        return;
    }
    if (is_direct(request)) {
        accept_linked(node, request, &body);
        return;
    }
    struct reload_attach_record *a = find(node, &request->signer_id);
    if (a && own_goes_on(node, a)) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_IN_PROGRESS,
                                  "an Attach to you is under way");
        return;
    }
    if (!a) {
        a = add(node, &request->signer_id);
        if (a)
            enter(node, a, ATTACH_DEFERRED);
    }
    if (a)
        accept(node, request, &body, a);
    else
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_FORBIDDEN,
                                  "too many Attaches under way");
}

/* --- links --- */

static struct reload_attach_record *by_number(const struct reload_node *node, uint32_t number)
{
    struct reload_attach_record *a = node->attaches.first;
    while (a && (a->number != number || a->state != ATTACH_DIALLING))
        a = a->next;
    return a;
}

int reload_attach_link_up(struct reload_node *node, const struct reload_slot *slot, uint32_t number,
                          struct reload_node_id *bound)
{
    struct reload_attach_record *a = number ? by_number(node, number) : node->attaches.first;
    if (number) {
        if (!a)
            return 0; /* it came too late, and is a link like any other */
        if (!reload_slot_proves(slot, &a->remote)) { /* s6.5.1.11 */
            end(node, a, RELOAD_E_CERTIFICATE, 0);
            return RELOAD_E_FORBIDDEN;
        }
        *bound = a->remote;
        return 0;
    }
    for (; a; a = a->next)
        if (a->remote.len && reload_slot_proves(slot, &a->remote)) {
            *bound = a->remote;
            return 0;
        }
    return 0;
}

void reload_attach_bound(struct reload_node *node, const struct reload_node_id *id)
{
    struct reload_attach_record *a;
    while ((a = find(node, id)))
        end(node, a, 0, 0);
}

void reload_attach_open_failed(struct reload_node *node, uint32_t number)
{
    struct reload_attach_record *a = by_number(node, number);
    if (a)
        end(node, a, RELOAD_E_IO, 0);
}

void reload_attach_due(struct reload_node *node, struct reload_attach_record *a)
{
    end(node, a, RELOAD_E_TIMEOUT, 0);
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
