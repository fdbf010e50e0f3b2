#ifndef RELOAD_WIRE_ERROR_H
#define RELOAD_WIRE_ERROR_H

#include "reload/wire/cursor.h"

/* ErrorResponse (RFC 6940 s6.3.3.1) and the error codes (s14.9). */

enum reload_error_code {
    RELOAD_ERROR_INVALID = 0x0,
    RELOAD_ERROR_FORBIDDEN = 0x2,
    RELOAD_ERROR_NOT_FOUND = 0x3,
    RELOAD_ERROR_REQUEST_TIMEOUT = 0x4,
    RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW = 0x5,
    RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY = 0x6,
    RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION = 0x7,
    RELOAD_ERROR_DATA_TOO_LARGE = 0x8,
    RELOAD_ERROR_DATA_TOO_OLD = 0x9,
    RELOAD_ERROR_TTL_EXCEEDED = 0xa,
    RELOAD_ERROR_MESSAGE_TOO_LARGE = 0xb,
    RELOAD_ERROR_UNKNOWN_KIND = 0xc,
    RELOAD_ERROR_UNKNOWN_EXTENSION = 0xd,
    RELOAD_ERROR_RESPONSE_TOO_LARGE = 0xe,
    RELOAD_ERROR_CONFIG_TOO_OLD = 0xf,
    RELOAD_ERROR_CONFIG_TOO_NEW = 0x10,
    RELOAD_ERROR_IN_PROGRESS = 0x11,
    RELOAD_ERROR_EXP_A = 0x12,
    RELOAD_ERROR_EXP_B = 0x13,
    RELOAD_ERROR_INVALID_MESSAGE = 0x14,
};

/* "Error_Forbidden" and so on, or "unknown". Never NULL; static. */
const char *reload_error_code_name(uint16_t code);

struct reload_error_response {
    uint16_t error_code;
    struct reload_slice error_info; /* UTF-8 text, but for the two codes below; not terminated */
};

/* Returns 0, or RELOAD_E_DECODE. Unknown codes are no error. */
RELOAD_MUST_USE int reload_error_response_decode(struct reload_slice body,
                                                 struct reload_error_response *out);
/* Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_error_response_encode(struct reload_writer *w,
                                                 const struct reload_error_response *response);

/* error_info of Error_Unknown_Kind (s7.4.1.2): the Kind-IDs nobody knows, for
 * reload_kind_id_next(). At most 63 fit. Returns 0, or RELOAD_E_DECODE. The error_info of
 * Error_Generation_Counter_Too_Low is a StoreAns: reload_store_ans_decode(). */
RELOAD_MUST_USE int reload_unknown_kinds_decode(struct reload_slice error_info,
                                                struct reload_slice *kinds);
/* Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_unknown_kinds_encode(struct reload_writer *w, const uint32_t *kinds,
                                                size_t count);

#define RELOAD_UNKNOWN_KINDS_MAX 63

/* Walks a list of Kind-IDs, 4 bytes each: true with the next one, false at the end. */
bool reload_kind_id_next(struct reload_reader *list, uint32_t *kind);

#endif
