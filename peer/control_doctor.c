#include "peer/control_internal.h"

#include <stdlib.h>

#include "peer/doctor.h"
#include "reload/wire/message.h"
#include "reload/wire/ping.h"

/* doctor: asks linked nodes for the time (the PingAns has it, RFC 6940 s6.5.3), then judges. */

#define ASKED_MAX       5
#define CONNECTIONS_MAX 64

struct inquiry {
    struct reload_control_call *call;
    unsigned open; /* questions without an answer */
    unsigned count;
    int64_t ahead_ms[ASKED_MAX];
};

static json_t *report_object(const struct reload_doctor_report *report)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct reload_doctor_finding *f = &report->findings[i];
        json_array_append_new(findings, json_pack("{s:s,s:s,s:s,s:s?}", "check", f->check,
                                                  "verdict", reload_doctor_verdict_text(f->verdict),
                                                  "finding", f->text, "cure", f->cure));
    }
    return json_pack("{s:s,s:b,s:b,s:o}", "verdict",
                     reload_doctor_verdict_text(reload_doctor_verdict(report)), "joined",
                     report->joined, "expired", report->expired, "findings", findings);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void judge(struct inquiry *inquiry)
{
    struct reload_control_call *call = inquiry->call;
    struct reload_doctor_evidence evidence;
    struct reload_doctor_report report;
    if (call->control) {
        reload_doctor_gather(reload_control_overlay(call->control), &evidence);
        qsort(inquiry->ahead_ms, inquiry->count, sizeof inquiry->ahead_ms[0], compare);
        evidence.clock_known = inquiry->count > 0;
        if (inquiry->count) /* the median: one clock that is wrong is not believed */
            evidence.clock_ahead_ms = inquiry->ahead_ms[inquiry->count / 2];
        reload_doctor_examine(&evidence, &report);
        reload_control_answer(call, report_object(&report));
    } else {
        reload_control_fail_error(call, RELOAD_E_CLOSED);
    }
    g_free(inquiry);
}

static void answered(void *context, const struct reload_result *result)
{
    struct inquiry *inquiry = context;
    struct reload_ping_ans answer;
    if (result->error == 0 && reload_ping_ans_decode(result->body, &answer) == 0) {
        uint64_t then_ms = reload_overlay_now().unix_ms - result->round_trip_ms / 2;
        inquiry->ahead_ms[inquiry->count++] = (int64_t)(then_ms - answer.time_ms);
    }
    if (--inquiry->open == 0)
        judge(inquiry);
}

static bool ask(struct inquiry *inquiry, const struct reload_node_id *node)
{
    uint8_t buffer[8];
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    const struct reload_ping_req ping = { .padding = { 0 } };
    const struct reload_target target = { .id = reload_node_id_slice(node) };
    return reload_ping_req_encode(&body, &ping) == 0 &&
           reload_overlay_request(reload_control_overlay(inquiry->call->control), &target,
                                  RELOAD_PING_REQ, reload_writer_slice(&body), answered,
                                  inquiry) == 0;
}

void reload_control_doctor(struct reload_control_call *call)
{
    struct reload_connection all[CONNECTIONS_MAX];
    size_t count = reload_node_connections(
        reload_overlay_node(reload_control_overlay(call->control)), all, CONNECTIONS_MAX);
    struct inquiry *inquiry = g_new0(struct inquiry, 1);
    inquiry->call = call;
    for (size_t i = 0; i < MIN(count, CONNECTIONS_MAX) && inquiry->open < ASKED_MAX; i++)
        inquiry->open += all[i].node_id.len && ask(inquiry, &all[i].node_id);
    if (inquiry->open == 0)
        judge(inquiry);
}
