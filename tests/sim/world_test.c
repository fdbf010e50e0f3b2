#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/scenario.h"
#include "topology/chord/chord.h"
#include "topology/mesh/mesh.h"

/* A simulator that sees nothing proves nothing: what it must notice, and that a seed is a run. */

#define PEERS 12
#define KIND  RELOAD_STANDIN_SINGLE_MULTIPLE

static struct world *overlay(uint64_t seed, const struct reload_topology_ops *topology)
{
    const struct world_options options = {
        .seed = seed,
        .nodes = PEERS,
        .topology = topology,
        .delay_min_ms = 5,
        .delay_max_ms = 50,
    };
    struct world *w = world_new(&options);
    for (size_t i = 0; i < PEERS; i++) {
        world_start(w, i);
        world_join(w, i, i == 0);
        world_run(w, world_now(w) + 5000);
    }
    world_run(w, world_now(w) + 60000);
    return w;
}

static void on_stored(void *context, const struct world_result *r)
{
    *(int *)context = r->result->error;
}

/* One value of the peer at place 0. */
static struct stored_key store_one(struct world *w)
{
    uint8_t name[17] = { 0 };
    size_t len;
    struct stored_key key = { .kind = KIND };
    memcpy(name, world_node_id(w, 0)->bytes, 16);
    assert_int_equal(0, reload_node_resource_id(world_node(w, 0), reload_slice_of(name, 17),
                                                key.resource, &len));
    const struct reload_store_item item = {
        .kind = KIND, .exists = true, .value = { (const uint8_t *)"x", 1 }, .lifetime_s = 86400
    };
    int error = 1;
    world_on_done(w, on_stored, &error);
    assert_true(world_store(w, 0, reload_slice_of(key.resource, 16), &item, 0));
    world_run(w, world_now(w) + 30000);
    assert_int_equal(0, error);
    world_on_done(w, NULL, NULL);
    return key;
}

static void the_same_seed_is_the_same_run_and_another_is_not(void **state)
{
    (void)state;
    uint64_t hashes[3];
    for (int i = 0; i < 3; i++) {
        struct world *w = overlay(i == 2 ? 2 : 1, &reload_chord_ops);
        hashes[i] = world_hash(w);
        assert_true(world_messages(w) > 100);
        world_free(w);
    }
    assert_true(hashes[0] == hashes[1]);
    assert_true(hashes[0] != hashes[2]);
}

static void an_overlay_at_rest_is_found_good_with_either_topology(void **state)
{
    (void)state;
    static const struct reload_topology_ops *const topologies[] = { &reload_chord_ops,
                                                                    &reload_mesh_ops };
    for (size_t i = 0; i < 2; i++) {
        struct world *w = overlay(3, topologies[i]);
        struct stored_key key = store_one(w);
        struct check c = world_check(w, PEERS, &key, 1);
        assert_string_equal("", c.why);
        assert_int_equal(PEERS, c.peers);
        world_free(w);
    }
}

static void a_peer_that_vanished_is_noticed_until_the_ring_has_closed(void **state)
{
    (void)state;
    struct world *w = overlay(4, &reload_chord_ops);
    world_kill(w, 5, false);
    world_run(w, world_now(w) + 1000); /* nobody can know yet */
    struct check c = world_check(w, PEERS, NULL, 0);
    assert_int_equal(2, c.ring_errors); /* both its neighbors still have it */
    assert_true(c.owner_errors > 0);    /* and nobody owns its keys */
    world_run(w, world_now(w) + 120000);
    assert_string_equal("", world_check(w, PEERS, NULL, 0).why);
    world_free(w);
}

static void a_missing_replica_is_noticed(void **state)
{
    (void)state;
    struct world *w = overlay(5, &reload_chord_ops);
    struct stored_key key = store_one(w);
    assert_string_equal("", world_check(w, PEERS, &key, 1).why);
    struct stored_key never = key;
    never.resource[15] ^= 1;
    struct check c = world_check(w, PEERS, &never, 1);
    assert_int_equal(3, c.replica_errors);
    assert_int_equal(0, c.owner_errors);
    world_free(w);
}

static void a_cut_world_is_two_rings_and_so_not_one(void **state)
{
    (void)state;
    struct world *w = overlay(6, &reload_chord_ops);
    uint8_t groups[PEERS];
    for (size_t i = 0; i < PEERS; i++)
        groups[i] = i % 2;
    world_partition(w, groups);
    world_run(w, world_now(w) + 200000);
    struct check c = world_check(w, PEERS, NULL, 0);
    assert_true(c.ring_errors >= PEERS / 2);
    assert_true(c.owner_errors >= PEERS / 2);
    world_free(w);
}

static void a_peer_that_cannot_join_is_noticed(void **state)
{
    (void)state;
    const struct world_options options = {
        .seed = 7, .nodes = 2, .topology = &reload_chord_ops, .delay_min_ms = 5, .delay_max_ms = 5
    };
    struct world *w = world_new(&options);
    uint8_t groups[] = { 0, 1 };
    world_partition(w, groups);
    for (size_t i = 0; i < 2; i++) {
        world_start(w, i);
        world_join(w, i, i == 0);
    }
    world_run(w, 60000);
    struct check c = world_check(w, 2, NULL, 0);
    assert_int_equal(1, c.peers);
    assert_int_equal(2, c.alive);
    assert_false(check_is_good(&c));
    world_partition(w, NULL);
    world_run(w, world_now(w) + 120000);
    assert_string_equal("", world_check(w, 2, NULL, 0).why);
    world_free(w);
}

static void events_come_by_time_and_then_in_the_order_of_scheduling(void **state)
{
    (void)state;
    struct events events = { 0 };
    uint64_t x = 1;
    for (uint32_t i = 0; i < 5000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        events_add(&events, (struct event){ .at_ms = x >> 33 & 255, .to = i });
    }
    struct event before = events_take(&events);
    while (events.count > 0) {
        struct event e = events_take(&events);
        assert_true(e.at_ms > before.at_ms || (e.at_ms == before.at_ms && e.to > before.to));
        before = e;
    }
    events_fini(&events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_is_the_same_run_and_another_is_not),
        cmocka_unit_test(an_overlay_at_rest_is_found_good_with_either_topology),
        cmocka_unit_test(a_peer_that_vanished_is_noticed_until_the_ring_has_closed),
        cmocka_unit_test(a_missing_replica_is_noticed),
        cmocka_unit_test(a_cut_world_is_two_rings_and_so_not_one),
        cmocka_unit_test(a_peer_that_cannot_join_is_noticed),
        cmocka_unit_test(events_come_by_time_and_then_in_the_order_of_scheduling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
