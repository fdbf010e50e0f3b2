#ifndef RELOAD_TESTS_SIM_WORLD_H
#define RELOAD_TESTS_SIM_WORLD_H

#include <stdio.h>

#include "reload/node/node.h"
#include "tests/sim/channels.h"
#include "tests/sim/events.h"
#include "tests/sim/standin.h"

/* Many reload_node cores in one process, on a virtual clock, with links between them that have
 * delay, order and an end. One seed is one run, byte for byte: world_hash() proves it. */

struct world_options {
    uint64_t seed;
    size_t nodes; /* places in the world; all empty at the start */
    const struct reload_topology_ops *topology;
    uint32_t delay_min_ms, delay_max_ms; /* one way, fixed for each link */
    uint32_t drop_per_million;           /* messages that the far end loses */
    bool datagrams;                      /* links are of DTLS: no end of one is ever told */
    uint32_t loss_per_million;           /* datagrams that get lost on them, each way */
    uint32_t clock_skew_ms;              /* wall clocks are off by up to this */
    bool ice;                            /* links other than to bootstrap nodes are made by ICE */
    bool persist;                        /* stores wait for a disk */
    FILE *log;                           /* each node's log and each event; or NULL */
};

struct world_result { /* a request that ended */
    uint64_t tag;     /* as given with the request */
    const struct reload_result *result;
};

struct world;
typedef void world_done(void *context, const struct world_result *result);

struct world *world_new(const struct world_options *options);
void world_free(struct world *world);

uint64_t world_now(const struct world *world); /* virtual milliseconds since the beginning */
uint64_t world_random(struct world *world);
uint64_t world_hash(const struct world *world); /* of everything that happened */
uint64_t world_events(const struct world *world);
uint64_t world_messages(const struct world *world);
uint64_t world_links(const struct world *world);        /* that ever came up */
size_t world_stale_channels(const struct world *world); /* that hosts hold for no Attach any more */
uint64_t world_suspects(const struct world *world);     /* links that looked dead for a while */
/* Runs until that time. */
void world_run(struct world *world, uint64_t until_ms);

/* Starts the node at a place; again after world_kill() with the same identity and an empty store.
 */
void world_start(struct world *world, size_t place);
void world_join(struct world *world, size_t place, bool first);
void world_leave(struct world *world, size_t place);
/* The node is no more. process_only: its machine closes the links; otherwise nobody hears of it
 * until acks are missing. */
void world_kill(struct world *world, size_t place, bool process_only);
/* Cuts the world: nodes reach those of the same group only. groups NULL: whole again. */
void world_partition(struct world *world, const uint8_t *groups);

bool world_is_alive(const struct world *world, size_t place);
bool world_is_joined(const struct world *world, size_t place);
size_t world_joined_count(const struct world *world);
struct reload_node *world_node(const struct world *world, size_t place); /* NULL when dead */
const struct reload_node_id *world_node_id(const struct world *world, size_t place);
const struct reload_crypto *world_crypto(const struct world *world, size_t place);
const struct reload_config *world_config(const struct world *world);
struct reload_time world_time(const struct world *world, size_t place);

/* Requests; `done` gets tag and result. false: refused at once. */
void world_on_done(struct world *world, world_done *done, void *context);
bool world_store(struct world *world, size_t place, struct reload_slice resource,
                 const struct reload_store_item *item, uint64_t tag);
bool world_fetch(struct world *world, size_t place, struct reload_slice resource, uint32_t kind,
                 uint64_t tag);

#endif
