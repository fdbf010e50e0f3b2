#ifndef RELOAD_WIRE_OPTION_H
#define RELOAD_WIRE_OPTION_H

#include "reload/wire/cursor.h"

/* Forwarding options (RFC 6940 s6.3.2.3). */

enum reload_forwarding_option_flags {
    RELOAD_OPTION_FORWARD_CRITICAL = 0x01,
    RELOAD_OPTION_DESTINATION_CRITICAL = 0x02,
    RELOAD_OPTION_RESPONSE_COPY = 0x04,
};

struct reload_forwarding_option {
    uint8_t type;               /* never 0 */
    uint8_t flags;              /* enum reload_forwarding_option_flags and bits not defined */
    struct reload_slice option; /* the value */
};

/* Returns 0, or RELOAD_E_DECODE: cut short, or type 0. Unknown types and flags are no error. */
RELOAD_MUST_USE int reload_forwarding_option_decode(struct reload_reader *r,
                                                    struct reload_forwarding_option *out);
/* Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_forwarding_option_encode(struct reload_writer *w,
                                                    const struct reload_forwarding_option *option);
/* Walks the options of a header: true with the next one, false at the end. */
bool reload_forwarding_option_next(struct reload_reader *list,
                                   struct reload_forwarding_option *out);

#endif
