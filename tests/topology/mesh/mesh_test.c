#include "tests/topology/mesh/bench.h"

/* Requests that are not as they should be, and the ends of the mesh's tables. */

static uint16_t about(struct bench *b, uint16_t code, struct reload_node_id who,
                      struct reload_node_id signer, struct reload_node_id over, bool direct)
{
    uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    struct reload_join_req req = { .joining_peer_id = who }; /* LeaveReq looks the same */
    assert_int_equal(reload_join_req_encode(&w, &req), 0);
    return bench_handle(b, code, &signer, &over, direct, reload_writer_slice(&w));
}

/* R6940-6.4.2.1-2 R6940-6.4.2.1-3 R6940-6.4.2.2-3 R6940-6.4.2.2-4 */
static void joins_and_leaves_that_are_forged_or_forwarded_are_forbidden(void **out)
{
    struct bench *b = *out;
    struct reload_node_id x = place(50, 0), y = place(51, 0);
    reload_mesh_ops.link_up(b->t, &x, bench_now);
    static const uint16_t codes[] = { RELOAD_JOIN_REQ, RELOAD_LEAVE_REQ };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(about(b, codes[i], y, x, x, true), RELOAD_ERROR_FORBIDDEN);
        assert_int_equal(about(b, codes[i], x, x, y, true), RELOAD_ERROR_FORBIDDEN);
        assert_int_equal(about(b, codes[i], x, x, x, false), RELOAD_ERROR_FORBIDDEN);
        assert_int_equal(bench_handle(b, codes[i], &x, &x, true, reload_slice_of("ab", 2)),
                         RELOAD_ERROR_INVALID_MESSAGE);
    }
    assert_int_equal(b->pushes, 0);
    assert_int_equal(about(b, RELOAD_JOIN_REQ, x, x, x, true), 0);
    assert_int_equal(b->pushes, 1);
    assert_int_equal(about(b, RELOAD_JOIN_REQ, y, y, y, true),
                     RELOAD_ERROR_NOT_FOUND); /* no link */
    assert_int_equal(about(b, RELOAD_LEAVE_REQ, x, x, x, true), 0);
}

/* RELOAD_MESH_JOINERS */
static void the_joiners_under_way_have_an_end(void **out)
{
    struct bench *b = *out;
    for (unsigned i = 1; i <= RELOAD_MESH_JOINERS + 1; i++) {
        struct reload_node_id x = place(50, i);
        reload_mesh_ops.link_up(b->t, &x, bench_now);
        assert_int_equal(about(b, RELOAD_JOIN_REQ, x, x, x, true),
                         i <= RELOAD_MESH_JOINERS ? 0 : RELOAD_ERROR_IN_PROGRESS);
    }
}

/* RELOAD_MESH_NODES_MAX */
static void the_nodes_looked_at_have_an_end(void **out)
{
    struct bench *b = *out;
    for (unsigned i = 1; i <= 2 * RELOAD_MESH_NODES_MAX; i++) {
        struct reload_node_id x = place(50, i);
        reload_mesh_ops.link_up(b->t, &x, bench_now);
    }
    assert_int_equal(b->t->members.count, RELOAD_MESH_NODES_MAX);
    for (size_t i = 1; i < b->t->members.count; i++)
        assert_true(
            reload_node_id_compare(&b->t->members.nodes[i - 1].id, &b->t->members.nodes[i].id) < 0);
}

