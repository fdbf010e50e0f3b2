#include "reload/node/attach_record.h"

/* The far end's Attach (RFC 6940 s6.5.1.2): the tie-break when both ask, the answer, and the dial
 * that follows from it. */

/* s6.1.2: the Attach says which of the Node-IDs in its certificate the link is used by; a Ping does
 * not. */
static void settle_node_id(struct reload_node *node, const struct reload_request *request)
{
    struct reload_slot *slot = request->from;
    if (slot && !slot->node_id.len && request->message.header.via_list.n == 0 &&
        reload_slot_proves(slot, &request->signer_id))
        reload_connection_bind(node, slot, &request->signer_id);
}

static bool is_direct(const struct reload_request *request)
{
    return request->from && request->message.header.via_list.n == 0 &&
           reload_node_id_equal(&request->from->node_id, &request->signer_id);
}

/* s6.5.1.2: whether what is under way to that node goes on, so that this Attach is refused. */
static bool goes_on(const struct reload_node *node, const struct reload_attach_record *a)
{
    switch (a->state) {
    case RELOAD_ATTACH_EXPECTING: return true;
    case RELOAD_ATTACH_REQUESTED: return reload_node_id_compare(&node->self, &a->remote) > 0;
    case RELOAD_ATTACH_GATHERING: /* not asked yet */
    case RELOAD_ATTACH_DEFERRED:  /* it said that it would */
    case RELOAD_ATTACH_ANSWERING: /* it asks again before we could answer */ return false;
    case RELOAD_ATTACH_DIALLING: /* it asks again: the answer was lost, or it wants candidates of
                                    this host's as often as it can */
        return a->ice && reload_attach_age_ms(node, a) < RELOAD_ATTACH_AGAIN_MS;
    }
    return false;
}

/* Without ICE: answers and gets ready for the link. */
static void accept(struct reload_node *node, const struct reload_request *request,
                   const struct reload_attach *body, struct reload_attach_record *a)
{
    struct reload_dial_plan plan;
    struct reload_offer own;
    struct reload_slice answer;
    if (reload_candidates_read(node, body->candidates, &plan) != 0 ||
        reload_candidates_own(node, &own) != 0 ||
        reload_attach_write(node, "active", a->send_update, &own, &answer) != 0) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_FORBIDDEN, "out of memory");
        reload_attach_end(node, a, RELOAD_E_NOMEM, 0);
        return;
    }
    if (plan.count == 0 && node->config.address_count == 0) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY,
                                  "no common overlay link");
        reload_attach_end(node, a, RELOAD_E_UNSUPPORTED, 0);
        return;
    }
    reload_respond(node, &request->reply, answer, (struct reload_slice){ 0 });
    if (a->transaction) { /* s6.5.1.2: the own, incomplete Attach is not repeated any more */
        reload_transaction_cancel(node, a->transaction);
        a->transaction = NULL;
    }
    if (plan.count == 0)
        reload_attach_enter(node, a, RELOAD_ATTACH_EXPECTING);
    else if (a->state != RELOAD_ATTACH_DIALLING)
        reload_attach_dial(node, a, &plan);
}

/* The requester may wait for a link although there is one: it is the TLS server now (s6.5.1.13),
 * and a link that it dialled itself does not satisfy it. When the dial fails, the old link stays.
 */
static void dial_back(struct reload_node *node, const struct reload_node_id *id,
                      struct reload_slice candidates)
{
    struct reload_dial_plan plan;
    if (reload_connection_to(node, id)->attached || reload_attach_find(node, id) ||
        reload_candidates_read(node, candidates, &plan) != 0 || plan.count == 0)
        return;
    struct reload_attach_record *a = reload_attach_add(node, id);
    if (a)
        reload_attach_dial(node, a, &plan);
}

/* The request came over a link that is the signer's already. With ICE nothing is gathered for it:
 * the link that there is is what was asked for. */
static void accept_linked(struct reload_node *node, const struct reload_request *request,
                          const struct reload_attach *body, bool ice)
{
    struct reload_offer own = { 0 };
    struct reload_slice answer;
    if ((!ice && reload_candidates_own(node, &own) != 0) ||
        reload_attach_write(node, "active", false, &own, &answer) != 0) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_FORBIDDEN, "out of memory");
        return;
    }
    reload_respond(node, &request->reply, answer, (struct reload_slice){ 0 });
    if (body->send_update)
        node->ops->update_wanted(node->topology, &request->signer_id, node->now);
    if (!ice)
        dial_back(node, &request->signer_id, body->candidates);
}

static bool well_formed(const struct reload_request *request, struct reload_attach *body)
{
    return reload_attach_decode(request->message.body, body) == 0 &&
           reload_slice_equal(body->role, reload_slice_of("passive", 7));
}

static void refuse(struct reload_node *node, const struct reload_request *request,
                   uint16_t error_code, const char *why)
{
    reload_drop(node, RELOAD_DROP_BODY, request->from, why);
    reload_respond_error_text(node, &request->reply, error_code, why);
}

/* Whether the link that the request came over will do. With ICE: one that an Attach made, or the
 * far end asks for no other by offering nothing. Without: a second one is dialled in passing. */
static bool link_will_do(const struct reload_request *request, const struct reload_attach *body,
                         bool ice)
{
    return is_direct(request) && (!ice || request->from->attached || body->candidates.n == 0);
}

/* The record of the Attach to that node. One that began when the overlay was of the other kind
 * (s6.5.1.5) is over. NULL: no room. */
static struct reload_attach_record *record_for(struct reload_node *node,
                                               const struct reload_node_id *id, bool ice)
{
    struct reload_attach_record *a = reload_attach_find(node, id);
    if (a && a->ice != ice) {
        reload_attach_end(node, a, RELOAD_E_CLOSED, 0);
        a = NULL;
    }
    if (!a) {
        a = reload_attach_add(node, id);
        if (a)
            reload_attach_enter(node, a, RELOAD_ATTACH_DEFERRED);
    }
    return a;
}

/* s6.5.1.2 */
static void process(struct reload_node *node, const struct reload_request *request,
                    const struct reload_attach *body, const struct reload_offer *offer, bool ice)
{
    struct reload_attach_record *a = record_for(node, &request->signer_id, ice);
    if (!a) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_FORBIDDEN,
                                  "too many Attaches under way");
        return;
    }
    if (goes_on(node, a)) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_IN_PROGRESS,
                                  "an Attach to you is under way");
        return;
    }
    a->owe_update = a->owe_update || body->send_update;
    if (ice)
        reload_attach_prepare_answer(node, a, &request->reply, offer);
    else
        accept(node, request, body, a);
}

void reload_attach_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_attach body;
    const char *why = "malformed Attach";
    bool ice = reload_uses_ice(node);
    if (!well_formed(request, &body)) {
        refuse(node, request, RELOAD_ERROR_INVALID_MESSAGE, why);
        return;
    }
    if (reload_node_id_equal(&request->signer_id, &node->self)) {
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_NOT_FOUND,
                                  "that is this node itself");
        return;
    }
    settle_node_id(node, request);
    const struct reload_offer offer = { body.ufrag, body.password, body.candidates };
    bool no_other = link_will_do(request, &body, ice);
    uint16_t code = no_other && body.candidates.n == 0 ? 0 : reload_offer_check(&offer, ice, &why);
    if (code != 0)
        refuse(node, request, code, why);
    else if (no_other)
        accept_linked(node, request, &body, ice);
    else
        process(node, request, &body, &offer, ice);
}
