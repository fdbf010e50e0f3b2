#include "reload/frame/rtt.h"

static uint32_t clamped(uint64_t rto_ms, const struct reload_rtt_limits *limits)
{
    if (rto_ms < limits->min_rto_ms)
        return limits->min_rto_ms;
    return rto_ms > limits->max_rto_ms ? limits->max_rto_ms : (uint32_t)rto_ms;
}

void reload_rtt_init(struct reload_rtt *rtt, const struct reload_rtt_limits *limits)
{
    *rtt = (struct reload_rtt){ .rto_ms = limits->initial_rto_ms };
}

void reload_rtt_sample(struct reload_rtt *rtt, const struct reload_rtt_limits *limits,
                       uint32_t sample_ms)
{
    uint64_t sample = sample_ms < limits->max_rto_ms ? sample_ms : limits->max_rto_ms;
    uint64_t srtt = rtt->srtt_8, var = rtt->rttvar_4;
    if (!rtt->measured) { /* RFC 6298 (2.2) */
        srtt = sample * 8;
        var = sample * 2; /* R/2 in quarters */
    } else {              /* (2.3): the variation first, from the old SRTT */
        uint64_t sample_8 = sample * 8;
        uint64_t error_8 = srtt > sample_8 ? srtt - sample_8 : sample_8 - srtt;
        var = var - var / 4 + error_8 / 8;
        srtt = srtt - srtt / 8 + sample;
    }
    rtt->measured = true;
    rtt->latest_ms = sample_ms;
    rtt->srtt_8 = (uint32_t)srtt;
    rtt->rttvar_4 = (uint32_t)var;
    /* SRTT + max(G, 4 * RTTVAR), G one millisecond; R6940-6.6.3.1-5: rounded up to the millisecond.
     */
    uint64_t spread_8 = 8 * (var ? var : 1);
    rtt->rto_ms = clamped((srtt + spread_8 + 7) / 8, limits);
}
