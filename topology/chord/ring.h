#ifndef RELOAD_TOPOLOGY_CHORD_RING_H
#define RELOAD_TOPOLOGY_CHORD_RING_H

#include "reload/random.h"
#include "reload/wire/id.h"

/* The ring of RFC 6940 s10.1: Node-IDs and Resource-IDs as unsigned numbers modulo 2^128. */

#define RELOAD_CHORD_ID_LEN  16 /* bytes */
#define RELOAD_CHORD_ID_BITS 128

struct reload_chord_id {
    uint64_t hi, lo;
};

/* From RELOAD_CHORD_ID_LEN big-endian bytes; any other length gives 0. */
struct reload_chord_id reload_chord_id_from(struct reload_slice bytes);
struct reload_chord_id reload_chord_id_of(const struct reload_node_id *node_id);
struct reload_node_id reload_chord_id_node(struct reload_chord_id id);

bool reload_chord_id_equal(struct reload_chord_id a, struct reload_chord_id b);
bool reload_chord_id_less(struct reload_chord_id a, struct reload_chord_id b); /* as numbers */
struct reload_chord_id reload_chord_id_plus(struct reload_chord_id a, struct reload_chord_id b);
struct reload_chord_id reload_chord_id_next(struct reload_chord_id id); /* id + 1 */

/* Steps clockwise from one id to the other: 0 when they are the same. */
struct reload_chord_id reload_chord_distance(struct reload_chord_id from,
                                             struct reload_chord_id to);
/* x in (after, up_to], clockwise; equal ends mean the whole ring. */
bool reload_chord_within(struct reload_chord_id x, struct reload_chord_id after,
                         struct reload_chord_id up_to);
/* x in (after, before), clockwise; equal ends mean all but that id. */
bool reload_chord_between(struct reload_chord_id x, struct reload_chord_id after,
                          struct reload_chord_id before);

/* Finger i (1..128, s10.7.4.2) covers [x + 2^(128-i), x + 2^(129-i) - 1]. */
struct reload_chord_id reload_chord_finger_start(struct reload_chord_id x, unsigned i);
/* The finger entry that an id at this distance (not 0) falls into: 1..128. */
unsigned reload_chord_finger_of(struct reload_chord_id distance);
/* An id drawn evenly from finger i's range. */
struct reload_chord_id reload_chord_finger_random(struct reload_chord_id x, unsigned i,
                                                  const struct reload_random *random);

/* The part of the ring that a distance is, in parts per billion; 0 stands for all of it. */
uint32_t reload_chord_ppb(struct reload_chord_id distance);

#endif
