#include "tests/topology/chord/fake.h"

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180, 200 };

static struct fake *peer(void) /* 100; 200 is no neighbour */
{
    return fake_ring(100, others, 9);
}

/* R6940-10.7.1-1 R6940-10.7.1-2 */
static void a_lost_neighbour_is_replaced_from_the_routing_table_and_the_others_told(void **state)
{
    (void)state;
    struct fake *f = peer();
    fake_unlink(f, 140);
    const struct reload_chord_lists *lists = &f->t->tables.lists;
    static const unsigned now[] = { 120, 160, 180 };
    for (size_t i = 0; i < 3; i++)
        assert_true(reload_chord_id_equal(lists->successors[i], ring_id(now[i])));
    fake_run(f, 1000);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, others[i]),
                         others[i] != 140 && others[i] != 20 && others[i] != 200);
    fake_free(f);
}

/* R6940-10.7.1-4: everybody, a client too. */
static void a_lost_predecessor_is_told_to_the_whole_connection_table(void **state)
{
    (void)state;
    struct fake *f = peer();
    struct reload_node_id was_its = place(70);
    fake_link(f, 230);
    fake_run(f, 1000);
    fake_forget_records(f);
    fake_unlink(f, 80);
    assert_true(reload_chord_ops.responsible(f->t, reload_node_id_slice(&was_its)));
    fake_run(f, 1000);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 230), 1);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 200), 1);
    fake_free(f);
}

/* R6940-10.7.1-1: "or the failure of some request" */
static void a_peer_that_answers_no_update_has_failed(void **state)
{
    (void)state;
    struct fake *f = peer();
    fake_run(f, 1000000); /* periodic Updates */
    struct reload_node_id it = place(140);
    size_t last = f->request_count;
    while (last > 0 && !reload_node_id_equal(&f->requests[last - 1].to, &it))
        last--;
    assert_true(last > 0);
    fake_answer(f, f->requests[last - 1].cookie, RELOAD_E_TIMEOUT, 0);
    assert_int_equal(f->disconnect_count, 1);
    assert_true(reload_node_id_equal(&f->disconnects[0], &it));
    assert_false(reload_chord_lists_hold(&f->t->tables.lists, ring_id(140)));
    fake_free(f);
}

/* R6940-10.7.1-5: a suspect is out of the routing decision until it is back. */
static void a_suspect_link_is_routed_around_until_it_recovers(void **state)
{
    (void)state;
    struct fake *f = peer();
    struct reload_node_id it = place(140), k = place(150), next;
    struct reload_time now = { f->now_ms, 0 };
    reload_chord_ops.link_down(f->t, &it, true, now);
    assert_true(reload_chord_ops.next_hop(f->t, reload_node_id_slice(&k), &next));
    assert_int_equal(next.bytes[0], 120);
    reload_chord_ops.link_up(f->t, &it, now);
    assert_true(reload_chord_ops.next_hop(f->t, reload_node_id_slice(&k), &next));
    assert_int_equal(next.bytes[0], 140);
    fake_free(f);
}

/* R6940-10.7.1-5 */
static void a_lost_neighbour_comes_back_with_its_link_and_update(void **state)
{
    (void)state;
    static const unsigned none[] = { 0 }, names[] = { 140, 0 };
    struct fake *f = peer();
    fake_unlink(f, 140);
    assert_int_equal(fake_update(f, 120, none, names), 0);
    assert_int_equal(fake_attached_to(f, 140), 0); /* not at once: it has just failed */
    fake_link(f, 140);
    assert_false(reload_chord_lists_hold(&f->t->tables.lists, ring_id(140)));
    assert_int_equal(fake_update(f, 140, NULL, NULL), 0);
    assert_true(reload_chord_lists_hold(&f->t->tables.lists, ring_id(140)));
    fake_free(f);
}

/* Two that cannot be attached, one a little after the other: the time of the first must not hide
 * that of the second. */
