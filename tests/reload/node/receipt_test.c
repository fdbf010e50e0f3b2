/* What happens to each message that arrives: RFC 6940 s6.1, s6.1.1, s6.3.2. */
#include "tests/reload/node/rig.h"

#include "reload/wire/attach.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

static void set_up(struct rig *rig)
{
    rig_init(rig);
    rig_start(rig);
    for (size_t i = 0; i < 3; i++)
        rig_link(rig, i);
    rig_clear(rig);
}

static struct rig_message ping_from(const struct rig *rig, size_t party)
{
    return (struct rig_message){
        .signer = &rig->parties[party],
        .code = RELOAD_PING_REQ,
        .body = rig_ping,
    };
}

/* The one message sent must be an error response of that code to that request, over that link. */
static void expect_error(struct rig *rig, reload_link_id link, uint64_t id, uint16_t code)
{
    reload_link_id over;
    struct reload_message m = rig_sent(rig, 0, &over);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(over, link);
    assert_int_equal(m.header.transaction_id, id);
    assert_int_equal(rig_error_code(&m), code);
    rig_clear(rig);
}

static void expect_silence(struct rig *rig, enum reload_drop_reason reason, uint64_t count)
{
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_dropped(rig, reason), count);
    rig_clear(rig);
}

/* R6940-6.1.1-3 R6940-6.3.3.1-1 R6940-6.3.3.1-2 R6940-6.5.3-1 R6940-6.3.2-23 R6940-6.3.2-25: sole
 * entry own Node-ID. The answer's Destination List is the previous hop (R6940-6.1.2-9). */
static void a_ping_to_the_own_node_id_is_answered(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    uint64_t id = rig_receive(&rig, 1, &m);
    reload_link_id link;
    struct reload_message out = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(out.message_code, RELOAD_PING_ANS);
    assert_int_equal(out.header.transaction_id, id);
    assert_int_equal(out.header.max_response_length, 0);
    assert_int_equal(out.header.ttl, 100);
    assert_int_equal(out.header.via_list.n, 0);
    assert_true(
        reload_slice_equal(out.header.destination_list, rig_nodes(&rig.parties[0].id, NULL)));
    struct reload_signer signer;
    assert_int_equal(reload_message_verify(rig.parties[0].crypto, &out, rig.now, &signer), 0);
    assert_true(reload_node_id_equal(&signer.node_id, &rig.me.id));
    rig_fini(&rig);
}

/* R6940-6.1-4 R6940-6.1.1-6 R6940-6.5.3-1 */
static void the_wildcard_is_consumed_and_its_ping_answered(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig.fake.hop = rig.parties[1].id;
    struct reload_node_id wildcard = reload_node_id_wildcard(16);
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = rig_nodes(&wildcard, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 0);
    rig_fini(&rig);
}

/* R6940-6.1.1-2 R6940-6.5.3-1 */
static void a_ping_to_an_owned_resource_is_answered(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig.fake.owns_resource = true;
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = rig_resource(rig.fake.owned_resource, 16);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    rig_fini(&rig);
}

/* R6940-6.1.1-4: own Node-ID is taken off and the next entry routed. */
static void own_node_id_before_another_entry_is_taken_off(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = rig_nodes(&rig.me.id, &rig.parties[1].id);
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 2);
    assert_true(
        reload_slice_equal(out.header.destination_list, rig_nodes(&rig.parties[1].id, NULL)));
    rig_fini(&rig);
}

/* R6940-6.1.1-7 */
static void a_node_id_in_the_own_range_that_is_not_connected_is_dropped_silently(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig.fake.owned_node = reload_standin_node_id(77);
    rig.fake.hop = rig.parties[1].id;
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = rig_nodes(&rig.fake.owned_node, NULL);
    rig_receive(&rig, 1, &m);
    expect_silence(&rig, RELOAD_DROP_NOT_HERE, 1);
    rig_fini(&rig);
}

/* R6940-6.1.1-8 R6940-6.1.2-2 R6940-3-5: a client in the own range gets it over its link, though no
 * table knows it. */
static void a_connected_client_in_the_own_range_gets_its_message(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    rig.fake.owned_node = rig.parties[2].id;
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = rig_nodes(&rig.parties[2].id, NULL);
    rig_receive(&rig, 1, &m);
    rig_sent(&rig, 0, &link);
    assert_int_equal(link, 3);
    rig_fini(&rig);
}

