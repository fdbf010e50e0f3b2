#include "tests/topology/chord/fake.h"

/* The ring 10 30 50 70 90 110 130 150 170 190, seen from 90. */
static const unsigned ring[] = { 130, 10, 70, 190, 30, 50, 170, 110, 150 };

static void fill(struct reload_chord_tables *tables)
{
    reload_chord_tables_init(tables, ring_id(90));
    for (size_t i = 0; i < sizeof ring / sizeof *ring; i++)
        reload_chord_tables_add(tables, ring_id(ring[i]))->ready = true;
    reload_chord_tables_refresh(tables);
}

/* R6940-10.7-5 R6940-10.7.3-4 */
static void lists_are_the_nearest_on_each_side_nearest_first(void **state)
{
    (void)state;
    static const unsigned after[] = { 110, 130, 150 }, before[] = { 70, 50, 30 };
    struct reload_chord_tables tables;
    fill(&tables);
    assert_int_equal(tables.lists.successor_count, 3);
    assert_int_equal(tables.lists.predecessor_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(reload_chord_id_equal(tables.lists.successors[i], ring_id(after[i])));
        assert_true(reload_chord_id_equal(tables.lists.predecessors[i], ring_id(before[i])));
    }
    assert_null(reload_chord_tables_add(&tables, ring_id(90))); /* never self */
    reload_chord_tables_fini(&tables);
}

static const struct {
    unsigned k, next;
} routes[] = {
    /* largest in (90, k) */
    { 111, 110 },
    { 130, 110 },
    { 131, 130 },
    { 171, 170 },
    { 190, 170 },
    { 191, 190 },
    { 5, 190 },
    { 10, 190 },
    { 11, 10 },
    { 50, 30 },
    { 51, 50 },

    { 85, 70 },
    /* none there: the smallest greater than k */
    { 91, 110 },
    { 100, 110 },
    { 110, 110 },
};

/* R6940-10.3-2 R6940-10.3-3 */
static void routing_takes_the_largest_before_k_else_the_smallest_after(void **state)
{
    (void)state;
    struct reload_chord_tables tables;
    struct reload_chord_id next;
    fill(&tables);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        assert_true(reload_chord_tables_route(&tables, ring_id(routes[i].k), &next));
        assert_true(reload_chord_id_equal(next, ring_id(routes[i].next)));
    }
    reload_chord_tables_fini(&tables);
    reload_chord_tables_init(&tables, ring_id(90));
    assert_false(reload_chord_tables_route(&tables, ring_id(1), &next));
}

/* R6940-4.4-2 */
static void only_ready_and_unsuspected_peers_are_routed_to(void **state)
{
    (void)state;
    struct reload_chord_tables tables;
    struct reload_chord_id next;
    fill(&tables);
    reload_chord_tables_find(&tables, ring_id(130))->ready = false;
    reload_chord_tables_find(&tables, ring_id(150))->suspect = true;
    reload_chord_tables_refresh(&tables);
    assert_true(reload_chord_tables_route(&tables, ring_id(160), &next));
    assert_true(reload_chord_id_equal(next, ring_id(110)));
    assert_true(reload_chord_id_equal(tables.lists.successors[1], ring_id(150)));
    reload_chord_tables_fini(&tables);
}

/* R6940-10.7-6: a peer is predecessor and successor at once in a small ring. */
static void small_rings_have_short_lists_that_overlap(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 3; n++) {
        struct reload_chord_tables tables;
        reload_chord_tables_init(&tables, ring_id(90));
        for (size_t i = 0; i < n; i++)
            reload_chord_tables_add(&tables, ring_id(ring[i]))->ready = true;
        reload_chord_tables_refresh(&tables);
        assert_int_equal(tables.lists.successor_count, n);
        assert_int_equal(tables.lists.predecessor_count, n);
        for (size_t i = 0; i < n; i++)
            assert_true(reload_chord_id_equal(tables.lists.successors[i],
                                              tables.lists.predecessors[n - 1 - i]));
        reload_chord_tables_fini(&tables);
    }
}

