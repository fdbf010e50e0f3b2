#include "tests/reload/node/world.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>

#define CHECKS_MS 8000 /* until ICE checks that find nobody are given up */

enum event_type {
    MESSAGE,
    UP,
    DOWN,
    OPEN_FAILED,
    BOOTSTRAP_FAILED,
    PERSISTED,
    GATHERED,
    CHECKED,
    UNCHECKED
};

struct world_event {
    struct world_event *next;
    uint64_t at_ms;
    enum event_type type;
    size_t node; /* that it happens to */
    reload_link_id link;
    uint32_t attach;
    bool inbound, bootstrap;
    size_t far;
    uint64_t token; /* or a channel's serial */
    size_t len;
    uint8_t bytes[];
};

struct world_link {
    struct world_link *next;
    reload_link_id id; /* the same at both ends */
    size_t a, b;
};

static struct world_event *post(struct world *world, enum event_type type, size_t node,
                                reload_link_id link, uint64_t in_ms, size_t len)
{
    struct world_event *event = calloc(1, sizeof *event + len);
    event->at_ms = world->now.monotonic_ms + in_ms;
    event->type = type;
    event->node = node;
    event->link = link;
    event->len = len;
    struct world_event **at = &world->events;
    while (*at && (*at)->at_ms <= event->at_ms)
        at = &(*at)->next;
    event->next = *at;
    *at = event;
    return event;
}

static struct world_link *find_link(const struct world *world, reload_link_id id)
{
    struct world_link *link = world->links;
    while (link && link->id != id)
        link = link->next;
    return link;
}

/* --- links --- */

static void connect_nodes(struct world *world, size_t from, size_t to, uint32_t attach,
                          bool bootstrap)
{
    struct world_link *link = calloc(1, sizeof *link);
    *link = (struct world_link){ world->links, ++world->next_link, from, to };
    world->links = link;
    struct world_event *up = post(world, UP, to, link->id, WORLD_DELAY, 0);
    up->inbound = true;
    up->far = from;
    up = post(world, UP, from, link->id, 2 * WORLD_DELAY, 0);
    up->attach = attach;
    up->bootstrap = bootstrap;
    up->far = to;
}

void world_connect(struct world *world, size_t from, size_t to, bool bootstrap)
{
    connect_nodes(world, from, to, 0, bootstrap);
}

static void cut(struct world *world, struct world_link *link)
{
    struct world_link **at = &world->links;
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    post(world, DOWN, link->a, link->id, WORLD_DELAY, 0);
    post(world, DOWN, link->b, link->id, WORLD_DELAY, 0);
    free(link);
}

void world_disconnect(struct world *world, size_t a, size_t b)
{
    struct world_link *link = world->links, *next;
    for (; link; link = next) {
        next = link->next;
        if ((link->a == a && link->b == b) || (link->a == b && link->b == a))
            cut(world, link);
    }
}

size_t world_links_between(const struct world *world, size_t a, size_t b)
{
    size_t count = 0;
    for (const struct world_link *link = world->links; link; link = link->next)
        count += (link->a == a && link->b == b) || (link->a == b && link->b == a);
    return count;
}

static size_t node_at(const struct world *world, const struct reload_ip_address_port *address)
{
    for (size_t i = 0; i < world->count; i++)
        if (address->address.n == 4 &&
            memcmp(world->nodes[i].address_bytes, address->address.p, 4) == 0)
            return i;
    return SIZE_MAX;
}

/* --- what is gathered, and links by ICE --- */

static void gather(struct world *world, struct world_node *n,
                   const struct reload_action_gather *gather)
{
    struct channel *c = channels_gather(&world->channels, n->index, gather);
    n->gathers++;
    post(world, GATHERED, n->index, 0, world->gather_ms, 0)->token = c->serial;
}

