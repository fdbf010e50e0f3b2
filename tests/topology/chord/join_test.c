#include "tests/topology/chord/fake.h"

enum { NONE = RELOAD_CHORD_STATE_COUNT };
#define S(name) RELOAD_CHORD_##name

/* The machine as s10.5 has it, written down a second time: what each event does in each state.
 * Everything that is not here changes nothing. */
static const struct {
    enum reload_chord_state from;
    enum reload_chord_event event;
    enum reload_chord_state to;
} moves[] = {
    { S(IDLE), S(START), S(BOOTSTRAP) },
    { S(IDLE), S(START_FIRST), S(JOINED) },
    { S(IDLE), S(LEAVE), S(LEFT) },
    { S(BOOTSTRAP), S(LINKED), S(FIND_AP) },
    { S(BOOTSTRAP), S(UNLINKED), S(WAIT) },
    { S(BOOTSTRAP), S(ADMITTED), S(INTRODUCE) },
    { S(BOOTSTRAP), S(REUNITED), S(JOINED) },
    { S(BOOTSTRAP), S(TIMEOUT), S(WAIT) },
    { S(BOOTSTRAP), S(LEAVE), S(LEFT) },
    { S(FIND_AP), S(AP_ATTACHED), S(LEARN) },
    { S(FIND_AP), S(AP_REFUSED), S(WAIT) },
    { S(FIND_AP), S(ADMITTED), S(INTRODUCE) },
    { S(FIND_AP), S(TIMEOUT), S(WAIT) },
    { S(FIND_AP), S(LEAVE), S(LEFT) },
    { S(LEARN), S(AP_UPDATE), S(CONNECT) },
    { S(LEARN), S(AP_MOVED), S(FIND_AP) },
    { S(LEARN), S(AP_LOST), S(WAIT) },
    { S(LEARN), S(ADMITTED), S(INTRODUCE) },
    { S(LEARN), S(TIMEOUT), S(WAIT) },
    { S(LEARN), S(LEAVE), S(LEFT) },
    { S(CONNECT), S(SETTLED), S(JOIN) },
    { S(CONNECT), S(AP_MOVED), S(FIND_AP) },
    { S(CONNECT), S(AP_LOST), S(WAIT) },
    { S(CONNECT), S(ADMITTED), S(INTRODUCE) },
    { S(CONNECT), S(TIMEOUT), S(JOIN) },
    { S(CONNECT), S(LEAVE), S(LEFT) },
    { S(JOIN), S(JOIN_ANSWERED), S(ACQUIRE) },
    { S(JOIN), S(JOIN_REFUSED), S(WAIT) },
    { S(JOIN), S(ADMITTED), S(INTRODUCE) },
    { S(JOIN), S(AP_MOVED), S(FIND_AP) },
    { S(JOIN), S(AP_LOST), S(WAIT) },
    { S(JOIN), S(TIMEOUT), S(WAIT) },
    { S(JOIN), S(LEAVE), S(LEFT) },
    { S(ACQUIRE), S(ADMITTED), S(INTRODUCE) },
    { S(ACQUIRE), S(AP_UPDATE), S(ACQUIRE) },
    { S(ACQUIRE), S(AP_MOVED), S(FIND_AP) },
    { S(ACQUIRE), S(AP_LOST), S(WAIT) },
    { S(ACQUIRE), S(TIMEOUT), S(WAIT) },
    { S(ACQUIRE), S(LEAVE), S(LEFT) },
    { S(INTRODUCE), S(SETTLED), S(JOINED) },
    { S(INTRODUCE), S(TIMEOUT), S(JOINED) },
    { S(INTRODUCE), S(ISOLATED), S(WAIT) },
    { S(INTRODUCE), S(LEAVE), S(LEAVING) },
    { S(JOINED), S(ISOLATED), S(WAIT) },
    { S(JOINED), S(LEAVE), S(LEAVING) },
    { S(WAIT), S(TIMEOUT), S(BOOTSTRAP) },
    { S(WAIT), S(ADMITTED), S(INTRODUCE) },
    { S(WAIT), S(REUNITED), S(JOINED) },
    { S(WAIT), S(LEAVE), S(LEFT) },
    { S(LEAVING), S(DONE), S(LEFT) },
    { S(LEAVING), S(TIMEOUT), S(LEFT) },
    { S(LEFT), S(START), S(BOOTSTRAP) },
    { S(LEFT), S(START_FIRST), S(JOINED) },
};

