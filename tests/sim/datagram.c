#include "tests/sim/datagram.h"

#define SUSPECT_TIMEOUTS 4   /* as reload/frame/reliable.c */
#define RTO_MIN_MS       100 /* the same */

/* When transmission n leaves, after transmission 0: each wait is twice the one before. */
static uint64_t leaves_ms(unsigned n, uint32_t rto_ms)
{
    return ((UINT64_C(1) << n) - 1) * rto_ms;
}

static bool lost(const struct reload_random *random, uint32_t loss_per_million)
{
    return loss_per_million && reload_random_u64(random) % 1000000 < loss_per_million;
}

struct datagram_trip datagram_trip(const struct reload_random *random, uint32_t loss_per_million,
                                   uint32_t rto_ms)
{
    struct datagram_trip trip = { RELOAD_NEVER, RELOAD_NEVER };
    uint64_t first_ms = 0;
    for (unsigned n = 0; n < DATAGRAM_TRANSMISSIONS; n++) {
        if (lost(random, loss_per_million))
            continue;
        if (trip.arrives_ms == RELOAD_NEVER)
            trip.arrives_ms = first_ms = leaves_ms(n, rto_ms);
        if (lost(random, loss_per_million))
            continue;
        trip.ack_ms = leaves_ms(n, rto_ms) - first_ms;
        break;
    }
    return trip;
}

uint32_t datagram_rto_ms(uint32_t delay_ms)
{
    uint32_t rto_ms = 4 * delay_ms; /* twice the round trip */
    return rto_ms < RTO_MIN_MS ? RTO_MIN_MS : rto_ms;
}

void datagram_sent(struct datagram_sender *sender, uint64_t now_ms, uint32_t rto_ms)
{
    if (sender->unacked++ == 0)
        sender->rto_at_ms = now_ms + rto_ms;
}

bool datagram_acked(struct datagram_sender *sender, uint64_t now_ms, uint32_t rto_ms)
{
    bool suspect = sender->suspect;
    sender->suspect = false;
    sender->timeouts = 0;
    sender->unacked--;
    sender->rto_at_ms = sender->unacked ? now_ms + rto_ms : RELOAD_NEVER;
    return suspect;
}

void datagram_given_up(struct datagram_sender *sender)
{
    if (--sender->unacked == 0) {
        sender->timeouts = 0;
        sender->rto_at_ms = RELOAD_NEVER;
    }
}

uint64_t datagram_span_ms(uint32_t rto_ms)
{
    return leaves_ms(DATAGRAM_TRANSMISSIONS, rto_ms);
}

bool datagram_timed_out(struct datagram_sender *sender, uint64_t now_ms, uint32_t rto_ms)
{
    sender->timeouts++;
    sender->rto_at_ms = now_ms + ((uint64_t)rto_ms << sender->timeouts);
    bool suspect = sender->timeouts == SUSPECT_TIMEOUTS && !sender->suspect;
    sender->suspect |= suspect;
    return suspect;
}
