/* A registration in a real ring, made, refreshed and removed with each allocation refused in turn,
 * at the registrant and at those who store it: nothing crashes, nothing leaks, every Store ends,
 * and with memory again the record is where it is looked for. */
#include "tests/reload/node/world.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "kind.h"
#include "reload/wire/fetch.h"
#include "tests/refusal.h"
#include "topology/chord/chord.h"
#include "usage-sip/lookup.h"
#include "usage-sip/registrar.h"

#define RING     3
#define DEVICE   0 /* the node that registers */
#define SEEKER   1
#define LIFETIME 60
#define STEP     200    /* ms */
#define PATIENT  120000 /* ms: the longest time between two tries, and a Store */

struct host { /* a registrar as peer/ drives it */
    struct world world;
    struct reload_sip_registrar registrar;
    uint64_t request; /* the Store under way; 0: none */
};

static int send_store(struct host *host, const struct reload_sip_store *store)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX];
    size_t len;
    struct world_node *n = &host->world.nodes[DEVICE];
    const struct reload_store_item item = { .kind = RELOAD_KIND_SIP_REGISTRATION,
                                            .key = store->key,
                                            .exists = store->exists,
                                            .value = store->value,
                                            .lifetime_s = store->lifetime_s,
                                            .storage_time = store->storage_time_ms };
    assert_int_equal(reload_standin_resource_id(n->config.crypto, store->name, id, &len), 0);
    int error = reload_node_store(n->node, reload_slice_of(id, len), &item, 1, host->world.now,
                                  &host->request);
    world_pull(&host->world, DEVICE);
    return error;
}

static void ended(struct host *host, int error)
{
    host->request = 0;
    if (error)
        reload_sip_registrar_failed(&host->registrar, error, host->world.now);
    else
        reload_sip_registrar_stored(&host->registrar, host->world.now);
}

static void pump(struct host *host)
{
    struct reload_sip_store store;
    const struct reload_result *result =
        host->request ? world_result_of(&host->world, DEVICE, host->request) : NULL;
    if (result)
        ended(host, result->error);
    reload_sip_registrar_tick(&host->registrar, host->world.now);
    if (!reload_sip_registrar_next(&host->registrar, &store, host->world.now))
        return;
    int error = send_store(host, &store);
    if (error)
        ended(host, error);
}

static void run(struct host *host, uint64_t ms)
{
    for (uint64_t at = 0; at < ms; at += STEP) {
        pump(host);
        world_run(&host->world, STEP);
    }
    pump(host);
}

static void register_here(struct host *host)
{
    assert_int_equal(reload_sip_registrar_register(&host->registrar, &host->world.config.config,
                                                   (struct reload_slice){ 0 },
                                                   RELOAD_SIP_SCHEME_ANY, LIFETIME),
                     0);
}

static uint64_t fetch(struct world *world, const struct reload_sip_fetch *fetch)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX], body[64];
    size_t len;
    uint64_t request = 0;
    struct world_node *n = &world->nodes[SEEKER];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    assert_int_equal(reload_standin_resource_id(n->config.crypto, fetch->name, id, &len), 0);
    struct reload_slice place = reload_slice_of(id, len);
    size_t mark = reload_fetch_req_begin(&w, place);
    reload_specifier_end(
        &w, reload_specifier_begin(&w, RELOAD_KIND_SIP_REGISTRATION, 0, RELOAD_MODEL_DICTIONARY),
        RELOAD_MODEL_DICTIONARY);
    reload_fetch_req_end(&w, mark);
    if (reload_node_fetch(n->node, place, reload_writer_slice(&w), world->now, &request) != 0)
        request = 0;
    world_pull(world, SEEKER);
    return request;
}

/* How the seeker's lookup ends; RELOAD_SIP_FAILED too when there is no memory for it. */
static enum reload_sip_outcome look_up(struct host *host)
{
    struct world *world = &host->world;
    struct reload_node_id own = world_id(world, SEEKER);
    struct reload_sip_lookup *lookup;
    struct reload_sip_fetch wanted;
    if (reload_sip_lookup_new(reload_sip_aor_name(&host->registrar.aor), &world->config.config,
                              &own, NULL, NULL, world->now, &lookup) != 0)
        return RELOAD_SIP_FAILED;
    assert_true(reload_sip_lookup_next(lookup, &wanted));
    uint64_t request = fetch(world, &wanted);
    run(host, 20000);
    const struct reload_result *result = request ? world_result_of(world, SEEKER, request) : NULL;
    assert_true(!request || result);
    if (result && result->error == 0) {
        const struct world_node *n = &world->nodes[SEEKER];
        reload_sip_lookup_fetched(lookup, wanted.number, &world->config.config,
                                  &n->values[result - n->results], result->value_count, world->now);
    } else {
        reload_sip_lookup_failed(lookup, wanted.number, world->now);
    }
    assert_non_null(reload_sip_lookup_result(lookup));
    enum reload_sip_outcome outcome = reload_sip_lookup_result(lookup)->outcome;
    reload_sip_lookup_free(lookup);
    return outcome;
}

static void host_open(struct host *host)
{
    struct world *world = &host->world;
    world_init(world, &reload_chord_ops);
    world->config.kinds[0] = sip_kind(NULL, 0);
    world_grow(world, RING);
    struct reload_node_id own = world_id(world, DEVICE);
    struct reload_slice user = world->nodes[DEVICE].config.crypto->own->user_name;
    assert_int_equal(reload_sip_registrar_init(&host->registrar, user, &own), 0);
    host->request = 0;
}

static bool run_with(refusal *refuse, unsigned long n, bool removed)
{
    static struct host host;
    host_open(&host);
    unsigned long before = reload_alloc_count();
    refuse(n);
    register_here(&host);
    run(&host, 1000);
    (void)look_up(&host);
    run(&host, 40000); /* it is refreshed meanwhile */
    if (removed)
        reload_sip_registrar_unregister(&host.registrar, host.world.now);
    run(&host, 10000);
    bool done = reload_alloc_count() - before < n;
    refuse(0);
    run(&host, PATIENT);
    assert_int_equal(host.registrar.state, removed ? RELOAD_SIP_IDLE : RELOAD_SIP_REGISTERED);
    if (removed) {
        assert_int_equal(look_up(&host), RELOAD_SIP_NOT_FOUND);
        register_here(&host);
    }
    run(&host, 10000);
    assert_int_equal(look_up(&host), RELOAD_SIP_FOUND);
    world_fini(&host.world);
    return done;
}

static void run_all(refusal *refuse)
{
    for (int removed = 0; removed < 2; removed++)
        refuse_each(refuse, run_with, removed, 50);
}

static void any_one_allocation_may_fail(void **state)
{
    (void)state;
    run_all(reload_alloc_fail_only);
}

static void all_allocations_from_any_one_on_may_fail(void **state)
{
    (void)state;
    run_all(reload_alloc_fail_at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_allocation_may_fail),
        cmocka_unit_test(all_allocations_from_any_one_on_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
