#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "couple.h"
#include "raw_client.h"
#include "reload/alloc.h"
#include "reload/frame/duplicates.h"
#include "reload/frame/frame.h"
#include "reload/link/datagram.h"

/* Frames on a DTLS link from a node of the overlay that keeps no rule of Simple Reliability
 * (RFC 6940 s6.6.2, s6.6.3). b is the victim, a an honest node. */

static reload_link_id honest, far; /* at a; at b, the hostile one's */
static struct raw_client client;

static int open_hosts(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    honest = couple_link_datagrams();
    raw_client_open(&client, &alice, &bare_port);
    assert_true(raw_client_until_up(&client));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 2));
    far = couple_far_id();
    return 0;
}

/* Whatever came before, both links work and are the only ones. */
static int close_hosts(void **state)
{
    size_t messages = host_b.count[RELOAD_LINK_MESSAGE];
    assert_int_equal(host_send(&host_a, honest, "still there", 11), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, messages + 1));
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN] + host_b.count[RELOAD_LINK_DOWN], 0);
    raw_client_close(&client);
    return couple_close(state);
}

static void put_data(uint32_t sequence, const void *message, size_t n)
{
    uint8_t frame[64];
    reload_frame_data_header(frame, sequence, n);
    memcpy(frame + RELOAD_FRAME_DATA_HEADER_LEN, message, n);
    client.got_len = 0;
    raw_client_write(&client, frame, RELOAD_FRAME_DATA_HEADER_LEN + n);
}

static void put_ack(uint32_t sequence, uint32_t received)
{
    uint8_t bytes[RELOAD_FRAME_ACK_LEN];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    const struct reload_frame ack = { .type = RELOAD_FRAME_ACK,
                                      .sequence = sequence,
                                      .received = received };
    assert_int_equal(reload_frame_encode(&w, &ack), 0);
    client.got_len = 0;
    raw_client_write(&client, bytes, sizeof bytes);
}

/* The ack that comes back next. */
static struct reload_frame take_ack(void)
{
    struct reload_frame frame = { 0 };
    for (int i = 0; i < 20000 && client.got_len < RELOAD_FRAME_ACK_LEN; i++)
        raw_client_turn(&client);
    struct reload_reader r = reload_reader_of(client.got, client.got_len);
    assert_int_equal(reload_frame_decode(&r, &frame), 0);
    assert_int_equal(frame.type, RELOAD_FRAME_ACK);
    return frame;
}

/* --- data frames --- */

/* R6940-6.6.2-4 R6940-6.6.2-5 */
static void leaps_of_the_sequence_number_are_acknowledged_as_they_are(void **state)
{
    (void)state;
    static const struct {
        uint32_t sequence, received;
    } leaps[] = {
        { 0, 0 },
        { UINT32_C(1) << 31, 0 },
        { 1, 1u << 1 }, /* frame 0 */
        { (UINT32_C(1) << 31) + 1, 1u << 1 },
        { UINT32_MAX, 0 },
        { (UINT32_C(1) << 31) - 1, 0 },
        { 31, 1u << 31 | 1u << 30 },
        { UINT32_MAX - 31, 0 },
        { 2, 1u << 1 | 1u << 2 | 1u << 3 },
    };
    for (uint32_t i = 0; i < sizeof leaps / sizeof leaps[0]; i++) {
        put_data(leaps[i].sequence, &i, sizeof i);
        struct reload_frame ack = take_ack();
        assert_int_equal(ack.sequence, leaps[i].sequence);
        assert_int_equal(ack.received, leaps[i].received);
        assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], i + 1);
    }
}

/* R6940-6.6.3-2: each is acknowledged, none is remembered, and one is delivered each time that a
 * message may come again from its requester. */
