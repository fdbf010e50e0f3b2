#include "virtual.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* A path that drops datagrams above 576 bytes with their headers, and says nothing. */

#define LARGEST (576 - 28)

static const struct channel_options narrow = { .delay_ms = 10, .largest = LARGEST };

static void the_owner_learns_the_mtu_and_gets_back_what_is_too_long(void **state)
{
    (void)state;
    set_path(&narrow);
    for (int i = 0; i < 3; i++)
        say(&client, 1000);
    say(&client, 100);
    run_for(10 * SECOND);
    assert_int_equal(client.narrowings, 1);
    assert_int_equal(client.too_long, 3);
    assert_int_equal(client.downs + server.downs + server.narrowings, 0);
    assert_int_equal(server.messages, 2); /* one of the set-up */
    say(&client, client.mtu);             /* and no more than the path carries */
    run_for(10 * SECOND);
    assert_int_equal(server.longest, client.mtu);
    assert_in_range(client.mtu, 400, LARGEST);
    assert_int_equal(client.suspects, 0);
}

static void a_path_that_has_carried_a_long_message_is_not_narrow(void **state)
{
    (void)state;
    const struct channel_options dead = { .dead = true };
    say(&client, 1000);
    run_for(SECOND);
    set_path(&dead);
    say(&client, 1000);
    run_for(60 * SECOND);
    assert_int_equal(client.narrowings, 0);
    assert_int_equal(client.downs, 1);
    assert_int_equal(client.returned, 1);
}

static void a_dead_path_is_found_as_soon_although_it_may_seem_narrow(void **state)
{
    (void)state;
    const struct channel_options dead = { .dead = true };
    uint64_t died_ms = now.monotonic_ms;
    set_path(&dead);
    say(&client, 1000);
    run_for(5 * SECOND);
    say(&client, 100);
    run_for(25 * SECOND);
    assert_int_equal(client.downs, 1);
    assert_in_range(client.down_ms, died_ms, died_ms + 25 * SECOND);
}

/* s6.7: it leaves again at once, in pieces that arrive. */
static void a_node_fragments_what_was_too_long(void **state)
{
    (void)state;
    static const uint8_t body[2 + 600] = { 600 >> 8, 600 & 0xff }; /* a Ping's padding */
    struct rig rig;
    uint64_t request;
    put_node(&rig);
    const struct reload_target target = { .id = reload_node_id_slice(&rig.parties[0].id) };
    set_path(&narrow);
    assert_int_equal(reload_node_request(rig.node, &target, RELOAD_PING_REQ,
                                         reload_slice_of(body, sizeof body), rig.now, &request),
                     0);
    rig_pull(&rig);
    obey(&client);
    size_t before = server.messages;
    run_for(5 * SECOND);
    assert_int_equal(client.narrowings, 1);
    assert_in_range(server.messages - before, 2, 8);
    assert_in_range(server.longest, 100, client.mtu);
    assert_int_equal(client.downs, 0);
    remove_node(&rig);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, virtual_open, virtual_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_owner_learns_the_mtu_and_gets_back_what_is_too_long),
        TEST(a_path_that_has_carried_a_long_message_is_not_narrow),
        TEST(a_dead_path_is_found_as_soon_although_it_may_seem_narrow),
        TEST(a_node_fragments_what_was_too_long),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
