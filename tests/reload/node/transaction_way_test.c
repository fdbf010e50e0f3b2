/* The ways that own requests take while links and the ring change: RFC 6940 s6.2.1. */
#include "tests/reload/node/asking.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#define ROUND_MS 3000 /* overlay-reliability-timer */

/* R6940-6.2.1-3: a connected node is sent to directly, whatever the topology says. */
static void a_request_to_a_connected_node_takes_its_link(void **state)
{
    struct rig *rig = *state;
    reload_link_id link;
    asking_ping(rig, &rig->parties[1].id);
    rig_sent(rig, 0, &link);
    assert_int_equal(link, 2);
}

/* R6940-6.2.1-2: a source route; its first entry is taken off by who it names. */
static void a_source_route_goes_to_its_first_entry(void **state)
{
    struct rig *rig = *state;
    uint64_t request;
    reload_link_id link;
    struct reload_node_id far = reload_standin_node_id(55);
    const struct reload_target target = { .via = &rig->parties[1].id,
                                          .id = reload_node_id_slice(&far) };
    assert_int_equal(
        reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &request), 0);
    rig_pull(rig);
    struct reload_message m = rig_sent(rig, 0, &link);
    assert_int_equal(link, 2);
    assert_true(
        reload_slice_equal(m.header.destination_list, rig_nodes(&rig->parties[1].id, &far)));
}

/* s6.6.3.1: what left by a link that misses acks most probably got lost; the end-to-end timer need
 * not find out. It is the same transmission, and the answer may come either way. */
static void a_request_that_left_by_a_suspect_link_leaves_by_another_as_well(void **state)
{
    struct rig *rig = *state;
    reload_link_id link;
    uint64_t request = asking_ping_resource(rig);
    asking_ping(rig, &rig->parties[0].id); /* that node itself: there is no other way */
    uint64_t transaction = rig_sent(rig, 0, &link).header.transaction_id;
    assert_int_equal(link, 1);
    rig->fake.hop = rig->parties[1].id;
    reload_node_link_suspect(rig->node, 2, true, rig->now); /* none left by that one */
    reload_node_link_suspect(rig->node, 2, false, rig->now);
    rig_clear(rig);
    reload_node_link_suspect(rig->node, 1, true, rig->now);
    rig_pull(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(rig, 0, &link).header.transaction_id, transaction);
    assert_int_equal(link, 2);
    struct rig_message answer = asking_answer_by(rig, 3, transaction);
    rig_receive(rig, 1, &answer);
    assert_int_equal(asking_result(rig)->request, request);
    assert_int_equal(asking_result(rig)->transmissions, 1);
}

