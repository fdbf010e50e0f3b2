#ifndef RELOAD_WIRE_CONFIG_UPDATE_H
#define RELOAD_WIRE_CONFIG_UPDATE_H

#include "reload/wire/cursor.h"

/* ConfigUpdateReq (RFC 6940 s6.5.4.1). The answer is empty: reload_empty_body_decode(). */

enum reload_config_update_type {
    RELOAD_CONFIG_UPDATE_INVALID = 0,
    RELOAD_CONFIG_UPDATE_CONFIG = 1,
    RELOAD_CONFIG_UPDATE_KIND = 2,
};

struct reload_config_update_req {
    uint8_t type;                /* enum reload_config_update_type, or unknown */
    struct reload_slice content; /* CONFIG: the document; KIND: for reload_kind_description_next();
                                    unknown types: everything after the length */
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified: malformed, or type 0. Encode returns
 * 0, or RELOAD_E_NOSPACE: buffer too small, or content above 2^24-1 bytes. */
RELOAD_MUST_USE int reload_config_update_req_decode(struct reload_slice body,
                                                    struct reload_config_update_req *out);
RELOAD_MUST_USE int reload_config_update_req_encode(struct reload_writer *w,
                                                    const struct reload_config_update_req *req);

/* Walks KindDescriptions, one kind-block each: true with the next one, false at the end. To make
 * such a list, write each block with reload_wr_opaque16(). */
bool reload_kind_description_next(struct reload_reader *list, struct reload_slice *block);

#endif
