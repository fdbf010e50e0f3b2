#include "tests/topology/overlay_internal.h"

#include <stdlib.h>

/* The overlay and its nodes: who is there, what is stored, and how time goes on. */

struct overlay *overlay_new(const struct overlay_options *options)
{
    struct overlay *o = calloc(1, sizeof *o);
    o->options = *options;
    o->state = options->seed;
    o->random = (struct reload_random){ overlay_fill, o };
    o->now = 1000;
    o->config.node_id_length = 16;
    o->config.chord_reactive = !options->not_reactive;
    o->config.chord_update_interval_s =
        options->update_interval_s ? options->update_interval_s : 600;
    o->config.chord_ping_interval_s = options->ping_interval_s ? options->ping_interval_s : 3600;
    return o;
}

void overlay_free(struct overlay *o)
{
    for (size_t i = 0; i < o->count; i++) {
        overlay_ops(o)->destroy(o->nodes[i]->topology);
        free(o->nodes[i]);
    }
    while (o->heap_count > 0) {
        struct event e = overlay_take(o);
        overlay_release(e.message);
    }
    free(o->heap);
    free(o);
}

size_t overlay_add(struct overlay *o, enum reload_role role, const struct reload_node_id *id)
{
    struct overlay_node *n = calloc(1, sizeof *n);
    n->overlay = o;
    n->index = o->count;
    n->alive = true;
    overlay_host_init(n, role);
    n->host.self.len = 16;
    overlay_fill(o, n->host.self.bytes, 16);
    if (id)
        n->host.self = *id;
    o->nodes[o->count++] = n;
    if (overlay_ops(o)->create(&n->host, overlay_clock_of(o), &n->topology) != 0)
        abort();
    return n->index;
}

void overlay_join(struct overlay *o, size_t node, bool first)
{
    overlay_ops(o)->join(o->nodes[node]->topology, first, overlay_clock_of(o));
}

void overlay_leave(struct overlay *o, size_t node)
{
    overlay_ops(o)->leave(o->nodes[node]->topology, overlay_clock_of(o));
}

void overlay_kill(struct overlay *o, size_t node)
{
    o->nodes[node]->alive = false;
    for (size_t i = 0; i < o->count; i++)
        overlay_unlink_nodes(o, node, i);
}

void overlay_partition(struct overlay *o, size_t border, bool cut)
{
    o->border = border;
    o->cut = cut;
    for (size_t a = 0; cut && a < border; a++)
        for (size_t b = border; b < o->count; b++)
            overlay_unlink_nodes(o, a, b);
}

/* --- what is the case --- */

uint64_t overlay_now(const struct overlay *o)
{
    return o->now;
}

struct overlay_node *overlay_node(struct overlay *o, size_t node)
{
    return o->nodes[node];
}

size_t overlay_node_count(const struct overlay *o)
{
    return o->count;
}

struct reload_node_id overlay_resource(const struct overlay *o, size_t resource)
{
    return o->resources[resource];
}

/* --- running --- */

static uint64_t next_wake(const struct overlay *o)
{
    uint64_t wake = o->heap_count > 0 ? o->heap[0].at : RELOAD_NEVER;
    for (size_t i = 0; i < o->count; i++) {
        if (!o->nodes[i]->alive)
            continue;
        uint64_t d = overlay_ops(o)->deadline(o->nodes[i]->topology);
        if (d < wake)
            wake = d;
    }
    return wake < o->now ? o->now : wake;
}

static void run_instant(struct overlay *o)
{
    while (o->heap_count > 0 && o->heap[0].at <= o->now) {
        struct event e = overlay_take(o);
        overlay_perform(o, &e);
        overlay_release(e.message);
    }
    for (size_t i = 0; i < o->count; i++)
        if (o->nodes[i]->alive && overlay_ops(o)->deadline(o->nodes[i]->topology) <= o->now)
            overlay_ops(o)->tick(o->nodes[i]->topology, overlay_clock_of(o));
}

static bool all_joined(const struct overlay *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->nodes[i]->alive && o->nodes[i]->state != RELOAD_TOPOLOGY_JOINED)
            return false;
    return true;
}

static bool run(struct overlay *o, uint64_t ms, bool until_joined)
{
    uint64_t end = o->now + ms;
    for (;;) {
        if (until_joined && all_joined(o))
            return true;
        uint64_t wake = next_wake(o);
        if (wake > end)
            break;
        o->now = wake;
        run_instant(o);
    }
    o->now = end;
    return all_joined(o);
}

void overlay_run(struct overlay *o, uint64_t ms)
{
    (void)run(o, ms, false);
}

bool overlay_run_until_joined(struct overlay *o, uint64_t ms)
{
    return run(o, ms, true);
}

bool overlay_grow(struct overlay *o, size_t count, bool one_by_one)
{
    for (size_t i = 0; i < count; i++) {
        size_t node = overlay_add(o, RELOAD_ROLE_PEER, NULL);
        overlay_join(o, node, node == 0);
        if (one_by_one && !overlay_run_until_joined(o, 120000))
            return false;
    }
    return overlay_run_until_joined(o, 300000);
}
