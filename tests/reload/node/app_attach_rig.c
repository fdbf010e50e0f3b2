#include "tests/reload/node/app_attach_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

struct reload_slice app_attach_body(const char *role, uint16_t application, uint8_t link_type)
{
    static uint8_t buffer[256];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_app_attach body = { .ufrag = bench_ufrag,
                                            .password = bench_password,
                                            .application = application,
                                            .role = reload_slice_of(role, strlen(role)),
                                            .candidates = bench_candidates(1, link_type) };
    assert_int_equal(reload_app_attach_encode(&w, &body), 0);
    return reload_writer_slice(&w);
}

void app_attach_set_up(struct rig *rig)
{
    rig_init(rig);
    rig->config.config.no_ice = false;
    rig->node_config.ice = true;
    rig->node_config.limits.max_app_attaches = 3;
    rig_start(rig);
    rig_link(rig, 0);
    rig->fake.hop = rig->parties[0].id;
    assert_int_equal(reload_node_set_application(rig->node, SIP, true), 0);
}

uint32_t app_attach_number(const struct rig *rig)
{
    const struct rig_action *gather = rig_action(rig, RELOAD_ACTION_GATHER, 0);
    return gather ? gather->action.gather.attach : 1;
}

int app_attach_start(struct rig *rig)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&rig->parties[1].id) };
    int e = reload_node_app_attach(rig->node, &target, SIP, rig->now, &request);
    rig_pull(rig);
    return e;
}

void app_attach_gathered(struct rig *rig)
{
    reload_node_gathered(rig->node, app_attach_number(rig), bench_ufrag, bench_password,
                         bench_candidates(1, 1), rig->now);
    rig_pull(rig);
}

void app_attach_gathered_nothing(struct rig *rig)
{
    const struct reload_slice none = { 0 };
    reload_node_gathered(rig->node, app_attach_number(rig), none, none, none, rig->now);
    rig_pull(rig);
}

void app_attach_its_request(struct rig *rig)
{
    struct rig_message m = { .signer = &rig->parties[1],
                             .code = RELOAD_APP_ATTACH_REQ,
                             .body = app_attach_body("passive", SIP, 1),
                             .transaction_id = 77,
                             .via_list = rig_nodes(&rig->parties[1].id, NULL) };
    rig_receive(rig, 1, &m);
}

void app_attach_respond(struct rig *rig, uint16_t code, struct reload_slice body)
{
    struct rig_message m = {
        .signer = &rig->parties[1], .code = code, .body = body, .transaction_id = 12345
    };
    if (rig_count(rig, RELOAD_ACTION_SEND))
        m.transaction_id = rig_sent(rig, 0, NULL).header.transaction_id;
    rig_receive(rig, 1, &m);
}

uint16_t app_attach_refusal(struct rig *rig, struct reload_slice body)
{
    struct rig_message m = { .signer = &rig->parties[1],
                             .code = RELOAD_APP_ATTACH_REQ,
                             .body = body,
                             .via_list = rig_nodes(&rig->parties[1].id, NULL) };
    size_t sent = rig_count(rig, RELOAD_ACTION_SEND);
    rig_receive(rig, 1, &m);
    struct reload_message answer = rig_sent(rig, sent, NULL);
    return rig_error_code(&answer);
}

void app_attach_time_passes(struct rig *rig)
{
    rig_run(rig, 200000);
}
