/* Whether a silent neighbour is gone: RFC 6940 s10.7.1, "as determined by connectivity pings or the
 * failure of some request". */
#include "tests/topology/chord/fake.h"

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180, 200 };

static struct fake *peer(void) /* 100; 20 and 200 are no neighbours */
{
    return fake_ring(100, others, 9);
}

static void suspect(struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    reload_chord_ops.link_down(f->t, &node_id, true, (struct reload_time){ f->now_ms, 0 });
}

/* The last Ping to that node; NULL: none. */
static const struct fake_request *pinged(const struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    for (size_t i = f->request_count; i > 0; i--)
        if (f->requests[i - 1].code == RELOAD_PING_REQ &&
            reload_node_id_equal(&f->requests[i - 1].to, &node_id))
            return &f->requests[i - 1];
    return NULL;
}

static bool neighbour(const struct fake *f, unsigned id)
{
    return reload_chord_lists_hold(&f->t->tables.lists, ring_id(id));
}

static bool owns(const struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    return reload_chord_ops.responsible(f->t, reload_node_id_slice(&node_id));
}

/* R6940-10.7.1-1 R6940-10.7.1-2 R6940-10.7.1-4: it leaves the Neighbor Table, its range is ours,
 * and everybody is told. */
static void a_suspect_neighbour_that_no_other_way_reaches_is_gone(void **state)
{
    (void)state;
    struct fake *f = peer();
    suspect(f, 80);
    const struct fake_request *ping = pinged(f, 80);
    assert_non_null(ping);
    assert_true(ping->has_via && !ping->to_resource);
    assert_int_equal(ping->via.bytes[0], 60); /* next to it, on the far side */
    fake_run(f, 500);
    assert_true(neighbour(f, 80));
    assert_false(owns(f, 70));
    fake_run(f, 1000);
    assert_false(neighbour(f, 80));
    assert_true(owns(f, 70));
    assert_false(owns(f, 60));
    assert_int_equal(f->disconnect_count, 0); /* it may come back */
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 200), 1);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 120), 1);
    fake_free(f);
}

/* Until its link is given up it may live, and hold what is not here. */
static void a_range_won_from_a_silent_peer_is_not_certain(void **state)
{
    (void)state;
    struct fake *f = peer();
    struct reload_node_id won = place(70), own = place(90);
    suspect(f, 80);
    fake_run(f, 1000);
    assert_true(owns(f, 70));
    assert_false(reload_chord_ops.certain(f->t, reload_node_id_slice(&won)));
    assert_true(reload_chord_ops.certain(f->t, reload_node_id_slice(&own)));
    fake_unlink(f, 80);
    assert_true(owns(f, 70));
    assert_true(reload_chord_ops.certain(f->t, reload_node_id_slice(&won)));
    fake_free(f);
}

/* R6940-10.7.1-5: "returned to the Neighbor Table once connectivity is reestablished", and what was
 * stored for its range meanwhile is handed over (s6.4.2.3). */
static void a_neighbour_taken_as_gone_comes_back_with_its_acks(void **state)
{
    (void)state;
    struct fake *f = peer();
    suspect(f, 80);
    fake_run(f, 1000);
    assert_true(owns(f, 70));
    fake_forget_records(f);
    fake_link(f, 80);
    assert_true(neighbour(f, 80));
    assert_false(owns(f, 70));
    fake_run(f, 1000);
    size_t handed = 0;
    for (size_t i = 0; i < f->push_count; i++)
        handed += f->pushes[i].target.len == 0 && f->pushes[i].after.bytes[0] == 60 &&
                  f->pushes[i].up_to.bytes[0] == 80;
    assert_int_equal(handed, 1);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 80), 1);
    fake_free(f);
}

/* The same when what it sends is the sign of life, by whatever way. */
static void a_late_answer_brings_it_back_too(void **state)
{
    (void)state;
    static const unsigned none[] = { 0 };
    struct fake *f = peer();
    suspect(f, 80);
    uint32_t cookie = pinged(f, 80)->cookie;
    fake_run(f, 1000);
    assert_false(neighbour(f, 80));
    fake_answer(f, cookie, 0, 80);
    assert_true(neighbour(f, 80));
    suspect(f, 140);
    fake_run(f, 1000);
    assert_false(neighbour(f, 140));
    assert_int_equal(fake_update(f, 140, none, none), 0);
    assert_true(neighbour(f, 140));
    fake_free(f);
}

