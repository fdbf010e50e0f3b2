/* Own requests: RFC 6940 s6.2.1, what they carry and when they end. */
#include "tests/reload/node/asking.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#define ROUND_MS 3000 /* overlay-reliability-timer */

/* R6940-6.2.1-1 R6940-6.2.1-3 R6940-6.2.1-5 R6940-6.2.1-6 R6940-6.2.1-7 R6940-3-3 R6940-6.3.2-27
 * R6940-6.3.2-13: five transmissions 3 s apart with one transaction_id, then failure. */
static void a_request_is_sent_five_times_and_then_fails(void **state)
{
    struct rig *rig = *state;
    struct reload_node_id far = reload_standin_node_id(55);
    uint64_t request = asking_ping(rig, &far);
    struct reload_message first = rig_sent(rig, 0, NULL);
    assert_int_equal(first.header.ttl, 100);
    assert_int_equal(first.header.via_list.n, 0);
    assert_int_equal(first.header.fragment, RELOAD_FRAGMENT_WHOLE);
    assert_true(reload_slice_equal(first.header.destination_list, rig_nodes(&far, NULL)));
    for (unsigned n = 2; n <= 5; n++) {
        rig_run(rig, ROUND_MS - 1);
        assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), n - 1);
        rig_run(rig, 1);
        assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), n);
        struct reload_message again = rig_sent(rig, n - 1, NULL);
        assert_int_equal(again.header.transaction_id, first.header.transaction_id);
        assert_true(reload_slice_equal(again.contents, first.contents));
    }
    rig_run(rig, ROUND_MS - 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_run(rig, 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 5);
    assert_int_equal(asking_result(rig)->request, request);
    assert_int_equal(asking_result(rig)->error, RELOAD_E_TIMEOUT);
    assert_int_equal(asking_result(rig)->transmissions, 5);
    assert_int_equal(reload_node_counters(rig->node)->retransmitted, 4);
    assert_int_equal(reload_node_counters(rig->node)->timed_out, 1);
}

/* R6940-6.3.2-22: no two alike, and not in a row. */
static void transaction_ids_are_random(void **state)
{
    struct rig *rig = *state;
    struct reload_node_id far = reload_standin_node_id(55);
    asking_ping(rig, &far);
    asking_ping(rig, &far);
    uint64_t a = rig_sent(rig, 0, NULL).header.transaction_id;
    uint64_t b = rig_sent(rig, 1, NULL).header.transaction_id;
    uint64_t distance = a > b ? a - b : b - a;
    assert_true(distance > 0xffffff);
}

/* R6940-6.3.2-6 R6940-6.3.2-13 R6940-6.3.2-27 */
static void a_request_carries_the_own_sequence_the_initial_ttl_and_no_via_list(void **state)
{
    struct rig *rig = *state;
    (void)asking_ping(rig, &rig->parties[2].id);
    struct reload_forwarding_header h = rig_sent(rig, 0, NULL).header;
    assert_int_equal(h.configuration_sequence, rig->config.config.sequence);
    assert_int_not_equal(h.configuration_sequence, 0);
    assert_int_equal(h.ttl, 100);
    assert_int_equal(h.via_list.n, 0);
}

/* A request for this node itself never leaves it, and costs no signature. */
static void a_request_to_the_own_node_is_answered_at_once(void **state)
{
    struct rig *rig = *state;
    uint64_t before = reload_standin_counters(rig->me.standin)->signatures;
    asking_ping(rig, &rig->me.id);
    rig->fake.owns_everything = true;
    asking_ping_resource(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 2);
    assert_int_equal(asking_result(rig)->error, 0);
    assert_int_equal(asking_result(rig)->body.n, 16);
    assert_int_equal(asking_result(rig)->hops, 0);
    assert_int_equal(reload_standin_counters(rig->me.standin)->signatures, before);
}

