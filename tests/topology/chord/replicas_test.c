#include "tests/topology/chord/fake.h"

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180 };

static size_t pushes_to(const struct fake *f, unsigned id)
{
    size_t count = 0;
    for (size_t i = 0; i < f->push_count; i++)
        count += f->pushes[i].target.bytes[0] == id;
    return count;
}

/* R6940-10.4-2 */
static void the_replica_set_is_the_next_two_successors_in_order(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    struct reload_node_id out[8], r = place(90);
    assert_int_equal(reload_chord_ops.replicas(f->t, reload_node_id_slice(&r), out, 8), 2);
    assert_int_equal(out[0].bytes[0], 120);
    assert_int_equal(out[1].bytes[0], 140);
    assert_int_equal(reload_chord_ops.replicas(f->t, reload_node_id_slice(&r), out, 1), 1);
    fake_free(f);
    for (size_t n = 0; n < 3; n++) {
        f = fake_ring(100, others, n);
        assert_int_equal(reload_chord_ops.replicas(f->t, reload_node_id_slice(&r), out, 8), n);
        fake_free(f);
    }
}

/* R6940-10.7.3-5 R6940-10.7.3-6 */
static void a_new_successor_gets_the_own_range_soon(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    struct reload_node_id after = place(80);
    fake_link(f, 110);
    assert_int_equal(fake_update(f, 110, NULL, NULL), 0);
    fake_run(f, 1000);
    assert_int_equal(f->push_count, 1);
    assert_int_equal(pushes_to(f, 110), 1);
    assert_int_equal(f->pushes[0].number, 1);
    assert_true(reload_node_id_equal(&f->pushes[0].after, &after));
    assert_true(reload_node_id_equal(&f->pushes[0].up_to, &f->host.self));
    assert_int_equal(f->forget_count, 0);
    fake_free(f);
}

/* R6940-3-4 R6940-10.7.1-3: the hold-down, and the better match that may come within it. */
static void the_stand_in_for_a_lost_successor_gets_replicas_after_thirty_seconds(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    fake_unlink(f, 120);
    fake_run(f, 29900);
    assert_int_equal(f->push_count, 0);
    fake_run(f, 200);
    assert_int_equal(f->push_count, 1);
    assert_int_equal(pushes_to(f, 160), 1);
    assert_int_equal(f->pushes[0].number, 2);
    fake_free(f);
    f = fake_ring(100, others, 8);
    fake_unlink(f, 120);
    fake_run(f, 1000);
    fake_link(f, 130);
    assert_int_equal(fake_update(f, 130, NULL, NULL), 0);
    fake_run(f, 60000);
    assert_int_equal(pushes_to(f, 130), 1);
    assert_int_equal(pushes_to(f, 160), 0);
    fake_free(f);
}

static void a_failed_push_is_repeated(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    fake_link(f, 110);
    assert_int_equal(fake_update(f, 110, NULL, NULL), 0);
    fake_run(f, 1000);
    reload_chord_ops.pushed(f->t, f->pushes[0].cookie, RELOAD_E_TIMEOUT,
                            (struct reload_time){ f->now_ms, 0 });
    fake_run(f, 11000);
    assert_int_equal(pushes_to(f, 110), 2);
    reload_chord_ops.pushed(f->t, f->pushes[1].cookie, 0, (struct reload_time){ f->now_ms, 0 });
    fake_run(f, 60000);
    assert_int_equal(pushes_to(f, 110), 2);
    fake_free(f);
}

/* R6940-10.7.3-5: the won range goes to the replica set. */
static void the_range_of_a_lost_predecessor_is_replicated(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    fake_unlink(f, 80);
    assert_int_equal(f->push_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(f->pushes[i].after.bytes[0], 60);
        assert_int_equal(f->pushes[i].up_to.bytes[0], 80);
        assert_int_equal(f->pushes[i].target.bytes[0], others[4 + i]);
        assert_int_equal(f->pushes[i].number, i + 1);
    }
    fake_free(f);
}

/* R6940-10.7.3-7 R6940-10.5-8 R6940-10.5-9: three predecessors between, and not on the first hint.
 */
static void what_three_predecessors_lie_before_is_forgotten_after_a_rest(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    fake_link(f, 90);
    assert_int_equal(fake_update(f, 90, NULL, NULL), 0);
    reload_chord_ops.pushed(f->t, f->pushes[0].cookie, 0, (struct reload_time){ f->now_ms, 0 });
    fake_run(f, RELOAD_CHORD_FORGET_MS - 1000);
    assert_int_equal(f->forget_count, 0);
    fake_run(f, 2000);
    assert_int_equal(f->forget_count, 1);
    assert_int_equal(f->forget_after.bytes[0], 100);
    assert_int_equal(f->forget_up_to.bytes[0], 60); /* 60 80 90 lie between, inclusive */
    fake_free(f);
    f = fake_ring(100, others, 2); /* too few for that */
    fake_unlink(f, 20);
    fake_run(f, 200000);
    assert_int_equal(f->forget_count, 0);
    fake_free(f);
}

static bool plausible(const struct fake *f, unsigned resource, unsigned sender)
{
    struct reload_node_id r = place(resource), s = place(sender);
    return reload_chord_ops.replica_plausible(f->t, reload_node_id_slice(&r), &s);
}

/* R6940-10.4-3 */
static void replicas_are_taken_from_predecessors_for_their_side_of_the_ring(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    assert_true(plausible(f, 75, 80));
    assert_true(plausible(f, 80, 80));
    assert_false(plausible(f, 75, 140));  /* no predecessor */
    assert_true(plausible(f, 90, 120));   /* our own range: handed over by any peer */
    assert_true(plausible(f, 90, 77));    /* who need not be a neighbour */
    assert_false(plausible(f, 75, 60));   /* beyond the sender: not its range */
    assert_false(plausible(f, 130, 150)); /* a stranger again */
    fake_link(f, 70);                     /* admitted just now, its Update still to come */
    assert_true(plausible(f, 65, 70));
    assert_false(plausible(f, 75, 70));
    struct reload_node_id s = place(80);
    assert_false(reload_chord_ops.replica_plausible(f->t, reload_slice_of("abc", 3), &s));
    fake_free(f);
    f = fake_new(100, RELOAD_ROLE_CLIENT);
    assert_false(plausible(f, 75, 80));
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_replica_set_is_the_next_two_successors_in_order),
        cmocka_unit_test(a_new_successor_gets_the_own_range_soon),
        cmocka_unit_test(the_stand_in_for_a_lost_successor_gets_replicas_after_thirty_seconds),
        cmocka_unit_test(a_failed_push_is_repeated),
        cmocka_unit_test(the_range_of_a_lost_predecessor_is_replicated),
        cmocka_unit_test(what_three_predecessors_lie_before_is_forgotten_after_a_rest),
        cmocka_unit_test(replicas_are_taken_from_predecessors_for_their_side_of_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
