#ifndef RELOAD_TESTS_TOPOLOGY_OVERLAY_H
#define RELOAD_TESTS_TOPOLOGY_OVERLAY_H

#include "reload/node/topology.h"

/* Many instances of a topology plug-in in one process, on a virtual clock: a host for each that
 * routes messages hop by hop with delay and loss, forms links, and keeps stored resources as bits.
 * Everything comes from one seed. */

#define OVERLAY_NODES_MAX     320
#define OVERLAY_RESOURCES_MAX 512

struct overlay;

struct overlay_options {
    const struct reload_topology_ops *ops;
    uint64_t seed;
    unsigned loss_percent;                       /* of messages, per hop */
    uint32_t update_interval_s, ping_interval_s; /* 0: the RFC's defaults */
    bool not_reactive;
};

struct overlay_node {
    struct overlay *overlay;
    size_t index;
    struct reload_topology_host host;
    struct reload_topology *topology;
    bool alive;
    enum reload_topology_state state;
    uint64_t updates_sent, requests_sent, attaches, pushes;
    bool holds[OVERLAY_RESOURCES_MAX];
};

struct overlay *overlay_new(const struct overlay_options *options);
void overlay_free(struct overlay *overlay);
/* Adds a node with a random Node-ID, or the given one; it does nothing until overlay_join(). */
size_t overlay_add(struct overlay *overlay, enum reload_role role, const struct reload_node_id *id);
void overlay_join(struct overlay *overlay, size_t node, bool first);
void overlay_leave(struct overlay *overlay, size_t node);
void overlay_kill(struct overlay *overlay, size_t node);
/* Cuts or heals all links between nodes below and from `border`. */
void overlay_partition(struct overlay *overlay, size_t border, bool cut);
void overlay_run(struct overlay *overlay, uint64_t ms);
/* Runs until all live nodes are JOINED, or the time is over. */
bool overlay_run_until_joined(struct overlay *overlay, uint64_t ms);
/* Adds peers that join, the first as founder, all at once or each after the one before. False when
 * they do not get there: 2 minutes for one, 5 for all. */
bool overlay_grow(struct overlay *overlay, size_t count, bool one_by_one);
uint64_t overlay_now(const struct overlay *overlay);

struct overlay_node *overlay_node(struct overlay *overlay, size_t node);
size_t overlay_node_count(const struct overlay *overlay);
size_t overlay_link_count(const struct overlay *overlay, size_t node);
bool overlay_linked(const struct overlay *overlay, size_t a, size_t b);

/* A resource with a random id, stored from a node through the overlay. */
size_t overlay_store(struct overlay *overlay, size_t from);
struct reload_node_id overlay_resource(const struct overlay *overlay, size_t resource);
/* Hops from a node to the one responsible; -1 when routing does not end there. */
int overlay_hops(struct overlay *overlay, size_t from, struct reload_slice id);
/* Hops from a node to another one's Node-ID; -1 when it is not reached. */
int overlay_hops_to_node(struct overlay *overlay, size_t from, size_t to);

/* The invariants. Each prints what is wrong, with the seed, and answers how often. */
size_t overlay_ring_faults(struct overlay *overlay); /* lists against the truth; one owner each */
size_t
overlay_replica_faults(struct overlay *overlay); /* every resource at its owner and two more */
size_t overlay_ownership_faults(struct overlay *overlay); /* every resource owned exactly once */

#endif
