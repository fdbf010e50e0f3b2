#ifndef RELOAD_TESTS_NODE_WORLD_INTERNAL_H
#define RELOAD_TESTS_NODE_WORLD_INTERNAL_H

#include "tests/reload/node/world.h"

/* What the files of the world share. */

enum event_type {
    MESSAGE,
    UP,
    DOWN,
    OPEN_FAILED,
    BOOTSTRAP_FAILED,
    PERSISTED,
    GATHERED,
    CHECKED,
    UNCHECKED
};

struct world_event {
    struct world_event *next;
    uint64_t at_ms;
    enum event_type type;
    size_t node; /* that it happens to */
    reload_link_id link;
    uint32_t attach;
    bool inbound, bootstrap;
    size_t far;
    uint64_t token; /* or a channel's serial */
    size_t len;
    uint8_t bytes[];
};

struct world_link {
    struct world_link *next;
    reload_link_id id; /* the same at both ends */
    size_t a, b;
};

/* --- world_links.c --- */
/* An event in so many ms, with room for that many bytes, which are the caller's to fill in. */
struct world_event *world_post(struct world *world, enum event_type type, size_t node,
                               reload_link_id link, uint64_t in_ms, size_t len);
/* NULL when there is none. */
struct world_link *world_find_link(const struct world *world, reload_link_id id);
/* A new link: both ends hear of it, the dialling one with that attach number. */
void world_connect_nodes(struct world *world, size_t from, size_t to, uint32_t attach,
                         bool bootstrap);
/* The link is over, for both ends. */
void world_cut(struct world *world, struct world_link *link);

/* --- world_action.c --- */
/* The host has found the candidates of a channel. */
void world_gathered(struct world *world, struct world_node *n, uint64_t serial);
/* The checks of a channel have found a pair, if its far end is still there. */
void world_checked(struct world *world, uint64_t serial);
/* They are given up. */
void world_unchecked(struct world *world, struct world_node *n, uint64_t serial);

#endif
