#include "reload/node/state.h"

/* Forwarding (RFC 6940 s6.1.2): only the forwarding header changes, and the payload goes on as the
 * bytes that came. Nothing is allocated. */

static const struct reload_option_ops *find_option(const struct reload_node *node, uint8_t type)
{
    for (size_t i = 0; i < node->config.option_count; i++)
        if (node->config.options[i]->type == type)
            return node->config.options[i];
    return NULL;
}

uint16_t reload_options_check(const struct reload_node *node,
                              const struct reload_forwarding_header *h, bool destined)
{
    uint8_t critical =
        destined ? RELOAD_OPTION_DESTINATION_CRITICAL : RELOAD_OPTION_FORWARD_CRITICAL;
    struct reload_reader r = reload_reader_over(h->options);
    struct reload_forwarding_option option;
    while (reload_forwarding_option_next(&r, &option)) {
        const struct reload_option_ops *known = find_option(node, option.type);
        uint16_t error = 0;
        if (!known && (option.flags & critical))
            error = RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION; /* s6.3.2.3 */
        else if (known && known->receive)
            error = known->receive(known->context, h, &option, destined);
        if (error)
            return error;
    }
    return 0;
}

/* The previous hop as a Via entry: its Node-ID, or the slot of its link while that is not settled.
 */
static int write_previous_hop(const struct reload_node *node, const struct reload_slot *from,
                              struct reload_writer *w)
{
    if (!from->node_id.len) {
        reload_wr_u16(w, reload_opaque_of_slot(node, from));
        return reload_writer_status(w);
    }
    struct reload_destination d = reload_destination_node(&from->node_id);
    return reload_destination_encode(w, &d);
}

/* The Via List with the previous hop at its end. */
static int extend_via(struct reload_node *node, const struct reload_slot *from,
                      struct reload_slice via_list, struct reload_slice *out)
{
    struct reload_writer w =
        reload_arena_writer(&node->queue.arena, via_list.n + 2 + RELOAD_NODE_ID_MAX);
    reload_wr_bytes(&w, via_list);
    int e = write_previous_hop(node, from, &w);
    reload_arena_trim(&node->queue.arena, &w);
    *out = reload_writer_slice(&w);
    return e;
}

/* s6.1.2, "list compression": the whole list under one opaque id. */
static int compress_via(struct reload_node *node, struct reload_slice *via_list)
{
    uint8_t *id = reload_arena_alloc(&node->queue.arena, RELOAD_OPAQUE_LEN);
    if (!id || reload_opaque_keep(node, *via_list, id) != 0)
        return RELOAD_E_NOMEM;
    struct reload_destination d = reload_destination_opaque(reload_slice_of(id, RELOAD_OPAQUE_LEN));
    struct reload_writer w = reload_arena_writer(&node->queue.arena, 3 + RELOAD_OPAQUE_LEN);
    int e = reload_destination_encode(&w, &d);
    *via_list = reload_writer_slice(&w);
    return e;
}

static size_t entries(const struct reload_node *node, struct reload_slice list)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_destination d;
    size_t count = 0;
    while (reload_destination_next(&r, reload_node_id_length(node), &d))
        count++;
    return count;
}

/* A request must find its way back (s6.1.2). Fragments that do not tell what they are get the same
 * Via List as the first, since all carry it in full (s6.7). */
static int write_way_back(struct reload_node *node, const struct reload_slot *from,
                          struct reload_forwarding_header *h, size_t payload_len)
{
    int e = extend_via(node, from, h->via_list, &h->via_list);
    if (e != 0)
        return e;
    bool too_long = reload_forwarding_header_len(h) + payload_len > node->overlay->max_message_size;
    if (too_long || entries(node, h->via_list) > RELOAD_DESTINATION_LIST_MAX)
        return compress_via(node, &h->via_list);
    return 0;
}

/* Back to where it came from, or behind that? The first entry may say so; when it is the topology's
 * choice the nodes would hand it round until its TTL is spent. */
static bool turns_back(const struct reload_node *node, const struct reload_slot *from,
                       const struct reload_route *route)
{
    const struct reload_destination *first = &route->first;
    if (route->next == from)
        return !reload_destination_is_node(first, &from->node_id);
    return node->ops->retreats && from->node_id.len > 0 &&
           (first->type == RELOAD_DEST_RESOURCE || first->type == RELOAD_DEST_NODE) &&
           !reload_destination_is_node(first, &route->next->node_id) &&
           node->ops->retreats(node->topology, first->id, &from->node_id, &route->next->node_id);
}

static struct reload_slot *other_hop(struct reload_node *node, const struct reload_slot *from,
                                     const struct reload_route *route)
{
    struct reload_node_id next;
    if (!node->ops->other_hop ||
        !node->ops->other_hop(node->topology, route->first.id, &from->node_id, &next, node->now))
        return NULL;
    struct reload_slot *slot = reload_connection_to(node, &next);
    return slot == from ? NULL : slot;
}

static void refuse(struct reload_node *node, struct reload_slot *from,
                   const struct reload_forwarding_header *h, struct reload_slice payload,
                   enum reload_drop_reason reason, uint16_t error_code)
{
    reload_drop(node, reason, from, NULL);
    reload_refuse(node, from, h, payload, error_code, reload_drop_text(reason));
}

void reload_forward(struct reload_node *node, struct reload_slot *from,
                    const struct reload_route *route, const struct reload_forwarding_header *header,
                    struct reload_slice bytes, bool may_wait)
{
    struct reload_slice payload = reload_payload(bytes, header);
    bool response = reload_message_is_response(reload_payload_code(header, payload));
    if (node->config.role != RELOAD_ROLE_PEER) { /* s4.2: clients carry nothing for others */
        reload_drop(node, RELOAD_DROP_NO_ROUTE, from, "a client does not forward");
        return;
    }
    if (header->ttl == 0) { /* s6.3.2 */
        refuse(node, from, header, payload, RELOAD_DROP_TTL, RELOAD_ERROR_TTL_EXCEEDED);
        return;
    }
    uint16_t error = response ? 0 : reload_options_check(node, header, false);
    if (error) {
        refuse(node, from, header, payload, RELOAD_DROP_OPTION, error);
        return;
    }
    struct reload_slot *next = route->next;
    if (!response && turns_back(node, from, route)) {
        next = other_hop(node, from, route);
        if (may_wait && reload_undecided(node, route->first.id) &&
            reload_wait(node, from, route->first.id, bytes))
            return;
    }
    if (!next) {
        reload_drop(node, RELOAD_DROP_NO_ROUTE, from, "it would go back where it came from");
        return;
    }
    struct reload_forwarding_header h = *header;
    h.destination_list = route->list;
    h.ttl--; /* s6.3.2: just before transmission */
    int e = response ? 0 : write_way_back(node, from, &h, payload.n);
    if (e == 0)
        e = reload_send(node, next, &h, payload);
    if (e == RELOAD_E_NOSPACE) {
        refuse(node, from, header, payload, RELOAD_DROP_TOO_LARGE, RELOAD_ERROR_MESSAGE_TOO_LARGE);
        return;
    }
    if (e != 0) {
        reload_drop(node, RELOAD_DROP_MEMORY, from, NULL);
        return;
    }
    node->counters.forwarded++;
}
