#include "tests/topology/chord/fake.h"

/* Update and Leave as recorded once and brought again: at once, an hour later, after a restart.
 * The bytes are the same and the signature is good; what differs is the link they come over. */

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180 };
static const unsigned known[] = { 80, 140, 160, 0 };

#define HOUR 3600000

struct picture { /* of all that routing and replication are decided by */
    struct reload_chord_lists lists;
    size_t route_count, attaches, pushes, forgets;
    struct reload_chord_id routes[16];
};

static struct picture picture(const struct fake *f)
{
    struct picture now = { .lists = f->t->tables.lists,
                           .route_count = f->t->tables.route_count,
                           .attaches = f->attach_count,
                           .pushes = f->push_count,
                           .forgets = f->forget_count };
    assert_in_range(now.route_count, 0, sizeof now.routes / sizeof *now.routes);
    for (size_t i = 0; i < now.route_count; i++)
        now.routes[i] = f->t->tables.routes[i];
    return now;
}

static void same(const struct fake *f, const struct picture *before)
{
    struct picture now = picture(f);
    assert_true(reload_chord_lists_equal(&now.lists, &before->lists));
    assert_int_equal(now.route_count, before->route_count);
    for (size_t i = 0; i < now.route_count; i++)
        assert_true(reload_chord_id_equal(now.routes[i], before->routes[i]));
    assert_int_equal(now.attaches, before->attaches);
    assert_int_equal(now.pushes, before->pushes);
    assert_int_equal(now.forgets, before->forgets);
}

struct recorded {
    uint8_t bytes[400];
    size_t len;
};

static struct recorded update_of(const unsigned *lists)
{
    struct recorded r;
    uint8_t ids[256];
    struct reload_writer list = reload_writer_of(ids, sizeof ids);
    for (; *lists; lists++) {
        struct reload_node_id id = place(*lists);
        reload_wr_node_id(&list, &id);
    }
    const struct reload_chord_update update = { .uptime_s = 5,
                                                .type = RELOAD_CHORD_UPDATE_NEIGHBORS,
                                                .predecessors = reload_writer_slice(&list),
                                                .successors = reload_writer_slice(&list) };
    struct reload_writer w = reload_writer_of(r.bytes, sizeof r.bytes);
    assert_int_equal(reload_chord_update_encode(&w, &update), 0);
    r.len = w.len;
    return r;
}

static struct recorded leave_of(unsigned leaving)
{
    struct recorded r;
    uint8_t ids[16], data[64];
    memcpy(ids, place(140).bytes, sizeof ids);
    const struct reload_chord_leave chord = { RELOAD_CHORD_LEAVE_FROM_SUCC, { ids, sizeof ids } };
    struct reload_writer d = reload_writer_of(data, sizeof data);
    assert_int_equal(reload_chord_leave_encode(&d, &chord), 0);
    const struct reload_leave_req req = { place(leaving), reload_writer_slice(&d) };
    struct reload_writer w = reload_writer_of(r.bytes, sizeof r.bytes);
    assert_int_equal(reload_leave_req_encode(&w, &req), 0);
    r.len = w.len;
    return r;
}

/* Forwarded by 140, as a replay by anybody but its signer comes. */
static uint16_t again(struct fake *f, uint16_t code, unsigned signer, const struct recorded *r)
{
    return fake_handle_over(f, code, signer, 140, false, reload_slice_of(r->bytes, r->len));
}

static uint16_t first(struct fake *f, uint16_t code, unsigned signer, const struct recorded *r)
{
    return fake_handle(f, code, signer, reload_slice_of(r->bytes, r->len));
}

