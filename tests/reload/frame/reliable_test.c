#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reload/alloc.h"
#include "reload/frame/reliable.h"

/* The sender of Simple Reliability, alone: what it sends when, and what acks do. */

static struct reload_reliable *sender;

static void open_sender(const struct reload_congestion *congestion)
{
    struct reload_reliable_config config = { .congestion = congestion };
    assert_int_equal(reload_reliable_new(&config, &sender), 0);
}

static int open_stop_and_wait(void **state)
{
    (void)state;
    open_sender(&reload_congestion_stop_and_wait);
    return 0;
}

static int open_window(void **state)
{
    (void)state;
    open_sender(&reload_congestion_window);
    return 0;
}

static int close_sender(void **state)
{
    (void)state;
    reload_reliable_free(sender);
    return 0;
}

static int send_text(const char *text)
{
    struct reload_slice part = reload_slice_of(text, strlen(text));
    return reload_reliable_send(sender, &part, 1);
}

/* The sequence number of the frame that leaves now; -1: none does. */
static int64_t leaves(uint64_t now_ms)
{
    struct reload_frame frame;
    if (!reload_reliable_next(sender, now_ms, &frame))
        return -1;
    assert_int_equal(frame.type, RELOAD_FRAME_DATA);
    return frame.sequence;
}

static bool acked(uint32_t sequence, uint32_t received, uint64_t now_ms)
{
    struct reload_frame ack = { .type = RELOAD_FRAME_ACK,
                                .sequence = sequence,
                                .received = received };
    return reload_reliable_acked(sender, &ack, now_ms);
}

static struct reload_reliable_stats stats(void)
{
    struct reload_reliable_stats s;
    reload_reliable_stats(sender, &s);
    return s;
}

/* Runs until the sender wants nothing more, and notes when frames left. */
static size_t departures(uint64_t *at_ms, size_t cap)
{
    size_t count = 0;
    uint64_t now_ms;
    while ((now_ms = reload_reliable_deadline(sender)) != RELOAD_NEVER) {
        reload_reliable_tick(sender, now_ms);
        int64_t sequence = leaves(now_ms);
        if (sequence < 0)
            continue;
        assert_int_equal(sequence, count); /* each transmission has the next number */
        assert_true(count < cap);
        at_ms[count++] = now_ms;
        assert_int_equal(leaves(now_ms), -1);
    }
    return count;
}

/* R6940-6.6.3.1-2 R6940-6.6.3.1-8 R6940-6.6.3.1-9 R6940-6.6.3.1-10 R6940-6.6.2-3 */
static void an_unanswered_message_leaves_at_0_500_1500_3500_and_7500_ms(void **state)
{
    (void)state;
    assert_int_equal(send_text("hello"), 0);
    uint64_t at_ms[8];
    const uint64_t expected[] = { 0, 500, 1500, 3500, 7500 };
    assert_int_equal(departures(at_ms, 8), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(at_ms[i], expected[i]);
    assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_FAILED);
    assert_int_equal(stats().retransmissions, 4);
    assert_int_equal(send_text("more"), RELOAD_E_STATE);
}

static void the_window_sender_tries_twice_more_before_it_gives_the_link_up(void **state)
{
    (void)state;
    assert_int_equal(send_text("hello"), 0);
    uint64_t at_ms[8];
    const uint64_t expected[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
    assert_int_equal(departures(at_ms, 8), 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(at_ms[i], expected[i]);
    assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_FAILED);
}

static void the_window_sender_is_suspect_as_early_as_stop_and_wait(void **state)
{
    (void)state;
    assert_int_equal(send_text("hello"), 0);
    for (uint64_t ms = 0; ms <= 7500; ms += 500) {
        assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_ALIVE);
        reload_reliable_tick(sender, ms);
        (void)leaves(ms);
    }
    assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_SUSPECT);
}

/* R6940-6.6.3.1-11 R6940-6.6.3.1-12 R6940-6.6-4 */
static void
it_is_suspect_at_the_third_retransmission_after_an_rto_and_failed_at_the_end(void **state)
{
    (void)state;
    assert_int_equal(send_text("hello"), 0);
    assert_int_equal(leaves(0), 0);
    const uint64_t at_ms[] = { 500, 1500, 3500, 7500, 15500 };
    for (int i = 0; i < 5; i++) {
        enum reload_frame_sender_state want = i < 4 ? RELOAD_FRAME_ALIVE : RELOAD_FRAME_SUSPECT;
        assert_int_equal(reload_reliable_deadline(sender), at_ms[i]);
        reload_reliable_tick(sender, at_ms[i] - 1);
        assert_int_equal(leaves(at_ms[i] - 1), -1);
        assert_int_equal(reload_reliable_state(sender), want);
        reload_reliable_tick(sender, at_ms[i]);
        assert_int_equal(leaves(at_ms[i]), i < 4 ? i + 1 : -1);
    }
    assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_FAILED);
    assert_int_equal(reload_reliable_deadline(sender), RELOAD_NEVER);
    assert_false(acked(4, 0, 15501));
}

