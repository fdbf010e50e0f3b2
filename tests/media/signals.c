#include "tests/media/signals.h"
#include "media/fft.h"
#include <math.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

#define PEAK        12000.0
#define RESONANCE   0.97
#define ROOM_MS     150
#define RT60_S      0.25
#define RETURN_GAIN 0.1 /* power: 10 dB of loss */
#define MIC_NOISE   3.0

struct noise noise_of(uint64_t seed)
{
    return (struct noise){ seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du };
}

double noise_next(struct noise *noise)
{
    uint64_t z = noise->state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)(int64_t)(z ^ z >> 31) / 0x1p63;
}

static void fill(void *context, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)((noise_next(context) + 1) * 128);
}

struct reload_random random_of(struct noise *noise)
{
    return (struct reload_random){ fill, noise };
}

/* Two-pole resonator; y holds its last two outputs. */
static double resonate(double y[2], double in, double hz, double rate_hz)
{
    double out =
        in + 2 * RESONANCE * cos(2 * M_PI * hz / rate_hz) * y[0] - RESONANCE * RESONANCE * y[1];
    y[1] = y[0];
    y[0] = out;
    return out;
}

static double talk(double t, double excitation, double first[2], double second[2], double rate_hz)
{
    double f1 = 500 + 250 * sin(2 * M_PI * 1.3 * t), f2 = 1500 + 600 * sin(2 * M_PI * 0.9 * t);
    double throat = resonate(first, excitation, f1, rate_hz);
    double mouth = resonate(second, throat, f2, rate_hz);
    double syllable = fmod(t, 2.0) > 1.7 ? 0 : 0.5 + 0.5 * sin(2 * M_PI * 4 * t);
    return mouth * syllable;
}

void make_speech(int16_t *out, size_t count, unsigned rate_hz, unsigned voice)
{
    double first[2] = { 0 }, second[2] = { 0 }, phase = 0, peak = 1e-9;
    double pitch_hz = 120 + 47 * (voice % 4), begin_s = 0.37 * voice;
    struct noise breath = noise_of(voice + 1);
    double *x = malloc(count * sizeof *x);
    for (size_t i = 0; i < count; i++) {
        double t = (double)i / rate_hz + begin_s * 3.1;
        phase += (pitch_hz + 30 * sin(2 * M_PI * 0.7 * t)) / rate_hz;
        double excitation = 0.05 * noise_next(&breath);
        if (phase >= 1) {
            phase -= 1;
            excitation += 1;
        }
        x[i] = talk(t, excitation, first, second, rate_hz);
        peak = fmax(peak, fabs(x[i]));
    }
    for (size_t i = 0; i < count; i++)
        out[i] = (int16_t)(x[i] / peak * PEAK);
    free(x);
}

size_t room_taps(unsigned rate_hz)
{
    return (size_t)rate_hz * ROOM_MS / 1000;
}

void make_room(float *taps, unsigned rate_hz, unsigned delay_ms, uint64_t seed)
{
    struct noise noise = noise_of(seed);
    size_t count = room_taps(rate_hz), delay = (size_t)rate_hz * delay_ms / 1000;
    double power = 0;
    for (size_t i = 0; i < count; i++) {
        double late_s = ((double)i - (double)delay) / rate_hz;
        taps[i] = i < delay ? 0 : (float)(noise_next(&noise) * exp(-6.9 * late_s / RT60_S));
        power += (double)taps[i] * taps[i];
    }
    for (size_t i = 0; i < count; i++)
        taps[i] *= (float)sqrt(RETURN_GAIN / power);
}

/* far through the room into out, by one long transform: a plain sum takes minutes. */
static void convolve(const float *taps, size_t tap_count, const int16_t *far, size_t count,
                     float *out)
{
    size_t len = 16;
    while (len < count + tap_count)
        len *= 2;
    struct reload_media_fft *fft;
    if (reload_media_fft_new(len, &fft) != 0)
        abort();
    size_t bins = len / 2 + 1;
    float *x = calloc(len + 4 * bins, sizeof *x);
    float *a = x + len, *b = a + bins, *c = b + bins, *d = c + bins;
    memcpy(x, taps, tap_count * sizeof *x);
    reload_media_fft_forward(fft, x, a, b);
    memset(x, 0, len * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = far[i];
    reload_media_fft_forward(fft, x, c, d);
    for (size_t k = 0; k < bins; k++) {
        float re = a[k] * c[k] - b[k] * d[k];
        b[k] = a[k] * d[k] + b[k] * c[k];
        a[k] = re;
    }
    reload_media_fft_inverse(fft, a, b, x);
    memcpy(out, x, count * sizeof *out);
    free(x);
    reload_media_fft_free(fft);
}

void hear_in_room(const float *taps, size_t tap_count, const int16_t *far, size_t count,
                  struct noise *noise, int16_t *mic)
{
    float *echo = malloc(count * sizeof *echo);
    convolve(taps, tap_count, far, count, echo);
    for (size_t i = 0; i < count; i++)
        mic[i] = (int16_t)lrint(echo[i] + MIC_NOISE * noise_next(noise));
    free(echo);
}

int16_t *at_48k(int16_t *pcm, size_t count)
{
    int error;
    SpeexResamplerState *up = speex_resampler_init(1, 16000, 48000, 8, &error);
    int16_t *out = calloc(3 * count, sizeof *out);
    spx_uint32_t taken = (spx_uint32_t)count, made = (spx_uint32_t)(3 * count);
    speex_resampler_skip_zeros(up);
    speex_resampler_process_int(up, 0, pcm, &taken, out, &made);
    speex_resampler_destroy(up);
    free(pcm);
    return out;
}

double energy_of(const int16_t *pcm, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)pcm[i] * pcm[i];
    return sum;
}

double db(double ratio)
{
    return 10 * log10(ratio);
}
