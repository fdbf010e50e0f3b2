#include "reload/wire/probe.h"

#include "reload/node/state.h"

/* Probe (RFC 6940 s6.4.2.5): the values that were asked for and are known, in the order asked. */

static bool value_of(const struct reload_node *node, uint8_t type, uint32_t *number)
{
    switch (type) {
    case RELOAD_PROBE_RESPONSIBLE_SET:
        *number = node->ops->responsible_ppb(node->topology);
        return true;
    case RELOAD_PROBE_NUM_RESOURCES: {
        size_t count = reload_store_resource_count(node->store);
        *number = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
        return true;
    }
    case RELOAD_PROBE_UPTIME:
        *number = (uint32_t)((node->now.monotonic_ms - node->started.monotonic_ms) / 1000);
        return true;
    default: return false;
    }
}

static int write_answer(struct reload_node *node, const struct reload_probe_req *req,
                        struct reload_slice *body)
{
    struct reload_writer list = reload_arena_writer(&node->queue.arena, 6 * req->requested_info.n);
    int e = reload_writer_status(&list);
    for (size_t i = 0; e == 0 && i < req->requested_info.n; i++) {
        struct reload_probe_information info = { .type = req->requested_info.p[i] };
        if (value_of(node, info.type, &info.number))
            e = reload_probe_information_encode(&list, &info);
    }
    struct reload_writer w = reload_arena_writer(&node->queue.arena, list.len + 2);
    const struct reload_probe_ans ans = { reload_writer_slice(&list) };
    if (e == 0)
        e = reload_probe_ans_encode(&w, &ans);
    *body = reload_writer_slice(&w);
    return e;
}

void reload_probe_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_probe_req req;
    struct reload_slice body;
    if (reload_probe_req_decode(request->message.body, &req) != 0) {
        reload_drop(node, RELOAD_DROP_BODY, request->from, "ProbeReq");
        reload_respond_error_text(node, &request->reply, RELOAD_ERROR_INVALID_MESSAGE,
                                  "malformed Probe");
        return;
    }
    if (write_answer(node, &req, &body) == 0)
        reload_respond(node, &request->reply, body, (struct reload_slice){ 0 });
}
