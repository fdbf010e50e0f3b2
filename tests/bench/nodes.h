#ifndef RELOAD_TESTS_BENCH_NODES_H
#define RELOAD_TESTS_BENCH_NODES_H

#include "overlay_files.h"
#include "peer/overlay.h"

/* Real nodes in one thread, on the default main context: a peer that founds the overlay, and
 * clients that are linked to it and attach to each other through it. Everything ends the program
 * when it fails, but an attach that does not come about. */

#define BENCH_NODES_OVERLAY "bench.example"

struct bench_node {
    struct bench_identity_files files;
    struct reload_overlay *overlay;
    enum reload_topology_state state;
};

/* A folder with an overlay, with links by ICE or without. */
void bench_nodes_create(struct bench_files *files, bool ice, enum reload_cert_key_type key);
/* Starts node `number`, on loopback: the founder, or a client of `bootstrap`; returns when it has
 * joined. */
void bench_node_start(struct bench_node *node, const struct bench_files *files, unsigned number,
                      enum reload_cert_key_type key, const struct bench_node *bootstrap);
/* A link from one node to another by an Attach through `router`; returns when it can be used, or
 * false when there is none. */
bool bench_node_attach(struct bench_node *from, const struct bench_node *router,
                       const struct bench_node *to);

#endif
