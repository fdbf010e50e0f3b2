#include "tests/reload/node/world_internal.h"

#include <stdlib.h>

/* Links between the nodes, and the events that they bring. */

struct world_event *world_post(struct world *world, enum event_type type, size_t node,
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

struct world_link *world_find_link(const struct world *world, reload_link_id id)
{
    struct world_link *link = world->links;
    while (link && link->id != id)
        link = link->next;
    return link;
}

void world_connect_nodes(struct world *world, size_t from, size_t to, uint32_t attach,
                         bool bootstrap)
{
    struct world_link *link = calloc(1, sizeof *link);
    *link = (struct world_link){ world->links, ++world->next_link, from, to };
    world->links = link;
    struct world_event *up = world_post(world, UP, to, link->id, WORLD_DELAY, 0);
    up->inbound = true;
    up->far = from;
    up = world_post(world, UP, from, link->id, 2 * WORLD_DELAY, 0);
    up->attach = attach;
    up->bootstrap = bootstrap;
    up->far = to;
}

void world_connect(struct world *world, size_t from, size_t to, bool bootstrap)
{
    world_connect_nodes(world, from, to, 0, bootstrap);
}

void world_cut(struct world *world, struct world_link *link)
{
    struct world_link **at = &world->links;
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    world_post(world, DOWN, link->a, link->id, WORLD_DELAY, 0);
    world_post(world, DOWN, link->b, link->id, WORLD_DELAY, 0);
    free(link);
}

void world_disconnect(struct world *world, size_t a, size_t b)
{
    struct world_link *link = world->links, *next;
    for (; link; link = next) {
        next = link->next;
        if ((link->a == a && link->b == b) || (link->a == b && link->b == a))
            world_cut(world, link);
    }
}

size_t world_links_between(const struct world *world, size_t a, size_t b)
{
    size_t count = 0;
    for (const struct world_link *link = world->links; link; link = link->next)
        count += (link->a == a && link->b == b) || (link->a == b && link->b == a);
    return count;
}
