#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reload/frame/sender.h"

static const struct reload_frame_timing timing = {
    .rtt = { .initial_rto_ms = 500, .min_rto_ms = 10, .max_rto_ms = 60000 },
    .grace_ms = 30000,
};

static struct reload_frame_sender sender;

static int fresh(void **state)
{
    (void)state;
    reload_frame_sender_init(&sender, &timing);
    return 0;
}

static bool ack(uint32_t sequence, uint64_t now_ms)
{
    struct reload_frame frame = { .type = RELOAD_FRAME_ACK, .sequence = sequence };
    return reload_frame_sender_acked(&sender, &frame, now_ms);
}

/* R6940-6.6.2-3 */
static void sequences_start_at_zero_and_grow_by_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(reload_frame_sender_next(&sender, i), i);
    sender.next_sequence = 0xffffffff;
    assert_int_equal(reload_frame_sender_next(&sender, 0), 0xffffffff);
    assert_int_equal(reload_frame_sender_next(&sender, 0), 0);
}

/* R6940-6.6.5-1 */
static void acks_measure_the_round_trip(void **state)
{
    (void)state;
    reload_frame_sender_next(&sender, 1000);
    assert_int_equal(reload_frame_sender_deadline(&sender), 1500);
    assert_true(ack(0, 1040));
    assert_int_equal(sender.rtt.latest_ms, 40);
    assert_int_equal(sender.rtt.rto_ms, 120);
    assert_int_equal(sender.unacked, 0);
    assert_int_equal(reload_frame_sender_deadline(&sender), RELOAD_NEVER);
    reload_frame_sender_next(&sender, 2000);
    assert_int_equal(reload_frame_sender_deadline(&sender), 2120);
}

/* R6940-6.6-4 R6940-6.6.5-2 R6940-6.6-5 */
static void an_rto_without_ack_makes_the_link_suspect_and_an_ack_clears_it(void **state)
{
    (void)state;
    reload_frame_sender_next(&sender, 0);
    reload_frame_sender_tick(&sender, 499);
    assert_int_equal(sender.state, RELOAD_FRAME_ALIVE);
    reload_frame_sender_tick(&sender, 500);
    assert_int_equal(sender.state, RELOAD_FRAME_SUSPECT);
    assert_int_equal(reload_frame_sender_deadline(&sender), 30500);
    reload_frame_sender_next(&sender, 600); /* sending more neither helps nor hurts */
    assert_int_equal(reload_frame_sender_deadline(&sender), 30500);
    assert_true(ack(0, 700));
    assert_int_equal(sender.state, RELOAD_FRAME_ALIVE);
    assert_int_equal(sender.unacked, 1);
    assert_int_equal(reload_frame_sender_deadline(&sender), 700 + sender.rtt.rto_ms);
}

/* R6940-6.6.5-3 */
static void thirty_seconds_without_recovery_are_the_end(void **state)
{
    (void)state;
    reload_frame_sender_next(&sender, 0);
    reload_frame_sender_tick(&sender, 500);
    reload_frame_sender_tick(&sender, 30499);
    assert_int_equal(sender.state, RELOAD_FRAME_SUSPECT);
    reload_frame_sender_tick(&sender, 30500);
    assert_int_equal(sender.state, RELOAD_FRAME_FAILED);
    assert_int_equal(reload_frame_sender_deadline(&sender), RELOAD_NEVER);
    assert_false(ack(0, 30501));
    assert_int_equal(sender.state, RELOAD_FRAME_FAILED);
}

static void an_idle_link_is_never_suspect(void **state)
{
    (void)state;
    reload_frame_sender_tick(&sender, UINT64_MAX - 1);
    assert_int_equal(sender.state, RELOAD_FRAME_ALIVE);
    reload_frame_sender_next(&sender, 10);
    assert_true(ack(0, 20));
    reload_frame_sender_tick(&sender, UINT64_MAX - 1);
    assert_int_equal(sender.state, RELOAD_FRAME_ALIVE);
}

static void progress_restarts_the_timer(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 4; i++)
        reload_frame_sender_next(&sender, i * 100); /* at 0, 100, 200, 300 */
    assert_int_equal(reload_frame_sender_deadline(&sender), 500);
    assert_true(ack(0, 400));
    assert_int_equal(reload_frame_sender_deadline(&sender), 400 + sender.rtt.rto_ms);
}

static void an_ack_covers_what_was_sent_before_it(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        reload_frame_sender_next(&sender, 0);
    assert_true(ack(3, 10));
    assert_int_equal(sender.unacked, 1);
    assert_false(ack(1, 11)); /* old news */
    assert_true(ack(4, 12));
    assert_int_equal(sender.unacked, 0);
}

