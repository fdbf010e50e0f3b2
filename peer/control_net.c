#include "peer/control_internal.h"

#include "peer/json.h"
#include "peer/place.h"
#include "reload/wire/chord.h"
#include "reload/wire/message.h"
#include "reload/wire/ping.h"
#include "reload/wire/route_query.h"

/* ping, attach and trace. */

#define TRACE_MAX 128 /* hops; the greatest initial-ttl in use is 100 */

struct target_bytes {
    struct reload_target target;
    struct reload_node_id node;
    struct reload_place place;
};

/* "node" alone is a Node-ID; with a Kind or another way to say it, a resource. */
static int read_target(const struct reload_control_call *call, struct target_bytes *out,
                       struct reload_place_problem *problem)
{
    const char *node = json_string_value(json_object_get(call->request, "node"));
    if (node && !json_object_get(call->request, "kind")) {
        if (reload_node_id_read(node, &out->node)) {
            g_strlcpy(problem->text, "node must be a Node-ID in hexadecimal", sizeof problem->text);
            return RELOAD_E_INVALID;
        }
        out->target = (struct reload_target){ .id = reload_node_id_slice(&out->node) };
        return 0;
    }
    int error = reload_place_read(call->request, reload_control_overlay(call->control), false,
                                  &out->place, problem);
    out->target =
        (struct reload_target){ .resource = true, .id = reload_place_resource(&out->place) };
    return error;
}

static void pong(void *context, const struct reload_result *result)
{
    struct reload_control_call *call = context;
    struct reload_ping_ans answer;
    if (reload_control_failed(call, result))
        return;
    int error = reload_ping_ans_decode(result->body, &answer);
    if (error) {
        reload_control_fail_error(call, error);
        return;
    }
    reload_control_answer(call, json_pack("{s:o,s:i,s:i,s:i,s:o}", "node_id",
                                          reload_json_node_id(&result->signer), "round_trip_ms",
                                          result->round_trip_ms, "hops", result->hops,
                                          "transmissions", result->transmissions, "time_ms",
                                          reload_json_u64(answer.time_ms)));
}

void reload_control_ping(struct reload_control_call *call)
{
    struct target_bytes target;
    struct reload_place_problem problem;
    uint8_t buffer[8];
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    struct reload_ping_req ping = { .padding = { 0 } };
    if (read_target(call, &target, &problem)) {
        reload_control_fail(call, RELOAD_CONTROL_USAGE, "%s", problem.text);
        return;
    }
    int error = reload_ping_req_encode(&body, &ping);
    if (!error)
        error = reload_overlay_request(reload_control_overlay(call->control), &target.target,
                                       RELOAD_PING_REQ, reload_writer_slice(&body), pong, call);
    if (error)
        reload_control_fail_error(call, error);
}

/* --- attach: a link to a node, or to the peer responsible for a resource (s6.5.1) --- */

static void attached(void *context, const struct reload_result *result)
{
    struct reload_control_call *call = context;
    if (!reload_control_failed(call, result))
        reload_control_answer(call, json_pack("{s:o,s:i}", "node_id",
                                              reload_json_node_id(&result->signer), "round_trip_ms",
                                              result->round_trip_ms));
}

void reload_control_attach(struct reload_control_call *call)
{
    struct target_bytes target;
    struct reload_place_problem problem;
    if (read_target(call, &target, &problem)) {
        reload_control_fail(call, RELOAD_CONTROL_USAGE, "%s", problem.text);
        return;
    }
    int error = reload_overlay_attach(reload_control_overlay(call->control), &target.target,
                                      attached, call);
    if (error)
        reload_control_fail_error(call, error);
}

/* --- trace: each peer on the way is asked where it would send it (s6.4.2.4) --- */

static void ask_hop(struct reload_control_call *call, const struct reload_node_id *hop);

static void end_trace(struct reload_control_call *call)
{
    reload_control_answer(call, json_pack("{s:O}", "hops", call->state));
}

static void hop_answered(void *context, const struct reload_result *result)
{
    struct reload_control_call *call = context;
    struct reload_chord_route_query_ans answer;
    if (reload_control_failed(call, result))
        return;
    int error = reload_chord_route_query_ans_decode(result->body, result->signer.len, &answer);
    if (error) {
        reload_control_fail_error(call, error);
        return;
    }
    json_array_append_new(
        call->state,
        json_pack("{s:o,s:i,s:o}", "node_id", reload_json_node_id(&result->signer), "round_trip_ms",
                  result->round_trip_ms, "next_peer", reload_json_node_id(&answer.next_peer)));
    bool there = reload_node_id_equal(&answer.next_peer, &result->signer);
    if (there || ++call->steps >= TRACE_MAX)
        end_trace(call);
    else
        ask_hop(call, &answer.next_peer);
}

static void ask_hop(struct reload_control_call *call, const struct reload_node_id *hop)
{
    struct target_bytes target;
    struct reload_place_problem problem;
    uint8_t buffer[600];
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    struct reload_route_query_req query = { .send_update = false };
    if (read_target(call, &target, &problem)) {
        reload_control_fail(call, RELOAD_CONTROL_USAGE, "%s", problem.text);
        return;
    }
    query.destination = target.target.resource ? reload_destination_resource(target.target.id)
                                               : reload_destination_node(&target.node);
    struct reload_target at = { .id = reload_node_id_slice(hop) };
    int error = reload_route_query_req_encode(&body, &query);
    if (!error)
        error = reload_overlay_request(reload_control_overlay(call->control), &at,
                                       RELOAD_ROUTE_QUERY_REQ, reload_writer_slice(&body),
                                       hop_answered, call);
    if (error)
        reload_control_fail_error(call, error);
}

void reload_control_trace(struct reload_control_call *call)
{
    call->state = json_array();
    ask_hop(call, &reload_overlay_own(reload_control_overlay(call->control))->node_id);
}
