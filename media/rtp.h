#ifndef RELOAD_MEDIA_RTP_H
#define RELOAD_MEDIA_RTP_H

#include "reload/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The RTP fixed header (RFC 3550 s5.1). */

#define RELOAD_MEDIA_RTP_HEADER_LEN 12

struct reload_media_rtp {
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t sequence_number;
    uint8_t payload_type; /* 0..127 */
    bool marker;
    const uint8_t *payload; /* borrowed from the packet */
    size_t payload_len;     /* without padding */
};

/* RFC 5761 s4: true when a datagram of a multiplexed port is RTCP, by its packet type (64..95 as
 * RTP payload types, that is 192..223). Looks at the first two bytes only. */
bool reload_media_is_rtcp(const uint8_t *bytes, size_t len);

/* Reads a packet: CSRCs and one header extension are stepped over, padding taken off. Returns 0,
 * or RELOAD_E_DECODE: another version, or lengths that do not fit. */
RELOAD_MUST_USE int reload_media_rtp_decode(const uint8_t *bytes, size_t len,
                                            struct reload_media_rtp *out);

/* Writes header and payload, without CSRC, extension or padding. Returns 0 with the length, or
 * RELOAD_E_NOSPACE. The payload may already stand at its place in out. */
RELOAD_MUST_USE int reload_media_rtp_encode(const struct reload_media_rtp *rtp, uint8_t *out,
                                            size_t cap, size_t *len);

#endif
