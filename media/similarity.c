#include "media/similarity.h"
#include "media/audio.h"
#include "media/fft.h"
#include "reload/alloc.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define DECIMATE    12 /* the search runs at 4 kHz: fine enough, and speech's strength is there */
#define FRAME       (RELOAD_MEDIA_RATE_HZ / 50)
#define FRAME_BINS  (FRAME / 2 + 1)
#define BIN_HZ      50
#define OVERLAP_MIN (RELOAD_MEDIA_RATE_HZ / 5)
#define FLOOR       1e-4 /* of a band's mean energy: 40 dB below is silence */

static const unsigned band_hz[] = { 100, 250, 450, 700, 1050, 1500, 2100, 2900, 4000, 5500, 7500 };
#define BANDS (sizeof band_hz / sizeof *band_hz - 1)

static void decimate(const int16_t *pcm, size_t count, float *out)
{
    for (size_t i = 0; i < count / DECIMATE; i++) {
        float sum = 0;
        for (size_t k = 0; k < DECIMATE; k++)
            sum += pcm[i * DECIMATE + k];
        out[i] = sum;
    }
}

/* One spectrum times the other's conjugate, into a. */
static void cross(float *a_re, float *a_im, const float *b_re, const float *b_im, size_t bins)
{
    for (size_t k = 0; k < bins; k++) {
        float re = a_re[k] * b_re[k] + a_im[k] * b_im[k];
        float im = a_im[k] * b_re[k] - a_re[k] * b_im[k];
        a_re[k] = re;
        a_im[k] = im;
    }
}

static long strongest(const float *correlation, size_t len, long max_lag)
{
    long best = 0;
    float peak = -1;
    for (long lag = -max_lag; lag <= max_lag; lag++) {
        float size = fabsf(correlation[lag < 0 ? (long)len + lag : lag]);
        if (size > peak) {
            peak = size;
            best = lag;
        }
    }
    return best;
}

/* Samples by which heard is later. */
static int align(const int16_t *said, size_t said_count, const int16_t *heard, size_t heard_count,
                 unsigned max_offset_ms, long *offset)
{
    size_t need = (said_count + heard_count) / DECIMATE + 1, len = 16;
    while (len < need)
        len *= 2;
    struct reload_media_fft *fft;
    int error = reload_media_fft_new(len, &fft);
    if (error != 0)
        return error;
    size_t bins = len / 2 + 1;
    float *x = reload_calloc(2 * len + 4 * bins, sizeof *x);
    if (!x) {
        reload_media_fft_free(fft);
        return RELOAD_E_NOMEM;
    }
    float *y = x + len, *x_re = y + len, *x_im = x_re + bins, *y_re = x_im + bins;
    float *y_im = y_re + bins;
    decimate(heard, heard_count, x);
    decimate(said, said_count, y);
    reload_media_fft_forward(fft, x, x_re, x_im);
    reload_media_fft_forward(fft, y, y_re, y_im);
    cross(x_re, x_im, y_re, y_im, bins);
    reload_media_fft_inverse(fft, x_re, x_im, x);
    long max_lag = (long)max_offset_ms * RELOAD_MEDIA_RATE_HZ / 1000 / DECIMATE;
    *offset = strongest(x, len, max_lag < (long)len / 2 ? max_lag : (long)len / 2 - 1) * DECIMATE;
    reload_free(x);
    reload_media_fft_free(fft);
    return 0;
}

static void band_energies(struct reload_media_fft *fft, const int16_t *frame, double out[BANDS])
{
    float x[FRAME], re[FRAME_BINS], im[FRAME_BINS];
    for (size_t i = 0; i < FRAME; i++) {
        double window = 0.5 - 0.5 * cos(2 * M_PI * ((double)i + 0.5) / FRAME);
        x[i] = (float)(frame[i] * window);
    }
    reload_media_fft_forward(fft, x, re, im);
    for (size_t b = 0; b < BANDS; b++) {
        out[b] = 0;
        for (size_t k = band_hz[b] / BIN_HZ; k < band_hz[b + 1] / BIN_HZ; k++)
            out[b] += (double)re[k] * re[k] + (double)im[k] * im[k];
    }
}

/* Replaces energies by logarithms over a floor, less the band's mean. */
static void level_out(double *energies, size_t frames, size_t band, double floor)
{
    double mean = 0;
    for (size_t f = 0; f < frames; f++) {
        double *e = &energies[f * BANDS + band];
        *e = log10(*e + floor);
        mean += *e / (double)frames;
    }
    for (size_t f = 0; f < frames; f++)
        energies[f * BANDS + band] -= mean;
}

static double correlate(double *a, double *b, size_t frames)
{
    double aa = 0, bb = 0, ab = 0;
    for (size_t band = 0; band < BANDS; band++) {
        double floor = 1; /* a sample's quantisation, where a band is empty */
        for (size_t f = 0; f < frames; f++)
            floor += FLOOR * a[f * BANDS + band] / (double)frames;
        level_out(a, frames, band, floor);
        level_out(b, frames, band, floor);
    }
    for (size_t i = 0; i < frames * BANDS; i++) {
        aa += a[i] * a[i];
        bb += b[i] * b[i];
        ab += a[i] * b[i];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static double energy(const int16_t *pcm, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)pcm[i] * pcm[i];
    return sum;
}

static int compare_aligned(const int16_t *said, const int16_t *heard, size_t count,
                           struct reload_media_likeness *out)
{
    size_t frames = count / FRAME;
    struct reload_media_fft *fft;
    int error = reload_media_fft_new(FRAME, &fft);
    if (error != 0)
        return error;
    double *a = reload_calloc(2 * frames * BANDS, sizeof *a);
    if (!a) {
        reload_media_fft_free(fft);
        return RELOAD_E_NOMEM;
    }
    double *b = a + frames * BANDS;
    for (size_t f = 0; f < frames; f++) {
        band_energies(fft, said + f * FRAME, a + f * BANDS);
        band_energies(fft, heard + f * FRAME, b + f * BANDS);
    }
    out->similarity = correlate(a, b, frames);
    out->level_db = 10 * log10((energy(heard, count) + 1) / (energy(said, count) + 1));
    reload_free(a);
    reload_media_fft_free(fft);
    return 0;
}

int reload_media_compare(const int16_t *said, size_t said_count, const int16_t *heard,
                         size_t heard_count, unsigned max_offset_ms,
                         struct reload_media_likeness *out)
{
    long offset;
    if (said_count < OVERLAP_MIN || heard_count < OVERLAP_MIN || energy(said, said_count) == 0)
        return RELOAD_E_INVALID;
    int error = align(said, said_count, heard, heard_count, max_offset_ms, &offset);
    if (error != 0)
        return error;
    size_t skip_heard = offset > 0 ? (size_t)offset : 0;
    size_t skip_said = offset < 0 ? (size_t)-offset : 0;
    if (skip_said + OVERLAP_MIN > said_count || skip_heard + OVERLAP_MIN > heard_count)
        return RELOAD_E_INVALID;
    size_t count = said_count - skip_said, other = heard_count - skip_heard;
    out->offset_ms = (double)offset * 1000 / RELOAD_MEDIA_RATE_HZ;
    return compare_aligned(said + skip_said, heard + skip_heard, count < other ? count : other,
                           out);
}