/* Cut anywhere, not a whole number of ids, self and wildcard in it, from a stranger. */
static void updates_that_are_malformed_or_from_strangers_change_nothing(void **out)
{
    struct bench *b = *out;
    struct reload_node_id x = place(50, 0), stranger = place(60, 0),
                          all = reload_node_id_wildcard(16);
    uint8_t body[100];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    reload_mesh_ops.link_up(b->t, &x, bench_now);
    size_t mark = reload_wr_open16(&w);
    reload_wr_node_id(&w, &all);
    reload_wr_node_id(&w, &b->host.self);
    reload_wr_node_id(&w, &x);
    reload_wr_close16(&w, mark);
    for (size_t n = 0; n < w.len; n++)
        assert_int_equal(bench_handle(b, RELOAD_UPDATE_REQ, &x, &x, true, reload_slice_of(body, n)),
                         RELOAD_ERROR_INVALID_MESSAGE);
    uint8_t odd[] = { 0, 1, 7 };
    assert_int_equal(bench_handle(b, RELOAD_UPDATE_REQ, &x, &x, true, reload_slice_of(odd, 3)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(
        bench_handle(b, RELOAD_UPDATE_REQ, &stranger, &x, false, reload_writer_slice(&w)), 0);
    assert_int_equal(reload_mesh_member_count(&b->t->members), 1);
    assert_int_equal(bench_handle(b, RELOAD_UPDATE_REQ, &x, &x, true, reload_writer_slice(&w)), 0);
    assert_int_equal(reload_mesh_member_count(&b->t->members), 2);
    assert_int_equal(b->attaches, 0);
    assert_int_equal(bench_handle(b, 0x99, &x, &x, true, reload_writer_slice(&w)),
                     RELOAD_ERROR_INVALID_MESSAGE);
}

/* One of the time before it had joined: it names itself not yet. */
static void a_recorded_update_that_another_brings_changes_nothing(void **out)
{
    struct bench *b = *out;
    struct reload_node_id x = place(50, 0), y = place(51, 0);
    uint8_t body[40];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_wr_open16(&w);
    reload_wr_node_id(&w, &x);
    reload_wr_close16(&w, mark);
    static const uint8_t nobody[2];
    reload_mesh_ops.link_up(b->t, &x, bench_now);
    assert_int_equal(bench_handle(b, RELOAD_UPDATE_REQ, &x, &x, true, reload_writer_slice(&w)), 0);
    assert_int_equal(reload_mesh_member_count(&b->t->members), 2);
    assert_int_equal(bench_handle(b, RELOAD_UPDATE_REQ, &x, &y, false, reload_slice_of(nobody, 2)),
                     0);
    assert_int_equal(reload_mesh_member_count(&b->t->members), 2);
    assert_int_equal(bench_handle(b, RELOAD_UPDATE_REQ, &x, &x, true, reload_slice_of(nobody, 2)),
                     0);
    assert_int_equal(reload_mesh_member_count(&b->t->members), 1);
}

/* R6940-6.4.1-1 */
static void other_id_lengths_and_lack_of_memory_are_errors_of_create(void **out)
{
    struct bench *b = *out;
    struct reload_topology *t = NULL;
    reload_alloc_fail_at(1);
    assert_int_equal(reload_mesh_ops.create(&b->host, bench_now, &t), RELOAD_E_NOMEM);
    reload_alloc_fail_at(0);
    b->config.node_id_length = 20;
    assert_int_equal(reload_mesh_ops.create(&b->host, bench_now, &t), RELOAD_E_UNSUPPORTED);
}

/* R6940-10.7.4.4-1: every two minutes or so, for as long as it is a peer. */
static void a_peer_looks_for_others_behind_a_cut(void **state)
{
    struct bench *b = *state;
    uint64_t last_ms = bench_now.monotonic_ms;
    for (size_t i = 0; i < 5; i++) {
        struct reload_time then = { last_ms + RELOAD_MESH_LOOK_MS / 2 - 1, 0 };
        reload_mesh_ops.tick(b->t, then);
        assert_int_equal(b->looks, i);
        while (b->looks == i && then.monotonic_ms < last_ms + 2 * RELOAD_MESH_LOOK_MS) {
            then.monotonic_ms = reload_mesh_ops.deadline(b->t);
            reload_mesh_ops.tick(b->t, then);
        }
        assert_int_equal(b->looks, i + 1);
        last_ms = then.monotonic_ms;
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_peer_looks_for_others_behind_a_cut),
        TEST(joins_and_leaves_that_are_forged_or_forwarded_are_forbidden),
        TEST(the_joiners_under_way_have_an_end),
        TEST(the_nodes_looked_at_have_an_end),
        TEST(updates_that_are_malformed_or_from_strangers_change_nothing),
        TEST(a_recorded_update_that_another_brings_changes_nothing),
        TEST(other_id_lengths_and_lack_of_memory_are_errors_of_create),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