static void the_cap_on_transactions_holds(void **state)
{
    struct rig rig;
    uint64_t request;
    (void)state;
    rig_init(&rig);
    rig.node_config.limits.max_transactions = 3;
    rig_start(&rig);
    rig_link(&rig, 0);
    for (int i = 0; i < 3; i++)
        asking_ping(&rig, &rig.parties[0].id);
    const struct reload_target target = { .id = reload_node_id_slice(&rig.parties[0].id) };
    assert_int_equal(
        reload_node_request(rig.node, &target, RELOAD_PING_REQ, rig_ping, rig.now, &request),
        RELOAD_E_LIMIT);
    rig_pull(&rig);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 1);
    rig_run(&rig, 15000);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 3);
    asking_ping(&rig, &rig.parties[0].id);
    rig_fini(&rig);
}

static void wishes_that_cannot_be_met_are_refused(void **state)
{
    struct rig rig;
    uint64_t request;
    uint8_t *big = test_calloc(1, 6000);
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    struct reload_target target = { .id = reload_node_id_slice(&rig.parties[0].id) };
    assert_int_equal(
        reload_node_request(rig.node, &target, RELOAD_PING_REQ, rig_ping, rig.now, &request),
        RELOAD_E_STATE);
    rig_link(&rig, 0);
    assert_int_equal(
        reload_node_request(rig.node, &target, RELOAD_PING_ANS, rig_ping, rig.now, &request),
        RELOAD_E_INVALID);
    assert_int_equal(reload_node_request(rig.node, &target, RELOAD_PING_REQ,
                                         reload_slice_of(big, 6000), rig.now, &request),
                     RELOAD_E_NOSPACE);
    target.id.n = 15;
    assert_int_equal(
        reload_node_request(rig.node, &target, RELOAD_PING_REQ, rig_ping, rig.now, &request),
        RELOAD_E_INVALID);
    assert_int_equal(reload_node_app_attach(rig.node, &target, 5060, rig.now, &request),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_node_attach(rig.node, &target, rig.now, &request), RELOAD_E_INVALID);
    target.resource = true;
    assert_int_equal(
        reload_node_request(rig.node, &target, RELOAD_PING_REQ, rig_ping, rig.now, &request),
        RELOAD_E_INVALID);
    rig_run(&rig, 20000);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    test_free(big);
    rig_fini(&rig);
}

/* The test peers' switch: the originator in its own Via List, as some implementations do. The
 * answer still finds its end. */
static void via_self_puts_the_originator_into_the_via_list(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.via_self = true;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_clear(&rig);
    asking_ping(&rig, &rig.parties[0].id);
    struct reload_message m = rig_sent(&rig, 0, NULL);
    assert_true(reload_slice_equal(m.header.via_list, rig_nodes(&rig.me.id, NULL)));
    struct rig_message answer = asking_answer_by(&rig, 0, m.header.transaction_id);
    answer.destination_list = rig_nodes(&rig.me.id, &rig.me.id);
    rig_receive(&rig, 1, &answer);
    assert_int_equal(asking_result(&rig)->error, 0);
    rig_fini(&rig);
}

/* R6940-6.3.2-14: initial-ttl, which is 100 when the document says nothing, and never more. */
static void a_request_starts_with_the_initial_ttl(void **state)
{
    (void)state;
    static const uint8_t ttls[] = { 0, 7, 100, 255 }; /* 0: the document says nothing */
    for (size_t i = 0; i < sizeof ttls; i++) {
        struct rig rig;
        rig_init(&rig);
        rig.fake.hop = rig.parties[0].id;
        rig.config.config.initial_ttl = ttls[i] ? ttls[i] : reload_config_defaults().initial_ttl;
        rig_start(&rig);
        rig_link(&rig, 0);
        rig_clear(&rig);
        struct reload_node_id far = reload_standin_node_id(55);
        asking_ping(&rig, &far);
        assert_int_equal(rig_sent(&rig, 0, NULL).header.ttl, ttls[i] ? ttls[i] : 100);
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASKING(a_request_is_sent_five_times_and_then_fails),
        ASKING(transaction_ids_are_random),
        ASKING(a_request_carries_the_own_sequence_the_initial_ttl_and_no_via_list),
        ASKING(a_request_to_the_own_node_is_answered_at_once),
        cmocka_unit_test(the_cap_on_transactions_holds),
        cmocka_unit_test(wishes_that_cannot_be_met_are_refused),
        cmocka_unit_test(via_self_puts_the_originator_into_the_via_list),
        cmocka_unit_test(a_request_starts_with_the_initial_ttl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
