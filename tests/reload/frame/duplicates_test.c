#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reload/frame/duplicates.h"

static struct reload_duplicates duplicates;

static int fresh(void **state)
{
    (void)state;
    duplicates = (struct reload_duplicates){ 0 };
    return 0;
}

static bool met(const char *text, size_t len, uint64_t now_ms)
{
    return reload_duplicates_met(&duplicates, (const uint8_t *)text, len, now_ms);
}

static void a_message_that_comes_again_soon_is_a_repetition(void **state)
{
    (void)state;
    assert_false(met("message", 7, 0));
    assert_true(met("message", 7, 0));
    assert_false(met("messagf", 7, 1));
    assert_false(met("message", 6, 1));
    assert_false(met("", 0, 1));
    assert_true(met("", 0, 2));
    assert_true(met("message", 7, RELOAD_DUPLICATES_MS - 1));
}

/* s6.2.1: the end-to-end retransmission must not be swallowed. */
static void a_message_that_comes_again_later_is_an_end_to_end_retransmission(void **state)
{
    (void)state;
    assert_false(met("message", 7, 0));
    assert_true(met("message", 7, 1000)); /* a repetition does not renew the memory */
    assert_false(met("message", 7, RELOAD_DUPLICATES_MS));
}

static void every_byte_of_a_message_counts(void **state)
{
    (void)state;
    uint8_t message[200] = { 0 };
    for (size_t len = 1; len <= sizeof message; len++)
        for (size_t i = 0; i < len; i++) {
            duplicates = (struct reload_duplicates){ 0 };
            message[i] = 0;
            assert_false(reload_duplicates_met(&duplicates, message, len, 0));
            message[i] = i % 2 ? 0x80 : 1;
            assert_false(reload_duplicates_met(&duplicates, message, len, 0));
        }
}

static void the_memory_is_bounded(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < RELOAD_DUPLICATES_REMEMBERED + 1; i++)
        assert_false(reload_duplicates_met(&duplicates, &i, 1, 0));
    uint8_t first = 0, second = 1;
    assert_true(reload_duplicates_met(&duplicates, &second, 1, 0));
    assert_false(reload_duplicates_met(&duplicates, &first, 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_message_that_comes_again_soon_is_a_repetition, fresh),
        cmocka_unit_test_setup(a_message_that_comes_again_later_is_an_end_to_end_retransmission,
                               fresh),
        cmocka_unit_test_setup(every_byte_of_a_message_counts, fresh),
        cmocka_unit_test_setup(the_memory_is_bounded, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