static enum reload_chord_state expected(enum reload_chord_state from, enum reload_chord_event event)
{
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        if (moves[i].from == from && moves[i].event == event)
            return moves[i].to;
    return (enum reload_chord_state)NONE;
}

/* R6940-10.5-1 R6940-12-1 */
static void every_cell_of_the_machine_is_as_written_here(void **state)
{
    (void)state;
    for (int s = 0; s < RELOAD_CHORD_STATE_COUNT; s++)
        for (int e = 0; e < RELOAD_CHORD_EVENT_COUNT; e++) {
            enum reload_chord_state is = reload_chord_next_state(
                RELOAD_ROLE_PEER, (enum reload_chord_state)s, (enum reload_chord_event)e);
            if (is != expected((enum reload_chord_state)s, (enum reload_chord_event)e))
                fail_msg("%s, event %d -> %s", reload_chord_state_name((enum reload_chord_state)s),
                         e, reload_chord_state_name(is));
        }
}

/* R6940-4.5.2-2 */
static void no_event_brings_a_client_into_a_joining_state(void **state)
{
    (void)state;
    for (int role = RELOAD_ROLE_CLIENT; role <= RELOAD_ROLE_CLIENT_ANY; role++)
        for (int s = 0; s < RELOAD_CHORD_STATE_COUNT; s++)
            for (int e = 0; e < RELOAD_CHORD_EVENT_COUNT; e++) {
                enum reload_chord_state next = reload_chord_next_state(
                    (enum reload_role)role, (enum reload_chord_state)s, (enum reload_chord_event)e);
                assert_true(next < RELOAD_CHORD_LEARN || next > RELOAD_CHORD_INTRODUCE);
                assert_int_not_equal(next, RELOAD_CHORD_LEAVING);
            }
}

static struct reload_time now(const struct fake *f)
{
    return (struct reload_time){ f->now_ms, 0 };
}

/* The joining node 60 in the ring 20 40 80 100; 80 admits it. Brings it to LEARN. */
static struct fake *linked_to_ap(void)
{
    struct fake *f = fake_new(60, RELOAD_ROLE_PEER);
    reload_chord_ops.join(f->t, false, now(f));
    assert_int_equal(f->bootstrap_count, 1);
    fake_link(f, 100);
    struct reload_node_id bootstrap = place(100);
    reload_chord_ops.bootstrap(f->t, &bootstrap, now(f));
    assert_int_equal(f->attach_count, 1);
    fake_link(f, 80);
    fake_attached(f, 0, 0, 80);
    assert_int_equal(f->t->state, RELOAD_CHORD_LEARN);
    return f;
}

static struct fake *connecting(void)
{
    static const unsigned predecessors[] = { 40, 20, 0 }, successors[] = { 100, 20, 0 };
    struct fake *f = linked_to_ap();
    assert_int_equal(fake_update(f, 80, predecessors, successors), 0);
    return f;
}

static size_t attach_to(const struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    for (size_t i = 0; i < f->attach_count; i++)
        if (!f->attaches[i].to_resource && reload_node_id_equal(&f->attaches[i].to, &node_id))
            return i;
    fail_msg("no Attach to %u", id);
    return 0;
}

static struct fake *joining(void)
{
    struct fake *f = connecting();
    fake_link(f, 40);
    fake_attached(f, attach_to(f, 40), 0, 40);
    fake_link(f, 20);
    fake_attached(f, attach_to(f, 20), 0, 20);
    assert_int_equal(f->t->state, RELOAD_CHORD_JOIN);
    return f;
}