/* One that answers another way stays; only its link is not used. That carries nothing then, so a
 * Ping goes over it: acks or their absence decide. */
static void a_suspect_neighbour_that_answers_another_way_stays(void **state)
{
    (void)state;
    struct fake *f = peer();
    suspect(f, 80);
    size_t before = f->request_count;
    fake_answer(f, pinged(f, 80)->cookie, 0, 80);
    assert_int_equal(fake_sent(f, before, RELOAD_PING_REQ, 80), 1);
    assert_false(f->requests[before].has_via);
    fake_run(f, 10000);
    assert_true(neighbour(f, 80));
    assert_false(owns(f, 70));
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 120), 0);
    fake_free(f);
}

static void a_link_that_recovers_in_time_ends_the_check(void **state)
{
    (void)state;
    struct fake *f = peer();
    suspect(f, 80);
    uint32_t cookie = pinged(f, 80)->cookie;
    fake_run(f, 300);
    fake_link(f, 80);
    fake_run(f, 10000);
    assert_true(neighbour(f, 80));
    fake_answer(f, cookie, RELOAD_E_TIMEOUT, 0); /* of a check that is over */
    assert_true(neighbour(f, 80));
    assert_int_equal(f->disconnect_count, 0);
    fake_free(f);
}

/* Alone with it, nobody can be asked, and the link decides. */
static void with_nobody_else_left_the_link_decides(void **state)
{
    (void)state;
    static const unsigned two[] = { 20, 120 };
    struct fake *f = fake_ring(100, two, 2);
    suspect(f, 20);
    assert_int_equal(pinged(f, 20)->via.bytes[0], 120);
    suspect(f, 120);
    assert_null(pinged(f, 120));
    fake_run(f, 5000);
    assert_false(neighbour(f, 20));
    assert_true(neighbour(f, 120));
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    fake_free(f);
}

/* It must not come in as the best match for another that is lost, s10.7.1. */
static void a_suspect_that_is_no_neighbour_is_checked_as_well(void **state)
{
    (void)state;
    struct fake *f = peer();
    suspect(f, 20);
    fake_run(f, 1000);
    fake_unlink(f, 40);
    assert_false(neighbour(f, 20));
    assert_true(neighbour(f, 200));
    fake_free(f);
}

/* Lists end with 0. */
static void told(struct fake *f, unsigned from, const unsigned *before, const unsigned *after)
{
    assert_int_equal(fake_update(f, from, before, after), 0);
}

static const unsigned before_60[] = { 40, 20, 0 }, after_60[] = { 80, 100, 120, 0 },
                      without_80[] = { 100, 120, 140, 0 }, pushed_out[] = { 70, 75, 78, 0 };

/* An idle link does not tell. What a neighbour does without is asked over it, and silence makes two
 * signs. */
static void a_neighbour_that_another_dropped_is_asked(void **state)
{
    (void)state;
    struct fake *f = peer();
    told(f, 60, before_60, after_60);
    assert_null(pinged(f, 80));
    told(f, 60, before_60, without_80);
    assert_non_null(pinged(f, 80));
    assert_false(pinged(f, 80)->has_via);
    told(f, 60, before_60, without_80); /* once */
    assert_int_equal(fake_sent(f, 0, RELOAD_PING_REQ, 80), 1);
    fake_run(f, 1000);
    assert_false(neighbour(f, 80));
    assert_true(owns(f, 70));
    fake_free(f);
}

/* A peer that says so of one who answers changes nothing. */
static void a_neighbour_that_was_dropped_and_answers_stays(void **state)
{
    (void)state;
    struct fake *f = peer();
    told(f, 60, before_60, after_60);
    told(f, 60, before_60, without_80);
    fake_answer(f, pinged(f, 80)->cookie, 0, 80);
    fake_run(f, 10000);
    assert_true(neighbour(f, 80));
    assert_false(owns(f, 70));
    fake_free(f);
}

/* Nor does a list that nearer ones fill, or that never held it. */
static void a_neighbour_beyond_the_reach_of_a_list_was_not_dropped(void **state)
{
    (void)state;
    struct fake *f = peer();
    told(f, 60, before_60, after_60);
    told(f, 60, before_60, pushed_out);
    assert_null(pinged(f, 80));
    assert_null(pinged(f, 120));
    told(f, 120, without_80, without_80);
    assert_null(pinged(f, 80));
    fake_free(f);
}

