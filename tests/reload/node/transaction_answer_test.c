/* Who may answer an own request, and what an answer must be: RFC 6940 s6.3.4. */
#include "tests/reload/node/asking.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#define ROUND_MS 3000 /* overlay-reliability-timer */

/* R6940-6.3.4-21 R6940-6.3.4-23: by the node that was asked, and nobody else. */
static void an_answer_by_the_wrong_node_is_dropped_and_the_right_one_taken(void **state)
{
    struct rig *rig = *state;
    uint64_t request = asking_ping(rig, &rig->parties[2].id);
    uint64_t id = rig_sent(rig, 0, NULL).header.transaction_id;
    struct rig_message wrong = asking_answer_by(rig, 3, id);
    rig_receive(rig, 1, &wrong);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_IDENTITY), 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
    rig_run(rig, ROUND_MS); /* goes on being repeated */
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 2);
    struct rig_message forged = asking_answer_by(rig, 2, id);
    forged.bad_signature = true;
    rig_receive(rig, 1, &forged);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_SIGNATURE), 1);
    rig_wait(rig, 40);
    struct rig_message right = asking_answer_by(rig, 2, id);
    right.ttl = 98;
    rig_receive(rig, 1, &right);
    assert_int_equal(asking_result(rig)->request, request);
    assert_int_equal(asking_result(rig)->error, 0);
    assert_int_equal(asking_result(rig)->hops, 3);
    assert_int_equal(asking_result(rig)->transmissions, 2);
    assert_int_equal(asking_result(rig)->round_trip_ms, 40);
    assert_true(reload_node_id_equal(&asking_result(rig)->signer, &rig->parties[2].id));
    rig_receive(rig, 1, &right); /* once more: nothing waits for it */
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_UNEXPECTED), 1);
}

/* R6940-6.3.4-22: by a node at least as close to the Resource-ID as every neighbor. */
static void an_answer_for_a_resource_must_come_from_close_by(void **state)
{
    struct rig *rig = *state;
    asking_ping_resource(rig);
    uint64_t id = rig_sent(rig, 0, NULL).header.transaction_id;
    struct rig_message m = asking_answer_by(rig, 3, id);
    rig->fake.far = true;
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_IDENTITY), 1);
    rig->fake.far = false;
    rig_receive(rig, 1, &m);
    assert_int_equal(asking_result(rig)->error, 0);
}

/* R6940-6.3.4-21: "unless the response has been sent to the wildcard" (docs/protocol.md). */
static void the_wildcard_may_be_answered_by_anybody(void **state)
{
    struct rig *rig = *state;
    struct reload_node_id wildcard = reload_node_id_wildcard(16);
    uint64_t request;
    const struct reload_target target = { .via = &rig->parties[1].id,
                                          .id = reload_node_id_slice(&wildcard) };
    assert_int_equal(
        reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &request), 0);
    rig_pull(rig);
    struct rig_message m = asking_answer_by(rig, 4, rig_sent(rig, 0, NULL).header.transaction_id);
    rig_receive(rig, 2, &m);
    assert_int_equal(asking_result(rig)->error, 0);
}

static void an_answer_of_another_method_is_not_taken(void **state)
{
    struct rig *rig = *state;
    asking_ping(rig, &rig->parties[1].id);
    struct rig_message m = asking_answer_by(rig, 1, rig_sent(rig, 0, NULL).header.transaction_id);
    m.code = RELOAD_STORE_ANS;
    rig_receive(rig, 2, &m);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_UNEXPECTED), 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
}

/* A Ping, and what party 1 sends to refuse it. */
static struct rig_message refusal_of_a_ping(struct rig *rig, uint16_t code)
{
    asking_ping(rig, &rig->parties[1].id);
    return asking_error_by(rig, 1, rig_sent(rig, 0, NULL).header.transaction_id, code);
}

