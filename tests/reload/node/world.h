#ifndef RELOAD_TESTS_NODE_WORLD_H
#define RELOAD_TESTS_NODE_WORLD_H

#include "reload/node/node.h"
#include "tests/sim/channels.h"
#include "tests/sim/standin.h"

/* A few whole nodes in one process, on a virtual clock: links that take a fixed time, dials that
 * find their node by its address, and a hook that may lose messages. */

#define WORLD_NODES   24
#define WORLD_RESULTS 64
#define WORLD_DELAY   5 /* ms a message, and each step of a dial */

struct world;

struct world_node {
    struct world *world;
    size_t index;
    struct reload_node_config config;
    struct reload_standin_certificate certificate;
    struct reload_standin *standin;
    struct reload_standin_random random;
    uint8_t address_bytes[4];
    struct reload_ip_address_port address;
    struct reload_node *node; /* NULL: dead */
    bool hold_persist;        /* leave PERSIST unacknowledged */
    uint64_t persist_token;   /* the last */
    size_t persisted_rows;
    /* what came out: */
    struct reload_result results[WORLD_RESULTS];       /* bodies and values are void */
    struct reload_fetched_value values[WORLD_RESULTS]; /* the first of each result */
    uint8_t value_bytes[WORLD_RESULTS][64];
    size_t result_count;
    char state_text[256]; /* of the last STATE_CHANGED */
    size_t dials, closes, config_changes, app_channels, gathers, abandons, ice_links;
    struct reload_action_app_channel app_channel; /* the last */
};

struct world {
    struct reload_standin_config config;
    const struct reload_topology_ops *ops;
    struct world_node nodes[WORLD_NODES];
    size_t count;
    struct reload_time now;
    struct world_event *events;
    struct world_link *links;
    reload_link_id next_link;
    /* Whether to lose a message; NULL: none is lost. */
    bool (*lose)(struct world *world, size_t from, size_t to, struct reload_slice message);
    bool (*fail_dial)(struct world *world, size_t from, size_t to);
    bool (*fail_gather)(struct world *world, size_t node);
    struct channels channels; /* what the hosts hold */
    uint64_t gather_ms;
    bool no_bootstrap;
    unsigned lost;
};

/* Change world->config and nodes' configs between init, add and start. */
void world_init(struct world *world, const struct reload_topology_ops *ops);
void world_fini(struct world *world);
size_t world_add(struct world *world, const struct reload_node_id *id); /* NULL: some id */
void world_start(struct world *world, size_t node);
void world_join(struct world *world, size_t node, bool first);
void world_kill(struct world *world, size_t node);
/* A link between two nodes, as if dialled by the first on its own. */
void world_connect(struct world *world, size_t from, size_t to, bool bootstrap);
void world_disconnect(struct world *world, size_t a, size_t b);
void world_run(struct world *world, uint64_t ms);
size_t world_links_between(const struct world *world, size_t a, size_t b);
/* Makes `count` joined peers; fails the test when they do not get there. */
void world_grow(struct world *world, size_t count);
/* Pulls the actions of a node after a direct call into it. */
void world_pull(struct world *world, size_t node);
struct reload_node_id world_id(const struct world *world, size_t node);
/* The last result of a node. */
const struct reload_result *world_result(const struct world *world, size_t node);
/* The result of a request of its, or NULL while there is none. */
const struct reload_result *world_result_of(const struct world *world, size_t node,
                                            uint64_t request);
/* The node responsible for an id; fails the test unless it is exactly one. */
size_t world_owner(const struct world *world, struct reload_slice id);

#endif
