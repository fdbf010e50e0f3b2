/* Joining, storing and fetching in a real ring, with each allocation refused in turn: nothing
 * crashes, nothing leaks, who asked is told, and with memory again all of it works. */
#include "tests/reload/node/world.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "reload/wire/fetch.h"
#include "tests/refusal.h"
#include "topology/chord/chord.h"

#define RING    2
#define JOINER  RING
#define PATIENT 240000 /* ms: a join that failed is tried again */

static struct reload_slice own_place(const struct world *world, size_t node, uint8_t *id)
{
    const struct reload_crypto *crypto = world->nodes[node].config.crypto;
    size_t len;
    assert_int_equal(reload_standin_resource_id(crypto, crypto->own->user_name, id, &len), 0);
    return reload_slice_of(id, len);
}

static int store(struct world *world, size_t node, uint64_t *request)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX];
    const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                            .exists = true,
                                            .value = reload_slice_of("here", 4),
                                            .lifetime_s = 86400 };
    int error = reload_node_store(world->nodes[node].node, own_place(world, node, id), &item, 1,
                                  world->now, request);
    world_pull(world, node);
    return error;
}

static int fetch(struct world *world, size_t node, uint64_t *request)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX], body[64];
    struct reload_slice place = own_place(world, node, id);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, place);
    reload_specifier_end(
        &w, reload_specifier_begin(&w, RELOAD_STANDIN_SINGLE_USER, 0, RELOAD_MODEL_SINGLE),
        RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    int error = reload_node_fetch(world->nodes[node].node, place, reload_writer_slice(&w),
                                  world->now, request);
    world_pull(world, node);
    return error;
}

/* Memory is short while this goes on. */
static void live(struct world *world)
{
    uint64_t requests[2] = { 0 };
    int errors[2];
    world_join(world, JOINER, false);
    world_run(world, 20000);
    errors[0] = store(world, JOINER, &requests[0]);
    world_run(world, 20000);
    errors[1] = fetch(world, JOINER, &requests[1]);
    world_run(world, 20000);
    for (int i = 0; i < 2; i++)
        assert_true(errors[i] != 0 || world_result_of(world, JOINER, requests[i]));
}

static void work(struct world *world)
{
    uint64_t request;
    assert_int_equal(reload_node_state(world->nodes[JOINER].node), RELOAD_TOPOLOGY_JOINED);
    assert_int_equal(store(world, JOINER, &request), 0);
    world_run(world, 20000);
    assert_int_equal(world_result_of(world, JOINER, request)->error, 0);
    assert_int_equal(fetch(world, JOINER, &request), 0);
    world_run(world, 20000);
    assert_int_equal(world_result_of(world, JOINER, request)->value_count, 1);
}

static bool run_with(refusal *refuse, unsigned long n, bool variant)
{
    static struct world world;
    (void)variant; /* there is one way only */
    world_init(&world, &reload_chord_ops);
    world_grow(&world, RING);
    world_start(&world, world_add(&world, NULL));
    unsigned long before = reload_alloc_count();
    refuse(n);
    live(&world);
    bool done = reload_alloc_count() - before < n;
    refuse(0);
    world_run(&world, PATIENT);
    work(&world);
    world_fini(&world);
    return done;
}

static void any_one_allocation_may_fail(void **state)
{
    (void)state;
    refuse_each(reload_alloc_fail_only, run_with, false, 100);
}

static void all_allocations_from_any_one_on_may_fail(void **state)
{
    (void)state;
    refuse_each(reload_alloc_fail_at, run_with, false, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_allocation_may_fail),
        cmocka_unit_test(all_allocations_from_any_one_on_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