/* R6940-10.7-7: an Admitting Peer that says peer_ready alone is asked for a full Update, once. */
static void an_admitting_peer_without_lists_is_asked_for_them(void **state)
{
    (void)state;
    static const unsigned predecessors[] = { 40, 20, 0 }, successors[] = { 100, 20, 0 };
    struct fake *f = linked_to_ap();
    struct reload_route_query_req req;
    struct reload_node_id next = place(60);
    next.bytes[15] = 1;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fake_update(f, 80, NULL, NULL), 0);
        assert_int_equal(fake_sent(f, 0, RELOAD_ROUTE_QUERY_REQ, 80), 1);
        assert_int_equal(f->t->state, RELOAD_CHORD_LEARN);
    }
    assert_int_equal(reload_route_query_req_decode(
                         reload_slice_of(f->requests[0].body, f->requests[0].len), 16, &req),
                     0);
    assert_true(req.send_update);
    assert_int_equal(req.destination.type, RELOAD_DEST_RESOURCE);
    assert_true(reload_slice_equal(req.destination.id, reload_node_id_slice(&next)));
    fake_answer(f, f->requests[0].cookie, 0, 80);
    assert_int_equal(fake_update(f, 80, predecessors, successors), 0);
    assert_int_equal(f->t->state, RELOAD_CHORD_CONNECT);
    fake_free(f);
}

/* R6940-10.5-2 R6940-11.4-2 R6940-4.4-3 */
static void the_first_attach_goes_to_the_resource_after_its_own_id(void **state)
{
    (void)state;
    struct fake *f = connecting();
    struct reload_node_id next = place(60);
    next.bytes[15] = 1;
    assert_true(f->attaches[0].to_resource && f->attaches[0].send_update);
    assert_true(reload_node_id_equal(&f->attaches[0].to, &next));
    fake_free(f);
}

/* R6940-10.5-3 R6940-10.5-12 R6940-10.6-1 R6940-12-2 */
static void would_be_neighbours_are_attached_through_the_admitting_peer(void **state)
{
    (void)state;
    struct fake *f = connecting();
    struct reload_node_id ap = place(80);
    static const unsigned wanted[] = { 40, 20 }; /* 100 is linked already */
    for (size_t i = 0; i < 2; i++) {
        const struct fake_attach *a = &f->attaches[attach_to(f, wanted[i])];
        assert_true(a->has_via && reload_node_id_equal(&a->via, &ap));
    }
    assert_int_equal(f->attach_count, 3);
    fake_free(f);
}

/* R6940-10.5-16: the Join waits for all of them, and no Update leaves before. R6940-10.5-4: who was
 * reached is in the tables, and nobody else. */
static void the_join_follows_the_last_attach_and_no_update_precedes_it(void **state)
{
    (void)state;
    struct fake *f = connecting();
    fake_link(f, 40);
    fake_attached(f, attach_to(f, 40), 0, 40);
    fake_run(f, 1000);
    assert_int_equal(f->request_count, 0);
    fake_attached(f, attach_to(f, 20), RELOAD_E_TIMEOUT, 0); /* dead: cannot be a neighbour */
    assert_int_equal(f->request_count, 1);
    assert_int_equal(fake_sent(f, 0, RELOAD_JOIN_REQ, 80), 1);
    struct reload_join_req req;
    assert_int_equal(
        reload_join_req_decode(reload_slice_of(f->requests[0].body, f->requests[0].len), 16, &req),
        0);
    assert_true(reload_node_id_equal(&req.joining_peer_id, &f->host.self));
    static const unsigned none[] = { 0 };
    assert_int_equal(fake_update(f, 40, none, none), 0);
    assert_true(reload_chord_lists_hold(&f->t->tables.lists, ring_id(40)));
    assert_null(reload_chord_tables_find(&f->t->tables, ring_id(20)));
    fake_free(f);
}

static void admit(struct fake *f)
{
    static const unsigned predecessors[] = { 60, 40, 20, 0 }, successors[] = { 100, 20, 0 };
    assert_int_equal(fake_update(f, 80, predecessors, successors), 0);
}

static bool owns(const struct fake *f, unsigned id)
{
    struct reload_node_id node_id = place(id);
    return reload_chord_ops.responsible(f->t, reload_node_id_slice(&node_id));
}

/* R6940-10.5-5 R6940-10.5-7 R6940-10.5-11 R6940-11.4-3 */
static void the_range_is_owned_from_the_admitting_peers_update_on(void **state)
{
    (void)state;
    struct fake *f = joining();
    assert_false(owns(f, 60));
    fake_answer(f, f->requests[0].cookie, 0, 80);
    assert_int_equal(f->t->state, RELOAD_CHORD_ACQUIRE);
    assert_false(owns(f, 60));
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINING);
    admit(f);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    assert_true(owns(f, 60) && owns(f, 41));
    assert_false(owns(f, 40)); /* though 40 itself has not sent its Update yet */
    assert_false(owns(f, 61));
    fake_run(f, 1);
    static const unsigned linked[] = { 20, 40, 80, 100 };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, linked[i]), 1);
    fake_free(f);
}

