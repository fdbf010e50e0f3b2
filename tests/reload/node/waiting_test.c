/* Requests wait while the topology finds out who answers for their id: sent to a node that is gone
 * they would be lost until their requester repeats them (RFC 6940 s6.2.1). */
#include "tests/reload/node/receipt_rig.h"

#include "reload/config/registry.h"
#include "reload/node/state.h"
#include "reload/wire/fetch.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static const char key[] = "0123456789abcdef";

static struct rig_message ping_to(const struct rig *rig, struct reload_slice destination_list)
{
    return (struct rig_message){ .signer = &rig->parties[3],
                                 .code = RELOAD_PING_REQ,
                                 .body = rig_ping,
                                 .destination_list = destination_list };
}

static struct rig_message ping_resource(const struct rig *rig)
{
    return ping_to(rig, rig_resource(key, 16));
}

static void decide(struct rig *rig)
{
    rig->fake.undecided = false;
    rig_run(rig, 1);
    reload_node_tick(rig->node, rig->now);
    rig_pull(rig);
}

/* R6940-10.7.1-1: the one that was asked lives, and gets it; once, and with nothing else changed.
 */
static void a_request_waits_until_the_next_hop_is_known_to_live(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    rig->fake.undecided = true;
    struct rig_message m = ping_resource(rig);
    uint64_t id = rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    rig_run(rig, 500);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    decide(rig);
    reload_link_id link;
    struct reload_message sent = rig_sent(rig, 0, &link);
    assert_int_equal(link, 2);
    assert_int_equal(sent.header.transaction_id, id);
    assert_true(reload_slice_equal(sent.header.via_list, rig_nodes(&rig->parties[0].id, NULL)));
    decide(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
}

/* It is lost, and its range is this node's: the request is answered here. */
static void a_request_for_what_has_become_ours_is_answered(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    rig->fake.undecided = true;
    struct rig_message m = ping_resource(rig);
    uint64_t id = rig_receive(rig, 1, &m);
    rig->fake.owns_everything = true;
    decide(rig);
    reload_link_id link;
    struct reload_message sent = rig_sent(rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(sent.message_code, RELOAD_PING_ANS);
    assert_int_equal(sent.header.transaction_id, id);
}

/* It came round a node, which is checked because of that. */
static void the_request_that_begins_a_check_waits_for_it(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[0].id;
    rig->fake.other_hop = rig->parties[1].id;
    rig->fake.other_hop_checks = true;
    struct rig_message m = ping_resource(rig);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    decide(rig); /* it has waited once: sent on, though it begins another check */
    reload_link_id link;
    rig_sent(rig, 0, &link);
    assert_int_equal(link, 2);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_NO_ROUTE), 0);
}

/* R6940-6.1.2-14: nothing but requests that the topology routes. */
static void answers_and_what_goes_to_a_linked_node_do_not_wait(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[2].id;
    rig->fake.undecided = true;
    struct rig_message m = ping_to(rig, rig_nodes(&rig->parties[1].id, NULL));
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    struct reload_node_id gone = reload_standin_node_id(66);
    m = ping_to(rig, rig_nodes(&rig->me.id, &gone));
    m.code = RELOAD_PING_ANS;
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_RETURN_GONE), 1);
    rig->fake.owns_everything = true;
    m = ping_resource(rig);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 2);
}

/* Whoever is silent may have stored it, and his heir would do it again. */
static void a_store_does_not_wait(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    rig->fake.undecided = true;
    struct rig_message m = ping_resource(rig);
    m.code = RELOAD_STORE_REQ;
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
}

/* Its answer would not find back. */
static void what_came_over_a_link_that_is_gone_is_forgotten(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    rig->fake.undecided = true;
    struct rig_message m = ping_resource(rig);
    rig_receive(rig, 1, &m);
    reload_node_link_down(rig->node, 1, rig->now);
    decide(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
}

/* RELOAD_WAITING_MAX, and no memory: it goes on at once. */
static void what_cannot_wait_goes_on(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    rig->fake.undecided = true;
    for (size_t i = 0; i < RELOAD_WAITING_MAX; i++) {
        struct rig_message m = ping_resource(rig);
        rig_receive(rig, 1, &m);
    }
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    struct rig_message m = ping_resource(rig);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    decide(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), RELOAD_WAITING_MAX + 1);
}

