#include "media/jitter.h"
#include "media/audio.h"
#include <string.h>

#define PER_MS           (RELOAD_MEDIA_RATE_HZ / 1000)
#define BASE_INTERVAL_MS 2000   /* the least transit is that of the last one or two of these */
#define FADE             0.995f /* per packet: what was 200 packets ago counts a third */
#define COVER            0.97f  /* share of packets that shall be in time */
#define MARGIN_MS        3      /* what rounding hides: of a bin, and of the clock */
#define FEC_LOSS         0.02f /* from this loss on it pays to wait for the copy in the next packet */
#define AHEAD_MAX_MS     2000
#define STRANGE_MAX      5  /* packets from another time before they are believed */
#define SKIP_MS          60 /* more than this too late is skipped, less is for the resampler */
#define DEFAULT_SAMPLES  (20 * PER_MS)

static void restart(struct reload_media_jitter *j, uint32_t timestamp)
{
    struct reload_media_jitter_counters counters = j->counters;
    memset(j, 0, sizeof *j);
    j->counters = counters;
    j->started = true;
    j->timestamp = timestamp;
    j->samples = DEFAULT_SAMPLES;
}

void reload_media_jitter_reset(struct reload_media_jitter *jitter)
{
    restart(jitter, 0);
    jitter->started = false;
}

/* Transit: arrival on our clock minus timestamp on theirs. Only differences mean anything. */
static void note_arrival(struct reload_media_jitter *j, int64_t timestamp, uint64_t now_ms,
                         bool first)
{
    int64_t transit = (int64_t)now_ms * PER_MS - timestamp;
    if (first) {
        j->base[0] = j->base[1] = transit;
        j->base_since_ms = now_ms;
    }
    if (now_ms - j->base_since_ms >= BASE_INTERVAL_MS) {
        j->base[1] = j->base[0];
        j->base[0] = transit;
        j->base_since_ms = now_ms;
    }
    if (transit < j->base[0])
        j->base[0] = transit;
}

static int64_t base(const struct reload_media_jitter *j)
{
    return j->base[0] < j->base[1] ? j->base[0] : j->base[1];
}

/* The delay within which COVER of the packets arrive. */
static void aim(struct reload_media_jitter *j, int64_t timestamp, uint64_t now_ms)
{
    int64_t late_ms = ((int64_t)now_ms * PER_MS - timestamp - base(j)) / PER_MS;
    size_t bin = (size_t)late_ms / RELOAD_MEDIA_JITTER_BIN_MS;
    float total = 0, within = 0;
    for (size_t i = 0; i < RELOAD_MEDIA_JITTER_BINS; i++) {
        j->lateness[i] *= FADE;
        total += j->lateness[i];
    }
    j->lateness[bin < RELOAD_MEDIA_JITTER_BINS ? bin : RELOAD_MEDIA_JITTER_BINS - 1] += 1;
    total += 1;
    size_t last = 0;
    while (last < RELOAD_MEDIA_JITTER_BINS - 1 && (within += j->lateness[last]) < COVER * total)
        last++;
    j->target = (int64_t)(last * RELOAD_MEDIA_JITTER_BIN_MS + MARGIN_MS) * PER_MS;
    if (j->loss > FEC_LOSS)
        j->target += j->samples;
}

/* The packet's timestamp beyond 32 bits, or a new start when the sender's clock is another one. */
static int place(struct reload_media_jitter *j, uint32_t timestamp, int64_t *extended, bool *first)
{
    *first = !j->started;
    if (*first)
        restart(j, timestamp);
    /* After silence the newest packet is old; what is to be played is always of now. */
    int64_t reference = j->playing ? j->play : j->timestamp;
    *extended = reference + (int32_t)(timestamp - (uint32_t)reference);
    int64_t ahead = *extended - reference;
    if (ahead < AHEAD_MAX_MS * PER_MS && ahead > -AHEAD_MAX_MS * PER_MS) {
        j->out_of_range = 0;
        return 0;
    }
    if (++j->out_of_range < STRANGE_MAX)
        return RELOAD_E_LIMIT;
    restart(j, timestamp);
    *extended = j->timestamp;
    *first = true;
    return 0;
}

int reload_media_jitter_put(struct reload_media_jitter *j, uint32_t sequence, uint32_t timestamp,
                            unsigned samples, const uint8_t *payload, size_t len, uint64_t now_ms)
{
    int64_t extended;
    bool first;
    if (len > RELOAD_MEDIA_PACKET_MAX || place(j, timestamp, &extended, &first) != 0) {
        j->counters.refused++;
        return len > RELOAD_MEDIA_PACKET_MAX ? RELOAD_E_NOSPACE : RELOAD_E_LIMIT;
    }
    note_arrival(j, extended, now_ms, first);
    j->samples = samples;
    aim(j, extended, now_ms);
    if (extended > j->timestamp)
        j->timestamp = extended;
    if (j->playing && extended < j->play) {
        j->counters.late++;
        return RELOAD_E_TOO_OLD;
    }
    struct reload_media_jitter_packet *slot = &j->packets[sequence % RELOAD_MEDIA_JITTER_PACKETS];
    if (slot->used) {
        bool same = slot->sequence == sequence;
        *(same ? &j->counters.duplicate : &j->counters.refused) += 1;
        return same ? RELOAD_E_STATE : RELOAD_E_LIMIT;
    }
    slot->used = true;
    slot->sequence = sequence;
    slot->timestamp = extended;
    slot->samples = samples;
    slot->len = len;
    memcpy(slot->payload, payload, len);
    return 0;
}

