#include "media/echo.h"
#include "media/band.h"
#include "media/clip.h"
#include "media/delay.h"
#include "media/echo_filter.h"
#include "reload/alloc.h"
#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>
#include <string.h>

/* far  -> lower band -> wait for the delay found -+--------------------+
 *                                                 v                    v
 * mic  -> lower band ---------------------> echo filter -> speexdsp canceller -> preprocessor -+
 *    \--> upper band ----------------------------- follows their gain ------------------------- +
 * -> out
 *
 * speexdsp's canceller stands behind the filter with a short tail: it takes what the filter's slow
 * part leaves of the early echo, and tells the preprocessor how much echo is still there. */

#define TAIL_MS         150 /* of the echo path, after the delay was taken off */
#define SHORT_TAIL_MS   20
#define EARLY_MS        8 /* the delay taken off ends this long before the onset found */
#define DELAY_BLOCKS    (RELOAD_MEDIA_DELAY_MAX_MS / RELOAD_MEDIA_BLOCK_MS + 1)
#define LOW_SAMPLES(ms) ((ms)*RELOAD_MEDIA_LOW_RATE_HZ / 1000)
#define GAIN_SMOOTH     0.5f
#define LOUDER          2.f  /* of powers: after the residual's canceller over before */
#define LOUDER_TILT     1e6f /* or so much more of a block's differences */
#define LOUDER_BLOCKS   10   /* speexdsp itself waits for 50, and complains on stderr */

struct reload_media_echo {
    struct reload_media_band *mic_band, *far_band;
    struct reload_media_delay *delay;
    struct reload_media_echo_filter *filter;
    SpeexEchoState *residual;                        /* NULL: linear only */
    SpeexPreprocessState *preprocess;                /* NULL: linear only */
    float far[DELAY_BLOCKS][RELOAD_MEDIA_LOW_BLOCK]; /* a ring; newest at far_head */
    unsigned far_head, delay_blocks;
    unsigned latency;
    float upper_gain, mic_tilt_before;
    unsigned louder; /* blocks in a row that the residual's canceller made louder */
};

static int start_suppressor(struct reload_media_echo *e, const struct reload_media_echo_options *o)
{
    int rate_hz = RELOAD_MEDIA_LOW_RATE_HZ, noise = o->noise, gain = o->gain;
    e->residual = speex_echo_state_init(RELOAD_MEDIA_LOW_BLOCK, LOW_SAMPLES(SHORT_TAIL_MS));
    e->preprocess = speex_preprocess_state_init(RELOAD_MEDIA_LOW_BLOCK, rate_hz);
    if (!e->residual || !e->preprocess)
        return RELOAD_E_NOMEM;
    speex_echo_ctl(e->residual, SPEEX_ECHO_SET_SAMPLING_RATE, &rate_hz);
    speex_preprocess_ctl(e->preprocess, SPEEX_PREPROCESS_SET_ECHO_STATE, e->residual);
    speex_preprocess_ctl(e->preprocess, SPEEX_PREPROCESS_SET_DENOISE, &noise);
    speex_preprocess_ctl(e->preprocess, SPEEX_PREPROCESS_SET_AGC, &gain);
    return 0;
}

int reload_media_echo_new(const struct reload_media_echo_options *options,
                          struct reload_media_echo **out)
{
    *out = NULL;
    if (!options->suppress && (options->noise || options->gain))
        return RELOAD_E_INVALID;
    struct reload_media_echo *e = reload_calloc(1, sizeof *e);
    if (!e)
        return RELOAD_E_NOMEM;
    unsigned low_delay = options->suppress ? RELOAD_MEDIA_LOW_BLOCK : 0; /* of the preprocessor */
    e->upper_gain = 1;
    int error = reload_media_band_new(low_delay, &e->mic_band);
    if (error == 0)
        error = reload_media_band_new(0, &e->far_band);
    if (error == 0)
        error = reload_media_delay_new(&e->delay);
    if (error == 0)
        error = reload_media_echo_filter_new(RELOAD_MEDIA_LOW_BLOCK, LOW_SAMPLES(TAIL_MS),
                                             RELOAD_MEDIA_LOW_RATE_HZ, &e->filter);
    if (error == 0 && options->suppress)
        error = start_suppressor(e, options);
    if (error != 0) {
        reload_media_echo_free(e);
        return error;
    }
    e->latency = reload_media_band_latency(e->mic_band);
    *out = e;
    return 0;
}

void reload_media_echo_free(struct reload_media_echo *echo)
{
    if (!echo)
        return;
    if (echo->preprocess)
        speex_preprocess_state_destroy(echo->preprocess);
    if (echo->residual)
        speex_echo_state_destroy(echo->residual);
    reload_media_echo_filter_free(echo->filter);
    reload_media_delay_free(echo->delay);
    reload_media_band_free(echo->far_band);
    reload_media_band_free(echo->mic_band);
    reload_free(echo);
}

