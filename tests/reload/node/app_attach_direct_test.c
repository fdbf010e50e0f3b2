/* An application whose channels need no ICE, in an overlay that uses it. */
#include "tests/reload/node/app_attach_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#define DIRECT 61441

static struct reload_slice direct_body(const char *role, struct reload_slice candidates)
{
    static uint8_t buffer[256];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_app_attach body = { .application = DIRECT,
                                            .role = reload_slice_of(role, strlen(role)),
                                            .candidates = candidates };
    assert_int_equal(reload_app_attach_encode(&w, &body), 0);
    return reload_writer_slice(&w);
}

static void direct_up(struct rig *rig)
{
    rig_init(rig);
    rig->config.config.no_ice = false;
    rig->node_config.ice = true;
    rig->node_config.direct_application = DIRECT;
    rig_start(rig);
    rig_link(rig, 0);
    rig->fake.hop = rig->parties[0].id;
    assert_int_equal(reload_node_set_application(rig->node, DIRECT, true), 0);
    assert_int_equal(reload_node_set_application(rig->node, SIP, true), 0);
}

/* s6.5.1.11: the requester offers nothing, and dials the answerer as TLS client. */
static void a_direct_channel_is_asked_for_without_ice(void **state)
{
    (void)state;
    struct rig rig;
    uint64_t request;
    direct_up(&rig);
    const struct reload_target target = { .id = reload_node_id_slice(&rig.parties[1].id) };
    assert_int_equal(reload_node_app_attach(rig.node, &target, DIRECT, rig.now, &request), 0);
    rig_pull(&rig);
    assert_false(rig_action(&rig, RELOAD_ACTION_GATHER, 0)->action.gather.ice);
    app_attach_gathered_nothing(&rig);
    struct reload_app_attach body;
    assert_int_equal(reload_app_attach_decode(rig_sent(&rig, 0, NULL).body, &body), 0);
    assert_int_equal(body.candidates.n + body.ufrag.n + body.password.n, 0);
    app_attach_respond(&rig, RELOAD_APP_ATTACH_ANS, direct_body("active", bench_candidates(1, 4)));
    const struct reload_action_app_channel *channel =
        &rig_action(&rig, RELOAD_ACTION_APP_CHANNEL, 0)->action.app_channel;
    assert_int_equal(channel->link_type, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
    assert_int_equal(channel->address_count, 1);
    assert_false(channel->tls_server);
    rig_fini(&rig);
}

static void receive_direct(struct rig *rig, struct reload_slice body)
{
    struct rig_message m = { .signer = &rig->parties[1],
                             .code = RELOAD_APP_ATTACH_REQ,
                             .body = body,
                             .via_list = rig_nodes(&rig->parties[1].id, NULL) };
    rig_receive(rig, 1, &m);
}

static void a_direct_channel_is_answered_without_ice_and_no_other_is(void **state)
{
    (void)state;
    struct rig rig;
    const struct reload_slice none = { 0 };
    direct_up(&rig);
    receive_direct(&rig, direct_body("passive", none));
    const struct reload_action_gather *gather =
        &rig_action(&rig, RELOAD_ACTION_GATHER, 0)->action.gather;
    assert_true(!gather->ice && !gather->requester);
    reload_node_gathered(rig.node, gather->attach, none, none, bench_candidates(1, 4), rig.now);
    rig_pull(&rig);
    const struct reload_action_app_channel *channel =
        &rig_action(&rig, RELOAD_ACTION_APP_CHANNEL, 0)->action.app_channel;
    assert_int_equal(channel->link_type, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
    assert_int_equal(channel->address_count, 0);
    assert_true(channel->tls_server);
    assert_int_equal(app_attach_refusal(&rig, direct_body("passive", bench_candidates(1, 1))),
                     RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(app_attach_refusal(&rig, app_attach_body("passive", SIP, 4)),
                     RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_direct_channel_is_asked_for_without_ice),
        cmocka_unit_test(a_direct_channel_is_answered_without_ice_and_no_other_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
