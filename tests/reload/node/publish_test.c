/* The Certificate Store Usage (RFC 6940 s8), over a few whole nodes. */
#include "tests/reload/node/rig.h"
#include "tests/reload/node/world.h"

#include "reload/wire/fetch.h"
#include "reload/wire/store.h"
#include "topology/mesh/mesh.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#define PEERS   4
#define BY_NODE 0x3u
#define BY_USER 0x10u

static void grow(struct world *world, uint64_t not_after_ms)
{
    world_init(world, &reload_mesh_ops);
    for (size_t i = 0; i < PEERS; i++) {
        size_t node = world_add(world, NULL);
        world->nodes[node].config.publish_certificate = true;
        if (not_after_ms)
            world->nodes[node].certificate.not_after_ms = not_after_ms;
        world_start(world, node);
        world_join(world, node, i == 0);
        world_run(world, 10000);
        assert_int_equal(reload_node_state(world->nodes[node].node), RELOAD_TOPOLOGY_JOINED);
    }
}

/* What is stored under a name; asked by another node. Returns the result. */
static const struct reload_result *look(struct world *world, uint32_t kind,
                                        struct reload_slice name)
{
    uint8_t id[255], body[300];
    size_t len;
    uint64_t request;
    struct reload_node *node = world->nodes[PEERS - 1].node;
    assert_int_equal(reload_node_resource_id(node, name, id, &len), 0);
    struct reload_slice resource = { id, len };
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, resource);
    struct reload_specifier_mark s = reload_specifier_begin(&w, kind, 0, RELOAD_MODEL_ARRAY);
    reload_wr_array_range(&w, (struct reload_array_range){ 0, RELOAD_ARRAY_LAST });
    reload_specifier_end(&w, s, RELOAD_MODEL_ARRAY);
    reload_fetch_req_end(&w, mark);
    assert_int_equal(
        reload_node_fetch(node, resource, reload_writer_slice(&w), world->now, &request), 0);
    world_pull(world, PEERS - 1);
    world_run(world, 5000);
    assert_int_equal(world_result(world, PEERS - 1)->request, request);
    return world_result(world, PEERS - 1);
}

static void expect_one_certificate(struct world *world, size_t whose)
{
    const struct world_node *asker = &world->nodes[PEERS - 1], *n = &world->nodes[whose];
    uint8_t certificate[RELOAD_STANDIN_CERTIFICATE_MAX];
    size_t len = reload_standin_certificate_bytes(&n->certificate, certificate);
    const struct reload_slice names[] = {
        reload_node_id_slice(&n->certificate.node_ids[0]),
        reload_slice_of(n->certificate.user_name, strlen(n->certificate.user_name)),
    };
    for (size_t i = 0; i < 2; i++) {
        const struct reload_result *r = look(world, i ? BY_USER : BY_NODE, names[i]);
        assert_int_equal(r->error, 0);
        assert_int_equal(r->value_count, 1);
        const struct reload_fetched_value *v = &asker->values[r - asker->results];
        assert_true(v->exists);
        assert_memory_equal(v->value.p, certificate, v->value.n < len ? v->value.n : len);
        assert_true(v->lifetime_s > 0);
    }
}

/* R6940-8-1 R6940-8-2 R6940-8-4: by the hash of the Node-ID and of the user name. */
static void every_node_stores_its_certificate_by_node_and_by_user(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    grow(world, 0);
    world_run(world, 60000);
    for (size_t i = 0; i < PEERS; i++)
        expect_one_certificate(world, i);
    world_fini(world);
    test_free(world);
}

/* R6940-8-3: renewed before the lifetime ends, in its place and not as one more entry. */
static void certificates_are_renewed_in_their_place(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    grow(world, 0);
    for (int day = 0; day < 3; day++) {
        world_run(world, 86400000);
        expect_one_certificate(world, 0);
        expect_one_certificate(world, 1);
    }
    world_fini(world);
    test_free(world);
}

