#ifndef RELOAD_WIRE_PROBE_H
#define RELOAD_WIRE_PROBE_H

#include "reload/wire/cursor.h"

/* Probe (RFC 6940 s6.4.2.5). */

enum reload_probe_information_type {
    RELOAD_PROBE_INVALID = 0,
    RELOAD_PROBE_RESPONSIBLE_SET = 1, /* parts per billion of the overlay */
    RELOAD_PROBE_NUM_RESOURCES = 2,
    RELOAD_PROBE_UPTIME = 3, /* seconds */
    RELOAD_PROBE_EXP = 4,
};

struct reload_probe_req {
    struct reload_slice requested_info; /* one enum reload_probe_information_type per byte */
};

struct reload_probe_ans {
    struct reload_slice probe_info; /* for reload_probe_information_next() */
};

struct reload_probe_information {
    uint8_t type;              /* enum reload_probe_information_type, or unknown */
    uint32_t number;           /* of the three known types */
    struct reload_slice value; /* as received; read by encode for unknown types only */
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified: malformed, type 0, or a known type
 * whose length is not 4. Encode returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_probe_req_decode(struct reload_slice body, struct reload_probe_req *out);
RELOAD_MUST_USE int reload_probe_req_encode(struct reload_writer *w,
                                            const struct reload_probe_req *req);
RELOAD_MUST_USE int reload_probe_ans_decode(struct reload_slice body, struct reload_probe_ans *out);
RELOAD_MUST_USE int reload_probe_ans_encode(struct reload_writer *w,
                                            const struct reload_probe_ans *ans);

RELOAD_MUST_USE int reload_probe_information_decode(struct reload_reader *r,
                                                    struct reload_probe_information *out);
RELOAD_MUST_USE int reload_probe_information_encode(struct reload_writer *w,
                                                    const struct reload_probe_information *info);
/* Walks a decoded answer: true with the next element, false at the end. */
bool reload_probe_information_next(struct reload_reader *list,
                                   struct reload_probe_information *out);

#endif
