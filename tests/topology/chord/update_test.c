#include "tests/topology/chord/fake.h"

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180 };

static struct fake *peer(void) /* 100, four on each side */
{
    return fake_ring(100, others, 8);
}

static const struct reload_chord_lists *lists(const struct fake *f)
{
    return &f->t->tables.lists;
}

/* R6940-4.4-2 R6940-10.7-5 R6940-6.5.1-2 */
static void a_linked_node_enters_the_tables_with_its_first_update(void **state)
{
    (void)state;
    struct fake *f = peer();
    struct reload_node_id next, id = place(115);
    fake_link(f, 110);
    assert_true(reload_chord_id_equal(lists(f)->successors[0], ring_id(120)));
    assert_true(reload_chord_ops.next_hop(f->t, reload_node_id_slice(&id), &next));
    assert_int_equal(next.bytes[0], 120);
    assert_int_equal(fake_update(f, 110, NULL, NULL), 0);
    assert_true(reload_chord_id_equal(lists(f)->successors[0], ring_id(110)));
    assert_true(reload_chord_ops.next_hop(f->t, reload_node_id_slice(&id), &next));
    assert_int_equal(next.bytes[0], 110);
    fake_free(f);
}

/* An Update from a node without a link changes nothing and starts nothing. */
static void an_update_of_a_stranger_has_no_effect(void **state)
{
    (void)state;
    static const unsigned list[] = { 90, 95, 0 };
    struct fake *f = peer();
    assert_int_equal(fake_update(f, 110, list, list), 0);
    assert_int_equal(f->attach_count, 0);
    assert_null(reload_chord_tables_find(&f->t->tables, ring_id(110)));
    fake_free(f);
}

static const struct fake_request *update_to(const struct fake *f, unsigned id)
{
    struct reload_node_id to = place(id);
    for (size_t i = f->request_count; i-- > 0;)
        if (f->requests[i].code == RELOAD_UPDATE_REQ &&
            reload_node_id_equal(&f->requests[i].to, &to))
            return &f->requests[i];
    fail_msg("no Update to %u", id);
    return NULL;
}

/* R6940-10.7.1-1, R6940-4.2.1-1: a peer that does not answer is lost; a client that takes Updates
 * in silence keeps its link. */
static void only_of_a_peer_an_answer_to_an_update_is_demanded(void **state)
{
    (void)state;
    static const unsigned list[] = { 120, 0 };
    struct fake *f = peer();
    fake_link(f, 110);
    fake_run(f, 1000);
    fake_answer(f, update_to(f, 110)->cookie, RELOAD_E_TIMEOUT, 0);
    assert_int_equal(f->disconnect_count, 0);
    assert_non_null(reload_chord_tables_find(&f->t->tables, ring_id(110)));
    assert_int_equal(fake_update(f, 110, list, list), 0); /* now it is a peer */
    fake_run(f, 1000);
    fake_answer(f, update_to(f, 110)->cookie, RELOAD_E_TIMEOUT, 0);
    assert_int_equal(f->disconnect_count, 1);
    assert_int_equal(f->disconnects[0].bytes[0], 110);
    fake_free(f);
}

/* R6940-10.7.3-1 R6940-10.7.3-2 R6940-10.6-1 */
static void closer_unknown_peers_are_attached_through_the_one_that_told(void **state)
{
    (void)state;
    static const unsigned before[] = { 110, 105, 0 }, after[] = { 130, 0 };
    struct fake *f = peer();
    struct reload_node_id via = place(120);
    assert_int_equal(fake_update(f, 120, before, after), 0);
    assert_int_equal(f->attach_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_false(f->attaches[i].to_resource);
        assert_true(f->attaches[i].has_via && reload_node_id_equal(&f->attaches[i].via, &via));
    }
    assert_int_equal(fake_update(f, 120, before, after), 0);
    assert_int_equal(f->attach_count, 3); /* once each */
    fake_free(f);
}