static uint64_t own(struct rig *rig)
{
    uint64_t request;
    const struct reload_target target = { .resource = true, .id = reload_slice_of(key, 16) };
    assert_int_equal(
        reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &request), 0);
    rig_pull(rig);
    return request;
}

/* R6940-6.2.1-3 R6940-6.2.1-5: the transmission that waited is no other one, and its timer runs. */
static void an_own_request_waits_and_leaves_as_the_transmission_it_is(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    rig->fake.undecided = true;
    own(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    rig_run(rig, 600);
    decide(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    rig_run(rig, 2000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    rig_run(rig, 400);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 2);
    assert_int_equal(reload_node_counters(rig->node)->retransmitted, 1);
}

/* Without a next hop too: it does not fail, since there may be one in a moment. */
static void an_own_request_without_a_way_waits_for_the_decision(void **state)
{
    struct rig *rig = *state;
    rig->fake.undecided = true;
    own(rig);
    rig_run(rig, 500);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig->fake.hop = rig->parties[1].id;
    decide(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
}

/* On its way to a node that is lost now, whose range is this node's: it need not be repeated. */
static void an_own_request_for_what_has_become_ours_is_answered_here(void **state)
{
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[1].id;
    own(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    rig->fake.owns_everything = true;
    rig->fake.host->lost(rig->fake.host->context);
    reload_node_tick(rig->node, rig->now);
    rig_pull(rig);
    const struct rig_action *done = rig_action(rig, RELOAD_ACTION_REQUEST_DONE, 0);
    assert_non_null(done);
    assert_int_equal(done->action.result.error, 0);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
}

/* "There is nothing" would be wrong while the silent one may live: its repetitions ask again. */
static void an_own_fetch_of_what_is_not_held_is_not_answered_too_early(void **state)
{
    struct rig *rig = *state;
    uint64_t request;
    uint8_t body[100];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    const struct reload_slice resource = reload_slice_of(key, 16);
    size_t mark = reload_fetch_req_begin(&w, resource);
    struct reload_specifier_mark kind =
        reload_specifier_begin(&w, RELOAD_KIND_CERTIFICATE_BY_NODE, 0, RELOAD_MODEL_ARRAY);
    reload_wr_array_range(&w, (struct reload_array_range){ 0, RELOAD_ARRAY_LAST });
    reload_specifier_end(&w, kind, RELOAD_MODEL_ARRAY);
    reload_fetch_req_end(&w, mark);
    rig->fake.hop = rig->parties[1].id;
    rig->fake.undecided = rig->fake.uncertain = true;
    assert_int_equal(
        reload_node_fetch(rig->node, resource, reload_writer_slice(&w), rig->now, &request), 0);
    rig->fake.owns_everything = true;
    decide(rig);
    rig->fake.host->lost(rig->fake.host->context);
    rig_run(rig, 4000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig->fake.uncertain = false;
    rig_run(rig, 4000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECEIPT(a_request_waits_until_the_next_hop_is_known_to_live),
        RECEIPT(a_request_for_what_has_become_ours_is_answered),
        RECEIPT(the_request_that_begins_a_check_waits_for_it),
        RECEIPT(answers_and_what_goes_to_a_linked_node_do_not_wait),
        RECEIPT(a_store_does_not_wait),
        RECEIPT(what_came_over_a_link_that_is_gone_is_forgotten),
        RECEIPT(what_cannot_wait_goes_on),
        RECEIPT(an_own_request_waits_and_leaves_as_the_transmission_it_is),
        RECEIPT(an_own_request_without_a_way_waits_for_the_decision),
        RECEIPT(an_own_fetch_of_what_is_not_held_is_not_answered_too_early),
        RECEIPT(an_own_request_for_what_has_become_ours_is_answered_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
