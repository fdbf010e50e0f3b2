#ifndef RELOAD_FRAME_RTT_H
#define RELOAD_FRAME_RTT_H

#include <stdbool.h>
#include <stdint.h>

/* Round-trip time and retransmission timeout by RFC 6298 section 2, as RFC 6940 s6.6.3.1 and s6.6.5
 * ask. Values are kept in 1/8 and 1/4 milliseconds as the formulas' weights suggest; the timeout is
 * rounded up to the millisecond, never to a second. */

struct reload_rtt_limits {
    uint32_t initial_rto_ms; /* before the first sample */
    uint32_t min_rto_ms;     /* RFC 6298 (2.4) */
    uint32_t max_rto_ms;     /* RFC 6298 (2.5) */
};

struct reload_rtt {
    uint32_t srtt_8;   /* smoothed RTT in 1/8 ms */
    uint32_t rttvar_4; /* its variation in 1/4 ms */
    uint32_t rto_ms;
    uint32_t latest_ms; /* last sample */
    bool measured;      /* at least one sample was taken */
};

void reload_rtt_init(struct reload_rtt *rtt, const struct reload_rtt_limits *limits);
void reload_rtt_sample(struct reload_rtt *rtt, const struct reload_rtt_limits *limits,
                       uint32_t sample_ms);

#endif