/* R6940-10.7.4.2-2 R6940-10.7.4.2-7: the next best stands by for one that is suspect. */
static void a_finger_is_the_peer_nearest_to_the_start_of_its_range(void **state)
{
    (void)state;
    struct reload_chord_tables tables;
    fill(&tables);
    /* i=1: 218..89 and round to 90; i=2: 154..217; i=3: 122..153; i=4: 106..121; i=5: 98..105 */
    static const unsigned fingers[] = { 0, 10, 170, 130, 110 };
    for (unsigned i = 1; i <= 4; i++)
        assert_true(
            reload_chord_id_equal(reload_chord_tables_finger(&tables, i)->id, ring_id(fingers[i])));
    assert_null(reload_chord_tables_finger(&tables, 5));
    reload_chord_tables_find(&tables, ring_id(10))->suspect = true;
    assert_true(reload_chord_id_equal(reload_chord_tables_finger(&tables, 1)->id, ring_id(30)));
    reload_chord_tables_fini(&tables);
}

/* R6940-10.7.4.3-2: a peer in the range of each of the 128 entries, and each entry holds its own.
 */
static void the_finger_table_grows_to_an_entry_for_each_bit(void **state)
{
    (void)state;
    struct reload_chord_tables tables;
    reload_chord_tables_init(&tables, ring_id(90));
    for (unsigned i = 1; i <= RELOAD_CHORD_ID_BITS; i++)
        reload_chord_tables_add(&tables, reload_chord_finger_start(ring_id(90), i))->ready = true;
    reload_chord_tables_refresh(&tables);
    assert_int_equal(tables.count, 128);
    for (unsigned i = 1; i <= RELOAD_CHORD_ID_BITS; i++) {
        const struct reload_chord_peer *finger = reload_chord_tables_finger(&tables, i);
        assert_non_null(finger);
        assert_true(reload_chord_id_equal(finger->id, reload_chord_finger_start(ring_id(90), i)));
    }
    reload_chord_tables_fini(&tables);
}

/* The named cap, and memory that runs out. */
static void the_table_has_an_end_and_survives_lack_of_memory(void **state)
{
    (void)state;
    struct reload_chord_tables tables;
    reload_chord_tables_init(&tables, ring_id(0));
    for (uint64_t i = 1; i <= RELOAD_CHORD_PEERS_MAX; i++)
        assert_non_null(reload_chord_tables_add(&tables, (struct reload_chord_id){ i << 40, i }));
    assert_null(reload_chord_tables_add(&tables, (struct reload_chord_id){ 1, 1 }));
    assert_int_equal(tables.count, RELOAD_CHORD_PEERS_MAX);
    for (uint64_t i = 1; i < RELOAD_CHORD_PEERS_MAX; i++)
        assert_true(reload_chord_id_less(tables.peers[i - 1].id, tables.peers[i].id));
    for (uint64_t i = 1; i <= RELOAD_CHORD_PEERS_MAX; i++)
        reload_chord_tables_remove(&tables, (struct reload_chord_id){ i << 40, i });
    assert_int_equal(tables.count, 0);
    reload_chord_tables_fini(&tables);
    for (unsigned long n = 1; n <= 2; n++) {
        reload_chord_tables_init(&tables, ring_id(0));
        reload_alloc_fail_at(n);
        assert_null(reload_chord_tables_add(&tables, ring_id(1)));
        reload_alloc_fail_at(0);
        assert_non_null(reload_chord_tables_add(&tables, ring_id(1)));
        reload_chord_tables_fini(&tables);
    }
}

static void the_size_of_the_overlay_is_estimated_from_the_neighbours(void **state)
{
    (void)state;
    struct reload_chord_tables tables;
    reload_chord_tables_init(&tables, ring_id(0));
    assert_int_equal(reload_chord_tables_log2_size(&tables), 0);
    for (unsigned i = 4; i < 256; i += 4) /* 64 peers */
        reload_chord_tables_add(&tables, ring_id(i))->ready = true;
    reload_chord_tables_refresh(&tables);
    assert_int_equal(reload_chord_tables_log2_size(&tables), 5 + 0);
    reload_chord_tables_fini(&tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_the_nearest_on_each_side_nearest_first),
        cmocka_unit_test(routing_takes_the_largest_before_k_else_the_smallest_after),
        cmocka_unit_test(only_ready_and_unsuspected_peers_are_routed_to),
        cmocka_unit_test(small_rings_have_short_lists_that_overlap),
        cmocka_unit_test(a_finger_is_the_peer_nearest_to_the_start_of_its_range),
        cmocka_unit_test(the_finger_table_grows_to_an_entry_for_each_bit),
        cmocka_unit_test(the_table_has_an_end_and_survives_lack_of_memory),
        cmocka_unit_test(the_size_of_the_overlay_is_estimated_from_the_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
