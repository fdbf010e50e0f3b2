#include "tests/topology/chord/fake.h"

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180, 200 };

static struct fake *peer(uint32_t update_s, uint32_t ping_s)
{
    struct fake *f = fake_new(100, RELOAD_ROLE_PEER);
    f->config.chord_update_interval_s = update_s;
    f->config.chord_ping_interval_s = ping_s;
    reload_chord_ops.join(f->t, true, (struct reload_time){ f->now_ms, 0 });
    for (size_t i = 0; i < 9; i++) {
        fake_link(f, others[i]);
        assert_int_equal(fake_update(f, others[i], NULL, NULL), 0);
    }
    fake_run(f, 60000);
    fake_forget_records(f);
    return f;
}

/* R6940-10.7.4.1-1 R6940-10.7.4.1-2 */
static void every_peer_gets_an_update_each_interval(void **state)
{
    (void)state;
    struct fake *f = peer(100, 100000);
    fake_run(f, 1000000);
    for (size_t i = 0; i < 9; i++) {
        size_t sent = fake_sent(f, 0, RELOAD_UPDATE_REQ, others[i]);
        assert_true(sent >= 7 && sent <= 14);
    }
    fake_free(f);
}

/* R6940-10.7.4.1-3 */
static void periodic_updates_are_spread_over_the_interval(void **state)
{
    (void)state;
    struct fake *f = peer(600, 100000);
    size_t most = 0;
    for (int second = 0; second < 600; second++) {
        fake_forget_records(f);
        fake_run(f, 1000);
        most = f->request_count > most ? f->request_count : most;
    }
    assert_true(most <= 3);
    fake_free(f);
}

static size_t pings(const struct fake *f, unsigned *finger)
{
    size_t count = 0;
    for (size_t i = 0; i < f->request_count; i++) {
        if (f->requests[i].code != RELOAD_PING_REQ)
            continue;
        struct reload_chord_id to = reload_chord_id_of(&f->requests[i].to);
        *finger = reload_chord_finger_of(reload_chord_distance(ring_id(100), to));
        count++;
    }
    return count;
}

/* R6940-10.7.4.2-1 R6940-10.7.4.2-3 R6940-10.7.4.2-6 */
static void invalid_fingers_are_searched_for_lower_ones_more_often(void **state)
{
    (void)state;
    static const unsigned near[] = { 92,  93,  94,  95,  96,  97,  98,  99,
                                     101, 102, 103, 104, 105, 106, 107, 108 };
    size_t hits[129] = { 0 }, all = 0;
    for (unsigned round = 0; round < 40; round++) {
        struct fake *f = fake_ring(100, near, 16); /* entries 2, 3, 4 are invalid */
        f->random_state = round * 77 + 5;
        for (int hour = 0; hour < 20; hour++) {
            unsigned finger = 0;
            fake_forget_records(f);
            fake_run(f, 3600000);
            size_t n = pings(f, &finger);
            assert_true(n <= 2); /* around once an hour */
            hits[finger] += n > 0;
            all += n;
        }
        fake_free(f);
    }
    assert_true(all > 400);
    assert_true(hits[2] > hits[3] && hits[3] > hits[4] && hits[4] > 0);
    assert_int_equal(hits[1], 0); /* valid: 92 lies in it */
    assert_int_equal(hits[6], 0); /* among the successors */
}

/* R6940-10.7.4.2-4 R6940-10.6-2 */
static void who_answers_a_search_is_attached_by_ordinary_routing(void **state)
{
    (void)state;
    static const unsigned near[] = { 92, 94, 96, 98, 102, 104, 106, 108 };
    struct fake *f = fake_ring(100, near, 8);
    fake_run(f, 36000000);
    size_t i = 0;
    while (f->requests[i].code != RELOAD_PING_REQ)
        i++;
    size_t attaches = f->attach_count;
    fake_answer(f, f->requests[i].cookie, 0, 170);
    assert_int_equal(f->attach_count, attaches + 1);
    assert_false(f->attaches[attaches].has_via);
    assert_int_equal(f->attaches[attaches].to.bytes[0], 170);
    fake_free(f);
}

/* R6940-10.5-15 R6940-10.7.4.3-1 R6940-10.7.4.2-5: entry i by an Attach to n + 2^(128-i) and to
 * nothing chosen otherwise, until the own successors. */
static void fingers_are_built_after_joining_up_to_the_own_successors(void **state)
{
    (void)state;
    static const unsigned near[] = { 92, 94, 96, 98, 102, 104, 106, 108 };
    struct fake *f = fake_new(100, RELOAD_ROLE_PEER);
    reload_chord_ops.join(f->t, true, (struct reload_time){ f->now_ms, 0 });
    for (size_t i = 0; i < 8; i++) {
        fake_link(f, near[i]);
        assert_int_equal(fake_update(f, near[i], NULL, NULL), 0);
    }
    fake_run(f, 20000);
    static const unsigned targets[] = { 164, 132, 116 }; /* i = 2, 3, 4; 108 covers i = 5 and on */
    assert_int_equal(f->attach_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(f->attaches[i].to_resource && !f->attaches[i].has_via);
        assert_int_equal(f->attaches[i].to.bytes[0], targets[i]);
    }
    fake_free(f);
}

