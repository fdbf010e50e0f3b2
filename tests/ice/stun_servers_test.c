#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ice/stun_servers.h"

static struct reload_link_address address(uint8_t last, uint16_t port)
{
    return (struct reload_link_address){ 4, { 203, 0, 113, last }, port };
}

/* Peer n, linked, shows us reflexive address `seen`; its own address ends in n. */
static int learn(struct reload_ice_stun_servers *s, uint64_t n, uint8_t seen)
{
    struct reload_link_address at = address((uint8_t)n, 6084);
    struct reload_link_address reflexive = address(seen, (uint16_t)(1000 + n));
    return reload_ice_stun_servers_learn(s, n, &at, &reflexive);
}

/* Whether exactly these peers are in use, told by the last byte of their addresses. */
static bool in_use(const struct reload_ice_stun_servers *s, const uint8_t *lasts, size_t count)
{
    struct reload_link_address list[8];
    size_t n = reload_ice_stun_servers_in_use(s, list, 8), found = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < count; j++)
            found += list[i].bytes[3] == lasts[j];
    return n == count && found == count;
}
#define IN_USE(s, ...)                                                                             \
    in_use(s, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* R6940-6.5.1.4-1 */
static void peers_are_grouped_by_the_address_they_show_and_one_of_each_serves(void **state)
{
    (void)state;
    struct reload_ice_stun_servers s = { 0 };
    assert_int_equal(learn(&s, 1, 100), 0);
    assert_int_equal(learn(&s, 2, 100), 0); /* another port of the same NAT: the same group */
    assert_int_equal(learn(&s, 3, 200), 0);
    assert_true(IN_USE(&s, 1, 3));
    assert_int_equal(learn(&s, 2, 250), 0); /* it moves to a group of its own */
    assert_true(IN_USE(&s, 1, 2, 3));
}

/* R6940-6.5.1.4-2 R6940-6.5.1.4-3 */
static void a_lost_server_is_replaced_from_its_group_and_else_others_remain(void **state)
{
    (void)state;
    struct reload_ice_stun_servers s = { 0 };
    for (uint64_t n = 1; n <= 3; n++)
        assert_int_equal(learn(&s, n, n <= 2 ? 100 : 200), 0);
    reload_ice_stun_servers_lost(&s, 1);
    assert_true(IN_USE(&s, 2, 3));
    assert_int_equal(s.replaced, 1);
    reload_ice_stun_servers_lost(&s, 2); /* its group is empty */
    assert_true(IN_USE(&s, 3));
    assert_int_equal(reload_ice_stun_servers_pick(&s)->address.bytes[3], 3);
    reload_ice_stun_servers_lost(&s, 3);
    assert_null(reload_ice_stun_servers_pick(&s));
    reload_ice_stun_servers_lost(&s, 3);
    assert_int_equal(s.count, 0);
}

static void a_server_that_was_not_in_use_leaves_without_a_change(void **state)
{
    (void)state;
    struct reload_ice_stun_servers s = { 0 };
    assert_int_equal(learn(&s, 1, 100), 0);
    assert_int_equal(learn(&s, 2, 100), 0);
    reload_ice_stun_servers_lost(&s, 2);
    assert_true(IN_USE(&s, 1));
    assert_int_equal(s.replaced, 0);
}

/* R6940-6.5.1.4-3 */
static void a_bootstrap_node_serves_without_a_link_until_a_peer_relieves_it(void **state)
{
    (void)state;
    struct reload_ice_stun_servers s = { 0 };
    struct reload_link_address bootstrap = address(9, 6084);
    assert_int_equal(reload_ice_stun_servers_configure(&s, 9, &bootstrap), 0);
    assert_int_equal(reload_ice_stun_servers_configure(&s, 9, &bootstrap), 0);
    assert_int_equal(s.count, 1);
    assert_true(IN_USE(&s, 9));
    assert_int_equal(learn(&s, 9, 100), 0); /* what it shows is known now */
    assert_int_equal(learn(&s, 1, 100), 0);
    assert_true(IN_USE(&s, 1));
    reload_ice_stun_servers_lost(&s, 9); /* configured: stays */
    reload_ice_stun_servers_lost(&s, 1);
    assert_true(IN_USE(&s, 9));
}

static void a_server_that_does_not_answer_serves_no_channel(void **state)
{
    (void)state;
    struct reload_ice_stun_servers s = { 0 };
    struct reload_link_address bootstrap = address(9, 6084);
    assert_int_equal(reload_ice_stun_servers_configure(&s, 9, &bootstrap), 0);
    assert_null(reload_ice_stun_servers_pick(&s)); /* not asked yet */
    assert_int_equal(learn(&s, 9, 100), 0);
    assert_int_equal(learn(&s, 1, 100), 0);
    reload_ice_stun_servers_silent(&s, 1);
    assert_int_equal(reload_ice_stun_servers_pick(&s)->address.bytes[3], 9);
    reload_ice_stun_servers_silent(&s, 9);
    assert_null(reload_ice_stun_servers_pick(&s));
    assert_int_equal(s.count, 1); /* configured: it is asked again */
    assert_int_equal(learn(&s, 9, 100), 0);
    assert_non_null(reload_ice_stun_servers_pick(&s));
    reload_ice_stun_servers_silent(&s, 77); /* not one of them */
}

static void channels_take_the_groups_in_turn(void **state)
{
    (void)state;
    struct reload_ice_stun_servers s = { 0 };
    unsigned int picked[5] = { 0 };
    static const uint8_t shows[] = { 0, 101, 101, 102, 103 }; /* 2 shares the group of 1 */
    for (uint64_t n = 1; n <= 4; n++)
        assert_int_equal(learn(&s, n, shows[n]), 0);
    for (int i = 0; i < 30; i++)
        picked[reload_ice_stun_servers_pick(&s)->address.bytes[3]]++;
    assert_int_equal(picked[2], 0);
    assert_int_equal(picked[1], 10);
    assert_int_equal(picked[3], 10);
    assert_int_equal(picked[4], 10);
}

static void both_tables_have_an_end(void **state)
{
    (void)state;
    struct reload_ice_stun_servers s = { 0 };
    for (uint64_t n = 1; n <= RELOAD_ICE_STUN_SERVERS_GROUP_MAX; n++)
        assert_int_equal(learn(&s, n, 1), 0);
    assert_int_equal(learn(&s, 99, 1), RELOAD_E_LIMIT);
    for (uint64_t n = 100; s.count < RELOAD_ICE_STUN_SERVERS_MAX; n++)
        assert_int_equal(learn(&s, n, (uint8_t)n), 0);
    assert_int_equal(learn(&s, 98, 250), RELOAD_E_LIMIT);
    assert_int_equal(s.turned_away, 2);
    reload_ice_stun_servers_lost(&s, 1);
    assert_int_equal(learn(&s, 98, 250), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_are_grouped_by_the_address_they_show_and_one_of_each_serves),
        cmocka_unit_test(a_lost_server_is_replaced_from_its_group_and_else_others_remain),
        cmocka_unit_test(a_server_that_was_not_in_use_leaves_without_a_change),
        cmocka_unit_test(a_bootstrap_node_serves_without_a_link_until_a_peer_relieves_it),
        cmocka_unit_test(a_server_that_does_not_answer_serves_no_channel),
        cmocka_unit_test(channels_take_the_groups_in_turn),
        cmocka_unit_test(both_tables_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
