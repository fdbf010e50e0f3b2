#ifndef RELOAD_WIRE_ROUTE_QUERY_H
#define RELOAD_WIRE_ROUTE_QUERY_H

#include "reload/wire/destination.h"

/* RouteQueryReq (RFC 6940 s6.4.2.4.1). Its answer is the topology's: chord.h. */

struct reload_route_query_req {
    bool send_update;
    struct reload_destination destination;
    struct reload_slice overlay_specific_data;
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified; encode returns 0, or
 * RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_route_query_req_decode(struct reload_slice body, size_t node_id_len,
                                                  struct reload_route_query_req *out);
RELOAD_MUST_USE int reload_route_query_req_encode(struct reload_writer *w,
                                                  const struct reload_route_query_req *req);

#endif