/* How many places of the array hold a value. */
static size_t places(struct world *world, uint32_t kind, struct reload_slice name)
{
    const struct reload_result *r = look(world, kind, name);
    assert_int_equal(r->error, 0);
    return r->value_count;
}

/* The node stops and comes back with the certificate that it has in `world`. */
static void restart(struct world *world, size_t node)
{
    world_kill(world, node);
    world_run(world, 5000);
    world_start(world, node);
    world_join(world, node, false);
    world_run(world, 60000);
    assert_int_equal(reload_node_state(world->nodes[node].node), RELOAD_TOPOLOGY_JOINED);
}

/* R6940-8-3: a restart takes no other place; a certificate that was renewed is appended, and the
 * old one stays until it has expired. */
static void restarts_use_the_same_place_and_a_new_certificate_the_next(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    grow(world, 0);
    world_run(world, 60000);
    struct world_node *n = &world->nodes[1];
    struct reload_slice id = reload_node_id_slice(&n->certificate.node_ids[0]);
    struct reload_slice user =
        reload_slice_of(n->certificate.user_name, strlen(n->certificate.user_name));
    for (int i = 0; i < 12; i++) /* more often than max-count allows entries */
        restart(world, 1);
    assert_int_equal(places(world, BY_NODE, id), 1);
    assert_int_equal(places(world, BY_USER, user), 1);
    n->certificate.serial++;
    restart(world, 1);
    assert_int_equal(places(world, BY_NODE, id), 2);
    assert_int_equal(places(world, BY_USER, user), 2);
    restart(world, 1);
    assert_int_equal(places(world, BY_NODE, id), 2);
    world_fini(world);
    test_free(world);
}

/* --- by hand: what the holder of the resource answers --- */

static void start_publishing(struct rig *rig)
{
    rig->node_config.publish_certificate = true;
    rig_start(rig);
    rig_link(rig, 0);
    rig->fake.hop = rig->parties[0].id;
    reload_node_join(rig->node, true, rig->now);
    rig_pull(rig);
    rig_run(rig, 5000);
}

/* The FetchReq of that Kind among what was sent: its transaction_id. */
static uint64_t fetch_sent(const struct rig *rig, uint32_t kind)
{
    for (size_t i = 0; i < rig_count(rig, RELOAD_ACTION_SEND); i++) {
        struct reload_message m = rig_sent(rig, i, NULL);
        struct reload_fetch_req req;
        struct reload_stored_data_specifier s;
        if (m.message_code != RELOAD_FETCH_REQ || reload_fetch_req_decode(m.body, &req) != 0)
            continue;
        struct reload_reader r = reload_reader_over(req.specifiers);
        if (reload_stored_data_specifier_next(&r, &s) && s.kind == kind)
            return m.header.transaction_id;
    }
    fail_msg("no Fetch of that Kind");
    return 0;
}

static const struct reload_message *store_sent(const struct rig *rig, uint32_t kind,
                                               uint32_t *index)
{
    static struct reload_message m;
    for (size_t i = 0; i < rig_count(rig, RELOAD_ACTION_SEND); i++) {
        struct reload_store_req req;
        struct reload_store_kind_data data;
        struct reload_stored_data stored;
        m = rig_sent(rig, i, NULL);
        if (m.message_code != RELOAD_STORE_REQ || reload_store_req_decode(m.body, &req) != 0)
            continue;
        struct reload_reader kinds = reload_reader_over(req.kind_data);
        if (!reload_store_kind_data_next(&kinds, &data) || data.kind != kind)
            continue;
        struct reload_reader r = reload_reader_over(data.values);
        assert_true(reload_stored_data_next(&r, RELOAD_MODEL_ARRAY, &stored));
        *index = stored.value.index;
        return &m;
    }
    return NULL;
}

