/* Forwarding: RFC 6940 s6.1.2, and that it costs no allocation. */
#include "tests/reload/node/receipt_rig.h"

#include "reload/alloc.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <time.h>

/* R6940-6.1.2-1 R6940-6.1.2-3 R6940-6.1.2-4 R6940-6.3.2-9 R6940-6.1-3: the previous hop is
 * appended to the Via List, TTL is one less, and not a byte behind the header changes, bad
 * signature or not. */
static void a_request_goes_to_the_next_hop_with_the_previous_one_in_its_via_list(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.fake.hop = rig.parties[1].id;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_link(&rig, 1);
    struct reload_node_id far = reload_standin_node_id(55);
    struct rig_message m = {
        .signer = &rig.parties[2],
        .code = RELOAD_PING_REQ,
        .body = rig_ping,
        .destination_list = rig_nodes(&far, NULL),
        .via_list = rig_nodes(&rig.parties[2].id, NULL),
        .ttl = 9,
        .bad_signature = true,
    };
    struct reload_slice in = rig_encode(&rig, &m, NULL);
    rig_receive_bytes(&rig, 1, in);
    reload_link_id link;
    struct reload_message out = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 2);
    assert_int_equal(out.header.ttl, 8);
    struct reload_slice via = rig_nodes(&rig.parties[2].id, &rig.parties[0].id);
    assert_true(reload_slice_equal(out.header.via_list, via));
    assert_true(reload_slice_equal(out.header.destination_list, m.destination_list));
    struct reload_forwarding_header before;
    assert_int_equal(reload_forwarding_header_decode(in, 16, &before), 0);
    const struct rig_action *sent = rig_action(&rig, RELOAD_ACTION_SEND, 0);
    struct reload_slice whole = { sent->bytes, sent->len };
    assert_true(
        reload_slice_equal(reload_payload(in, &before), reload_payload(whole, &out.header)));
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1);
    assert_int_equal(reload_standin_counters(rig.me.standin)->verifications, 0);
    rig_fini(&rig);
}

/* s10.3 alone would hand it to and fro until its TTL is spent. */
static void a_request_does_not_go_back_where_it_came_from(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.fake.hop = rig.parties[0].id;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_link(&rig, 1);
    struct reload_node_id far = reload_standin_node_id(55);
    struct rig_message m = { .signer = &rig.parties[2],
                             .code = RELOAD_PING_REQ,
                             .body = rig_ping,
                             .destination_list = rig_nodes(&far, NULL) };
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_NO_ROUTE), 1);
    assert_true(reload_node_id_equal(&rig.fake.last_node, &rig.parties[0].id));
    rig.fake.other_hop = rig.parties[3].id; /* not linked */
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_NO_ROUTE), 2);
    rig.fake.other_hop = rig.parties[1].id;
    rig_receive(&rig, 1, &m);
    reload_link_id link;
    rig_sent(&rig, 0, &link);
    assert_int_equal(link, 2);
    m.destination_list = rig_nodes(&rig.me.id, &rig.parties[0].id); /* its own wish */
    rig_receive(&rig, 1, &m);
    rig_sent(&rig, 1, &link);
    assert_int_equal(link, 1);
    rig_fini(&rig);
}

/* Three nodes, each of which thinks the next one gone, would hand it round. */
static void a_request_does_not_go_behind_where_it_came_from(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    rig->fake.retreats = true;
    struct reload_node_id far = reload_standin_node_id(55);
    struct rig_message m = { .signer = &rig->parties[3],
                             .code = RELOAD_PING_REQ,
                             .body = rig_ping,
                             .destination_list = rig_nodes(&far, NULL) };
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_NO_ROUTE), 1);
    rig->fake.other_hop = rig->parties[2].id;
    rig_receive(rig, 1, &m);
    reload_link_id link;
    rig_sent(rig, 0, &link);
    assert_int_equal(link, 3);
    m.destination_list =
        rig_nodes(&rig->parties[1].id, NULL); /* linked: not the topology's choice */
    rig_receive(rig, 1, &m);
    rig_sent(rig, 1, &link);
    assert_int_equal(link, 2);
}

