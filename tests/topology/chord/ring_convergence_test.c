#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/topology/overlay.h"
#include "topology/chord/chord.h"

/* Whole overlays of the plug-in on a virtual clock (tests/topology/overlay.h), with the RFC's
 * default intervals unless a test says otherwise: what must be right soon is right by reaction. */

static unsigned seeds(void)
{
    const char *n = getenv("SEEDS");
    return n ? (unsigned)atoi(n) : 3;
}

static size_t faults(struct overlay *o)
{
    return overlay_ring_faults(o) + overlay_ownership_faults(o) + overlay_replica_faults(o);
}

/* How many resources are not at the peer that owns them. */
static size_t missing(struct overlay *o, size_t resources)
{
    size_t count = 0;
    for (size_t r = 0; r < resources; r++) {
        struct reload_node_id id = overlay_resource(o, r);
        bool found = false;
        for (size_t i = 0; i < overlay_node_count(o); i++) {
            const struct overlay_node *n = overlay_node(o, i);
            found = found || (n->alive && n->holds[r] &&
                              reload_chord_ops.responsible(n->topology, reload_node_id_slice(&id)));
        }
        if (!found)
            printf("resource %zu is not at its owner\n", r);
        count += !found;
    }
    return count;
}

static struct overlay *overlay_of(uint64_t seed, unsigned loss_percent)
{
    struct overlay_options options = { &reload_chord_ops, seed, loss_percent, 0, 0, false };
    return overlay_new(&options);
}

static void add_peers(struct overlay *o, size_t count, bool one_by_one)
{
    bool joined = overlay_grow(o, count, one_by_one);
    if (!joined)
        (void)(overlay_ring_faults(o) + overlay_ownership_faults(o));
    assert_true(joined);
}

static struct overlay *settled_ring(uint64_t seed, size_t count, size_t resources)
{
    struct overlay *o = overlay_of(seed, 0);
    add_peers(o, count, false);
    overlay_run(o, 15000);
    for (size_t i = 0; i < resources; i++)
        overlay_store(o, i % count);
    overlay_run(o, 5000);
    assert_int_equal(faults(o), 0);
    return o;
}

static uint32_t chance(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static double mean_hops(struct overlay *o, size_t count)
{
    double sum = 0;
    uint32_t state = 7;
    const int tries = 4000;
    for (int i = 0; i < tries; i++) {
        struct reload_node_id id = { .len = 16 };
        for (size_t b = 0; b < 16; b++)
            id.bytes[b] = (uint8_t)chance(&state);
        int hops = overlay_hops(o, chance(&state) % count, reload_node_id_slice(&id));
        assert_true(hops >= 0);
        sum += hops;
    }
    return sum / tries;
}

/* R6940-10.1-2 R6940-10.5-1 R6940-10.5-9 R6940-10.5-11 R6940-10.7-5 R6940-12-1 R6940-6.4.2.1-8 */
static void small_rings_are_right_at_every_size(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay *o = overlay_of(seed, 0);
        for (size_t n = 1; n <= 12; n++) {
            add_peers(o, 1, true);
            for (size_t i = 0; i < 8; i++)
                overlay_store(o, i % n);
            overlay_run(o, 2000);
            assert_int_equal(faults(o), 0);
        }
        overlay_free(o);
    }
}

/* R6940-10.5-6 R6940-10.5-7 R6940-10.5-15 R6940-10.7.3-1 R6940-10.3-2 */
static void peers_that_join_one_after_another_form_one_ring_of_short_ways(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay *o = overlay_of(seed, 0);
        add_peers(o, 256, true);
        for (size_t i = 0; i < 200; i++)
            overlay_store(o, i);
        overlay_run(o, 20000);
        assert_int_equal(faults(o), 0);
        double hops = mean_hops(o, 256);
        printf("one after another: %.2f hops\n", hops);
        assert_true(hops <= 4.5); /* 1/2 log2 256 + 0.5 */
        overlay_free(o);
    }
}

/* R6940-10.5-16 R6940-10.7.3-3 R6940-10.7.3-8 */
static void peers_that_join_all_at_once_form_one_ring_of_short_ways(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay *o = overlay_of(seed, 0);
        add_peers(o, 256, false);
        for (size_t i = 0; i < 200; i++)
            overlay_store(o, i);
        overlay_run(o, 20000);
        assert_int_equal(faults(o), 0);
        double hops = mean_hops(o, 256);
        printf("all at once: joined after %llu ms, %.2f hops\n",
               (unsigned long long)overlay_now(o) - 21000, hops);
        assert_true(hops <= 4.5);
        overlay_free(o);
    }
}

