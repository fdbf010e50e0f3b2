/* AppAttach between whole nodes: RFC 6940 s6.5.2. */
#include "tests/reload/node/rig.h"
#include "tests/reload/node/world.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

#define SIP 5060

/* A and C are linked to the hub only. */
enum { HUB, A, C, NODES };

static struct fake fakes[NODES];

static void set_up(struct world *world, bool ice)
{
    world_init(world, &fake_topology);
    world->config.config.no_ice = !ice;
    for (size_t i = 0; i < NODES; i++)
        world_add(world, NULL);
    memset(fakes, 0, sizeof fakes);
    fakes[A].hop = fakes[C].hop = world_id(world, HUB);
}

static void start_all(struct world *world)
{
    for (size_t i = 0; i < NODES; i++) {
        fake_prepare(&fakes[i]);
        world_start(world, i);
    }
    world_connect(world, A, HUB, false);
    world_connect(world, C, HUB, false);
    world_run(world, 100);
    assert_int_equal(reload_node_set_application(world->nodes[C].node, SIP, true), 0);
}

static uint64_t ask(struct world *world, uint16_t application)
{
    uint64_t request;
    struct reload_node_id c = world_id(world, C);
    const struct reload_target target = { .id = reload_node_id_slice(&c) };
    assert_int_equal(
        reload_node_app_attach(world->nodes[A].node, &target, application, world->now, &request),
        0);
    world_pull(world, A);
    world_run(world, 1000);
    return request;
}

static void expect_channel(const struct world *world, size_t node, size_t far, uint64_t request)
{
    const struct reload_action_app_channel *channel = &world->nodes[node].app_channel;
    struct reload_node_id id = world_id(world, far);
    assert_int_equal(world->nodes[node].app_channels, 1);
    assert_int_equal(channel->request, request);
    assert_int_equal(channel->application, SIP);
    assert_true(reload_node_id_equal(&channel->node_id, &id));
}

/* R6940-6.5.2.2-2 R6940-6.5.2.2-4: agreed for a known application, Error_Not_Found for others, for
 * which nothing is gathered. The requester waits as TLS server (R6940-6.5.1.13-1), where it was
 * asked to gather; by ICE the answerer gathers too. */
static void a_channel_is_agreed_on_for_known_applications_only(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    for (int ice = 0; ice < 2; ice++) {
        set_up(world, ice);
        start_all(world);
        uint64_t request = ask(world, SIP);
        const struct reload_action_app_channel *here = &world->nodes[A].app_channel;
        const struct reload_action_app_channel *there = &world->nodes[C].app_channel;
        expect_channel(world, A, C, request);
        expect_channel(world, C, A, 0);
        assert_true(here->tls_server && !there->tls_server);
        assert_int_equal(here->address_count, 0);
        assert_int_equal(there->address_count, !ice);
        assert_int_not_equal(here->attach, 0);
        assert_int_equal(there->attach != 0, ice);
        assert_int_equal(here->link_type == RELOAD_LINK_DTLS_UDP_SR, ice);
        assert_int_equal(there->link_type == RELOAD_LINK_DTLS_UDP_SR, ice);
        assert_int_equal(here->ufrag.n != 0, ice);
        assert_int_equal(there->ufrag.n != 0, ice);
        assert_int_equal(world->nodes[C].gathers, ice);
        assert_int_equal(world->nodes[A].result_count, 0);
        ask(world, SIP + 1);
        assert_int_equal(world_result(world, A)->error_code, RELOAD_ERROR_NOT_FOUND);
        assert_int_equal(world->nodes[C].app_channels, 1);
        assert_int_equal(world->nodes[C].gathers, ice);
        assert_int_equal(world->nodes[A].abandons, 1);
        assert_int_equal(world->channels.count, 0);
        assert_int_equal(world_links_between(world, A, C), 0);
        world_fini(world);
    }
    test_free(world);
}

/* s6.5.1.11: without an address to wait at the requester dials, as TLS client, the listener that
 * the answerer was asked for; with none on either side there is no channel. */
