/* The Connection Table: links, whose they are, and several to one node. */
#include "tests/reload/node/rig.h"
#include "tests/reload/node/world.h"

#include "reload/wire/attach.h"
#include "topology/mesh/mesh.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static void up(struct rig *rig, reload_link_id link, size_t party, bool inbound)
{
    const struct reload_node_link info = { .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
                                           .node_ids = &rig->parties[party].id,
                                           .node_id_count = 1,
                                           .inbound = inbound };
    reload_node_link_up(rig->node, link, &info, rig->now);
    rig_pull(rig);
}

static void down(struct rig *rig, reload_link_id link)
{
    reload_node_link_down(rig->node, link, rig->now);
    rig_pull(rig);
}

static reload_link_id link_used(struct rig *rig, size_t party)
{
    uint64_t request;
    reload_link_id link;
    const struct reload_target target = { .id = reload_node_id_slice(&rig->parties[party].id) };
    rig_clear(rig);
    assert_int_equal(
        reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &request), 0);
    rig_pull(rig);
    rig_sent(rig, 0, &link);
    return link;
}

/* A party whose Node-ID is below or above the node's. */
static size_t party_with(const struct rig *rig, bool larger)
{
    for (size_t i = 0; i < RIG_PARTIES; i++)
        if ((reload_node_id_compare(&rig->parties[i].id, &rig->me.id) > 0) == larger)
            return i;
    fail_msg("no such party");
    return 0;
}

static void the_topology_hears_of_the_first_and_the_last_link_to_a_node(void **state)
{
    struct rig *rig = *state;
    up(rig, 1, 0, true);
    up(rig, 2, 0, false);
    assert_int_equal(rig->fake.link_ups, 1);
    down(rig, 1);
    assert_int_equal(rig->fake.link_downs, 0);
    assert_int_equal(link_used(rig, 0), 2);
    down(rig, 2);
    assert_int_equal(rig->fake.link_downs, 1);
    down(rig, 2);
    assert_int_equal(rig->fake.link_downs, 1);
}

/* The larger Node-ID prefers the newer link and closes the older one, a moment later. */
static void the_larger_node_closes_the_older_link(void **state)
{
    struct rig *rig = *state;
    size_t small = party_with(rig, false);
    up(rig, 1, small, true);
    up(rig, 2, small, false);
    assert_int_equal(link_used(rig, small), 2);
    rig_run(rig, 1900);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_CLOSE_LINK), 0);
    rig_run(rig, 200);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_CLOSE_LINK), 1);
    assert_int_equal(rig_action(rig, RELOAD_ACTION_CLOSE_LINK, 0)->action.close_link.link, 1);
}

/* The smaller one closes nothing, and follows the far end's choice; what was under way when the
 * newer link came up is no such choice. */
static void the_smaller_node_follows_the_larger_ones_choice(void **state)
{
    struct rig *rig = *state;
    size_t large = party_with(rig, true);
    up(rig, 1, large, true);
    up(rig, 2, large, false);
    assert_int_equal(link_used(rig, large), 2);
    struct rig_message m = { .signer = &rig->parties[large],
                             .code = RELOAD_PING_REQ,
                             .body = rig_ping };
    rig_receive(rig, 1, &m);
    assert_int_equal(link_used(rig, large), 2);
    rig_wait(rig, 1000);
    rig_receive(rig, 1, &m);
    assert_int_equal(link_used(rig, large), 1);
    rig_run(rig, 60000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_CLOSE_LINK), 0);
}

/* The topology left the node out as the link in use missed acks. */
static void a_choice_that_replaces_a_suspect_link_is_told(void **state)
{
    struct rig *rig = *state;
    size_t large = party_with(rig, true);
    up(rig, 1, large, true);
    up(rig, 2, large, false);
    reload_node_link_suspect(rig->node, 2, true, rig->now);
    rig_wait(rig, 1000);
    assert_int_equal(rig->fake.link_ups, 1);
    struct rig_message m = { .signer = &rig->parties[large],
                             .code = RELOAD_PING_REQ,
                             .body = rig_ping };
    rig_receive(rig, 1, &m);
    assert_int_equal(rig->fake.link_ups, 2);
}

/* What remains may miss acks itself. */
static void a_suspect_link_that_takes_over_is_told(void **state)
{
    struct rig *rig = *state;
    up(rig, 1, 0, true);
    up(rig, 2, 0, false);
    reload_node_link_suspect(rig->node, 1, true, rig->now);
    assert_int_equal(rig->fake.suspects, 0);
    down(rig, 2);
    assert_int_equal(rig->fake.suspects, 1);
    assert_int_equal(rig->fake.link_downs, 0);
    reload_node_link_suspect(rig->node, 1, false, rig->now);
    assert_int_equal(rig->fake.link_ups, 2);
}