/* R6940-6.1.1-1 R6940-6.3.2.2-7 */
static void an_owned_resource_with_entries_after_it_is_dropped_silently(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig.fake.owns_resource = true;
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list =
        rig_join(rig_resource(rig.fake.owned_resource, 16), rig_nodes(&rig.parties[1].id, NULL));
    rig_receive(&rig, 1, &m);
    expect_silence(&rig, RELOAD_DROP_RESOURCE_NOT_LAST, 1);
    rig_fini(&rig);
}

/* R6940-6.3.2.2-7: elsewhere in the list it is an invalid message. */
static void a_resource_that_is_not_last_is_an_invalid_message(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list =
        rig_join(rig_nodes(&rig.parties[1].id, NULL),
                 rig_join(rig_resource("0123456789abcdef", 16), rig_nodes(&rig.me.id, NULL)));
    uint64_t id = rig_receive(&rig, 1, &m);
    expect_error(&rig, 1, id, RELOAD_ERROR_INVALID_MESSAGE);
    rig_fini(&rig);
}

/* A Resource-ID of a length the topology does not make. */
static void a_resource_id_of_another_length_is_an_invalid_message(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig.fake.owns_everything = true;
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = rig_resource("0123456789abcde", 15);
    uint64_t id = rig_receive(&rig, 1, &m);
    expect_error(&rig, 1, id, RELOAD_ERROR_INVALID_MESSAGE);
    rig_fini(&rig);
}

/* R6940-6.3.2.2-8 */
static void a_resource_in_the_via_list_is_an_invalid_message(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.via_list = rig_resource("0123456789abcdef", 16);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_VIA), 1);
    assert_int_equal(reload_node_counters(rig.node)->delivered, 0);
    rig_fini(&rig);
}

/* R6940-13.6.5-2 R6940-6.3.3.1-6: duplicates in a request; the same Node-ID in the Via List is
 * none. */
static void duplicate_destination_entries_are_an_invalid_message(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list =
        rig_join(rig_nodes(&rig.me.id, &rig.parties[1].id), rig_nodes(&rig.me.id, NULL));
    uint64_t id = rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 0, NULL);
    struct reload_error_response error;
    assert_int_equal(reload_error_response_decode(out.body, &error), 0);
    assert_true(error.error_info.n > 0);
    expect_error(&rig, 1, id, RELOAD_ERROR_INVALID_MESSAGE);

    m.destination_list = rig_nodes(&rig.me.id, NULL);
    m.via_list = rig_nodes(&rig.me.id, &rig.parties[1].id);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    rig_fini(&rig);
}

/* R6940-6.3.2-29 */
static void an_empty_destination_list_is_not_processed(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    struct reload_slice bytes = rig_encode(&rig, &m, NULL);
    uint8_t cut[1024];
    /* Takes the Destination List out by hand. */
    size_t list = m.destination_list.n ? m.destination_list.n : 18;
    memcpy(cut, bytes.p, 38);
    memcpy(cut + 38, bytes.p + 38 + list, bytes.n - 38 - list);
    cut[34] = cut[35] = 0;
    cut[18] = (uint8_t)((bytes.n - list) >> 8);
    cut[19] = (uint8_t)(bytes.n - list);
    rig_receive_bytes(&rig, 1, reload_slice_of(cut, bytes.n - list));
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_DESTINATION), 1);
    assert_int_equal(reload_node_counters(rig.node)->delivered, 0);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 0);
    rig_fini(&rig);
}

/* More entries than any path has: refused before anything quadratic is done with them. */
static void a_list_of_very_many_entries_is_an_invalid_message(void **state)
{
    struct rig rig;
    uint8_t many[2 * 1000];
    (void)state;
    set_up(&rig);
    for (size_t i = 0; i < 1000; i++) {
        many[2 * i] = (uint8_t)(0x80 | i >> 8);
        many[2 * i + 1] = (uint8_t)i;
    }
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = reload_slice_of(many, sizeof many);
    uint64_t id = rig_receive(&rig, 1, &m);
    expect_error(&rig, 1, id, RELOAD_ERROR_INVALID_MESSAGE);
    rig_fini(&rig);
}

