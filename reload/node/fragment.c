#include "reload/node/state.h"

/* Sending over a link, and fragmentation (RFC 6940 s6.7-F4). */

#define MIN_BODY  256 /* s6.7: bytes of message in each fragment but the last */
#define ALLOWANCE 32  /* s6.7: left for the Via List to grow before the next fragmentation */

static int send_piece(struct reload_node *node, struct reload_slot *slot,
                      struct reload_forwarding_header *header, struct reload_slice piece)
{
    size_t header_len = reload_forwarding_header_len(header);
    header->length = (uint32_t)(header_len + piece.n); /* s6.7: this fragment's own size */
    struct reload_writer w = reload_arena_writer(&node->queue.arena, header_len);
    if (reload_forwarding_header_encode(&w, header) != 0)
        return w.buf ? RELOAD_E_NOSPACE : RELOAD_E_NOMEM;
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_SEND);
    if (!action)
        return RELOAD_E_NOMEM;
    action->send.link = slot->link;
    action->send.parts[0] = reload_writer_slice(&w);
    action->send.parts[1] = piece;
    action->send.part_count = 2;
    slot->sent++;
    node->counters.sent++;
    node->counters.sent_bytes += header->length;
    return 0;
}

/* Bytes of payload in each fragment, or 0 when the message goes whole: it fits, or the pieces would
 * be smaller than s6.7 allows and IP has to fragment. */
static size_t piece_size(const struct reload_slot *slot, size_t header_len, size_t payload_len)
{
    if (slot->mtu == 0 || header_len + payload_len <= slot->mtu)
        return 0;
    if (slot->mtu < header_len + ALLOWANCE + MIN_BODY)
        return 0;
    size_t most = slot->mtu - ALLOWANCE - header_len;
    size_t count = (payload_len + most - 1) / most;
    size_t size = (payload_len + count - 1) / count; /* s6.7: of equal size */
    return size < MIN_BODY ? MIN_BODY : size;        /* the last may be shorter */
}

int reload_send(struct reload_node *node, struct reload_slot *slot,
                struct reload_forwarding_header *header, struct reload_slice payload)
{
    size_t header_len = reload_forwarding_header_len(header);
    if (header_len + payload.n > node->overlay->max_message_size)
        return RELOAD_E_NOSPACE;
    reload_log_message(node, "sends", header->transaction_id, payload,
                       reload_fragment_offset(header) == 0, slot);
    size_t size = piece_size(slot, header_len, payload.n);
    if (size == 0)
        return send_piece(node, slot, header, payload);
    /* A fragment that is fragmented again keeps its place in the message, and its last bit on the
     * last piece only (docs/protocol.md). */
    uint32_t offset = reload_fragment_offset(header);
    bool last = reload_fragment_is_last(header);
    for (size_t at = 0; at < payload.n; at += size) {
        size_t left = payload.n - at;
        struct reload_slice piece = { payload.p + at, left < size ? left : size };
        bool final = last && left <= size;
        header->fragment = RELOAD_FRAGMENT_ALWAYS | (final ? RELOAD_FRAGMENT_LAST : 0) |
                           ((offset + (uint32_t)at) & RELOAD_FRAGMENT_OFFSET);
        int e = send_piece(node, slot, header, piece);
        if (e != 0)
            return e;
    }
    return 0;
}

void reload_send_again(struct reload_node *node, struct reload_slot *slot,
                       struct reload_slice message)
{
    struct reload_forwarding_header h;
    if (reload_forwarding_header_decode(message, reload_node_id_length(node), &h) == 0 &&
        reload_send(node, slot, &h, reload_payload(message, &h)) != 0)
        reload_drop(node, RELOAD_DROP_MEMORY, slot, NULL);
}
