/* The Certificate Store Usage (RFC 6940 s8), over a few whole nodes. */
#include "tests/reload/node/world.h"

#include "reload/wire/fetch.h"
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
        cmocka_unit_test(a_node_that_left_publishes_nothing),
        cmocka_unit_test(a_publication_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
