#include "tests/sim/world_internal.h"

#include <stdlib.h>
#include <string.h>

/* What the nodes want done. */

#define GATHER_MAX_MS     300
#define CHECK_CROSSES     6      /* one-way delays until ICE and DTLS are through */
#define HANDSHAKE_CROSSES 4      /* one-way delays until TCP and TLS are through */
#define STUCK_AFTER       100000 /* calls without time going on */

static void do_send(struct world *w, uint32_t from, const struct reload_action_send *send)
{
    struct link *link = &w->links[send->link - 1];
    uint32_t side = world_side_of_link(link, from), far = 1 - side;
    if (!link->open[side])
        return;
    struct event e = { .type = EVENT_DELIVER,
                       .to = link->node[far],
                       .from = from,
                       .life = link->life[far],
                       .link = send->link - 1 };
    for (size_t i = 0; i < send->part_count; i++)
        e.len += send->parts[i].n;
    e.bytes = malloc(e.len ? e.len : 1);
    size_t at = 0;
    for (size_t i = 0; i < send->part_count; i++) {
        if (send->parts[i].n)
            memcpy(e.bytes + at, send->parts[i].p, send->parts[i].n);
        at += send->parts[i].n;
    }
    w->messages++;
    bool lost =
        w->options.drop_per_million && world_random(w) % 1000000 < w->options.drop_per_million;
    if (w->options.datagrams)
        lost |= !world_send_datagrams(w, side, &e);
    else
        e.at_ms = world_arrival(w, link, far);
    if (lost || !world_reaches(w, from, e.to)) {
        free(e.bytes);
        return;
    }
    events_add(&w->events, e);
}

static void dial(struct world *w, uint32_t from, uint32_t to, uint32_t attach, bool bootstrap)
{
    events_add(&w->events,
               (struct event){ .type = EVENT_OPEN,
                               .at_ms = w->now_ms + HANDSHAKE_CROSSES * world_some_delay(w),
                               .to = to,
                               .from = from,
                               .life = w->places[from].life,
                               .number = attach,
                               .bootstrap = bootstrap });
}

void world_give_up(struct world *w, uint32_t from, uint32_t attach, bool bootstrap,
                   uint64_t after_ms)
{
    events_add(&w->events, (struct event){ .type = EVENT_OPEN_LOST,
                                           .at_ms = w->now_ms + after_ms,
                                           .to = from,
                                           .life = w->places[from].life,
                                           .number = attach,
                                           .bootstrap = bootstrap });
}

/* --- what is gathered, and links by ICE --- */

static void later(struct world *w, enum event_type what, uint32_t to, uint64_t after_ms,
                  uint64_t number)
{
    events_add(&w->events, (struct event){ .type = what,
                                           .at_ms = w->now_ms + after_ms,
                                           .to = to,
                                           .life = w->places[to].life,
                                           .number = number });
}

static void do_gather(struct world *w, uint32_t place, const struct reload_action_gather *gather)
{
    struct channel *c = channels_gather(&w->channels, place, gather);
    c->since_ms = w->now_ms;
    later(w, EVENT_GATHERED, place, world_random(w) % GATHER_MAX_MS, c->serial);
}

static void do_open_channel(struct world *w, uint32_t from,
                            const struct reload_action_open_link *open)
{
    const struct channel *far = channels_open(&w->channels, from, open);
    uint64_t serial = channels_find(&w->channels, from, open->attach)->serial;
    if (far)
        later(w, EVENT_CHECKED, from, CHECK_CROSSES * world_some_delay(w), serial);
    later(w, EVENT_UNCHECKED, from, DIAL_TIMEOUT_MS, serial);
}

static void do_open(struct world *w, uint32_t from, const struct reload_action_open_link *open)
{
    if (open->link_type == RELOAD_LINK_DTLS_UDP_SR) {
        do_open_channel(w, from, open);
        return;
    }
    for (size_t i = 0; i < open->address_count; i++) {
        const uint8_t *b = open->addresses[i].address.p;
        if (open->addresses[i].type != RELOAD_ADDRESS_IPV4 || b[0] != 10)
            continue;
        uint32_t to = (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        bool right =
            to < w->options.nodes && reload_node_id_equal(&w->places[to].id, &open->node_id);
        if (right) {
            dial(w, from, to, open->attach, false);
            return;
        }
    }
    world_give_up(w, from, open->attach, false,
                  2u * world_some_delay(w)); /* another Node-ID answered there */
}

static void do_bootstrap(struct world *w, uint32_t from)
{
    /* Any peer in the overlay, as a cache of earlier peers would hold. */
    size_t known = 0;
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < w->options.nodes; i++)
        if (i != from && world_is_joined(w, i) && world_random(w) % ++known == 0)
            chosen = i;
    if (known > 0)
        dial(w, from, chosen, 0, true);
    else
        world_give_up(w, from, 0, true, 1000);
}

