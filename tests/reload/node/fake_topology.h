#ifndef RELOAD_TESTS_NODE_FAKE_TOPOLOGY_H
#define RELOAD_TESTS_NODE_FAKE_TOPOLOGY_H

#include "reload/node/topology.h"

/* A topology plug-in that answers what the test says, and notes what it is told. */

struct fake { /* what the topology answers, and what it was told */
    bool owns_everything;
    struct reload_node_id owned_node; /* a Node-ID in the own range; len 0: none */
    uint8_t owned_resource[16];       /* a Resource-ID in the own range */
    bool owns_resource;
    struct reload_node_id hop;       /* next_hop; len 0: none */
    struct reload_node_id other_hop; /* len 0: none */
    bool retreats;
    bool uncertain;                   /* whose range it was may live */
    bool undecided, other_hop_checks; /* the latter: other_hop() sets the former */
    bool far;                         /* close_enough says no: */
    struct reload_node_id closer;
    struct reload_node_id replicas[RELOAD_REPLICAS_MAX];
    size_t replica_count;
    bool replica_plausible;
    const struct reload_topology_host *host;
    /* told: */
    unsigned link_ups, link_downs, suspects, bootstraps, bootstrap_failures, configured, handled;
    unsigned left, updates_wanted, attached, pushed, answers, replica_failures, doubts;
    int attached_error, pushed_error;
    struct reload_node_id last_node;
    struct reload_topology_message last_message;
    struct reload_topology_answer last_answer;
    uint16_t handle_error;
    bool follow_up; /* handle() sends a request of its own to the signer */
};

extern const struct reload_topology_ops fake_topology;
/* The next node that is made with it uses this one. */
void fake_prepare(struct fake *fake);

#endif
