/* Own requests: RFC 6940 s6.2.1, and who may answer them: s6.3.4. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

#define ROUND_MS 3000 /* overlay-reliability-timer */

static void set_up(struct rig *rig)
{
    rig_init(rig);
    rig->fake.hop = rig->parties[0].id;
    rig_start(rig);
    rig_link(rig, 0);
    rig_link(rig, 1);
    rig_clear(rig);
}

/* A Ping of the application to a far node. Returns its request number. */
static uint64_t ping(struct rig *rig, const struct reload_node_id *to)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(to) };
    assert_int_equal(
        reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &request), 0);
    rig_pull(rig);
    return request;
}

static uint64_t ping_resource(struct rig *rig)
{
    uint64_t request;
    const struct reload_target target = { .resource = true,
                                          .id = reload_slice_of("0123456789abcdef", 16) };
    assert_int_equal(
        reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &request), 0);
    rig_pull(rig);
    return request;
}

static struct rig_message answer_by(const struct rig *rig, size_t party, uint64_t id)
{
    static const uint8_t body[16];
    return (struct rig_message){
        .signer = &rig->parties[party],
        .code = RELOAD_PING_ANS,
        .body = { body, sizeof body },
        .transaction_id = id,
    };
}

static struct rig_message error_by(const struct rig *rig, size_t party, uint64_t id, uint16_t code)
{
    static uint8_t body[4];
    body[0] = (uint8_t)(code >> 8);
    body[1] = (uint8_t)code;
    struct rig_message m = answer_by(rig, party, id);
    m.code = RELOAD_ERROR;
    m.body = reload_slice_of(body, sizeof body);
    return m;
}

static const struct reload_result *result(const struct rig *rig)
{
    const struct rig_action *done = rig_action(rig, RELOAD_ACTION_REQUEST_DONE, 0);
    assert_non_null(done);
    return &done->action.result;
}

/* R6940-6.2.1-1 R6940-6.2.1-3 R6940-6.2.1-5 R6940-6.2.1-6 R6940-6.2.1-7 R6940-3-3 R6940-6.3.2-27
 * R6940-6.3.2-13: five transmissions 3 s apart with one transaction_id, then failure. */
static void a_request_is_sent_five_times_and_then_fails(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct reload_node_id far = reload_standin_node_id(55);
    uint64_t request = ping(&rig, &far);
    struct reload_message first = rig_sent(&rig, 0, NULL);
    assert_int_equal(first.header.ttl, 100);
    assert_int_equal(first.header.via_list.n, 0);
    assert_int_equal(first.header.fragment, RELOAD_FRAGMENT_WHOLE);
    assert_true(reload_slice_equal(first.header.destination_list, rig_nodes(&far, NULL)));
    for (unsigned n = 2; n <= 5; n++) {
        rig_run(&rig, ROUND_MS - 1);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), n - 1);
        rig_run(&rig, 1);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), n);
        struct reload_message again = rig_sent(&rig, n - 1, NULL);
        assert_int_equal(again.header.transaction_id, first.header.transaction_id);
        assert_true(reload_slice_equal(again.contents, first.contents));
    }
    rig_run(&rig, ROUND_MS - 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_run(&rig, 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 5);
    assert_int_equal(result(&rig)->request, request);
    assert_int_equal(result(&rig)->error, RELOAD_E_TIMEOUT);
    assert_int_equal(result(&rig)->transmissions, 5);
    assert_int_equal(reload_node_counters(rig.node)->retransmitted, 4);
    assert_int_equal(reload_node_counters(rig.node)->timed_out, 1);
    rig_fini(&rig);
}

/* R6940-6.3.2-22: no two alike, and not in a row. */
static void transaction_ids_are_random(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct reload_node_id far = reload_standin_node_id(55);
    ping(&rig, &far);
    ping(&rig, &far);
    uint64_t a = rig_sent(&rig, 0, NULL).header.transaction_id;
    uint64_t b = rig_sent(&rig, 1, NULL).header.transaction_id;
    uint64_t distance = a > b ? a - b : b - a;
    assert_true(distance > 0xffffff);
    rig_fini(&rig);
}

/* R6940-6.2.1-3: a connected node is sent to directly, whatever the topology says. */
static void a_request_to_a_connected_node_takes_its_link(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    ping(&rig, &rig.parties[1].id);
    rig_sent(&rig, 0, &link);
    assert_int_equal(link, 2);
    rig_fini(&rig);
}

