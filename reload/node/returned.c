#include "reload/node/state.h"

/* What a link that failed never delivered. A request takes another way at once: that is the
 * reliability of one hop (RFC 6940 s6.6.3), not an end-to-end repetition (s6.2.1), which would come
 * a timer later and from the originator alone. Answers are never re-routed. */

static void forward_again(struct reload_node *node, struct reload_forwarding_header *h,
                          struct reload_slice payload)
{
    struct reload_route route;
    if (reload_route_find(node, h->destination_list, false, &route) != RELOAD_ROUTE_NEXT) {
        reload_drop(node, RELOAD_DROP_NO_ROUTE, NULL, "the link it was sent over has failed");
        return;
    }
    h->destination_list = route.list;
    if (reload_send(node, route.next, h, payload) != 0) /* s6.3.2: its ttl has been lowered */
        reload_drop(node, RELOAD_DROP_MEMORY, route.next, "sent again");
}

void reload_returned(struct reload_node *node, struct reload_slice message)
{
    struct reload_forwarding_header h;
    if (reload_forwarding_header_decode(message, reload_node_id_length(node), &h) != 0)
        return;
    struct reload_slice payload = reload_payload(message, &h);
    if (reload_fragment_offset(&h) != 0 ||
        reload_message_is_response(reload_payload_code(&h, payload)))
        return;
    struct reload_transaction *own = reload_transaction_find(node, h.transaction_id);
    node->counters.returned++;
    if (own) /* the whole of it, when this is but its first fragment */
        reload_transaction_returned(node, own);
    else if (h.via_list.n && reload_fragment_is_last(&h)) /* else an own one that has ended */
        forward_again(node, &h, payload);
}