/* R6940-6.1-1 R6940-6.3.2-4 */
static void a_message_of_another_overlay_is_discarded(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.overlay = 0x12345678;
    rig_receive(&rig, 1, &m);
    expect_silence(&rig, RELOAD_DROP_OVERLAY, 1);
    rig_fini(&rig);
}

/* R6940-6.1-1 R6940-6.1-2 R6940-6.3.2-8 */
static void another_version_is_refused_with_an_error(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.version = 1;
    uint64_t id = rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_VERSION), 1);
    expect_error(&rig, 1, id, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    rig_fini(&rig);
}

/* R6940-6.3.2-15: checked even when the message is for this node. */
static void a_ttl_above_the_initial_one_is_refused(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.ttl = 101;
    uint64_t id = rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_TTL_ABOVE), 1);
    expect_error(&rig, 1, id, RELOAD_ERROR_TTL_EXCEEDED);
    rig_fini(&rig);
}

/* R6940-6.3.2-10 R6940-6.3.2-11 R6940-6.3.2-12 */
static void ttl_zero_ends_the_way_but_not_the_arrival(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.ttl_0 = true;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    rig_clear(&rig);
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    uint64_t id = rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_TTL), 1);
    expect_error(&rig, 1, id, RELOAD_ERROR_TTL_EXCEEDED);
    rig_fini(&rig);
}

/* R6940-6.3.3.1-8: no error is sent for a response, whatever is wrong with it. */
static void a_response_never_gets_an_error(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.code = RELOAD_PING_ANS;
    m.ttl_0 = true;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    rig_receive(&rig, 1, &m);
    m.ttl_0 = false;
    m.ttl = 101;
    rig_receive(&rig, 1, &m);
    m.ttl = 50;
    m.version = 1;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    rig_fini(&rig);
}

/* R6940-6.3.2-2 R6940-6.3.2-21 R6940-6.7-13 */
static void what_is_no_message_is_dropped_with_its_reason(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    uint8_t copy[1024];
    struct reload_slice bytes = rig_encode(&rig, &m, NULL);
    struct reload_slice changed = { copy, bytes.n };
    memcpy(copy, bytes.p, bytes.n);
    copy[0] ^= 1;
    rig_receive_bytes(&rig, 1, changed);
    expect_silence(&rig, RELOAD_DROP_TOKEN, 1);
    memcpy(copy, bytes.p, bytes.n);
    copy[19]++; /* length */
    rig_receive_bytes(&rig, 1, changed);
    expect_silence(&rig, RELOAD_DROP_MALFORMED, 1);
    memcpy(copy, bytes.p, bytes.n);
    copy[12] &= 0x7f; /* fragment */
    rig_receive_bytes(&rig, 1, changed);
    expect_silence(&rig, RELOAD_DROP_FRAGMENT, 1);
    rig_fini(&rig);
}

/* Each message cut at every byte, and with each bit turned over: no answer but to an error that the
 * header alone shows, and nothing is handled as if it were right. */
static void damaged_messages_are_never_handled(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    uint8_t copy[1024];
    struct reload_slice bytes = rig_encode(&rig, &m, NULL);
    assert_true(bytes.n <= sizeof copy);
    memcpy(copy, bytes.p, bytes.n);
    bytes.p = copy;
    for (size_t cut = 0; cut < bytes.n; cut++)
        rig_receive_bytes(&rig, 1, reload_slice_of(copy, cut));
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    /* s6.3.4 covers transaction_id and contents; the Signature itself must hold too. What is left
     * uncovered is the rest of the header and the certificates. */
    struct reload_message whole;
    assert_int_equal(reload_message_decode(bytes, 16, &whole), 0);
    size_t contents = (size_t)(whole.contents.p - copy);
    size_t bucket = contents + whole.contents.n;
    size_t signature = bucket + 2 + whole.security.certificates.n;
    for (size_t bit = 0; bit < 8 * bytes.n; bit++) {
        size_t at = bit / 8;
        bool is_signed =
            (at >= 20 && at < 28) || (at >= contents && at < bucket) || at >= signature;
        copy[at] ^= (uint8_t)(1 << bit % 8);
        uint64_t before = reload_node_counters(rig.node)->delivered;
        rig_receive_bytes(&rig, 1, bytes);
        if (is_signed)
            assert_int_equal(reload_node_counters(rig.node)->delivered, before);
        copy[at] ^= (uint8_t)(1 << bit % 8);
        rig_clear(&rig);
    }
    rig_receive_bytes(&rig, 1, bytes);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    rig_fini(&rig);
}