/* R6940-10.7.3-1 */
static void an_update_again_changes_no_table(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    const struct recorded update = update_of(known);
    assert_int_equal(first(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    struct picture before = picture(f);
    assert_int_equal(again(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    assert_int_equal(first(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    same(f, &before);
    fake_run(f, HOUR);
    before = picture(f);
    assert_int_equal(again(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    same(f, &before);
    fake_free(f);
}

/* R6940-4.4-2: without a link to its signer it is nothing, whoever brings it. */
static void an_update_after_a_restart_or_the_link_s_end_changes_no_table(void **state)
{
    (void)state;
    static const unsigned rest[] = { 20, 40, 140, 180 };
    static const unsigned unknown[] = { 105, 110, 130, 0 };
    const struct recorded update = update_of(unknown);
    struct fake *f = fake_ring(100, others, 8);
    const struct recorded leave = leave_of(120);
    assert_int_equal(first(f, RELOAD_LEAVE_REQ, 120, &leave), 0);
    fake_unlink(f, 120);
    fake_run(f, HOUR);
    struct picture before = picture(f);
    assert_int_equal(again(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    same(f, &before);
    fake_free(f);

    f = fake_ring(100, rest, 4);
    before = picture(f);
    assert_int_equal(again(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    same(f, &before);
    fake_free(f);
}

/* R6940-4.4-2: who has a link but has not joined, or has left, is not brought into the tables by
 * somebody else who has its Update of another time. */
static void an_update_brought_by_another_makes_nobody_a_neighbour(void **state)
{
    (void)state;
    static const unsigned rest[] = { 20, 40, 140, 180 };
    struct fake *f = fake_ring(100, rest, 4);
    const struct recorded update = update_of(known), leave = leave_of(120);
    fake_link(f, 120);
    fake_run(f, 1000);
    struct picture before = picture(f);
    assert_int_equal(again(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    same(f, &before);

    assert_int_equal(first(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    assert_true(reload_chord_lists_hold(&f->t->tables.lists, ring_id(120)));
    assert_int_equal(first(f, RELOAD_LEAVE_REQ, 120, &leave), 0);
    fake_run(f, 1000);
    before = picture(f);
    assert_int_equal(again(f, RELOAD_UPDATE_REQ, 120, &update), 0);
    same(f, &before);
    fake_free(f);
}

/* R6940-6.4.2.2-4: the leaver has come back, and somebody else has its Leave of the time before. */
static void a_leave_again_changes_no_table(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 8);
    const struct recorded leave = leave_of(120);
    assert_int_equal(first(f, RELOAD_LEAVE_REQ, 120, &leave), 0);
    fake_run(f, 1000);
    struct picture before = picture(f);
    assert_false(reload_chord_lists_hold(&before.lists, ring_id(120)));
    assert_int_equal(again(f, RELOAD_LEAVE_REQ, 120, &leave), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(first(f, RELOAD_LEAVE_REQ, 120, &leave), 0); /* its answer was lost */
    same(f, &before);

    fake_unlink(f, 120);
    fake_run(f, HOUR);
    fake_link(f, 120);
    assert_int_equal(fake_update(f, 120, NULL, NULL), 0);
    fake_run(f, 1000);
    before = picture(f);
    assert_true(reload_chord_lists_hold(&before.lists, ring_id(120)));
    assert_int_equal(again(f, RELOAD_LEAVE_REQ, 120, &leave), RELOAD_ERROR_FORBIDDEN);
    same(f, &before);
    fake_free(f);
}

/* R6940-6.4.2.2-4 */
static void a_leave_after_a_restart_changes_no_table(void **state)
{
    (void)state;
    const struct recorded leave = leave_of(120);
    struct fake *f = fake_ring(100, others, 8);
    struct picture before = picture(f);
    assert_int_equal(again(f, RELOAD_LEAVE_REQ, 120, &leave), RELOAD_ERROR_FORBIDDEN);
    same(f, &before);
    assert_true(reload_chord_lists_hold(&f->t->tables.lists, ring_id(120)));
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_again_changes_no_table),
        cmocka_unit_test(an_update_after_a_restart_or_the_link_s_end_changes_no_table),
        cmocka_unit_test(an_update_brought_by_another_makes_nobody_a_neighbour),
        cmocka_unit_test(a_leave_again_changes_no_table),
        cmocka_unit_test(a_leave_after_a_restart_changes_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
