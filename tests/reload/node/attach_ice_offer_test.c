/* Attach with ICE, RFC 6940 s6.5.1.1 and s6.5.1.5: offers that are refused, or used in part. */
#include "tests/reload/node/ice_bench.h"

#include "reload/node/offer.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

/* R6940-6.5.1.5-1 R6940-6.5.1.1-7 R6940-6.5.1.1-9: an offer that this overlay, or ICE, does not
 * have. The same in an answer ends the Attach. */
static void offers_that_break_the_rules_are_refused(void **state)
{
    (void)state;
    static uint8_t mixed[256];
    struct reload_writer w = reload_writer_of(mixed, sizeof mixed);
    reload_wr_bytes(&w, bench_candidates(1, RELOAD_LINK_DTLS_UDP_SR));
    reload_wr_bytes(&w, bench_candidates(1, RELOAD_LINK_TLS_TCP_FH_NO_ICE));
    struct reload_slice both = reload_writer_slice(&w), none = { 0 };
    const struct {
        struct reload_slice ufrag, password;
        size_t count;
        uint8_t type;
        bool mixed;
        uint16_t error;
    } offers[] = {
        { bench_ufrag, bench_password, 1, 1, false, 0 },
        { bench_ufrag, bench_password, RELOAD_OFFER_CANDIDATES_MAX, 1, false, 0 },
        { bench_ufrag, bench_password, RELOAD_OFFER_CANDIDATES_MAX + 1, 1, false,
          RELOAD_ERROR_INVALID_MESSAGE },
        { bench_ufrag, bench_password, 0, 1, true, RELOAD_ERROR_INVALID_MESSAGE },
        { none, none, 1, 1, false, RELOAD_ERROR_INVALID_MESSAGE },
        { bench_ufrag, reload_slice_of(bench_password.p, 21), 1, 1, false,
          RELOAD_ERROR_INVALID_MESSAGE },
        { reload_slice_of("abc", 3), bench_password, 1, 1, false, RELOAD_ERROR_INVALID_MESSAGE },
        { reload_slice_of("ab d", 4), bench_password, 1, 1, false, RELOAD_ERROR_INVALID_MESSAGE },
        { bench_ufrag, bench_password, 0, 1, false, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
        { bench_ufrag, bench_password, 2, 77, false, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
        { bench_ufrag, bench_password, 1, 3, false, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
        { bench_ufrag, bench_password, 1, 4, false, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
    };
    struct bench b;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        uint16_t error = offers[i].error;
        struct reload_slice list =
            offers[i].mixed ? both : bench_candidates(offers[i].count, offers[i].type);
        bench_setup(&b, false);
        bench_attach_from(
            &b, bench_body_of("passive", offers[i].ufrag, offers[i].password, list, false), 0);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), error == 0);
        if (error) {
            struct reload_message m = rig_sent(&b.rig, 0, NULL);
            assert_int_equal(rig_error_code(&m), error);
            assert_int_equal(rig_dropped(&b.rig, RELOAD_DROP_BODY), 1);
        }
        rig_fini(&b.rig);

        bench_setup(&b, false);
        bench_drive(&b, REQUESTED);
        list = offers[i].mixed ? both : bench_candidates(offers[i].count, offers[i].type);
        bench_respond(&b, RELOAD_ATTACH_ANS,
                      bench_body_of("active", offers[i].ufrag, offers[i].password, list, false));
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), error == 0);
        if (error)
            assert_int_equal(rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result.error,
                             error == RELOAD_ERROR_INVALID_MESSAGE ? RELOAD_E_DECODE
                                                                   : RELOAD_E_UNSUPPORTED);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), error != 0);
        rig_fini(&b.rig);
    }
}

