#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reload/frame/rtt.h"

static const struct reload_rtt_limits limits = { .initial_rto_ms = 500,
                                                 .min_rto_ms = 1,
                                                 .max_rto_ms = 60000 };

static struct reload_rtt after(const uint32_t *samples, size_t count)
{
    struct reload_rtt rtt;
    reload_rtt_init(&rtt, &limits);
    for (size_t i = 0; i < count; i++)
        reload_rtt_sample(&rtt, &limits, samples[i]);
    return rtt;
}

/* R6940-6.6.5-1 */
static void the_first_sample_gives_three_times_itself(void **state)
{
    (void)state;
    struct reload_rtt rtt = after(NULL, 0);
    assert_int_equal(rtt.rto_ms, 500);
    assert_false(rtt.measured);
    rtt = after((uint32_t[]){ 100 }, 1); /* SRTT 100, RTTVAR 50: 100 + 4 * 50 */
    assert_int_equal(rtt.rto_ms, 300);
    assert_int_equal(rtt.srtt_8, 800);
    assert_true(rtt.measured);
}

/* R6940-6.6.5-1 R6940-6.6.3.1-4 */
static void later_samples_follow_the_formulas(void **state)
{
    (void)state;
    /* RTTVAR = 3/4 * 50 + 1/4 * |100 - 200| = 62.5; SRTT = 7/8 * 100 + 1/8 * 200 = 112.5 */
    struct reload_rtt rtt = after((uint32_t[]){ 100, 200 }, 2);
    assert_int_equal(rtt.srtt_8, 900);
    assert_int_equal(rtt.rttvar_4, 250);
    assert_int_equal(rtt.rto_ms, 363); /* 362.5, up */
}

/* R6940-6.6.3.1-5 */
static void the_rto_is_rounded_up_to_a_millisecond_not_a_second(void **state)
{
    (void)state;
    assert_int_equal(after((uint32_t[]){ 7 }, 1).rto_ms, 21);
    assert_int_equal(after((uint32_t[]){ 1234 }, 1).rto_ms, 3702);
    assert_int_equal(after((uint32_t[]){ 100, 101 }, 2).rto_ms, 252); /* 251.125 */
}

static void a_steady_round_trip_brings_the_rto_down_to_it(void **state)
{
    (void)state;
    uint32_t samples[200];
    for (size_t i = 0; i < 200; i++)
        samples[i] = 80;
    struct reload_rtt rtt = after(samples, 200);
    assert_int_equal(rtt.srtt_8 / 8, 80);
    assert_in_range(rtt.rto_ms, 81, 90); /* never below SRTT plus the clock's grain */
}

static void limits_hold_against_any_sample(void **state)
{
    (void)state;
    static const struct reload_rtt_limits narrow = { 1000, 200, 5000 };
    struct reload_rtt rtt;
    reload_rtt_init(&rtt, &narrow);
    reload_rtt_sample(&rtt, &narrow, 0);
    assert_int_equal(rtt.rto_ms, 200);
    for (int i = 0; i < 1000; i++)
        reload_rtt_sample(&rtt, &narrow, UINT32_MAX);
    assert_int_equal(rtt.rto_ms, 5000);
    for (int i = 0; i < 1000; i++)
        reload_rtt_sample(&rtt, &narrow, 0);
    assert_int_equal(rtt.rto_ms, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_sample_gives_three_times_itself),
        cmocka_unit_test(later_samples_follow_the_formulas),
        cmocka_unit_test(the_rto_is_rounded_up_to_a_millisecond_not_a_second),
        cmocka_unit_test(a_steady_round_trip_brings_the_rto_down_to_it),
        cmocka_unit_test(limits_hold_against_any_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
