#include "reload/frame/congestion.h"

#define PACED_FROM_MS                                                                              \
    4 /* below this round-trip time the millisecond is too coarse to pace with                     \
       */

/* Two more than s6.6.3.1 asks of a stop-and-wait sender: the link leaves the Routing Table as early
 * as there, but is kept longer: 127 RTOs, 12.7 s at the least RTO. With a fifth of all datagrams
 * lost each way five in a row get lost with every 165th message, seven with every 1276th, and
 * closing the link is worse than waiting. */
#define TRANSMISSIONS 7

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* RFC 3390: four datagrams, but no more than 4380 bytes unless two need it. */
static uint32_t initial_window(const struct reload_congestion_state *s)
{
    return smaller(4 * s->datagram_len, larger(2 * s->datagram_len, 4380));
}

static void init(struct reload_congestion_state *s)
{
    s->window = initial_window(s);
    s->threshold = RELOAD_CONGESTION_WINDOW_MAX;
    s->credit = s->window;
    s->acked_ms = RELOAD_NEVER;
}

/* --- pacing: the window is spread over the round trip --- */

static bool paced(const struct reload_congestion_state *s)
{
    return s->srtt_ms >= PACED_FROM_MS;
}

/* Bytes that may leave in one round trip: ahead of the window, so that the window and not the
 * pacing limits, and twice as fast in slow start, where it doubles. */
static uint64_t bytes_per_round(const struct reload_congestion_state *s)
{
    return s->window < s->threshold ? UINT64_C(2) * s->window : UINT64_C(5) * s->window / 4;
}

static uint32_t burst(const struct reload_congestion_state *s)
{
    uint64_t in_two_ms = bytes_per_round(s) * 2 / (s->srtt_ms ? s->srtt_ms : 1);
    return larger(2 * s->datagram_len, smaller((uint32_t)in_two_ms, s->window));
}

static uint32_t credit_at(const struct reload_congestion_state *s, uint64_t now_ms)
{
    uint64_t elapsed_ms = now_ms > s->credit_ms ? now_ms - s->credit_ms : 0;
    uint64_t most = burst(s);
    if (!paced(s) || elapsed_ms > s->srtt_ms)
        return (uint32_t)most;
    uint64_t credit = s->credit + bytes_per_round(s) * elapsed_ms / s->srtt_ms;
    return (uint32_t)(credit < most ? credit : most);
}

static uint64_t when(const struct reload_congestion_state *s, size_t len)
{
    if (s->flight > 0 && s->flight + len > s->window)
        return RELOAD_NEVER;
    uint64_t need = len < burst(s) ? len : burst(s);
    if (!paced(s) || need <= s->credit)
        return 0;
    uint64_t rate = bytes_per_round(s);
    return s->credit_ms + ((need - s->credit) * s->srtt_ms + rate - 1) / rate;
}

static void sent(struct reload_congestion_state *s, size_t len, uint64_t now_ms)
{
    /* RFC 5681 s4.1: what the path bore before a pause says little about the path now. */
    if (s->flight == 0 && s->rto_ms && now_ms > s->sent_ms + s->rto_ms)
        s->window = smaller(s->window, initial_window(s));
    uint32_t credit = credit_at(s, now_ms);
    s->credit = credit > len ? credit - (uint32_t)len : 0;
    s->credit_ms = now_ms;
    s->sent_ms = now_ms;
}

/* --- the window --- */

static void acked(struct reload_congestion_state *s, size_t len, uint64_t now_ms)
{
    s->acked_ms = now_ms;
    if (s->flight < s->window / 2) /* RFC 2861: the window is not what limits */
        return;
    uint32_t n = smaller((uint32_t)len, s->datagram_len);
    uint32_t step = n; /* RFC 5681 (2) */
    if (s->window >= s->threshold) {
        uint64_t share = (uint64_t)s->datagram_len * n / s->window; /* (3): one more in a round */
        step = share ? (uint32_t)share : 1;
    }
    s->window = smaller(s->window + step, RELOAD_CONGESTION_WINDOW_MAX);
}

static uint32_t halved(const struct reload_congestion_state *s)
{
    return larger(s->flight / 2, 2 * s->datagram_len); /* RFC 5681 (4) */
}

static void lost(struct reload_congestion_state *s, uint32_t sequence, uint32_t next)
{
    if (s->recovering && !reload_sequence_after(sequence, s->recovery_end)) {
        s->event_losses++; /* RFC 5405: one decrease in a round trip */
        return;
    }
    s->window_before = s->window;
    s->threshold_before = s->threshold;
    s->event_losses = 1;
    s->recovering = true;
    s->recovery_end = next - 1;
    s->window = s->threshold = halved(s);
}

static void timed_out(struct reload_congestion_state *s, uint32_t count, uint32_t next)
{
    if (count == 1) /* RFC 5681 s3.1: once, not for each retransmission */
        s->threshold = halved(s);
    s->window = s->datagram_len;
    s->event_losses = 0; /* nothing to take back: all of the flight was lost */
    s->recovering = true;
    s->recovery_end = next - 1;
}

static void was_not_lost(struct reload_congestion_state *s)
{
    if (s->event_losses == 0 || --s->event_losses > 0)
        return;
    s->window = larger(s->window, s->window_before); /* RFC 4015: all of them were late only */
    s->threshold = larger(s->threshold, s->threshold_before);
}

const struct reload_congestion reload_congestion_window = {
    .name = "window",
    .selective = true,
    .transmissions = TRANSMISSIONS,
    .init = init,
    .when = when,
    .sent = sent,
    .acked = acked,
    .lost = lost,
    .timed_out = timed_out,
    .was_not_lost = was_not_lost,
};
