#ifndef USAGE_SIP_FRAMING_H
#define USAGE_SIP_FRAMING_H

#include "usage-sip/head.h"

/* Cuts a byte stream into SIP messages by their Content-Length (RFC 3261 s18.3). Holds at most one
 * message of RELOAD_SIP_MESSAGE_MAX bytes. */

struct reload_sip_framing {
    uint8_t *held; /* the start of a message that is not whole yet */
    size_t len, cap;
    size_t searched; /* bytes in which the head is known not to end */
};

void reload_sip_framing_fini(struct reload_sip_framing *framing);

/* Takes bytes off `input` until a message is whole. Returns 1 with it in *message, valid until the
 * next call; 0 when more bytes are needed (input is then empty); RELOAD_E_LIMIT for a head or a
 * message that is too long, RELOAD_E_DECODE for one without a usable Content-Length, which leaves
 * no way to find the next one: the channel is to be closed; RELOAD_E_NOMEM. Empty lines before a
 * start line are skipped (s7.5). */
RELOAD_MUST_USE int reload_sip_framing_next(struct reload_sip_framing *framing,
                                            struct reload_slice *input,
                                            struct reload_slice *message);

#endif
