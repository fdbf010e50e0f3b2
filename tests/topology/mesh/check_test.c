/* Whether a silent member is gone: RFC 6940 s10.7.1, "as determined by connectivity pings". */
#include "tests/topology/mesh/bench.h"

struct scene { /* the first peer, 100, and members 50, 80, 120; 80 is before 100 */
    struct bench *b;
    uint64_t now_ms;
};

static struct reload_time at(const struct scene *s)
{
    return (struct reload_time){ s->now_ms, 0 };
}

/* An Update over the own link; the list ends with 0. */
static void update(struct scene *s, unsigned from, const unsigned *members)
{
    struct reload_node_id signer = place(from, 0);
    uint8_t body[200];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_wr_open16(&w);
    for (; *members; members++) {
        struct reload_node_id id = place(*members, 0);
        reload_wr_node_id(&w, &id);
    }
    reload_wr_close16(&w, mark);
    struct reload_topology_message m = { RELOAD_UPDATE_REQ, reload_writer_slice(&w), &signer,
                                         &signer, true };
    uint8_t answer[8];
    struct reload_writer none = reload_writer_of(answer, sizeof answer);
    assert_int_equal(reload_mesh_ops.handle(s->b->t, &m, &none, at(s)), 0);
}

static const unsigned all[] = { 50, 80, 100, 120, 0 };

static void run(struct scene *s, uint64_t ms)
{
    uint64_t end_ms = s->now_ms + ms;
    uint64_t due_ms;
    while ((due_ms = reload_mesh_ops.deadline(s->b->t)) <= end_ms) {
        s->now_ms = due_ms;
        reload_mesh_ops.tick(s->b->t, at(s));
    }
    s->now_ms = end_ms;
}

static struct scene scene(void **state)
{
    struct scene s = { *state, bench_now.monotonic_ms };
    static const unsigned members[] = { 50, 80, 120 };
    for (size_t i = 0; i < 3; i++) {
        struct reload_node_id id = place(members[i], 0);
        reload_mesh_ops.link_up(s.b->t, &id, at(&s));
        update(&s, members[i], all);
    }
    run(&s, 1000);
    return s;
}

static void suspect(struct scene *s, unsigned id)
{
    struct reload_node_id node_id = place(id, 0);
    reload_mesh_ops.link_down(s->b->t, &node_id, true, at(s));
}

static const struct bench_request *pinged(const struct scene *s, unsigned id)
{
    struct reload_node_id node_id = place(id, 0);
    return bench_sent(s->b, RELOAD_PING_REQ, &node_id);
}

static void answer(struct scene *s, uint32_t cookie, int error)
{
    const struct reload_topology_answer a = { .cookie = cookie, .error = error };
    reload_mesh_ops.answer(s->b->t, &a, at(s));
}

static bool owns(const struct scene *s, unsigned id)
{
    struct reload_node_id node_id = place(id, 0);
    return reload_mesh_ops.responsible(s->b->t, reload_node_id_slice(&node_id));
}

static bool certain(const struct scene *s, unsigned id)
{
    struct reload_node_id node_id = place(id, 0);
    return reload_mesh_ops.certain(s->b->t, reload_node_id_slice(&node_id));
}

static bool undecided(const struct scene *s, unsigned id)
{
    struct reload_node_id node_id = place(id, 0);
    return reload_mesh_ops.undecided(s->b->t, reload_node_id_slice(&node_id));
}

/* R6940-10.7.1-1 R6940-10.7.1-2: its range is the next one's, which may not hold all of it; and it
 * comes back with its acks. */
static void a_suspect_member_that_no_other_way_reaches_is_gone(void **state)
{
    struct scene s = scene(state);
    suspect(&s, 80);
    const struct bench_request *ping = pinged(&s, 80);
    assert_non_null(ping);
    assert_true(ping->has_via);
    assert_int_equal(ping->via.bytes[0], 120);
    assert_true(undecided(&s, 70));
    assert_false(undecided(&s, 90));
    run(&s, 500);
    assert_false(owns(&s, 70));
    run(&s, 500);
    assert_true(owns(&s, 70));
    assert_false(undecided(&s, 70));
    assert_false(certain(&s, 70));
    assert_true(certain(&s, 90));
    assert_int_equal(s.b->losses, 1);
    assert_int_equal(s.b->disconnects, 0);
    struct reload_node_id it = place(80, 0);
    reload_mesh_ops.link_up(s.b->t, &it, at(&s));
    assert_false(owns(&s, 70));
    assert_true(certain(&s, 70));
}