static void gathered(struct world *world, struct world_node *n, uint64_t serial)
{
    struct channel *c = channels_serial(&world->channels, serial);
    bool ice = n->config.ice && !n->config.overlay->no_ice;
    if (!c)
        return;
    uint32_t number = c->number;
    if (world->fail_gather && world->fail_gather(world, n->index)) {
        channels_end(&world->channels, n->index, number);
        reload_node_open_failed(n->node, number, world->now);
        return;
    }
    const struct reload_slice nothing = { 0 };
    if (ice)
        channel_offer(c, RELOAD_LINK_DTLS_UDP_SR, &n->address);
    else if (n->config.address_count)
        channel_offer(c, RELOAD_LINK_TLS_TCP_FH_NO_ICE, &n->address);
    reload_node_gathered(n->node, number, ice ? channel_ufrag(c) : nothing,
                         ice ? channel_password : nothing, channel_candidates(c), world->now);
}

static void open_channel(struct world *world, size_t from,
                         const struct reload_action_open_link *open)
{
    struct channel *far = channels_open(&world->channels, from, open);
    uint64_t serial = channels_find(&world->channels, from, open->attach)->serial;
    if (far && !(world->fail_dial && world->fail_dial(world, from, far->node)))
        post(world, CHECKED, from, 0, 2 * WORLD_DELAY, 0)->token = serial;
    post(world, UNCHECKED, from, 0, CHECKS_MS, 0)->token = serial;
}

static void ice_link_up(struct world *world, const struct channel *c, reload_link_id link)
{
    const struct channel *far = channels_serial(&world->channels, c->far);
    const struct world_node *n = &world->nodes[c->node], *other = &world->nodes[far->node];
    const struct reload_node_link info = {
        .type = RELOAD_LINK_DTLS_UDP_SR,
        .node_ids = other->certificate.node_ids,
        .node_id_count = other->certificate.node_id_count,
        .attach = c->number,
        .inbound = c->requester,
    };
    reload_node_link_up(n->node, link, &info, world->now);
}

/* Both ends have a link, at once; what follows from that comes later. */
static void checked(struct world *world, uint64_t serial)
{
    struct channel *c = channels_serial(&world->channels, serial);
    struct channel *far = c ? channels_serial(&world->channels, c->far) : NULL;
    if (!far)
        return;
    struct world_link *link = calloc(1, sizeof *link);
    *link = (struct world_link){ world->links, ++world->next_link, c->node, far->node };
    world->links = link;
    reload_link_id id = link->id;
    size_t here = c->node, there = far->node;
    uint32_t number = c->number, far_number = far->number;
    ice_link_up(world, c, id);
    ice_link_up(world, far, id);
    channels_end(&world->channels, here, number);
    channels_end(&world->channels, there, far_number);
    world->nodes[here].ice_links++;
    world->nodes[there].ice_links++;
    world_pull(world, here);
    world_pull(world, there);
}

static void unchecked(struct world *world, struct world_node *n, uint64_t serial)
{
    const struct channel *c = channels_serial(&world->channels, serial);
    if (!c)
        return;
    uint32_t number = c->number;
    channels_end(&world->channels, n->index, number);
    reload_node_open_failed(n->node, number, world->now);
}

static void open_link(struct world *world, size_t from, const struct reload_action_open_link *open)
{
    world->nodes[from].dials++;
    if (open->link_type == RELOAD_LINK_DTLS_UDP_SR) {
        open_channel(world, from, open);
        return;
    }
    size_t to = node_at(world, &open->addresses[0]);
    if (to == SIZE_MAX || !world->nodes[to].node ||
        (world->fail_dial && world->fail_dial(world, from, to))) {
        post(world, OPEN_FAILED, from, 0, 10 * WORLD_DELAY, 0)->attach = open->attach;
        return;
    }
    connect_nodes(world, from, to, open->attach, false);
}

static void bootstrap(struct world *world, size_t from)
{
    if (world->no_bootstrap || !world->nodes[0].node || from == 0)
        post(world, BOOTSTRAP_FAILED, from, 0, 1000, 0);
    else
        connect_nodes(world, from, 0, 0, true);
}

static void send_message(struct world *world, size_t from, const struct reload_action_send *send)
{
    struct world_link *link = find_link(world, send->link);
    if (!link)
        return;
    size_t to = link->a == from ? link->b : link->a, len = 0;
    for (size_t i = 0; i < send->part_count; i++)
        len += send->parts[i].n;
    struct world_event *event = post(world, MESSAGE, to, send->link, WORLD_DELAY, len);
    size_t at = 0;
    for (size_t i = 0; i < send->part_count; i++) {
        memcpy(event->bytes + at, send->parts[i].p, send->parts[i].n);
        at += send->parts[i].n;
    }
    if (world->lose && world->lose(world, from, to, reload_slice_of(event->bytes, len))) {
        event->len = 0;
        world->lost++;
    }
}