/* If the newer link goes while the older waits to be closed, the older one stays. */
static void a_superfluous_link_is_kept_when_it_is_needed_again(void **state)
{
    struct rig *rig = *state;
    size_t small = party_with(rig, false);
    up(rig, 1, small, true);
    up(rig, 2, small, false);
    down(rig, 2);
    rig_run(rig, 60000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_CLOSE_LINK), 0);
    assert_int_equal(link_used(rig, small), 1);
    assert_int_equal(rig->fake.link_downs, 0);
}

/* s6.6.5: a suspect link is routed around, not dropped. */
static void a_suspect_link_is_told_and_told_again_when_it_recovers(void **state)
{
    struct rig *rig = *state;
    struct reload_connection c;
    up(rig, 1, 0, true);
    reload_node_link_suspect(rig->node, 1, true, rig->now);
    reload_node_link_suspect(rig->node, 1, true, rig->now);
    rig_pull(rig);
    assert_int_equal(rig->fake.suspects, 1);
    assert_int_equal(reload_node_connections(rig->node, &c, 1), 1);
    assert_true(c.suspect);
    reload_node_link_suspect(rig->node, 1, false, rig->now);
    rig_pull(rig);
    assert_int_equal(rig->fake.link_ups, 2);
    up(rig, 2, 0, true); /* a fresh link to a suspect node is good news as well */
    reload_node_link_suspect(rig->node, 2, true, rig->now);
    up(rig, 3, 0, true);
    rig_pull(rig);
    assert_int_equal(rig->fake.suspects, 2);
    assert_int_equal(rig->fake.link_ups, 3);
}

static void the_cap_on_links_holds(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.limits.max_links = 3;
    rig_start(&rig);
    for (size_t i = 0; i < 5; i++)
        up(&rig, (reload_link_id)(i + 1), i, true);
    assert_int_equal(rig.fake.link_ups, 3);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_CLOSE_LINK), 2);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 2);
    down(&rig, 2);
    up(&rig, 9, 5, true);
    assert_int_equal(rig.fake.link_ups, 4);
    rig_fini(&rig);
}

static void a_link_to_oneself_is_closed(void **state)
{
    struct rig *rig = *state;
    const struct reload_node_link info = { .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
                                           .node_ids = &rig->me.id,
                                           .node_id_count = 1 };
    reload_node_link_up(rig->node, 1, &info, rig->now);
    rig_pull(rig);
    assert_int_equal(rig->fake.link_ups, 0);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_CLOSE_LINK), 1);
}

static void bring_bootstrap(struct rig *rig, const struct reload_node_id *ids, size_t count)
{
    const struct reload_node_link info = { .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
                                           .node_ids = ids,
                                           .node_id_count = count,
                                           .bootstrap = true };
    reload_node_link_up(rig->node, 1, &info, rig->now);
    rig_pull(rig);
}

static void the_topology_gets_its_bootstrap_node(void **state)
{
    struct rig *rig = *state;
    reload_node_join(rig->node, false, rig->now);
    rig_pull(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_WANT_BOOTSTRAP), 1);
    reload_node_bootstrap_failed(rig->node, rig->now);
    rig_pull(rig);
    assert_int_equal(rig->fake.bootstrap_failures, 1);
    bring_bootstrap(rig, &rig->parties[0].id, 1);
    assert_int_equal(rig->fake.bootstraps, 1);
    reload_node_join(rig->node, false, rig->now); /* it wants one again: the present one */
    rig_pull(rig);
    assert_int_equal(rig->fake.bootstraps, 2);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_WANT_BOOTSTRAP), 1);
}

static struct reload_slice attach_answer(void)
{
    static uint8_t buffer[64];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_attach body = { .role = reload_slice_of("active", 6) };
    assert_int_equal(reload_attach_encode(&w, &body), 0);
    return reload_writer_slice(&w);
}

/* Answers the n-th message sent, which must be an Attach to that party over link 1. */
static void answer_attach(struct rig *rig, size_t n, size_t party)
{
    reload_link_id link;
    struct reload_message attach = rig_sent(rig, n, &link);
    assert_int_equal(link, 1);
    assert_int_equal(attach.message_code, RELOAD_ATTACH_REQ);
    assert_true(reload_slice_equal(attach.header.destination_list,
                                   rig_nodes(&rig->parties[party].id, NULL)));
    struct rig_message m = { .signer = &rig->parties[party],
                             .code = RELOAD_ATTACH_ANS,
                             .body = attach_answer(),
                             .transaction_id = attach.header.transaction_id };
    rig_receive(rig, 1, &m);
}

