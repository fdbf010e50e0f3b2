#ifndef RELOAD_WIRE_MESSAGE_H
#define RELOAD_WIRE_MESSAGE_H

#include "reload/wire/header.h"
#include "reload/wire/security_block.h"

/* A whole message: forwarding header, MessageContents and SecurityBlock (RFC 6940 s6.3, s6.3.3). */

/* s14.8 */
enum reload_message_code {
    RELOAD_PROBE_REQ = 0x1,
    RELOAD_PROBE_ANS = 0x2,
    RELOAD_ATTACH_REQ = 0x3,
    RELOAD_ATTACH_ANS = 0x4,
    RELOAD_STORE_REQ = 0x7,
    RELOAD_STORE_ANS = 0x8,
    RELOAD_FETCH_REQ = 0x9,
    RELOAD_FETCH_ANS = 0xa,
    RELOAD_FIND_REQ = 0xd,
    RELOAD_FIND_ANS = 0xe,
    RELOAD_JOIN_REQ = 0xf,
    RELOAD_JOIN_ANS = 0x10,
    RELOAD_LEAVE_REQ = 0x11,
    RELOAD_LEAVE_ANS = 0x12,
    RELOAD_UPDATE_REQ = 0x13,
    RELOAD_UPDATE_ANS = 0x14,
    RELOAD_ROUTE_QUERY_REQ = 0x15,
    RELOAD_ROUTE_QUERY_ANS = 0x16,
    RELOAD_PING_REQ = 0x17,
    RELOAD_PING_ANS = 0x18,
    RELOAD_STAT_REQ = 0x19,
    RELOAD_STAT_ANS = 0x1a,
    RELOAD_APP_ATTACH_REQ = 0x1d,
    RELOAD_APP_ATTACH_ANS = 0x1e,
    RELOAD_CONFIG_UPDATE_REQ = 0x21,
    RELOAD_CONFIG_UPDATE_ANS = 0x22,
    RELOAD_EXP_A_REQ = 0x23,
    RELOAD_EXP_A_ANS = 0x24,
    RELOAD_EXP_B_REQ = 0x25,
    RELOAD_EXP_B_ANS = 0x26,
    RELOAD_ERROR = 0xffff,
};

struct reload_message_type {
    uint16_t code;
    const char *name; /* as in the registry: "store_req" */
};

/* Every code of enum reload_message_code, ascending. */
extern const struct reload_message_type reload_message_types[];
extern const size_t reload_message_type_count;

/* The entry of a code; NULL when the code is not assigned: the message is invalid (s14.8). */
const struct reload_message_type *reload_message_type_find(uint16_t code);
/* The registry's name of a code, or "unknown". Never NULL; static. */
const char *reload_message_name(uint16_t code);

/* s6.3.3: 1..0x7fff are paired, requests odd. */
static inline bool reload_message_is_request(uint16_t code)
{
    return code < 0x8000 && (code & 1) != 0;
}
/* An answer or an error. */
static inline bool reload_message_is_response(uint16_t code)
{
    return code == RELOAD_ERROR || (code != 0 && code < 0x8000 && (code & 1) == 0);
}
/* The answer to a request's code. */
static inline uint16_t reload_message_answer(uint16_t request)
{
    return (uint16_t)(request + 1);
}

struct reload_message {
    struct reload_forwarding_header header;
    struct reload_slice contents; /* the MessageContents as sent: what the signature covers */
    uint16_t message_code;
    struct reload_slice body;       /* the message_body, without its length */
    struct reload_slice extensions; /* for reload_message_extension_next() */
    struct reload_security_block security;
};

/* Reads an unfragmented message, down to but not into the body. All slices are borrowed from
 * `message`. Returns 0, or RELOAD_E_DECODE: the header does not decode, the header is a fragment's,
 * the contents or the security block are malformed, or bytes are left over. Unknown codes are no
 * error. */
RELOAD_MUST_USE int reload_message_decode(struct reload_slice message, size_t node_id_len,
                                          struct reload_message *out);
/* The same for what follows the header, for instance a reassembled payload. out->header is left as
 * it is. */
RELOAD_MUST_USE int reload_message_payload_decode(struct reload_slice payload,
                                                  struct reload_message *out);
/* Writes a whole message from its parts: header (`length` is computed), message_code, body,
 * extensions, security. `contents` is not read. Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_message_encode(struct reload_writer *w,
                                          const struct reload_message *message);

/* To write MessageContents in place: begin, encode the body, end. What lies between the writer's
 * length before begin and after end is what gets signed. */
size_t reload_message_contents_begin(struct reload_writer *w, uint16_t message_code);
void reload_message_contents_end(struct reload_writer *w, size_t mark,
                                 struct reload_slice extensions);

struct reload_message_extension {
    uint16_t type; /* never 0 */
    bool critical;
    struct reload_slice contents;
};

/* Returns 0, or RELOAD_E_DECODE: cut short, type 0, `critical` neither 0 nor 1. */
RELOAD_MUST_USE int reload_message_extension_decode(struct reload_reader *r,
                                                    struct reload_message_extension *out);
RELOAD_MUST_USE int reload_message_extension_encode(struct reload_writer *w,
                                                    const struct reload_message_extension *ext);
/* Walks the extensions of a decoded message: true with the next one, false at the end. */
bool reload_message_extension_next(struct reload_reader *list,
                                   struct reload_message_extension *out);

/* LeaveAns, UpdateAns and ConfigUpdateAns are empty: 0, or RELOAD_E_DECODE when bytes are there. */
RELOAD_MUST_USE int reload_empty_body_decode(struct reload_slice body);

#endif
