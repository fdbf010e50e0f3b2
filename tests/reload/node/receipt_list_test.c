/* What the Destination and Via Lists decide on receipt: RFC 6940 s6.1.1, s6.3.2.2. */
#include "tests/reload/node/receipt_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* What becomes of a Ping with that Destination List: it is answered, refused as
 * Error_Invalid_Message, or dropped without a word. */
static void expect_answered(struct rig *rig, struct reload_slice list)
{
    struct rig_message m = receipt_ping(rig, 0);
    m.destination_list = list;
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 0, NULL).message_code, RELOAD_PING_ANS);
}

static void expect_invalid(struct rig *rig, struct reload_slice list)
{
    struct rig_message m = receipt_ping(rig, 0);
    m.destination_list = list;
    uint64_t id = rig_receive(rig, 1, &m);
    receipt_expect_error(rig, 1, id, RELOAD_ERROR_INVALID_MESSAGE);
}

static void expect_dropped(struct rig *rig, struct reload_slice list,
                           enum reload_drop_reason reason)
{
    struct rig_message m = receipt_ping(rig, 0);
    m.destination_list = list;
    rig_receive(rig, 1, &m);
    receipt_expect_silence(rig, reason, 1);
}

/* R6940-6.1.1-3 R6940-6.3.3.1-1 R6940-6.3.3.1-2 R6940-6.5.3-1 R6940-6.3.2-23 R6940-6.3.2-25: sole
 * entry own Node-ID. The answer's Destination List is the previous hop (R6940-6.1.2-9). */
static void a_ping_to_the_own_node_id_is_answered(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    uint64_t id = rig_receive(rig, 1, &m);
    reload_link_id link;
    struct reload_message out = rig_sent(rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(out.message_code, RELOAD_PING_ANS);
    assert_int_equal(out.header.transaction_id, id);
    assert_int_equal(out.header.max_response_length, 0);
    assert_int_equal(out.header.ttl, 100);
    assert_int_equal(out.header.via_list.n, 0);
    assert_true(
        reload_slice_equal(out.header.destination_list, rig_nodes(&rig->parties[0].id, NULL)));
    struct reload_signer signer;
    assert_int_equal(reload_message_verify(rig->parties[0].crypto, &out, rig->now, &signer), 0);
    assert_true(reload_node_id_equal(&signer.node_id, &rig->me.id));
}

/* R6940-6.1-4 R6940-6.1.1-6 R6940-6.5.3-1 */
static void the_wildcard_is_consumed_and_its_ping_answered(void **state)
{
    struct rig *rig = *state;
    struct reload_node_id wildcard = reload_node_id_wildcard(16);
    rig->fake.hop = rig->parties[1].id;
    expect_answered(rig, rig_nodes(&wildcard, NULL));
    assert_int_equal(reload_node_counters(rig->node)->forwarded, 0);
}

/* R6940-6.1.1-2 R6940-6.5.3-1 */
static void a_ping_to_an_owned_resource_is_answered(void **state)
{
    struct rig *rig = *state;
    rig->fake.owns_resource = true;
    expect_answered(rig, rig_resource(rig->fake.owned_resource, 16));
}

/* R6940-6.1.1-4: own Node-ID is taken off and the next entry routed. */
static void own_node_id_before_another_entry_is_taken_off(void **state)
{
    struct rig *rig = *state;
    reload_link_id link;
    struct rig_message m = receipt_ping(rig, 0);
    m.destination_list = rig_nodes(&rig->me.id, &rig->parties[1].id);
    rig_receive(rig, 1, &m);
    struct reload_message out = rig_sent(rig, 0, &link);
    assert_int_equal(link, 2);
    assert_true(
        reload_slice_equal(out.header.destination_list, rig_nodes(&rig->parties[1].id, NULL)));
}

/* R6940-6.1.1-7 */
static void a_node_id_in_the_own_range_that_is_not_connected_is_dropped_silently(void **state)
{
    struct rig *rig = *state;
    rig->fake.owned_node = reload_standin_node_id(77);
    rig->fake.hop = rig->parties[1].id;
    expect_dropped(rig, rig_nodes(&rig->fake.owned_node, NULL), RELOAD_DROP_NOT_HERE);
}

/* R6940-6.1.1-8 R6940-6.1.2-2 R6940-3-5: a client in the own range gets it over its link, though no
 * table knows it. */
static void a_connected_client_in_the_own_range_gets_its_message(void **state)
{
    struct rig *rig = *state;
    reload_link_id link;
    rig->fake.owned_node = rig->parties[2].id;
    struct rig_message m = receipt_ping(rig, 0);
    m.destination_list = rig_nodes(&rig->parties[2].id, NULL);
    rig_receive(rig, 1, &m);
    rig_sent(rig, 0, &link);
    assert_int_equal(link, 3);
}

/* R6940-6.1.1-1 R6940-6.3.2.2-7 */
static void an_owned_resource_with_entries_after_it_is_dropped_silently(void **state)
{
    struct rig *rig = *state;
    rig->fake.owns_resource = true;
    expect_dropped(
        rig,
        rig_join(rig_resource(rig->fake.owned_resource, 16), rig_nodes(&rig->parties[1].id, NULL)),
        RELOAD_DROP_RESOURCE_NOT_LAST);
}

/* R6940-6.3.2.2-7: elsewhere in the list it is an invalid message. */
static void a_resource_that_is_not_last_is_an_invalid_message(void **state)
{
    struct rig *rig = *state;
    expect_invalid(rig, rig_join(rig_nodes(&rig->parties[1].id, NULL),
                                 rig_join(rig_resource("0123456789abcdef", 16),
                                          rig_nodes(&rig->me.id, NULL))));
}

/* A Resource-ID of a length the topology does not make. */
static void a_resource_id_of_another_length_is_an_invalid_message(void **state)
{
    struct rig *rig = *state;
    rig->fake.owns_everything = true;
    expect_invalid(rig, rig_resource("0123456789abcde", 15));
}

/* R6940-6.3.2.2-8 */
static void a_resource_in_the_via_list_is_an_invalid_message(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    m.via_list = rig_resource("0123456789abcdef", 16);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_VIA), 1);
    assert_int_equal(reload_node_counters(rig->node)->delivered, 0);
}

