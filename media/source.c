#include "media/source.h"
#include "media/audio.h"

#define MAX_DROPOUT  3000 /* A.1 */
#define MAX_MISORDER 100
#define CYCLE        65536u
#define NO_RESTART   (CYCLE + 1) /* no 16-bit number */
#define CLOCK_PER_MS (RELOAD_MEDIA_RATE_HZ / 1000)
#define LOST_MAX     0x7fffff
#define LOST_MIN     (-0x800000)

void reload_media_source_start(struct reload_media_source *source, uint32_t ssrc, uint16_t sequence)
{
    /* One cycle ahead, so that a packet from before the first has a number too. */
    *source = (struct reload_media_source){
        .heard = true,
        .ssrc = ssrc,
        .base_sequence = CYCLE + sequence,
        .highest_sequence = CYCLE + sequence - 1,
        .restart_sequence = NO_RESTART,
    };
}

/* A.8: the interarrival jitter, a mean with a gain of 1/16. */
static void measure_jitter(struct reload_media_source *source, uint32_t timestamp, uint64_t now_ms)
{
    uint32_t transit = (uint32_t)(now_ms * CLOCK_PER_MS) - timestamp;
    if (source->received > 0) {
        double d = (double)(int32_t)(transit - source->transit);
        source->jitter += ((d < 0 ? -d : d) - source->jitter) / 16;
    }
    source->transit = transit;
}

int reload_media_source_packet(struct reload_media_source *source, uint16_t sequence,
                               uint32_t timestamp, uint64_t now_ms, uint32_t *extended,
                               bool *restarted)
{
    uint16_t ahead = (uint16_t)(sequence - (uint16_t)source->highest_sequence);
    uint16_t behind = (uint16_t)-ahead;
    *restarted = false;
    if (ahead >= MAX_DROPOUT && behind > MAX_MISORDER) {
        if (sequence != source->restart_sequence) {
            source->restart_sequence = (sequence + 1) & (CYCLE - 1);
            return RELOAD_E_TOO_OLD;
        }
        reload_media_source_start(source, source->ssrc, sequence);
        *restarted = true;
        ahead = 1;
    }
    source->restart_sequence = NO_RESTART;
    *extended =
        ahead < MAX_DROPOUT ? source->highest_sequence + ahead : source->highest_sequence - behind;
    if (ahead < MAX_DROPOUT)
        source->highest_sequence = *extended;
    measure_jitter(source, timestamp, now_ms);
    source->received++;
    source->last_ms = now_ms;
    return 0;
}

void reload_media_source_sender_report(struct reload_media_source *source, uint64_t ntp,
                                       uint64_t now_ms)
{
    source->lsr = (uint32_t)(ntp >> 16);
    source->lsr_ms = now_ms;
}

static uint64_t expected(const struct reload_media_source *source)
{
    return (uint64_t)source->highest_sequence - source->base_sequence + 1;
}

int64_t reload_media_source_lost(const struct reload_media_source *source)
{
    return source->heard ? (int64_t)(expected(source) - source->received) : 0;
}

/* A.3 */
struct reload_media_report_block reload_media_source_report(struct reload_media_source *source,
                                                            uint64_t now_ms)
{
    int64_t lost = reload_media_source_lost(source);
    uint64_t interval = expected(source) - source->expected_prior;
    int64_t interval_lost = (int64_t)(interval - (source->received - source->received_prior));
    source->expected_prior = expected(source);
    source->received_prior = source->received;
    bool some = interval > 0 && interval_lost > 0;
    uint64_t dlsr = source->lsr ? (now_ms - source->lsr_ms) * 65536 / 1000 : 0;
    uint64_t fraction = some ? (uint64_t)interval_lost * 256 / interval : 0;
    return (struct reload_media_report_block){
        .ssrc = source->ssrc,
        .fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction),
        .cumulative_lost = (int32_t)(lost > LOST_MAX   ? LOST_MAX
                                     : lost < LOST_MIN ? LOST_MIN
                                                       : lost),
        .highest_sequence = source->highest_sequence - CYCLE,
        .jitter = (uint32_t)source->jitter,
        .lsr = source->lsr,
        .dlsr = (uint32_t)(dlsr > UINT32_MAX ? UINT32_MAX : dlsr),
    };
}
