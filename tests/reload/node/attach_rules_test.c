/* Attach, RFC 6940 s6.5.1: one node by hand, and what a far end may say to it and may not. */
#include "tests/reload/node/ice_bench.h"

#include "reload/wire/attach.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static struct reload_slice attach_body(const char *role, bool send_update, size_t candidates,
                                       uint8_t link_type)
{
    const struct reload_slice none = { 0 };
    return bench_body_of(role, none, none, bench_candidates(candidates, link_type), send_update);
}

static void rig_up(struct rig *rig)
{
    rig_init(rig);
    rig_start(rig);
    rig_link(rig, 0);
    rig_clear(rig);
}

static uint64_t attach_from(struct rig *rig, size_t party, struct reload_slice body)
{
    struct rig_message m = { .signer = &rig->parties[party],
                             .code = RELOAD_ATTACH_REQ,
                             .body = body,
                             .via_list = rig_nodes(&rig->parties[party].id, NULL) };
    return rig_receive(rig, 1, &m);
}

static void link_answering(struct rig *rig, reload_link_id link, uint32_t attach,
                           const struct reload_node_id *id)
{
    const struct reload_node_link info = {
        .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE, .node_ids = id, .node_id_count = 1, .attach = attach
    };
    reload_node_link_up(rig->node, link, &info, rig->now);
    rig_pull(rig);
}

/* R6940-6.5.1.11-1 R6940-6.5.1.13-3: the certificate must be that of the node that attached. */
static void a_link_that_proves_another_node_is_closed(void **state)
{
    struct rig rig;
    (void)state;
    rig_up(&rig);
    attach_from(&rig, 1, attach_body("passive", false, 1, 4));
    const struct rig_action *open = rig_action(&rig, RELOAD_ACTION_OPEN_LINK, 0);
    assert_non_null(open);
    uint32_t number = open->action.open_link.attach;
    assert_true(reload_node_id_equal(&open->action.open_link.node_id, &rig.parties[1].id));
    assert_false(open->action.open_link.tls_server);
    link_answering(&rig, 9, number, &rig.parties[2].id);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_CLOSE_LINK), 1);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_IDENTITY), 1);
    assert_int_equal(rig.fake.link_ups, 1);
    rig_fini(&rig);
}

/* Candidates by falling priority, at most eight; R6940-6.5.1.1-9: those of other links are ignored.
 */
static void candidates_are_dialled_by_priority_and_unknown_ones_ignored(void **state)
{
    struct rig rig;
    (void)state;
    rig_up(&rig);
    attach_from(&rig, 1, attach_body("passive", false, 12, 4));
    const struct reload_action_open_link *open =
        &rig_action(&rig, RELOAD_ACTION_OPEN_LINK, 0)->action.open_link;
    assert_int_equal(open->address_count, 8);
    const struct rig_action *kept = rig_action(&rig, RELOAD_ACTION_OPEN_LINK, 0);
    for (uint16_t i = 0; i < 8; i++)
        assert_int_equal(kept->addresses[i].port, 7011 - i);
    rig_clear(&rig);
    attach_from(&rig, 2, attach_body("passive", false, 2, 77));
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 0);
    rig_fini(&rig);
}

/* s6.5.1.5, s6.5.1.11: each address is offered for each link type, the best one first; dialled are
 * the far end's candidates of the type that this node likes best. */