static void open_narrow_sender(void)
{
    const struct reload_reliable_config config = { .congestion = &reload_congestion_stop_and_wait,
                                                   .narrow_len = 5 };
    close_sender(NULL);
    assert_int_equal(reload_reliable_new(&config, &sender), 0);
}

/* Ticks and sends what wants to leave, up to and without that time. */
static void run_before(uint64_t end_ms)
{
    for (uint64_t ms = 0; ms < end_ms; ms += 500) {
        reload_reliable_tick(sender, ms);
        (void)leaves(ms);
    }
}

static void a_path_that_loses_the_first_long_message_three_times_is_narrow(void **state)
{
    (void)state;
    struct reload_slice taken;
    open_narrow_sender();
    assert_int_equal(send_text("longer"), 0);
    assert_int_equal(send_text("short"), 0);
    assert_int_equal(send_text("longest"), 0);
    run_before(3500);
    assert_false(reload_reliable_is_narrow(sender));
    reload_reliable_tick(sender, 3500);
    assert_true(reload_reliable_is_narrow(sender));
    assert_true(reload_reliable_take_long(sender, &taken));
    assert_memory_equal(taken.p, "longer", taken.n);
    assert_true(reload_reliable_take_long(sender, &taken));
    assert_memory_equal(taken.p, "longest", taken.n);
    assert_false(reload_reliable_take_long(sender, &taken));
    assert_int_equal(stats().messages, 1);
    assert_int_equal(stats().bytes, 5);
    assert_int_equal(leaves(3500), 3);
    assert_false(acked(2, 0, 3510)); /* of one that was taken out */
    assert_true(acked(3, 0, 3520));
    assert_int_equal(stats().messages, 0);
    assert_int_equal(reload_reliable_deadline(sender), RELOAD_NEVER);
}

static void a_path_is_not_narrow_for_lost_short_messages_or_after_a_long_one(void **state)
{
    (void)state;
    const char *const lost[] = { "short", "longer" };
    for (int i = 0; i < 2; i++) {
        open_narrow_sender();
        if (i > 0) {
            assert_int_equal(send_text("longest"), 0);
            assert_int_equal(leaves(0), 0);
            assert_true(acked(0, 0, 0));
        }
        assert_int_equal(send_text(lost[i]), 0);
        run_before(60000);
        assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_FAILED);
        assert_false(reload_reliable_is_narrow(sender));
    }
}

/* R6940-6.6.3.1-13 */
static void a_suspect_link_recovers_when_any_of_the_transmissions_is_acknowledged(void **state)
{
    (void)state;
    for (uint32_t answered = 0; answered < 5; answered++) {
        assert_int_equal(send_text("hello"), 0);
        for (uint64_t ms = 0; ms <= 7500; ms += 500) {
            reload_reliable_tick(sender, ms);
            (void)leaves(ms);
        }
        assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_SUSPECT);
        assert_true(acked(answered, 0, 7600));
        assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_ALIVE);
        assert_int_equal(reload_reliable_deadline(sender), RELOAD_NEVER);
        assert_int_equal(stats().messages, 0);
        close_sender(NULL);
        open_stop_and_wait(NULL);
    }
}

/* R6940-6.6.3.1-1 R6940-6.6.3.1-14 */
static void stop_and_wait_has_one_message_out_and_pauses_10_ms_after_its_ack(void **state)
{
    (void)state;
    assert_int_equal(send_text(""), 0); /* an empty message occupies the link too */
    assert_int_equal(send_text("two"), 0);
    assert_int_equal(leaves(1000), 0);
    assert_int_equal(leaves(1000), -1);
    assert_true(acked(0, 0, 1040));
    assert_int_equal(leaves(1049), -1);
    assert_int_equal(reload_reliable_deadline(sender), 1050);
    assert_int_equal(leaves(1050), 1);
    assert_true(acked(1, 1u << 1, 1060));
    assert_int_equal(send_text("three"), 0);
    assert_int_equal(leaves(1069), -1);
    assert_int_equal(leaves(1070), 2);
}

