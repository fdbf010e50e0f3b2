#include "tests/topology/chord/fake.h"

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180 };

static uint16_t leave(struct fake *f, unsigned leaving, unsigned signer, unsigned over, bool direct,
                      const unsigned *list)
{
    uint8_t ids[256], data[300], body[400];
    size_t n = 0;
    for (; list && *list; list++, n += 16)
        memcpy(ids + n, place(*list).bytes, 16);
    struct reload_chord_leave chord = { RELOAD_CHORD_LEAVE_FROM_SUCC, { ids, n } };
    struct reload_writer d = reload_writer_of(data, sizeof data);
    assert_int_equal(reload_chord_leave_encode(&d, &chord), 0);
    struct reload_leave_req req = { place(leaving), reload_writer_slice(&d) };
    struct reload_writer w = reload_writer_of(body, sizeof body);
    assert_int_equal(reload_leave_req_encode(&w, &req), 0);
    return fake_handle_over(f, RELOAD_LEAVE_REQ, signer, over, direct, reload_writer_slice(&w));
}

/* R6940-6.4.2.2-3 R6940-6.4.2.2-4 */
static void a_forged_leave_is_forbidden_and_changes_nothing(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    assert_int_equal(leave(f, 120, 140, 140, true, NULL), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(leave(f, 120, 120, 140, true, NULL), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(leave(f, 120, 120, 120, false, NULL), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(fake_handle(f, RELOAD_LEAVE_REQ, 120, reload_slice_of("x", 1)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_true(reload_chord_lists_hold(&f->t->tables.lists, ring_id(120)));
    assert_int_equal(leave(f, 33, 33, 33, true, NULL), 0); /* a stranger may say so */
    fake_free(f);
}

/* R6940-10.9-2 R6940-6.3.1-1: what is no ChordLeaveData is refused; without any, a Leave is one. */
static void a_leave_with_malformed_data_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        uint8_t data[19];
        size_t n;
        uint16_t code;
    } cases[] = {
        { { RELOAD_CHORD_LEAVE_FROM_SUCC, 0, 15 }, 18, RELOAD_ERROR_INVALID_MESSAGE },
        { { RELOAD_CHORD_LEAVE_FROM_SUCC, 0, 16 }, 18, RELOAD_ERROR_INVALID_MESSAGE },
        { { RELOAD_CHORD_LEAVE_FROM_PRED, 0, 0 }, 4, RELOAD_ERROR_INVALID_MESSAGE },
        { { 0, 0, 0 }, 3, RELOAD_ERROR_INVALID_MESSAGE },
        { { 3, 0, 0 }, 3, RELOAD_ERROR_INVALID_MESSAGE },
        { { 0 }, 0, 0 },
    };
    struct fake *f = fake_ring(100, others, 8);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t body[100];
        struct reload_writer w = reload_writer_of(body, sizeof body);
        struct reload_leave_req req = { place(120), reload_slice_of(cases[i].data, cases[i].n) };
        assert_int_equal(reload_leave_req_encode(&w, &req), 0);
        assert_int_equal(fake_handle(f, RELOAD_LEAVE_REQ, 120, reload_writer_slice(&w)),
                         cases[i].code);
        assert_int_equal(reload_chord_lists_hold(&f->t->tables.lists, ring_id(120)),
                         cases[i].code != 0);
    }
    fake_free(f);
}

/* R6940-10.9-4 R6940-6.4.2.2-5 R6940-10.9-3 */
static void a_leave_is_handled_as_a_failure_with_the_list_as_hint(void **state)
{
    (void)state;
    static const unsigned list[] = { 140, 150, 0 };
    struct fake *f = fake_ring(100, others, 8);
    assert_int_equal(leave(f, 120, 120, 120, true, list), 0);
    assert_false(reload_chord_lists_hold(&f->t->tables.lists, ring_id(120)));
    assert_int_equal(fake_attached_to(f, 150), 1);
    fake_run(f, 1000);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 140), 1);
    fake_free(f);
}

