#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reload/frame/receiver.h"

static struct reload_frame_receiver receiver;

static uint32_t mask_after(uint32_t sequence)
{
    struct reload_frame ack = reload_frame_receiver_ack(&receiver, sequence);
    assert_int_equal(ack.type, RELOAD_FRAME_ACK);
    assert_int_equal(ack.sequence, sequence);
    return ack.received;
}

static int fresh(void **state)
{
    (void)state;
    reload_frame_receiver_init(&receiver);
    return 0;
}

/* R6940-6.6.2-6 */
static void frames_in_order_set_one_bit_more_each_up_to_bit_31(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 100; n++) {
        uint32_t before = n < 31 ? n : 31; /* N-32 < M < N */
        uint32_t expected = 0;
        for (uint32_t bit = 1; bit <= before; bit++)
            expected |= UINT32_C(1) << bit;
        assert_int_equal(mask_after(n), expected);
    }
}

/* R6940-6.6.2-6 */
static void lost_and_late_frames_show_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(mask_after(10), 0);
    assert_int_equal(mask_after(13), 1u << 3);
    assert_int_equal(mask_after(11), 1u << 1); /* 13 is not before 11 */
    assert_int_equal(mask_after(14), 1u << 1 | 1u << 3 | 1u << 4);
    assert_int_equal(mask_after(14), 1u << 1 | 1u << 3 | 1u << 4); /* again: bit 0 is never set */
    assert_int_equal(mask_after(14 + 31), 1u << 31);
    assert_int_equal(mask_after(14 + 32), 1u << 1); /* 14 is at N-32: outside */
}

/* R6940-6.6.2-5 */
static void the_32_most_recent_ones_are_remembered_by_arrival_not_by_number(void **state)
{
    (void)state;
    mask_after(100);
    for (uint32_t i = 0; i < 31; i++)
        mask_after(1000 + i);
    assert_int_equal(mask_after(101), 1u << 1); /* 100 is the 32nd before this one */
    reload_frame_receiver_init(&receiver);
    mask_after(100);
    for (uint32_t i = 0; i < 32; i++)
        mask_after(1000 + i);
    assert_int_equal(mask_after(101), 0); /* now it is the 33rd */
}

/* R6940-6.6.2-5 */
static void each_of_the_32_most_recent_ones_shows_after_a_gap(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        mask_after(1000 + i);
    uint32_t all_but_the_lost = UINT32_MAX << 2; /* bit 0 is itself, bit 1 the lost 1040 */
    assert_int_equal(mask_after(1041), all_but_the_lost);
}

/* R6940-6.6.2-6 */
static void the_mask_crosses_the_wrap(void **state)
{
    (void)state;
    assert_int_equal(mask_after(0xfffffffe), 0);
    assert_int_equal(mask_after(0xffffffff), 1u << 1);
    assert_int_equal(mask_after(0), 1u << 1 | 1u << 2);
    assert_int_equal(mask_after(29), 1u << 29 | 1u << 30 | 1u << 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_in_order_set_one_bit_more_each_up_to_bit_31, fresh),
        cmocka_unit_test_setup(lost_and_late_frames_show_as_they_are, fresh),
        cmocka_unit_test_setup(the_32_most_recent_ones_are_remembered_by_arrival_not_by_number,
                               fresh),
        cmocka_unit_test_setup(each_of_the_32_most_recent_ones_shows_after_a_gap, fresh),
        cmocka_unit_test_setup(the_mask_crosses_the_wrap, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
