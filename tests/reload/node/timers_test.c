/* The heap of deadlines. */
#include "reload/node/timers.h"

#include "reload/alloc.h"
#include "reload/time.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT 200

static uint64_t draw(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *random >> 33;
}

/* Set, moved and cleared at random, in many rounds: what is due comes out in order, each once, and
 * nothing else. */
static void timers_come_due_in_order_whatever_was_moved_or_cleared(void **state)
{
    struct reload_timers timers = { 0 };
    struct reload_timer all[COUNT] = { { 0 } };
    uint64_t expected[COUNT]; /* RELOAD_NEVER: not set */
    uint64_t random = 7;
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        expected[i] = RELOAD_NEVER;
    for (int round = 0; round < 300; round++) {
        for (int step = 0; step < 300; step++) {
            size_t i = draw(&random) % COUNT;
            expected[i] = draw(&random) % 3 ? draw(&random) % 1000 : RELOAD_NEVER;
            if (expected[i] == RELOAD_NEVER)
                reload_timer_clear(&timers, &all[i]);
            else
                assert_int_equal(reload_timer_set(&timers, &all[i], expected[i]), 0);
        }
        uint64_t last = 0;
        struct reload_timer *timer;
        while ((timer = reload_timers_due(&timers, 700))) {
            size_t i = (size_t)(timer - all);
            assert_int_equal(timer->at_ms, expected[i]);
            assert_true(timer->at_ms >= last && timer->at_ms <= 700);
            last = timer->at_ms;
            expected[i] = RELOAD_NEVER;
        }
        uint64_t next = RELOAD_NEVER;
        for (size_t k = 0; k < COUNT; k++)
            next = expected[k] < next ? expected[k] : next;
        assert_int_equal(reload_timers_next(&timers), next);
        assert_true(next > 700);
    }
    reload_timers_fini(&timers);
}

static void without_memory_a_new_timer_is_refused_and_a_set_one_still_moves(void **state)
{
    struct reload_timers timers = { 0 };
    struct reload_timer all[17] = { { 0 } };
    (void)state;
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(reload_timer_set(&timers, &all[i], 100 + i), 0);
    reload_alloc_fail_at(1);
    assert_int_equal(reload_timer_set(&timers, &all[16], 1), RELOAD_E_NOMEM);
    assert_int_equal(reload_timer_set(&timers, &all[9], 2), 0);
    reload_alloc_fail_at(0);
    assert_int_equal(reload_timers_next(&timers), 2);
    assert_null(reload_timers_due(&timers, 1));
    assert_ptr_equal(reload_timers_due(&timers, 2), &all[9]);
    reload_timers_fini(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_due_in_order_whatever_was_moved_or_cleared),
        cmocka_unit_test(without_memory_a_new_timer_is_refused_and_a_set_one_still_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
