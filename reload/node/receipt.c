#include "reload/node/state.h"

/* What happens to each message that a link brings (RFC 6940 s6.1): is it ours to process, and then
 * is it for us or for somebody else. Nothing behind the forwarding header is looked at here but the
 * message code; no signature is checked before a message has arrived at its destination. */

#define OVERLAY_AT  4
#define VERSION_AT  10
#define FRAGMENT_AT 12

static uint32_t u32_at(struct reload_slice bytes, size_t at)
{
    const uint8_t *p = bytes.p + at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint16_t reload_payload_code(const struct reload_forwarding_header *header,
                             struct reload_slice payload)
{
    if (reload_fragment_offset(header) != 0)
        return 0;
    struct reload_reader r = reload_reader_over(payload);
    return reload_rd_u16(&r);
}

/* The reason why a header did not decode, for the counters. */
static enum reload_drop_reason malformed(const struct reload_node *node, struct reload_slice bytes)
{
    if (bytes.n < RELOAD_HEADER_FIXED)
        return RELOAD_DROP_MALFORMED;
    if (u32_at(bytes, 0) != RELOAD_TOKEN)
        return RELOAD_DROP_TOKEN;
    if (u32_at(bytes, OVERLAY_AT) != node->overlay->overlay)
        return RELOAD_DROP_OVERLAY;
    if (bytes.p[VERSION_AT] != RELOAD_VERSION)
        return RELOAD_DROP_VERSION;
    if (!(u32_at(bytes, FRAGMENT_AT) & RELOAD_FRAGMENT_ALWAYS))
        return RELOAD_DROP_FRAGMENT;
    return RELOAD_DROP_MALFORMED;
}

static bool refuse(struct reload_node *node, struct reload_slot *slot,
                   const struct reload_forwarding_header *h, struct reload_slice payload,
                   enum reload_drop_reason reason, uint16_t error_code)
{
    reload_drop(node, reason, slot, NULL);
    reload_refuse(node, slot, h, payload, error_code, reload_drop_text(reason));
    return false;
}

/* s6.1: the fields that make a message one this node can process. */
static bool acceptable(struct reload_node *node, struct reload_slot *slot,
                       const struct reload_forwarding_header *h, struct reload_slice payload)
{
    if (h->overlay != node->overlay->overlay) { /* s6.3.2: another overlay's; nothing to say */
        reload_drop(node, RELOAD_DROP_OVERLAY, slot, NULL);
        return false;
    }
    if (h->version != RELOAD_VERSION) /* s6.3.2 */
        return refuse(node, slot, h, payload, RELOAD_DROP_VERSION,
                      RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    if (h->ttl > node->overlay->initial_ttl) /* s6.3.2 */
        return refuse(node, slot, h, payload, RELOAD_DROP_TTL_ABOVE, RELOAD_ERROR_TTL_EXCEEDED);
    return true;
}

/* s6.3.2.2 and s13.6.5. A response may pass a node twice when its request did, and nobody is told
 * what is wrong with it. */
static bool lists_hold(struct reload_node *node, struct reload_slot *slot,
                       const struct reload_forwarding_header *h, struct reload_slice payload)
{
    size_t id_len = reload_node_id_length(node);
    if (reload_via_list_validate(h->via_list, id_len) != 0)
        return refuse(node, slot, h, payload, RELOAD_DROP_VIA, RELOAD_ERROR_INVALID_MESSAGE);
    if (h->destination_list.n == 0)
        return refuse(node, slot, h, payload, RELOAD_DROP_DESTINATION,
                      RELOAD_ERROR_INVALID_MESSAGE);
    if (reload_message_is_response(reload_payload_code(h, payload)))
        return true;
    int e = reload_destination_list_validate(h->destination_list, id_len);
    if (e == 0)
        return true;
    struct reload_route route;
    if (reload_route_find(node, h->destination_list, false, &route) == RELOAD_ROUTE_DROP &&
        route.reason == RELOAD_DROP_RESOURCE_NOT_LAST) { /* s6.1.1: silently */
        reload_drop(node, route.reason, slot, NULL);
        return false;
    }
    return refuse(node, slot, h, payload, RELOAD_DROP_DESTINATION, RELOAD_ERROR_INVALID_MESSAGE);
}

/* s6.1.2: a node whose certificate names several Node-IDs must Attach before it may send more than
 * Ping and Attach. A fragment says what it is of at offset 0 only; without that one the others are
 * nothing. The far end of a link that this node dialled may have to bring it a newer configuration
 * (s6.3.2.1) before either can Attach. */
static bool may_send(struct reload_node *node, struct reload_slot *slot,
                     const struct reload_forwarding_header *h, struct reload_slice payload)
{
    uint16_t code = reload_payload_code(h, payload);
    bool known = slot->node_id.len || slot->node_id_count == 1;
    if (known || code == RELOAD_PING_REQ || code == RELOAD_ATTACH_REQ ||
        (code == RELOAD_CONFIG_UPDATE_REQ && !slot->inbound) || reload_message_is_response(code) ||
        reload_fragment_offset(h) != 0)
        return true;
    return refuse(node, slot, h, payload, RELOAD_DROP_UNBOUND, RELOAD_ERROR_FORBIDDEN);
}

static void receive_here(struct reload_node *node, struct reload_slot *slot,
                         struct reload_slice bytes, const struct reload_forwarding_header *h)
{
    if (reload_fragment_is_whole(h)) {
        reload_deliver(node, slot, h, reload_payload(bytes, h));
        return;
    }
    struct reload_forwarding_header whole;
    struct reload_slice payload;
    if (reload_reassembly_add(node, slot, bytes, h, &whole, &payload))
        reload_deliver(node, slot, &whole, payload);
}

static void route(struct reload_node *node, struct reload_slot *slot, struct reload_slice bytes,
                  const struct reload_forwarding_header *h, bool may_wait)
{
    struct reload_route route;
    struct reload_slice payload = reload_payload(bytes, h);
    uint16_t code = reload_payload_code(h, payload);
    bool response = reload_message_is_response(code);
    may_wait = may_wait && reload_request_is_repeatable(code);
    enum reload_route_outcome outcome =
        reload_route_find(node, h->destination_list, response, &route);
    if (may_wait && route.undecided && reload_wait(node, slot, route.first.id, bytes))
        return;
    switch (outcome) {
    case RELOAD_ROUTE_HERE: receive_here(node, slot, bytes, h); return;
    case RELOAD_ROUTE_NEXT: reload_forward(node, slot, &route, h, bytes, may_wait); return;
    case RELOAD_ROUTE_DROP: break;
    }
    reload_drop(node, route.reason, slot, NULL);
    if (route.error)
        reload_refuse(node, slot, h, payload, route.error, reload_drop_text(route.reason));
}

void reload_receipt(struct reload_node *node, struct reload_slot *slot, struct reload_slice bytes)
{
    struct reload_forwarding_header h;
    if (bytes.n > node->overlay->max_message_size) {
        reload_drop(node, RELOAD_DROP_TOO_LARGE, slot, NULL);
        return;
    }
    if (reload_forwarding_header_decode(bytes, reload_node_id_length(node), &h) != 0) {
        reload_drop(node, malformed(node, bytes), slot, NULL);
        return;
    }
    struct reload_slice payload = reload_payload(bytes, &h);
    if (!acceptable(node, slot, &h, payload) || !lists_hold(node, slot, &h, payload) ||
        !may_send(node, slot, &h, payload))
        return;
    reload_log_message(node, "receives", h.transaction_id, payload, reload_fragment_offset(&h) == 0,
                       slot);
    route(node, slot, bytes, &h, true);
}

void reload_receipt_go_on(struct reload_node *node, struct reload_slot *slot,
                          struct reload_slice bytes)
{
    struct reload_forwarding_header h;
    if (reload_forwarding_header_decode(bytes, reload_node_id_length(node), &h) == 0)
        route(node, slot, bytes, &h, false);
}

/* s6.6: a message above max-message-size. Its header, when all of it is here, says who to tell. */
void reload_receipt_oversize(struct reload_node *node, struct reload_slot *slot,
                             struct reload_slice start)
{
    reload_drop(node, RELOAD_DROP_TOO_LARGE, slot, NULL);
    uint8_t *copy = reload_arena_copy(&node->queue.arena, start.p, start.n);
    struct reload_forwarding_header h;
    if (copy && start.n >= RELOAD_HEADER_FIXED) {
        struct reload_writer w = reload_writer_of(copy + RELOAD_HEADER_LENGTH_AT, 4);
        reload_wr_u32(&w, (uint32_t)start.n);
        struct reload_slice part = { copy, start.n };
        if (reload_forwarding_header_decode(part, reload_node_id_length(node), &h) == 0 &&
            h.overlay == node->overlay->overlay && h.version == RELOAD_VERSION)
            reload_refuse(node, slot, &h, reload_payload(part, &h), RELOAD_ERROR_MESSAGE_TOO_LARGE,
                          "message above max-message-size");
    }
    reload_connection_close(node, slot, "message above max-message-size");
}
