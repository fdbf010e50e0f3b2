#ifndef RELOAD_NODE_ROUTE_H
#define RELOAD_NODE_ROUTE_H

#include "reload/node/connection.h"
#include "reload/wire/destination.h"

/* Where a message goes next (RFC 6940 s6.1). */

enum reload_route_outcome {
    RELOAD_ROUTE_HERE,
    RELOAD_ROUTE_NEXT,
    RELOAD_ROUTE_DROP,
};

struct reload_route {
    struct reload_slot *next;        /* NEXT: the link to take */
    struct reload_slice list;        /* the Destination List that goes on, or that was for us */
    struct reload_destination first; /* its first entry */
    enum reload_drop_reason reason;  /* DROP */
    uint16_t error;                  /* DROP: RFC error code to answer a request with, or 0 */
    bool undecided; /* the topology finds out whether who it should go to lives: it may wait */
};

/* s6.1: applies the three cases to the first entry, again after each entry that was for us.
 * Responses are never re-routed: their first entry is connected or they are lost. */
enum reload_route_outcome reload_route_find(struct reload_node *node, struct reload_slice list,
                                            bool response, struct reload_route *out);

/* --- waiting.c: requests that wait for the topology --- */

#define RELOAD_WAITING_MAX       1024
#define RELOAD_WAITING_BYTES_MAX (1024 * 1024)

struct reload_waiting_request;

struct reload_waiting {
    struct reload_waiting_request *first, **end;
    size_t count, bytes;
};

/* topology.h, of an id that is not in the own range */
bool reload_undecided(const struct reload_node *node, struct reload_slice id);
/* A request for id that came over that link waits. False: it cannot, and goes on as it is. */
bool reload_wait(struct reload_node *node, const struct reload_slot *from, struct reload_slice id,
                 struct reload_slice bytes);
/* The same for one of this node. */
bool reload_wait_own(struct reload_node *node, struct reload_slice id, uint64_t transaction_id);
/* What was waited for may be decided. */
void reload_waiting_go_on(struct reload_node *node);
void reload_waiting_fini(struct reload_node *node);

#endif
