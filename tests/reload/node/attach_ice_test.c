/* Attach with ICE, RFC 6940 s6.5.1.2 to s6.5.1.14: what the node says, and to whom. */
#include "tests/reload/node/ice_bench.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

static void expect_opened(const struct bench *b, uint32_t number, bool tls_server)
{
    size_t count = rig_count(&b->rig, RELOAD_ACTION_OPEN_LINK);
    assert_true(count > 0);
    const struct reload_action_open_link *open =
        &rig_action(&b->rig, RELOAD_ACTION_OPEN_LINK, count - 1)->action.open_link;
    assert_int_equal(open->attach, number);
    assert_int_equal(open->link_type, RELOAD_LINK_DTLS_UDP_SR);
    assert_int_equal(open->tls_server, tls_server);
    assert_int_equal(open->address_count, 0);
    assert_true(reload_node_id_equal(&open->node_id, &b->rig.parties[b->far].id));
    assert_true(reload_slice_equal(open->ufrag, bench_ufrag));
    assert_true(reload_slice_equal(open->password, bench_password));
    assert_true(reload_slice_equal(open->candidates, bench_candidates(2, RELOAD_LINK_DTLS_UDP_SR)));
}

static void expect_offered(const struct bench *b, size_t n, uint16_t code, const char *role)
{
    struct reload_message m = rig_sent(&b->rig, n, NULL);
    struct reload_attach body;
    assert_int_equal(m.message_code, code);
    assert_int_equal(reload_attach_decode(m.body, &body), 0);
    assert_true(reload_slice_equal(body.ufrag, bench_ufrag));
    assert_true(reload_slice_equal(body.password, bench_password));
    assert_true(reload_slice_equal(body.role, reload_slice_of(role, strlen(role))));
    assert_true(reload_slice_equal(body.candidates, bench_candidates(1, RELOAD_LINK_DTLS_UDP_SR)));
}

/* R6940-6.5.1.5-1 R6940-6.5.1.8-1 R6940-6.5.1.9-1 R6940-6.5.1.13-1 R6940-6.5.1.1-6: who asks
 * controls the checks and is the server; an answer leads to ICE without further proof of it. */
static void the_requester_controls_ice_and_is_the_dtls_server(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_drive(&b, EXPECTING);
    const struct reload_action_gather *gather =
        &rig_action(&b.rig, RELOAD_ACTION_GATHER, 0)->action.gather;
    assert_true(gather->requester);
    assert_false(gather->application);
    expect_offered(&b, 0, RELOAD_ATTACH_REQ, "passive");
    expect_opened(&b, gather->attach, true);
    rig_fini(&b.rig);
}

static void the_answerer_is_controlled_and_the_dtls_client(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_drive(&b, DIALLING);
    const struct reload_action_gather *gather =
        &rig_action(&b.rig, RELOAD_ACTION_GATHER, 0)->action.gather;
    assert_false(gather->requester);
    expect_offered(&b, 0, RELOAD_ATTACH_ANS, "active");
    expect_opened(&b, gather->attach, false);
    rig_fini(&b.rig);
}

/* R6940-6.2.1-10: a copy of the request is neither answered nor gathered for while candidates are
 * on their way, and gets the one answer afterwards, without a second link. */
static void a_retransmission_gathers_and_opens_nothing_twice(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), 0);
    bench_gathered(&b);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), 2);
    for (size_t i = 0; i < 2; i++)
        expect_offered(&b, i, RELOAD_ATTACH_ANS, "active");
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.2-1 R6940-6.5.1.2-6: who asks anew is gathered for anew, with what it offers now, but
 * not as often as it likes. */
static void an_attach_after_the_answer_starts_over_now_and_then(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_drive(&b, DIALLING);
    for (int i = 0; i < 20; i++)
        bench_its_attach(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    rig_run(&b.rig, 3000);
    bench_its_attach(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 2);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 1);
    bench_gathered(&b);
    expect_opened(&b, bench_last_number(&b), false);
    rig_fini(&b.rig);
}

/* The answer was lost, and the host gave its checks up before the request was repeated: the answer
 * to that brings other candidates. */
static void a_retransmission_after_failed_checks_is_answered_anew(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    bench_gathered(&b);
    bench_open_failed(&b);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 2);
    bench_gathered(&b);
    expect_offered(&b, 1, RELOAD_ATTACH_ANS, "active");
    expect_opened(&b, bench_last_number(&b), false);
    rig_fini(&b.rig);
}

/* A copy that the duplicate cache had no room to remember. */
static void a_request_that_the_cache_forgot_still_gathers_once(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    b.rig.node_config.limits.max_answered = 1;
    bench_start(&b, false);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    struct rig_message update = { .signer = &b.rig.parties[HOP], .code = RELOAD_UPDATE_REQ };
    rig_receive(&b.rig, HOP + 1, &update);
    size_t sends = rig_count(&b.rig, RELOAD_ACTION_SEND);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    bench_gathered(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), sends + 1);
    rig_fini(&b.rig);
}

/* s6.5.1.2: who asks anew, its first request having been given up, gets the answer to the last one;
 * copies of the first that come late disturb nothing. */
