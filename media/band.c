#include "media/band.h"
#include "media/clip.h"
#include "reload/alloc.h"
#include <speex/speex_resampler.h>
#include <string.h>

#define QUALITY 2 /* of speex's resampler: 1 ms of delay each way */

/* The upper band is the original less its lower band brought up again, and out is the processed
 * lower band, brought up, plus a gain times the upper one. Resampling is linear, so
 *     up(low) + g (original - up(plain)) = g original + up(low - g plain)
 * takes one of them up instead of two. Both ways delay by the resamplers' latency and low comes
 * back late, so the original and the plain lower band wait. */
struct reload_media_band {
    SpeexResamplerState *down, *up;
    size_t wait;       /* of the original, samples at 48 kHz */
    size_t low_wait;   /* of the plain lower band, samples at 16 kHz */
    int16_t *original; /* wait + one block */
    int16_t plain[2 * RELOAD_MEDIA_LOW_BLOCK];
};

static SpeexResamplerState *resampler(spx_uint32_t from_hz, spx_uint32_t to_hz)
{
    int error;
    return speex_resampler_init(1, from_hz, to_hz, QUALITY, &error);
}

int reload_media_band_new(unsigned low_delay, struct reload_media_band **out)
{
    *out = NULL;
    if (low_delay > RELOAD_MEDIA_LOW_BLOCK)
        return RELOAD_E_INVALID;
    struct reload_media_band *b = reload_calloc(1, sizeof *b);
    if (!b)
        return RELOAD_E_NOMEM;
    b->low_wait = low_delay;
    b->down = resampler(RELOAD_MEDIA_RATE_HZ, RELOAD_MEDIA_LOW_RATE_HZ);
    b->up = resampler(RELOAD_MEDIA_LOW_RATE_HZ, RELOAD_MEDIA_RATE_HZ);
    if (b->down && b->up) {
        b->wait = (size_t)speex_resampler_get_input_latency(b->down) +
                  (size_t)speex_resampler_get_output_latency(b->up) +
                  low_delay * (RELOAD_MEDIA_RATE_HZ / RELOAD_MEDIA_LOW_RATE_HZ);
        b->original = reload_calloc(b->wait + RELOAD_MEDIA_BLOCK, sizeof *b->original);
    }
    if (!b->original) {
        reload_media_band_free(b);
        return RELOAD_E_NOMEM;
    }
    *out = b;
    return 0;
}

void reload_media_band_free(struct reload_media_band *band)
{
    if (!band)
        return;
    if (band->down)
        speex_resampler_destroy(band->down);
    if (band->up)
        speex_resampler_destroy(band->up);
    reload_free(band->original);
    reload_free(band);
}

unsigned reload_media_band_latency(const struct reload_media_band *band)
{
    return (unsigned)band->wait;
}

void reload_media_band_lower(struct reload_media_band *band, const int16_t *block, int16_t *low)
{
    spx_uint32_t taken = RELOAD_MEDIA_BLOCK, made = RELOAD_MEDIA_LOW_BLOCK;
    speex_resampler_process_int(band->down, 0, block, &taken, low, &made);
}

void reload_media_band_split(struct reload_media_band *band, const int16_t *block, int16_t *low)
{
    const size_t block_len = RELOAD_MEDIA_BLOCK * sizeof *block;
    const size_t low_len = RELOAD_MEDIA_LOW_BLOCK * sizeof *low;
    reload_media_band_lower(band, block, low);
    memmove(band->original, band->original + RELOAD_MEDIA_BLOCK,
            band->wait * sizeof *band->original);
    memcpy(band->original + band->wait, block, block_len);
    memmove(band->plain, band->plain + RELOAD_MEDIA_LOW_BLOCK, low_len);
    memcpy(band->plain + RELOAD_MEDIA_LOW_BLOCK, low, low_len);
}

void reload_media_band_join(struct reload_media_band *band, const int16_t *low, float upper_gain,
                            int16_t *block)
{
    float difference[RELOAD_MEDIA_LOW_BLOCK], up[RELOAD_MEDIA_BLOCK];
    const int16_t *plain = band->plain + RELOAD_MEDIA_LOW_BLOCK - band->low_wait;
    for (size_t i = 0; i < RELOAD_MEDIA_LOW_BLOCK; i++)
        difference[i] = (float)low[i] - upper_gain * (float)plain[i];
    spx_uint32_t taken = RELOAD_MEDIA_LOW_BLOCK, made = RELOAD_MEDIA_BLOCK;
    speex_resampler_process_float(band->up, 0, difference, &taken, up, &made);
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
        block[i] = reload_media_clip(upper_gain * (float)band->original[i] + up[i]);
}