/* Answers the Fetch of a Kind with certificates that their holders stored, from index 3 on. The
 * message comes from the first of them, so that its certificate travels along. */
static void answer_fetch(struct rig *rig, uint32_t kind, const struct party *const *holders,
                         size_t count)
{
    static uint8_t body[4096];
    uint8_t resource[RELOAD_RESOURCE_ID_MAX];
    size_t len;
    const struct reload_own_identity *me = rig->me.crypto->own;
    struct reload_slice name = kind == BY_USER ? me->user_name : reload_node_id_slice(&rig->me.id);
    assert_int_equal(reload_standin_resource_id(rig->me.crypto, name, resource, &len), 0);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t all = reload_fetch_ans_begin(&w);
    size_t mark = reload_fetch_kind_begin(&w, kind, 9);
    for (size_t i = 0; i < count; i++) {
        uint8_t signature[RELOAD_SIGNATURE_MAX];
        struct reload_stored_data data = {
            .storage_time_ms = 1000,
            .lifetime_s = 86400,
            .value = { .model = RELOAD_MODEL_ARRAY,
                       .index = (uint32_t)(3 + i),
                       .data = { true, holders[i]->crypto->own->certificate } },
        };
        assert_int_equal(reload_value_sign(holders[i]->crypto, reload_slice_of(resource, len), kind,
                                           &data, signature),
                         0);
        assert_int_equal(reload_stored_data_encode(&w, &data), 0);
    }
    reload_fetch_kind_end(&w, mark);
    reload_fetch_ans_end(&w, all);
    struct rig_message m = { .signer = &rig->parties[0],
                             .code = RELOAD_FETCH_ANS,
                             .body = reload_writer_slice(&w),
                             .transaction_id = fetch_sent(rig, kind) };
    rig_receive(rig, 1, &m);
}

/* Somebody else with the user name of the node under test, who is heard of first. */
static struct party namesake(struct rig *rig, const struct reload_node_id *id,
                             uint64_t not_after_ms)
{
    struct party p = { .id = *id };
    struct reload_standin_certificate c =
        reload_standin_certificate(&rig->config.config, id, "user100@overlay.example");
    c.serial = 77;
    c.not_after_ms = not_after_ms;
    p.standin = reload_standin_new(&rig->config.config, &c, 0);
    p.crypto = reload_standin_crypto(p.standin);
    struct rig_message m = { .signer = &p, .code = RELOAD_PING_REQ, .body = rig_ping };
    rig_receive(rig, 1, &m);
    return p;
}

/* R6940-8-3: the place of an expired certificate is taken, that of a valid one is not. */
static void an_expired_certificate_gives_its_place(void **state)
{
    (void)state;
    for (int expired = 0; expired < 2; expired++) {
        struct rig rig;
        uint32_t index = 0;
        rig_init(&rig);
        start_publishing(&rig);
        uint64_t end = rig.now.unix_ms + 1;
        struct party old = namesake(&rig, &rig.me.id, expired ? end : UINT64_C(4000000000000));
        rig_wait(&rig, 100);
        const struct party *const holders[] = { &old };
        answer_fetch(&rig, BY_USER, holders, 1);
        assert_non_null(store_sent(&rig, BY_USER, &index));
        assert_int_equal(index, expired ? 3 : RELOAD_ARRAY_LAST);
        rig_fini(&rig);
        reload_standin_free(old.standin);
    }
}

static void start_self_signed(struct rig *rig)
{
    rig_init(rig);
    struct reload_standin_certificate c =
        reload_standin_certificate(&rig->config.config, &rig->me.id, "user100@overlay.example");
    c.self_signed = true;
    reload_standin_free(rig->me.standin);
    rig->me.standin = reload_standin_new(&rig->config.config, &c, 0);
    rig->me.crypto = rig->node_config.crypto = reload_standin_crypto(rig->me.standin);
    start_publishing(rig);
}

