#include "tests/topology/chord/fake.h"

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180 };

static void pushed(struct fake *f, size_t push, int error)
{
    reload_chord_ops.pushed(f->t, f->pushes[push].cookie, error,
                            (struct reload_time){ f->now_ms, 0 });
}

static void expect_arc(const struct fake *f, size_t push, unsigned after, unsigned up_to)
{
    assert_true(push < f->push_count);
    assert_int_equal(f->pushes[push].target.len, 0);
    assert_int_equal(f->pushes[push].after.bytes[0], after);
    assert_int_equal(f->pushes[push].up_to.bytes[0], up_to);
    assert_int_not_equal(f->pushes[push].number, 0);
}

static struct fake *peer_that_lost(unsigned to)
{
    struct fake *f = fake_ring(100, others, 8);
    fake_forget_records(f);
    fake_link(f, to);
    assert_int_equal(fake_update(f, to, NULL, NULL), 0);
    return f;
}

/* R6940-6.4.2.3-2 */
static void a_lost_arc_is_handed_over_until_all_of_it_is_acknowledged(void **state)
{
    (void)state;
    struct fake *f = peer_that_lost(90);
    expect_arc(f, 0, 80, 90);
    for (size_t i = 0; i < 4; i++) {
        pushed(f, i, i % 2 ? RELOAD_E_TIMEOUT : RELOAD_E_FORBIDDEN);
        assert_int_equal(f->push_count, i + 1); /* not at once */
        fake_run(f, 15000u << i);
        expect_arc(f, i + 1, 80, 90);
        assert_int_equal(f->push_count, i + 2);
    }
    pushed(f, 0, 0); /* an old one ended late: that says nothing */
    assert_true(reload_chord_handover_pending(f->t));
    pushed(f, 4, 0);
    assert_false(reload_chord_handover_pending(f->t));
    size_t count = f->push_count;
    fake_run(f, 3600000);
    assert_int_equal(f->push_count, count);
    fake_free(f);
}

/* R6940-10.7.3-7: three predecessors in between are not enough. */
static void nothing_is_forgotten_before_its_owner_has_it(void **state)
{
    (void)state;
    struct fake *f = peer_that_lost(90);
    fake_run(f, 5 * RELOAD_CHORD_FORGET_MS);
    assert_int_equal(f->forget_count, 0);
    pushed(f, 0, RELOAD_E_TIMEOUT);
    fake_run(f, 5 * RELOAD_CHORD_FORGET_MS);
    assert_int_equal(f->forget_count, 0);
    pushed(f, f->push_count - 1, 0);
    fake_run(f, 2 * RELOAD_CHORD_FORGET_MS);
    assert_int_equal(f->forget_count, 1);
    fake_free(f);
}

static void an_arc_that_grows_under_way_is_handed_over_as_a_whole(void **state)
{
    (void)state;
    struct fake *f = peer_that_lost(85);
    expect_arc(f, 0, 80, 85);
    fake_link(f, 95);
    assert_int_equal(fake_update(f, 95, NULL, NULL), 0);
    assert_int_equal(f->push_count, 1);
    pushed(f, 0, 0);
    expect_arc(f, 1, 80, 95);
    pushed(f, 1, 0);
    assert_false(reload_chord_handover_pending(f->t));
    fake_free(f);
}

/* Its end was never told: for want of memory, say. */
static void a_push_that_is_never_heard_of_again_is_repeated(void **state)
{
    (void)state;
    struct fake *f = peer_that_lost(90);
    fake_run(f, 599000);
    assert_int_equal(f->push_count, 1);
    fake_run(f, 2000);
    expect_arc(f, 1, 80, 90);
    fake_free(f);
}

static void replica_failed(struct fake *f, unsigned holder)
{
    struct reload_node_id h = place(holder);
    reload_chord_ops.replica_failed(f->t, &h, (struct reload_time){ f->now_ms, 0 });
}

/* R6940-10.4-2 */
static void a_holder_that_missed_a_value_gets_the_range_again(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    fake_forget_records(f);
    replica_failed(f, 140);
    assert_int_equal(f->push_count, 0);
    fake_run(f, 11000);
    assert_int_equal(f->push_count, 1);
    assert_int_equal(f->pushes[0].target.bytes[0], 140);
    assert_int_equal(f->pushes[0].number, 2);
    assert_int_equal(f->pushes[0].after.bytes[0], 80);
    assert_true(reload_node_id_equal(&f->pushes[0].up_to, &f->host.self));
    pushed(f, 0, 0);
    replica_failed(f, 160); /* no holder any more */
    fake_run(f, 60000);
    assert_int_equal(f->push_count, 1);
    fake_free(f);
}

/* R6940-10.5-6: while the range is handed over, and after. */
static void a_joining_node_that_missed_a_value_gets_it_before_or_after(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    fake_forget_records(f);
    fake_link(f, 90);
    assert_int_equal(fake_join_from(f, 90, 90, 90, true), 0);
    assert_int_equal(f->push_count, 1);
    replica_failed(f, 90);
    pushed(f, 0, 0);
    assert_int_equal(f->push_count, 2); /* not admitted yet: everything once more */
    assert_int_equal(f->pushes[1].target.bytes[0], 90);
    pushed(f, 1, 0);
    assert_int_equal(f->push_count, 2);
    replica_failed(f, 90); /* that one took its time */
    assert_int_equal(f->push_count, 3);
    expect_arc(f, 2, 80, 90);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_arc_is_handed_over_until_all_of_it_is_acknowledged),
        cmocka_unit_test(nothing_is_forgotten_before_its_owner_has_it),
        cmocka_unit_test(an_arc_that_grows_under_way_is_handed_over_as_a_whole),
        cmocka_unit_test(a_push_that_is_never_heard_of_again_is_repeated),
        cmocka_unit_test(a_holder_that_missed_a_value_gets_the_range_again),
        cmocka_unit_test(a_joining_node_that_missed_a_value_gets_it_before_or_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
