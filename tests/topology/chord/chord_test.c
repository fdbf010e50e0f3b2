#include "tests/topology/chord/fake.h"

/* The interface of reload/node/topology.h. */

static const unsigned others[] = { 20, 40, 60, 80, 120, 140, 160, 180, 200 };

static int sha1(void *context, enum reload_hash_algorithm algorithm,
                const struct reload_slice *parts, size_t count, uint8_t *out, size_t *len)
{
    (void)context;
    assert_int_equal(algorithm, RELOAD_HASH_SHA1);
    assert_int_equal(count, 1);
    assert_int_equal(parts[0].n, 3);
    for (uint8_t i = 0; i < 20; i++)
        out[i] = (uint8_t)(0xa0 + i);
    *len = 20;
    return 0;
}

/* R6940-10.2-1 R6940-10.2-2 */
static void a_resource_id_is_the_first_sixteen_bytes_of_the_sha_1(void **state)
{
    (void)state;
    static const struct reload_crypto_ops ops = { .digest = sha1 };
    struct reload_crypto crypto = { .ops = &ops };
    uint8_t out[RELOAD_RESOURCE_ID_MAX];
    size_t len = 0;
    assert_int_equal(reload_chord_ops.resource_id(&crypto, reload_slice_of("abc", 3), out, &len),
                     0);
    assert_int_equal(len, 16);
    for (uint8_t i = 0; i < 16; i++)
        assert_int_equal(out[i], 0xa0 + i);
    assert_int_equal(reload_chord_ops.resource_id_length, 16);
    assert_string_equal(reload_chord_ops.name, "CHORD-RELOAD");
}

/* R6940-6.4.1-1 */
static void other_id_lengths_and_lack_of_memory_are_errors_of_create(void **state)
{
    (void)state;
    struct fake *f = fake_new(1, RELOAD_ROLE_PEER);
    struct reload_topology *t = NULL;
    struct reload_time now = { 1, 1 };
    reload_alloc_fail_at(1);
    assert_int_equal(reload_chord_ops.create(&f->host, now, &t), RELOAD_E_NOMEM);
    reload_alloc_fail_at(0);
    f->config.node_id_length = 20;
    assert_int_equal(reload_chord_ops.create(&f->host, now, &t), RELOAD_E_UNSUPPORTED);
    f->config.node_id_length = 16;
    f->host.self.len = 20;
    assert_int_equal(reload_chord_ops.create(&f->host, now, &t), RELOAD_E_UNSUPPORTED);
    fake_free(f);
}

static const struct {
    unsigned k;
    bool responsible;
    unsigned next;
} seen[] = {
    /* from 100: 10 nodes in all */
    { 81, true, 0 },     { 100, true, 0 },    { 90, true, 0 },     { 80, false, 60 },
    { 101, false, 120 }, { 121, false, 120 }, { 150, false, 140 }, { 210, false, 200 },
    { 10, false, 200 },  { 30, false, 20 },   { 61, false, 60 },
};

/* R6940-10.1-2 R6940-10.3-2 R6940-10.3-3 */
static void responsibility_and_next_hop_on_a_ring_of_ten(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 9);
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        struct reload_node_id k = place(seen[i].k), next;
        struct reload_slice id = reload_node_id_slice(&k);
        assert_int_equal(reload_chord_ops.responsible(f->t, id), seen[i].responsible);
        if (seen[i].responsible)
            continue;
        assert_true(reload_chord_ops.next_hop(f->t, id, &next));
        assert_int_equal(next.bytes[0], seen[i].next);
    }
    assert_false(reload_chord_ops.responsible(f->t, reload_slice_of("short", 5)));
    assert_int_equal(reload_chord_ops.responsible_ppb(f->t), 20 * 3906250);
    fake_free(f);
}

/* Notes B6: clockwise distance from the resource. */
static void an_answer_comes_from_a_node_as_close_as_every_neighbour(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 9);
    struct reload_node_id r = place(130), right = place(140), nearer = place(135),
                          wrong = place(160), closer;
    struct reload_slice id = reload_node_id_slice(&r);
    assert_true(reload_chord_ops.close_enough(f->t, &right, id, &closer));
    assert_true(
        reload_chord_ops.close_enough(f->t, &nearer, id, &closer)); /* not known to us yet */
    assert_false(reload_chord_ops.close_enough(f->t, &wrong, id, &closer));
    assert_true(reload_node_id_equal(&closer, &right));
    fake_free(f);
    f = fake_new(100, RELOAD_ROLE_CLIENT);
    assert_true(reload_chord_ops.close_enough(f->t, &wrong, id, &closer));
    fake_free(f);
}

