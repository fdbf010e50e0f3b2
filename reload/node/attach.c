#include "reload/node/attach_record.h"

#include "reload/alloc.h"

/* The own Attach: the request and what its answer brings (RFC 6940 s6.5.1, s6.5.1.1). */

int reload_attach_write(struct reload_node *node, const char *role, bool send_update,
                        const struct reload_offer *own, struct reload_slice *body)
{
    struct reload_writer w = reload_arena_writer(
        &node->queue.arena, own->ufrag.n + own->password.n + own->candidates.n + 32);
    const struct reload_attach attach = {
        .ufrag = own->ufrag,
        .password = own->password,
        .role = reload_slice_of(role, strlen(role)), /* s6.5.1.1 */
        .candidates = own->candidates,
        .send_update = send_update,
    };
    int e = reload_attach_encode(&w, &attach);
    *body = reload_writer_slice(&w);
    return e;
}

int reload_attach_ask(struct reload_node *node, struct reload_attach_record *a,
                      struct reload_slice destination_list, const struct reload_offer *own)
{
    struct reload_outgoing outgoing = {
        .code = RELOAD_ATTACH_REQ,
        .destination_list = destination_list,
        .owner = RELOAD_OWNER_ATTACH,
        .owner_object = a,
    };
    int e = reload_attach_write(node, "passive", a->send_update, own, &outgoing.body);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, &a->transaction);
    if (e == 0)
        reload_attach_enter(node, a, RELOAD_ATTACH_REQUESTED);
    return e;
}

static int request(struct reload_node *node, struct reload_attach_record *a,
                   const struct reload_node_id *via, bool to_resource,
                   struct reload_slice destination)
{
    struct reload_slice list;
    struct reload_offer own;
    int e = reload_destination_list(node, via, to_resource, destination, &list);
    if (e != 0)
        return e;
    if (a->ice)
        return reload_attach_prepare(node, a, list);
    e = reload_candidates_own(node, &own);
    return e == 0 ? reload_attach_ask(node, a, list, &own) : e;
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
    struct reload_attach_record *a = reload_attach_find(node, remote);
    if (!a)
        return false;
    a->send_update = a->send_update || send_update;
    *error = reload_attach_add_waiter(a, waiter);
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
    struct reload_attach_record *a = reload_attach_add(node, &remote);
    if (!a)
        return RELOAD_E_LIMIT;
    a->send_update = send_update;
    e = reload_attach_add_waiter(a, waiter);
    if (e == 0)
        e = request(node, a, via, to_resource, destination);
    if (e != 0)
        reload_attach_discard(node, a);
    return e;
}

/* By ICE both sides begin their checks (s6.5.1.2); without it the far end dials, or we do. */
static void go_on(struct reload_node *node, struct reload_attach_record *a,
                  const struct reload_offer *offer)
{
    if (a->ice) {
        reload_attach_open(node, a, offer, RELOAD_ATTACH_EXPECTING);
        return;
    }
    if (node->config.address_count) {
        reload_attach_enter(node, a, RELOAD_ATTACH_EXPECTING);
        return;
    }
    struct reload_dial_plan plan;
    if (reload_candidates_read(node, offer->candidates, &plan) != 0)
        reload_attach_end(node, a, RELOAD_E_NOMEM, 0);
    else if (plan.count == 0)
        reload_attach_end(node, a, RELOAD_E_UNSUPPORTED, 0);
    else
        reload_attach_dial(node, a, &plan);
}

static bool nothing_offered(const struct reload_offer *offer)
{
    return offer->candidates.n == 0;
}

/* What the answer brings: a link to be made, or there is one already. That may be a plain one, in
 * whose place the far end wants another. */
static void proceed(struct reload_node *node, struct reload_attach_record *a,
                    const struct reload_attach *body)
{
    const struct reload_offer offer = { body->ufrag, body->password, body->candidates };
    struct reload_slot *slot = reload_connection_to(node, &a->remote);
    const char *why = NULL;
    a->owe_update = a->owe_update || body->send_update;
    if (slot && (!a->ice || nothing_offered(&offer))) {
        reload_connection_expect_second(node, slot);
        reload_attach_end(node, a, 0, 0);
        return;
    }
    if (slot)
        reload_attach_tell(node, a, 0, 0);
    uint16_t code = reload_offer_check(&offer, a->ice, &why);
    if (code == 0) {
        go_on(node, a, &offer);
        return;
    }
    reload_drop(node, RELOAD_DROP_BODY, NULL, why);
    reload_attach_end(
        node, a, code == RELOAD_ERROR_INVALID_MESSAGE ? RELOAD_E_DECODE : RELOAD_E_UNSUPPORTED, 0);
}

static bool well_formed(struct reload_slice answer, struct reload_attach *body)
{
    return reload_attach_decode(answer, body) == 0 &&
           reload_slice_equal(body->role, reload_slice_of("active", 6));
}

void reload_attach_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_attach_record *a = answer->transaction->owner_object;
    struct reload_attach body;
    a->transaction = NULL;
    if (answer->error == 0 && !well_formed(answer->body, &body)) {
        reload_drop(node, RELOAD_DROP_BODY, NULL, "AttachAns");
        answer->error = RELOAD_E_DECODE;
    }
    if (answer->error_code == RELOAD_ERROR_IN_PROGRESS) {
        reload_attach_withdraw(node, a);
        a->remote = answer->signer;
        reload_attach_enter(node, a, RELOAD_ATTACH_DEFERRED);
        return;
    }
    if (answer->error != 0) {
        reload_attach_end(node, a, answer->error, answer->error_code);
        return;
    }
    a->remote = answer->signer;
    proceed(node, a, &body);
}
