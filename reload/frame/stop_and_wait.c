#include "reload/frame/congestion.h"

/* RFC 6940 s6.6.3.1. */

static void init(struct reload_congestion_state *s)
{
    s->acked_ms = RELOAD_NEVER;
}

static uint64_t when(const struct reload_congestion_state *s, size_t len)
{
    (void)len;
    if (s->flight > 0) /* R6940-6.6.3.1-1 */
        return RELOAD_NEVER;
    if (s->acked_ms == RELOAD_NEVER)
        return 0;
    return s->acked_ms + RELOAD_CONGESTION_GAP_MS; /* R6940-6.6.3.1-14 */
}

static void sent(struct reload_congestion_state *s, size_t len, uint64_t now_ms)
{
    (void)s, (void)len, (void)now_ms;
}

static void acked(struct reload_congestion_state *s, size_t len, uint64_t now_ms)
{
    (void)len;
    s->acked_ms = now_ms;
}

static void lost(struct reload_congestion_state *s, uint32_t sequence, uint32_t next)
{
    (void)s, (void)sequence, (void)next;
}

static void timed_out(struct reload_congestion_state *s, uint32_t count, uint32_t next)
{
    (void)s, (void)count, (void)next;
}

static void was_not_lost(struct reload_congestion_state *s)
{
    (void)s;
}

const struct reload_congestion reload_congestion_stop_and_wait = {
    .name = "stop and wait",
    .selective = false,
    .transmissions = 5, /* R6940-6.6.3.1-10 */
    .init = init,
    .when = when,
    .sent = sent,
    .acked = acked,
    .lost = lost,
    .timed_out = timed_out,
    .was_not_lost = was_not_lost,
};
