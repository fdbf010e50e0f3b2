#include "reload/node/app_attach_record.h"

#include "reload/alloc.h"

/* The own AppAttach (RFC 6940 s6.5.2): agrees on a channel of an application. The channel itself is
 * the host's. */

static void tell(struct reload_node *node, const struct reload_app_attach_record *a,
                 const struct reload_answer *answer)
{
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_REQUEST_DONE);
    if (action)
        action->result = (struct reload_result){ .request = a->request,
                                                 .code = RELOAD_APP_ATTACH_REQ,
                                                 .error = answer->error,
                                                 .error_code = answer->error_code,
                                                 .body = answer->body,
                                                 .signer = answer->signer };
}

void reload_app_attach_fail(struct reload_node *node, struct reload_app_attach_record *a, int error)
{
    const struct reload_answer answer = { .error = error };
    tell(node, a, &answer);
    reload_app_attach_end(node, a);
}

void reload_app_attach_ask(struct reload_node *node, struct reload_app_attach_record *a,
                           const struct reload_offer *own)
{
    struct reload_outgoing outgoing = {
        .code = RELOAD_APP_ATTACH_REQ,
        .destination_list = reload_slice_of(a->destination_list, a->destination_len),
        .owner = RELOAD_OWNER_APP_ATTACH,
        .owner_object = a,
    };
    int e = reload_app_attach_write(node, "passive", a->application, own, &outgoing.body);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, &a->transaction);
    if (e != 0) {
        reload_app_attach_fail(node, a, e);
        return;
    }
    reload_free(a->destination_list);
    a->destination_list = NULL;
    a->listens = own->candidates.n != 0;
    reload_app_attach_enter(node, a, RELOAD_APP_ATTACH_REQUESTED);
}

/* s6.5.2.2: the answer, as an error of this call when it is not one. */
static int take_answer(struct reload_node *node, struct reload_app_attach_record *a,
                       const struct reload_answer *answer)
{
    struct reload_app_attach body;
    const char *why = "AppAttachAns";
    if (reload_app_attach_decode(answer->body, &body) != 0 || body.application != a->application ||
        !reload_slice_equal(body.role, reload_slice_of("active", 6))) {
        reload_drop(node, RELOAD_DROP_BODY, NULL, why);
        return RELOAD_E_DECODE;
    }
    const struct reload_offer offer = { body.ufrag, body.password, body.candidates };
    uint16_t code = reload_offer_check(&offer, a->ice, &why);
    if (code != 0) {
        reload_drop(node, RELOAD_DROP_BODY, NULL, why);
        return code == RELOAD_ERROR_INVALID_MESSAGE ? RELOAD_E_DECODE : RELOAD_E_UNSUPPORTED;
    }
    return reload_app_attach_hand_over(node, a, &answer->signer, &offer, a->ice || a->listens);
}

void reload_app_attach_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_app_attach_record *a = answer->transaction->owner_object;
    a->transaction = NULL;
    if (answer->error == 0)
        answer->error = take_answer(node, a, answer);
    if (answer->error != 0)
        tell(node, a, answer);
    reload_app_attach_end(node, a);
}

static int begin(struct reload_node *node, const struct reload_target *target, uint16_t application,
                 uint64_t request)
{
    struct reload_slice list;
    int e = reload_target_list(node, target, &list);
    struct reload_app_attach_record *a = e == 0 ? reload_app_attach_add(node, application) : NULL;
    if (!a)
        return e == 0 ? RELOAD_E_LIMIT : e;
    a->request = request;
    a->destination_list = reload_memdup(list.p, list.n);
    a->destination_len = list.n;
    a->number = a->destination_list ? reload_gather(node, true, a->ice, &application) : 0;
    if (a->number == 0) {
        reload_app_attach_end(node, a);
        return RELOAD_E_NOMEM;
    }
    reload_app_attach_enter(node, a, RELOAD_APP_ATTACH_GATHERING);
    return 0;
}

int reload_node_app_attach(struct reload_node *node, const struct reload_target *target,
                           uint16_t application, struct reload_time now, uint64_t *request)
{
    int e = reload_application_begin(node, target, now, request);
    if (e == 0)
        e = begin(node, target, application, *request);
    reload_node_settle(node);
    return e;
}