/* R6940-6.3.4-19 R6940-6.3.4-20 */
static void a_bad_signature_gets_no_answer(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.bad_signature = true;
    rig_receive(&rig, 1, &m);
    expect_silence(&rig, RELOAD_DROP_SIGNATURE, 1);
    rig_fini(&rig);
}

/* Messages over max-message-size (s11.1), and on links that are not there. */
static void a_message_above_max_message_size_is_dropped(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    uint8_t *big = calloc(1, 5001);
    rig_receive_bytes(&rig, 1, reload_slice_of(big, 5001));
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_TOO_LARGE), 1);
    free(big);
    struct rig_message m = ping_from(&rig, 0);
    rig_receive(&rig, 9, &m);
    expect_silence(&rig, RELOAD_DROP_STATE, 1);
    rig_fini(&rig);
}

/* s6.6: Error_Message_Too_Large when the header allows it, and the link is closed in any case. */
static void the_start_of_an_oversize_message_is_answered_and_the_link_closed(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    uint64_t id;
    struct reload_slice bytes = rig_encode(&rig, &m, &id);
    uint8_t start[128];
    memcpy(start, bytes.p, sizeof start);
    start[17] = 0x7f; /* length: 8 MB */
    for (size_t n = 0; n <= sizeof start; n += 4) {
        reload_node_oversize(rig.node, 1, start, n, rig.now);
        rig_pull(&rig);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_CLOSE_LINK), 1);
        if (n >= 38 + 18 + 2)
            expect_error(&rig, 1, id, RELOAD_ERROR_MESSAGE_TOO_LARGE);
        else
            assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
        rig_clear(&rig);
    }
    rig_fini(&rig);
}

/* Refusals of what was not verified are limited: 100 at once, 20 a second. */
static void refusals_of_unverified_messages_are_limited(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.ttl = 101;
    for (int i = 0; i < 300; i++)
        rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 100);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_TTL_ABOVE), 300);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_LOG), 1); /* one line a second and reason */
    rig_clear(&rig);
    rig_wait(&rig, 1000);
    for (int i = 0; i < 50; i++)
        rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 20);
    const struct rig_action *line = rig_action(&rig, RELOAD_ACTION_LOG, 0);
    assert_non_null(strstr((const char *)line->bytes, "299 more"));
    rig_fini(&rig);
}

/* R6940-6.1.2-11 R6940-4.2.1-3: a link of several Node-IDs may carry Ping and Attach only. */
static void an_unbound_link_may_only_ping_and_attach(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    rig_link_multiple(&rig, 0, 1);
    rig_link(&rig, 1);
    rig_clear(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.code = RELOAD_FETCH_REQ;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    uint64_t id = rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNBOUND), 1);
    expect_error(&rig, 1, id, RELOAD_ERROR_FORBIDDEN);
    m.code = RELOAD_ATTACH_REQ;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1);
    rig_fini(&rig);
}

static struct reload_slice attach_body(void)
{
    static uint8_t buffer[64];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_attach body = { .role = reload_slice_of("passive", 7) };
    assert_int_equal(reload_attach_encode(&w, &body), 0);
    return reload_writer_slice(&w);
}

/* R6940-6.1.2-11: a signed Ping over such a link is answered, and does not stand for an Attach. */
static void a_signed_ping_is_answered_and_binds_nothing(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    rig_link_multiple(&rig, 0, 2);
    rig_clear(&rig);
    struct rig_message m = ping_from(&rig, 0);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    assert_int_equal(rig.fake.link_ups, 0);
    rig_clear(&rig);
    m.code = RELOAD_PROBE_REQ;
    uint64_t id = rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNBOUND), 1);
    expect_error(&rig, 1, id, RELOAD_ERROR_FORBIDDEN);
    rig_fini(&rig);
}

/* R6940-6.1.2-11 R6940-4.2.1-3 R6940-6.1.2-10: an Attach straight over such a link settles its
 * Node-ID, and then it may carry anything. */
