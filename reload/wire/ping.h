#ifndef RELOAD_WIRE_PING_H
#define RELOAD_WIRE_PING_H

#include "reload/wire/cursor.h"

/* Ping (RFC 6940 s6.5.3). */

struct reload_ping_req {
    struct reload_slice padding; /* at most 65535 bytes */
};

struct reload_ping_ans {
    uint64_t response_id;
    uint64_t time_ms; /* Unix time */
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified; encode returns 0, or
 * RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_ping_req_decode(struct reload_slice body, struct reload_ping_req *out);
RELOAD_MUST_USE int reload_ping_req_encode(struct reload_writer *w,
                                           const struct reload_ping_req *req);
RELOAD_MUST_USE int reload_ping_ans_decode(struct reload_slice body, struct reload_ping_ans *out);
RELOAD_MUST_USE int reload_ping_ans_encode(struct reload_writer *w,
                                           const struct reload_ping_ans *ans);

#endif