/* R6940-6.2.1-2: a source route; its first entry is taken off by who it names. */
static void a_source_route_goes_to_its_first_entry(void **state)
{
    struct rig rig;
    uint64_t request;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    struct reload_node_id far = reload_standin_node_id(55);
    const struct reload_target target = { .via = &rig.parties[1].id,
                                          .id = reload_node_id_slice(&far) };
    assert_int_equal(
        reload_node_request(rig.node, &target, RELOAD_PING_REQ, rig_ping, rig.now, &request), 0);
    rig_pull(&rig);
    struct reload_message m = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 2);
    assert_true(reload_slice_equal(m.header.destination_list, rig_nodes(&rig.parties[1].id, &far)));
    rig_fini(&rig);
}

/* R6940-6.3.2-6 R6940-6.3.2-13 R6940-6.3.2-27 */
static void a_request_carries_the_own_sequence_the_initial_ttl_and_no_via_list(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    (void)ping(&rig, &rig.parties[2].id);
    struct reload_forwarding_header h = rig_sent(&rig, 0, NULL).header;
    assert_int_equal(h.configuration_sequence, rig.config.config.sequence);
    assert_int_not_equal(h.configuration_sequence, 0);
    assert_int_equal(h.ttl, 100);
    assert_int_equal(h.via_list.n, 0);
    rig_fini(&rig);
}

/* R6940-6.3.4-21 R6940-6.3.4-23: by the node that was asked, and nobody else. */
static void an_answer_by_the_wrong_node_is_dropped_and_the_right_one_taken(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    uint64_t request = ping(&rig, &rig.parties[2].id);
    uint64_t id = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message wrong = answer_by(&rig, 3, id);
    rig_receive(&rig, 1, &wrong);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_IDENTITY), 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_run(&rig, ROUND_MS); /* goes on being repeated */
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 2);
    struct rig_message forged = answer_by(&rig, 2, id);
    forged.bad_signature = true;
    rig_receive(&rig, 1, &forged);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_SIGNATURE), 1);
    rig_wait(&rig, 40);
    struct rig_message right = answer_by(&rig, 2, id);
    right.ttl = 98;
    rig_receive(&rig, 1, &right);
    assert_int_equal(result(&rig)->request, request);
    assert_int_equal(result(&rig)->error, 0);
    assert_int_equal(result(&rig)->hops, 3);
    assert_int_equal(result(&rig)->transmissions, 2);
    assert_int_equal(result(&rig)->round_trip_ms, 40);
    assert_true(reload_node_id_equal(&result(&rig)->signer, &rig.parties[2].id));
    rig_receive(&rig, 1, &right); /* once more: nothing waits for it */
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNEXPECTED), 1);
    rig_fini(&rig);
}

/* An idle link does not tell that its far end has gone; an answer from too far away hints at it,
 * and the topology finds out. */
static void an_answer_from_too_far_away_has_the_node_nearby_looked_after(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig_link(&rig, 2);
    rig_clear(&rig);
    rig.fake.hop = rig.parties[1].id;
    rig.fake.far = true;
    rig.fake.closer = rig.parties[2].id;
    uint64_t request = ping_resource(&rig);
    uint64_t transaction = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message answer = answer_by(&rig, 1, transaction);
    rig_receive(&rig, 2, &answer);
    rig_receive(&rig, 2, &answer); /* asked once a transmission */
    assert_int_equal(rig.fake.doubts, 1);
    assert_true(reload_node_id_equal(&rig.fake.last_node, &rig.parties[2].id));
    const struct reload_topology_host *host = rig.fake.host;
    host->lost(host->context); /* silent, as its plug-in found */
    reload_node_tick(rig.node, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 2);
    assert_int_equal(rig_sent(&rig, 1, NULL).header.transaction_id, transaction);
    rig_receive(&rig, 2, &answer);
    assert_int_equal(rig.fake.doubts, 2);
    rig.fake.far = false;
    reload_node_link_down(rig.node, 3, rig.now); /* or its link fails */
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    rig_receive(&rig, 2, &answer);
    assert_int_equal(result(&rig)->request, request);
    assert_int_equal(result(&rig)->transmissions, 3);
    rig_fini(&rig);
}