static void an_attach_binds_an_unbound_link(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    rig_link_multiple(&rig, 0, 2);
    rig_link(&rig, 1);
    assert_int_equal(rig.fake.link_ups, 1);
    struct rig_message other = ping_from(&rig, 1); /* signed by a node the link does not prove */
    other.code = RELOAD_ATTACH_REQ;
    other.body = attach_body();
    rig_receive(&rig, 1, &other);
    assert_int_equal(rig.fake.link_ups, 1);
    struct rig_message m = ping_from(&rig, 0);
    m.code = RELOAD_ATTACH_REQ;
    m.body = reload_slice_of("?", 1); /* not an Attach that anybody could answer */
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.link_ups, 1);
    m.body = attach_body();
    m.via_list = rig_nodes(&rig.parties[3].id, NULL); /* not straight from its signer */
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.link_ups, 1);
    m.via_list = (struct reload_slice){ 0 };
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.link_ups, 2);
    rig_clear(&rig);
    m.code = RELOAD_FETCH_REQ;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1);
    rig_fini(&rig);
}

/* R6940-6.1.2-11: of a message in fragments the first one tells what it is; the others pass, and
 * are nothing without it. */
static void a_fragmented_attach_passes_an_unbound_link_and_a_fetch_does_not(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    rig_link_multiple(&rig, 0, 1);
    rig_link(&rig, 1);
    rig_clear(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.code = RELOAD_ATTACH_REQ;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    m.fragment = RELOAD_FRAGMENT_ALWAYS;
    rig_receive(&rig, 1, &m);
    m.fragment = RELOAD_FRAGMENT_ALWAYS | 300;
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 2);
    m.code = RELOAD_FETCH_REQ;
    m.fragment = RELOAD_FRAGMENT_ALWAYS;
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 2);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNBOUND), 1);
    rig_fini(&rig);
}

/* R6940-6.1.2-12: a Joining Node's Attach through an unbound link gets its answer back, by a 16-bit
 * id of the Connection Table (R6940-6.3.2.2-9, R6940-6.3.2.2-11). */
static void an_answer_finds_back_over_an_unbound_link(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    rig_link_multiple(&rig, 0, 1);
    rig_link(&rig, 1);
    rig_clear(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.code = RELOAD_ATTACH_REQ;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    uint64_t id = rig_receive(&rig, 1, &m);
    struct reload_message forwarded = rig_sent(&rig, 0, NULL);
    assert_int_equal(forwarded.header.via_list.n, 2);
    assert_true(forwarded.header.via_list.p[0] & 0x80);
    uint8_t opaque[2];
    memcpy(opaque, forwarded.header.via_list.p, 2);
    rig_clear(&rig);
    struct rig_message answer = {
        .signer = &rig.parties[1],
        .code = RELOAD_ATTACH_ANS,
        .body = rig_ping,
        .transaction_id = id,
        .destination_list = rig_join(rig_nodes(&rig.me.id, NULL), reload_slice_of(opaque, 2)),
    };
    rig_receive(&rig, 2, &answer);
    struct reload_message back = rig_sent(&rig, 0, &link);
    struct reload_node_id wildcard = reload_node_id_wildcard(16);
    assert_int_equal(link, 1);
    assert_true(reload_slice_equal(back.header.destination_list, rig_nodes(&wildcard, NULL)));
    rig_fini(&rig);
}

/* R6940-6.1.2-14: a response is not re-routed to an unrelated node. */
static void a_response_whose_next_hop_is_gone_is_dropped(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig.fake.hop = rig.parties[1].id;
    struct reload_node_id gone = reload_standin_node_id(66);
    struct rig_message m = ping_from(&rig, 0);
    m.code = RELOAD_PING_ANS;
    m.destination_list = rig_nodes(&rig.me.id, &gone);
    rig_receive(&rig, 1, &m);
    expect_silence(&rig, RELOAD_DROP_RETURN_GONE, 1);
    rig_fini(&rig);
}

/* R6940-6.1.2-13: a response on its way grows no Via List. */
static void a_forwarded_response_keeps_its_empty_via_list(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.code = RELOAD_PING_ANS;
    m.destination_list = rig_nodes(&rig.me.id, &rig.parties[1].id);
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 0, NULL);
    assert_int_equal(out.header.via_list.n, 0);
    assert_true(
        reload_slice_equal(out.header.destination_list, rig_nodes(&rig.parties[1].id, NULL)));
    rig_fini(&rig);
}