/* R6940-10.7.1-1: acks but no answer, five times over. */
static void a_neighbour_that_acknowledges_and_never_answers_has_failed(void **state)
{
    (void)state;
    struct fake *f = peer();
    told(f, 60, before_60, after_60);
    told(f, 60, before_60, without_80);
    fake_answer(f, pinged(f, 80)->cookie, RELOAD_E_TIMEOUT, 0);
    assert_int_equal(f->disconnect_count, 1);
    assert_int_equal(f->disconnects[0].bytes[0], 80);
    fake_free(f);
}

/* s6.3.4: it was answered for. The requests that were are asked again when it is gone. */
static void a_neighbour_that_another_answers_for_is_asked(void **state)
{
    (void)state;
    struct fake *f = peer();
    struct reload_node_id it = place(80);
    reload_chord_ops.doubted(f->t, &it, (struct reload_time){ f->now_ms, 0 });
    assert_false(pinged(f, 80)->has_via);
    fake_run(f, 500);
    assert_int_equal(f->lost_count, 0);
    fake_run(f, 500);
    assert_false(neighbour(f, 80));
    assert_int_equal(f->lost_count, 1);
    fake_free(f);
}

/* s10.3: what comes back from the predecessor's side goes to the owner itself, as long as its link
 * is good; and the owner is asked whether it lives. */
static void what_came_round_an_owner_is_given_to_it(void **state)
{
    (void)state;
    struct fake *f = peer();
    struct reload_time now = { f->now_ms, 0 };
    struct reload_node_id k = place(70), from = place(60), next = { 0 };
    struct reload_slice id = reload_node_id_slice(&k);
    assert_true(reload_chord_ops.next_hop(f->t, id, &next));
    assert_int_equal(next.bytes[0], 60);
    assert_true(reload_chord_ops.other_hop(f->t, id, &from, &next, now));
    assert_int_equal(next.bytes[0], 80);
    assert_false(pinged(f, 80)->has_via);
    fake_answer(f, pinged(f, 80)->cookie, 0, 80);
    suspect(f, 80);
    assert_false(reload_chord_ops.other_hop(f->t, id, &from, &next, now));
    fake_run(f, 1000);
    assert_true(owns(f, 70));
    fake_free(f);
}

static bool retreats(const struct fake *f, unsigned k, unsigned from, unsigned next)
{
    struct reload_node_id id = place(k), sender = place(from), hop = place(next);
    return reload_chord_ops.retreats(f->t, reload_node_id_slice(&id), &sender, &hop);
}

/* s10.3: each peer is nearer to k than the one before it. */
static void a_hop_behind_the_sender_is_no_step_forward(void **state)
{
    (void)state;
    struct fake *f = peer();
    assert_true(retreats(f, 70, 60, 40)); /* past 70, which 60 goes round */
    assert_true(retreats(f, 70, 60, 200));
    assert_false(retreats(f, 70, 60, 80)); /* the owner */
    assert_false(retreats(f, 70, 40, 60));
    assert_false(retreats(f, 150, 80, 140));
    assert_false(retreats(f, 70, 65, 40)); /* a client */
    fake_free(f);
}

static bool undecided(const struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    return reload_chord_ops.undecided(f->t, reload_node_id_slice(&node_id));
}

/* What is for its range waits at its heir, and where it would be sent to it: not where it goes
 * round it, which tells the heir, and not for what is another's. */
static void what_is_for_a_neighbour_that_is_checked_waits(void **state)
{
    (void)state;
    struct fake *f = peer();
    struct reload_node_id heirs = place(80), next = place(120);
    struct reload_time now = { f->now_ms, 0 };
    assert_false(undecided(f, 70));
    reload_chord_ops.doubted(f->t, &heirs, now);
    reload_chord_ops.doubted(f->t, &next, now);
    assert_true(undecided(f, 70));
    assert_true(undecided(f, 110));
    assert_false(undecided(f, 50));
    assert_false(undecided(f, 130));
    assert_false(undecided(f, 90)); /* its own */
    suspect(f, 120);
    assert_false(undecided(f, 110));
    fake_answer(f, pinged(f, 80)->cookie, 0, 80);
    assert_false(undecided(f, 70));
    suspect(f, 80);
    assert_true(undecided(f, 70));
    fake_run(f, 1000);
    assert_false(undecided(f, 70));
    assert_true(owns(f, 70));
    fake_free(f);
}

