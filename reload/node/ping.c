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
