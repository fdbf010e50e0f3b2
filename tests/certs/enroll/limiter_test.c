#include "certs/enroll/limiter.h"

#include "reload/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct reload_enroll_limits limits = { 5, 20, 60000, 960000 };
static const uint8_t secret[32] = { 1, 2, 3 };

static struct reload_slice of(const char *text)
{
    return (struct reload_slice){ (const uint8_t *)text, strlen(text) };
}

static struct reload_enroll_address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct reload_enroll_address){ 4, { a, b, c, d } };
}

static struct reload_enroll_limiter *make(void)
{
    struct reload_enroll_limiter *l = reload_enroll_limiter_new(&limits, secret);
    assert_non_null(l);
    return l;
}

/* One wrong guess; answers whether it was allowed. */
static bool guess(struct reload_enroll_limiter *l, const char *user,
                  struct reload_enroll_address from, bool known, uint64_t now_ms)
{
    struct reload_enroll_attempt attempt;
    uint64_t retry_ms;
    int error = reload_enroll_limiter_take(l, of(user), &from, known, now_ms, &attempt, &retry_ms);
    assert_int_equal(error != 0, retry_ms != 0);
    return error == 0;
}

static bool guess_right(struct reload_enroll_limiter *l, const char *user,
                        struct reload_enroll_address from, bool known, uint64_t now_ms)
{
    struct reload_enroll_attempt attempt;
    uint64_t retry_ms;
    if (reload_enroll_limiter_take(l, of(user), &from, known, now_ms, &attempt, &retry_ms))
        return false;
    reload_enroll_limiter_refund(l, &attempt);
    return true;
}

static void five_wrong_passwords_a_minute_for_one_account(void **state)
{
    struct reload_enroll_limiter *l = make();
    (void)state;
    unsigned allowed = 0;
    /* a botnet: every guess from another prefix */
    for (uint32_t i = 0; i < 1000; i++)
        allowed += guess(l, "alice@a.b", v4(10, (uint8_t)(i >> 8), (uint8_t)i, 1), false, 1000 + i);
    assert_int_equal(allowed, 5);
    assert_true(guess(l, "bob@a.b", v4(10, 200, 0, 1), false, 2000));
    reload_enroll_limiter_free(l);
}

static void twenty_wrong_passwords_a_minute_from_one_prefix(void **state)
{
    struct reload_enroll_limiter *l = make();
    char user[20];
    unsigned allowed = 0;
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        snprintf(user, sizeof user, "u%u@a.b", i);
        allowed += guess(l, user, v4(192, 0, 2, (uint8_t)i), false, 1000 + i);
    }
    assert_int_equal(allowed, 20);
    assert_true(guess(l, "x@a.b", v4(192, 0, 3, 1), false, 2000));
    struct reload_enroll_address six = { 16, { 0x20, 1, 0xd, 0xb8, 0, 0, 1, 2 } };
    for (unsigned i = allowed = 0; i < 200; i++) { /* all in one /56 */
        snprintf(user, sizeof user, "w%u@a.b", i);
        six.bytes[7] = six.bytes[15] = (uint8_t)i;
        allowed += guess(l, user, six, false, 3000 + i);
    }
    assert_int_equal(allowed, 20);
    reload_enroll_limiter_free(l);
}

static void the_pause_doubles_up_to_its_cap_and_calm_forgives(void **state)
{
    struct reload_enroll_limiter *l = make();
    struct reload_enroll_address from = v4(10, 0, 0, 1);
    uint64_t now_ms = 1000;
    (void)state;
    for (uint64_t pause = 60000; pause <= 1920000; pause *= 2) {
        for (int i = 0; i < 5; i++)
            assert_true(guess(l, "a@a.b", from, true, now_ms));
        uint64_t length = pause < 960000 ? pause : 960000;
        assert_false(guess(l, "a@a.b", from, true, now_ms + length - 1));
        now_ms += length;
    }
    now_ms += 2 * 960000;
    for (int i = 0; i < 5; i++)
        assert_true(guess(l, "a@a.b", from, true, now_ms));
    assert_false(guess(l, "a@a.b", from, true, now_ms + 59999));
    assert_true(guess(l, "a@a.b", from, true, now_ms + 60000));
    reload_enroll_limiter_free(l);
}

