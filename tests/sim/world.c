#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "reload/wire/fetch.h"
#include "tests/sim/datagram.h"

#define EPOCH_MS          1800000000000u /* the wall clock at the beginning */
#define SUSPECT_AFTER_MS  5000           /* s6.6.5: acks are missing */
#define DOWN_AFTER_MS     30000          /* the link's grace */
#define DIAL_TIMEOUT_MS   10000
#define GATHER_MAX_MS     300
#define CHANNEL_LIFE_MS   90000  /* longer than any Attach takes */
#define CHECK_CROSSES     6      /* one-way delays until ICE and DTLS are through */
#define HANDSHAKE_CROSSES 4      /* one-way delays until TCP and TLS are through */
#define STUCK_AFTER       100000 /* calls without time going on */
#define REQUESTS_MAX      64     /* of a node at a time */

struct link {
    uint32_t node[2], life[2];
    bool open[2];        /* as each end sees it */
    uint64_t last_ms[2]; /* arrival of the last message at each end: links keep order */
    uint32_t delay_ms;
    struct datagram_sender sender[2];
};

struct place {
    struct reload_node_id id;
    struct reload_standin *standin;
    struct reload_node *node; /* NULL: dead */
    struct reload_ip_address_port address;
    uint8_t address_bytes[4];
    struct reload_standin_random random;
    int64_t skew_ms;
    uint32_t life; /* counts starts and deaths */
    uint8_t group;
    uint64_t tick_at_ms;
    enum reload_topology_state state;
    uint32_t *links; /* all it ever had; dead ones are pruned now and then */
    size_t link_count, link_cap;
    struct {
        uint64_t request, tag;
    } requests[REQUESTS_MAX];
    size_t request_count;
};

struct world {
    struct world_options options;
    struct reload_standin_config config;
    struct reload_standin_random random_state;
    struct reload_random random;
    struct events events;
    struct place *places;
    struct channels channels;
    struct link *links; /* a link's id is its place here plus 1, at both ends */
    size_t link_count, link_cap;
    uint64_t now_ms, hash, handled, messages, suspects, calls_in_this_ms;
    world_done *done;
    void *done_context;
};

/* --- what happened, as one number --- */

static void note(struct world *w, uint64_t what)
{
    w->hash = (w->hash ^ what) * 0x9e3779b97f4a7c15u;
    w->hash ^= w->hash >> 29;
}

static void note_bytes(struct world *w, const uint8_t *p, size_t n)
{
    note(w, n);
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        note(w, word);
    }
    while (n-- > 0)
        note(w, *p++);
}

/* --- time and chance --- */

uint64_t world_now(const struct world *w)
{
    return w->now_ms;
}

uint64_t world_random(struct world *w)
{
    return reload_random_u64(&w->random);
}

uint64_t world_hash(const struct world *w)
{
    return w->hash;
}

uint64_t world_events(const struct world *w)
{
    return w->handled;
}

uint64_t world_messages(const struct world *w)
{
    return w->messages;
}

uint64_t world_suspects(const struct world *w)
{
    return w->suspects;
}

size_t world_stale_channels(const struct world *w)
{
    size_t count = 0;
    for (const struct channel *c = w->channels.first; c; c = c->next)
        count += c->since_ms + CHANNEL_LIFE_MS < w->now_ms;
    return count;
}

uint64_t world_links(const struct world *w)
{
    return w->link_count;
}

struct reload_time world_time(const struct world *w, size_t place)
{
    uint64_t unix_ms = (uint64_t)((int64_t)(EPOCH_MS + w->now_ms) + w->places[place].skew_ms);
    return (struct reload_time){ w->now_ms, unix_ms };
}

static uint32_t some_delay(struct world *w)
{
    uint32_t span = w->options.delay_max_ms - w->options.delay_min_ms + 1;
    return w->options.delay_min_ms + (uint32_t)(world_random(w) % span);
}

static bool reaches(const struct world *w, uint32_t a, uint32_t b)
{
    return w->places[a].group == w->places[b].group;
}