/* s6.6.3.1: what left by a link that misses acks most probably got lost; the end-to-end timer need
 * not find out. It is the same transmission, and the answer may come either way. */
static void a_request_that_left_by_a_suspect_link_leaves_by_another_as_well(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    uint64_t request = ping_resource(&rig);
    ping(&rig, &rig.parties[0].id); /* that node itself: there is no other way */
    uint64_t transaction = rig_sent(&rig, 0, &link).header.transaction_id;
    assert_int_equal(link, 1);
    rig.fake.hop = rig.parties[1].id;
    reload_node_link_suspect(rig.node, 2, true, rig.now); /* none left by that one */
    reload_node_link_suspect(rig.node, 2, false, rig.now);
    rig_clear(&rig);
    reload_node_link_suspect(rig.node, 1, true, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(&rig, 0, &link).header.transaction_id, transaction);
    assert_int_equal(link, 2);
    struct rig_message answer = answer_by(&rig, 3, transaction);
    rig_receive(&rig, 1, &answer);
    assert_int_equal(result(&rig)->request, request);
    assert_int_equal(result(&rig)->transmissions, 1);
    rig_fini(&rig);
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
    uint64_t request = ping_resource(&rig);
    rig.now.monotonic_ms += ROUND_MS + 1;
    reload_node_tick(rig.node, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig.fake.hop = rig.parties[0].id;
    rig_link(&rig, 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    struct rig_message answer = answer_by(&rig, 3, rig_sent(&rig, 0, NULL).header.transaction_id);
    rig_link(&rig, 1); /* once */
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    rig_receive(&rig, 1, &answer);
    assert_int_equal(result(&rig)->request, request);
    assert_int_equal(result(&rig)->error, 0);
    rig_fini(&rig);
}

/* R6940-6.3.4-22: by a node at least as close to the Resource-ID as every neighbor. */
static void an_answer_for_a_resource_must_come_from_close_by(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    ping_resource(&rig);
    uint64_t id = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message m = answer_by(&rig, 3, id);
    rig.fake.far = true;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_IDENTITY), 1);
    rig.fake.far = false;
    rig_receive(&rig, 1, &m);
    assert_int_equal(result(&rig)->error, 0);
    rig_fini(&rig);
}

/* R6940-6.3.4-21: "unless the response has been sent to the wildcard" (docs/protocol.md). */
static void the_wildcard_may_be_answered_by_anybody(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct reload_node_id wildcard = reload_node_id_wildcard(16);
    uint64_t request;
    const struct reload_target target = { .via = &rig.parties[1].id,
                                          .id = reload_node_id_slice(&wildcard) };
    assert_int_equal(
        reload_node_request(rig.node, &target, RELOAD_PING_REQ, rig_ping, rig.now, &request), 0);
    rig_pull(&rig);
    struct rig_message m = answer_by(&rig, 4, rig_sent(&rig, 0, NULL).header.transaction_id);
    rig_receive(&rig, 2, &m);
    assert_int_equal(result(&rig)->error, 0);
    rig_fini(&rig);
}

static void an_answer_of_another_method_is_not_taken(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    ping(&rig, &rig.parties[1].id);
    struct rig_message m = answer_by(&rig, 1, rig_sent(&rig, 0, NULL).header.transaction_id);
    m.code = RELOAD_STORE_ANS;
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNEXPECTED), 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_fini(&rig);
}

/* R6940-6.3.3.1-3: an error response ends the request with its code and error_info. */
static void an_error_response_ends_the_request(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    ping(&rig, &rig.parties[1].id);
    uint64_t id = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message m = error_by(&rig, 1, id, RELOAD_ERROR_FORBIDDEN);
    rig_receive(&rig, 2, &m);
    assert_int_equal(result(&rig)->error, RELOAD_E_FORBIDDEN);
    assert_int_equal(result(&rig)->error_code, RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(reload_node_counters(rig.node)->errors_received, 1);
    rig_fini(&rig);
}

static void a_malformed_error_response_is_dropped(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    ping(&rig, &rig.parties[1].id);
    uint64_t id = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message m = error_by(&rig, 1, id, RELOAD_ERROR_FORBIDDEN);
    m.body.n = 3;
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_BODY), 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_fini(&rig);
}