static void do_close(struct world *w, uint32_t from, reload_link_id id)
{
    struct link *link = &w->links[id - 1];
    uint32_t side = world_side_of_link(link, from);
    if (!link->open[side])
        return;
    world_tell_link(w, EVENT_DOWN, id - 1, side, w->now_ms);
    if (link->open[1 - side])
        world_tell_link(w, EVENT_DOWN, id - 1, 1 - side, world_arrival(w, link, 1 - side));
}

/* --- the rest --- */

static void do_persist(struct world *w, uint32_t place, uint64_t token)
{
    events_add(&w->events, (struct event){ .type = EVENT_PERSISTED,
                                           .at_ms = w->now_ms + 1 + world_random(w) % 10,
                                           .to = place,
                                           .life = w->places[place].life,
                                           .number = token });
}

static void request_done(struct world *w, struct place *p, const struct reload_result *result)
{
    for (size_t i = 0; i < p->request_count; i++) {
        if (p->requests[i].request != result->request)
            continue;
        const struct world_result r = { p->requests[i].tag, result };
        p->requests[i] = p->requests[--p->request_count];
        if (w->done)
            w->done(w->done_context, &r);
        return;
    }
}

static void do_log(struct world *w, uint32_t place, const struct reload_action *a)
{
    static const char *const levels[] = { "error", "warning", "info", "debug" };
    if (w->options.log)
        fprintf(w->options.log, "%10llu %4u %s %s: %s\n", (unsigned long long)w->now_ms, place,
                levels[a->log.level], a->log.area, a->log.text);
}

static void carry_out(struct world *w, uint32_t place, const struct reload_action *a)
{
    struct place *p = &w->places[place];
    switch (a->type) {
    case RELOAD_ACTION_SEND: do_send(w, place, &a->send); break;
    case RELOAD_ACTION_GATHER: do_gather(w, place, &a->gather); break;
    case RELOAD_ACTION_ABANDON: channels_end(&w->channels, place, a->abandon.attach); break;
    case RELOAD_ACTION_OPEN_LINK: do_open(w, place, &a->open_link); break;
    case RELOAD_ACTION_CLOSE_LINK: do_close(w, place, a->close_link.link); break;
    case RELOAD_ACTION_WANT_BOOTSTRAP: do_bootstrap(w, place); break;
    case RELOAD_ACTION_PERSIST: do_persist(w, place, a->persist.token); break;
    case RELOAD_ACTION_REQUEST_DONE: request_done(w, p, &a->result); break;
    case RELOAD_ACTION_STATE_CHANGED:
        p->state = a->state_changed.state;
        world_note(w, (uint64_t)a->state_changed.state);
        break;
    case RELOAD_ACTION_APP_CHANNEL:
    case RELOAD_ACTION_CONFIG_CHANGED: break;
    case RELOAD_ACTION_LOG: do_log(w, place, a); break;
    }
}

void world_settle(struct world *w, uint32_t place)
{
    struct place *p = &w->places[place];
    struct reload_action action;
    while (p->node && reload_node_next(p->node, &action))
        carry_out(w, place, &action);
    uint64_t deadline = reload_node_deadline(p->node);
    if (deadline < w->now_ms)
        deadline = w->now_ms;
    if (++w->calls_in_this_ms > STUCK_AFTER) {
        fprintf(stderr, "time stands still at %llu ms, node %u, seed %llu\n",
                (unsigned long long)w->now_ms, place, (unsigned long long)w->options.seed);
        abort();
    }
    if (deadline >= p->tick_at_ms)
        return;
    p->tick_at_ms = deadline;
    events_add(
        &w->events,
        (struct event){ .type = EVENT_TICK, .at_ms = deadline, .to = place, .life = p->life });
}