/* R6940-10.7.4.4-1 R6940-10.7.4.4-2 R6940-10.7.4.4-3 */
static void a_partition_is_looked_for_over_a_bootstrap_node(void **state)
{
    (void)state;
    struct fake *f = peer(100000, 1000);
    struct reload_node_id b = place(200), next = place(100);
    next.bytes[15] = 1;
    fake_run(f, 1600000);
    assert_true(f->bootstrap_count >= 1);
    fake_forget_records(f);
    reload_chord_ops.bootstrap(f->t, &b, (struct reload_time){ f->now_ms, 0 });
    assert_int_equal(f->request_count, 1);
    const struct fake_request ping = f->requests[0];
    assert_int_equal(ping.code, RELOAD_PING_REQ);
    assert_true(ping.to_resource && ping.has_via && reload_node_id_equal(&ping.via, &b));
    assert_true(reload_node_id_equal(&ping.to, &next));
    fake_answer(f, ping.cookie, 0, 120);
    assert_int_equal(f->attach_count, 0); /* our successor: one ring */
    fake_answer(f, ping.cookie, 0, 110);
    assert_int_equal(f->attach_count, 1);
    assert_true(f->attaches[0].has_via && reload_node_id_equal(&f->attaches[0].via, &b));
    fake_link(f, 110);
    fake_run(f, 1);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 110), 1);
    fake_free(f);
}

/* R6940-10.7-6 */
static void the_lists_grow_with_the_logarithm_of_the_overlay(void **state)
{
    (void)state;
    struct fake *f = fake_new(0, RELOAD_ROLE_PEER);
    f->config.chord_update_interval_s = 100;
    reload_chord_ops.join(f->t, true, (struct reload_time){ f->now_ms, 0 });
    for (unsigned id = 1; id < 256; id++) {
        fake_link(f, id);
        assert_int_equal(fake_update(f, id, NULL, NULL), 0);
        if (id % 16 == 0) {
            fake_run(f, 1000);
            fake_forget_records(f);
        }
    }
    assert_int_equal(f->t->tables.lists.successor_count, 3);
    fake_forget_records(f);
    fake_run(f, 149000);
    assert_int_equal(f->t->tables.lists.successor_count, 6);
    assert_int_equal(f->t->tables.lists.predecessor_count, 6);
    fake_free(f);
}

/* A link that we opened and that no table uses is closed, if there are many and the far end does
 * not count on it. R6940-10.7-4: that of a neighbour never is, and a neighbour is a linked node. */
static void links_without_use_are_closed_when_there_are_many(void **state)
{
    (void)state;
    static const unsigned none[] = { 0 };
    struct fake *f = fake_new(0, RELOAD_ROLE_PEER);
    reload_chord_ops.join(f->t, true, (struct reload_time){ f->now_ms, 0 });
    for (unsigned id = 1; id <= 40; id++) {
        fake_link(f, id);
        assert_int_equal(fake_update(f, id, id == 20 ? none : NULL, none), 0);
        struct reload_chord_peer *p = reload_chord_tables_find(&f->t->tables, ring_id(id));
        p->opened = id != 30;
    }
    fake_run(f, 50000);
    assert_int_equal(f->disconnect_count, 0);
    fake_run(f, 50000);
    assert_int_equal(f->disconnect_count, 8);
    const struct reload_chord_lists *lists = &f->t->tables.lists;
    assert_true(lists->successor_count >= 3 && lists->predecessor_count >= 3);
    for (size_t i = 0; i < 8; i++) {
        assert_false(reload_chord_lists_hold(lists, reload_chord_id_of(&f->disconnects[i])));
        assert_int_not_equal(f->disconnects[i].bytes[0], 20); /* counts us as its neighbour */
        assert_int_not_equal(f->disconnects[i].bytes[0], 30); /* its own wish */
    }
    assert_int_equal(f->t->tables.count, RELOAD_CHORD_LINKS_KEPT);
    struct reload_chord_id nearest = lists->successors[0];
    fake_unlink(f, 1);
    assert_true(reload_chord_id_equal(nearest, ring_id(1)));
    assert_false(reload_chord_lists_hold(lists, nearest));
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_peer_gets_an_update_each_interval),
        cmocka_unit_test(periodic_updates_are_spread_over_the_interval),
        cmocka_unit_test(invalid_fingers_are_searched_for_lower_ones_more_often),
        cmocka_unit_test(who_answers_a_search_is_attached_by_ordinary_routing),
        cmocka_unit_test(fingers_are_built_after_joining_up_to_the_own_successors),
        cmocka_unit_test(a_partition_is_looked_for_over_a_bootstrap_node),
        cmocka_unit_test(the_lists_grow_with_the_logarithm_of_the_overlay),
        cmocka_unit_test(links_without_use_are_closed_when_there_are_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