/* R6940-6.6.3.1-4 R6940-6.6.3.1-5 R6940-6.6.3.1-7 */
static void every_ack_measures_also_those_of_retransmissions(void **state)
{
    (void)state;
    assert_int_equal(send_text("one"), 0);
    assert_int_equal(leaves(0), 0);
    reload_reliable_tick(sender, 500);
    assert_int_equal(leaves(500), 1);
    assert_true(acked(1, 0, 733));
    assert_int_equal(reload_reliable_rtt(sender)->latest_ms, 233);
    assert_int_equal(reload_reliable_rtt(sender)->rto_ms, 699); /* 233 + 4 * 116.5, to the ms */
    assert_int_equal(send_text("two"), 0);
    assert_int_equal(leaves(800), 2);
    assert_int_equal(reload_reliable_deadline(sender), 1499);
}

/* R6940-6.6.3.1-6 */
static void the_round_trip_of_a_stun_check_is_the_first_sample(void **state)
{
    (void)state;
    reload_reliable_measured(sender, 100);
    assert_int_equal(send_text("one"), 0);
    assert_int_equal(leaves(0), 0);
    assert_int_equal(reload_reliable_deadline(sender), 300);
}

static void acks_for_what_was_never_sent_or_is_settled_change_nothing(void **state)
{
    (void)state;
    assert_false(acked(0, 0xfffffffe, 5));
    assert_int_equal(send_text("one"), 0);
    assert_int_equal(leaves(0), 0);
    assert_false(acked(1, 0, 5));
    assert_false(acked(0xffffffff, 0xfffffffe, 5));
    assert_false(acked(0x80000000, 0xfffffffe, 5));
    assert_int_equal(stats().messages, 1);
    assert_true(acked(0, 0, 5));
    assert_false(acked(0, 0, 300));
    assert_int_equal(reload_reliable_rtt(sender)->latest_ms, 5);
}

/* R6940-6.6.2-7 */
static void the_mask_of_an_ack_settles_up_to_31_frames_before_it(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(send_text("a message"), 0);
        assert_int_equal(leaves(0), i);
    }
    assert_true(acked(35, 0xfffffffe, 20)); /* 35, and 4..34 */
    assert_int_equal(stats().messages, 8);
    assert_true(acked(3, 1u << 3 | 1u << 1, 20)); /* 3, 2 and 0; bit 0 says nothing */
    assert_int_equal(stats().messages, 5);
    assert_false(acked(35, 0xfffffffe, 20));
}

static void a_frame_that_later_acks_overtake_is_sent_again_before_the_rto(void **state)
{
    (void)state;
    reload_reliable_measured(sender, 100);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_text("a message"), 0);
    assert_int_equal(leaves(0), 0);
    assert_int_equal(leaves(0), 1);
    assert_int_equal(leaves(0), 2);
    assert_true(acked(2, 1u << 1, 100)); /* 0 is missing, and may merely be late */
    uint64_t lost_ms = reload_reliable_deadline(sender);
    assert_true(lost_ms > 100 && lost_ms < 300);
    reload_reliable_tick(sender, lost_ms);
    assert_int_equal(stats().losses, 1);
    assert_int_equal(leaves(lost_ms), 3);
    assert_int_equal(stats().timeouts, 0);
    assert_true(acked(3, 1u << 1 | 1u << 2, lost_ms + 100));
    assert_int_equal(stats().messages, 0);
}

static void a_message_given_up_on_a_working_link_does_not_end_the_link(void **state)
{
    (void)state;
    reload_reliable_measured(sender, 10);
    assert_int_equal(send_text("unlucky"), 0);
    uint64_t now_ms = 0;
    uint32_t lucky = 0;
    for (int i = 0; i < 100 && stats().given_up == 0; i++) {
        assert_int_equal(send_text("lucky"), 0);
        struct reload_frame frame;
        while (reload_reliable_next(sender, now_ms, &frame))
            if (frame.message.n == 5)
                lucky = frame.sequence;
        assert_true(acked(lucky, 0, now_ms + 10));
        now_ms += 50;
        reload_reliable_tick(sender, now_ms);
    }
    assert_int_equal(stats().given_up, 1);
    assert_int_equal(stats().retransmissions, reload_congestion_window.transmissions - 1);
    assert_int_equal(reload_reliable_state(sender), RELOAD_FRAME_ALIVE);
}