/* --- the world and its places --- */

struct world *world_new(const struct world_options *options)
{
    struct world *w = calloc(1, sizeof *w);
    w->options = *options;
    w->random = reload_standin_random(&w->random_state, options->seed);
    reload_standin_config_init(&w->config);
    w->config.config.topology_plugin = options->topology->name;
    w->config.config.no_ice = !options->ice;
    w->places = calloc(options->nodes, sizeof *w->places);
    for (size_t i = 0; i < options->nodes; i++) {
        struct place *p = &w->places[i];
        p->id = reload_standin_node_id(options->seed * 1000003 + i);
        struct reload_standin_certificate c =
            reload_standin_certificate(&w->config.config, &p->id, NULL);
        p->standin = reload_standin_new(&w->config.config, &c, 0);
        uint8_t address[] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
        memcpy(p->address_bytes, address, sizeof address);
        p->address = (struct reload_ip_address_port){ .type = RELOAD_ADDRESS_IPV4,
                                                      .port = 6084,
                                                      .address = { p->address_bytes, 4 } };
        uint64_t span = 2 * (uint64_t)options->clock_skew_ms + 1;
        p->skew_ms = (int64_t)(world_random(w) % span) - options->clock_skew_ms;
        p->tick_at_ms = RELOAD_NEVER;
    }
    return w;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->options.nodes; i++) {
        reload_node_free(w->places[i].node);
        reload_standin_free(w->places[i].standin);
        free(w->places[i].links);
    }
    channels_fini(&w->channels);
    events_fini(&w->events);
    free(w->places);
    free(w->links);
    free(w);
}

bool world_is_alive(const struct world *w, size_t place)
{
    return w->places[place].node != NULL;
}

bool world_is_joined(const struct world *w, size_t place)
{
    return w->places[place].node && w->places[place].state == RELOAD_TOPOLOGY_JOINED;
}

size_t world_joined_count(const struct world *w)
{
    size_t count = 0;
    for (size_t i = 0; i < w->options.nodes; i++)
        count += world_is_joined(w, i);
    return count;
}

struct reload_node *world_node(const struct world *w, size_t place)
{
    return w->places[place].node;
}

const struct reload_node_id *world_node_id(const struct world *w, size_t place)
{
    return &w->places[place].id;
}

const struct reload_crypto *world_crypto(const struct world *w, size_t place)
{
    return reload_standin_crypto(w->places[place].standin);
}

const struct reload_config *world_config(const struct world *w)
{
    return &w->config.config;
}

void world_on_done(struct world *w, world_done *done, void *context)
{
    w->done = done;
    w->done_context = context;
}

/* --- links --- */

static uint32_t side_of(const struct link *link, uint32_t place)
{
    return link->node[1] == place;
}

static bool link_is_for(const struct world *w, const struct link *link, uint32_t place)
{
    uint32_t side = side_of(link, place);
    return link->open[side] && link->life[side] == w->places[place].life;
}

static void add_to_place(struct world *w, struct place *p, uint32_t link)
{
    if (p->link_count == p->link_cap) {
        size_t kept = 0; /* forget what is closed before growing */
        uint32_t place = (uint32_t)(p - w->places);
        for (size_t i = 0; i < p->link_count; i++)
            if (link_is_for(w, &w->links[p->links[i]], place))
                p->links[kept++] = p->links[i];
        p->link_count = kept;
        if (2 * kept >= p->link_cap) {
            p->link_cap = p->link_cap ? 2 * p->link_cap : 64;
            p->links = realloc(p->links, p->link_cap * sizeof *p->links);
        }
    }
    p->links[p->link_count++] = link;
}