static void acks_for_what_was_never_sent_change_nothing(void **state)
{
    (void)state;
    assert_false(ack(0, 0));
    assert_false(ack(0xffffffff, 0));
    reload_frame_sender_next(&sender, 0);
    assert_false(ack(1, 1));
    assert_false(ack(0x80000000, 1));
    assert_false(ack(0xffffffff, 1));
    assert_int_equal(sender.unacked, 1);
    assert_false(sender.rtt.measured);
    assert_true(ack(0, 5));
    assert_false(ack(0, 6)); /* a second ack for the same frame is no second sample */
    assert_int_equal(sender.rtt.latest_ms, 5);
}

static void acks_work_across_the_wrap(void **state)
{
    (void)state;
    sender.next_sequence = 0xfffffffe;
    for (int i = 0; i < 4; i++) /* fffffffe ffffffff 0 1 */
        reload_frame_sender_next(&sender, 100);
    assert_true(ack(0xffffffff, 110));
    assert_int_equal(sender.unacked, 2);
    assert_false(ack(0xfffffffe, 111));
    assert_true(ack(1, 130));
    assert_int_equal(sender.unacked, 0);
    assert_int_equal(sender.rtt.latest_ms, 30);
}

static void with_many_frames_in_flight_the_oldest_are_timed(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        reload_frame_sender_next(&sender, i);
    assert_true(ack(0, 200));
    assert_int_equal(sender.rtt.latest_ms, 200);
    assert_true(ack(31, 201));
    assert_int_equal(sender.rtt.latest_ms, 170);
    assert_true(ack(99, 300)); /* not timed: no sample, but progress */
    assert_int_equal(sender.rtt.latest_ms, 170);
    assert_int_equal(sender.unacked, 0);
    assert_int_equal(reload_frame_sender_next(&sender, 400), 100);
    assert_true(ack(100, 402));
    assert_int_equal(sender.rtt.latest_ms, 2);
}

/* Every state meets every input; none of them is impossible, none breaks anything. */
static void each_state_takes_each_input(void **state)
{
    (void)state;
    for (int s = RELOAD_FRAME_ALIVE; s <= RELOAD_FRAME_FAILED; s++) {
        for (int input = 0; input < 3; input++) {
            reload_frame_sender_init(&sender, &timing);
            reload_frame_sender_next(&sender, 0);
            if (s >= RELOAD_FRAME_SUSPECT)
                reload_frame_sender_tick(&sender, 500);
            if (s == RELOAD_FRAME_FAILED)
                reload_frame_sender_tick(&sender, 30500);
            assert_int_equal(sender.state, s);
            if (input == 0)
                assert_int_equal(reload_frame_sender_next(&sender, 31000), 1);
            if (input == 1)
                assert_int_equal(ack(0, 31000), s != RELOAD_FRAME_FAILED);
            if (input == 2)
                reload_frame_sender_tick(&sender, 31000);
            static const enum reload_frame_sender_state expected[3][3] = {
                { RELOAD_FRAME_ALIVE, RELOAD_FRAME_ALIVE, RELOAD_FRAME_SUSPECT },
                { RELOAD_FRAME_SUSPECT, RELOAD_FRAME_ALIVE, RELOAD_FRAME_FAILED },
                { RELOAD_FRAME_FAILED, RELOAD_FRAME_FAILED, RELOAD_FRAME_FAILED },
            };
            assert_int_equal(sender.state, expected[s][input]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sequences_start_at_zero_and_grow_by_one, fresh),
        cmocka_unit_test_setup(acks_measure_the_round_trip, fresh),
        cmocka_unit_test_setup(an_rto_without_ack_makes_the_link_suspect_and_an_ack_clears_it,
                               fresh),
        cmocka_unit_test_setup(thirty_seconds_without_recovery_are_the_end, fresh),
        cmocka_unit_test_setup(an_idle_link_is_never_suspect, fresh),
        cmocka_unit_test_setup(progress_restarts_the_timer, fresh),
        cmocka_unit_test_setup(an_ack_covers_what_was_sent_before_it, fresh),
        cmocka_unit_test_setup(acks_for_what_was_never_sent_change_nothing, fresh),
        cmocka_unit_test_setup(acks_work_across_the_wrap, fresh),
        cmocka_unit_test_setup(with_many_frames_in_flight_the_oldest_are_timed, fresh),
        cmocka_unit_test_setup(each_state_takes_each_input, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
