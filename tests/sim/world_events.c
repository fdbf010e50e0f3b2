#include "tests/sim/world_internal.h"

#include <stdlib.h>
#include <string.h>

/* What happens to the nodes, one event after the other. */

static void note_bytes(struct world *w, const uint8_t *p, size_t n)
{
    world_note(w, n);
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        world_note(w, word);
    }
    while (n-- > 0)
        world_note(w, *p++);
}

static void on_deliver(struct world *w, const struct event *e)
{
    const struct link *link = &w->links[e->link];
    if (!world_link_is_for(w, link, e->to) || !world_reaches(w, e->to, e->from))
        return;
    note_bytes(w, e->bytes, e->len);
    if (w->options.datagrams)
        world_acknowledge(w, e);
    reload_node_receive(w->places[e->to].node, e->link + 1, e->bytes, e->len, world_time(w, e->to));
    world_settle(w, e->to);
}

/* --- links come up --- */

static void come_up(struct world *w, uint32_t place, uint32_t link, uint32_t far,
                    struct reload_node_link info)
{
    info.node_ids = &w->places[far].id;
    info.node_id_count = 1;
    reload_node_link_up(w->places[place].node, link + 1, &info, world_time(w, place));
    world_settle(w, place);
}

static void come_up_dialled(struct world *w, const struct event *e)
{
    struct reload_node_link info = { .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE, .inbound = true };
    uint32_t link = world_make_link(w, e->from, e->to);
    come_up(w, e->to, link, e->from, info);
    info.inbound = false;
    info.attach = (uint32_t)e->number;
    info.bootstrap = e->bootstrap;
    if (world_link_is_for(w, &w->links[link], e->from))
        come_up(w, e->from, link, e->to, info);
}

static void on_gathered(struct world *w, const struct event *e)
{
    struct place *p = &w->places[e->to];
    struct channel *c = channels_serial(&w->channels, e->number);
    if (!c)
        return;
    channel_offer(c, RELOAD_LINK_DTLS_UDP_SR, &p->address);
    reload_node_gathered(p->node, c->number, channel_ufrag(c), channel_password,
                         channel_candidates(c), world_time(w, e->to));
    world_settle(w, e->to);
}

static void on_checked(struct world *w, const struct event *e)
{
    const struct channel *c = channels_serial(&w->channels, e->number);
    const struct channel *f = c ? channels_serial(&w->channels, c->far) : NULL;
    if (!f || !world_reaches(w, e->to, (uint32_t)f->node))
        return;
    const struct channel here = *c, far = *f;
    const uint32_t place = e->to, far_place = (uint32_t)far.node;
    channels_end(&w->channels, place, here.number);
    channels_end(&w->channels, far_place, far.number);
    struct reload_node_link info = { .type = RELOAD_LINK_DTLS_UDP_SR,
                                     .attach = here.number,
                                     .inbound = here.requester };
    uint32_t link = world_make_link(w, place, far_place);
    come_up(w, place, link, far_place, info);
    info.attach = far.number;
    info.inbound = far.requester;
    if (world_link_is_for(w, &w->links[link], far_place))
        come_up(w, far_place, link, place, info);
    else
        reload_node_open_failed(w->places[far_place].node, far.number, world_time(w, far_place));
}

static void on_unchecked(struct world *w, const struct event *e)
{
    const struct channel *c = channels_serial(&w->channels, e->number);
    if (!c)
        return;
    uint32_t number = c->number;
    channels_end(&w->channels, e->to, number);
    reload_node_open_failed(w->places[e->to].node, number, world_time(w, e->to));
    world_settle(w, e->to);
}

static void on_open(struct world *w, const struct event *e)
{
    if (w->places[e->from].life != e->life || !w->places[e->from].node)
        return;
    if (!world_reaches(w, e->from, e->to)) {
        world_give_up(w, e->from, (uint32_t)e->number, e->bootstrap, DIAL_TIMEOUT_MS);
        return;
    }
    if (!w->places[e->to].node) { /* refused */
        world_give_up(w, e->from, (uint32_t)e->number, e->bootstrap, 0);
        return;
    }
    come_up_dialled(w, e);
}

static void on_open_lost(struct world *w, const struct event *e)
{
    if (e->bootstrap)
        reload_node_bootstrap_failed(w->places[e->to].node, world_time(w, e->to));
    else
        reload_node_open_failed(w->places[e->to].node, (uint32_t)e->number, world_time(w, e->to));
    world_settle(w, e->to);
}

/* --- links go down --- */

static void on_suspect(struct world *w, const struct event *e)
{
    const struct link *link = &w->links[e->link];
    uint32_t side = world_side_of_link(link, e->to);
    if (!world_link_is_for(w, link, e->to) || world_far_end_is_there(w, link, side))
        return;
    world_tell_link(w, EVENT_LOST, e->link, side, w->now_ms + DOWN_AFTER_MS - SUSPECT_AFTER_MS);
    reload_node_link_suspect(w->places[e->to].node, e->link + 1, true, world_time(w, e->to));
    world_settle(w, e->to);
}

