#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "couple.h"
#include "reload/frame/frame.h"

/* Frames that no link sends, by a node of the overlay. */

static struct raw raw;

static size_t data_frame(uint8_t *at, uint32_t sequence, size_t len)
{
    reload_frame_data_header(at, sequence, len);
    memset(at + RELOAD_FRAME_DATA_HEADER_LEN, (int)sequence, len);
    return RELOAD_FRAME_DATA_HEADER_LEN + len;
}

/* R6940-6.6.2-7 */
static void an_unknown_frame_type_closes_the_link(void **state)
{
    (void)state;
    static const uint8_t types[] = { 0, 1, 127, 130, 255 };
    for (size_t i = 0; i < sizeof types; i++) {
        couple_open(&alice, &bob, NULL);
        couple_raw(&raw);
        uint8_t wire[32];
        size_t n = data_frame(wire, 0, 3);
        wire[n] = types[i];
        raw_write(&raw, wire, n + 1);
        assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
        assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 1);
        assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_DECODE);
        assert_int_equal(host_stats(&host_b).failed_framing, 1);
        raw_close(&raw);
        (void)couple_close(NULL);
    }
    couple_open(&alice, &bob, NULL);
}

/* R6940-6.6.2-8 R6940-6.6.2-4 */
static void frames_may_be_cut_over_records_anywhere(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    couple_raw(&raw);
    uint8_t wire[64];
    size_t n = data_frame(wire, 0, 5);
    n += data_frame(wire + n, 1, 0);
    n += data_frame(wire + n, 2, 20);
    size_t messages = 0;
    for (size_t cut = 1; cut < n; cut++) {
        raw_write(&raw, wire, cut);
        net_turn();
        raw_write(&raw, wire + cut, n - cut);
        messages += 3;
        assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, messages));
        assert_int_equal(host_b.message_len, 20);
        assert_int_equal(host_b.message[19], 2);
    }
    for (int i = 0; i < 50; i++)
        raw_turn(&raw);
    assert_int_equal(raw.got_len, messages * RELOAD_FRAME_ACK_LEN);
    raw_close(&raw);
}

/* R6940-6.6.2-4 R6940-6.6.2-6 */
static void each_frame_gets_the_ack_it_deserves(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    couple_raw(&raw);
    uint8_t wire[64];
    size_t n = data_frame(wire, 7, 1);
    n += data_frame(wire + n, 9, 1);
    n += data_frame(wire + n, 8, 1);
    raw_write(&raw, wire, n);
    for (int i = 0; i < 500 && raw.got_len < 27; i++)
        raw_turn(&raw);
    static const uint8_t acks[] = { 0x81, 0, 0, 0, 7,    0, 0, 0, 0, 0x81, 0, 0, 0, 9,
                                    0,    0, 0, 4, 0x81, 0, 0, 0, 8, 0,    0, 0, 2 };
    assert_int_equal(raw.got_len, sizeof acks);
    assert_memory_equal(raw.got, acks, sizeof acks);
    raw_close(&raw);
}

static void acks_out_of_the_blue_change_nothing(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    couple_raw(&raw);
    static const uint32_t sequences[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
    for (size_t i = 0; i < 5; i++) {
        uint8_t wire[RELOAD_FRAME_ACK_LEN];
        struct reload_writer w = reload_writer_of(wire, sizeof wire);
        struct reload_frame ack = { .type = RELOAD_FRAME_ACK,
                                    .sequence = sequences[i],
                                    .received = 0xffffffff };
        assert_int_equal(reload_frame_encode(&w, &ack), 0);
        raw_write(&raw, wire, sizeof wire);
    }
    net_for_ms(10);
    struct reload_link_info info = host_info(&host_b, host_b.last[RELOAD_LINK_UP].link);
    assert_int_equal(info.counters.acks_in, 5);
    assert_int_equal(info.rtt_ms, 0);
    assert_int_equal(info.unacked, 0);
    raw_close(&raw);
}

/* R6940-6.6-1 R6940-6.6-2 */
static void an_oversize_message_can_be_answered_before_it_has_arrived_and_closed(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 1000 };
    couple_open(&alice, &bob, &options);
    couple_raw(&raw);
    static uint8_t wire[2000];
    reload_frame_data_header(wire, 0, RELOAD_FRAME_MESSAGE_MAX);
    memset(wire + RELOAD_FRAME_DATA_HEADER_LEN, 0x5a, sizeof wire - RELOAD_FRAME_DATA_HEADER_LEN);
    raw_write(&raw, wire, sizeof wire);
    assert_true(net_events(&host_b, RELOAD_LINK_OVERSIZE, 1));
    assert_int_equal(host_b.message_len, 1000);
    assert_memory_equal(host_b.message, wire + RELOAD_FRAME_DATA_HEADER_LEN, 1000);
    reload_link_id id = host_b.last[RELOAD_LINK_OVERSIZE].link;
    assert_int_equal(host_send(&host_b, id, "too large", 9), 0);
    reload_links_close(host_b.links, id, "message too large", net_now());
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    for (int i = 0; i < 100 && !raw.ended; i++) {
        if (raw.status == 0)
            raw_write(&raw, wire, sizeof wire); /* it goes on and on, and still gets the answer */
        raw_turn(&raw);
    }
    assert_int_equal(raw.got_len, RELOAD_FRAME_DATA_HEADER_LEN + 9);
    assert_memory_equal(raw.got + RELOAD_FRAME_DATA_HEADER_LEN, "too large", 9);
    assert_int_equal(host_stats(&host_b).sum.oversize, 1);
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 0);
    raw_close(&raw);
}

static void an_oversize_link_left_alone_closes_itself(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 10 };
    couple_open(&alice, &bob, &options);
    reload_link_id id = couple_link();
    reload_links_set_max_message_size(host_a.links, 1000);
    assert_int_equal(host_send(&host_a, id, "0123456789", 10), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    assert_int_equal(host_send(&host_a, id, "0123456789+", 11), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_OVERSIZE, 1));
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    leap_ms += RELOAD_LINK_LINGER_MS;
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(an_unknown_frame_type_closes_the_link),
        COUPLE(frames_may_be_cut_over_records_anywhere),
        COUPLE(each_frame_gets_the_ack_it_deserves),
        COUPLE(acks_out_of_the_blue_change_nothing),
        COUPLE(an_oversize_message_can_be_answered_before_it_has_arrived_and_closed),
        COUPLE(an_oversize_link_left_alone_closes_itself),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
