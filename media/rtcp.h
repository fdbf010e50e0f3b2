#ifndef RELOAD_MEDIA_RTCP_H
#define RELOAD_MEDIA_RTCP_H

#include "reload/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RTCP compound packets (RFC 3550 s6): sender and receiver reports, SDES CNAME and BYE. Two parties
 * talk, so a report we write has at most one block; one we read may have any number. */

#define RELOAD_MEDIA_CNAME_MAX 255

struct reload_media_report_block { /* s6.4.1 */
    uint32_t ssrc;                 /* of the source it speaks about */
    uint8_t fraction_lost;         /* of 256, since the last report */
    int32_t cumulative_lost;       /* 24 bits, signed */
    uint32_t highest_sequence;     /* extended */
    uint32_t jitter;               /* timestamp units */
    uint32_t lsr;                  /* middle 32 bits of the NTP time of the last SR, or 0 */
    uint32_t dlsr;                 /* since then, in 1/65536 s */
};

struct reload_media_rtcp {
    uint32_t ssrc; /* of the sender of the packet */
    bool is_sender;
    uint64_t ntp; /* sender information: valid when is_sender */
    uint32_t rtp_timestamp;
    uint32_t packet_count;
    uint32_t octet_count;
    bool has_block; /* a block about the wanted SSRC was there */
    struct reload_media_report_block block;
    bool bye;
};

/* Checks a compound packet whole (s6.1, A.2: version, first packet SR or RR, lengths that add up
 * exactly) and reads the parts that we use; `about` is the SSRC whose block is wanted, our own.
 * Unknown packet types are stepped over. Returns 0, or RELOAD_E_DECODE and nothing to be used. */
RELOAD_MUST_USE int reload_media_rtcp_decode(const uint8_t *bytes, size_t len, uint32_t about,
                                             struct reload_media_rtcp *out);

/* Writes SR or RR, SDES with the CNAME, and BYE when asked. Returns 0 with the length,
 * RELOAD_E_NOSPACE, or RELOAD_E_INVALID for a CNAME that is too long. */
RELOAD_MUST_USE int reload_media_rtcp_encode(const struct reload_media_rtcp *rtcp,
                                             const char *cname, uint8_t *out, size_t cap,
                                             size_t *len);

/* NTP time (s4) of a Unix time in milliseconds. */
uint64_t reload_media_ntp(uint64_t unix_ms);

#endif
