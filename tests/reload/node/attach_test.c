/* Attach between whole nodes, RFC 6940 s6.5.1: A and C are linked to the hub only, and attach to
 * each other through it, without ICE and where it says so with it. */
#include "tests/reload/node/rig.h"
#include "tests/reload/node/world.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

enum { HUB, A, C, NODES };

static struct fake fakes[NODES];
static bool ice; /* what the next world does */

static void set_up(struct world *world, bool a_is_larger)
{
    struct reload_node_id small = reload_standin_node_id(1), large = reload_standin_node_id(2);
    if (reload_node_id_compare(&small, &large) > 0) {
        struct reload_node_id swap = small;
        small = large;
        large = swap;
    }
    world_init(world, &fake_topology);
    world->config.config.no_ice = !ice;
    struct reload_node_id hub = reload_standin_node_id(50);
    world_add(world, &hub);
    world_add(world, a_is_larger ? &large : &small);
    world_add(world, a_is_larger ? &small : &large);
    memset(fakes, 0, sizeof fakes);
    fakes[A].hop = fakes[C].hop = hub;
}

static void start(struct world *world)
{
    for (size_t i = 0; i < NODES; i++) {
        fake_prepare(&fakes[i]);
        world_start(world, i);
    }
    world_connect(world, A, HUB, false);
    world_connect(world, C, HUB, false);
    world_run(world, 100);
}

static void attach(struct world *world, size_t from, size_t to)
{
    uint64_t request;
    struct reload_node_id id = world_id(world, to);
    const struct reload_target target = { .id = reload_node_id_slice(&id) };
    assert_int_equal(reload_node_attach(world->nodes[from].node, &target, world->now, &request), 0);
    world_pull(world, from);
}

static void expect_attached(struct world *world, size_t node)
{
    assert_int_equal(world->nodes[node].result_count, 1);
    assert_int_equal(world_result(world, node)->error, 0);
}

/* R6940-6.5.1.2-1 R6940-6.5.1.2-7 R6940-6.5.1.13-1 R6940-6.5.1.11-2 R6940-6.5.1.1-6: the answerer
 * dials as TLS client, by the certificate of the requester. R6940-6.5.1-3: nothing routes through
 * it yet. */
static void an_attach_makes_one_link_which_the_answerer_dials(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    set_up(world, false);
    start(world);
    attach(world, A, C);
    world_run(world, 60000);
    assert_int_equal(world_links_between(world, A, C), 1);
    assert_int_equal(world->nodes[C].dials, 1);
    assert_int_equal(world->nodes[A].dials, 0);
    expect_attached(world, A);
    struct reload_connection connections[4];
    assert_int_equal(reload_node_connections(world->nodes[A].node, connections, 4), 2);
    for (size_t i = 0; i < 2; i++) {
        struct reload_node_id c = world_id(world, C);
        assert_int_equal(connections[i].routable,
                         !reload_node_id_equal(&connections[i].node_id, &c));
    }
    world_fini(world);
    test_free(world);
}

static unsigned through_hub;

static bool count_through_hub(struct world *world, size_t from, size_t to,
                              struct reload_slice message)
{
    (void)world;
    (void)message;
    through_hub += from == HUB || to == HUB;
    return false;
}

/* R6940-4.4-1 R6940-6.5.1-1: both ends, before any Update; the hub is not asked any more. */
static void messages_to_the_attached_node_itself_take_the_new_link(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    set_up(world, false);
    start(world);
    attach(world, A, C);
    world_run(world, 60000);
    through_hub = 0;
    world->lose = count_through_hub;
    for (size_t from = A; from <= C; from++) {
        uint64_t request;
        struct reload_node_id to = world_id(world, A + C - from);
        const struct reload_target target = { .id = reload_node_id_slice(&to) };
        size_t results = world->nodes[from].result_count;
        assert_int_equal(reload_node_request(world->nodes[from].node, &target, RELOAD_PING_REQ,
                                             rig_ping, world->now, &request),
                         0);
        world_pull(world, from);
        world_run(world, 1000);
        assert_int_equal(world->nodes[from].result_count, results + 1);
        assert_int_equal(world_result(world, from)->error, 0);
        assert_int_equal(world_result(world, from)->hops, 1);
    }
    assert_int_equal(through_hub, 0);
    world_fini(world);
    test_free(world);
}