static void in_no_window_of_a_minute_more_than_five_pass(void **state)
{
    struct reload_enroll_limiter *l = make();
    uint64_t passed[2000];
    size_t count = 0;
    (void)state;
    for (uint64_t now_ms = 1; now_ms < 3600000 && count < 2000; now_ms += 7001)
        if (guess(l, "a@a.b", v4(1, 2, (uint8_t)(now_ms >> 12), 4), false, now_ms))
            passed[count++] = now_ms;
    assert_true(count > 10);
    for (size_t i = 5; i < count; i++)
        assert_true(passed[i] - passed[i - 5] >= 60000);
    reload_enroll_limiter_free(l);
}

static void an_owner_at_a_known_address_is_not_locked_out(void **state)
{
    struct reload_enroll_limiter *l = make();
    (void)state;
    for (int i = 0; i < 100; i++) /* same account, same prefix even */
        guess(l, "alice@a.b", v4(10, 0, 0, 66), false, 1000);
    assert_false(guess_right(l, "alice@a.b", v4(10, 0, 0, 7), false, 1001));
    assert_true(guess_right(l, "alice@a.b", v4(10, 0, 0, 7), true, 1001));
    for (int i = 0; i < 5; i++) /* but guessing there is limited as well */
        assert_true(guess(l, "alice@a.b", v4(10, 0, 0, 7), true, 1002));
    assert_false(guess(l, "alice@a.b", v4(10, 0, 0, 7), true, 1002));
    reload_enroll_limiter_free(l);
}

static void right_passwords_cost_nothing_and_forgive_nothing(void **state)
{
    struct reload_enroll_limiter *l = make();
    struct reload_enroll_address from = v4(127, 0, 0, 1);
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(guess_right(l, "alice@a.b", from, false, 1000));
    for (int i = 0; i < 5; i++) {
        assert_true(guess(l, "bob@a.b", from, false, 1000));
        assert_int_equal(guess_right(l, "bob@a.b", from, false, 1000), i < 4);
        assert_true(guess_right(l, "alice@a.b", from, false, 1000));
    }
    assert_false(guess(l, "bob@a.b", from, false, 1000));
    reload_enroll_limiter_free(l);
}

static void a_refund_lifts_the_pause_that_this_very_guess_began(void **state)
{
    struct reload_enroll_limiter *l = make();
    struct reload_enroll_address from = v4(127, 0, 0, 1);
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_true(guess(l, "a@a.b", from, false, 1000));
    for (int i = 0; i < 10; i++)
        assert_true(guess_right(l, "a@a.b", from, false, 1000));
    assert_true(guess(l, "a@a.b", from, false, 1000));
    assert_false(guess_right(l, "a@a.b", from, false, 1000));
    reload_enroll_limiter_free(l);
}

/* The table does not grow; a spray of names over its cap leaves it working. */
static void a_spray_of_names_takes_no_more_memory(void **state)
{
    struct reload_enroll_limiter *l = make();
    unsigned long before = reload_alloc_count();
    char user[24];
    (void)state;
    for (uint32_t i = 0; i < 200000; i++) {
        snprintf(user, sizeof user, "u%u@a.b", i);
        guess(l, user, v4((uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 1), false, 1000 + i);
    }
    assert_int_equal(reload_alloc_count(), before);
    for (int i = 0; i < 5; i++)
        assert_true(guess(l, "new@a.b", v4(9, 9, (uint8_t)i, 9), false, 300000));
    assert_false(guess(l, "new@a.b", v4(9, 9, 9, 9), false, 300000));
    reload_alloc_fail_at(1);
    assert_null(reload_enroll_limiter_new(&limits, secret));
    reload_alloc_fail_at(0);
    reload_enroll_limiter_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_wrong_passwords_a_minute_for_one_account),
        cmocka_unit_test(twenty_wrong_passwords_a_minute_from_one_prefix),
        cmocka_unit_test(the_pause_doubles_up_to_its_cap_and_calm_forgives),
        cmocka_unit_test(in_no_window_of_a_minute_more_than_five_pass),
        cmocka_unit_test(an_owner_at_a_known_address_is_not_locked_out),
        cmocka_unit_test(right_passwords_cost_nothing_and_forgive_nothing),
        cmocka_unit_test(a_refund_lifts_the_pause_that_this_very_guess_began),
        cmocka_unit_test(a_spray_of_names_takes_no_more_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