/* R6940-13.6.5-2 R6940-6.3.3.1-6: duplicates in a request; the same Node-ID in the Via List is
 * none. */
static void duplicate_destination_entries_are_an_invalid_message(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    m.destination_list =
        rig_join(rig_nodes(&rig->me.id, &rig->parties[1].id), rig_nodes(&rig->me.id, NULL));
    uint64_t id = rig_receive(rig, 1, &m);
    struct reload_message out = rig_sent(rig, 0, NULL);
    struct reload_error_response error;
    assert_int_equal(reload_error_response_decode(out.body, &error), 0);
    assert_true(error.error_info.n > 0);
    receipt_expect_error(rig, 1, id, RELOAD_ERROR_INVALID_MESSAGE);

    m.destination_list = rig_nodes(&rig->me.id, NULL);
    m.via_list = rig_nodes(&rig->me.id, &rig->parties[1].id);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 0, NULL).message_code, RELOAD_PING_ANS);
}

/* R6940-6.3.2-29 */
static void an_empty_destination_list_is_not_processed(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    struct reload_slice bytes = rig_encode(rig, &m, NULL);
    uint8_t cut[1024];
    /* Takes the Destination List out by hand. */
    size_t list = m.destination_list.n ? m.destination_list.n : 18;
    memcpy(cut, bytes.p, 38);
    memcpy(cut + 38, bytes.p + 38 + list, bytes.n - 38 - list);
    cut[34] = cut[35] = 0;
    cut[18] = (uint8_t)((bytes.n - list) >> 8);
    cut[19] = (uint8_t)(bytes.n - list);
    rig_receive_bytes(rig, 1, reload_slice_of(cut, bytes.n - list));
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_DESTINATION), 1);
    assert_int_equal(reload_node_counters(rig->node)->delivered, 0);
    assert_int_equal(reload_node_counters(rig->node)->forwarded, 0);
}

/* More entries than any path has: refused before anything quadratic is done with them. */
static void a_list_of_very_many_entries_is_an_invalid_message(void **state)
{
    struct rig *rig = *state;
    uint8_t many[2 * 1000];
    for (size_t i = 0; i < 1000; i++) {
        many[2 * i] = (uint8_t)(0x80 | i >> 8);
        many[2 * i + 1] = (uint8_t)i;
    }
    expect_invalid(rig, reload_slice_of(many, sizeof many));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECEIPT(a_ping_to_the_own_node_id_is_answered),
        RECEIPT(the_wildcard_is_consumed_and_its_ping_answered),
        RECEIPT(a_ping_to_an_owned_resource_is_answered),
        RECEIPT(own_node_id_before_another_entry_is_taken_off),
        RECEIPT(a_node_id_in_the_own_range_that_is_not_connected_is_dropped_silently),
        RECEIPT(a_connected_client_in_the_own_range_gets_its_message),
        RECEIPT(an_owned_resource_with_entries_after_it_is_dropped_silently),
        RECEIPT(a_resource_that_is_not_last_is_an_invalid_message),
        RECEIPT(a_resource_id_of_another_length_is_an_invalid_message),
        RECEIPT(a_resource_in_the_via_list_is_an_invalid_message),
        RECEIPT(duplicate_destination_entries_are_an_invalid_message),
        RECEIPT(an_empty_destination_list_is_not_processed),
        RECEIPT(a_list_of_very_many_entries_is_an_invalid_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