static void the_same_message_over_and_over_is_delivered_now_and_then(void **state)
{
    (void)state;
    enum { TIMES = 50000 };
    unsigned long allocations = 0;
    uint64_t start_ms = net_now().monotonic_ms;
    for (uint32_t i = 0; i < TIMES; i++) {
        if (i == TIMES / 2)
            allocations = reload_alloc_count();
        put_data(i % 3 ? i : 7, "a message", 9); /* with new numbers, and with the same one */
    }
    net_for_ms(20);
    uint64_t spans = (net_now().monotonic_ms - start_ms) / RELOAD_DUPLICATES_MS + 1;
    assert_in_range(host_b.count[RELOAD_LINK_MESSAGE], 1, spans);
    assert_true(host_info(&host_b, far).counters.repeated >
                TIMES * 9 / 10); /* the rest was lost by UDP */
    assert_true(host_info(&host_b, far).counters.acks_out > 0);
    assert_true(reload_alloc_count() - allocations < 10 * TIMES);
    assert_in_range(host_info(&host_b, far).queued_bytes, 0, 1000);
}

/* --- acks --- */

static void acks_of_frames_that_were_never_sent_settle_nothing(void **state)
{
    (void)state;
    static const uint32_t sequences[] = {
        1,         31, 32, 1023, 1024, (UINT32_C(1) << 31) - 1, UINT32_C(1) << 31, UINT32_MAX - 31,
        UINT32_MAX
    };
    static const uint32_t masks[] = { 0, 1, 0x55555555, UINT32_MAX - 1, UINT32_MAX };
    assert_int_equal(host_send(&host_b, far, "unacknowledged", 14), 0);
    net_for_ms(5);
    uint32_t rtt_ms = host_info(&host_b, far).rtt_ms;
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
        for (size_t j = 0; j < sizeof masks / sizeof masks[0]; j++) {
            bool reaches_it = sequences[i] < 32 && masks[j] >> sequences[i] & 1;
            if (!reaches_it)
                put_ack(sequences[i], masks[j]);
        }
    net_for_ms(5);
    assert_int_equal(host_info(&host_b, far).queued_messages, 1);
    assert_int_equal(host_info(&host_b, far).rtt_ms, rtt_ms);
    put_ack(0, 0);
    net_for_ms(5);
    assert_int_equal(host_info(&host_b, far).queued_messages, 0);
}

static void a_storm_of_acks_costs_nothing(void **state)
{
    (void)state;
    enum { TIMES = 50000 };
    uint32_t rto_ms = host_info(&host_b, far).rto_ms;
    uint64_t frames_out = host_info(&host_b, far).counters.frames_out;
    for (uint32_t i = 0; i < TIMES; i++)
        put_ack(i * 2654435761u, UINT32_MAX);
    net_for_ms(20);
    assert_true(host_info(&host_b, far).counters.acks_in > TIMES * 9 / 10);
    assert_int_equal(host_info(&host_b, far).counters.frames_out,
                     frames_out); /* an ack is not acknowledged */
    assert_int_equal(host_info(&host_b, far).rto_ms, rto_ms);
    assert_int_equal(host_send(&host_b, far, "x", 1), 0);
    net_for_ms(5);
    assert_int_equal(host_info(&host_b, far).queued_messages, 1);
    put_ack(0, 0);
    net_for_ms(5);
    assert_int_equal(host_info(&host_b, far).queued_messages, 0);
}

/* An ack that comes before its frame can have arrived makes no round trip shorter than the floor,
 * nor does one that comes late make it longer than the ceiling: R6940-6.6.3.1-7. */
static void acks_at_odd_times_keep_the_rto_within_its_limits(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(host_send(&host_b, far, &i, sizeof i), 0);
        net_turn();
        put_ack(i, UINT32_MAX);
        net_turn();
        assert_in_range(host_info(&host_b, far).rto_ms, 100, 60000);
    }
    assert_int_equal(host_info(&host_b, far).queued_messages, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_hosts, close_hosts)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leaps_of_the_sequence_number_are_acknowledged_as_they_are),
        TEST(the_same_message_over_and_over_is_delivered_now_and_then),
        TEST(acks_of_frames_that_were_never_sent_settle_nothing),
        TEST(a_storm_of_acks_costs_nothing),
        TEST(acks_at_odd_times_keep_the_rto_within_its_limits),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