/* R6940-11.3.1-7: a self-signed certificate is not stored under a user name that another key has;
 * the user is told. R6940-11.3.1-6: it is stored under its Node-ID, and under the name once that is
 * free. */
static void a_user_name_that_is_taken_is_left_alone(void **state)
{
    struct rig rig;
    uint32_t index = 0;
    (void)state;
    start_self_signed(&rig);
    struct reload_node_id other = reload_standin_node_id(4711);
    struct party owner = namesake(&rig, &other, UINT64_C(4000000000000));
    const struct party *const holders[] = { &owner };
    size_t changes = rig_count(&rig, RELOAD_ACTION_STATE_CHANGED);
    answer_fetch(&rig, BY_USER, holders, 1);
    assert_null(store_sent(&rig, BY_USER, &index));
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_STATE_CHANGED), changes + 1);
    size_t lines = rig_count(&rig, RELOAD_ACTION_LOG);
    assert_non_null(strstr((const char *)rig_action(&rig, RELOAD_ACTION_LOG, lines - 1)->bytes,
                           "user name user100@overlay.example is taken"));
    answer_fetch(&rig, BY_NODE, NULL, 0);
    assert_non_null(store_sent(&rig, BY_NODE, &index));
    rig_clear(&rig);
    rig_run(&rig, 600000); /* it is looked at again */
    answer_fetch(&rig, BY_USER, NULL, 0);
    assert_non_null(store_sent(&rig, BY_USER, &index));
    assert_int_equal(index, RELOAD_ARRAY_LAST);
    rig_fini(&rig);
    reload_standin_free(owner.standin);

    /* With a certificate of the enrollment server, it is the user's own other node. */
    rig_init(&rig);
    start_publishing(&rig);
    owner = namesake(&rig, &other, UINT64_C(4000000000000));
    answer_fetch(&rig, BY_USER, holders, 1);
    assert_non_null(store_sent(&rig, BY_USER, &index));
    rig_fini(&rig);
    reload_standin_free(owner.standin);
}

/* Losses delay it; it is tried again. */
static bool lose_stores(struct world *world, size_t from, size_t to, struct reload_slice bytes)
{
    (void)from;
    (void)to;
    (void)bytes;
    return world->now.monotonic_ms < 30000;
}

static void a_publication_that_fails_is_tried_again(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    world_init(world, &reload_mesh_ops);
    for (size_t i = 0; i < PEERS; i++)
        world_add(world, NULL);
    for (size_t i = 0; i < PEERS; i++) {
        world->nodes[i].config.publish_certificate = true;
        world_start(world, i);
        world_join(world, i, i == 0);
        world_run(world, 6000);
    }
    world->lose = lose_stores;
    world_run(world, 200000);
    for (size_t i = 0; i < PEERS; i++)
        expect_one_certificate(world, i);
    world_fini(world);
    test_free(world);
}

static void a_node_that_left_publishes_nothing(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    grow(world, 0);
    world_run(world, 60000);
    reload_node_leave(world->nodes[1].node, world->now);
    world_pull(world, 1);
    world_run(world, 20000);
    assert_int_equal(reload_node_state(world->nodes[1].node), RELOAD_TOPOLOGY_LEFT);
    uint64_t before = reload_node_counters(world->nodes[1].node)->requested;
    world_run(world, 86400000);
    assert_int_equal(reload_node_counters(world->nodes[1].node)->requested, before);
    world_fini(world);
    test_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_stores_its_certificate_by_node_and_by_user),
        cmocka_unit_test(certificates_are_renewed_in_their_place),
        cmocka_unit_test(restarts_use_the_same_place_and_a_new_certificate_the_next),
        cmocka_unit_test(an_expired_certificate_gives_its_place),
        cmocka_unit_test(a_user_name_that_is_taken_is_left_alone),
        cmocka_unit_test(a_node_that_left_publishes_nothing),
        cmocka_unit_test(a_publication_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