/* R6940-6.4.2.1-5 R6940-6.4.2.3-2 R6940-10.7.3-5 R6940-10.5-6 */
static void values_stored_while_others_join_are_never_lost(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 3 * seeds(); seed++) {
        struct overlay *o = overlay_of(seed, 0);
        add_peers(o, 8, false);
        overlay_run(o, 5000);
        for (size_t i = 0; i < 40; i++) {
            size_t node = overlay_add(o, RELOAD_ROLE_PEER, NULL);
            overlay_join(o, node, false);
            for (size_t k = 0; k < 6; k++) {
                overlay_store(o, (i + k) % 8);
                overlay_run(o, 17);
            }
        }
        assert_true(overlay_run_until_joined(o, 120000));
        overlay_run(o, 20000);
        assert_int_equal(missing(o, 240), 0);
        assert_int_equal(faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-10.7.1-1 R6940-10.7.1-2 R6940-10.7.1-3 R6940-10.7.1-4 R6940-10.7.2-1 R6940-4.4-4 */
static void a_tenth_killed_at_once_leaves_a_right_ring_with_every_value(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay *o = settled_ring(seed, 128, 300);
        for (size_t i = 1; i < 128; i += 10) /* random places in the ring: ids are random */
            overlay_kill(o, i);
        overlay_run(o, 60000);
        assert_int_equal(missing(o, 300), 0);
        assert_int_equal(faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-10.9-1 R6940-10.9-4 R6940-6.4.2.2-2 R6940-6.4.2.2-5 */
static void peers_that_leave_in_order_leave_no_gap_and_no_loss(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay *o = settled_ring(seed, 32, 200);
        for (size_t i = 1; i < 25; i++) {
            overlay_leave(o, i);
            overlay_run(o, 1000);
            assert_int_equal(overlay_node(o, i)->state, RELOAD_TOPOLOGY_LEFT);
            overlay_kill(o, i);
            assert_int_equal(missing(o, 200), 0);
        }
        overlay_run(o, 60000);
        assert_int_equal(faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-1.2.2-1 R6940-10.7.3-1: lost requests and answers delay a join, no more. */
static void lost_messages_delay_joins_but_the_ring_becomes_right(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay *o = overlay_of(seed, 5);
        add_peers(o, 48, false);
        overlay_run(o, 120000);
        assert_int_equal(overlay_ring_faults(o) + overlay_ownership_faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-10.5-5: an Admitting Peer that dies in the middle of joins. */
static void joiners_survive_the_death_of_their_admitting_peers(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 3 * seeds(); seed++) {
        struct overlay *o = overlay_of(seed, 0);
        add_peers(o, 16, false);
        overlay_run(o, 5000);
        for (size_t i = 0; i < 24; i++)
            overlay_join(o, overlay_add(o, RELOAD_ROLE_PEER, NULL), false);
        for (size_t i = 1; i < 16; i += 3) {
            overlay_run(o, 90);
            overlay_kill(o, i);
        }
        assert_true(overlay_run_until_joined(o, 300000));
        overlay_run(o, 60000);
        assert_int_equal(overlay_ring_faults(o) + overlay_ownership_faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-10.7.4.4-1 R6940-10.7.4.4-2 R6940-10.7.4.4-3 R6940-6.4.2.3-2 */
static void a_partition_heals_by_pings_over_the_bootstrap_node(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay_options options = { &reload_chord_ops, seed, 0, 20, 60, false };
        struct overlay *o = overlay_new(&options);
        add_peers(o, 32, false);
        for (size_t i = 0; i < 100; i++)
            overlay_store(o, i % 32);
        overlay_run(o, 10000);
        overlay_partition(o, 16, true);
        overlay_run(o, 60000);
        overlay_partition(o, 16, false);
        overlay_run(o, 300000);
        assert_int_equal(overlay_ring_faults(o) + overlay_ownership_faults(o), 0);
        assert_int_equal(missing(o, 100), 0);
        overlay_free(o);
    }
}

/* R6940-10.7.1-6 R6940-10.7.1-7: alone after a failure, it joins again once somebody is there. */
static void a_peer_that_lost_all_others_joins_again(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay *o = overlay_of(seed, 0);
        add_peers(o, 6, false);
        overlay_run(o, 5000);
        overlay_partition(o, 5, true);
        overlay_run(o, 40000);
        assert_int_equal(overlay_node(o, 5)->state, RELOAD_TOPOLOGY_JOINING);
        assert_true(overlay_node(o, 5)->alive);
        overlay_partition(o, 5, false);
        overlay_run(o, 120000);
        assert_int_equal(overlay_ring_faults(o) + overlay_ownership_faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-4.2.1-1 R6940-6.4.1-2 R6940-4.5.2-2 */
static void a_client_stays_with_the_peer_responsible_for_it_and_is_reached_there(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay *o = overlay_of(seed, 0);
        add_peers(o, 4, false);
        size_t client = overlay_add(o, RELOAD_ROLE_CLIENT, NULL);
        overlay_join(o, client, false);
        assert_true(overlay_run_until_joined(o, 60000));
        add_peers(o, 28, true); /* its peer becomes another one several times */
        overlay_run(o, 10000);
        assert_int_equal(overlay_node(o, client)->state, RELOAD_TOPOLOGY_JOINED);
        for (size_t i = 0; i < overlay_node_count(o); i++)
            if (i != client)
                assert_true(overlay_hops_to_node(o, i, client) > 0);
        struct reload_node_id peer = { 0 };
        struct reload_topology_entry entry;
        assert_int_equal(reload_chord_ops.snapshot(overlay_node(o, client)->topology, &entry, 1),
                         1);
        peer = entry.node_id;
        for (size_t i = 0; i < overlay_node_count(o); i++)
            if (reload_node_id_equal(&overlay_node(o, i)->host.self, &peer))
                overlay_kill(o, i);
        overlay_run(o, 60000);
        assert_int_equal(overlay_node(o, client)->state, RELOAD_TOPOLOGY_JOINED);
        assert_int_equal(overlay_ring_faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-4.2.1-2 R6940-4.2.1-4 */
static void a_client_of_any_peer_stays_with_its_bootstrap_node(void **state)
{
    (void)state;
    struct overlay *o = overlay_of(1, 0);
    add_peers(o, 8, false);
    size_t client = overlay_add(o, RELOAD_ROLE_CLIENT_ANY, NULL);
    overlay_join(o, client, false);
    assert_true(overlay_run_until_joined(o, 60000));
    add_peers(o, 8, true);
    overlay_run(o, 100000);
    assert_int_equal(overlay_link_count(o, client), 1);
    assert_true(overlay_linked(o, client, 0));
    assert_int_equal(overlay_ring_faults(o), 0);
    overlay_free(o);
}

/* R6940-10.7.4.1-1 R6940-10.7.3-8: without reaction, the periodic Updates do it. */
static void without_reactive_recovery_periodic_updates_repair_the_ring(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= seeds(); seed++) {
        struct overlay_options options = { &reload_chord_ops, seed, 0, 10, 30, true };
        struct overlay *o = overlay_new(&options);
        add_peers(o, 32, true);
        overlay_run(o, 60000);
        assert_int_equal(overlay_ring_faults(o) + overlay_ownership_faults(o), 0);
        for (size_t i = 3; i < 32; i += 7)
            overlay_kill(o, i);
        overlay_run(o, 120000);
        assert_int_equal(overlay_ring_faults(o) + overlay_ownership_faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-10.7.4.1-1: an idle ring sends what the intervals say and no more. */
static void a_ring_at_rest_is_quiet(void **state)
{
    (void)state;
    struct overlay *o = settled_ring(1, 32, 0);
    overlay_run(o, 120000);
    uint64_t before = 0, after = 0, links = 0;
    for (size_t i = 0; i < 32; i++) {
        before += overlay_node(o, i)->requests_sent;
        links += overlay_link_count(o, i);
    }
    overlay_run(o, 600000);
    for (size_t i = 0; i < 32; i++)
        after += overlay_node(o, i)->requests_sent;
    printf("%.1f requests a node in 600 s, %.1f links\n", (double)(after - before) / 32,
           (double)links / 32);
    assert_true(after - before <= 2 * links + 64);
    overlay_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_rings_are_right_at_every_size),
        cmocka_unit_test(peers_that_join_one_after_another_form_one_ring_of_short_ways),
        cmocka_unit_test(peers_that_join_all_at_once_form_one_ring_of_short_ways),
        cmocka_unit_test(values_stored_while_others_join_are_never_lost),
        cmocka_unit_test(a_tenth_killed_at_once_leaves_a_right_ring_with_every_value),
        cmocka_unit_test(peers_that_leave_in_order_leave_no_gap_and_no_loss),
        cmocka_unit_test(lost_messages_delay_joins_but_the_ring_becomes_right),
        cmocka_unit_test(joiners_survive_the_death_of_their_admitting_peers),
        cmocka_unit_test(a_partition_heals_by_pings_over_the_bootstrap_node),
        cmocka_unit_test(a_peer_that_lost_all_others_joins_again),
        cmocka_unit_test(a_client_stays_with_the_peer_responsible_for_it_and_is_reached_there),
        cmocka_unit_test(a_client_of_any_peer_stays_with_its_bootstrap_node),
        cmocka_unit_test(without_reactive_recovery_periodic_updates_repair_the_ring),
        cmocka_unit_test(a_ring_at_rest_is_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
