/* Attach with ICE when memory is short. */
#include "tests/reload/node/ice_bench.h"

#include "reload/alloc.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

static void ask_for_channel(struct bench *b)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&b->rig.parties[b->far].id) };
    (void)reload_node_app_attach(b->rig.node, &target, 5060, b->rig.now, &request);
    rig_pull(&b->rig);
}

static void channel_from(struct bench *b)
{
    static uint8_t buffer[256];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_app_attach body = { .ufrag = bench_ufrag,
                                            .password = bench_password,
                                            .application = 5060,
                                            .role = reload_slice_of("passive", 7),
                                            .candidates = bench_candidates(1, 1) };
    assert_int_equal(reload_app_attach_encode(&w, &body), 0);
    struct rig_message m = { .signer = &b->rig.parties[b->far],
                             .code = RELOAD_APP_ATTACH_REQ,
                             .body = reload_writer_slice(&w),
                             .via_list = rig_nodes(&b->rig.parties[b->far].id, NULL) };
    rig_receive(&b->rig, HOP + 1, &m);
}

static void act(struct bench *b)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&b->rig.parties[b->far].id) };
    (void)reload_node_attach(b->rig.node, &target, b->rig.now, &request);
    rig_pull(&b->rig);
    bench_gathered(b);
    bench_answer(b);
    bench_open_failed(b);
    bench_its_attach(b);
    bench_its_attach(b);
    bench_gathered(b);
    ask_for_channel(b);
    bench_gathered(b);
    channel_from(b);
    bench_gathered(b);
    bench_time_passes(b);
}

/* Whichever request for memory is refused: no number ends twice, and the next Attach works. */
static void any_allocation_may_fail(void **state)
{
    (void)state;
    struct bench *b = test_malloc(sizeof *b);
    unsigned long n = 0, used = 0;
    do {
        bench_setup(b, false);
        assert_int_equal(reload_node_set_application(b->rig.node, 5060, true), 0);
        unsigned long before = reload_alloc_count();
        reload_alloc_fail_at(++n);
        act(b);
        used = reload_alloc_count() - before;
        reload_alloc_fail_at(0);
        for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_GATHER); i++)
            assert_in_range(
                bench_ends_of(b,
                              rig_action(&b->rig, RELOAD_ACTION_GATHER, i)->action.gather.attach),
                0, 1);
        rig_clear(&b->rig);
        bench_its_attach(b);
        bench_gathered(b);
        assert_int_equal(rig_count(&b->rig, RELOAD_ACTION_OPEN_LINK), 1);
        rig_fini(&b->rig);
    } while (used >= n);
    assert_true(n > 10);
    test_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
