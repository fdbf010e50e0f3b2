#include "media/delay.h"
#include "media/fft.h"
#include "reload/alloc.h"
#include <math.h>
#include <string.h>

#define DECIMATE     8
#define RATE_HZ      (RELOAD_MEDIA_DELAY_RATE_HZ / DECIMATE)
#define LAGS         (RATE_HZ * RELOAD_MEDIA_DELAY_MAX_MS / 1000) /* 1024 */
#define WINDOW       (2 * LAGS)     /* far samples; the newer half meets the microphone's */
#define SEEK_STEP    (RATE_HZ / 10) /* a correlation every 100 ms until the delay is known */
#define KEEP_STEP    (RATE_HZ / 2)  /* then every 500 ms */
#define BINS         (WINDOW / 2 + 1)
#define SMOOTH       0.8f  /* of the cross-spectrum, per correlation */
#define WHITEN       0.35f /* exponent on |X|^2: 0 keeps speech's formants, 0.5 all noise */
#define SILENT_POWER 30.0  /* mean square below which the far end says nothing */
#define ONSET        0.4f  /* of the peak: where the echo is said to begin */
#define CLEAR        6.0f  /* the peak over the mean magnitude */
#define AGREE_MS     4.0
#define AGREE_COUNT  2 /* estimates in a row that must agree before one is believed */

struct reload_media_delay {
    struct reload_media_fft *fft;
    size_t fresh; /* samples since the last correlation */
    float far[WINDOW], mic[WINDOW];
    float far_re[BINS], far_im[BINS], mic_re[BINS], mic_im[BINS];
    float cross_re[BINS], cross_im[BINS];
    float correlation[WINDOW];
    double last_ms;
    int agreed;
};

int reload_media_delay_new(struct reload_media_delay **out)
{
    struct reload_media_delay *delay = *out = reload_calloc(1, sizeof *delay);
    if (!delay)
        return RELOAD_E_NOMEM;
    int error = reload_media_fft_new(WINDOW, &delay->fft);
    if (error != 0) {
        reload_free(delay);
        *out = NULL;
    }
    return error;
}

void reload_media_delay_free(struct reload_media_delay *delay)
{
    if (!delay)
        return;
    reload_media_fft_free(delay->fft);
    reload_free(delay);
}

static void append(float *history, const float *samples, size_t count)
{
    memmove(history, history + count, (WINDOW - count) * sizeof *history);
    for (size_t i = 0; i < count; i++) {
        float sum = 0;
        for (size_t k = 0; k < DECIMATE; k++)
            sum += samples[i * DECIMATE + k];
        history[WINDOW - count + i] = sum / DECIMATE;
    }
}

static double power(const float *samples, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)samples[i] * samples[i];
    return sum / (double)count;
}

/* The newer half of the microphone's history against all of the far end's. */
static void correlate(struct reload_media_delay *d)
{
    memset(d->correlation, 0, LAGS * sizeof(float));
    memcpy(d->correlation + LAGS, d->mic + LAGS, LAGS * sizeof(float));
    reload_media_fft_forward(d->fft, d->correlation, d->mic_re, d->mic_im);
    reload_media_fft_forward(d->fft, d->far, d->far_re, d->far_im);
    for (size_t k = 0; k < BINS; k++) {
        float re = d->mic_re[k] * d->far_re[k] + d->mic_im[k] * d->far_im[k];
        float im = d->mic_im[k] * d->far_re[k] - d->mic_re[k] * d->far_im[k];
        float white = powf(re * re + im * im + 1, -WHITEN);
        d->cross_re[k] = SMOOTH * d->cross_re[k] + (1 - SMOOTH) * re * white;
        d->cross_im[k] = SMOOTH * d->cross_im[k] + (1 - SMOOTH) * im * white;
    }
    reload_media_fft_inverse(d->fft, d->cross_re, d->cross_im, d->correlation);
}

static bool find_onset(const struct reload_media_delay *d, double *delay_ms)
{
    float peak = 0, mean = 0;
    for (size_t lag = 0; lag < LAGS; lag++) {
        float size = fabsf(d->correlation[lag]);
        peak = size > peak ? size : peak;
        mean += size / LAGS;
    }
    if (peak < CLEAR * mean || peak <= 0)
        return false;
    for (size_t lag = 0; lag < LAGS; lag++) {
        if (fabsf(d->correlation[lag]) >= ONSET * peak) {
            *delay_ms = (double)lag * 1000 / RATE_HZ;
            return true;
        }
    }
    return false;
}

bool reload_media_delay_run(struct reload_media_delay *delay, const float *far, const float *mic,
                            size_t len, double *delay_ms)
{
    append(delay->far, far, len / DECIMATE);
    append(delay->mic, mic, len / DECIMATE);
    delay->fresh += len / DECIMATE;
    if (delay->fresh < (delay->agreed >= AGREE_COUNT ? KEEP_STEP : SEEK_STEP))
        return false;
    delay->fresh = 0;
    if (power(delay->far + LAGS, LAGS) < SILENT_POWER)
        return false;
    correlate(delay);
    double found_ms;
    if (!find_onset(delay, &found_ms))
        return false;
    delay->agreed = fabs(found_ms - delay->last_ms) <= AGREE_MS ? delay->agreed + 1 : 0;
    delay->last_ms = found_ms;
    *delay_ms = found_ms;
    return delay->agreed >= AGREE_COUNT;
}