/* R6940-6.3.3-4 for responses: an unknown critical extension makes it useless. */
static void a_response_with_an_unknown_critical_extension_is_dropped(void **state)
{
    static const uint8_t critical[] = { 0x77, 0x77, 1, 0, 0, 0, 0 };
    struct rig rig;
    (void)state;
    set_up(&rig);
    ping(&rig, &rig.parties[1].id);
    struct rig_message m = answer_by(&rig, 1, rig_sent(&rig, 0, NULL).header.transaction_id);
    m.extensions = reload_slice_of(critical, sizeof critical);
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_EXTENSION), 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_fini(&rig);
}

static void a_request_that_nobody_can_take_fails_soon(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig.fake.hop.len = 0;
    struct reload_node_id far = reload_standin_node_id(55);
    ping(&rig, &far);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_run(&rig, 100);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(result(&rig)->error, RELOAD_E_NOT_FOUND);
    rig_fini(&rig);
}

/* A repetition that finds no next hop waits for one: the ring may be healing. */
static void a_route_that_goes_away_may_come_back(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct reload_node_id far = reload_standin_node_id(55);
    ping(&rig, &far);
    rig.fake.hop.len = 0;
    rig_run(&rig, ROUND_MS);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    rig.fake.hop = rig.parties[1].id;
    rig_run(&rig, ROUND_MS);
    reload_link_id link;
    rig_sent(&rig, 1, &link);
    assert_int_equal(link, 2);
    rig_fini(&rig);
}

/* A request for this node itself never leaves it, and costs no signature. */
static void a_request_to_the_own_node_is_answered_at_once(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    uint64_t before = reload_standin_counters(rig.me.standin)->signatures;
    ping(&rig, &rig.me.id);
    rig.fake.owns_everything = true;
    ping_resource(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 2);
    assert_int_equal(result(&rig)->error, 0);
    assert_int_equal(result(&rig)->body.n, 16);
    assert_int_equal(result(&rig)->hops, 0);
    assert_int_equal(reload_standin_counters(rig.me.standin)->signatures, before);
    rig_fini(&rig);
}

/* A peer that becomes responsible while its request is out answers itself. */
static void a_repetition_may_turn_out_to_be_for_this_node(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    ping_resource(&rig);
    rig.fake.owns_everything = true;
    rig_run(&rig, ROUND_MS);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(result(&rig)->error, 0);
    rig_fini(&rig);
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
        ping(&rig, &rig.parties[0].id);
    const struct reload_target target = { .id = reload_node_id_slice(&rig.parties[0].id) };
    assert_int_equal(
        reload_node_request(rig.node, &target, RELOAD_PING_REQ, rig_ping, rig.now, &request),
        RELOAD_E_LIMIT);
    rig_pull(&rig);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 1);
    rig_run(&rig, 15000);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 3);
    ping(&rig, &rig.parties[0].id);
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
    ping(&rig, &rig.parties[0].id);
    struct reload_message m = rig_sent(&rig, 0, NULL);
    assert_true(reload_slice_equal(m.header.via_list, rig_nodes(&rig.me.id, NULL)));
    struct rig_message answer = answer_by(&rig, 0, m.header.transaction_id);
    answer.destination_list = rig_nodes(&rig.me.id, &rig.me.id);
    rig_receive(&rig, 1, &answer);
    assert_int_equal(result(&rig)->error, 0);
    rig_fini(&rig);
}

/* R6940-6.2.1-8: what is only forwarded is not repeated here. */
static void a_forwarded_request_is_not_repeated(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = {
        .signer = &rig.parties[0],
        .code = RELOAD_PING_REQ,
        .body = rig_ping,
        .destination_list = rig_nodes(&rig.parties[1].id, NULL),
    };
    rig_receive(&rig, 1, &m);
    rig_run(&rig, 60000);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    rig_fini(&rig);
}

/* R6940-A.5-1, R6940-6.2.1-8: a path that fails in the middle is the requester's to find out; its
 * retransmission takes the path that there is then. */