static uint16_t route_query(struct fake *f, const struct reload_destination *d, bool send_update)
{
    uint8_t body[300];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    struct reload_route_query_req req = { send_update, *d, { NULL, 0 } };
    assert_int_equal(reload_route_query_req_encode(&w, &req), 0);
    return fake_handle(f, RELOAD_ROUTE_QUERY_REQ, 200, reload_writer_slice(&w));
}

/* R6940-10.8-1 R6940-10.8-2 R6940-6.4.2.4.1-3 R6940-6.4.2.4.1-4 R6940-10.3-1 */
static void a_route_query_tells_the_next_peer_and_then_all_tables(void **state)
{
    (void)state;
    static const struct {
        unsigned k, next;
    } asked[] = { { 90, 100 }, { 150, 140 }, { 160, 160 } };
    struct fake *f = fake_ring(100, others, 9);
    for (size_t i = 0; i < 3; i++) {
        struct reload_node_id k = place(asked[i].k), next;
        assert_true(reload_chord_next_peer(f->t, reload_node_id_slice(&k), &next));
        assert_int_equal(next.bytes[0], asked[i].next);
        struct reload_destination d = reload_destination_resource(reload_node_id_slice(&k));
        assert_int_equal(route_query(f, &d, false), 0);
        d = reload_destination_node(&k);
        assert_int_equal(route_query(f, &d, false), 0);
    }
    assert_int_equal(f->request_count, 0);
    struct reload_node_id k = place(150);
    struct reload_destination d = reload_destination_node(&k);
    assert_int_equal(route_query(f, &d, true), 0);
    assert_int_equal(fake_sent(f, 0, RELOAD_UPDATE_REQ, 200), 1);
    assert_int_equal(f->requests[0].body[4], RELOAD_CHORD_UPDATE_FULL);
    d = reload_destination_opaque(reload_slice_of("secret", 6));
    assert_int_equal(route_query(f, &d, false), RELOAD_ERROR_FORBIDDEN);
    d = reload_destination_resource(reload_slice_of("short", 5));
    assert_int_equal(route_query(f, &d, false), RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(fake_handle(f, RELOAD_ROUTE_QUERY_REQ, 200, reload_slice_of("", 0)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(fake_handle(f, 0x99, 200, reload_slice_of("", 0)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    fake_free(f);
}

static void the_snapshot_counts_what_does_not_fit(void **state)
{
    (void)state;
    struct fake *f = fake_ring(100, others, 9);
    struct reload_topology_entry entries[64];
    size_t n = reload_chord_ops.snapshot(f->t, entries, 64);
    assert_int_equal(reload_chord_ops.snapshot(f->t, NULL, 0), n);
    size_t kinds[4] = { 0 };
    for (size_t i = 0; i < n; i++)
        kinds[entries[i].relation]++;
    assert_int_equal(kinds[RELOAD_RELATION_PREDECESSOR], 3);
    assert_int_equal(kinds[RELOAD_RELATION_SUCCESSOR], 3);
    assert_true(kinds[RELOAD_RELATION_FINGER] >= 3);
    fake_free(f);
}

/* Memory that runs out at any request: links are missed, nothing breaks. */
static void it_survives_lack_of_memory_at_every_link(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 8; n++) {
        struct fake *f = fake_new(100, RELOAD_ROLE_PEER);
        reload_chord_ops.join(f->t, true, (struct reload_time){ f->now_ms, 0 });
        reload_alloc_fail_at(n);
        for (unsigned id = 1; id < 90; id++) {
            fake_link(f, id);
            assert_int_equal(fake_update(f, id, NULL, NULL), 0);
        }
        fake_run(f, 10000);
        reload_alloc_fail_at(0);
        fake_link(f, 99);
        assert_int_equal(fake_update(f, 99, NULL, NULL), 0);
        assert_true(reload_chord_lists_hold(&f->t->tables.lists, ring_id(99)));
        fake_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resource_id_is_the_first_sixteen_bytes_of_the_sha_1),
        cmocka_unit_test(other_id_lengths_and_lack_of_memory_are_errors_of_create),
        cmocka_unit_test(responsibility_and_next_hop_on_a_ring_of_ten),
        cmocka_unit_test(an_answer_comes_from_a_node_as_close_as_every_neighbour),
        cmocka_unit_test(a_route_query_tells_the_next_peer_and_then_all_tables),
        cmocka_unit_test(the_snapshot_counts_what_does_not_fit),
        cmocka_unit_test(it_survives_lack_of_memory_at_every_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
