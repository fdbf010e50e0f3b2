#include "reload/node/state.h"

/* Nothing came over a link for a while. A Ping (RFC 6940 s6.5.3) to whoever is at its other end
 * must be acknowledged there, so that the link itself finds out when its path is dead (s6.6.3.1,
 * s6.6.6: no STUN keepalives tell). What is answered does not matter, as long as one Ping at a time
 * is under way. */

void reload_keepalive(struct reload_node *node, reload_link_id link)
{
    static const uint8_t no_padding[2];
    struct reload_slot *slot = reload_connection_of_link(node, link);
    if (!slot || !slot->node_id.len || slot->pinged)
        return;
    struct reload_outgoing outgoing = {
        .code = RELOAD_PING_REQ,
        .body = reload_slice_of(no_padding, sizeof no_padding),
        .link = link,
        .owner = RELOAD_OWNER_KEEPALIVE,
    };
    /* Without memory for it the link asks again. */
    slot->pinged = reload_destination_list(node, NULL, false, reload_node_id_slice(&slot->node_id),
                                           &outgoing.destination_list) == 0 &&
                   reload_transaction_start(node, &outgoing, NULL) == 0;
}

void reload_keepalive_answered(struct reload_node *node, const struct reload_answer *answer)
{
    struct reload_slot *slot = reload_connection_of_link(node, answer->transaction->link);
    if (slot)
        slot->pinged = false;
}