/* R6940-6.3.3.1-3: an error response ends the request with its code and error_info. */
static void an_error_response_ends_the_request(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = refusal_of_a_ping(rig, RELOAD_ERROR_FORBIDDEN);
    rig_receive(rig, 2, &m);
    assert_int_equal(asking_result(rig)->error, RELOAD_E_FORBIDDEN);
    assert_int_equal(asking_result(rig)->error_code, RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(reload_node_counters(rig->node)->errors_received, 1);
}

/* R6940-6.3.3.1-5: who was told that there was no answer in time may ask again: it is another
 * transaction, which is answered. */
static void what_was_refused_for_the_time_it_took_can_be_asked_again(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = refusal_of_a_ping(rig, RELOAD_ERROR_REQUEST_TIMEOUT);
    uint64_t first = rig_sent(rig, 0, NULL).header.transaction_id;
    rig_receive(rig, 2, &m);
    assert_int_equal(asking_result(rig)->error_code, RELOAD_ERROR_REQUEST_TIMEOUT);
    rig_clear(rig);
    asking_ping(rig, &rig->parties[1].id);
    uint64_t second = rig_sent(rig, 0, NULL).header.transaction_id;
    assert_true(second != first);
    m = asking_answer_by(rig, 1, second);
    rig_receive(rig, 2, &m);
    assert_int_equal(asking_result(rig)->error, 0);
}

static void a_malformed_error_response_is_dropped(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = refusal_of_a_ping(rig, RELOAD_ERROR_FORBIDDEN);
    m.body.n = 3;
    rig_receive(rig, 2, &m);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_BODY), 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
}

/* R6940-6.3.3-4 for responses: an unknown critical extension makes it useless. */
static void a_response_with_an_unknown_critical_extension_is_dropped(void **state)
{
    static const uint8_t critical[] = { 0x77, 0x77, 1, 0, 0, 0, 0 };
    struct rig *rig = *state;
    asking_ping(rig, &rig->parties[1].id);
    struct rig_message m = asking_answer_by(rig, 1, rig_sent(rig, 0, NULL).header.transaction_id);
    m.extensions = reload_slice_of(critical, sizeof critical);
    rig_receive(rig, 2, &m);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_EXTENSION), 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
}

/* An idle link does not tell that its far end has gone; an answer from too far away hints at it,
 * and the topology finds out. */
static void an_answer_from_too_far_away_has_the_node_nearby_looked_after(void **state)
{
    struct rig *rig = *state;
    rig_link(rig, 2);
    rig_clear(rig);
    rig->fake.hop = rig->parties[1].id;
    rig->fake.far = true;
    rig->fake.closer = rig->parties[2].id;
    uint64_t request = asking_ping_resource(rig);
    uint64_t transaction = rig_sent(rig, 0, NULL).header.transaction_id;
    struct rig_message answer = asking_answer_by(rig, 1, transaction);
    rig_receive(rig, 2, &answer);
    rig_receive(rig, 2, &answer); /* asked once a transmission */
    assert_int_equal(rig->fake.doubts, 1);
    assert_true(reload_node_id_equal(&rig->fake.last_node, &rig->parties[2].id));
    const struct reload_topology_host *host = rig->fake.host;
    host->lost(host->context); /* silent, as its plug-in found */
    reload_node_tick(rig->node, rig->now);
    rig_pull(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 2);
    assert_int_equal(rig_sent(rig, 1, NULL).header.transaction_id, transaction);
    rig_receive(rig, 2, &answer);
    assert_int_equal(rig->fake.doubts, 2);
    rig->fake.far = false;
    reload_node_link_down(rig->node, 3, rig->now); /* or its link fails */
    rig_pull(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 3);
    rig_receive(rig, 2, &answer);
    assert_int_equal(asking_result(rig)->request, request);
    assert_int_equal(asking_result(rig)->transmissions, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASKING(an_answer_by_the_wrong_node_is_dropped_and_the_right_one_taken),
        ASKING(an_answer_for_a_resource_must_come_from_close_by),
        ASKING(the_wildcard_may_be_answered_by_anybody),
        ASKING(an_answer_of_another_method_is_not_taken),
        ASKING(an_error_response_ends_the_request),
        ASKING(what_was_refused_for_the_time_it_took_can_be_asked_again),
        ASKING(a_malformed_error_response_is_dropped),
        ASKING(a_response_with_an_unknown_critical_extension_is_dropped),
        ASKING(an_answer_from_too_far_away_has_the_node_nearby_looked_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