static void the_queue_is_bounded_in_messages_and_bytes(void **state)
{
    (void)state;
    close_sender(NULL);
    struct reload_reliable_config config = { .queue_bytes = 100, .queue_messages = 3 };
    assert_int_equal(reload_reliable_new(&config, &sender), 0);
    static uint8_t large[1000];
    struct reload_slice part = reload_slice_of(large, sizeof large);
    assert_int_equal(reload_reliable_send(sender, &part, 1), 0); /* alone it may exceed the bytes */
    assert_int_equal(send_text("x"), RELOAD_E_LIMIT);
    assert_int_equal(leaves(0), 0);
    assert_int_equal(send_text("x"), RELOAD_E_LIMIT); /* unacknowledged ones count */
    assert_true(acked(0, 0, 5));
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_text("x"), 0);
    assert_int_equal(send_text("x"), RELOAD_E_LIMIT);
}

static void the_span_of_sequence_numbers_is_bounded_without_spinning(void **state)
{
    (void)state;
    close_sender(NULL);
    struct reload_reliable_config config = { .queue_messages = 5000 };
    assert_int_equal(reload_reliable_new(&config, &sender), 0);
    uint32_t next = 0;
    for (int i = 0; i < RELOAD_RELIABLE_SPAN_MAX + 10; i++) {
        assert_int_equal(send_text("x"), 0);
        if (leaves(0) != next)
            break;
        if (next++ > 0) /* all but frame 0 are acknowledged, at once */
            assert_true(acked(next - 1, 0, 0));
    }
    assert_int_equal(next, RELOAD_RELIABLE_SPAN_MAX);
    assert_int_not_equal(reload_reliable_deadline(sender), 0);
    assert_true(acked(0, 0, 0));
    assert_int_equal(leaves(0), RELOAD_RELIABLE_SPAN_MAX);
}

static void without_memory_messages_are_refused_and_frames_wait(void **state)
{
    (void)state;
    reload_alloc_fail_at(1);
    struct reload_reliable *none;
    assert_int_equal(reload_reliable_new(NULL, &none), RELOAD_E_NOMEM);
    assert_int_equal(send_text("x"), RELOAD_E_NOMEM);
    reload_alloc_fail_at(0);
    assert_int_equal(send_text("x"), 0);
    reload_alloc_fail_at(1);
    assert_int_equal(leaves(0), -1);
    reload_alloc_fail_at(0);
    assert_int_equal(leaves(0), 0);
    assert_true(acked(0, 0, 1));
}

#define STOP_AND_WAIT(f) cmocka_unit_test_setup_teardown(f, open_stop_and_wait, close_sender)
#define WINDOW(f)        cmocka_unit_test_setup_teardown(f, open_window, close_sender)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STOP_AND_WAIT(an_unanswered_message_leaves_at_0_500_1500_3500_and_7500_ms),
        WINDOW(the_window_sender_tries_twice_more_before_it_gives_the_link_up),
        STOP_AND_WAIT(it_is_suspect_at_the_third_retransmission_after_an_rto_and_failed_at_the_end),
        STOP_AND_WAIT(a_path_that_loses_the_first_long_message_three_times_is_narrow),
        STOP_AND_WAIT(a_path_is_not_narrow_for_lost_short_messages_or_after_a_long_one),
        WINDOW(the_window_sender_is_suspect_as_early_as_stop_and_wait),
        STOP_AND_WAIT(a_suspect_link_recovers_when_any_of_the_transmissions_is_acknowledged),
        STOP_AND_WAIT(stop_and_wait_has_one_message_out_and_pauses_10_ms_after_its_ack),
        STOP_AND_WAIT(every_ack_measures_also_those_of_retransmissions),
        STOP_AND_WAIT(the_round_trip_of_a_stun_check_is_the_first_sample),
        STOP_AND_WAIT(acks_for_what_was_never_sent_or_is_settled_change_nothing),
        WINDOW(acks_for_what_was_never_sent_or_is_settled_change_nothing),
        WINDOW(the_mask_of_an_ack_settles_up_to_31_frames_before_it),
        WINDOW(a_frame_that_later_acks_overtake_is_sent_again_before_the_rto),
        WINDOW(a_message_given_up_on_a_working_link_does_not_end_the_link),
        WINDOW(the_queue_is_bounded_in_messages_and_bytes),
        WINDOW(the_span_of_sequence_numbers_is_bounded_without_spinning),
        WINDOW(without_memory_messages_are_refused_and_frames_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
