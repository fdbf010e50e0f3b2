#include "tests/sim/world_internal.h"

#include <stdlib.h>

/* Links between the places: their delay, their order, how they are missed, and what of a datagram
 * link gets through. */

uint32_t world_some_delay(struct world *w)
{
    uint32_t span = w->options.delay_max_ms - w->options.delay_min_ms + 1;
    return w->options.delay_min_ms + (uint32_t)(world_random(w) % span);
}

bool world_reaches(const struct world *w, uint32_t a, uint32_t b)
{
    return w->places[a].group == w->places[b].group;
}

uint32_t world_side_of_link(const struct link *link, uint32_t place)
{
    return link->node[1] == place;
}

bool world_link_is_for(const struct world *w, const struct link *link, uint32_t place)
{
    uint32_t side = world_side_of_link(link, place);
    return link->open[side] && link->life[side] == w->places[place].life;
}

bool world_far_end_is_there(const struct world *w, const struct link *link, uint32_t side)
{
    uint32_t far = link->node[1 - side];
    return link->open[1 - side] && link->life[1 - side] == w->places[far].life &&
           w->places[far].node && world_reaches(w, link->node[side], far);
}

static void add_to_place(struct world *w, struct place *p, uint32_t link)
{
    if (p->link_count == p->link_cap) {
        size_t kept = 0; /* forget what is closed before growing */
        uint32_t place = (uint32_t)(p - w->places);
        for (size_t i = 0; i < p->link_count; i++)
            if (world_link_is_for(w, &w->links[p->links[i]], place))
                p->links[kept++] = p->links[i];
        p->link_count = kept;
        if (2 * kept >= p->link_cap) {
            p->link_cap = p->link_cap ? 2 * p->link_cap : 64;
            p->links = realloc(p->links, p->link_cap * sizeof *p->links);
        }
    }
    p->links[p->link_count++] = link;
}

uint32_t world_make_link(struct world *w, uint32_t a, uint32_t b)
{
    if (w->link_count == w->link_cap) {
        w->link_cap = w->link_cap ? 2 * w->link_cap : 4096;
        w->links = realloc(w->links, w->link_cap * sizeof *w->links);
    }
    uint32_t at = (uint32_t)w->link_count++;
    w->links[at] = (struct link){ .node = { a, b },
                                  .life = { w->places[a].life, w->places[b].life },
                                  .open = { true, true },
                                  .delay_ms = world_some_delay(w) };
    add_to_place(w, &w->places[a], at);
    add_to_place(w, &w->places[b], at);
    return at;
}

uint64_t world_arrival(struct world *w, struct link *link, uint32_t side)
{
    uint64_t at = w->now_ms + link->delay_ms;
    if (at < link->last_ms[side])
        at = link->last_ms[side];
    link->last_ms[side] = at;
    return at;
}

void world_tell_link(struct world *w, enum event_type what, uint32_t link, uint32_t side,
                     uint64_t at_ms)
{
    const struct link *l = &w->links[link];
    events_add(&w->events, (struct event){ .type = what,
                                           .at_ms = at_ms,
                                           .to = l->node[side],
                                           .life = l->life[side],
                                           .link = link });
}

void world_tell_suspect(struct world *w, uint32_t link, uint32_t side)
{
    if (!w->options.datagrams)
        world_tell_link(w, EVENT_SUSPECT, link, side, w->now_ms + SUSPECT_AFTER_MS);
}

/* --- links of datagrams --- */

void world_await_ack(struct world *w, uint32_t link, uint32_t side)
{
    uint64_t at_ms = w->links[link].sender[side].rto_at_ms;
    if (at_ms != RELOAD_NEVER)
        world_tell_link(w, EVENT_RTO, link, side, at_ms);
}

bool world_send_datagrams(struct world *w, uint32_t side, struct event *e)
{
    struct link *link = &w->links[e->link];
    uint32_t rto_ms = datagram_rto_ms(link->delay_ms);
    bool idle = link->sender[side].unacked == 0;
    datagram_sent(&link->sender[side], w->now_ms, rto_ms);
    if (idle)
        world_await_ack(w, e->link, side);
    struct datagram_trip trip = datagram_trip(&w->random, w->options.loss_per_million, rto_ms);
    e->at_ms = trip.arrives_ms == RELOAD_NEVER ? RELOAD_NEVER
                                               : w->now_ms + link->delay_ms + trip.arrives_ms;
    e->number = trip.ack_ms;
    if (trip.ack_ms == RELOAD_NEVER)
        world_tell_link(w, EVENT_GIVEN_UP, e->link, side, w->now_ms + datagram_span_ms(rto_ms) + 1);
    return e->at_ms != RELOAD_NEVER;
}

void world_acknowledge(struct world *w, const struct event *e)
{
    const struct link *link = &w->links[e->link];
    if (e->number != RELOAD_NEVER)
        world_tell_link(w, EVENT_ACKED, e->link, world_side_of_link(link, e->from),
                        w->now_ms + link->delay_ms + e->number);
}