static void a_requester_without_a_listener_dials_that_of_the_answerer(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    set_up(world, false);
    world->nodes[A].config.address_count = 0;
    start_all(world);
    uint64_t request = ask(world, SIP);
    expect_channel(world, A, C, request);
    expect_channel(world, C, A, 0);
    const struct reload_action_app_channel *here = &world->nodes[A].app_channel;
    const struct reload_action_app_channel *there = &world->nodes[C].app_channel;
    assert_int_equal(here->address_count, 1);
    assert_int_equal(there->address_count, 0);
    assert_true(there->tls_server && !here->tls_server);
    assert_int_not_equal(there->attach, 0);
    assert_int_equal(world->channels.count, 0);
    world_fini(world);

    set_up(world, false);
    world->nodes[A].config.address_count = world->nodes[C].config.address_count = 0;
    start_all(world);
    ask(world, SIP);
    assert_int_equal(world_result(world, A)->error_code, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(world->nodes[A].app_channels + world->nodes[C].app_channels, 0);
    assert_int_equal(world->channels.count, 0);
    world_fini(world);
    test_free(world);
}

/* R6940-5.4-1: also between nodes that have a link a channel is one of its own: it is asked for
 * candidates, and the link goes on as it was. */
static void a_channel_is_separate_from_the_link_to_the_same_node(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    for (int ice = 0; ice < 2; ice++) {
        struct reload_connection before[4], after[4];
        set_up(world, ice);
        start_all(world);
        world_connect(world, A, C, false);
        world_run(world, 100);
        assert_int_equal(reload_node_connections(world->nodes[A].node, before, 4), 2);
        uint64_t request = ask(world, SIP);
        expect_channel(world, A, C, request);
        expect_channel(world, C, A, 0);
        assert_int_equal(world->nodes[A].gathers, 1);
        assert_int_equal(reload_node_connections(world->nodes[A].node, after, 4), 2);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(before[i].link, after[i].link);
        assert_int_equal(world->channels.count, 0);
        world_fini(world);
    }
    test_free(world);
}

/* A node may ask itself. */
static void a_channel_to_this_node_itself_has_two_ends(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    for (int ice = 0; ice < 2; ice++) {
        uint64_t request;
        set_up(world, ice);
        start_all(world);
        struct reload_node_id c = world_id(world, C);
        const struct reload_target target = { .id = reload_node_id_slice(&c) };
        assert_int_equal(
            reload_node_app_attach(world->nodes[C].node, &target, SIP, world->now, &request), 0);
        world_pull(world, C);
        world_run(world, 1000);
        assert_int_equal(world->nodes[C].app_channels, 2);
        assert_int_equal(world->channels.count, 0);
        world_fini(world);
    }
    test_free(world);
}

/* Whichever one message is lost, there is one channel; nothing is left with any host. */
static unsigned lose_at, seen;

static bool lose_nth(struct world *world, size_t from, size_t to, struct reload_slice bytes)
{
    (void)world;
    (void)from;
    (void)to;
    (void)bytes;
    return ++seen == lose_at;
}

static void a_lost_message_is_made_good(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    for (int ice = 0; ice < 2; ice++)
        for (lose_at = 1; lose_at <= 5; lose_at++) {
            set_up(world, ice);
            start_all(world);
            seen = 0;
            world->lose = lose_nth;
            uint64_t request = ask(world, SIP);
            world_run(world, 30000);
            expect_channel(world, A, C, request);
            expect_channel(world, C, A, 0);
            assert_int_equal(world->channels.count, 0);
            world_fini(world);
        }
    test_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_channel_is_agreed_on_for_known_applications_only),
        cmocka_unit_test(a_requester_without_a_listener_dials_that_of_the_answerer),
        cmocka_unit_test(a_channel_is_separate_from_the_link_to_the_same_node),
        cmocka_unit_test(a_channel_to_this_node_itself_has_two_ends),
        cmocka_unit_test(a_lost_message_is_made_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
