#ifndef RELOAD_WIRE_FIND_H
#define RELOAD_WIRE_FIND_H

#include "reload/wire/cursor.h"
#include "reload/wire/error.h" /* reload_kind_id_next() */

/* Find (RFC 6940 s7.4.4). */

struct reload_find_req {
    struct reload_slice resource;
    struct reload_slice kinds; /* for reload_kind_id_next(); at most 63 */
};

struct reload_find_ans {
    struct reload_slice results; /* for reload_find_kind_data_next() */
};

struct reload_find_kind_data {
    uint32_t kind;
    struct reload_slice closest; /* a Resource-ID; all zeros or empty when none is known */
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified; encode returns 0, or
 * RELOAD_E_NOSPACE. Lists have been walked to their exact end. */
RELOAD_MUST_USE int reload_find_req_decode(struct reload_slice body, struct reload_find_req *out);
RELOAD_MUST_USE int reload_find_req_encode(struct reload_writer *w,
                                           const struct reload_find_req *req);
/* s7.4.4.1: each Kind-ID appears once. Returns 0, or RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_find_req_validate(const struct reload_find_req *req);
RELOAD_MUST_USE int reload_find_ans_decode(struct reload_slice body, struct reload_find_ans *out);
RELOAD_MUST_USE int reload_find_ans_encode(struct reload_writer *w,
                                           const struct reload_find_ans *ans);
RELOAD_MUST_USE int reload_find_kind_data_decode(struct reload_reader *r,
                                                 struct reload_find_kind_data *out);
RELOAD_MUST_USE int reload_find_kind_data_encode(struct reload_writer *w,
                                                 const struct reload_find_kind_data *data);
bool reload_find_kind_data_next(struct reload_reader *list, struct reload_find_kind_data *out);

#endif
