#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

static int setup(void **state)
{
    *state = reload_ice_new(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    reload_ice_free(*state);
    return 0;
}

/* Both ends gathered and introduced. */
static void open_pair(struct reload_ice *ice, struct end *a, struct end *b)
{
    end_open(ice, a, RELOAD_ICE_CONTROLLING);
    end_open(ice, b, RELOAD_ICE_CONTROLLED);
    assert_true(run_until(ice, &a->gathered, 5000));
    assert_true(run_until(ice, &b->gathered, 5000));
    assert_int_equal(end_introduce(a, b), 0);
    assert_int_equal(end_introduce(b, a), 0);
}

static void connect_pair(struct reload_ice *ice, struct end *a, struct end *b)
{
    open_pair(ice, a, b);
    assert_true(run_until(ice, &a->connected, 5000));
    assert_true(run_until(ice, &b->connected, 5000));
}

static void two_ends_connect_and_carry_datagrams_both_ways(void **state)
{
    struct end a, b;
    gint64 start = g_get_monotonic_time();
    connect_pair(*state, &a, &b);
    print_message("%ld us\n", (long)(g_get_monotonic_time() - start));
    assert_int_equal(reload_ice_channel_send(a.channel, reload_slice_of("from a", 6)), 0);
    assert_int_equal(reload_ice_channel_send(b.channel, reload_slice_of("from b!", 7)), 0);
    run_for(*state, 50);
    assert_int_equal(b.datagrams, 1);
    assert_memory_equal(b.last, "from a", 6);
    assert_int_equal(a.datagrams, 1);
    assert_int_equal(a.last_len, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_ends_connect_and_carry_datagrams_both_ways, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
