#include "check.h"

#include <string.h>

#include "peer/ring_text.h"

static struct reload_ring_member member(uint8_t first)
{
    return (struct reload_ring_member){ .id = { .len = 16, .bytes = { first } } };
}

static void shares_reach_from_the_predecessor_and_add_up_to_one(void **state)
{
    (void)state;
    struct reload_ring_member m[] = { member(0xc0), member(0x00), member(0x40) };
    reload_ring_sort(m, 3);
    assert_int_equal(m[0].id.bytes[0], 0x00);
    assert_float_equal(m[0].share, 0.25, 1e-9); /* over the top */
    assert_float_equal(m[1].share, 0.25, 1e-9);
    assert_float_equal(m[2].share, 0.5, 1e-9);
}

static void one_peer_owns_everything(void **state)
{
    (void)state;
    struct reload_ring_member m[] = { member(0x77) };
    reload_ring_sort(m, 1);
    assert_float_equal(m[0].share, 1.0, 1e-9);
}

static void members_stand_clockwise_from_the_top(void **state)
{
    (void)state;
    struct reload_ring_member m[] = { member(0x00), member(0x40), member(0x80), member(0xc0) };
    reload_ring_sort(m, 4);
    char *text = reload_ring_draw(m, 4), *end;
    char *lines[40] = { text };
    size_t n = 1;
    for (end = text; (end = strchr(end, '\n')) && n < 40; lines[n++] = ++end)
        *end = '\0';
    assert_non_null(strchr(lines[0], 'A'));
    assert_non_null(strchr(lines[9], 'B'));
    assert_non_null(strchr(lines[18], 'C'));
    assert_non_null(strchr(lines[9], 'D'));
    assert_true(strchr(lines[9], 'D') < strchr(lines[9], 'B'));
    free(text);
}

static void any_number_of_members_is_drawn(void **state)
{
    (void)state;
    struct reload_ring_member m[256];
    for (unsigned i = 0; i < 256; i++)
        m[i] = member((uint8_t)i);
    reload_ring_sort(m, 256);
    char *text = reload_ring_draw(m, 256);
    assert_non_null(strstr(text, "ff00"));
    free(text);
    text = reload_ring_draw(m, 0);
    assert_non_null(text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_reach_from_the_predecessor_and_add_up_to_one),
        cmocka_unit_test(one_peer_owns_everything),
        cmocka_unit_test(members_stand_clockwise_from_the_top),
        cmocka_unit_test(any_number_of_members_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
