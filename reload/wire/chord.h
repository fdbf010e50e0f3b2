#ifndef RELOAD_WIRE_CHORD_H
#define RELOAD_WIRE_CHORD_H

#include "reload/wire/id.h"

/* The bodies that CHORD-RELOAD defines. UpdateReq is a ChordUpdate (RFC 6940 s10.7) and
 * RouteQueryAns a ChordRouteQueryAns (s10.8) directly; a ChordLeaveData (s10.9) lies in LeaveReq's
 * overlay_specific_data. Node-ID lists are walked with reload_node_id_next() of id.h. */

enum reload_chord_update_type {
    RELOAD_CHORD_UPDATE_INVALID = 0,
    RELOAD_CHORD_UPDATE_PEER_READY = 1,
    RELOAD_CHORD_UPDATE_NEIGHBORS = 2,
    RELOAD_CHORD_UPDATE_FULL = 3,
};

struct reload_chord_update {
    uint32_t uptime_s;
    uint8_t type;                     /* enum reload_chord_update_type */
    struct reload_slice predecessors; /* NEIGHBORS and FULL */
    struct reload_slice successors;   /* NEIGHBORS and FULL */
    struct reload_slice fingers;      /* FULL */
};

enum reload_chord_leave_type {
    RELOAD_CHORD_LEAVE_INVALID = 0,
    RELOAD_CHORD_LEAVE_FROM_SUCC = 1,
    RELOAD_CHORD_LEAVE_FROM_PRED = 2,
};

struct reload_chord_leave {
    uint8_t type;                  /* enum reload_chord_leave_type */
    struct reload_slice neighbors; /* FROM_SUCC: the sender's successors; FROM_PRED: predecessors */
};

struct reload_chord_route_query_ans {
    struct reload_node_id next_peer;
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified: malformed, bytes left over, a Node-ID
 * of all zeros, or a type not listed above (s6.3.1.1: these selects are not extensible). Encode
 * returns 0, or RELOAD_E_NOSPACE: also for a type not listed above. */
RELOAD_MUST_USE int reload_chord_update_decode(struct reload_slice body, size_t node_id_len,
                                               struct reload_chord_update *out);
RELOAD_MUST_USE int reload_chord_update_encode(struct reload_writer *w,
                                               const struct reload_chord_update *update);
RELOAD_MUST_USE int reload_chord_leave_decode(struct reload_slice data, size_t node_id_len,
                                              struct reload_chord_leave *out);
RELOAD_MUST_USE int reload_chord_leave_encode(struct reload_writer *w,
                                              const struct reload_chord_leave *leave);
RELOAD_MUST_USE int reload_chord_route_query_ans_decode(struct reload_slice body,
                                                        size_t node_id_len,
                                                        struct reload_chord_route_query_ans *out);
RELOAD_MUST_USE int
reload_chord_route_query_ans_encode(struct reload_writer *w,
                                    const struct reload_chord_route_query_ans *ans);

#endif