static void attaching_to_a_connected_node_succeeds_at_once(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    set_up(world, false);
    start(world);
    attach(world, A, HUB);
    expect_attached(world, A);
    world_run(world, 60000);
    assert_int_equal(world_links_between(world, A, HUB), 1);
    world_fini(world);
    test_free(world);
}

/* An Attach for a Resource-ID ends at whoever is responsible (R6940-6.5.1-4); when that is a node
 * with a link already, there is no second one. */
static void an_attach_to_a_resource_links_to_its_owner(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    uint64_t request;
    (void)state;
    for (size_t owner = HUB; owner <= C; owner += C) {
        set_up(world, false);
        fakes[HUB].hop = reload_standin_node_id(1);
        start(world);
        struct reload_node_id c = world_id(world, C);
        fakes[HUB].hop = c;
        memset(fakes[owner].owned_resource, 'r', 16);
        fakes[owner].owns_resource = true;
        const struct reload_target target = { .resource = true,
                                              .id = reload_slice_of("rrrrrrrrrrrrrrrr", 16) };
        assert_int_equal(reload_node_attach(world->nodes[A].node, &target, world->now, &request),
                         0);
        world_pull(world, A);
        world_run(world, 60000);
        expect_attached(world, A);
        struct reload_node_id expected = world_id(world, owner);
        assert_true(reload_node_id_equal(&world_result(world, A)->signer, &expected));
        assert_int_equal(world_links_between(world, A, owner), 1);
        world_fini(world);
    }
    test_free(world);
}

/* --- both at once, and any message lost --- */

static unsigned lose_at[2], seen;

/* Counts Attach traffic, answers and errors, hop by hop; loses two of them. */
static bool lose_nth(struct world *world, size_t from, size_t to, struct reload_slice bytes)
{
    struct reload_message m;
    (void)world;
    (void)from;
    (void)to;
    if (reload_message_decode(bytes, 16, &m) != 0)
        return false;
    seen++;
    return seen == lose_at[0] || seen == lose_at[1];
}

static void both_attach(struct world *world, bool a_is_larger, uint64_t gap_ms)
{
    set_up(world, a_is_larger);
    start(world);
    world->lose = lose_nth;
    seen = 0;
    attach(world, A, C);
    world_run(world, gap_ms);
    attach(world, C, A);
    world_run(world, 120000);
}

static bool ended_well(const struct world *world, size_t node)
{
    return world->nodes[node].result_count == 1 && world_result(world, node)->error == 0;
}

static void lose_and_expect_one_link(struct world *world, bool a_is_larger, uint64_t gap_ms)
{
    both_attach(world, a_is_larger, gap_ms);
    if (world_links_between(world, A, C) != 1 || !ended_well(world, A) || !ended_well(world, C) ||
        world->channels.count != 0)
        fail_msg("ice %d, larger %d, gap %u ms, lost %u and %u: %zu links, %zu channels, results "
                 "%d %d",
                 ice, a_is_larger, (unsigned)gap_ms, lose_at[0], lose_at[1],
                 world_links_between(world, A, C), world->channels.count,
                 world->nodes[A].result_count ? world->nodes[A].results[0].error : 99,
                 world->nodes[C].result_count ? world->nodes[C].results[0].error : 99);
    world_fini(world);
}

/* R6940-6.5.1.2-2 R6940-6.5.1.2-3 R6940-6.5.1.2-4 R6940-6.5.1.2-5: whatever the order,
 * and whichever one or two messages are lost, there is one link in the end and both sides know. */
static void simultaneous_attaches_end_in_one_link_whatever_is_lost(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    for (unsigned run = 0; run < 2 * 4 * 11 * 11; run++) {
        unsigned rest = run / 2;
        lose_at[0] = rest / 4 % 11;
        lose_at[1] = rest / 44;
        if (lose_at[1] <= lose_at[0])
            lose_and_expect_one_link(world, run & 1, (rest % 4) * 5);
    }
    test_free(world);
}

