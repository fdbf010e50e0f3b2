#include "reload/node/state.h"

/* Answers (RFC 6940 s6.2.2, s6.3.3.1): back along the way the request came, under its
 * transaction_id. */

#define SECURITY_ROOM                                                                              \
    1024 /* SignerIdentity, signature and lengths; certificates are counted apart */

static bool ends_with_node(const struct reload_node *node, struct reload_slice via_list,
                           const struct reload_node_id *id)
{
    struct reload_reader r = reload_reader_over(via_list);
    struct reload_destination last = { 0 };
    while (reload_destination_next(&r, reload_node_id_length(node), &last))
        ;
    return reload_destination_is_node(&last, id);
}

/* Notes A6: the previous hop, then the Via List from its end. The far end of an unbound link gets
 * the wildcard: what comes over its only link is its own. */
static int write_way_back(struct reload_node *node, struct reload_slice via_list,
                          const struct reload_node_id *previous_hop, struct reload_slice *out)
{
    struct reload_writer w =
        reload_arena_writer(&node->queue.arena, via_list.n + 2 + RELOAD_NODE_ID_MAX);
    bool named = previous_hop->len && ends_with_node(node, via_list, previous_hop);
    struct reload_destination d =
        reload_destination_node(previous_hop->len ? previous_hop : &node->wildcard);
    int e = named ? 0 : reload_destination_encode(&w, &d);
    if (e == 0)
        e = reload_via_list_reverse(&w, via_list, reload_node_id_length(node));
    *out = reload_writer_slice(&w);
    return e;
}

/* s6.3.2.3: what RESPONSE_COPY marks, with the three flags cleared. */
static int copy_options(struct reload_node *node, struct reload_slice options,
                        struct reload_slice *out)
{
    const uint8_t flags = RELOAD_OPTION_FORWARD_CRITICAL | RELOAD_OPTION_DESTINATION_CRITICAL |
                          RELOAD_OPTION_RESPONSE_COPY;
    struct reload_writer w = reload_arena_writer(&node->queue.arena, options.n);
    struct reload_reader r = reload_reader_over(options);
    struct reload_forwarding_option option;
    int e = reload_writer_status(&w);
    while (e == 0 && reload_forwarding_option_next(&r, &option)) {
        if (!(option.flags & RELOAD_OPTION_RESPONSE_COPY))
            continue;
        option.flags &= (uint8_t)~flags;
        e = reload_forwarding_option_encode(&w, &option);
    }
    *out = reload_writer_slice(&w);
    return e;
}

int reload_reply_init(struct reload_node *node, const struct reload_forwarding_header *header,
                      uint16_t code, const struct reload_slot *from, struct reload_reply *reply)
{
    *reply = (struct reload_reply){
        .transaction_id = header->transaction_id,
        .code = code,
        .link = from->link,
        .previous_hop = from->node_id,
        .max_response_length = header->max_response_length,
    };
    int e = write_way_back(node, header->via_list, &from->node_id, &reply->destination_list);
    return e == 0 && header->options.n ? copy_options(node, header->options, &reply->options) : e;
}

static void send_payload(struct reload_node *node, const struct reload_reply *reply,
                         struct reload_slice payload)
{
    struct reload_slot *slot = reload_connection_of_link(node, reply->link);
    if (!slot && reply->previous_hop.len)
        slot = reload_connection_to(node, &reply->previous_hop);
    if (!slot) { /* s6.1.2: the way back is gone, and no other is tried */
        reload_drop(node, RELOAD_DROP_RETURN_GONE, NULL, NULL);
        return;
    }
    struct reload_forwarding_header h = {
        .overlay = node->overlay->overlay,
        .configuration_sequence = node->overlay->sequence,
        .version = RELOAD_VERSION,
        .ttl = node->overlay->initial_ttl,
        .fragment = RELOAD_FRAGMENT_WHOLE,
        .transaction_id = reply->transaction_id,
        .destination_list = reply->destination_list,
        .options = reply->options,
    };
    if (reload_send(node, slot, &h, payload) != 0)
        reload_drop(node, RELOAD_DROP_MEMORY, slot, "answer");
}

