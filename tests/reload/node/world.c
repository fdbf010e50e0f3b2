#include "tests/reload/node/world_internal.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>

/* The nodes, and how time goes on. */

void world_init(struct world *world, const struct reload_topology_ops *ops)
{
    memset(world, 0, sizeof *world);
    reload_standin_config_init(&world->config);
    world->config.config.topology_plugin = ops->name;
    world->ops = ops;
    world->gather_ms = 3 * WORLD_DELAY;
    world->now = (struct reload_time){ 1000, UINT64_C(1700000000000) };
}

size_t world_add(struct world *world, const struct reload_node_id *id)
{
    size_t i = world->count++;
    struct world_node *n = &world->nodes[i];
    char user[40];
    static char users[WORLD_NODES][40];
    snprintf(user, sizeof user, "user%zu@overlay.example", i);
    memcpy(users[i], user, sizeof user);
    struct reload_node_id some = reload_standin_node_id(i + 1);
    n->world = world;
    n->index = i;
    n->certificate = reload_standin_certificate(&world->config.config, id ? id : &some, users[i]);
    memcpy(n->address_bytes, (uint8_t[]){ 10, 0, 0, (uint8_t)(i + 1) }, 4);
    n->address = (struct reload_ip_address_port){ RELOAD_ADDRESS_IPV4, 6084,
                                                  reload_slice_of(n->address_bytes, 4) };
    n->config = (struct reload_node_config){
        .overlay = &world->config.config,
        .topology = world->ops,
        .random = reload_standin_random(&n->random, i + 1),
        .addresses = &n->address,
        .address_count = 1,
        .ice = true,
        .log_level = getenv("RELOAD_TEST_LOG") ? RELOAD_LOG_DEBUG : RELOAD_LOG_ERROR,
    };
    return i;
}

void world_start(struct world *world, size_t node)
{
    struct world_node *n = &world->nodes[node];
    n->standin = reload_standin_new(n->config.overlay, &n->certificate, 0);
    n->config.crypto = reload_standin_crypto(n->standin);
    assert_int_equal(reload_node_new(&n->config, world->now, &n->node), 0);
    world_pull(world, node);
}

void world_join(struct world *world, size_t node, bool first)
{
    reload_node_join(world->nodes[node].node, first, world->now);
    world_pull(world, node);
}

void world_kill(struct world *world, size_t node)
{
    struct world_link *link = world->links, *next;
    for (; link; link = next) {
        next = link->next;
        if (link->a == node || link->b == node)
            world_cut(world, link);
    }
    channels_kill(&world->channels, node);
    reload_node_free(world->nodes[node].node);
    reload_standin_free(world->nodes[node].standin);
    world->nodes[node].node = NULL;
}

void world_fini(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        if (world->nodes[i].node)
            world_kill(world, i);
    while (world->events) {
        struct world_event *event = world->events;
        world->events = event->next;
        free(event);
    }
}

/* --- what happens --- */

static void tell_up(struct world *world, struct world_node *n, const struct world_event *event)
{
    const struct world_node *far = &world->nodes[event->far];
    const struct reload_node_link info = {
        .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
        .node_ids = far->certificate.node_ids,
        .node_id_count = far->certificate.node_id_count,
        .attach = event->attach,
        .bootstrap = event->bootstrap,
        .inbound = event->inbound,
    };
    if (world_find_link(world, event->link))
        reload_node_link_up(n->node, event->link, &info, world->now);
}

static void happen(struct world *world, const struct world_event *event)
{
    struct world_node *n = &world->nodes[event->node];
    if (!n->node)
        return;
    switch (event->type) {
    case MESSAGE:
        if (event->len && world_find_link(world, event->link))
            reload_node_receive(n->node, event->link, event->bytes, event->len, world->now);
        break;
    case UP: tell_up(world, n, event); break;
    case DOWN: reload_node_link_down(n->node, event->link, world->now); break;
    case OPEN_FAILED: reload_node_open_failed(n->node, event->attach, world->now); break;
    case BOOTSTRAP_FAILED: reload_node_bootstrap_failed(n->node, world->now); break;
    case PERSISTED: reload_node_persisted(n->node, event->token, true, world->now); break;
    case GATHERED: world_gathered(world, n, event->token); break;
    case CHECKED: world_checked(world, event->token); break;
    case UNCHECKED: world_unchecked(world, n, event->token); break;
    }
    world_pull(world, event->node);
}

static uint64_t next_moment(const struct world *world, size_t *tick)
{
    uint64_t at = world->events ? world->events->at_ms : RELOAD_NEVER;
    *tick = SIZE_MAX;
    for (size_t i = 0; i < world->count; i++) {
        uint64_t deadline =
            world->nodes[i].node ? reload_node_deadline(world->nodes[i].node) : RELOAD_NEVER;
        if (deadline < at) {
            at = deadline;
            *tick = i;
        }
    }
    return at;
}

void world_run(struct world *world, uint64_t ms)
{
    uint64_t end = world->now.monotonic_ms + ms, at;
    size_t tick;
    while ((at = next_moment(world, &tick)) <= end) {
        if (at > world->now.monotonic_ms) {
            world->now.unix_ms += at - world->now.monotonic_ms;
            world->now.monotonic_ms = at;
        }
        if (tick != SIZE_MAX) {
            reload_node_tick(world->nodes[tick].node, world->now);
            world_pull(world, tick);
            continue;
        }
        struct world_event *event = world->events;
        world->events = event->next;
        happen(world, event);
        free(event);
    }
    world->now.unix_ms += end - world->now.monotonic_ms;
    world->now.monotonic_ms = end;
}

void world_grow(struct world *world, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t node = world_add(world, NULL);
        world_start(world, node);
        world_join(world, node, i == 0);
        for (int tries = 0;
             tries < 120 && reload_node_state(world->nodes[node].node) != RELOAD_TOPOLOGY_JOINED;
             tries++)
            world_run(world, 1000);
        assert_int_equal(reload_node_state(world->nodes[node].node), RELOAD_TOPOLOGY_JOINED);
        world_run(world, 2000);
    }
}

/* --- what is the case --- */

struct reload_node_id world_id(const struct world *world, size_t node)
{
    return world->nodes[node].certificate.node_ids[0];
}

const struct reload_result *world_result(const struct world *world, size_t node)
{
    const struct world_node *n = &world->nodes[node];
    assert_true(n->result_count > 0);
    return &n->results[n->result_count - 1];
}

const struct reload_result *world_result_of(const struct world *world, size_t node,
                                            uint64_t request)
{
    const struct world_node *n = &world->nodes[node];
    for (size_t i = 0; i < n->result_count; i++)
        if (n->results[i].request == request)
            return &n->results[i];
    return NULL;
}

size_t world_owner(const struct world *world, struct reload_slice id)
{
    size_t owner = SIZE_MAX;
    for (size_t i = 0; i < world->count; i++) {
        if (!world->nodes[i].node || !reload_node_responsible(world->nodes[i].node, id))
            continue;
        assert_int_equal(owner, SIZE_MAX);
        owner = i;
    }
    assert_int_not_equal(owner, SIZE_MAX);
    return owner;
}