/* The same by ICE. The far end's request comes while the own candidates are being gathered, while
 * the own request is on its way, while the answer waits for its candidates, and after. */
static void simultaneous_attaches_by_ice_end_in_one_link_whatever_is_lost(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    ice = true;
    for (unsigned run = 0; run < 2 * 9 * 11 * 11; run++) {
        unsigned rest = run / 2;
        lose_at[0] = rest / 9 % 11;
        lose_at[1] = rest / 99;
        if (lose_at[1] <= lose_at[0])
            lose_and_expect_one_link(world, run & 1, (rest % 9) * 5);
    }
    ice = false;
    test_free(world);
}

/* R6940-6.5.1.2-4 R6940-6.5.1.2-5: with nothing lost the smaller one gives way: it dials, or takes
 * its candidates back and gathers others for the answer. */
static void the_larger_node_id_wins_the_tie(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    for (int run = 0; run < 4; run++) {
        bool a_is_larger = run & 1;
        size_t larger = a_is_larger ? A : C, smaller = a_is_larger ? C : A;
        ice = run & 2;
        lose_at[0] = lose_at[1] = 0;
        both_attach(world, a_is_larger, 0);
        assert_int_equal(world->nodes[smaller].dials, 1);
        assert_int_equal(world->nodes[larger].dials, ice);
        assert_int_equal(world->nodes[smaller].abandons, ice);
        assert_int_equal(world->nodes[larger].abandons, 0);
        assert_int_equal(reload_node_counters(world->nodes[larger].node)->errors_sent, 1);
        world_fini(world);
    }
    ice = false;
    test_free(world);
}

/* R6940-6.5.1.2-1 R6940-6.5.1.2-7 R6940-6.5.1.13-1: each end gathers and opens once; the link that
 * comes up is known by its number at both. */
static void an_attach_by_ice_makes_one_link_that_both_open(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    ice = true;
    set_up(world, false);
    start(world);
    attach(world, A, C);
    world_run(world, 60000);
    expect_attached(world, A);
    for (size_t i = A; i <= C; i++) {
        struct reload_connection connections[4];
        assert_int_equal(world->nodes[i].gathers, 1);
        assert_int_equal(world->nodes[i].dials, 1);
        assert_int_equal(world->nodes[i].abandons, 0);
        assert_int_equal(reload_node_connections(world->nodes[i].node, connections, 4), 2);
    }
    assert_int_equal(world_links_between(world, A, C), 1);
    assert_int_equal(world->channels.count, 0);
    world_fini(world);
    ice = false;
    test_free(world);
}

static size_t unlucky;

static bool gathers_nothing(struct world *world, size_t node)
{
    (void)world;
    return node == unlucky;
}

static bool fail_all(struct world *world, size_t from, size_t to);

/* Candidates that are not found, checks that find no way, a far end that dies meanwhile: the
 * application is told, and no host holds anything afterwards. */
static void an_attach_by_ice_that_fails_leaves_nothing_behind(void **state)
{
    enum { NO_CANDIDATES_HERE, NO_CANDIDATES_THERE, NO_WAY, DEATH, CAUSES };
    static const int errors[] = { RELOAD_E_IO, RELOAD_E_FORBIDDEN, RELOAD_E_IO, RELOAD_E_TIMEOUT };
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    ice = true;
    for (int cause = 0; cause < CAUSES; cause++) {
        set_up(world, false);
        start(world);
        unlucky = cause == NO_CANDIDATES_HERE ? A : C;
        if (cause <= NO_CANDIDATES_THERE)
            world->fail_gather = gathers_nothing;
        if (cause == NO_WAY)
            world->fail_dial = fail_all;
        attach(world, A, C);
        world_run(world, 4 * WORLD_DELAY);
        if (cause == DEATH)
            world_kill(world, C);
        world_run(world, 120000);
        assert_int_equal(world_result(world, A)->error, errors[cause]);
        assert_int_equal(world_links_between(world, A, C), 0);
        assert_int_equal(world->channels.count, 0);
        if (cause == NO_CANDIDATES_THERE)
            assert_int_equal(world_result(world, A)->error_code, RELOAD_ERROR_REQUEST_TIMEOUT);
        world_fini(world);
    }
    ice = false;
    test_free(world);
}