static void a_request_that_its_path_lost_is_left_to_the_requester(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    rig_link(&rig, 2);
    rig.fake.hop = rig.parties[1].id;
    rig_clear(&rig);
    struct reload_node_id far = reload_standin_node_id(55);
    struct rig_message m = {
        .signer = &rig.parties[0],
        .code = RELOAD_PING_REQ,
        .body = rig_ping,
        .destination_list = rig_nodes(&far, NULL),
        .transaction_id = 4711,
    };
    rig_receive(&rig, 1, &m);
    rig_sent(&rig, 0, &link);
    assert_int_equal(link, 2);
    const struct rig_action *action = rig_action(&rig, RELOAD_ACTION_SEND, 0);
    uint8_t kept[2000];
    size_t len = action->len;
    memcpy(kept, action->bytes, len);
    reload_node_link_down(rig.node, 2, rig.now);
    rig.fake.hop = rig.parties[2].id;
    reload_node_returned(rig.node, kept, len, rig.now); /* nor when the link gives it back */
    reload_node_returned(rig.node, kept, 10, rig.now);  /* no message at all */
    assert_int_equal(reload_node_counters(rig.node)->returned, 0);
    rig_run(&rig, 60000);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 1, &link).header.transaction_id, 4711);
    assert_int_equal(link, 3);
    rig_fini(&rig);
}

/* R6940-6.2.1-6: that is no transmission more. */
static void an_own_request_that_comes_back_leaves_at_once_and_is_still_sent_five_times(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    rig_link(&rig, 2);
    rig_clear(&rig);
    struct reload_node_id far = reload_standin_node_id(55);
    ping(&rig, &far);
    uint64_t id = rig_sent(&rig, 0, &link).header.transaction_id;
    const struct rig_action *action = rig_action(&rig, RELOAD_ACTION_SEND, 0);
    uint8_t kept[2000];
    size_t len = action->len;
    memcpy(kept, action->bytes, len);
    reload_node_link_down(rig.node, link, rig.now);
    rig.fake.hop = rig.parties[2].id;
    reload_node_returned(rig.node, kept, len, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_sent(&rig, 1, &link).header.transaction_id, id);
    assert_int_equal(link, 3);
    rig_run(&rig, 60000);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 6);
    assert_int_equal(result(&rig)->transmissions, 5);
    reload_node_returned(rig.node, kept, len, rig.now); /* it has ended */
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 6);
    assert_int_equal(reload_node_counters(rig.node)->returned, 1);
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
        ping(&rig, &far);
        assert_int_equal(rig_sent(&rig, 0, NULL).header.ttl, ttls[i] ? ttls[i] : 100);
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_sent_five_times_and_then_fails),
        cmocka_unit_test(transaction_ids_are_random),
        cmocka_unit_test(a_request_to_a_connected_node_takes_its_link),
        cmocka_unit_test(a_source_route_goes_to_its_first_entry),
        cmocka_unit_test(a_request_carries_the_own_sequence_the_initial_ttl_and_no_via_list),
        cmocka_unit_test(an_answer_by_the_wrong_node_is_dropped_and_the_right_one_taken),
        cmocka_unit_test(a_request_that_left_by_a_suspect_link_leaves_by_another_as_well),
        cmocka_unit_test(between_two_peers_a_request_waits_for_a_link),
        cmocka_unit_test(an_answer_for_a_resource_must_come_from_close_by),
        cmocka_unit_test(the_wildcard_may_be_answered_by_anybody),
        cmocka_unit_test(an_answer_of_another_method_is_not_taken),
        cmocka_unit_test(an_error_response_ends_the_request),
        cmocka_unit_test(a_malformed_error_response_is_dropped),
        cmocka_unit_test(a_response_with_an_unknown_critical_extension_is_dropped),
        cmocka_unit_test(a_request_that_nobody_can_take_fails_soon),
        cmocka_unit_test(a_route_that_goes_away_may_come_back),
        cmocka_unit_test(a_request_to_the_own_node_is_answered_at_once),
        cmocka_unit_test(a_repetition_may_turn_out_to_be_for_this_node),
        cmocka_unit_test(the_cap_on_transactions_holds),
        cmocka_unit_test(wishes_that_cannot_be_met_are_refused),
        cmocka_unit_test(via_self_puts_the_originator_into_the_via_list),
        cmocka_unit_test(a_forwarded_request_is_not_repeated),
        cmocka_unit_test(a_request_that_its_path_lost_is_left_to_the_requester),
        cmocka_unit_test(an_answer_from_too_far_away_has_the_node_nearby_looked_after),
        cmocka_unit_test(
            an_own_request_that_comes_back_leaves_at_once_and_is_still_sent_five_times),
        cmocka_unit_test(a_request_starts_with_the_initial_ttl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