/* R6940-6.4.2.1-6 */
static void a_join_answer_of_another_node_is_discarded(void **state)
{
    (void)state;
    struct fake *f = joining();
    fake_answer(f, f->requests[0].cookie, 0, 100);
    assert_int_equal(f->t->state, RELOAD_CHORD_JOIN);
    fake_answer(f, f->requests[0].cookie + 1, 0, 80);
    assert_int_equal(f->t->state, RELOAD_CHORD_JOIN);
    fake_free(f);
}

/* R6940-6.4.2.1-7: refused, lost or dead: told to the user, tried again, ever more slowly. */
static void each_failure_leads_to_a_new_attempt_later(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct fake *f = joining();
        size_t told = f->state_count;
        if (way == 0)
            fake_answer(f, f->requests[0].cookie, RELOAD_E_FORBIDDEN, 0);
        else if (way == 1)
            fake_unlink(f, 80);
        else
            fake_run(f, 20000);
        assert_int_equal(f->t->state, RELOAD_CHORD_WAIT);
        assert_true(f->state_count > told);
        assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINING);
        fake_run(f, 800);
        assert_int_equal(f->bootstrap_count, 2);
        fake_free(f);
    }
}

/* Many join at one peer: its Update says that another one is the Admitting Peer now. */
static void a_joiner_follows_when_its_admitting_peer_becomes_another(void **state)
{
    (void)state;
    static const unsigned predecessors[] = { 70, 65, 40, 20, 0 }, successors[] = { 100, 0 };
    struct fake *f = joining();
    fake_answer(f, f->requests[0].cookie, 0, 80);
    assert_int_equal(fake_update(f, 80, predecessors, successors), 0);
    assert_int_equal(f->t->state, RELOAD_CHORD_FIND_AP);
    const struct fake_attach *a = &f->attaches[f->attach_count - 1];
    struct reload_node_id nearest = place(65), told = place(80);
    assert_true(!a->to_resource && a->send_update && reload_node_id_equal(&a->to, &nearest));
    assert_true(a->has_via && reload_node_id_equal(&a->via, &told));
    fake_free(f);
}

/* R6940-6.4.2.1-8: only by the explicit flag. */
static void nobody_becomes_the_first_peer_because_none_is_found(void **state)
{
    (void)state;
    struct fake *f = fake_new(60, RELOAD_ROLE_PEER);
    reload_chord_ops.join(f->t, false, now(f));
    for (int i = 0; i < 50; i++) {
        reload_chord_ops.bootstrap(f->t, NULL, now(f));
        fake_run(f, 50000);
        assert_false(owns(f, 60));
        assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINING);
    }
    fake_free(f);
    f = fake_new(60, RELOAD_ROLE_PEER);
    reload_chord_ops.join(f->t, true, now(f));
    assert_true(owns(f, 60) && owns(f, 61) && owns(f, 200));
    assert_int_equal(reload_chord_ops.responsible_ppb(f->t), 1000000000);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_machine_is_as_written_here),
        cmocka_unit_test(no_event_brings_a_client_into_a_joining_state),
        cmocka_unit_test(an_admitting_peer_without_lists_is_asked_for_them),
        cmocka_unit_test(the_first_attach_goes_to_the_resource_after_its_own_id),
        cmocka_unit_test(would_be_neighbours_are_attached_through_the_admitting_peer),
        cmocka_unit_test(the_join_follows_the_last_attach_and_no_update_precedes_it),
        cmocka_unit_test(the_range_is_owned_from_the_admitting_peers_update_on),
        cmocka_unit_test(a_join_answer_of_another_node_is_discarded),
        cmocka_unit_test(each_failure_leads_to_a_new_attempt_later),
        cmocka_unit_test(a_joiner_follows_when_its_admitting_peer_becomes_another),
        cmocka_unit_test(nobody_becomes_the_first_peer_because_none_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
