#include "media/drift.h"
#include "media/codec.h"
#include "reload/alloc.h"
#include <math.h>
#include <speex/speex_resampler.h>
#include <stdbool.h>
#include <string.h>

#define QUALITY    3
#define HELD_MAX   (2 * RELOAD_MEDIA_FRAME_MAX)
#define SMOOTH     0.01   /* of the error, per block: about a second */
#define LATE_MS    11.0   /* later than this is drift; up to a block is where the call began */
#define EARLY_MS   1.0    /* earlier than this is drift: soon packets would be missing */
#define PPM_PER_MS 300.0  /* a card off by 300 ppm is held 1 ms beyond these */
#define PPM_MAX    5000.0 /* a twelfth of a semitone: nobody hears it */
#define UPDATE     50     /* blocks between changes of the ratio, which cost a new filter */
#define SCALE      10000  /* of ratios: steps of 100 ppm. The library needs its square in 32 bits */
#define STEP_PPM   (1000000 / SCALE)

struct reload_media_drift {
    SpeexResamplerState *resampler;
    bool running; /* not before there is something to correct: it costs as much as decoding */
    double error_ms;
    int ppm;
    unsigned blocks;
    unsigned held, made; /* in pcm, in block */
    int16_t pcm[HELD_MAX];
    int16_t block[RELOAD_MEDIA_BLOCK];
};

int reload_media_drift_new(struct reload_media_drift **out)
{
    int error;
    struct reload_media_drift *drift = *out = reload_calloc(1, sizeof *drift);
    if (!drift)
        return RELOAD_E_NOMEM;
    drift->resampler = speex_resampler_init_frac(1, SCALE, SCALE, RELOAD_MEDIA_RATE_HZ,
                                                 RELOAD_MEDIA_RATE_HZ, QUALITY, &error);
    if (!drift->resampler) {
        reload_free(drift);
        *out = NULL;
        return RELOAD_E_NOMEM;
    }
    return 0;
}

void reload_media_drift_free(struct reload_media_drift *drift)
{
    if (!drift)
        return;
    speex_resampler_destroy(drift->resampler);
    reload_free(drift);
}

unsigned reload_media_drift_held(const struct reload_media_drift *drift)
{
    return drift->held + drift->made;
}

int reload_media_drift_ppm(const struct reload_media_drift *drift)
{
    return drift->ppm;
}

int reload_media_drift_put(struct reload_media_drift *drift, const int16_t *pcm, size_t samples)
{
    if (samples > HELD_MAX - drift->held)
        return RELOAD_E_LIMIT;
    memcpy(drift->pcm + drift->held, pcm, samples * sizeof *pcm);
    drift->held += (unsigned)samples;
    return 0;
}

static void drop(struct reload_media_drift *drift, unsigned samples)
{
    drift->held -= samples;
    memmove(drift->pcm, drift->pcm + samples, drift->held * sizeof *drift->pcm);
}

/* Goes on with the block that is being made, from what is held. */
static void convert(struct reload_media_drift *drift)
{
    spx_uint32_t taken = drift->held, made = RELOAD_MEDIA_BLOCK - drift->made;
    if (drift->running) {
        speex_resampler_process_int(drift->resampler, 0, drift->pcm, &taken,
                                    drift->block + drift->made, &made);
    } else {
        taken = made = taken < made ? taken : made;
        memcpy(drift->block + drift->made, drift->pcm, made * sizeof *drift->pcm);
    }
    drift->made += made;
    drop(drift, taken);
}

int reload_media_drift_take(struct reload_media_drift *drift, int16_t *block)
{
    convert(drift);
    if (drift->made < RELOAD_MEDIA_BLOCK)
        return RELOAD_E_NOT_FOUND;
    memcpy(block, drift->block, sizeof drift->block);
    drift->made = 0;
    return 0;
}

void reload_media_drift_steer(struct reload_media_drift *drift, double error_ms)
{
    /* Frames and blocks no longer begin together then: a frame is asked for up to a block early. */
    if (drift->running)
        error_ms -= RELOAD_MEDIA_BLOCK_MS;
    drift->error_ms += SMOOTH * (error_ms - drift->error_ms);
    if (++drift->blocks % UPDATE != 0)
        return;
    double beyond_ms = drift->error_ms > LATE_MS    ? drift->error_ms - LATE_MS
                       : drift->error_ms < EARLY_MS ? drift->error_ms - EARLY_MS
                                                    : 0;
    double ppm = fmin(fmax(beyond_ms * PPM_PER_MS, -PPM_MAX), PPM_MAX);
    int steps = (int)lrint(ppm * SCALE / 1e6);
    if (steps * STEP_PPM == drift->ppm)
        return;
    drift->ppm = steps * STEP_PPM;
    drift->running = true;
    speex_resampler_set_rate_frac(drift->resampler, (spx_uint32_t)(SCALE + steps), SCALE,
                                  RELOAD_MEDIA_RATE_HZ, RELOAD_MEDIA_RATE_HZ);
}