/* A user need not see that a node which was part of the overlay looks for another peer. */
static void between_two_peers_a_request_waits_for_a_link(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    const struct reload_topology_host *host = rig.fake.host;
    host->state(host->context, RELOAD_TOPOLOGY_JOINED, "");
    host->state(host->context, RELOAD_TOPOLOGY_JOINING, "");
    uint64_t request = asking_ping_resource(&rig);
    rig.now.monotonic_ms += ROUND_MS + 1;
    reload_node_tick(rig.node, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig.fake.hop = rig.parties[0].id;
    rig_link(&rig, 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    struct rig_message answer =
        asking_answer_by(&rig, 3, rig_sent(&rig, 0, NULL).header.transaction_id);
    rig_link(&rig, 1); /* once */
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    rig_receive(&rig, 1, &answer);
    assert_int_equal(asking_result(&rig)->request, request);
    assert_int_equal(asking_result(&rig)->error, 0);
    rig_fini(&rig);
}

static void a_request_that_nobody_can_take_fails_soon(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop.len = 0;
    struct reload_node_id far = reload_standin_node_id(55);
    asking_ping(rig, &far);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_run(rig, 100);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(asking_result(rig)->error, RELOAD_E_NOT_FOUND);
}

/* A repetition that finds no next hop waits for one: the ring may be healing. */
static void a_route_that_goes_away_may_come_back(void **state)
{
    struct rig *rig = *state;
    struct reload_node_id far = reload_standin_node_id(55);
    asking_ping(rig, &far);
    rig->fake.hop.len = 0;
    rig_run(rig, ROUND_MS);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    rig->fake.hop = rig->parties[1].id;
    rig_run(rig, ROUND_MS);
    reload_link_id link;
    rig_sent(rig, 1, &link);
    assert_int_equal(link, 2);
}

/* A peer that becomes responsible while its request is out answers itself. */
static void a_repetition_may_turn_out_to_be_for_this_node(void **state)
{
    struct rig *rig = *state;
    asking_ping_resource(rig);
    rig->fake.owns_everything = true;
    rig_run(rig, ROUND_MS);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(asking_result(rig)->error, 0);
}

/* R6940-6.2.1-8: what is only forwarded is not repeated here. */
static void a_forwarded_request_is_not_repeated(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = {
        .signer = &rig->parties[0],
        .code = RELOAD_PING_REQ,
        .body = rig_ping,
        .destination_list = rig_nodes(&rig->parties[1].id, NULL),
    };
    rig_receive(rig, 1, &m);
    rig_run(rig, 60000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
}

/* R6940-A.5-1, R6940-6.2.1-8: a path that fails in the middle is the requester's to find out; its
 * retransmission takes the path that there is then. */
static void a_request_that_its_path_lost_is_left_to_the_requester(void **state)
{
    struct rig *rig = *state;
    reload_link_id link;
    rig_link(rig, 2);
    rig->fake.hop = rig->parties[1].id;
    rig_clear(rig);
    struct reload_node_id far = reload_standin_node_id(55);
    struct rig_message m = {
        .signer = &rig->parties[0],
        .code = RELOAD_PING_REQ,
        .body = rig_ping,
        .destination_list = rig_nodes(&far, NULL),
        .transaction_id = 4711,
    };
    rig_receive(rig, 1, &m);
    rig_sent(rig, 0, &link);
    assert_int_equal(link, 2);
    const struct rig_action *action = rig_action(rig, RELOAD_ACTION_SEND, 0);
    uint8_t kept[2000];
    size_t len = action->len;
    memcpy(kept, action->bytes, len);
    reload_node_link_down(rig->node, 2, rig->now);
    rig->fake.hop = rig->parties[2].id;
    reload_node_returned(rig->node, kept, len, rig->now); /* nor when the link gives it back */
    reload_node_returned(rig->node, kept, 10, rig->now);  /* no message at all */
    assert_int_equal(reload_node_counters(rig->node)->returned, 0);
    rig_run(rig, 60000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 1, &link).header.transaction_id, 4711);
    assert_int_equal(link, 3);
}

/* R6940-6.2.1-6: that is no transmission more. */
static void an_own_request_that_comes_back_leaves_at_once_and_is_still_sent_five_times(void **state)
{
    struct rig *rig = *state;
    reload_link_id link;
    rig_link(rig, 2);
    rig_clear(rig);
    struct reload_node_id far = reload_standin_node_id(55);
    asking_ping(rig, &far);
    uint64_t id = rig_sent(rig, 0, &link).header.transaction_id;
    const struct rig_action *action = rig_action(rig, RELOAD_ACTION_SEND, 0);
    uint8_t kept[2000];
    size_t len = action->len;
    memcpy(kept, action->bytes, len);
    reload_node_link_down(rig->node, link, rig->now);
    rig->fake.hop = rig->parties[2].id;
    reload_node_returned(rig->node, kept, len, rig->now);
    rig_pull(rig);
    assert_int_equal(rig_sent(rig, 1, &link).header.transaction_id, id);
    assert_int_equal(link, 3);
    rig_run(rig, 60000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 6);
    assert_int_equal(asking_result(rig)->transmissions, 5);
    reload_node_returned(rig->node, kept, len, rig->now); /* it has ended */
    rig_pull(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 6);
    assert_int_equal(reload_node_counters(rig->node)->returned, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASKING(a_request_to_a_connected_node_takes_its_link),
        ASKING(a_source_route_goes_to_its_first_entry),
        ASKING(a_request_that_left_by_a_suspect_link_leaves_by_another_as_well),
        cmocka_unit_test(between_two_peers_a_request_waits_for_a_link),
        ASKING(a_request_that_nobody_can_take_fails_soon),
        ASKING(a_route_that_goes_away_may_come_back),
        ASKING(a_repetition_may_turn_out_to_be_for_this_node),
        ASKING(a_forwarded_request_is_not_repeated),
        ASKING(a_request_that_its_path_lost_is_left_to_the_requester),
        ASKING(an_own_request_that_comes_back_leaves_at_once_and_is_still_sent_five_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
