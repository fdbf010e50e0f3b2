#include "reload/node/state.h"

#include "reload/alloc.h"

/* The bytes of an own request: its Destination List, its header (RFC 6940 s6.3.2), contents and
 * signature. */

#define SECURITY_ROOM 1024

int reload_destination_list(struct reload_node *node, const struct reload_node_id *via,
                            bool to_resource, struct reload_slice id, struct reload_slice *out)
{
    struct reload_writer w =
        reload_arena_writer(&node->queue.arena, 2 + RELOAD_NODE_ID_MAX + 3 + id.n);
    struct reload_node_id node_id = reload_node_id_from(id);
    struct reload_destination last =
        to_resource ? reload_destination_resource(id) : reload_destination_node(&node_id);
    int e = 0;
    if (via && via->len) {
        struct reload_destination first = reload_destination_node(via);
        e = reload_destination_encode(&w, &first);
    }
    if (e == 0)
        e = reload_destination_encode(&w, &last);
    reload_arena_trim(&node->queue.arena, &w);
    *out = reload_writer_slice(&w);
    return e;
}

static int write_via_self(const struct reload_node *node, struct reload_writer *w)
{
    struct reload_destination self = reload_destination_node(&node->self);
    return node->config.via_self ? reload_destination_encode(w, &self) : 0;
}

static int write_message(const struct reload_node *node, const struct reload_transaction *t,
                         const struct reload_outgoing *outgoing, struct reload_writer *w)
{
    uint8_t via[2 + RELOAD_NODE_ID_MAX];
    struct reload_writer via_writer = reload_writer_of(via, sizeof via);
    int e = write_via_self(node, &via_writer);
    struct reload_forwarding_header h = {
        .overlay = node->overlay->overlay,
        .version = RELOAD_VERSION,
        .ttl = node->overlay->initial_ttl, /* s6.3.2; sent as it is (docs/protocol.md) */
        .fragment = RELOAD_FRAGMENT_WHOLE,
        .transaction_id = t->id,
        .via_list = reload_writer_slice(&via_writer), /* s6.3.2: starts out empty */
        .destination_list = outgoing->destination_list,
    };
    if (e == 0)
        e = reload_forwarding_header_encode(w, &h);
    size_t start = w->len;
    size_t mark = reload_message_contents_begin(w, outgoing->code);
    reload_wr_bytes(w, outgoing->body);
    reload_message_contents_end(w, mark, (struct reload_slice){ 0 });
    if (e == 0)
        e = reload_writer_status(w);
    if (e != 0)
        return e;
    e = reload_message_sign(node->crypto, h.overlay, t->id,
                            reload_slice_of(w->buf + start, w->len - start), outgoing->certificates,
                            w);
    reload_forwarding_header_close(w, 0);
    return e;
}

int reload_transaction_encode(struct reload_node *node, struct reload_transaction *t,
                              const struct reload_outgoing *outgoing)
{
    size_t room = RELOAD_HEADER_FIXED + outgoing->destination_list.n + outgoing->body.n +
                  outgoing->certificates.n + node->crypto->own->certificates.n + SECURITY_ROOM;
    struct reload_writer w = reload_arena_writer(&node->queue.arena, room);
    if (!w.buf)
        return RELOAD_E_NOMEM;
    int e = write_message(node, t, outgoing, &w);
    if (e == 0 && w.len > node->overlay->max_message_size)
        e = RELOAD_E_NOSPACE;
    if (e == 0) {
        t->message = reload_memdup(w.buf, w.len);
        t->len = w.len;
        e = t->message ? 0 : RELOAD_E_NOMEM;
    }
    w.len = 0;
    reload_arena_trim(&node->queue.arena, &w);
    return e;
}
