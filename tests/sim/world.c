#include "tests/sim/world_internal.h"

#include <stdlib.h>
#include <string.h>

#include "reload/wire/fetch.h"

/* The world and its places: what there is, who lives and dies there, and what they ask for. */

#define EPOCH_MS        1800000000000u /* the wall clock at the beginning */
#define CHANNEL_LIFE_MS 90000          /* longer than any Attach takes */

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

/* --- what is the case --- */

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

void world_note(struct world *w, uint64_t what)
{
    w->hash = (w->hash ^ what) * 0x9e3779b97f4a7c15u;
    w->hash ^= w->hash >> 29;
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
    world_settle(w, (uint32_t)place);
}

void world_join(struct world *w, size_t place, bool first)
{
    reload_node_join(w->places[place].node, first, world_time(w, place));
    world_settle(w, (uint32_t)place);
}

void world_leave(struct world *w, size_t place)
{
    reload_node_leave(w->places[place].node, world_time(w, place));
    world_settle(w, (uint32_t)place);
}

void world_kill(struct world *w, size_t place, bool process_only)
{
    struct place *p = &w->places[place];
    for (size_t i = 0; i < p->link_count; i++) {
        struct link *link = &w->links[p->links[i]];
        uint32_t side = world_side_of_link(link, (uint32_t)place);
        if (!world_link_is_for(w, link, (uint32_t)place))
            continue;
        link->open[side] = false;
        if (process_only && !w->options.datagrams &&
            world_reaches(w, (uint32_t)place, link->node[1 - side]))
            world_tell_link(w, EVENT_DOWN, p->links[i], 1 - side, world_arrival(w, link, 1 - side));
        else
            world_tell_suspect(w, p->links[i], 1 - side);
    }
    channels_kill(&w->channels, place);
    reload_node_free(p->node);
    p->node = NULL;
    p->life++;
    p->link_count = p->request_count = 0;
    world_note(w, place);
}

void world_partition(struct world *w, const uint8_t *groups)
{
    for (uint32_t i = 0; i < w->options.nodes; i++)
        w->places[i].group = groups ? groups[i] : 0;
    for (uint32_t i = 0; i < w->link_count && groups; i++)
        for (uint32_t side = 0; side < 2; side++)
            if (world_link_is_for(w, &w->links[i], w->links[i].node[side]) &&
                !world_far_end_is_there(w, &w->links[i], side))
                world_tell_suspect(w, i, side);
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
    world_settle(w, (uint32_t)place);
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