static void pushed(struct fake *f, int error)
{
    reload_chord_ops.pushed(f->t, f->pushes[0].cookie, error, (struct reload_time){ f->now_ms, 0 });
}

/* R6940-10.9-1 R6940-10.9-2 R6940-10.9-3 R6940-6.4.2.2-2 */
static void leaving_hands_the_data_over_and_then_tells_every_peer(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    reload_chord_ops.leave(f->t, (struct reload_time){ f->now_ms, 0 });
    assert_int_equal(f->state, RELOAD_TOPOLOGY_LEAVING);
    assert_int_equal(f->push_count, 1);
    assert_int_equal(f->pushes[0].target.bytes[0], 120);
    assert_int_equal(f->request_count, 0);
    pushed(f, 0);
    assert_int_equal(f->request_count, 8);
    for (size_t i = 0; i < 8; i++) {
        const struct fake_request *r = &f->requests[i];
        struct reload_leave_req req;
        struct reload_chord_leave chord;
        assert_int_equal(r->code, RELOAD_LEAVE_REQ);
        assert_int_equal(reload_leave_req_decode(reload_slice_of(r->body, r->len), 16, &req), 0);
        assert_true(reload_node_id_equal(&req.leaving_peer_id, &f->host.self));
        assert_int_equal(reload_chord_leave_decode(req.overlay_specific_data, 16, &chord), 0);
        bool after = r->to.bytes[0] > 100; /* we are its predecessor */
        assert_int_equal(chord.type,
                         after ? RELOAD_CHORD_LEAVE_FROM_PRED : RELOAD_CHORD_LEAVE_FROM_SUCC);
        assert_memory_equal(chord.neighbors.p, place(after ? 80 : 120).bytes, 16);
    }
    assert_int_equal(f->state, RELOAD_TOPOLOGY_LEAVING);
    assert_false(reload_chord_ops.responsible(f->t, reload_node_id_slice(&f->host.self)));
    for (size_t i = 0; i < 8; i++)
        fake_answer(f, f->requests[i].cookie, i & 1 ? RELOAD_E_TIMEOUT : 0, others[i]);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_LEFT);
    fake_free(f);
}

/* Nobody waits for the answer of a peer that was found to be gone. */
static void a_silent_peer_is_not_told(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    const struct reload_node_id silent = place(120);
    reload_chord_ops.link_down(f->t, &silent, true, (struct reload_time){ f->now_ms, 0 });
    fake_run(f, 1000);
    fake_forget_records(f);
    reload_chord_ops.leave(f->t, (struct reload_time){ f->now_ms, 0 });
    assert_int_equal(f->pushes[0].target.bytes[0], 140);
    pushed(f, 0);
    assert_int_equal(fake_sent(f, 0, RELOAD_LEAVE_REQ, 140), 1);
    assert_int_equal(fake_sent(f, 0, RELOAD_LEAVE_REQ, 120), 0);
    fake_free(f);
}

static void leaving_ends_even_if_nobody_answers(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    reload_chord_ops.leave(f->t, (struct reload_time){ f->now_ms, 0 });
    fake_run(f, 6000);
    assert_int_equal(f->state, RELOAD_TOPOLOGY_LEFT);
    fake_free(f);
    f = fake_ring(100, others, 0);
    reload_chord_ops.leave(f->t, (struct reload_time){ f->now_ms, 0 });
    assert_int_equal(f->state, RELOAD_TOPOLOGY_LEFT); /* alone */
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forged_leave_is_forbidden_and_changes_nothing),
        cmocka_unit_test(a_leave_with_malformed_data_changes_nothing),
        cmocka_unit_test(a_leave_is_handled_as_a_failure_with_the_list_as_hint),
        cmocka_unit_test(leaving_hands_the_data_over_and_then_tells_every_peer),
        cmocka_unit_test(a_silent_peer_is_not_told),
        cmocka_unit_test(leaving_ends_even_if_nobody_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
