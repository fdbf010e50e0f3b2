#include "peer/decode/print.h"
#include "reload/wire/chord.h"
#include "reload/wire/join.h"
#include "reload/wire/probe.h"
#include "reload/wire/route_query.h"

/* Topology messages (RFC 6940 s6.4.2) with CHORD-RELOAD's bodies (s10). */

static json_t *node_ids(struct reload_decode *d, struct reload_slice list)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(list);
    struct reload_node_id id;
    while (reload_node_id_next(&r, d->options->node_id_len, &id))
        json_array_append_new(array, reload_json_node_id(&id));
    return array;
}

json_t *reload_decode_join_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_join_req req;
    if (reload_join_req_decode(body, d->options->node_id_len, &req))
        return NULL;
    return json_pack("{s:o,s:o}", "joining_peer_id", reload_json_node_id(&req.joining_peer_id),
                     "overlay_specific_data", reload_json_hex(req.overlay_specific_data));
}

json_t *reload_decode_join_ans(struct reload_decode *d, struct reload_slice body)
{
    struct reload_join_ans ans;
    (void)d;
    if (reload_join_ans_decode(body, &ans))
        return NULL;
    return json_pack("{s:o}", "overlay_specific_data", reload_json_hex(ans.overlay_specific_data));
}

json_t *reload_decode_leave_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_leave_req req;
    struct reload_chord_leave leave;
    if (reload_leave_req_decode(body, d->options->node_id_len, &req))
        return NULL;
    json_t *json = json_pack("{s:o}", "leaving_peer_id", reload_json_node_id(&req.leaving_peer_id));
    struct reload_slice data = req.overlay_specific_data;
    if (reload_chord_leave_decode(data, d->options->node_id_len, &leave)) {
        json_object_set_new(json, "overlay_specific_data", reload_json_hex(data));
        if (data.n)
            reload_decode_fault(d, data.p, "not a ChordLeaveData");
        return json;
    }
    json_object_set_new(
        json, "type",
        json_string(leave.type == RELOAD_CHORD_LEAVE_FROM_SUCC ? "from_succ" : "from_pred"));
    json_object_set_new(json,
                        leave.type == RELOAD_CHORD_LEAVE_FROM_SUCC ? "successors" : "predecessors",
                        node_ids(d, leave.neighbors));
    return json;
}

json_t *reload_decode_update_req(struct reload_decode *d, struct reload_slice body)
{
    static const char *const types[] = { "invalid", "peer_ready", "neighbors", "full" };
    struct reload_chord_update update;
    if (reload_chord_update_decode(body, d->options->node_id_len, &update))
        return NULL;
    json_t *json =
        json_pack("{s:I,s:s}", "uptime_s", (json_int_t)update.uptime_s, "type", types[update.type]);
    if (update.type != RELOAD_CHORD_UPDATE_PEER_READY) {
        json_object_set_new(json, "predecessors", node_ids(d, update.predecessors));
        json_object_set_new(json, "successors", node_ids(d, update.successors));
    }
    if (update.type == RELOAD_CHORD_UPDATE_FULL)
        json_object_set_new(json, "fingers", node_ids(d, update.fingers));
    return json;
}

json_t *reload_decode_route_query_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_route_query_req req;
    if (reload_route_query_req_decode(body, d->options->node_id_len, &req))
        return NULL;
    return json_pack("{s:b,s:o,s:o}", "send_update", req.send_update, "destination",
                     reload_decode_destination(&req.destination), "overlay_specific_data",
                     reload_json_hex(req.overlay_specific_data));
}

json_t *reload_decode_route_query_ans(struct reload_decode *d, struct reload_slice body)
{
    struct reload_chord_route_query_ans ans;
    if (reload_chord_route_query_ans_decode(body, d->options->node_id_len, &ans))
        return NULL;
    return json_pack("{s:o}", "next_peer", reload_json_node_id(&ans.next_peer));
}

static const char *probe_name(uint8_t type)
{
    static const char *const names[] = { "invalid", "responsible_set", "num_resources", "uptime",
                                         "exp_probe" };
    return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

json_t *reload_decode_probe_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_probe_req req;
    (void)d;
    if (reload_probe_req_decode(body, &req))
        return NULL;
    json_t *wanted = json_array();
    for (size_t i = 0; i < req.requested_info.n; i++)
        json_array_append_new(wanted, json_string(probe_name(req.requested_info.p[i])));
    return json_pack("{s:o}", "requested_info", wanted);
}

json_t *reload_decode_probe_ans(struct reload_decode *d, struct reload_slice body)
{
    struct reload_probe_ans ans;
    struct reload_probe_information info;
    (void)d;
    if (reload_probe_ans_decode(body, &ans))
        return NULL;
    json_t *list = json_array();
    struct reload_reader r = reload_reader_over(ans.probe_info);
    while (reload_probe_information_next(&r, &info)) {
        json_t *json = json_pack("{s:s,s:i}", "type", probe_name(info.type), "code", info.type);
        if (info.type <= RELOAD_PROBE_UPTIME)
            json_object_set_new(json, "value", json_integer(info.number));
        else
            json_object_set_new(json, "value", reload_json_hex(info.value));
        json_array_append_new(list, json);
    }
    return json_pack("{s:o}", "probe_info", list);
}