/* The packet held that is to be played first, or NULL. */
static struct reload_media_jitter_packet *earliest(struct reload_media_jitter *j)
{
    struct reload_media_jitter_packet *best = NULL;
    for (size_t i = 0; i < RELOAD_MEDIA_JITTER_PACKETS; i++) {
        struct reload_media_jitter_packet *p = &j->packets[i];
        if (p->used && (!best || p->timestamp < best->timestamp))
            best = p;
    }
    return best;
}

static double error_of(const struct reload_media_jitter *j, int64_t play, uint64_t now_ms)
{
    return (double)((int64_t)now_ms * PER_MS - play - base(j) - j->target) / PER_MS;
}

double reload_media_jitter_error_ms(const struct reload_media_jitter *jitter, unsigned unplayed,
                                    uint64_t now_ms)
{
    return jitter->playing ? error_of(jitter, jitter->play - unplayed, now_ms) : 0;
}

unsigned reload_media_jitter_target_ms(const struct reload_media_jitter *jitter)
{
    return (unsigned)(jitter->target / PER_MS);
}

static struct reload_media_jitter_frame nothing(enum reload_media_jitter_kind kind,
                                                unsigned samples)
{
    return (struct reload_media_jitter_frame){ .kind = kind, .samples = samples };
}

/* Frames that were made up while nothing came: whether they were lost or the sender left silence
 * out is told by the number of the packet that ends the gap. */
static void explain(struct reload_media_jitter *j, uint32_t sequence)
{
    if (sequence != j->play_sequence + 1)
        j->counters.concealed += j->unexplained;
    j->unexplained = 0;
}

static struct reload_media_jitter_frame play(struct reload_media_jitter *j,
                                             struct reload_media_jitter_packet *p)
{
    explain(j, p->sequence);
    p->used = false; /* the bytes stay until the next put */
    j->play = p->timestamp + p->samples;
    j->play_sequence = p->sequence;
    j->loss *= FADE;
    j->counters.played++;
    return (struct reload_media_jitter_frame){ RELOAD_MEDIA_PLAY, p->payload, p->len, p->samples };
}

/* The frame wanted is not here, but a later one is, or none at all. */
static struct reload_media_jitter_frame miss(struct reload_media_jitter *j,
                                             const struct reload_media_jitter_packet *next)
{
    unsigned samples = j->samples;
    int64_t gap = next ? next->timestamp - j->play : samples;
    if (gap < samples)
        samples = (unsigned)gap;
    j->play += samples;
    if (next)
        explain(j, next->sequence);
    if (next && next->sequence == j->play_sequence + 1)
        return nothing(RELOAD_MEDIA_SILENCE, samples); /* none is missing: DTX */
    j->loss = j->loss * FADE + (next ? 1 - FADE : 0);
    if (next && next->timestamp == j->play) {
        j->counters.recovered++;
        return (struct reload_media_jitter_frame){ RELOAD_MEDIA_RECOVER, next->payload, next->len,
                                                   samples };
    }
    *(next ? &j->counters.concealed : &j->unexplained) += 1;
    return nothing(RELOAD_MEDIA_CONCEAL, samples);
}

struct reload_media_jitter_frame reload_media_jitter_take(struct reload_media_jitter *j,
                                                          unsigned unplayed, uint64_t now_ms)
{
    unsigned block = RELOAD_MEDIA_BLOCK;
    struct reload_media_jitter_packet *next = j->started ? earliest(j) : NULL;
    if (!j->playing) {
        if (!next || error_of(j, next->timestamp - unplayed, now_ms) < 0)
            return nothing(RELOAD_MEDIA_SILENCE, block);
        j->playing = true;
        j->play = next->timestamp;
        j->play_sequence = next->sequence - 1;
    }
    double error_ms = error_of(j, j->play - unplayed, now_ms);
    while (next && error_ms > SKIP_MS) {
        explain(j, next->sequence);
        next->used = false;
        j->counters.skipped++;
        j->play = next->timestamp + next->samples;
        j->play_sequence = next->sequence;
        error_ms = error_of(j, j->play - unplayed, now_ms);
        next = earliest(j);
    }
    if (next && next->timestamp <= j->play)
        return play(j, next);
    if (error_of(j, j->play, now_ms) < 0) { /* it may still come */
        j->counters.waited++;
        return nothing(RELOAD_MEDIA_WAIT, block);
    }
    return miss(j, next);
}