/* Without a next hop a message is dropped and counted. */
static void a_message_without_a_route_is_dropped(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct reload_node_id far = reload_standin_node_id(66);
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = rig_nodes(&far, NULL);
    rig_receive(&rig, 1, &m);
    expect_silence(&rig, RELOAD_DROP_NO_ROUTE, 1);
    rig_fini(&rig);
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
    struct rig_message m = ping_from(&rig, 0);
    m.destination_list = rig_nodes(&far, NULL);
    rig_receive(&rig, 1, &m);
    expect_silence(&rig, RELOAD_DROP_NO_ROUTE, 1);
    rig_fini(&rig);
}

/* R6940-6.3.3-3 and unknown methods. */
static void codes_that_are_no_request_or_unknown_are_not_handled(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = ping_from(&rig, 0);
    m.code = 0x8001;
    rig_receive(&rig, 1, &m);
    m.code = 0;
    rig_receive(&rig, 1, &m);
    expect_silence(&rig, RELOAD_DROP_CODE, 2);
    m.code = 0x1f;
    uint64_t id = rig_receive(&rig, 1, &m);
    expect_error(&rig, 1, id, RELOAD_ERROR_INVALID_MESSAGE);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ping_to_the_own_node_id_is_answered),
        cmocka_unit_test(the_wildcard_is_consumed_and_its_ping_answered),
        cmocka_unit_test(a_ping_to_an_owned_resource_is_answered),
        cmocka_unit_test(own_node_id_before_another_entry_is_taken_off),
        cmocka_unit_test(a_node_id_in_the_own_range_that_is_not_connected_is_dropped_silently),
        cmocka_unit_test(a_connected_client_in_the_own_range_gets_its_message),
        cmocka_unit_test(an_owned_resource_with_entries_after_it_is_dropped_silently),
        cmocka_unit_test(a_resource_that_is_not_last_is_an_invalid_message),
        cmocka_unit_test(a_resource_id_of_another_length_is_an_invalid_message),
        cmocka_unit_test(a_resource_in_the_via_list_is_an_invalid_message),
        cmocka_unit_test(duplicate_destination_entries_are_an_invalid_message),
        cmocka_unit_test(an_empty_destination_list_is_not_processed),
        cmocka_unit_test(a_list_of_very_many_entries_is_an_invalid_message),
        cmocka_unit_test(a_message_of_another_overlay_is_discarded),
        cmocka_unit_test(another_version_is_refused_with_an_error),
        cmocka_unit_test(a_ttl_above_the_initial_one_is_refused),
        cmocka_unit_test(ttl_zero_ends_the_way_but_not_the_arrival),
        cmocka_unit_test(a_response_never_gets_an_error),
        cmocka_unit_test(what_is_no_message_is_dropped_with_its_reason),
        cmocka_unit_test(damaged_messages_are_never_handled),
        cmocka_unit_test(a_bad_signature_gets_no_answer),
        cmocka_unit_test(a_message_above_max_message_size_is_dropped),
        cmocka_unit_test(the_start_of_an_oversize_message_is_answered_and_the_link_closed),
        cmocka_unit_test(refusals_of_unverified_messages_are_limited),
        cmocka_unit_test(an_unbound_link_may_only_ping_and_attach),
        cmocka_unit_test(a_signed_ping_is_answered_and_binds_nothing),
        cmocka_unit_test(an_attach_binds_an_unbound_link),
        cmocka_unit_test(a_fragmented_attach_passes_an_unbound_link_and_a_fetch_does_not),
        cmocka_unit_test(an_answer_finds_back_over_an_unbound_link),
        cmocka_unit_test(a_response_whose_next_hop_is_gone_is_dropped),
        cmocka_unit_test(a_forwarded_response_keeps_its_empty_via_list),
        cmocka_unit_test(a_message_without_a_route_is_dropped),
        cmocka_unit_test(a_client_does_not_forward),
        cmocka_unit_test(codes_that_are_no_request_or_unknown_are_not_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