static void both_kinds_of_no_ice_links_are_offered_and_the_preferred_one_dialled(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.link_types[0] = RELOAD_LINK_DTLS_UDP_SR_NO_ICE;
    rig.node_config.link_types[1] = RELOAD_LINK_TLS_TCP_FH_NO_ICE;
    rig.node_config.link_type_count = 2;
    rig_start(&rig);
    rig_link(&rig, 0);
    const uint8_t types[] = { 3, 4 };
    for (size_t i = 0; i < 2; i++) {
        rig_clear(&rig);
        attach_from(&rig, i + 1, attach_body("passive", false, 2, types[i]));
        const struct reload_action_open_link *open =
            &rig_action(&rig, RELOAD_ACTION_OPEN_LINK, 0)->action.open_link;
        assert_int_equal(open->link_type, types[i]);
        assert_int_equal(open->address_count, 2);
    }
    struct reload_message m = rig_sent(&rig, 0, NULL);
    struct reload_attach answer;
    assert_int_equal(reload_attach_decode(m.body, &answer), 0);
    struct reload_reader r = reload_reader_over(answer.candidates);
    struct reload_ice_candidate first, second, none;
    assert_true(reload_ice_candidate_next(&r, &first));
    assert_true(reload_ice_candidate_next(&r, &second));
    assert_false(reload_ice_candidate_next(&r, &none));
    assert_int_equal(first.overlay_link, RELOAD_LINK_DTLS_UDP_SR_NO_ICE);
    assert_int_equal(second.overlay_link, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
    assert_true(first.priority > second.priority);
    assert_int_equal(first.addr_port.port, second.addr_port.port);
    rig_clear(&rig);
    attach_from(&rig, 3, attach_body("passive", false, 2, 1)); /* DTLS-UDP-SR would need ICE */
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 0);
    rig_fini(&rig);
}

/* R6940-6.5.1.1-6 R6940-6.5.1.1-7 */
static void an_attach_that_breaks_the_rules_is_refused(void **state)
{
    struct rig rig;
    (void)state;
    rig_up(&rig);
    attach_from(&rig, 1, attach_body("active", false, 1, 4));
    struct reload_message m = rig_sent(&rig, 0, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_INVALID_MESSAGE);
    struct reload_slice body = attach_body("passive", false, 1, 4);
    attach_from(&rig, 1, reload_slice_of(body.p, body.n - 1));
    m = rig_sent(&rig, 1, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_BODY), 2);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 0);
    rig_fini(&rig);
}

/* R6940-6.4.2.3-1: send_update is owed when the link is there, not before. */
static void an_update_is_owed_once_the_link_is_up(void **state)
{
    struct rig rig;
    (void)state;
    rig_up(&rig);
    attach_from(&rig, 1, attach_body("passive", true, 1, 4));
    assert_int_equal(rig.fake.updates_wanted, 0);
    uint32_t number = rig_action(&rig, RELOAD_ACTION_OPEN_LINK, 0)->action.open_link.attach;
    link_answering(&rig, 9, number, &rig.parties[1].id);
    assert_int_equal(rig.fake.link_ups, 2);
    assert_int_equal(rig.fake.updates_wanted, 1);
    rig_fini(&rig);
}

/* R6940-6.5.1.13-1 R6940-6.5.1.2-1: a requester that is linked already, by a link that it dialled
 * on its own, may still wait as the TLS server: it is answered over that link, and dialled. */
static void an_attach_over_a_link_that_no_attach_made_is_dialled_too(void **state)
{
    struct rig rig;
    (void)state;
    rig_up(&rig);
    struct rig_message m = { .signer = &rig.parties[0],
                             .code = RELOAD_ATTACH_REQ,
                             .body = attach_body("passive", true, 0, 4) };
    rig_receive(&rig, 1, &m);                     /* it offers nothing to dial */
    assert_int_equal(rig.fake.updates_wanted, 1); /* there is a link: nothing to wait for */
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 0);
    m.body = attach_body("passive", true, 1, 4);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 1, NULL).message_code, RELOAD_ATTACH_ANS);
    assert_int_equal(rig.fake.updates_wanted, 2);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 1);
    rig_receive(&rig, 1, &m); /* once is enough */
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 1);

    /* The dial fails: the old link stays, and the next Attach is dialled again. */
    uint32_t number = rig_action(&rig, RELOAD_ACTION_OPEN_LINK, 0)->action.open_link.attach;
    reload_node_open_failed(rig.node, number, rig.now);
    rig_run(&rig, 5000);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_CLOSE_LINK), 0);
    assert_int_equal(rig.fake.link_downs, 0);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 2);

    /* It succeeds: now there is a link that an Attach made, and one is enough. */
    number = rig_action(&rig, RELOAD_ACTION_OPEN_LINK, 1)->action.open_link.attach;
    link_answering(&rig, 9, number, &rig.parties[0].id);
    assert_int_equal(rig.fake.link_ups, 1);
    rig_receive(&rig, 9, &m);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 2);
    rig_fini(&rig);
}

