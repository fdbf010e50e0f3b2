#ifndef RELOAD_WIRE_JOIN_H
#define RELOAD_WIRE_JOIN_H

#include "reload/wire/id.h"

/* Join (RFC 6940 s6.4.2.1) and Leave (s6.4.2.2). LeaveAns is empty: reload_empty_body_decode(). */

struct reload_join_req {
    struct reload_node_id joining_peer_id;
    struct reload_slice overlay_specific_data;
};

struct reload_join_ans {
    struct reload_slice overlay_specific_data;
};

struct reload_leave_req {
    struct reload_node_id leaving_peer_id;
    struct reload_slice overlay_specific_data; /* CHORD-RELOAD: a ChordLeaveData, chord.h */
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified (also for a Node-ID of all zeros);
 * encode returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_join_req_decode(struct reload_slice body, size_t node_id_len,
                                           struct reload_join_req *out);
RELOAD_MUST_USE int reload_join_req_encode(struct reload_writer *w,
                                           const struct reload_join_req *req);
RELOAD_MUST_USE int reload_join_ans_decode(struct reload_slice body, struct reload_join_ans *out);
RELOAD_MUST_USE int reload_join_ans_encode(struct reload_writer *w,
                                           const struct reload_join_ans *ans);
RELOAD_MUST_USE int reload_leave_req_decode(struct reload_slice body, size_t node_id_len,
                                            struct reload_leave_req *out);
RELOAD_MUST_USE int reload_leave_req_encode(struct reload_writer *w,
                                            const struct reload_leave_req *req);

#endif
