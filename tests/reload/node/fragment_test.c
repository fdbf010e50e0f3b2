/* Messages cut for a link: RFC 6940 s6.7 to F4. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static void link_with_mtu(struct rig *rig, reload_link_id link, size_t party, uint32_t mtu)
{
    const struct reload_node_link info = { .type = RELOAD_LINK_DTLS_UDP_SR_NO_ICE,
                                           .node_ids = &rig->parties[party].id,
                                           .node_id_count = 1,
                                           .mtu = mtu };
    reload_node_link_up(rig->node, link, &info, rig->now);
    rig_pull(rig);
    rig_clear(rig);
}

/* The payload of the n-th message sent, and its header. */
static struct reload_slice fragment(const struct rig *rig, size_t n,
                                    struct reload_forwarding_header *header)
{
    const struct rig_action *sent = rig_action(rig, RELOAD_ACTION_SEND, n);
    struct reload_slice bytes = { sent->bytes, sent->len };
    assert_int_equal(reload_forwarding_header_decode(bytes, 16, header), 0);
    return reload_payload(bytes, header);
}

/* What was sent are the pieces of this, from its first byte to its last. */
static void assert_pieces_of(const struct rig *rig, struct reload_slice payload)
{
    size_t count = rig_count(rig, RELOAD_ACTION_SEND), at = 0;
    for (size_t i = 0; i < count; i++) {
        struct reload_forwarding_header h;
        struct reload_slice piece = fragment(rig, i, &h);
        assert_int_equal(reload_fragment_offset(&h), at);
        assert_int_equal(reload_fragment_is_last(&h), i == count - 1);
        assert_true(at + piece.n <= payload.n);
        assert_memory_equal(piece.p, payload.p + at, piece.n);
        at += piece.n;
    }
    assert_int_equal(at, payload.n);
}

/* R6940-6.7-1: over a smaller MTU once more, in a second node, without mixing up the offsets. */
static size_t cut_again(const struct rig *rig, uint32_t mtu, struct reload_slice payload)
{
    void *started;
    rig_set_up_alone(&started);
    struct rig *far = started;
    rig_link(far, 0);
    link_with_mtu(far, 3, 2, mtu);
    for (size_t i = 0; i < rig_count(rig, RELOAD_ACTION_SEND); i++) {
        const struct rig_action *sent = rig_action(rig, RELOAD_ACTION_SEND, i);
        rig_receive_bytes(far, 1, reload_slice_of(sent->bytes, sent->len));
    }
    size_t pieces = rig_count(far, RELOAD_ACTION_SEND);
    assert_pieces_of(far, payload);
    rig_tear_down(&started);
    return pieces;
}

/* R6940-6.7-3 R6940-6.7-4 R6940-6.7-6 R6940-6.7-7 R6940-6.7-11 R6940-6.3.2-16 R6940-6.3.2-20: equal
 * pieces that fit, each with the whole header, and they make the message again. */
static void a_message_above_the_mtu_is_cut_into_equal_fragments(void **state)
{
    struct rig *rig = *state;
    link_with_mtu(rig, 3, 2, 900);
    struct rig_message m = rig_long_ping(rig, 77);
    m.destination_list = rig_nodes(&rig->parties[2].id, NULL);
    rig_receive(rig, 1, &m);
    struct reload_forwarding_header h;
    struct reload_slice whole = rig_encode(rig, &m, NULL);
    assert_int_equal(reload_forwarding_header_decode(whole, 16, &h), 0);
    struct reload_slice payload = reload_payload(whole, &h);
    assert_pieces_of(rig, payload);
    size_t count = rig_count(rig, RELOAD_ACTION_SEND), first = fragment(rig, 0, &h).n;
    assert_true(count >= 3);
    for (size_t i = 0; i < count; i++) {
        size_t len = fragment(rig, i, &h).n;
        assert_true(rig_action(rig, RELOAD_ACTION_SEND, i)->len <= 900 - 32);
        assert_int_equal(h.fragment & 0x80000000u, 0x80000000u);
        assert_true(reload_slice_equal(h.via_list, rig_nodes(&rig->parties[0].id, NULL)));
        assert_true(reload_slice_equal(h.destination_list, m.destination_list));
        assert_true(i == count - 1 || (len >= 256 && len == first));
    }
    assert_true(cut_again(rig, 450, payload) > count);
}

