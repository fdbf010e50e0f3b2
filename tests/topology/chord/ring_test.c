#include "tests/topology/chord/fake.h"

static const struct reload_chord_id zero = { 0, 0 }, top = { UINT64_MAX, UINT64_MAX };

/* R6940-10.1-1 */
static void ids_wrap_at_two_to_the_128(void **state)
{
    (void)state;
    assert_true(reload_chord_id_equal(reload_chord_id_next(top), zero));
    struct reload_chord_id carry = { 0, UINT64_MAX };
    assert_true(
        reload_chord_id_equal(reload_chord_id_next(carry), (struct reload_chord_id){ 1, 0 }));
    assert_true(
        reload_chord_id_equal(reload_chord_distance(top, zero), (struct reload_chord_id){ 0, 1 }));
    assert_true(reload_chord_id_equal(reload_chord_distance(zero, top), top));
    struct reload_chord_id a = { 1, 0 }, b = { 0, UINT64_MAX };
    assert_true(
        reload_chord_id_equal(reload_chord_distance(b, a), (struct reload_chord_id){ 0, 1 }));
    assert_true(reload_chord_id_less(b, a));
}

/* R6940-10.1-1 */
static void ids_are_big_endian_on_the_wire_and_of_no_other_length(void **state)
{
    (void)state;
    uint8_t bytes[20];
    for (uint8_t i = 0; i < 20; i++)
        bytes[i] = (uint8_t)(i + 1);
    struct reload_chord_id id = reload_chord_id_from(reload_slice_of(bytes, 16));
    assert_true(id.hi == UINT64_C(0x0102030405060708) && id.lo == UINT64_C(0x090a0b0c0d0e0f10));
    struct reload_node_id back = reload_chord_id_node(id);
    assert_int_equal(back.len, 16);
    assert_memory_equal(back.bytes, bytes, 16);
    for (size_t n = 0; n <= 20; n++)
        if (n != 16)
            assert_true(
                reload_chord_id_equal(reload_chord_id_from(reload_slice_of(bytes, n)), zero));
}

static const struct {
    unsigned x, after, up_to;
    bool within, between;
} intervals[] = {
    { 5, 3, 7, true, true },    { 3, 3, 7, false, false },     { 7, 3, 7, true, false },
    { 8, 3, 7, false, false },  { 1, 250, 7, true, true },     { 250, 250, 7, false, false },
    { 7, 250, 7, true, false }, { 200, 250, 7, false, false }, { 251, 250, 7, true, true },
    { 9, 4, 4, true, true },    { 4, 4, 4, true, false },      { 0, 250, 7, true, true },
};

/* R6940-10.1-2 */
static void intervals_hold_their_end_not_their_start_and_wrap(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++) {
        struct reload_chord_id x = ring_id(intervals[i].x), a = ring_id(intervals[i].after),
                               b = ring_id(intervals[i].up_to);
        assert_int_equal(reload_chord_within(x, a, b), intervals[i].within);
        assert_int_equal(reload_chord_between(x, a, b), intervals[i].between);
    }
}

/* R6940-10.5-15 R6940-10.7.4.2-2 */
static void finger_i_starts_at_x_plus_two_to_the_128_minus_i(void **state)
{
    (void)state;
    struct reload_chord_id x = ring_id(200);
    assert_true(reload_chord_id_equal(reload_chord_finger_start(x, 1), ring_id(72)));
    assert_true(reload_chord_id_equal(reload_chord_finger_start(x, 2), ring_id(8)));
    assert_true(reload_chord_id_equal(reload_chord_finger_start(x, 128), reload_chord_id_next(x)));
    for (unsigned i = 1; i <= 128; i++) {
        struct reload_chord_id start = reload_chord_finger_start(zero, i);
        assert_int_equal(reload_chord_finger_of(start), i);
        if (i > 1) /* the last id before the range of i-1 */
            assert_int_equal(
                reload_chord_finger_of(reload_chord_distance(
                    (struct reload_chord_id){ 0, 1 }, reload_chord_finger_start(zero, i - 1))),
                i);
    }
    assert_int_equal(reload_chord_finger_of(top), 1);
}

static void ones(void *context, uint8_t *out, size_t len)
{
    memset(out, *(const int *)context, len);
}

/* R6940-10.7.4.2-4 */
static void a_random_finger_id_stays_in_its_range(void **state)
{
    (void)state;
    int byte = 0xff;
    struct reload_random all_ones = { ones, &byte };
    for (unsigned i = 1; i <= 128; i++) {
        struct reload_chord_id x = ring_id(77);
        byte = 0xff;
        struct reload_chord_id high = reload_chord_finger_random(x, i, &all_ones);
        assert_int_equal(reload_chord_finger_of(reload_chord_distance(x, high)), i);
        byte = 0;
        struct reload_chord_id low = reload_chord_finger_random(x, i, &all_ones);
        assert_true(reload_chord_id_equal(low, reload_chord_finger_start(x, i)));
    }
}

/* R6940-6.4.2.5.2-3 */
static void the_share_of_the_ring_is_in_parts_per_billion(void **state)
{
    (void)state;
    assert_int_equal(reload_chord_ppb(zero), 1000000000); /* alone: everything */
    assert_int_equal(reload_chord_ppb(ring_id(128)), 500000000);
    assert_int_equal(reload_chord_ppb(ring_id(64)), 250000000);
    assert_int_equal(reload_chord_ppb(top), 999999999);
    assert_int_equal(reload_chord_ppb((struct reload_chord_id){ 0, 1 }), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_wrap_at_two_to_the_128),
        cmocka_unit_test(ids_are_big_endian_on_the_wire_and_of_no_other_length),
        cmocka_unit_test(intervals_hold_their_end_not_their_start_and_wrap),
        cmocka_unit_test(finger_i_starts_at_x_plus_two_to_the_128_minus_i),
        cmocka_unit_test(a_random_finger_id_stays_in_its_range),
        cmocka_unit_test(the_share_of_the_ring_is_in_parts_per_billion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