static bool fail_all(struct world *world, size_t from, size_t to)
{
    (void)world;
    (void)from;
    (void)to;
    return true;
}

static void a_dial_that_fails_ends_the_attach_and_leaves_nothing_behind(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    set_up(world, false);
    start(world);
    world->fail_dial = fail_all;
    attach(world, A, C);
    world_run(world, 60000);
    assert_int_equal(world_result(world, A)->error, RELOAD_E_TIMEOUT);
    world->fail_dial = NULL;
    attach(world, A, C);
    world_run(world, 60000);
    assert_int_equal(world_result(world, A)->error, 0);
    assert_int_equal(world_links_between(world, A, C), 1);
    world_fini(world);
    test_free(world);
}

/* node.h: a node without addresses can attach as the dialling side only; two of them not at all. */
static void a_node_without_an_address_dials_itself(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    set_up(world, false);
    world->nodes[A].config.address_count = 0;
    start(world);
    attach(world, A, C);
    world_run(world, 60000);
    expect_attached(world, A);
    assert_int_equal(world->nodes[A].dials, 1);
    assert_int_equal(world->nodes[C].dials, 0);
    world_fini(world);

    set_up(world, false);
    world->nodes[A].config.address_count = world->nodes[C].config.address_count = 0;
    start(world);
    attach(world, A, C);
    world_run(world, 60000);
    assert_int_equal(world_result(world, A)->error_code, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    world_fini(world);
    test_free(world);
}

/* An Attach over a plain link: one link in the end, nobody notices a link lost, and the requester
 * is attached as soon as it is answered. */
static void an_attach_over_a_plain_link_ends_in_one_link(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    uint64_t request;
    (void)state;
    for (int fail = 0; fail < 2; fail++) {
        set_up(world, false);
        start(world);
        world->fail_dial = fail ? fail_all : NULL;
        struct reload_node_id hub = world_id(world, HUB);
        memset(fakes[HUB].owned_resource, 'r', 16);
        fakes[HUB].owns_resource = true;
        fakes[A].hop = hub;
        const struct reload_target target = { .resource = true,
                                              .id = reload_slice_of("rrrrrrrrrrrrrrrr", 16) };
        assert_int_equal(reload_node_attach(world->nodes[A].node, &target, world->now, &request),
                         0);
        world_pull(world, A);
        world_run(world, 2 * WORLD_DELAY); /* there and back, and no handshake in between */
        expect_attached(world, A);
        world_run(world, 60000);
        assert_int_equal(world->nodes[HUB].dials, 1);
        assert_int_equal(world_links_between(world, A, HUB), 1);
        assert_int_equal(fakes[A].link_downs + fakes[HUB].link_downs, 0);
        world_fini(world);
    }
    test_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attach_makes_one_link_which_the_answerer_dials),
        cmocka_unit_test(messages_to_the_attached_node_itself_take_the_new_link),
        cmocka_unit_test(attaching_to_a_connected_node_succeeds_at_once),
        cmocka_unit_test(an_attach_to_a_resource_links_to_its_owner),
        cmocka_unit_test(simultaneous_attaches_end_in_one_link_whatever_is_lost),
        cmocka_unit_test(simultaneous_attaches_by_ice_end_in_one_link_whatever_is_lost),
        cmocka_unit_test(the_larger_node_id_wins_the_tie),
        cmocka_unit_test(an_attach_by_ice_makes_one_link_that_both_open),
        cmocka_unit_test(an_attach_by_ice_that_fails_leaves_nothing_behind),
        cmocka_unit_test(a_dial_that_fails_ends_the_attach_and_leaves_nothing_behind),
        cmocka_unit_test(a_node_without_an_address_dials_itself),
        cmocka_unit_test(an_attach_over_a_plain_link_ends_in_one_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
