#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/topology/overlay.h"
#include "topology/mesh/mesh.h"

/* Whole overlays of the mesh plug-in on a virtual clock: the interface serves an algorithm that is
 * not Chord with no change outside topology/. */

static struct overlay *overlay_of(uint64_t seed, unsigned loss_percent)
{
    struct overlay_options options = { &reload_mesh_ops, seed, loss_percent, 30, 60, false };
    return overlay_new(&options);
}

static size_t link_faults(struct overlay *o)
{
    size_t faults = 0;
    for (size_t a = 0; a < overlay_node_count(o); a++)
        for (size_t b = 0; b < overlay_node_count(o); b++)
            if (a != b && overlay_node(o, a)->alive && overlay_node(o, b)->alive)
                faults += !overlay_linked(o, a, b);
    return faults;
}

/* R6940-6.4.1-1 R6940-6.4.2.1-5 R6940-6.4.2.1-8 R6940-10.4-2 */
static void every_peer_links_to_every_peer_and_each_key_has_one_owner(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        for (int at_once = 0; at_once < 2; at_once++) {
            struct overlay *o = overlay_of(seed, 0);
            assert_true(overlay_grow(o, 20, !at_once));
            overlay_run(o, 10000);
            for (size_t i = 0; i < 60; i++)
                overlay_store(o, i % 20);
            overlay_run(o, 5000);
            assert_int_equal(link_faults(o), 0);
            assert_int_equal(overlay_ownership_faults(o), 0);
            assert_int_equal(overlay_replica_faults(o), 0);
            for (size_t i = 0; i < 60; i++) {
                struct reload_node_id id = overlay_resource(o, i);
                int hops = overlay_hops(o, i % 20, reload_node_id_slice(&id));
                assert_true(hops == 0 || hops == 1);
            }
            overlay_free(o);
        }
}

/* R6940-6.4.2.3-2 R6940-6.4.2.1-5 */
static void values_follow_their_owner_when_peers_join(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct overlay *o = overlay_of(seed, 0);
        assert_true(overlay_grow(o, 4, false));
        overlay_run(o, 5000);
        for (size_t i = 0; i < 60; i++)
            overlay_store(o, i % 4);
        overlay_run(o, 2000);
        assert_true(overlay_grow(o, 12, false));
        overlay_run(o, 10000);
        assert_int_equal(overlay_replica_faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-6.4.2.2-2 R6940-6.4.2.2-5 R6940-4.4-4 */
static void values_survive_peers_that_leave_and_peers_that_die(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct overlay *o = overlay_of(seed, 0);
        assert_true(overlay_grow(o, 16, false));
        overlay_run(o, 5000);
        for (size_t i = 0; i < 60; i++)
            overlay_store(o, i % 16);
        overlay_run(o, 5000);
        for (size_t i = 1; i < 8; i++) {
            if (i & 1)
                overlay_leave(o, i);
            overlay_run(o, 1000);
            if (i & 1)
                assert_int_equal(overlay_node(o, i)->state, RELOAD_TOPOLOGY_LEFT);
            overlay_kill(o, i);
        }
        overlay_run(o, 5000);
        assert_int_equal(overlay_ownership_faults(o), 0);
        assert_int_equal(overlay_replica_faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-1.2.2-1 */
static void lost_messages_delay_joins_and_no_more(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct overlay *o = overlay_of(seed, 5);
        assert_true(overlay_grow(o, 16, false));
        overlay_run(o, 120000);
        assert_int_equal(link_faults(o), 0);
        assert_int_equal(overlay_ownership_faults(o), 0);
        overlay_free(o);
    }
}

/* R6940-4.2.1-1 R6940-4.2.1-2 */
static void clients_link_to_the_peer_responsible_or_to_any(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct overlay *o = overlay_of(seed, 0);
        assert_true(overlay_grow(o, 3, false));
        size_t client = overlay_add(o, RELOAD_ROLE_CLIENT, NULL);
        size_t any = overlay_add(o, RELOAD_ROLE_CLIENT_ANY, NULL);
        overlay_join(o, client, false);
        overlay_join(o, any, false);
        assert_true(overlay_run_until_joined(o, 60000));
        assert_true(overlay_grow(o, 12, true));
        overlay_run(o, 60000);
        assert_true(overlay_linked(o, any, 0));
        for (size_t i = 0; i < overlay_node_count(o); i++)
            if (i != client && i != any)
                assert_true(overlay_hops_to_node(o, i, client) > 0);
        overlay_free(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_peer_links_to_every_peer_and_each_key_has_one_owner),
        cmocka_unit_test(values_follow_their_owner_when_peers_join),
        cmocka_unit_test(values_survive_peers_that_leave_and_peers_that_die),
        cmocka_unit_test(lost_messages_delay_joins_and_no_more),
        cmocka_unit_test(clients_link_to_the_peer_responsible_or_to_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