/* The filter must see the far end before its echo: a delay taken too long is put right at once, one
 * that could be longer only when a good deal is gained. */
static void follow_delay(struct reload_media_echo *e, double onset_ms)
{
    int blocks = (int)((onset_ms - EARLY_MS) / RELOAD_MEDIA_BLOCK_MS);
    if (blocks < 0)
        blocks = 0;
    int change = blocks - (int)e->delay_blocks;
    if (change >= 0 && change < 2)
        return;
    reload_media_echo_filter_reset(e->filter);
    e->delay_blocks = (unsigned)blocks;
}

static float power_of_samples(const int16_t *signal)
{
    float sum = 0;
    for (size_t i = 0; i < RELOAD_MEDIA_LOW_BLOCK; i++)
        sum += (float)signal[i] * signal[i];
    return sum;
}

static const float *delayed_far(const struct reload_media_echo *e)
{
    return e->far[(e->far_head + DELAY_BLOCKS - e->delay_blocks) % DELAY_BLOCKS];
}

/* The power of the differences: of the upper part of the lower band, mostly. */
static float tilt(const int16_t *low)
{
    float sum = 1;
    for (size_t i = 1; i < RELOAD_MEDIA_LOW_BLOCK; i++) {
        float d = (float)(low[i] - low[i - 1]);
        sum += d * d;
    }
    return sum;
}

/* What the filter leaves of steady tones is next to nothing, but it still follows the far end: the
 * canceller behind it may then learn echo that is not there. It never makes a block louder, and
 * forgets what it learnt when it goes on trying. */
static void cancel_residual(struct reload_media_echo *e, const int16_t *low, int16_t *cancelled)
{
    int16_t far[RELOAD_MEDIA_LOW_BLOCK];
    const float *delayed = delayed_far(e);
    for (size_t i = 0; i < RELOAD_MEDIA_LOW_BLOCK; i++)
        far[i] = reload_media_clip(delayed[i]);
    speex_echo_cancellation(e->residual, low, far, cancelled);
    bool louder = power_of_samples(cancelled) > LOUDER * power_of_samples(low) ||
                  tilt(cancelled) > tilt(low) + LOUDER_TILT;
    e->louder = louder ? e->louder + 1 : 0;
    if (louder)
        memcpy(cancelled, low, RELOAD_MEDIA_LOW_BLOCK * sizeof *low);
    if (e->louder < LOUDER_BLOCKS)
        return;
    speex_echo_state_reset(e->residual);
    e->louder = 0;
}

static void suppress(struct reload_media_echo *e, const int16_t *mic, int16_t *low)
{
    int16_t cancelled[RELOAD_MEDIA_LOW_BLOCK];
    cancel_residual(e, low, cancelled);
    speex_preprocess_run(e->preprocess, cancelled);
    memcpy(low, cancelled, sizeof cancelled);
    /* The preprocessor's output belongs to the block before. */
    float before = e->mic_tilt_before;
    e->mic_tilt_before = tilt(mic);
    float gain = before > 0 ? sqrtf(tilt(low) / before) : 1;
    e->upper_gain += GAIN_SMOOTH * ((gain < 1 ? gain : 1) - e->upper_gain);
}

void reload_media_echo_run(struct reload_media_echo *echo, const int16_t *far, const int16_t *mic,
                           int16_t *out)
{
    int16_t low[RELOAD_MEDIA_LOW_BLOCK], mic_low[RELOAD_MEDIA_LOW_BLOCK];
    float signal[RELOAD_MEDIA_LOW_BLOCK];
    double onset_ms;
    echo->far_head = (echo->far_head + 1) % DELAY_BLOCKS;
    float *newest = echo->far[echo->far_head];
    reload_media_band_lower(echo->far_band, far, low);
    reload_media_band_split(echo->mic_band, mic, mic_low);
    for (size_t i = 0; i < RELOAD_MEDIA_LOW_BLOCK; i++) {
        newest[i] = low[i];
        signal[i] = mic_low[i];
    }
    if (reload_media_delay_run(echo->delay, newest, signal, RELOAD_MEDIA_LOW_BLOCK, &onset_ms))
        follow_delay(echo, onset_ms);
    reload_media_echo_filter_run(echo->filter, delayed_far(echo), signal, signal);
    for (size_t i = 0; i < RELOAD_MEDIA_LOW_BLOCK; i++)
        low[i] = reload_media_clip(signal[i]);
    if (echo->residual)
        suppress(echo, mic_low, low);
    else
        echo->upper_gain = sqrtf(fminf(1, tilt(low) / tilt(mic_low)));
    reload_media_band_join(echo->mic_band, low, echo->upper_gain, out);
}

unsigned reload_media_echo_latency(const struct reload_media_echo *echo)
{
    return echo->latency;
}

unsigned reload_media_echo_delay_ms(const struct reload_media_echo *echo)
{
    return echo->delay_blocks * RELOAD_MEDIA_BLOCK_MS;
}