static uint32_t make_link(struct world *w, uint32_t a, uint32_t b)
{
    if (w->link_count == w->link_cap) {
        w->link_cap = w->link_cap ? 2 * w->link_cap : 4096;
        w->links = realloc(w->links, w->link_cap * sizeof *w->links);
    }
    uint32_t at = (uint32_t)w->link_count++;
    w->links[at] = (struct link){ .node = { a, b },
                                  .life = { w->places[a].life, w->places[b].life },
                                  .open = { true, true },
                                  .delay_ms = some_delay(w) };
    add_to_place(w, &w->places[a], at);
    add_to_place(w, &w->places[b], at);
    return at;
}

/* In the order of what was sent before on the same link. */
static uint64_t arrival(struct world *w, struct link *link, uint32_t side)
{
    uint64_t at = w->now_ms + link->delay_ms;
    if (at < link->last_ms[side])
        at = link->last_ms[side];
    link->last_ms[side] = at;
    return at;
}

static void tell(struct world *w, enum event_type what, uint32_t link, uint32_t side,
                 uint64_t at_ms)
{
    const struct link *l = &w->links[link];
    events_add(&w->events, (struct event){ .type = what,
                                           .at_ms = at_ms,
                                           .to = l->node[side],
                                           .life = l->life[side],
                                           .link = link });
}

/* A stream's end that waits for acks, whoever has something to send; a datagram link's tries. */
static void tell_suspect(struct world *w, uint32_t link, uint32_t side)
{
    if (!w->options.datagrams)
        tell(w, EVENT_SUSPECT, link, side, w->now_ms + SUSPECT_AFTER_MS);
}

/* --- links of datagrams --- */

static void await_ack(struct world *w, uint32_t link, uint32_t side)
{
    uint64_t at_ms = w->links[link].sender[side].rto_at_ms;
    if (at_ms != RELOAD_NEVER)
        tell(w, EVENT_RTO, link, side, at_ms);
}

/* The event is the message's arrival. False: it never arrives. */
static bool send_datagrams(struct world *w, uint32_t side, struct event *e)
{
    struct link *link = &w->links[e->link];
    uint32_t rto_ms = datagram_rto_ms(link->delay_ms);
    bool idle = link->sender[side].unacked == 0;
    datagram_sent(&link->sender[side], w->now_ms, rto_ms);
    if (idle)
        await_ack(w, e->link, side);
    struct datagram_trip trip = datagram_trip(&w->random, w->options.loss_per_million, rto_ms);
    e->at_ms = trip.arrives_ms == RELOAD_NEVER ? RELOAD_NEVER
                                               : w->now_ms + link->delay_ms + trip.arrives_ms;
    e->number = trip.ack_ms;
    if (trip.ack_ms == RELOAD_NEVER)
        tell(w, EVENT_GIVEN_UP, e->link, side, w->now_ms + datagram_span_ms(rto_ms) + 1);
    return e->at_ms != RELOAD_NEVER;
}

static void acknowledge(struct world *w, const struct event *e)
{
    const struct link *link = &w->links[e->link];
    if (e->number != RELOAD_NEVER)
        tell(w, EVENT_ACKED, e->link, side_of(link, e->from),
             w->now_ms + link->delay_ms + e->number);
}

/* --- actions --- */

static void do_send(struct world *w, uint32_t from, const struct reload_action_send *send)
{
    struct link *link = &w->links[send->link - 1];
    uint32_t side = side_of(link, from), far = 1 - side;
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
        lost |= !send_datagrams(w, side, &e);
    else
        e.at_ms = arrival(w, link, far);
    if (lost || !reaches(w, from, e.to)) {
        free(e.bytes);
        return;
    }
    events_add(&w->events, e);
}

static void dial(struct world *w, uint32_t from, uint32_t to, uint32_t attach, bool bootstrap)
{
    events_add(&w->events, (struct event){ .type = EVENT_OPEN,
                                           .at_ms = w->now_ms + HANDSHAKE_CROSSES * some_delay(w),
                                           .to = to,
                                           .from = from,
                                           .life = w->places[from].life,
                                           .number = attach,
                                           .bootstrap = bootstrap });
}

