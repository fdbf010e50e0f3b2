#include "tests/topology/chord/fake.h"

static const unsigned others[] = { 20, 40, 100, 120, 140 };

static struct fake *admitting(void) /* 80 owns (40, 80] */
{
    struct fake *f = fake_ring(80, others, 5);
    fake_link(f, 60);
    fake_run(f, 1000);
    fake_forget_records(f);
    return f;
}

static void pushed(struct fake *f, uint32_t cookie, int error)
{
    reload_chord_ops.pushed(f->t, cookie, error, (struct reload_time){ f->now_ms, 0 });
}

/* R6940-6.4.2.1-2 R6940-6.4.2.1-3: not for another, not over another's link, not forwarded. */
static void only_a_direct_join_signed_by_the_joiner_is_taken(void **state)
{
    (void)state;
    struct fake *f = admitting();
    assert_int_equal(fake_join_from(f, 61, 60, 60, true), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(fake_join_from(f, 60, 60, 100, true), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(fake_join_from(f, 60, 60, 60, false), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(fake_handle(f, RELOAD_JOIN_REQ, 60, reload_slice_of("abc", 3)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(f->push_count, 0);
    assert_int_equal(fake_join_from(f, 60, 60, 60, true), 0);
    fake_free(f);
}

/* R6940-10.5-6 R6940-10.5-7 R6940-10.5-10: data first, then the Update to it, then to all. */
static void data_is_pushed_before_the_update_that_makes_it_the_predecessor(void **state)
{
    (void)state;
    struct fake *f = admitting();
    struct reload_node_id joining = place(60), before = place(40);
    assert_int_equal(fake_join_from(f, 60, 60, 60, true), 0);
    assert_int_equal(f->push_count, 1);
    assert_true(reload_node_id_equal(&f->pushes[0].after, &before));
    assert_true(reload_node_id_equal(&f->pushes[0].up_to, &joining));
    assert_true(reload_node_id_equal(&f->pushes[0].target, &joining));
    assert_int_not_equal(f->pushes[0].number, 0);
    fake_run(f, 2000);
    assert_int_equal(f->request_count, 0);
    assert_true(reload_chord_ops.responsible(f->t, reload_node_id_slice(&joining)));

    pushed(f, f->pushes[0].cookie, 0);
    assert_false(reload_chord_ops.responsible(f->t, reload_node_id_slice(&joining)));
    assert_int_equal(f->request_count, 1);
    struct reload_chord_update update;
    assert_int_equal(reload_chord_update_decode(
                         reload_slice_of(f->requests[0].body, f->requests[0].len), 16, &update),
                     0);
    assert_true(reload_node_id_equal(&f->requests[0].to, &joining));
    assert_int_equal(update.type, RELOAD_CHORD_UPDATE_NEIGHBORS);
    assert_memory_equal(update.predecessors.p, joining.bytes, 16);
    fake_run(f, 1000);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(fake_sent(f, 1, RELOAD_UPDATE_REQ, others[i]), 1);
    assert_int_equal(f->push_count, 1); /* nothing is handed over twice */
    fake_free(f);
}

/* What is stored while its range is on the way goes to the joining node as well. */
static void values_that_come_meanwhile_are_replicated_to_the_joiner(void **state)
{
    (void)state;
    struct fake *f = admitting();
    struct reload_node_id out[8], joining = place(60), in = place(50), not_in = place(70);
    assert_int_equal(reload_chord_ops.replicas(f->t, reload_node_id_slice(&in), out, 8), 2);
    assert_int_equal(fake_join_from(f, 60, 60, 60, true), 0);
    assert_int_equal(reload_chord_ops.replicas(f->t, reload_node_id_slice(&in), out, 8), 3);
    assert_true(reload_node_id_equal(&out[2], &joining));
    assert_int_equal(reload_chord_ops.replicas(f->t, reload_node_id_slice(&not_in), out, 8), 2);
    fake_free(f);
}

/* R6940-10.5-5 */
static void who_belongs_elsewhere_is_sent_away(void **state)
{
    (void)state;
    struct fake *f = admitting();
    fake_link(f, 90);
    fake_link(f, 30);
    assert_int_equal(fake_join_from(f, 90, 90, 90, true), RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(fake_join_from(f, 30, 30, 30, true), RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(fake_join_from(f, 80, 80, 80, true), RELOAD_ERROR_NOT_FOUND); /* self */
    assert_int_equal(f->push_count, 0);
    fake_free(f);
    f = fake_new(80, RELOAD_ROLE_CLIENT);
    fake_link(f, 60);
    assert_int_equal(fake_join_from(f, 60, 60, 60, true), RELOAD_ERROR_NOT_FOUND);
    fake_free(f);
}

static void several_joiners_are_served_in_turn_and_the_misled_are_told(void **state)
{
    (void)state;
    struct fake *f = admitting();
    fake_link(f, 50);
    fake_link(f, 70);
    fake_run(f, 1000);
    fake_forget_records(f);
    assert_int_equal(fake_join_from(f, 60, 60, 60, true), 0);
    assert_int_equal(fake_join_from(f, 50, 50, 50, true), 0);
    assert_int_equal(fake_join_from(f, 70, 70, 70, true), 0);
    assert_int_equal(fake_join_from(f, 60, 60, 60, true), 0); /* again: once in the queue */
    assert_int_equal(f->push_count, 1);
    pushed(f, f->pushes[0].cookie, 0);
    assert_int_equal(f->push_count, 2); /* 50 is 60's to admit now; 70 is ours */
    struct reload_node_id after = place(60), target = place(70);
    assert_true(reload_node_id_equal(&f->pushes[1].after, &after));
    assert_true(reload_node_id_equal(&f->pushes[1].target, &target));
    fake_run(f, 1000);
    assert_true(fake_sent(f, 0, RELOAD_UPDATE_REQ, 50) > 0);
    fake_free(f);
}

/* R6940-10.5-7: whatever it makes of the Stores, the Update follows; what it refused it is offered
 * again. */
static void a_joiner_that_refuses_some_data_is_admitted(void **state)
{
    (void)state;
    struct fake *f = admitting();
    struct reload_node_id joining = place(60), before = place(40);
    assert_int_equal(fake_join_from(f, 60, 60, 60, true), 0);
    pushed(f, f->pushes[0].cookie, RELOAD_E_FORBIDDEN);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 60), 1);
    assert_false(reload_chord_ops.responsible(f->t, reload_node_id_slice(&joining)));
    fake_run(f, 1000);
    assert_int_equal(f->push_count, 2);
    assert_true(reload_node_id_equal(&f->pushes[1].after, &before));
    assert_true(reload_node_id_equal(&f->pushes[1].up_to, &joining));
    assert_int_equal(f->pushes[1].target.len, 0);
    pushed(f, f->pushes[1].cookie, 0);
    fake_run(f, 600000);
    assert_int_equal(f->push_count, 2);
    fake_free(f);
}

static void a_joiner_that_vanishes_or_does_not_answer_frees_the_place(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct fake *f = admitting();
        struct reload_node_id id = place(60);
        assert_int_equal(fake_join_from(f, 60, 60, 60, true), 0);
        if (way == 0)
            fake_unlink(f, 60);
        else if (way == 1)
            pushed(f, f->pushes[0].cookie, RELOAD_E_TIMEOUT);
        else
            fake_run(f, 61000);
        assert_int_equal(f->t->admission_count, 0);
        assert_true(reload_chord_ops.responsible(f->t, reload_node_id_slice(&id)));
        fake_free(f);
    }
}

/* RELOAD_CHORD_ADMISSIONS_MAX */
static void the_queue_of_joiners_has_an_end(void **state)
{
    (void)state;
    static const unsigned ring[] = { 100, 120 };
    struct fake *f = fake_ring(99, ring, 2); /* owns (120, 99] */
    for (unsigned i = 1; i <= RELOAD_CHORD_ADMISSIONS_MAX; i++) {
        fake_link(f, i);
        assert_int_equal(fake_join_from(f, i, i, i, true), 0);
    }
    fake_link(f, 98);
    assert_int_equal(fake_join_from(f, 98, 98, 98, true), RELOAD_ERROR_IN_PROGRESS);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_direct_join_signed_by_the_joiner_is_taken),
        cmocka_unit_test(data_is_pushed_before_the_update_that_makes_it_the_predecessor),
        cmocka_unit_test(values_that_come_meanwhile_are_replicated_to_the_joiner),
        cmocka_unit_test(who_belongs_elsewhere_is_sent_away),
        cmocka_unit_test(several_joiners_are_served_in_turn_and_the_misled_are_told),
        cmocka_unit_test(a_joiner_that_refuses_some_data_is_admitted),
        cmocka_unit_test(a_joiner_that_vanishes_or_does_not_answer_frees_the_place),
        cmocka_unit_test(the_queue_of_joiners_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
