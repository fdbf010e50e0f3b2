/* Whole nodes over both topologies: join, store, fetch, replicas, and the death of a peer. */
#include "tests/reload/node/world.h"

#include "reload/wire/fetch.h"
#include "topology/chord/chord.h"
#include "topology/mesh/mesh.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#define PEERS 8

/* The user name's Resource-ID: where a USER-MATCH value of that node's user belongs. */
static struct reload_slice home_of(const struct world *world, size_t node, uint8_t out[255])
{
    size_t len;
    const char *user = world->nodes[node].certificate.user_name;
    assert_int_equal(reload_node_resource_id(world->nodes[node].node,
                                             reload_slice_of(user, strlen(user)), out, &len),
                     0);
    return reload_slice_of(out, len);
}

static void store_from(struct world *world, size_t node, const char *value)
{
    uint8_t id[255];
    uint64_t request;
    const struct reload_store_item item = {
        .kind = RELOAD_STANDIN_SINGLE_USER,
        .exists = true,
        .value = reload_slice_of(value, strlen(value)),
        .lifetime_s = 3600,
    };
    assert_int_equal(reload_node_store(world->nodes[node].node, home_of(world, node, id), &item, 1,
                                       world->now, &request),
                     0);
    world_pull(world, node);
    world_run(world, 20000);
    assert_int_equal(world_result(world, node)->request, request);
    assert_int_equal(world_result(world, node)->error, 0);
}

static void fetch_at(struct world *world, size_t node, size_t whose, const char *expected)
{
    uint8_t id[255], body[256];
    uint64_t request;
    struct reload_slice resource = home_of(world, whose, id);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, resource);
    struct reload_specifier_mark s =
        reload_specifier_begin(&w, RELOAD_STANDIN_SINGLE_USER, 0, RELOAD_MODEL_SINGLE);
    reload_specifier_end(&w, s, RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    assert_int_equal(reload_node_fetch(world->nodes[node].node, resource, reload_writer_slice(&w),
                                       world->now, &request),
                     0);
    world_pull(world, node);
    world_run(world, 20000);
    const struct reload_result *r = world_result(world, node);
    assert_int_equal(r->request, request);
    assert_int_equal(r->error, 0);
    assert_int_equal(r->value_count, 1);
    assert_int_equal(r->rejected, 0);
    const struct reload_fetched_value *v =
        &world->nodes[node].values[r - world->nodes[node].results];
    assert_true(v->exists);
    assert_int_equal(v->value.n, strlen(expected));
    assert_memory_equal(v->value.p, expected, v->value.n);
}

static size_t copies(const struct world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->count; i++)
        if (world->nodes[i].node)
            count += reload_store_value_count(reload_node_store_view(world->nodes[i].node));
    return count;
}

static void lives_through_join_store_fetch_and_death(const struct reload_topology_ops *ops)
{
    struct world *world = test_malloc(sizeof *world);
    world_init(world, ops);
    world_grow(world, PEERS);
    for (size_t i = 0; i < PEERS; i++)
        store_from(world, i, i % 2 ? "odd" : "even");
    for (size_t i = 0; i < PEERS; i++)
        fetch_at(world, (i + 3) % PEERS, i, i % 2 ? "odd" : "even");
    assert_int_equal(copies(world), 3 * PEERS); /* s10.4: the owner and two replicas */
    uint8_t id[255];
    size_t owner = world_owner(world, home_of(world, 1, id));
    world_kill(world, owner);
    world_run(world, 120000);
    size_t asker = owner == 2 ? 3 : 2;
    if (owner != 1)
        fetch_at(world, asker, 1, "odd");
    world_fini(world);
    test_free(world);
}

/* R6940-10.4-1 R6940-10.4-2 R6940-10.4-4 R6940-7.4.1.2-2 R6940-7.4.2.2-6 */
static void chord_peers_join_store_replicate_fetch_and_survive_a_death(void **state)
{
    (void)state;
    lives_through_join_store_fetch_and_death(&reload_chord_ops);
}

static void mesh_peers_join_store_replicate_fetch_and_survive_a_death(void **state)
{
    (void)state;
    lives_through_join_store_fetch_and_death(&reload_mesh_ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chord_peers_join_store_replicate_fetch_and_survive_a_death),
        cmocka_unit_test(mesh_peers_join_store_replicate_fetch_and_survive_a_death),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