/* R6940-10.7.3-1 */
static void known_and_farther_peers_start_nothing(void **state)
{
    (void)state;
    static const unsigned before[] = { 100, 80, 60, 0 }, after[] = { 140, 160, 200, 240, 10, 0 };
    struct fake *f = peer();
    assert_int_equal(fake_update(f, 120, before, after), 0);
    assert_int_equal(f->attach_count, 0);
    fake_free(f);
}

/* R6940-10.7.3-3 R6940-10.7-7: all of the Connection Table, by type. */
static void a_changed_table_is_told_to_every_connection(void **state)
{
    (void)state;
    struct fake *f = peer();
    fake_link(f, 230); /* a client: never an Update from it */
    fake_run(f, 1000);
    fake_forget_records(f);
    fake_link(f, 110);
    fake_run(f, 1);
    fake_forget_records(f);
    assert_int_equal(fake_update(f, 110, NULL, NULL), 0);
    fake_run(f, 1000);
    assert_int_equal(f->request_count, 10);
    for (size_t i = 0; i < f->request_count; i++) {
        struct reload_chord_update u;
        const struct fake_request *r = &f->requests[i];
        assert_int_equal(reload_chord_update_decode(reload_slice_of(r->body, r->len), 16, &u), 0);
        unsigned to = r->to.bytes[0]; /* 160 was pushed out of the successor list */
        bool farther = to == 160 || to == 180 || to == 20;
        assert_int_equal(u.type,
                         farther ? RELOAD_CHORD_UPDATE_PEER_READY : RELOAD_CHORD_UPDATE_NEIGHBORS);
        if (!farther)
            assert_memory_equal(u.successors.p, place(110).bytes, 16);
    }
    fake_free(f);
}

/* R6940-6.4.1-3: a predecessor that takes part of the own range. */
static void a_changed_own_range_is_told_to_the_whole_connection_table(void **state)
{
    (void)state;
    struct fake *f = peer();
    fake_link(f, 90);
    fake_run(f, 1000);
    fake_forget_records(f);
    assert_int_equal(fake_update(f, 90, NULL, NULL), 0);
    fake_run(f, 1000);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 90), 1);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, others[i]), 1);
    fake_free(f);
}

/* Simultaneous changes share one Update (docs/protocol.md). */
static void many_changes_at_once_are_told_once(void **state)
{
    (void)state;
    struct fake *f = peer();
    for (unsigned id = 101; id < 111; id++)
        fake_link(f, id);
    fake_run(f, 1);
    fake_forget_records(f);
    for (unsigned id = 101; id < 111; id++)
        assert_int_equal(fake_update(f, id, NULL, NULL), 0);
    fake_run(f, 1000);
    assert_int_equal(f->request_count, 18);
    fake_free(f);
}