static void one_that_answers_another_way_stays(void **state)
{
    struct scene s = scene(state);
    suspect(&s, 80);
    answer(&s, pinged(&s, 80)->cookie, 0);
    assert_false(pinged(&s, 80)->has_via); /* acks decide about its link */
    assert_false(undecided(&s, 70));
    run(&s, 5000);
    assert_false(owns(&s, 70));
    assert_int_equal(s.b->losses, 0);
}

static void with_nobody_left_to_ask_the_link_decides(void **state)
{
    struct scene s = scene(state);
    suspect(&s, 50);
    suspect(&s, 80);
    suspect(&s, 120);
    assert_non_null(pinged(&s, 80));
    assert_null(pinged(&s, 120));
    run(&s, 5000);
    struct reload_node_id it = place(120, 0);
    assert_false(owns(&s, 110));
    reload_mesh_ops.link_down(s.b->t, &it, false, at(&s));
    assert_true(owns(&s, 110));
}

/* Who finds it gone tells its heir, over whose link to it nothing need ever leave. */
static void the_heir_is_told_and_looks_for_itself(void **state)
{
    struct scene s = scene(state);
    struct reload_node_id heir = place(80, 0);
    size_t before = s.b->requests;
    suspect(&s, 50);
    run(&s, 1000);
    bool told = false;
    for (size_t i = before; i < s.b->requests; i++)
        told |= s.b->last[i % BENCH_REQUESTS_MAX].code == RELOAD_UPDATE_REQ &&
                reload_node_id_equal(&s.b->last[i % BENCH_REQUESTS_MAX].to, &heir);
    assert_true(told);
    static const unsigned without[] = { 50, 100, 120, 0 };
    assert_null(pinged(&s, 80));
    update(&s, 120, without);
    assert_non_null(pinged(&s, 80));
    assert_false(pinged(&s, 80)->has_via);
    assert_true(undecided(&s, 70));
    run(&s, 1000);
    assert_true(owns(&s, 70));
}

static void one_that_was_left_out_and_answers_stays(void **state)
{
    struct scene s = scene(state);
    static const unsigned without[] = { 50, 100, 120, 0 };
    update(&s, 120, without);
    answer(&s, pinged(&s, 80)->cookie, 0);
    run(&s, 5000);
    assert_false(owns(&s, 70));
}

/* s6.3.4: another answered in its place. */
static void a_doubted_member_is_asked(void **state)
{
    struct scene s = scene(state);
    struct reload_node_id it = place(120, 0);
    reload_mesh_ops.doubted(s.b->t, &it, at(&s));
    assert_false(pinged(&s, 120)->has_via);
    run(&s, 1000);
    assert_int_equal(s.b->losses, 1);
    answer(&s, pinged(&s, 120)->cookie, 0); /* late */
    assert_false(owns(&s, 110));
}

static void a_member_that_acknowledges_and_never_answers_has_failed(void **state)
{
    struct scene s = scene(state);
    struct reload_node_id it = place(80, 0);
    reload_mesh_ops.doubted(s.b->t, &it, at(&s));
    answer(&s, pinged(&s, 80)->cookie, RELOAD_E_TIMEOUT);
    assert_int_equal(s.b->disconnects, 1);
    assert_true(owns(&s, 70));
    assert_true(certain(&s, 70));
}

/* s10.4: what did not get to its holder is pushed again. */
static void replicas_that_were_missed_are_pushed_again(void **state)
{
    struct scene s = scene(state);
    size_t before = s.b->pushes;
    assert_true(before >= 2);
    struct reload_node_id holder = place(120, 0), none = place(7, 0);
    reload_mesh_ops.replica_failed(s.b->t, &holder, at(&s));
    run(&s, 5000);
    assert_int_equal(s.b->pushes, before + 1);
    reload_mesh_ops.pushed(s.b->t, s.b->push_cookie, RELOAD_E_TIMEOUT, at(&s));
    run(&s, 5000);
    assert_int_equal(s.b->pushes, before + 3);
    reload_mesh_ops.pushed(s.b->t, s.b->push_cookie, 0, at(&s));
    reload_mesh_ops.replica_failed(s.b->t, &none, at(&s));
    run(&s, 5000);
    assert_int_equal(s.b->pushes, before + 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_suspect_member_that_no_other_way_reaches_is_gone),
        TEST(one_that_answers_another_way_stays),
        TEST(with_nobody_left_to_ask_the_link_decides),
        TEST(the_heir_is_told_and_looks_for_itself),
        TEST(one_that_was_left_out_and_answers_stays),
        TEST(a_doubted_member_is_asked),
        TEST(a_member_that_acknowledges_and_never_answers_has_failed),
        TEST(replicas_that_were_missed_are_pushed_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
