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
};

/* s6.1: applies the three cases to the first entry, again after each entry that was for us.
 * Responses are never re-routed: their first entry is connected or they are lost. */
enum reload_route_outcome reload_route_find(struct reload_node *node, struct reload_slice list,
                                            bool response, struct reload_route *out);

#endif