static double forward_once_ns(struct rig *rig, struct reload_slice bytes, unsigned times)
{
    struct timespec a, b;
    struct reload_action action;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (unsigned i = 0; i < times; i++) {
        reload_node_receive(rig->node, 1, bytes.p, bytes.n, rig->now);
        while (reload_node_next(rig->node, &action))
            ;
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    return ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / times;
}

static void in_steady_state_forwarding_allocates_nothing(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.fake.hop = rig.parties[1].id;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_link(&rig, 1);
    uint8_t padding[1000] = { 998 >> 8, 998 & 0xff };
    struct reload_node_id far = reload_standin_node_id(55);
    struct rig_message m = {
        .signer = &rig.parties[0],
        .code = RELOAD_PING_REQ,
        .body = reload_slice_of(padding, sizeof padding),
        .destination_list = rig_nodes(&far, NULL),
    };
    struct reload_slice bytes = rig_encode(&rig, &m, NULL);
    forward_once_ns(&rig, bytes, 10);
    unsigned long before = reload_alloc_count();
    double ns = forward_once_ns(&rig, bytes, 1000);
    assert_int_equal(reload_alloc_count() - before, 0);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1010);
    print_message("forwarding 1 KB: %.0f ns\n", ns);
    rig_fini(&rig);
}

/* R6940-6.1.2-14: a response is not re-routed to an unrelated node. */
static void a_response_whose_next_hop_is_gone_is_dropped(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    struct reload_node_id gone = reload_standin_node_id(66);
    struct rig_message m = receipt_ping(rig, 0);
    m.code = RELOAD_PING_ANS;
    m.destination_list = rig_nodes(&rig->me.id, &gone);
    rig_receive(rig, 1, &m);
    receipt_expect_silence(rig, RELOAD_DROP_RETURN_GONE, 1);
}

/* R6940-6.1.2-13: a response on its way grows no Via List. */
static void a_forwarded_response_keeps_its_empty_via_list(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    m.code = RELOAD_PING_ANS;
    m.destination_list = rig_nodes(&rig->me.id, &rig->parties[1].id);
    rig_receive(rig, 1, &m);
    struct reload_message out = rig_sent(rig, 0, NULL);
    assert_int_equal(out.header.via_list.n, 0);
    assert_true(
        reload_slice_equal(out.header.destination_list, rig_nodes(&rig->parties[1].id, NULL)));
}

/* Without a next hop a message is dropped and counted. */
static void a_message_without_a_route_is_dropped(void **state)
{
    struct rig *rig = *state;
    struct reload_node_id far = reload_standin_node_id(66);
    struct rig_message m = receipt_ping(rig, 0);
    m.destination_list = rig_nodes(&far, NULL);
    rig_receive(rig, 1, &m);
    receipt_expect_silence(rig, RELOAD_DROP_NO_ROUTE, 1);
}

/* s4.2: a client carries nothing for others. */
static void a_client_does_not_forward(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.role = RELOAD_ROLE_CLIENT;
    rig.fake.hop = rig.parties[1].id;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_link(&rig, 1);
    rig_clear(&rig);
    struct reload_node_id far = reload_standin_node_id(66);
    struct rig_message m = receipt_ping(&rig, 0);
    m.destination_list = rig_nodes(&far, NULL);
    rig_receive(&rig, 1, &m);
    receipt_expect_silence(&rig, RELOAD_DROP_NO_ROUTE, 1);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_to_the_next_hop_with_the_previous_one_in_its_via_list),
        cmocka_unit_test(a_request_does_not_go_back_where_it_came_from),
        RECEIPT(a_request_does_not_go_behind_where_it_came_from),
        cmocka_unit_test(in_steady_state_forwarding_allocates_nothing),
        RECEIPT(a_response_whose_next_hop_is_gone_is_dropped),
        RECEIPT(a_forwarded_response_keeps_its_empty_via_list),
        RECEIPT(a_message_without_a_route_is_dropped),
        cmocka_unit_test(a_client_does_not_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
