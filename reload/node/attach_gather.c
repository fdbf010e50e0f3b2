#include "reload/node/attach_record.h"

#include "reload/alloc.h"

/* Candidates first, then words (RFC 6940 s6.5.1.5): what happens around the host's search for them,
 * on the side that asks and on the one that answers. */

int reload_attach_prepare(struct reload_node *node, struct reload_attach_record *a,
                          struct reload_slice destination_list)
{
    a->destination_list = reload_memdup(destination_list.p, destination_list.n);
    a->destination_len = destination_list.n;
    a->number = a->destination_list ? reload_gather(node, true, a->ice, NULL) : 0;
    if (a->number == 0)
        return RELOAD_E_NOMEM;
    reload_attach_enter(node, a, RELOAD_ATTACH_GATHERING);
    return 0;
}

static void begin_answer(struct reload_node *node, struct reload_attach_record *a)
{
    reload_attach_withdraw(node, a); /* s6.5.1.2: an own request is not repeated any more */
    a->number = reload_gather(node, false, a->ice, NULL);
    if (a->number)
        reload_attach_enter(node, a, RELOAD_ATTACH_ANSWERING);
    else
        reload_attach_end(node, a, RELOAD_E_NOMEM, 0);
}

void reload_attach_prepare_answer(struct reload_node *node, struct reload_attach_record *a,
                                  const struct reload_reply *reply,
                                  const struct reload_offer *offer)
{
    bool under_way = a->asked != NULL;
    struct reload_asked *asked = reload_asked_new(reply, offer);
    if (!asked) {
        reload_respond_error_text(node, reply, RELOAD_ERROR_FORBIDDEN, "out of memory");
        reload_attach_end(node, a, RELOAD_E_NOMEM, 0);
        return;
    }
    reload_free(a->asked); /* its sender gave that one up: copies of it stay without an answer */
    a->asked = asked;
    if (!under_way)
        begin_answer(node, a);
}

static void ask(struct reload_node *node, struct reload_attach_record *a,
                const struct reload_offer *own)
{
    uint8_t *list = a->destination_list;
    a->destination_list = NULL;
    int e = reload_attach_ask(node, a, reload_slice_of(list, a->destination_len), own);
    reload_free(list);
    if (e != 0)
        reload_attach_end(node, a, e, 0);
}

static void answer(struct reload_node *node, struct reload_attach_record *a,
                   const struct reload_offer *own)
{
    struct reload_asked *asked = a->asked;
    struct reload_slice body;
    if (reload_attach_write(node, "active", a->send_update, own, &body) != 0) {
        reload_attach_end(node, a, RELOAD_E_NOMEM, 0);
        return;
    }
    a->asked = NULL;
    a->answered = asked->reply.transaction_id;
    reload_respond(node, &asked->reply, body, (struct reload_slice){ 0 });
    if (reload_connection_to(node, &a->remote)) /* linked by other means: nothing to wait for */
        reload_attach_tell(node, a, 0, 0);
    reload_attach_open(node, a, &asked->offer, RELOAD_ATTACH_DIALLING);
    reload_free(asked);
}

static bool is_awaited(const struct reload_attach_record *a)
{
    return a->state == RELOAD_ATTACH_GATHERING || a->state == RELOAD_ATTACH_ANSWERING;
}

void reload_attach_gathered(struct reload_node *node, struct reload_attach_record *a,
                            const struct reload_offer *own)
{
    if (!is_awaited(a)) {
        reload_drop(node, RELOAD_DROP_STATE, NULL, "candidates that were not asked for");
    } else if (!reload_offer_is_own(own, true)) {
        reload_drop(node, RELOAD_DROP_BODY, NULL, "what was gathered");
        reload_attach_end(node, a, RELOAD_E_INVALID, 0);
    } else if (a->asked) {
        answer(node, a, own);
    } else {
        ask(node, a, own);
    }
}