static void give_up(struct world *w, uint32_t from, uint32_t attach, bool bootstrap,
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
        later(w, EVENT_CHECKED, from, CHECK_CROSSES * some_delay(w), serial);
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
    give_up(w, from, open->attach, false, 2u * some_delay(w)); /* another Node-ID answered there */
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
        give_up(w, from, 0, true, 1000);
}

static void do_close(struct world *w, uint32_t from, reload_link_id id)
{
    struct link *link = &w->links[id - 1];
    uint32_t side = side_of(link, from);
    if (!link->open[side])
        return;
    tell(w, EVENT_DOWN, id - 1, side, w->now_ms);
    if (link->open[1 - side])
        tell(w, EVENT_DOWN, id - 1, 1 - side, arrival(w, link, 1 - side));
}

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
        note(w, (uint64_t)a->state_changed.state);
        break;
    case RELOAD_ACTION_APP_CHANNEL:
    case RELOAD_ACTION_CONFIG_CHANGED: break;
    case RELOAD_ACTION_LOG: do_log(w, place, a); break;
    }
}

/* After every call into a node. */
static void settle(struct world *w, uint32_t place)
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

/* --- events --- */

static void on_deliver(struct world *w, const struct event *e)
{
    const struct link *link = &w->links[e->link];
    if (!link_is_for(w, link, e->to) || !reaches(w, e->to, e->from))
        return;
    note_bytes(w, e->bytes, e->len);
    if (w->options.datagrams)
        acknowledge(w, e);
    reload_node_receive(w->places[e->to].node, e->link + 1, e->bytes, e->len, world_time(w, e->to));
    settle(w, e->to);
}

static void come_up(struct world *w, uint32_t place, uint32_t link, uint32_t far,
                    struct reload_node_link info)
{
    info.node_ids = &w->places[far].id;
    info.node_id_count = 1;
    reload_node_link_up(w->places[place].node, link + 1, &info, world_time(w, place));
    settle(w, place);
}

static void come_up_dialled(struct world *w, const struct event *e)
{
    struct reload_node_link info = { .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE, .inbound = true };
    uint32_t link = make_link(w, e->from, e->to);
    come_up(w, e->to, link, e->from, info);
    info.inbound = false;
    info.attach = (uint32_t)e->number;
    info.bootstrap = e->bootstrap;
    if (link_is_for(w, &w->links[link], e->from))
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
    settle(w, e->to);
}

static void on_checked(struct world *w, const struct event *e)
{
    const struct channel *c = channels_serial(&w->channels, e->number);
    const struct channel *f = c ? channels_serial(&w->channels, c->far) : NULL;
    if (!f || !reaches(w, e->to, (uint32_t)f->node))
        return;
    const struct channel here = *c, far = *f;
    const uint32_t place = e->to, far_place = (uint32_t)far.node;
    channels_end(&w->channels, place, here.number);
    channels_end(&w->channels, far_place, far.number);
    struct reload_node_link info = { .type = RELOAD_LINK_DTLS_UDP_SR,
                                     .attach = here.number,
                                     .inbound = here.requester };
    uint32_t link = make_link(w, place, far_place);
    come_up(w, place, link, far_place, info);
    info.attach = far.number;
    info.inbound = far.requester;
    if (link_is_for(w, &w->links[link], far_place))
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
    settle(w, e->to);
}