/* R6940-4.2.1-3: which of its Node-IDs a bootstrap node uses is asked by Ping, over that link, and
 * its signature tells; then the Attach, before any other traffic. */
static void a_bootstrap_node_with_several_node_ids_is_asked_which_it_uses(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    const struct reload_node_id ids[] = { reload_standin_node_id(900), rig.parties[0].id };
    bring_bootstrap(&rig, ids, 2);
    assert_int_equal(rig.fake.bootstraps, 0);
    struct reload_message ping = rig_sent(&rig, 0, &link);
    struct reload_node_id wildcard = reload_node_id_wildcard(16);
    assert_int_equal(link, 1);
    assert_int_equal(ping.message_code, RELOAD_PING_REQ);
    assert_true(reload_slice_equal(ping.header.destination_list, rig_nodes(&wildcard, NULL)));
    static const uint8_t body[16];
    struct rig_message m = { .signer = &rig.parties[3],
                             .code = RELOAD_PING_ANS,
                             .body = { body, 16 },
                             .transaction_id = ping.header.transaction_id };
    rig_receive(&rig, 1, &m); /* somebody the link does not prove */
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    m.signer = &rig.parties[0];
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.bootstraps, 0);
    answer_attach(&rig, 1, 0);
    assert_int_equal(rig.fake.bootstraps, 1);
    assert_true(reload_node_id_equal(&rig.fake.last_node, &rig.parties[0].id));
    /* R6940-6.5.1.13-1: it may dial after that Attach; the link is that node's as well. */
    const struct reload_node_link second = {
        .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE, .node_ids = ids, .node_id_count = 2, .inbound = true
    };
    reload_node_link_up(rig.node, 2, &second, rig.now);
    rig_pull(&rig);
    assert_int_equal(link_used(&rig, 0), 2);
    rig_wait(&rig, 30000); /* much later it is not taken for that */
    reload_node_link_up(rig.node, 3, &second, rig.now);
    rig_pull(&rig);
    assert_int_equal(link_used(&rig, 0), 2);
    rig_fini(&rig);

    rig_init(&rig);
    rig_start(&rig);
    bring_bootstrap(&rig, ids, 2);
    rig_run(&rig, 15000); /* it says nothing */
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_CLOSE_LINK), 1);
    down(&rig, 1);
    assert_int_equal(rig.fake.bootstrap_failures, 1);
    rig_fini(&rig);
}

/* R6940-4.2.1-3 R6940-6.1.2-11: a node with several Node-IDs of its own attaches over the link
 * first.
 */
static void a_node_with_several_node_ids_attaches_before_other_traffic(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig_act_as_one_of_several(&rig, 1);
    rig_start(&rig);
    bring_bootstrap(&rig, &rig.parties[0].id, 1);
    assert_int_equal(rig.fake.bootstraps, 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    answer_attach(&rig, 0, 0);
    assert_int_equal(rig.fake.bootstraps, 1);
    assert_int_equal(rig.fake.link_ups, 1);
    rig_fini(&rig);

    rig_init(&rig);
    rig_act_as_one_of_several(&rig, 1);
    rig_start(&rig);
    bring_bootstrap(&rig, &rig.parties[0].id, 1);
    rig_run(&rig, 15000);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_CLOSE_LINK), 1);
    rig_fini(&rig);
}

/* R6940-6.3.2.1-5: before the two know each other, the far end of a link that this node dialled may
 * bring it a newer configuration, without which the Attach would be refused again and again. */
static void a_newer_configuration_passes_while_a_link_is_unbound(void **state)
{
    static const uint8_t update[] = { 1, 0, 0, 0, 0 };
    (void)state;
    for (int run = 0; run < 3; run++) { /* own Node-IDs, the far end's, and an inbound link's */
        struct rig rig;
        rig_init(&rig);
        if (run == 0)
            rig_act_as_one_of_several(&rig, 1);
        rig_start(&rig);
        if (run == 2)
            rig_link_multiple(&rig, 0, 1);
        const struct reload_node_id ids[] = { rig.parties[0].id, reload_standin_node_id(900) };
        if (run < 2)
            bring_bootstrap(&rig, ids, run == 0 ? 1 : 2);
        assert_int_equal(rig.fake.link_ups, 0);
        struct rig_message m = { .signer = &rig.parties[0],
                                 .code = RELOAD_CONFIG_UPDATE_REQ,
                                 .body = { update, sizeof update },
                                 .sequence = RELOAD_SEQUENCE_ANY };
        rig_receive(&rig, 1, &m);
        assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNBOUND), run == 2);
        assert_int_equal(reload_node_counters(rig.node)->delivered, run < 2);
        rig_fini(&rig);
    }
}

