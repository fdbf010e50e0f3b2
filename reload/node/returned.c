#include "reload/node/state.h"

/* What a link that failed never delivered. A request of this node takes another way at once: the
 * link knows that it was lost (RFC 6940 s6.6.3), so the timer of s6.2.1 need not find out. One of
 * another node is its requester's to repeat (s6.2.1, A.5), and answers are never re-routed. */

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
    if (!own)
        return;
    node->counters.returned++;
    reload_transaction_returned(node, own); /* the whole of it, when this is its first fragment */
}
