#include "peer/control_internal.h"

#include "peer/json.h"
#include "reload/wire/message.h"
#include "reload/wire/ping.h"

/* ring: what the topology's tables say, and with "walk" every member: the peer responsible for the
 * id after one's own is the next one, and so on around (the Ping of RFC 6940 s10.5). */

#define ENTRIES_MAX 512
#define MEMBERS_MAX 4096

static json_t *tables(const struct reload_overlay *overlay)
{
    static const char *const names[] = { "predecessors", "successors", "fingers", "others" };
    struct reload_topology_entry *all = g_new0(struct reload_topology_entry, ENTRIES_MAX);
    size_t count = reload_node_tables(reload_overlay_node(overlay), all, ENTRIES_MAX);
    json_t *json =
        json_pack("{s:o}", "node_id", reload_json_node_id(&reload_overlay_own(overlay)->node_id));
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        json_object_set_new(json, names[i], json_array());
    for (size_t i = 0; i < MIN(count, ENTRIES_MAX); i++)
        json_array_append_new(json_object_get(json, names[all[i].relation]),
                              json_pack("{s:o,s:i}", "node_id",
                                        reload_json_node_id(&all[i].node_id), "index",
                                        all[i].index));
    g_free(all);
    return json;
}

static void ask_next(struct reload_control_call *call);

static void finish(struct reload_control_call *call, bool complete)
{
    json_t *json = tables(reload_control_overlay(call->control));
    json_object_set(json, "members", call->state);
    json_object_set_new(json, "complete", json_boolean(complete));
    reload_control_answer(call, json);
}

static void member_answered(void *context, const struct reload_result *result)
{
    struct reload_control_call *call = context;
    if (reload_control_failed(call, result))
        return;
    const struct reload_node_id *own =
        &reload_overlay_own(reload_control_overlay(call->control))->node_id;
    json_t *first = json_array_get(call->state, 0);
    json_t *id = reload_json_node_id(&result->signer);
    bool around = reload_node_id_equal(&result->signer, own) || json_equal(id, first);
    if (around || json_array_size(call->state) >= MEMBERS_MAX) {
        if (json_array_size(call->state) == 0)
            json_array_append(call->state, id);
        json_decref(id);
        finish(call, around);
        return;
    }
    json_array_append_new(call->state, id);
    memcpy(call->at, result->signer.bytes, result->signer.len);
    ask_next(call);
}

static void increment(uint8_t *id, size_t len)
{
    while (len > 0 && ++id[--len] == 0)
        ;
}

static void ask_next(struct reload_control_call *call)
{
    struct reload_overlay *overlay = reload_control_overlay(call->control);
    size_t len = reload_overlay_own(overlay)->node_id.len;
    increment(call->at, len);
    struct reload_target target = { .resource = true, .id = { call->at, len } };
    uint8_t buffer[8];
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    struct reload_ping_req ping = { .padding = { 0 } };
    int error = reload_ping_req_encode(&body, &ping);
    if (!error)
        error = reload_overlay_request(overlay, &target, RELOAD_PING_REQ,
                                       reload_writer_slice(&body), member_answered, call);
    if (error)
        reload_control_fail_error(call, error);
}

void reload_control_ring(struct reload_control_call *call)
{
    struct reload_overlay *overlay = reload_control_overlay(call->control);
    if (!json_is_true(json_object_get(call->request, "walk"))) {
        reload_control_answer(call, tables(overlay));
        return;
    }
    const struct reload_node_id *own = &reload_overlay_own(overlay)->node_id;
    call->state = json_array();
    if (reload_overlay_role(overlay) == RELOAD_ROLE_PEER)
        json_array_append_new(call->state, reload_json_node_id(own));
    memcpy(call->at, own->bytes, own->len);
    ask_next(call);
}
