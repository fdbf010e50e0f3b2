#include "reload/wire/ping.h"

#include "reload/node/state.h"

/* Ping (RFC 6940 s6.5.3). */

void reload_ping_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_ping_req req;
    if (reload_ping_req_decode(request->message.body, &req) != 0) {
        reload_drop(node, RELOAD_DROP_BODY, request->from, "PingReq");
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_INVALID_MESSAGE,
                                  "malformed Ping");
        return;
    }
    uint8_t body[16];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    const struct reload_ping_ans ans = { reload_random_u64(&node->random), node->now.unix_ms };
    if (reload_ping_ans_encode(&w, &ans) != 0)
        return;
    uint8_t *copy = reload_arena_copy(&node->queue.arena, body, w.len);
    if (copy)
        reload_respond(node, &request->reply, reload_slice_of(copy, w.len),
                       (struct reload_slice){ 0 });
}

/* --- s4.2.1: who is at the other end of this link --- */

void reload_link_ping(struct reload_node *node, struct reload_slot *slot)
{
    static const uint8_t empty_ping[2];
    struct reload_outgoing outgoing = {
        .code = RELOAD_PING_REQ,
        .body = reload_slice_of(empty_ping, sizeof empty_ping),
        .link = slot->link,
        .owner = RELOAD_OWNER_LINK,
    };
    int e = reload_destination_list(node, NULL, false, reload_node_id_slice(&node->wildcard),
                                    &outgoing.destination_list);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, NULL);
    if (e != 0)
        reload_connection_close(node, slot, reload_error_text(e));
}

void reload_link_ping_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_slot *slot = reload_connection_of_link(node, answer->transaction->link);
    if (!slot || slot->node_id.len)
        return;
    if (answer->error == 0)
        reload_connection_bind(node, slot, &answer->signer);
    else
        reload_connection_close(node, slot, "the far end does not say which node it is");
}
