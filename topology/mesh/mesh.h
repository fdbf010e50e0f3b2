#ifndef RELOAD_TOPOLOGY_MESH_MESH_H
#define RELOAD_TOPOLOGY_MESH_MESH_H

#include "reload/node/topology.h"

/* MESH-RELOAD, a topology plug-in for small overlays (topology-plugin "MESH-RELOAD"): each peer is
 * linked to each other one, so that every message takes one hop. The peer whose Node-ID is the next
 * one at or after a Resource-ID is responsible for it, and the two peers after it hold replicas.
 *
 * Bodies. UpdateReq: NodeId members<0..2^16-1>, the peers that the sender knows to be in the
 * overlay, itself included once it is one. JoinReq and LeaveReq: no overlay_specific_data.
 * RouteQueryAns: NodeId next_peer.
 *
 * A joining node hears the members from a bootstrap node, attaches to all of them, and sends a Join
 * to the one responsible for its Node-ID. That one stores the data at it and then sends an Update
 * that lists it, which makes it a member. create() refuses Node-IDs that are not 16 bytes
 * (RELOAD_E_UNSUPPORTED). */
extern const struct reload_topology_ops reload_mesh_ops;

#endif