/* --- a client and the one peer it has (s4.2.1) --- */

static void bootstrap(struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    fake_link(f, id);
    reload_chord_ops.bootstrap(f->t, &node_id, (struct reload_time){ f->now_ms, 0 });
}

static struct fake *client(void) /* 50, linked to 80, and to 200 for bootstrapping */
{
    struct fake *f = fake_new(50, RELOAD_ROLE_CLIENT);
    reload_chord_ops.join(f->t, false, (struct reload_time){ f->now_ms, 0 });
    bootstrap(f, 200);
    fake_link(f, 80);
    fake_attached(f, 0, 0, 80);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    fake_forget_records(f);
    return f;
}

static unsigned next_hop(const struct fake *f)
{
    struct reload_node_id k = place(10), next = { 0 };
    assert_true(reload_chord_ops.next_hop(f->t, reload_node_id_slice(&k), &next));
    return next.bytes[0];
}

/* R6940-4.2.1-1 */
static void a_client_whose_peer_is_silent_goes_to_another(void **state)
{
    (void)state;
    struct fake *f = client();
    assert_int_equal(next_hop(f), 80);
    suspect(f, 80);
    assert_int_equal(pinged(f, 80)->via.bytes[0], 200);
    assert_int_equal(next_hop(f), 200);
    fake_run(f, 1000);
    assert_int_equal(f->disconnect_count, 1);
    assert_int_equal(f->disconnects[0].bytes[0], 80);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINING);
    fake_run(f, 1000);
    assert_int_equal(f->bootstrap_count, 1);
    fake_free(f);
}

static void a_client_whose_peer_answers_another_way_stays_with_it(void **state)
{
    (void)state;
    struct fake *f = client();
    suspect(f, 80);
    fake_answer(f, pinged(f, 80)->cookie, 0, 80);
    fake_run(f, 5000);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    assert_int_equal(f->disconnect_count, 0);
    fake_link(f, 80);
    assert_int_equal(next_hop(f), 80);
    fake_free(f);
}

static void a_client_without_another_way_looks_for_one(void **state)
{
    (void)state;
    struct fake *f = client();
    fake_unlink(f, 200);
    suspect(f, 80);
    assert_null(pinged(f, 80));
    assert_int_equal(f->bootstrap_count, 1);
    assert_int_equal(next_hop(f), 80);
    bootstrap(f, 210);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    assert_int_equal(pinged(f, 80)->via.bytes[0], 210);
    fake_run(f, 1000);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINING);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suspect_neighbour_that_no_other_way_reaches_is_gone),
        cmocka_unit_test(a_range_won_from_a_silent_peer_is_not_certain),
        cmocka_unit_test(a_neighbour_taken_as_gone_comes_back_with_its_acks),
        cmocka_unit_test(a_late_answer_brings_it_back_too),
        cmocka_unit_test(a_suspect_neighbour_that_answers_another_way_stays),
        cmocka_unit_test(a_link_that_recovers_in_time_ends_the_check),
        cmocka_unit_test(with_nobody_else_left_the_link_decides),
        cmocka_unit_test(a_suspect_that_is_no_neighbour_is_checked_as_well),
        cmocka_unit_test(a_neighbour_that_another_dropped_is_asked),
        cmocka_unit_test(a_neighbour_that_was_dropped_and_answers_stays),
        cmocka_unit_test(a_neighbour_beyond_the_reach_of_a_list_was_not_dropped),
        cmocka_unit_test(a_neighbour_that_acknowledges_and_never_answers_has_failed),
        cmocka_unit_test(a_neighbour_that_another_answers_for_is_asked),
        cmocka_unit_test(what_came_round_an_owner_is_given_to_it),
        cmocka_unit_test(a_hop_behind_the_sender_is_no_step_forward),
        cmocka_unit_test(what_is_for_a_neighbour_that_is_checked_waits),
        cmocka_unit_test(a_client_whose_peer_is_silent_goes_to_another),
        cmocka_unit_test(a_client_whose_peer_answers_another_way_stays_with_it),
        cmocka_unit_test(a_client_without_another_way_looks_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
