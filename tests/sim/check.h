#ifndef RELOAD_TESTS_SIM_CHECK_H
#define RELOAD_TESTS_SIM_CHECK_H

#include "tests/sim/world.h"

/* What must hold of an overlay at rest, looked at from outside with all tables in view. */

struct stored_key { /* where a value was stored */
    uint8_t resource[16];
    uint32_t kind;
};

struct check {
    size_t peers; /* joined, out of those alive */
    size_t alive;
    size_t ring_errors;    /* successor or predecessor is not the next peer around the ring */
    size_t owner_errors;   /* keys with no owner, or with more than one */
    size_t replica_errors; /* values missing at the owner or at one of the two peers behind it */
    char why[300];         /* the first thing that is wrong; empty when all is well */
};

/* Looks at the ring, at the owner of each key and of each border between two peers, and at the
 * replicas of each key. */
struct check world_check(const struct world *world, size_t places, const struct stored_key *keys,
                         size_t key_count);
static inline bool check_is_good(const struct check *c)
{
    return c->why[0] == 0;
}

/* The places of all joined peers, by rising Node-ID. Returns their number. */
size_t world_ring(const struct world *world, size_t places, uint32_t *out);

#endif