/* R6940-6.2.1-10: a repeated Attach is answered from the cache; one with a new transaction (its
 * answer was lost for good) is answered, but nothing is dialled twice. */
static void a_repeated_attach_is_not_dialled_twice(void **state)
{
    struct rig rig;
    (void)state;
    rig_up(&rig);
    struct rig_message m = { .signer = &rig.parties[1],
                             .code = RELOAD_ATTACH_REQ,
                             .transaction_id = 77,
                             .body = attach_body("passive", false, 1, 4),
                             .via_list = rig_nodes(&rig.parties[1].id, NULL) };
    rig_receive(&rig, 1, &m);
    rig_receive(&rig, 1, &m);
    m.transaction_id = 78;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rig_sent(&rig, i, NULL).message_code, RELOAD_ATTACH_ANS);
    rig_fini(&rig);
}

/* R6940-6.5.1.2-2: own Attach answered, its link on the way: the far end's Attach is in progress.
 */
static void an_attach_from_a_node_whose_link_is_expected_is_in_progress(void **state)
{
    struct rig rig;
    uint64_t request;
    (void)state;
    rig_up(&rig);
    rig.fake.hop = rig.parties[0].id;
    for (size_t party = 1; party < RIG_PARTIES; party++) { /* smaller and larger Node-IDs alike */
        const struct reload_target target = { .id = reload_node_id_slice(&rig.parties[party].id) };
        rig_clear(&rig);
        assert_int_equal(reload_node_attach(rig.node, &target, rig.now, &request), 0);
        rig_pull(&rig);
        struct rig_message ans = { .signer = &rig.parties[party],
                                   .code = RELOAD_ATTACH_ANS,
                                   .body = attach_body("active", false, 1, 4),
                                   .transaction_id =
                                       rig_sent(&rig, 0, NULL).header.transaction_id };
        rig_receive(&rig, 1, &ans);
        attach_from(&rig, party, attach_body("passive", false, 1, 4));
        struct reload_message m = rig_sent(&rig, 1, NULL);
        assert_int_equal(rig_error_code(&m), RELOAD_ERROR_IN_PROGRESS);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 0);
    }
    rig_fini(&rig);
}

/* R6940-6.5.1.2-6: as many as the node has room for. */
static void the_cap_on_attaches_holds(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.limits.max_attaches = 3;
    rig_start(&rig);
    rig_link(&rig, 0);
    for (size_t party = 1; party <= 5; party++)
        attach_from(&rig, party, attach_body("passive", false, 1, 4));
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 3);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 2);
    struct reload_message m = rig_sent(&rig, 4, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_FORBIDDEN);
    rig_run(&rig, 60000); /* the host never says a word: they end by themselves */
    rig_clear(&rig);
    attach_from(&rig, 6, attach_body("passive", false, 1, 4));
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_OPEN_LINK), 1);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_that_proves_another_node_is_closed),
        cmocka_unit_test(candidates_are_dialled_by_priority_and_unknown_ones_ignored),
        cmocka_unit_test(both_kinds_of_no_ice_links_are_offered_and_the_preferred_one_dialled),
        cmocka_unit_test(an_attach_that_breaks_the_rules_is_refused),
        cmocka_unit_test(an_update_is_owed_once_the_link_is_up),
        cmocka_unit_test(an_attach_over_a_link_that_no_attach_made_is_dialled_too),
        cmocka_unit_test(a_repeated_attach_is_not_dialled_twice),
        cmocka_unit_test(an_attach_from_a_node_whose_link_is_expected_is_in_progress),
        cmocka_unit_test(the_cap_on_attaches_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
