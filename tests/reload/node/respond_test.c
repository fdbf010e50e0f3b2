/* What an answer is, how long it may be and which way it goes: RFC 6940 s6.2.2, s6.3.2. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* What follows from a request is sent after its answer. */
static void the_answer_goes_out_before_what_the_topology_sends_because_of_it(void **state)
{
    struct rig *rig = *state;
    rig->fake.follow_up = true;
    struct rig_message m = rig_update(rig, 0, 4711);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 0, NULL).message_code, RELOAD_UPDATE_ANS);
    assert_int_equal(rig_sent(rig, 1, NULL).message_code, RELOAD_UPDATE_REQ);
}

/* Join, Leave and Update must come over the link of their signer: the topology is told whether this
 * one did (R6940-6.4.2.1-3, R6940-6.4.2.2-4). Some programs begin the Via List with themselves. */
static void the_topology_is_told_whether_a_message_came_straight_from_its_signer(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 0);
    m.code = RELOAD_JOIN_REQ;
    rig_receive(rig, 1, &m);
    assert_true(rig->fake.last_message.direct);
    rig_receive(rig, 2, &m);
    assert_false(rig->fake.last_message.direct); /* another's link */
    m.via_list = rig_nodes(&rig->parties[0].id, NULL);
    m.transaction_id = 98;
    rig_receive(rig, 1, &m);
    assert_true(rig->fake.last_message.direct); /* the originator itself */
    m.via_list = rig_nodes(&rig->parties[0].id, &rig->parties[1].id);
    m.transaction_id = 97;
    rig_receive(rig, 1, &m);
    assert_false(rig->fake.last_message.direct); /* came back to its signer, who forwarded it */
    m.via_list = rig_nodes(&rig->parties[1].id, NULL);
    m.transaction_id = 99;
    rig_receive(rig, 1, &m);
    assert_false(rig->fake.last_message.direct); /* forwarded */
    rig->fake.handle_error = RELOAD_ERROR_FORBIDDEN;
    m.transaction_id = 100;
    rig_clear(rig);
    rig_receive(rig, 1, &m);
    struct reload_message error = rig_sent(rig, 0, NULL);
    assert_int_equal(rig_error_code(&error), RELOAD_ERROR_FORBIDDEN);
}

/* R6940-6.3.2-24 (docs/protocol.md): the whole response is measured; one byte makes the difference.
 */
static void max_response_length_is_obeyed(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    rig_receive(rig, 1, &m);
    uint32_t len = rig_sent(rig, 0, NULL).header.length;
    m.max_response_length = len;
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 1, NULL).message_code, RELOAD_PING_ANS);
    m.max_response_length = len - 1;
    rig_receive(rig, 1, &m);
    struct reload_message out = rig_sent(rig, 2, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_RESPONSE_TOO_LARGE);
}

/* Some originators put themselves into the Via List: their answer has no entry twice. */
static void a_previous_hop_that_named_itself_is_not_named_twice(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 0);
    m.via_list = rig_nodes(&rig->parties[0].id, NULL);
    rig_receive(rig, 1, &m);
    assert_true(reload_slice_equal(rig_sent(rig, 0, NULL).header.destination_list,
                                   rig_nodes(&rig->parties[0].id, NULL)));
}

/* R6940-6.1.2-9 R6940-6.2.2-1: previous hop, then the Via List from its end. */
static void an_answer_goes_back_along_the_reversed_via_list(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 2, 0);
    m.via_list = rig_nodes(&rig->parties[2].id, &rig->parties[3].id);
    rig_receive(rig, 1, &m);
    struct reload_slice expected = rig_join(rig_nodes(&rig->parties[0].id, NULL),
                                            rig_nodes(&rig->parties[3].id, &rig->parties[2].id));
    assert_true(reload_slice_equal(rig_sent(rig, 0, NULL).header.destination_list, expected));
}

/* R6940-6.2-1 R6940-A.2-1 R6940-A.3-1: symmetric recursive routing; also when the requester has a
 * link of its own here, and when the topology knows a way to it. */
static void an_answer_takes_no_other_way_than_its_request(void **state)
{
    struct rig *rig = *state;
    reload_link_id link;
    rig_link(rig, 2);
    rig->fake.hop = rig->parties[1].id;
    rig_clear(rig);
    struct rig_message m = rig_update(rig, 2, 0);
    m.via_list = rig_nodes(&rig->parties[2].id, NULL);
    rig_receive(rig, 1, &m);
    struct reload_message out = rig_sent(rig, 0, &link);
    assert_int_equal(out.message_code, RELOAD_UPDATE_ANS);
    assert_int_equal(link, 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    assert_true(reload_slice_equal(out.header.destination_list,
                                   rig_nodes(&rig->parties[0].id, &rig->parties[2].id)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(the_answer_goes_out_before_what_the_topology_sends_because_of_it),
        RIG(the_topology_is_told_whether_a_message_came_straight_from_its_signer),
        RIG(max_response_length_is_obeyed),
        RIG(a_previous_hop_that_named_itself_is_not_named_twice),
        RIG(an_answer_goes_back_along_the_reversed_via_list),
        RIG(an_answer_takes_no_other_way_than_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
