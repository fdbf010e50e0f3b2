#ifndef RELOAD_TOPOLOGY_CHORD_CHORD_H
#define RELOAD_TOPOLOGY_CHORD_CHORD_H

#include "reload/node/topology.h"

/* CHORD-RELOAD (RFC 6940 s10), the topology plug-in that every RELOAD implementation has.
 * create() refuses overlays whose Node-IDs are not 128 bits (RELOAD_E_UNSUPPORTED). */
extern const struct reload_topology_ops reload_chord_ops;

#endif