/* R6940-10.7-1 */
static void malformed_updates_are_refused_at_every_length(void **state)
{
    (void)state;
    struct fake *f = peer();
    uint8_t body[200], list[32];
    memcpy(list, place(101).bytes, 16);
    memcpy(list + 16, place(102).bytes, 16);
    struct reload_chord_update u = {
        1, RELOAD_CHORD_UPDATE_FULL, { list, 32 }, { list, 16 }, { list, 32 }
    };
    struct reload_writer w = reload_writer_of(body, sizeof body);
    assert_int_equal(reload_chord_update_encode(&w, &u), 0);
    for (size_t n = 0; n < w.len; n++)
        assert_int_equal(fake_handle(f, RELOAD_UPDATE_REQ, 120, reload_slice_of(body, n)),
                         RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(f->attach_count, 0);
    body[w.len] = 0;
    assert_int_equal(fake_handle(f, RELOAD_UPDATE_REQ, 120, reload_slice_of(body, w.len + 1)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(fake_handle(f, RELOAD_UPDATE_REQ, 120, reload_slice_of(body, w.len)), 0);
    for (size_t bit = 0; bit < 8 * w.len; bit++) { /* whatever comes: no crash, no growth */
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        (void)fake_handle(f, RELOAD_UPDATE_REQ, 120, reload_slice_of(body, w.len));
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(f->t->candidate_count <= RELOAD_CHORD_CANDIDATES_MAX);
    fake_free(f);
}

/* Thousands of ids, self, the wildcard, repetitions: RELOAD_CHORD_CANDIDATES_MAX and _SHUNNED_MAX.
 */
static void a_hostile_list_costs_a_bounded_number_of_attaches(void **state)
{
    (void)state;
    enum { IDS = 4000 };
    static uint8_t ids[IDS * 16], body[2 * IDS * 16 + 16];
    struct fake *f = peer();
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < IDS; i++) {
            struct reload_node_id id = place(i & 1 ? 100 : 99);
            id.bytes[14] = (uint8_t)(i >> 8);
            id.bytes[15] = (uint8_t)(i | 1);
            id.bytes[1] = (uint8_t)round;
            if (i % 7 == 0)
                id = place(100);
            if (i % 7 == 1)
                id = reload_node_id_wildcard(16);
            memcpy(ids + i * 16, id.bytes, 16);
        }
        struct reload_chord_update u = { 1,
                                         RELOAD_CHORD_UPDATE_NEIGHBORS,
                                         { ids, sizeof ids - 16 },
                                         { ids, sizeof ids - 16 },
                                         { 0 } };
        struct reload_writer w = reload_writer_of(body, sizeof body);
        assert_int_equal(reload_chord_update_encode(&w, &u), 0);
        assert_int_equal(fake_handle(f, RELOAD_UPDATE_REQ, 120, reload_writer_slice(&w)), 0);
        assert_true(f->t->candidate_count <= RELOAD_CHORD_CANDIDATES_MAX);
        assert_true(f->t->shunned_count <= RELOAD_CHORD_SHUNNED_MAX);
    }
    assert_true(f->attach_count <= RELOAD_CHORD_CANDIDATES_PER_PEER);
    for (size_t i = 0; i < f->attach_count; i++) {
        assert_false(reload_node_id_equal(&f->attaches[i].to, &f->host.self));
        assert_false(reload_node_id_is_wildcard(&f->attaches[i].to));
    }
    assert_false(reload_chord_lists_hold(lists(f), ring_id(100)));
    fake_free(f);
}

/* An Attach that fails is not repeated at once, though Updates go on naming the peer. */
static void a_peer_that_cannot_be_attached_is_left_alone_for_a_while(void **state)
{
    (void)state;
    static const unsigned before[] = { 110, 0 }, after[] = { 140, 0 };
    struct fake *f = peer();
    assert_int_equal(fake_update(f, 120, before, after), 0);
    fake_attached(f, 0, RELOAD_E_TIMEOUT, 0);
    assert_int_equal(fake_update(f, 120, before, after), 0);
    assert_int_equal(fake_attached_to(f, 110), 1);
    fake_run(f, RELOAD_CHORD_SHUN_MS + 1);
    assert_int_equal(fake_attached_to(f, 110), 2); /* then again, of itself */
    fake_attached(f, 1, RELOAD_E_TIMEOUT, 0);
    fake_run(f, RELOAD_CHORD_SHUN_MS + 1);
    assert_int_equal(fake_attached_to(f, 110), 2); /* more slowly */
    fake_free(f);
}

/* R6940-6.4.2.3-1 R6940-10.7-2 R6940-10.7-3 R6940-10.7-7 */
static void who_asked_with_send_update_gets_a_full_one_with_ascending_fingers(void **state)
{
    (void)state;
    struct fake *f = peer();
    struct reload_node_id id = place(200);
    fake_link(f, 200);
    reload_chord_ops.update_wanted(f->t, &id, (struct reload_time){ f->now_ms, 0 });
    fake_run(f, 1);
    assert_int_equal(f->request_count, 1);
    struct reload_chord_update u;
    assert_int_equal(reload_chord_update_decode(
                         reload_slice_of(f->requests[0].body, f->requests[0].len), 16, &u),
                     0);
    assert_int_equal(u.type, RELOAD_CHORD_UPDATE_FULL);
    assert_int_equal(u.uptime_s, 100);
    assert_int_equal(u.predecessors.n, 48);
    assert_true(u.fingers.n >= 32);
    for (size_t i = 16; i < u.fingers.n; i += 16)
        assert_true(memcmp(u.fingers.p + i - 16, u.fingers.p + i, 16) < 0);
    fake_free(f);
}

/* R6940-10.7.3-8 R6940-6.4.2.3-2: no Join made it the predecessor, so its data goes to it now. */
static void a_predecessor_that_appears_is_given_what_it_owns(void **state)
{
    (void)state;
    struct fake *f = peer();
    fake_link(f, 90);
    assert_int_equal(fake_update(f, 90, NULL, NULL), 0);
    struct reload_node_id after = place(80), it = place(90);
    assert_int_equal(f->push_count, 1);
    assert_true(reload_node_id_equal(&f->pushes[0].after, &after));
    assert_true(reload_node_id_equal(&f->pushes[0].up_to, &it));
    assert_int_equal(f->pushes[0].target.len, 0); /* routed: it need not be the owner of all */
    assert_int_not_equal(f->pushes[0].number, 0);
    fake_free(f);
}

/* R6940-4.2.1-1 */
static void a_client_follows_the_updates_of_its_own_peer_only(void **state)
{
    (void)state;
    static const unsigned still[] = { 30, 0 }, gone[] = { 55, 0 }, none[] = { 0 };
    struct fake *f = fake_new(50, RELOAD_ROLE_CLIENT);
    struct reload_time now = { f->now_ms, 0 };
    struct reload_node_id bootstrap = place(200);
    reload_chord_ops.join(f->t, false, now);
    fake_link(f, 200);
    reload_chord_ops.bootstrap(f->t, &bootstrap, now);
    fake_link(f, 80);
    fake_attached(f, 0, 0, 80);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_JOINED);
    assert_int_equal(fake_update(f, 80, still, none), 0);
    assert_int_equal(fake_update(f, 200, gone, none), 0);
    assert_int_equal(f->attach_count, 1);
    assert_int_equal(fake_update(f, 80, gone, none), 0);
    assert_int_equal(f->attach_count, 2);
    assert_int_equal(f->request_count, 0);
    struct reload_node_id own = place(50);
    assert_false(reload_chord_ops.responsible(f->t, reload_node_id_slice(&own)));
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linked_node_enters_the_tables_with_its_first_update),
        cmocka_unit_test(an_update_of_a_stranger_has_no_effect),
        cmocka_unit_test(only_of_a_peer_an_answer_to_an_update_is_demanded),
        cmocka_unit_test(closer_unknown_peers_are_attached_through_the_one_that_told),
        cmocka_unit_test(known_and_farther_peers_start_nothing),
        cmocka_unit_test(a_changed_table_is_told_to_every_connection),
        cmocka_unit_test(a_changed_own_range_is_told_to_the_whole_connection_table),
        cmocka_unit_test(many_changes_at_once_are_told_once),
        cmocka_unit_test(malformed_updates_are_refused_at_every_length),
        cmocka_unit_test(a_hostile_list_costs_a_bounded_number_of_attaches),
        cmocka_unit_test(a_peer_that_cannot_be_attached_is_left_alone_for_a_while),
        cmocka_unit_test(who_asked_with_send_update_gets_a_full_one_with_ascending_fingers),
        cmocka_unit_test(a_predecessor_that_appears_is_given_what_it_owns),
        cmocka_unit_test(a_client_follows_the_updates_of_its_own_peer_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