static void on_down(struct world *w, const struct event *e)
{
    struct link *link = &w->links[e->link];
    if (!world_link_is_for(w, link, e->to))
        return;
    link->open[world_side_of_link(link, e->to)] = false;
    reload_node_link_down(w->places[e->to].node, e->link + 1, world_time(w, e->to));
    world_settle(w, e->to);
}

static void on_acked(struct world *w, const struct event *e)
{
    struct link *link = &w->links[e->link];
    uint32_t side = world_side_of_link(link, e->to);
    if (!world_link_is_for(w, link, e->to) || !world_reaches(w, link->node[0], link->node[1]))
        return;
    bool suspect = datagram_acked(&link->sender[side], w->now_ms, datagram_rto_ms(link->delay_ms));
    world_await_ack(w, e->link, side);
    if (!suspect)
        return;
    reload_node_link_suspect(w->places[e->to].node, e->link + 1, false, world_time(w, e->to));
    world_settle(w, e->to);
}

static void on_given_up(struct world *w, const struct event *e)
{
    struct link *link = &w->links[e->link];
    if (world_link_is_for(w, link, e->to))
        datagram_given_up(&link->sender[world_side_of_link(link, e->to)]);
}

static void on_rto(struct world *w, const struct event *e)
{
    struct link *link = &w->links[e->link];
    uint32_t side = world_side_of_link(link, e->to);
    struct datagram_sender *sender = &link->sender[side];
    if (!world_link_is_for(w, link, e->to) || e->at_ms != sender->rto_at_ms)
        return;
    bool suspect = datagram_timed_out(sender, w->now_ms, datagram_rto_ms(link->delay_ms));
    if (sender->timeouts == DATAGRAM_TRANSMISSIONS) {
        on_down(w, e);
        return;
    }
    world_await_ack(w, e->link, side);
    if (!suspect)
        return;
    w->suspects++;
    reload_node_link_suspect(w->places[e->to].node, e->link + 1, true, world_time(w, e->to));
    world_settle(w, e->to);
}

static void on_lost(struct world *w, const struct event *e)
{
    const struct link *link = &w->links[e->link];
    if (!world_link_is_for(w, link, e->to))
        return;
    if (!world_far_end_is_there(w, link, world_side_of_link(link, e->to))) {
        on_down(w, e);
        return;
    }
    reload_node_link_suspect(w->places[e->to].node, e->link + 1, false, world_time(w, e->to));
    world_settle(w, e->to);
}

/* --- the rest --- */

static void on_tick(struct world *w, const struct event *e)
{
    struct place *p = &w->places[e->to];
    if (e->at_ms != p->tick_at_ms)
        return; /* an earlier one took its place */
    p->tick_at_ms = RELOAD_NEVER;
    if (reload_node_deadline(p->node) <= w->now_ms)
        reload_node_tick(p->node, world_time(w, e->to));
    world_settle(w, e->to);
}

static void on_persisted(struct world *w, const struct event *e)
{
    reload_node_persisted(w->places[e->to].node, e->number, true, world_time(w, e->to));
    world_settle(w, e->to);
}

static void handle(struct world *w, const struct event *e)
{
    static void (*const handlers[EVENT_COUNT])(struct world *, const struct event *) = {
        [EVENT_DELIVER] = on_deliver,
        [EVENT_OPEN] = on_open,
        [EVENT_OPEN_LOST] = on_open_lost,
        [EVENT_SUSPECT] = on_suspect,
        [EVENT_LOST] = on_lost,
        [EVENT_DOWN] = on_down,
        [EVENT_TICK] = on_tick,
        [EVENT_PERSISTED] = on_persisted,
        [EVENT_GATHERED] = on_gathered,
        [EVENT_CHECKED] = on_checked,
        [EVENT_UNCHECKED] = on_unchecked,
        [EVENT_ACKED] = on_acked,
        [EVENT_RTO] = on_rto,
        [EVENT_GIVEN_UP] = on_given_up,
    };
    const struct place *to = &w->places[e->to];
    if (e->type != EVENT_OPEN && (!to->node || to->life != e->life))
        return;
    world_note(w, e->at_ms);
    world_note(w, (uint64_t)e->type << 32 | e->to);
    w->handled++;
    handlers[e->type](w, e);
}

void world_run(struct world *w, uint64_t until_ms)
{
    while (w->events.count > 0 && w->events.heap[0].at_ms <= until_ms) {
        struct event e = events_take(&w->events);
        if (e.at_ms > w->now_ms) {
            w->now_ms = e.at_ms;
            w->calls_in_this_ms = 0;
        }
        handle(w, &e);
        free(e.bytes);
    }
    w->now_ms = until_ms;
    w->calls_in_this_ms = 0;
}
