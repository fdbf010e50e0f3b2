#ifndef PEER_RING_TEXT_H
#define PEER_RING_TEXT_H

#include <jansson.h>

#include "reload/wire/id.h"

/* A ring as a drawing in plain text, for terminals of 80 columns. */

#define RELOAD_RING_MARKS 61 /* members with a mark of their own: A-Z, a-z, 1-9; others are "*" */

struct reload_ring_member {
    struct reload_node_id id;
    double share;     /* of the ring that it owns, 0..1 */
    const char *note; /* shown behind it; may be NULL */
};

/* Sorts the members by id and sets the share of each: from its predecessor, exclusive, to itself.
 */
void reload_ring_sort(struct reload_ring_member *members, size_t count);
/* Where an id lies on the ring, 0..1. */
double reload_ring_place(const struct reload_node_id *id);
/* The drawing: a circle with a mark for each member, ids rising clockwise from the top, and a list.
 * For free(). NULL without memory. */
char *reload_ring_draw(const struct reload_ring_member *members, size_t count);

#endif
