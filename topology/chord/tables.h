#ifndef RELOAD_TOPOLOGY_CHORD_TABLES_H
#define RELOAD_TOPOLOGY_CHORD_TABLES_H

#include "reload/wire/chord.h"
#include "topology/chord/ring.h"

/* The tables of CHORD-RELOAD (RFC 6940 s10.1, s10.3). One array holds every connected node in ring
 * order; Neighbor Table, Finger Table and Routing Table are views of it:
 *
 *   self -> [ n0 n1 n2 n3 | ....fingers.... | n-3 n-2 n-1 ] -> self
 *            successors                       predecessors, nearest last
 *
 * Only nodes that sent an Update ("ready") count: the others are clients or still joining. Any
 * ready node at distance d is an entry of finger 128 - floor(log2 d), for which s10.7.4.2 allows
 * several, so the Routing Table is all of them. */

#define RELOAD_CHORD_LIST_MIN  3    /* predecessors, successors kept at least, s10.7 */
#define RELOAD_CHORD_LIST_MAX  8    /* and at most */
#define RELOAD_CHORD_PEERS_MAX 4096 /* connected nodes looked at */

struct reload_chord_lists { /* nearest first; never self (s10.7.3) */
    struct reload_chord_id predecessors[RELOAD_CHORD_LIST_MAX];
    struct reload_chord_id successors[RELOAD_CHORD_LIST_MAX];
    size_t predecessor_count, successor_count;
};

struct reload_chord_peer { /* a node we have a link to */
    struct reload_chord_id id;
    bool ready;      /* sent an Update (s4.4), or was admitted by us */
    bool suspect;    /* its link misses acks: not in the routing decision */
    bool lost;       /* it was asked and is silent: in no table until it is heard again, s10.7.1 */
    bool opened;     /* the link was our wish */
    bool neighborly; /* its last Update was of type neighbors: it counts us among its own */
    bool asked;      /* it was sent our Join */
    bool asked_full; /* it was asked for a full Update, s10.7 */
    uint8_t owed;    /* enum reload_chord_update_type it is to get as soon as possible, or 0 */
    uint32_t update_cookie;  /* of the last Update sent to it */
    uint64_t update_due_ms;  /* next periodic Update, s10.7.4.1 */
    uint64_t needed_ms;      /* last time a table had use for it */
    uint32_t check_cookie;   /* of the Ping whose answer shows that it lives; 0: none is out */
    uint64_t check_until_ms; /* lost from then on; RELOAD_NEVER: that is decided */
    bool told;               /* `lists` holds what its last Update said */
    struct reload_chord_lists lists;
};

struct reload_chord_tables {
    struct reload_chord_id self;
    struct reload_chord_peer *peers; /* ascending by distance from self */
    size_t count, capacity;
    size_t list_size; /* wanted length of each list */

    struct reload_chord_lists lists; /* the Neighbor Table */
    struct reload_chord_id *routes;  /* usable ones, ascending by distance */
    size_t route_count;
};

void reload_chord_tables_init(struct reload_chord_tables *tables, struct reload_chord_id self);
void reload_chord_tables_fini(struct reload_chord_tables *tables);

/* The entry of a node, or NULL. Pointers are good until the next add or remove. */
struct reload_chord_peer *reload_chord_tables_find(const struct reload_chord_tables *tables,
                                                   struct reload_chord_id id);
/* Finds or makes it. NULL: no memory, RELOAD_CHORD_PEERS_MAX, or self. */
struct reload_chord_peer *reload_chord_tables_add(struct reload_chord_tables *tables,
                                                  struct reload_chord_id id);
/* The routing decision may choose it. */
bool reload_chord_peer_usable(const struct reload_chord_peer *peer);
void reload_chord_tables_remove(struct reload_chord_tables *tables, struct reload_chord_id id);
/* Makes the lists and routes anew from the flags of the peers. */
void reload_chord_tables_refresh(struct reload_chord_tables *tables);

/* s10.3: the peer with the largest Node-ID in (self, k), else the one with the smallest Node-ID
 * greater than k. False when there is no peer at all. */
bool reload_chord_tables_route(const struct reload_chord_tables *tables, struct reload_chord_id k,
                               struct reload_chord_id *out);

/* The ready peer with the smallest Node-ID that is not less than k, usable or not, or NULL: not
 * counting those that are lost. */
const struct reload_chord_peer *reload_chord_tables_after(const struct reload_chord_tables *tables,
                                                          struct reload_chord_id k);

/* Lies a lost peer at or after k, before self? */
bool reload_chord_tables_lost_after(const struct reload_chord_tables *tables,
                                    struct reload_chord_id k);

bool reload_chord_lists_equal(const struct reload_chord_lists *a,
                              const struct reload_chord_lists *b);
bool reload_chord_lists_hold(const struct reload_chord_lists *lists, struct reload_chord_id id);
/* Finger i: the ready peer nearest to the start of its range, or NULL. */
const struct reload_chord_peer *reload_chord_tables_finger(const struct reload_chord_tables *tables,
                                                           unsigned i);
/* Estimated log2 of the number of peers, from how densely the neighbours lie; 0 when alone. */
unsigned reload_chord_tables_log2_size(const struct reload_chord_tables *tables);

#endif