/* An address that nothing can be sent to is none to check. */
static void a_candidate_without_a_port_is_no_candidate(void **state)
{
    (void)state;
    static const uint8_t home[] = { 198, 51, 100, 7 };
    struct bench b;
    uint8_t bytes[64];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    const struct reload_ice_candidate c = {
        .addr_port = { RELOAD_ADDRESS_IPV4, 0, { home, sizeof home } },
        .overlay_link = RELOAD_LINK_DTLS_UDP_SR,
        .type = RELOAD_CANDIDATE_HOST,
    };
    assert_int_equal(reload_ice_candidate_encode(&w, &c), 0);
    bench_setup(&b, false);
    bench_attach_from(
        &b, bench_body_of("passive", bench_ufrag, bench_password, reload_writer_slice(&w), false),
        0);
    struct reload_message m = rig_sent(&b.rig, 0, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.2-5: an Attach to a resource learns from In_Progress whose Attach to wait for. */
static void in_progress_says_whose_attach_is_on_the_way(void **state)
{
    (void)state;
    struct bench b;
    uint64_t request;
    bench_setup(&b, false);
    const struct reload_target target = { .resource = true,
                                          .id = reload_slice_of("rrrrrrrrrrrrrrrr", 16) };
    assert_int_equal(reload_node_attach(b.rig.node, &target, b.rig.now, &request), 0);
    rig_pull(&b.rig);
    bench_gathered(&b);
    bench_in_progress(&b);
    bench_its_attach(&b);
    bench_gathered(&b);
    bench_right_link(&b);
    const struct rig_action *done = rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0);
    assert_non_null(done);
    assert_int_equal(done->action.result.error, 0);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.1-6 */
static void an_answer_with_the_requesters_role_is_no_answer(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_drive(&b, REQUESTED);
    bench_respond(&b, RELOAD_ATTACH_ANS, bench_good_body("passive"));
    assert_int_equal(rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result.error,
                     RELOAD_E_DECODE);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 1);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.1-9: a candidate of an unknown kind is the host's to pass over; the rest are used. */
static void unknown_candidates_do_not_spoil_the_others(void **state)
{
    (void)state;
    struct bench b;
    uint8_t bytes[256];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    reload_wr_bytes(&w, bench_candidates(1, 77));
    reload_wr_bytes(&w, bench_candidates(1, RELOAD_LINK_DTLS_UDP_SR));
    bench_setup(&b, false);
    bench_attach_from(
        &b, bench_body_of("passive", bench_ufrag, bench_password, reload_writer_slice(&w), false),
        0);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.5-1: the no-ice element, and what the host can do, decide; with no-ice there is
 * nothing to gather, and ICE candidates are refused. */
static void a_no_ice_overlay_gathers_nothing_and_refuses_ice(void **state)
{
    (void)state;
    struct bench b;
    for (int host = 0; host < 2; host++) {
        bench_init(&b);
        b.rig.config.config.no_ice = host == 0;
        b.rig.node_config.ice = host == 0;
        bench_start(&b, false);
        bench_attach(&b);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 0);
        struct reload_attach body;
        assert_int_equal(reload_attach_decode(rig_sent(&b.rig, 0, NULL).body, &body), 0);
        assert_int_equal(body.ufrag.n + body.password.n, 0);
        struct reload_reader r = reload_reader_over(body.candidates);
        struct reload_ice_candidate c;
        assert_true(reload_ice_candidate_next(&r, &c));
        assert_int_equal(c.overlay_link, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
        bench_its_attach(&b);
        struct reload_message m = rig_sent(&b.rig, 1, NULL);
        assert_int_equal(rig_error_code(&m), RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
        bench_respond(&b, RELOAD_ATTACH_ANS, bench_good_body("active"));
        assert_int_equal(rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result.error,
                         RELOAD_E_UNSUPPORTED);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), 0);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 0);
        rig_fini(&b.rig);
    }
}

/* R6940-6.5.1.5-1: a newer configuration takes ICE away while candidates are gathered: what began
 * with ICE is over when the far end asks without. */
static void an_overlay_that_gives_up_ice_is_followed(void **state)
{
    (void)state;
    struct bench b;
    bench_setup(&b, false);
    bench_drive(&b, GATHERING);
    b.rig.config.config.no_ice = true; /* the configuration in force */
    struct reload_slice none = { 0 };
    bench_attach_from(&b,
                      bench_body_of("passive", none, none,
                                    bench_candidates(1, RELOAD_LINK_TLS_TCP_FH_NO_ICE), false),
                      0);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), 1);
    const struct rig_action *open = rig_action(&b.rig, RELOAD_ACTION_OPEN_LINK, 0);
    assert_int_equal(open->action.open_link.link_type, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
    bench_time_passes(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 1);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.2-6: those that only gather count. */
static void the_cap_on_attaches_counts_those_that_gather(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    b.rig.node_config.limits.max_attaches = 3;
    bench_start(&b, false);
    for (b.far = 1; b.far <= 5; b.far++)
        bench_its_attach(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 3);
    assert_int_equal(rig_dropped(&b.rig, RELOAD_DROP_LIMIT), 2);
    struct reload_message m = rig_sent(&b.rig, 1, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_FORBIDDEN);
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&b.rig.parties[6].id) };
    assert_int_equal(reload_node_attach(b.rig.node, &target, b.rig.now, &request), RELOAD_E_LIMIT);
    rig_pull(&b.rig);
    bench_time_passes(&b); /* the host never says a word: they end by themselves */
    bench_expect_all_ended_once(&b);
    bench_its_attach(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 4);
    rig_fini(&b.rig);
}

/* A bootstrap node of several Node-IDs is told by an Attach without an offer which one we use; the
 * link that it goes over is all that is wanted (s4.2.1, s6.1.2). */
static void an_attach_without_an_offer_is_answered_over_its_link(void **state)
{
    (void)state;
    struct bench b;
    struct reload_slice none = { 0 };
    bench_setup(&b, false);
    struct rig_message m = { .signer = &b.rig.parties[HOP],
                             .code = RELOAD_ATTACH_REQ,
                             .body = bench_body_of("passive", none, none, none, true) };
    rig_receive(&b.rig, HOP + 1, &m);
    assert_int_equal(rig_sent(&b.rig, 0, NULL).message_code, RELOAD_ATTACH_ANS);
    assert_int_equal(b.rig.fake.updates_wanted, 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 0);
    m.signer = &b.rig.parties[1]; /* but not from afar */
    m.via_list = rig_nodes(&b.rig.parties[1].id, NULL);
    rig_receive(&b.rig, HOP + 1, &m);
    struct reload_message refusal = rig_sent(&b.rig, 1, NULL);
    assert_int_equal(rig_error_code(&refusal), RELOAD_ERROR_INVALID_MESSAGE);
    rig_fini(&b.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_that_break_the_rules_are_refused),
        cmocka_unit_test(a_candidate_without_a_port_is_no_candidate),
        cmocka_unit_test(in_progress_says_whose_attach_is_on_the_way),
        cmocka_unit_test(an_answer_with_the_requesters_role_is_no_answer),
        cmocka_unit_test(unknown_candidates_do_not_spoil_the_others),
        cmocka_unit_test(a_no_ice_overlay_gathers_nothing_and_refuses_ice),
        cmocka_unit_test(an_overlay_that_gives_up_ice_is_followed),
        cmocka_unit_test(the_cap_on_attaches_counts_those_that_gather),
        cmocka_unit_test(an_attach_without_an_offer_is_answered_over_its_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
