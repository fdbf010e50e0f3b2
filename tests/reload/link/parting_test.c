#include "virtual.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* DTLS links that are given up: what the far end hears of it, and what the owner gets back. */

/* Nothing comes back from the server, which hears everything: R6940-6.6.3.1-11. */
static void who_gives_a_link_up_says_so(void **state)
{
    (void)state;
    const struct channel_options dead = { .dead = true };
    channel_set(server.out, &dead);
    say(&client, 10);
    run_for(60 * SECOND);
    assert_int_equal(client.downs, 1);
    assert_int_equal(client.returned, 1);
    assert_int_equal(server.downs, 1);
    assert_in_range(server.down_ms, client.down_ms, client.down_ms + 100);
}

/* A machine that slept finds it among what came meanwhile. */
static void who_was_away_learns_it_on_its_return(void **state)
{
    (void)state;
    const struct channel_options slow = { .delay_ms = 60 * SECOND };
    const struct channel_options dead = { .dead = true };
    channel_set(client.out, &slow);
    channel_set(server.out, &dead);
    say(&client, 10);
    run_for(30 * SECOND);
    assert_int_equal(client.downs, 1);
    assert_int_equal(server.downs, 0);
    run_for(60 * SECOND);
    assert_int_equal(server.downs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_gives_a_link_up_says_so, virtual_open, virtual_close),
        cmocka_unit_test_setup_teardown(who_was_away_learns_it_on_its_return, virtual_open,
                                        virtual_close),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
