#ifndef RELOAD_MEDIA_SOURCE_H
#define RELOAD_MEDIA_SOURCE_H

#include "media/rtcp.h"
#include <stdbool.h>
#include <stdint.h>

/* What a receiver keeps about one source: sequence numbers, loss, jitter and the last sender report
 * (RFC 3550 s6.4.1, A.1, A.3, A.8). A plain value; all zero is a source not heard yet. */
struct reload_media_source {
    bool heard;
    uint32_t ssrc;
    uint32_t base_sequence;    /* extended, of the first packet */
    uint32_t highest_sequence; /* extended */
    uint32_t restart_sequence; /* where a jump must go on to be believed */
    uint64_t received;
    uint64_t expected_prior, received_prior; /* at the last report */
    uint32_t transit;                        /* arrival minus timestamp, timestamp units */
    double jitter;                           /* timestamp units */
    uint64_t last_ms;                        /* monotonic time of the last packet */
    uint32_t lsr;                            /* of the last sender report, 0 before any */
    uint64_t lsr_ms;
};

/* Forgets everything and expects packets of this SSRC from sequence number on. */
void reload_media_source_start(struct reload_media_source *source, uint32_t ssrc,
                               uint16_t sequence);

/* Takes one packet in. *extended is its sequence number with the cycles counted. Returns 0;
 * RELOAD_E_TOO_OLD for a number far behind, or far ahead until a second one in a row proves that
 * the sender restarted (A.1). *restarted is set when it did: buffers keyed by number are void. */
RELOAD_MUST_USE int reload_media_source_packet(struct reload_media_source *source,
                                               uint16_t sequence, uint32_t timestamp,
                                               uint64_t now_ms, uint32_t *extended,
                                               bool *restarted);

void reload_media_source_sender_report(struct reload_media_source *source, uint64_t ntp,
                                       uint64_t now_ms);

/* The report block about this source; starts a new interval for the fraction lost. */
struct reload_media_report_block reload_media_source_report(struct reload_media_source *source,
                                                            uint64_t now_ms);

/* Packets that should have come, minus those that did; duplicates make it smaller (s6.4.1). */
int64_t reload_media_source_lost(const struct reload_media_source *source);

#endif
