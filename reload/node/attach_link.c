#include "reload/node/attach_record.h"

/* From an Attach to its link (RFC 6940 s6.5.1.10 ICE, s6.5.1.11 No-ICE, s6.5.1.13): opening it, and
 * finding the Attach that a link which came up belongs to. */

void reload_attach_dial(struct reload_node *node, struct reload_attach_record *a,
                        const struct reload_dial_plan *plan)
{
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_OPEN_LINK);
    if (!action) {
        reload_attach_end(node, a, RELOAD_E_NOMEM, 0);
        return;
    }
    a->number = reload_attach_number(node);
    action->open_link = (struct reload_action_open_link){
        .attach = a->number,
        .node_id = a->remote,
        .link_type = (uint8_t)plan->type,
        .addresses = plan->addresses,
        .address_count = plan->count,
        .tls_server = false,
    };
    reload_attach_enter(node, a, RELOAD_ATTACH_DIALLING);
}

void reload_attach_open(struct reload_node *node, struct reload_attach_record *a,
                        const struct reload_offer *offer, enum reload_attach_state state)
{
    struct reload_offer far;
    struct reload_action *action = reload_offer_copy(node, offer, &far) == 0
                                       ? reload_queue_push(&node->queue, RELOAD_ACTION_OPEN_LINK)
                                       : NULL;
    if (!action) {
        reload_attach_end(node, a, RELOAD_E_NOMEM, 0);
        return;
    }
    action->open_link = (struct reload_action_open_link){
        .attach = a->number,
        .node_id = a->remote,
        .link_type = RELOAD_LINK_DTLS_UDP_SR,
        .tls_server = state == RELOAD_ATTACH_EXPECTING, /* s6.5.1.13 */
        .ufrag = far.ufrag,
        .password = far.password,
        .candidates = far.candidates,
    };
    reload_attach_enter(node, a, state);
}

/* The Attach whose link this is: by its number, else by what the certificate proves. A link by ICE
 * always has its number. */
static struct reload_attach_record *record_of(const struct reload_node *node,
                                              const struct reload_slot *slot, uint32_t number)
{
    if (number)
        return reload_attach_numbered(node, number);
    struct reload_attach_record *a = node->attaches.first;
    while (a && (a->ice || !a->remote.len || !reload_slot_proves(slot, &a->remote)))
        a = a->next;
    return a;
}

int reload_attach_link_up(struct reload_node *node, struct reload_slot *slot, uint32_t number,
                          struct reload_node_id *bound)
{
    struct reload_attach_record *a = record_of(node, slot, number);
    slot->attached = number || a;
    if (!a)
        return 0; /* none, or it came too late: a link like any other */
    if (number)
        a->number = 0;                           /* the host's part is done */
    if (!reload_slot_proves(slot, &a->remote)) { /* s6.5.1.11 */
        reload_attach_end(node, a, RELOAD_E_CERTIFICATE, 0);
        return RELOAD_E_FORBIDDEN;
    }
    *bound = a->remote;
    return 0;
}

void reload_attach_bound(struct reload_node *node, const struct reload_node_id *id)
{
    struct reload_attach_record *a;
    while ((a = reload_attach_find(node, id)))
        reload_attach_end(node, a, 0, 0);
}

bool reload_attach_open_failed(struct reload_node *node, uint32_t number)
{
    struct reload_attach_record *a = reload_attach_numbered(node, number);
    if (!a)
        return false;
    a->number = 0; /* the host has nothing of it any more */
    reload_attach_end(node, a, RELOAD_E_IO, 0);
    return true;
}