/* R6940-6.1.2-12 R6940-6.1.2-11: nodes whose certificates name several Node-IDs join and talk. */
static void nodes_with_several_node_ids_join(void **state)
{
    struct world *world = test_malloc(sizeof *world);
    (void)state;
    world_init(world, &reload_mesh_ops);
    for (size_t i = 0; i < 4; i++) {
        struct reload_standin_certificate *c = &world->nodes[world_add(world, NULL)].certificate;
        c->node_ids[c->node_id_count++] = reload_standin_node_id(500 + i);
        world_start(world, i);
        world_join(world, i, i == 0);
        world_run(world, 10000);
        assert_int_equal(reload_node_state(world->nodes[i].node), RELOAD_TOPOLOGY_JOINED);
    }
    for (size_t i = 0; i < 16; i++) {
        uint64_t request;
        struct reload_node_id id = world_id(world, i % 4);
        const struct reload_target target = { .id = reload_node_id_slice(&id) };
        assert_int_equal(reload_node_request(world->nodes[i / 4].node, &target, RELOAD_PING_REQ,
                                             rig_ping, world->now, &request),
                         0);
        world_pull(world, i / 4);
        world_run(world, 1000);
        assert_int_equal(world_result(world, i / 4)->error, 0);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(reload_node_counters(world->nodes[i].node)->dropped[RELOAD_DROP_UNBOUND],
                         0);
    world_fini(world);
    test_free(world);
}

/* The topology has forgotten the node: without the second link_up it would never use that link. */
static void a_link_that_comes_while_the_topology_closes_others_is_told(void **state)
{
    struct rig *rig = *state;
    up(rig, 1, 0, false);
    up(rig, 2, 0, true);
    rig_clear(rig);
    rig->fake.host->disconnect(rig->fake.host->context, &rig->parties[0].id);
    reload_node_tick(rig->node, rig->now);
    rig_pull(rig);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_CLOSE_LINK), 2);
    assert_int_equal(rig->fake.link_ups, 1);
    reload_node_link_suspect(rig->node, 2, true, rig->now);
    reload_node_link_suspect(rig->node, 2, false, rig->now);
    assert_int_equal(rig->fake.suspects, 0);
    assert_int_equal(rig->fake.link_ups, 1);
    up(rig, 3, 0, true);
    assert_int_equal(rig->fake.link_ups, 2);
    down(rig, 1);
    down(rig, 2);
    assert_int_equal(rig->fake.link_downs, 0);
    assert_int_equal(link_used(rig, 0), 3);
}

/* s10.9: also the far ends that no Leave went to learn of it, before the owner ends the process. */
static void a_node_that_has_left_closes_its_links(void **state)
{
    struct rig *rig = *state;
    up(rig, 1, 0, false);
    up(rig, 2, 1, true);
    rig_clear(rig);
    reload_node_leave(rig->node, rig->now);
    rig_pull(rig);
    assert_int_equal(reload_node_state(rig->node), RELOAD_TOPOLOGY_LEFT);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_CLOSE_LINK), 2);
    assert_int_equal(rig->actions[0].action.type, RELOAD_ACTION_CLOSE_LINK);
    assert_int_equal(rig->actions[2].action.type, RELOAD_ACTION_STATE_CHANGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_ALONE(the_topology_hears_of_the_first_and_the_last_link_to_a_node),
        RIG_ALONE(the_larger_node_closes_the_older_link),
        RIG_ALONE(the_smaller_node_follows_the_larger_ones_choice),
        RIG_ALONE(a_choice_that_replaces_a_suspect_link_is_told),
        RIG_ALONE(a_suspect_link_that_takes_over_is_told),
        RIG_ALONE(a_superfluous_link_is_kept_when_it_is_needed_again),
        RIG_ALONE(a_suspect_link_is_told_and_told_again_when_it_recovers),
        cmocka_unit_test(the_cap_on_links_holds),
        RIG_ALONE(a_link_to_oneself_is_closed),
        RIG_ALONE(a_link_that_comes_while_the_topology_closes_others_is_told),
        RIG_ALONE(a_node_that_has_left_closes_its_links),
        RIG_ALONE(the_topology_gets_its_bootstrap_node),
        cmocka_unit_test(a_bootstrap_node_with_several_node_ids_is_asked_which_it_uses),
        cmocka_unit_test(a_node_with_several_node_ids_attaches_before_other_traffic),
        cmocka_unit_test(a_newer_configuration_passes_while_a_link_is_unbound),
        cmocka_unit_test(nodes_with_several_node_ids_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