static void each_node_that_could_not_be_attached_is_tried_again(void **state)
{
    (void)state;
    static const unsigned none[] = { 0 }, names[] = { 125, 130, 0 };
    struct fake *f = peer();
    assert_int_equal(fake_update(f, 120, none, names), 0);
    assert_int_equal(f->attach_count, 2);
    fake_attached(f, 0, RELOAD_E_TIMEOUT, 0);
    fake_run(f, 1000);
    fake_attached(f, 1, RELOAD_E_TIMEOUT, 0);
    fake_run(f, 8000);
    assert_int_equal(fake_attached_to(f, 125), 2);
    assert_int_equal(fake_attached_to(f, 130), 2);
    fake_free(f);
}

/* R6940-10.7.2-1 R6940-10.7.2-2 */
static void a_lost_finger_is_searched_for_by_a_ping_into_its_range(void **state)
{
    (void)state;
    static const unsigned near[] = { 92, 94, 96, 98, 102, 104, 106, 108, 170 };
    struct fake *f = fake_ring(100, near, 9);
    fake_unlink(f, 170); /* i = 2: 164..227 */
    size_t pings = 0;
    for (size_t i = 0; i < f->request_count; i++)
        if (f->requests[i].code == RELOAD_PING_REQ) {
            pings++;
            assert_true(f->requests[i].to_resource);
            struct reload_chord_id to = reload_chord_id_of(&f->requests[i].to);
            assert_int_equal(reload_chord_finger_of(reload_chord_distance(ring_id(100), to)), 2);
        }
    assert_int_equal(pings, 1);
    fake_free(f);
}

/* R6940-10.7.1-6 R6940-10.7.1-7 */
static void without_any_peer_left_it_joins_again(void **state)
{
    (void)state;
    static const unsigned two[] = { 20, 120 };
    struct fake *f = fake_ring(100, two, 2);
    f->t->first = false; /* it had joined like everybody */
    fake_unlink(f, 20);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    fake_unlink(f, 120);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINING);
    fake_run(f, 2000);
    assert_int_equal(f->bootstrap_count, 1);
    fake_link(f, 120); /* somebody finds it instead */
    assert_int_equal(fake_update(f, 120, NULL, NULL), 0);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    fake_free(f);
}

/* s10.5 step 2: alone it is responsible for n+1 too, and the Attach must not come to itself. */
static void a_peer_without_a_ring_joins_over_the_bootstrap_node(void **state)
{
    (void)state;
    static const unsigned other[] = { 120 };
    struct fake *f = fake_ring(100, other, 1);
    const struct reload_node_id bootstrap = place(120);
    f->t->first = false;
    fake_unlink(f, 120);
    fake_forget_records(f);
    fake_run(f, 2000);
    assert_int_equal(f->bootstrap_count, 1);
    assert_true(reload_chord_ops.responsible(f->t, reload_node_id_slice(&bootstrap)));
    reload_chord_ops.bootstrap(f->t, &bootstrap, (struct reload_time){ f->now_ms, 0 });
    assert_int_equal(f->attach_count, 1);
    assert_true(f->attaches[0].to_resource);
    assert_true(f->attaches[0].has_via);
    assert_true(reload_node_id_equal(&f->attaches[0].via, &bootstrap));
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_neighbour_is_replaced_from_the_routing_table_and_the_others_told),
        cmocka_unit_test(a_lost_predecessor_is_told_to_the_whole_connection_table),
        cmocka_unit_test(a_peer_that_answers_no_update_has_failed),
        cmocka_unit_test(a_suspect_link_is_routed_around_until_it_recovers),
        cmocka_unit_test(a_lost_neighbour_comes_back_with_its_link_and_update),
        cmocka_unit_test(a_peer_without_a_ring_joins_over_the_bootstrap_node),
        cmocka_unit_test(each_node_that_could_not_be_attached_is_tried_again),
        cmocka_unit_test(a_lost_finger_is_searched_for_by_a_ping_into_its_range),
        cmocka_unit_test(without_any_peer_left_it_joins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