/* --- actions --- */

static void keep_result(struct world_node *n, const struct reload_result *r)
{
    if (n->result_count == WORLD_RESULTS)
        n->result_count = 0;
    size_t i = n->result_count++;
    n->results[i] = *r;
    if (!r->value_count)
        return;
    n->values[i] = r->values[0];
    size_t len = r->values[0].value.n < 64 ? r->values[0].value.n : 64;
    memcpy(n->value_bytes[i], r->values[0].value.p, len);
    n->values[i].value = reload_slice_of(n->value_bytes[i], len);
}

static void act(struct world *world, struct world_node *n, const struct reload_action *action)
{
    struct world_link *link;
    switch (action->type) {
    case RELOAD_ACTION_SEND: send_message(world, n->index, &action->send); return;
    case RELOAD_ACTION_GATHER: gather(world, n, &action->gather); return;
    case RELOAD_ACTION_ABANDON:
        channels_end(&world->channels, n->index, action->abandon.attach);
        n->abandons++;
        return;
    case RELOAD_ACTION_OPEN_LINK: open_link(world, n->index, &action->open_link); return;
    case RELOAD_ACTION_CLOSE_LINK:
        n->closes++;
        if ((link = find_link(world, action->close_link.link)))
            cut(world, link);
        return;
    case RELOAD_ACTION_WANT_BOOTSTRAP: bootstrap(world, n->index); return;
    case RELOAD_ACTION_PERSIST:
        n->persist_token = action->persist.token;
        n->persisted_rows += action->persist.row_count;
        if (!n->hold_persist)
            post(world, PERSISTED, n->index, 0, 1, 0)->token = action->persist.token;
        return;
    case RELOAD_ACTION_REQUEST_DONE: keep_result(n, &action->result); return;
    case RELOAD_ACTION_APP_CHANNEL:
        n->app_channels++;
        n->app_channel = action->app_channel;
        if (action->app_channel.attach)
            channels_end(&world->channels, n->index, action->app_channel.attach);
        return;
    case RELOAD_ACTION_CONFIG_CHANGED: n->config_changes++; return;
    case RELOAD_ACTION_STATE_CHANGED:
        snprintf(n->state_text, sizeof n->state_text, "%s", action->state_changed.text);
        return;
    case RELOAD_ACTION_LOG:
        if (getenv("RELOAD_TEST_LOG"))
            printf("%llu n%zu %s\n", (unsigned long long)world->now.monotonic_ms, n->index,
                   action->log.text);
        return;
    }
}

void world_pull(struct world *world, size_t node)
{
    struct reload_action action;
    while (world->nodes[node].node && reload_node_next(world->nodes[node].node, &action))
        act(world, &world->nodes[node], &action);
}

/* --- nodes --- */

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
            cut(world, link);
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

/* --- time --- */

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
    if (find_link(world, event->link))
        reload_node_link_up(n->node, event->link, &info, world->now);
}

static void happen(struct world *world, const struct world_event *event)
{
    struct world_node *n = &world->nodes[event->node];
    if (!n->node)
        return;
    switch (event->type) {
    case MESSAGE:
        if (event->len && find_link(world, event->link))
            reload_node_receive(n->node, event->link, event->bytes, event->len, world->now);
        break;
    case UP: tell_up(world, n, event); break;
    case DOWN: reload_node_link_down(n->node, event->link, world->now); break;
    case OPEN_FAILED: reload_node_open_failed(n->node, event->attach, world->now); break;
    case BOOTSTRAP_FAILED: reload_node_bootstrap_failed(n->node, world->now); break;
    case PERSISTED: reload_node_persisted(n->node, event->token, true, world->now); break;
    case GATHERED: gathered(world, n, event->token); break;
    case CHECKED: checked(world, event->token); break;
    case UNCHECKED: unchecked(world, n, event->token); break;
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