static void the_last_of_two_requests_is_answered(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    bench_attach_from(
        &b, bench_body_of("passive", bench_password, bench_password, bench_candidates(2, 1), false),
        78);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    bench_gathered(&b);
    bench_attach_from(&b, bench_good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(&b.rig, 0, NULL).header.transaction_id, 78);
    const struct rig_action *open = rig_action(&b.rig, RELOAD_ACTION_OPEN_LINK, 0);
    assert_true(reload_slice_equal(open->action.open_link.ufrag, bench_password));
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 0);
    rig_fini(&b.rig);
}

static void the_link_goes_away_while_candidates_are_gathered(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_drive(&b, ANSWERING);
    reload_node_link_down(b.rig.node, HOP + 1, b.rig.now);
    bench_gathered(&b);
    assert_int_equal(rig_dropped(&b.rig, RELOAD_DROP_RETURN_GONE), 1);
    bench_time_passes(&b);
    bench_expect_all_ended_once(&b);
    rig_fini(&b.rig);
}

/* R6940-6.4.2.3-1: over a plain link the Update that is wanted need not wait for ICE, and another
 * link is made; over that one an Attach asks for nothing more. */
static void an_attach_over_a_plain_link_makes_one_by_ice(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    b.far = HOP;
    struct rig_message m = {
        .signer = &b.rig.parties[HOP],
        .code = RELOAD_ATTACH_REQ,
        .body = bench_body_of("passive", bench_ufrag, bench_password, bench_candidates(2, 1), true),
    };
    rig_receive(&b.rig, HOP + 1, &m);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    assert_int_equal(b.rig.fake.updates_wanted, 0);
    bench_gathered(&b);
    assert_int_equal(b.rig.fake.updates_wanted, 1);
    expect_offered(&b, 0, RELOAD_ATTACH_ANS, "active");
    expect_opened(&b, bench_last_number(&b), false);
    bench_link_up(&b, HOP, bench_last_number(&b));
    assert_int_equal(b.rig.fake.updates_wanted, 1);
    assert_int_equal(b.rig.fake.link_ups, 1);

    rig_receive(&b.rig, NEW_LINK, &m);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    assert_int_equal(b.rig.fake.updates_wanted, 2);
    struct reload_attach body;
    assert_int_equal(reload_attach_decode(rig_sent(&b.rig, 1, NULL).body, &body), 0);
    assert_int_equal(body.candidates.n, 0);
    rig_fini(&b.rig);
}

/* A plain link that came up meanwhile ends the own Attach, but is not one that an Attach made. */
static void a_plain_link_in_the_meantime_does_not_count_as_made_by_ice(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_drive(&b, GATHERING);
    bench_other_link(&b);
    struct rig_message m = { .signer = &b.rig.parties[b.far],
                             .code = RELOAD_ATTACH_REQ,
                             .body = bench_good_body("passive") };
    rig_receive(&b.rig, NEW_LINK, &m);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 2);
    rig_fini(&b.rig);
}

/* The requester's side of that: it is attached when it is answered; the link by ICE comes later, or
 * does not when the far end offers none. */
static void an_answer_from_a_node_with_a_link_ends_the_wait(void **state)
{
    (void)state;
    struct bench b;
    for (int offers = 0; offers < 2; offers++) {
        bench_setup(&b, false);
        b.far = HOP;
        uint64_t request;
        const struct reload_target target = { .resource = true,
                                              .id = reload_slice_of("rrrrrrrrrrrrrrrr", 16) };
        assert_int_equal(reload_node_attach(b.rig.node, &target, b.rig.now, &request), 0);
        rig_pull(&b.rig);
        bench_gathered(&b);
        struct reload_slice none = { 0 };
        bench_respond(&b, RELOAD_ATTACH_ANS,
                      offers ? bench_good_body("active")
                             : bench_body_of("active", none, none, none, false));
        const struct rig_action *done = rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0);
        assert_non_null(done);
        assert_int_equal(done->action.result.error, 0);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), offers);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), !offers);
        bench_time_passes(&b);
        bench_expect_all_ended_once(&b);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_REQUEST_DONE), 1);
        rig_fini(&b.rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_requester_controls_ice_and_is_the_dtls_server),
        cmocka_unit_test(the_answerer_is_controlled_and_the_dtls_client),
        cmocka_unit_test(a_retransmission_gathers_and_opens_nothing_twice),
        cmocka_unit_test(an_attach_after_the_answer_starts_over_now_and_then),
        cmocka_unit_test(a_retransmission_after_failed_checks_is_answered_anew),
        cmocka_unit_test(a_request_that_the_cache_forgot_still_gathers_once),
        cmocka_unit_test(the_last_of_two_requests_is_answered),
        cmocka_unit_test(the_link_goes_away_while_candidates_are_gathered),
        cmocka_unit_test(an_attach_over_a_plain_link_makes_one_by_ice),
        cmocka_unit_test(a_plain_link_in_the_meantime_does_not_count_as_made_by_ice),
        cmocka_unit_test(an_answer_from_a_node_with_a_link_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