static struct reload_slice build(struct reload_node *node, const struct reload_reply *reply,
                                 uint16_t code, struct reload_slice body,
                                 struct reload_slice certificates)
{
    struct reload_writer w = reload_arena_writer(
        &node->queue.arena,
        body.n + certificates.n + node->crypto->own->certificates.n + SECURITY_ROOM);
    size_t mark = reload_message_contents_begin(&w, code);
    reload_wr_bytes(&w, body);
    reload_message_contents_end(&w, mark, (struct reload_slice){ 0 });
    int e = reload_message_sign(node->crypto, node->overlay->overlay, reply->transaction_id,
                                reload_writer_slice(&w), certificates, &w);
    reload_arena_trim(&node->queue.arena, &w);
    return e == 0 ? reload_writer_slice(&w) : (struct reload_slice){ 0 };
}

static bool too_large(const struct reload_node *node, const struct reload_reply *reply,
                      size_t payload_len)
{
    size_t len = RELOAD_HEADER_FIXED + reply->destination_list.n + reply->options.n + payload_len;
    return len > node->overlay->max_message_size ||
           (reply->max_response_length && len > reply->max_response_length);
}

static void finish(struct reload_node *node, const struct reload_reply *reply,
                   struct reload_slice payload)
{
    if (payload.n == 0) {
        reload_drop(node, RELOAD_DROP_MEMORY, NULL, "answer");
        reload_answered_forget(node, reply);
        return;
    }
    reload_answered_end(node, reply, payload);
    send_payload(node, reply, payload);
}

void reload_respond(struct reload_node *node, const struct reload_reply *reply,
                    struct reload_slice body, struct reload_slice certificates)
{
    node->counters.answered++;
    if (reply->local) {
        reload_response_local(node, reply->transaction_id, 0, body, certificates);
        return;
    }
    struct reload_slice payload =
        build(node, reply, reload_message_answer(reply->code), body, certificates);
    if (payload.n && too_large(node, reply, payload.n)) {
        /* s6.3.2: the whole response is measured; the code is that of s14.9 (docs/protocol.md). */
        reload_respond_error_text(node, reply, RELOAD_ERROR_RESPONSE_TOO_LARGE,
                                  "the answer would be too large");
        return;
    }
    finish(node, reply, payload);
}

void reload_respond_error(struct reload_node *node, const struct reload_reply *reply,
                          uint16_t error_code, struct reload_slice error_info)
{
    node->counters.errors_sent++;
    if (reply->local) {
        reload_response_local(node, reply->transaction_id, error_code, error_info,
                              (struct reload_slice){ 0 });
        return;
    }
    const struct reload_error_response response = { error_code, error_info };
    struct reload_writer w = reload_arena_writer(&node->queue.arena, 4 + error_info.n);
    if (reload_error_response_encode(&w, &response) != 0) {
        reload_answered_forget(node, reply);
        return;
    }
    finish(node, reply,
           build(node, reply, RELOAD_ERROR, reload_writer_slice(&w), (struct reload_slice){ 0 }));
}

void reload_respond_error_text(struct reload_node *node, const struct reload_reply *reply,
                               uint16_t error_code, const char *text)
{
    reload_respond_error(node, reply, error_code, reload_slice_of(text, strlen(text)));
}

void reload_respond_again(struct reload_node *node, const struct reload_reply *reply,
                          struct reload_slice payload)
{
    node->counters.duplicates_answered++;
    send_payload(node, reply, payload);
}

/* A bucket of refusals, filled at a steady rate. */
static bool may_refuse(struct reload_node *node)
{
    uint64_t now = node->now.monotonic_ms;
    uint64_t earned = (now - node->refusals_at_ms) * RELOAD_REFUSALS_PER_S / 1000;
    if (earned) {
        uint64_t sum = node->refusals + earned;
        node->refusals = sum > RELOAD_REFUSALS_BURST ? RELOAD_REFUSALS_BURST : (uint32_t)sum;
        node->refusals_at_ms = now;
    }
    if (node->refusals == 0)
        return false;
    node->refusals--;
    return true;
}

void reload_refuse(struct reload_node *node, struct reload_slot *slot,
                   const struct reload_forwarding_header *header, struct reload_slice payload,
                   uint16_t error_code, const char *text)
{
    uint16_t code = reload_payload_code(header, payload);
    struct reload_reply reply;
    if (!reload_message_is_request(code) || !may_refuse(node) ||
        reload_reply_init(node, header, code, slot, &reply) != 0)
        return;
    reload_respond_error_text(node, &reply, error_code, text);
}