/* R6940-6.7-4 R6940-6.7-7: three equal pieces would be too small; then all but the last have 256
 * bytes. */
static void no_fragment_but_the_last_has_less_than_256_bytes(void **state)
{
    struct rig *rig = *state;
    link_with_mtu(rig, 3, 2, 450);
    struct rig_message m = rig_long_ping(rig, 77);
    m.destination_list = rig_nodes(&rig->parties[2].id, NULL);
    for (size_t n = 2; n < 900; n += 7) {
        uint8_t body[1000] = { (uint8_t)((n - 2) >> 8), (uint8_t)(n - 2) };
        rig_clear(rig);
        m.body = reload_slice_of(body, n);
        rig_receive(rig, 1, &m);
        size_t count = rig_count(rig, RELOAD_ACTION_SEND);
        for (size_t i = 0; i < count; i++) {
            const struct rig_action *sent = rig_action(rig, RELOAD_ACTION_SEND, i);
            struct reload_forwarding_header h;
            struct reload_slice bytes = { sent->bytes, sent->len };
            assert_int_equal(reload_forwarding_header_decode(bytes, 16, &h), 0);
            assert_true(i == count - 1 || reload_payload(bytes, &h).n >= 256);
        }
    }
}

/* R6940-6.7-7: wherever the size divides, 32 bytes are left for the Via List to grow. */
static void fragments_leave_room_for_the_next_hop_s_via_entry(void **state)
{
    (void)state;
    for (uint32_t mtu = 500; mtu < 1100; mtu += 13) {
        void *started;
        rig_set_up(&started);
        struct rig *rig = started;
        link_with_mtu(rig, 3, 2, mtu);
        struct rig_message m = rig_long_ping(rig, 77);
        m.destination_list = rig_nodes(&rig->parties[2].id, NULL);
        rig_receive(rig, 1, &m);
        size_t count = rig_count(rig, RELOAD_ACTION_SEND);
        assert_true(count > 1);
        for (size_t i = 0; i < count; i++)
            assert_true(rig_action(rig, RELOAD_ACTION_SEND, i)->len <= mtu - 32);
        rig_tear_down(&started);
    }
}

/* R6940-6.7-5 R6940-6.7-12: where the pieces would be too small the message goes whole. */
static void an_mtu_too_small_for_256_bytes_means_no_fragmentation(void **state)
{
    struct rig *rig = *state;
    link_with_mtu(rig, 3, 2, 300);
    struct rig_message m = rig_long_ping(rig, 77);
    m.destination_list = rig_nodes(&rig->parties[2].id, NULL);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(rig, 0, NULL).header.fragment, RELOAD_FRAGMENT_WHOLE);
}

/* max-message-size holds for what is sent, too (s11.1). */
static void a_message_that_grew_above_max_message_size_is_refused(void **state)
{
    struct rig *rig = *state;
    static uint8_t body[5000];
    struct rig_message m = rig_long_ping(rig, 77);
    m.destination_list = rig_nodes(&rig->parties[1].id, NULL);
    m.body = reload_slice_of(body, 100);
    size_t overhead = rig_encode(rig, &m, NULL).n - 100;
    m.body.n =
        5000 - overhead; /* exactly full: the Via List does not fit any more, as one id neither */
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_TOO_LARGE), 1);
    struct reload_message out = rig_sent(rig, 0, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_MESSAGE_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(a_message_above_the_mtu_is_cut_into_equal_fragments),
        RIG(no_fragment_but_the_last_has_less_than_256_bytes),
        cmocka_unit_test(fragments_leave_room_for_the_next_hop_s_via_entry),
        RIG(an_mtu_too_small_for_256_bytes_means_no_fragmentation),
        RIG(a_message_that_grew_above_max_message_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
