#include "virtual.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* DTLS links on which nothing arrives: who is asked to say something, and how soon a path that died
 * in silence is found out. */

static void one_end_of_an_idle_link_is_asked_to_say_something(void **state)
{
    (void)state;
    client.talks = server.talks = true;
    run_for(60 * SECOND);
    assert_in_range(client.idles, 5, 6);
    assert_int_equal(server.idles, 0); /* it hears the client */
    assert_int_equal(server.messages, 1 + client.idles);
    assert_int_equal(client.suspects + server.suspects + client.downs + server.downs, 0);
}

static void the_other_end_is_asked_where_the_first_says_nothing(void **state)
{
    (void)state;
    server.talks = true;
    run_for(60 * SECOND);
    assert_in_range(server.idles, 1, 5);
    assert_int_equal(client.messages, server.idles);
}

static void an_owner_that_says_nothing_is_asked_again_and_nothing_is_sent(void **state)
{
    (void)state;
    size_t before = client.datagrams + server.datagrams;
    run_for(61 * SECOND);
    assert_in_range(client.idles, 5, 6);
    assert_in_range(server.idles, 4, 5);
    assert_int_equal(client.datagrams + server.datagrams, before);
}

static void a_link_on_which_something_arrives_is_not_idle(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        say(i % 2 ? &server : &client, 10);
        run_for(9 * SECOND);
    }
    assert_int_equal(client.idles + server.idles, 0);
}

/* --- a whole node on the client's end --- */

/* R6940-6.6.3.1-11 R6940-6.6.3.1-12 */
static void an_idle_link_whose_path_dies_in_silence_is_down_within_30_s(void **state)
{
    (void)state;
    const struct channel_options dead = { .dead = true };
    struct rig rig;
    put_node(&rig);
    run_for(25 * SECOND);
    assert_int_equal(client.suspects, 0);
    uint64_t died_ms = now.monotonic_ms;
    set_path(&dead);
    run_for(30 * SECOND);
    assert_int_equal(client.suspects, 1);
    assert_in_range(client.suspect_ms, died_ms, died_ms + 13 * SECOND);
    assert_int_equal(rig.fake.suspects, 1);
    assert_int_equal(client.downs, 1);
    assert_in_range(client.down_ms, died_ms, died_ms + 30 * SECOND);
    assert_int_equal(rig.fake.link_downs, 1);
    remove_node(&rig);
}

static void the_ping_goes_to_the_far_end_over_its_link(void **state)
{
    (void)state;
    struct rig rig;
    reload_link_id link;
    put_node(&rig);
    reload_node_link_idle(rig.node, 1, now);
    rig_pull(&rig);
    struct reload_message m = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(m.message_code, RELOAD_PING_REQ);
    struct reload_slice to = rig_nodes(&rig.parties[0].id, NULL);
    assert_int_equal(m.header.destination_list.n, to.n);
    assert_memory_equal(m.header.destination_list.p, to.p, to.n);
    remove_node(&rig);
}

/* It acknowledges and never answers: one Ping at a time, as often as any request goes out. */
static void a_far_end_that_does_not_answer_is_not_flooded(void **state)
{
    (void)state;
    struct rig rig;
    put_node(&rig);
    size_t before = server.messages;
    run_for(300 * SECOND);
    assert_in_range(server.messages - before, 300 / 25, 300 / 4);
    assert_int_equal(client.downs, 0);
    reload_node_link_idle(rig.node, 1, now);
    rig_pull(&rig);
    rig_clear(&rig);
    reload_node_link_idle(rig.node, 1, now);
    reload_node_link_idle(rig.node, 99, now); /* no such link */
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    remove_node(&rig);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, virtual_open, virtual_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_end_of_an_idle_link_is_asked_to_say_something),
        TEST(the_other_end_is_asked_where_the_first_says_nothing),
        TEST(an_owner_that_says_nothing_is_asked_again_and_nothing_is_sent),
        TEST(a_link_on_which_something_arrives_is_not_idle),
        TEST(an_idle_link_whose_path_dies_in_silence_is_down_within_30_s),
        TEST(the_ping_goes_to_the_far_end_over_its_link),
        TEST(a_far_end_that_does_not_answer_is_not_flooded),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