static void on_open(struct world *w, const struct event *e)
{
    if (w->places[e->from].life != e->life || !w->places[e->from].node)
        return;
    if (!reaches(w, e->from, e->to)) {
        give_up(w, e->from, (uint32_t)e->number, e->bootstrap, DIAL_TIMEOUT_MS);
        return;
    }
    if (!w->places[e->to].node) { /* refused */
        give_up(w, e->from, (uint32_t)e->number, e->bootstrap, 0);
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
    settle(w, e->to);
}

static bool far_end_is_there(const struct world *w, const struct link *link, uint32_t side)
{
    uint32_t far = link->node[1 - side];
    return link->open[1 - side] && link->life[1 - side] == w->places[far].life &&
           w->places[far].node && reaches(w, link->node[side], far);
}

static void on_suspect(struct world *w, const struct event *e)
{
    const struct link *link = &w->links[e->link];
    uint32_t side = side_of(link, e->to);
    if (!link_is_for(w, link, e->to) || far_end_is_there(w, link, side))
        return;
    tell(w, EVENT_LOST, e->link, side, w->now_ms + DOWN_AFTER_MS - SUSPECT_AFTER_MS);
    reload_node_link_suspect(w->places[e->to].node, e->link + 1, true, world_time(w, e->to));
    settle(w, e->to);
}

static void on_down(struct world *w, const struct event *e)
{
    struct link *link = &w->links[e->link];
    if (!link_is_for(w, link, e->to))
        return;
    link->open[side_of(link, e->to)] = false;
    reload_node_link_down(w->places[e->to].node, e->link + 1, world_time(w, e->to));
    settle(w, e->to);
}

static void on_acked(struct world *w, const struct event *e)
{
    struct link *link = &w->links[e->link];
    uint32_t side = side_of(link, e->to);
    if (!link_is_for(w, link, e->to) || !reaches(w, link->node[0], link->node[1]))
        return;
    bool suspect = datagram_acked(&link->sender[side], w->now_ms, datagram_rto_ms(link->delay_ms));
    await_ack(w, e->link, side);
    if (!suspect)
        return;
    reload_node_link_suspect(w->places[e->to].node, e->link + 1, false, world_time(w, e->to));
    settle(w, e->to);
}

static void on_given_up(struct world *w, const struct event *e)
{
    struct link *link = &w->links[e->link];
    if (link_is_for(w, link, e->to))
        datagram_given_up(&link->sender[side_of(link, e->to)]);
}

static void on_rto(struct world *w, const struct event *e)
{
    struct link *link = &w->links[e->link];
    uint32_t side = side_of(link, e->to);
    struct datagram_sender *sender = &link->sender[side];
    if (!link_is_for(w, link, e->to) || e->at_ms != sender->rto_at_ms)
        return;
    bool suspect = datagram_timed_out(sender, w->now_ms, datagram_rto_ms(link->delay_ms));
    if (sender->timeouts == DATAGRAM_TRANSMISSIONS) {
        on_down(w, e);
        return;
    }
    await_ack(w, e->link, side);
    if (!suspect)
        return;
    w->suspects++;
    reload_node_link_suspect(w->places[e->to].node, e->link + 1, true, world_time(w, e->to));
    settle(w, e->to);
}

static void on_lost(struct world *w, const struct event *e)
{
    const struct link *link = &w->links[e->link];
    if (!link_is_for(w, link, e->to))
        return;
    if (!far_end_is_there(w, link, side_of(link, e->to))) {
        on_down(w, e);
        return;
    }
    reload_node_link_suspect(w->places[e->to].node, e->link + 1, false, world_time(w, e->to));
    settle(w, e->to);
}

static void on_tick(struct world *w, const struct event *e)
{
    struct place *p = &w->places[e->to];
    if (e->at_ms != p->tick_at_ms)
        return; /* an earlier one took its place */
    p->tick_at_ms = RELOAD_NEVER;
    if (reload_node_deadline(p->node) <= w->now_ms)
        reload_node_tick(p->node, world_time(w, e->to));
    settle(w, e->to);
}

static void on_persisted(struct world *w, const struct event *e)
{
    reload_node_persisted(w->places[e->to].node, e->number, true, world_time(w, e->to));
    settle(w, e->to);
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
    note(w, e->at_ms);
    note(w, (uint64_t)e->type << 32 | e->to);
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

/* --- lives --- */

void world_start(struct world *w, size_t place)
{
    struct place *p = &w->places[place];
    const struct reload_node_config config = {
        .crypto = reload_standin_crypto(p->standin),
        .overlay = &w->config.config,
        .topology = w->options.topology,
        .random = reload_standin_random(&p->random,
                                        w->options.seed ^ ((uint64_t)place << 20 | p->life) << 8),
        .role = RELOAD_ROLE_PEER,
        .addresses = &p->address,
        .address_count = 1,
        .ice = true,
        .persist = w->options.persist,
        .log_level = w->options.log ? RELOAD_LOG_DEBUG : RELOAD_LOG_ERROR,
        .limits = { .max_links = 1024 },
    };
    p->life++;
    p->state = RELOAD_TOPOLOGY_IDLE;
    p->tick_at_ms = RELOAD_NEVER;
    p->request_count = p->link_count = 0;
    if (reload_node_new(&config, world_time(w, place), &p->node)) {
        fprintf(stderr, "node %zu does not start\n", place);
        abort();
    }
    settle(w, (uint32_t)place);
}

void world_join(struct world *w, size_t place, bool first)
{
    reload_node_join(w->places[place].node, first, world_time(w, place));
    settle(w, (uint32_t)place);
}

void world_leave(struct world *w, size_t place)
{
    reload_node_leave(w->places[place].node, world_time(w, place));
    settle(w, (uint32_t)place);
}

void world_kill(struct world *w, size_t place, bool process_only)
{
    struct place *p = &w->places[place];
    for (size_t i = 0; i < p->link_count; i++) {
        struct link *link = &w->links[p->links[i]];
        uint32_t side = side_of(link, (uint32_t)place);
        if (!link_is_for(w, link, (uint32_t)place))
            continue;
        link->open[side] = false;
        if (process_only && !w->options.datagrams &&
            reaches(w, (uint32_t)place, link->node[1 - side]))
            tell(w, EVENT_DOWN, p->links[i], 1 - side, arrival(w, link, 1 - side));
        else
            tell_suspect(w, p->links[i], 1 - side);
    }
    channels_kill(&w->channels, place);
    reload_node_free(p->node);
    p->node = NULL;
    p->life++;
    p->link_count = p->request_count = 0;
    note(w, place);
}

void world_partition(struct world *w, const uint8_t *groups)
{
    for (uint32_t i = 0; i < w->options.nodes; i++)
        w->places[i].group = groups ? groups[i] : 0;
    for (uint32_t i = 0; i < w->link_count && groups; i++)
        for (uint32_t side = 0; side < 2; side++)
            if (link_is_for(w, &w->links[i], w->links[i].node[side]) &&
                !far_end_is_there(w, &w->links[i], side))
                tell_suspect(w, i, side);
}

/* --- requests --- */

static bool await(struct world *w, size_t place, int error, uint64_t request, uint64_t tag)
{
    struct place *p = &w->places[place];
    if (!error) {
        if (p->request_count == REQUESTS_MAX)
            abort();
        p->requests[p->request_count].request = request;
        p->requests[p->request_count++].tag = tag;
    }
    settle(w, (uint32_t)place);
    return error == 0;
}

bool world_store(struct world *w, size_t place, struct reload_slice resource,
                 const struct reload_store_item *item, uint64_t tag)
{
    uint64_t request = 0;
    int error =
        reload_node_store(w->places[place].node, resource, item, 1, world_time(w, place), &request);
    return await(w, place, error, request, tag);
}

bool world_fetch(struct world *w, size_t place, struct reload_slice resource, uint32_t kind,
                 uint64_t tag)
{
    uint8_t bytes[300];
    const struct reload_kind_config *config = reload_config_kind(&w->config.config, kind);
    struct reload_writer body = reload_writer_of(bytes, sizeof bytes);
    size_t mark = reload_fetch_req_begin(&body, resource);
    reload_specifier_end(&body, reload_specifier_begin(&body, kind, 0, config->data_model),
                         config->data_model);
    reload_fetch_req_end(&body, mark);
    uint64_t request = 0;
    int error = reload_node_fetch(w->places[place].node, resource, reload_writer_slice(&body),
                                  world_time(w, place), &request);
    return await(w, place, error, request, tag);
}
