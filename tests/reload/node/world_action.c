#include "tests/reload/node/world_internal.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>

/* What the nodes want done. */

#define CHECKS_MS 8000 /* until ICE checks that find nobody are given up */

static size_t node_at(const struct world *world, const struct reload_ip_address_port *address)
{
    for (size_t i = 0; i < world->count; i++)
        if (address->address.n == 4 &&
            memcmp(world->nodes[i].address_bytes, address->address.p, 4) == 0)
            return i;
    return SIZE_MAX;
}

/* --- by ICE --- */

static void gather(struct world *world, struct world_node *n,
                   const struct reload_action_gather *gather)
{
    struct channel *c = channels_gather(&world->channels, n->index, gather);
    n->gathers++;
    world_post(world, GATHERED, n->index, 0, world->gather_ms, 0)->token = c->serial;
}

void world_gathered(struct world *world, struct world_node *n, uint64_t serial)
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
        world_post(world, CHECKED, from, 0, 2 * WORLD_DELAY, 0)->token = serial;
    world_post(world, UNCHECKED, from, 0, CHECKS_MS, 0)->token = serial;
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

void world_checked(struct world *world, uint64_t serial)
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

void world_unchecked(struct world *world, struct world_node *n, uint64_t serial)
{
    const struct channel *c = channels_serial(&world->channels, serial);
    if (!c)
        return;
    uint32_t number = c->number;
    channels_end(&world->channels, n->index, number);
    reload_node_open_failed(n->node, number, world->now);
}

/* --- by dialling --- */

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
        world_post(world, OPEN_FAILED, from, 0, 10 * WORLD_DELAY, 0)->attach = open->attach;
        return;
    }
    world_connect_nodes(world, from, to, open->attach, false);
}

static void bootstrap(struct world *world, size_t from)
{
    if (world->no_bootstrap || !world->nodes[0].node || from == 0)
        world_post(world, BOOTSTRAP_FAILED, from, 0, 1000, 0);
    else
        world_connect_nodes(world, from, 0, 0, true);
}

static void send_message(struct world *world, size_t from, const struct reload_action_send *send)
{
    struct world_link *link = world_find_link(world, send->link);
    if (!link)
        return;
    size_t to = link->a == from ? link->b : link->a, len = 0;
    for (size_t i = 0; i < send->part_count; i++)
        len += send->parts[i].n;
    struct world_event *event = world_post(world, MESSAGE, to, send->link, WORLD_DELAY, len);
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

/* --- all of it --- */

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
        if ((link = world_find_link(world, action->close_link.link)))
            world_cut(world, link);
        return;
    case RELOAD_ACTION_WANT_BOOTSTRAP: bootstrap(world, n->index); return;
    case RELOAD_ACTION_PERSIST:
        n->persist_token = action->persist.token;
        n->persisted_rows += action->persist.row_count;
        if (!n->hold_persist)
            world_post(world, PERSISTED, n->index, 0, 1, 0)->token = action->persist.token;
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
