#include "media/band.h"
#include "media/clip.h"
#include "reload/alloc.h"
#include <speex/speex_resampler.h>
#include <string.h>

#define QUALITY 3 /* of speex's resampler: 1.5 ms of delay each way, 60 dB */

/* Original minus (down and up again) is the upper band; both ways delay by the resamplers' latency,
 * so the original waits that long before the difference is taken. */
struct reload_media_band {
    SpeexResamplerState *down, *up, *up_plain;
    size_t delay;       /* of down and up, samples at 48 kHz */
    size_t upper_delay; /* the upper band waits for the lower one to be processed */
    int16_t *original;  /* delay + one block */
    float *upper;       /* upper_delay + one block */
};

static SpeexResamplerState *resampler(spx_uint32_t from_hz, spx_uint32_t to_hz)
{
    int error;
    return speex_resampler_init(1, from_hz, to_hz, QUALITY, &error);
}

int reload_media_band_new(unsigned low_delay, struct reload_media_band **out)
{
    struct reload_media_band *b = *out = reload_calloc(1, sizeof *b);
    if (!b)
        return RELOAD_E_NOMEM;
    b->down = resampler(RELOAD_MEDIA_RATE_HZ, RELOAD_MEDIA_LOW_RATE_HZ);
    b->up = resampler(RELOAD_MEDIA_LOW_RATE_HZ, RELOAD_MEDIA_RATE_HZ);
    b->up_plain = resampler(RELOAD_MEDIA_LOW_RATE_HZ, RELOAD_MEDIA_RATE_HZ);
    if (b->down && b->up && b->up_plain) {
        b->delay = (size_t)speex_resampler_get_input_latency(b->down) +
                   (size_t)speex_resampler_get_output_latency(b->up);
        b->upper_delay = low_delay * (RELOAD_MEDIA_RATE_HZ / RELOAD_MEDIA_LOW_RATE_HZ);
        b->original = reload_calloc(b->delay + RELOAD_MEDIA_BLOCK, sizeof *b->original);
        b->upper = reload_calloc(b->upper_delay + RELOAD_MEDIA_BLOCK, sizeof *b->upper);
    }
    if (!b->original || !b->upper) {
        reload_media_band_free(b);
        *out = NULL;
        return RELOAD_E_NOMEM;
    }
    return 0;
}

void reload_media_band_free(struct reload_media_band *band)
{
    if (!band)
        return;
    SpeexResamplerState *const all[] = { band->down, band->up, band->up_plain };
    for (size_t i = 0; i < 3; i++)
        if (all[i])
            speex_resampler_destroy(all[i]);
    reload_free(band->original);
    reload_free(band->upper);
    reload_free(band);
}

unsigned reload_media_band_latency(const struct reload_media_band *band)
{
    return (unsigned)(band->delay + band->upper_delay);
}

static void resample(SpeexResamplerState *state, const int16_t *in, unsigned in_len, int16_t *out,
                     unsigned out_len)
{
    spx_uint32_t taken = in_len, made = out_len;
    speex_resampler_process_int(state, 0, in, &taken, out, &made);
}

void reload_media_band_lower(struct reload_media_band *band, const int16_t *block, int16_t *low)
{
    resample(band->down, block, RELOAD_MEDIA_BLOCK, low, RELOAD_MEDIA_LOW_BLOCK);
}

void reload_media_band_split(struct reload_media_band *band, const int16_t *block, int16_t *low)
{
    int16_t plain[RELOAD_MEDIA_BLOCK];
    reload_media_band_lower(band, block, low);
    resample(band->up_plain, low, RELOAD_MEDIA_LOW_BLOCK, plain, RELOAD_MEDIA_BLOCK);
    memmove(band->original, band->original + RELOAD_MEDIA_BLOCK,
            band->delay * sizeof *band->original);
    memcpy(band->original + band->delay, block, RELOAD_MEDIA_BLOCK * sizeof *block);
    memmove(band->upper, band->upper + RELOAD_MEDIA_BLOCK, band->upper_delay * sizeof *band->upper);
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
        band->upper[band->upper_delay + i] = (float)band->original[i] - (float)plain[i];
}

void reload_media_band_join(struct reload_media_band *band, const int16_t *low, float upper_gain,
                            int16_t *block)
{
    resample(band->up, low, RELOAD_MEDIA_LOW_BLOCK, block, RELOAD_MEDIA_BLOCK);
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
        block[i] = reload_media_clip((float)block[i] + upper_gain * band->upper[i]);
}
