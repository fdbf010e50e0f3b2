#include "media/echo_filter.h"
#include "media/fft.h"
#include "reload/alloc.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The partitioned-block frequency-domain Kalman filter. Per bin, with X the far spectra of the last
 * frames, W the path, P the variance of what is not known of W, S the spectrum of all that is no
 * echo (near end, noise):
 *
 *   E = mic - sum(X W)          gain K = P X* / (sum(|X|^2 P) + 2 S)
 *   W += K E                    P = A^2 (1 - K X / 2) P + (1 - A^2) |W|^2
 *
 * The halves come from a spectrum twice as long as the frame: half of its energy is padding.
 *
 * For the first second of the far end's talk what goes out is the microphone's signal less the echo
 * that the weights expect after they have learnt from this very frame. So each new part of the path
 * is cancelled where it is first heard, and not a frame later.
 *
 * A filter that leaves more than there was expects echo that is not there: the far end is heard in
 * a headset while the near end talks, and any talk looks like the echo of some path for a moment;
 * or somebody moved, and the path is no more. The microphone's signal then goes out as it is. A
 * filter that has long learnt would find the new path, but slowly, for it trusts the old one: it
 * begins anew. Talk of the near end alone does not look like that, it is there before and after. */

#define KEEP          0.9998f /* A: how little the path moves from frame to frame */
#define NEAR_SMOOTH   0.5f    /* of S, per frame */
#define PRIOR         0.2f    /* P before anything was heard: a path that hardly attenuates */
#define PRIOR_FLAT    2       /* partitions before the prior decays */
#define PRIOR_RT60_S  0.3f    /* ... as a room with this reverberation time would */
#define FLOOR_POWER   2.0f    /* of S, per sample: quantisation of the samples */
#define YOUNG_S       1       /* of the far end: so long the echo is expected anew after learning */
#define TALK_POWER    900.0f  /* per sample: 30 dB over the quantisation */
#define TRUST_SMOOTH  0.05f   /* per frame in which the far end talks: 200 ms */
#define WORSE         1.1f /* of powers: what is left over what was there; the path has changed */
#define CONSTRAIN_PER 5    /* each partition is made causal again once in so many frames */

struct reload_media_echo_filter {
    size_t frame_len, bins, partitions;
    size_t head; /* the newest far spectrum */
    size_t turn; /* whose weights are constrained next */
    size_t age;  /* frames in which the far end talked, up to YOUNG_S */
    int rate_hz;
    float heard, left; /* power of the microphone's signal, and of what was left of it, smoothed */
    struct reload_media_fft *fft;
    float *far_re, *far_im;   /* [partitions][bins], a ring from head */
    float *path_re, *path_im; /* [partitions][bins] */
    float *doubt;             /* P, [partitions][bins] */
    float *near;              /* S, [bins] */
    float *re, *im, *weight;  /* scratch, [bins] */
    float *far;               /* the last two frames */
    float *mic;               /* this frame */
    float *time;              /* scratch, two frames */
};

static float prior(const struct reload_media_echo_filter *f, size_t partition)
{
    if (partition < PRIOR_FLAT)
        return PRIOR;
    float late_s = (float)((partition - PRIOR_FLAT + 1) * f->frame_len) / (float)f->rate_hz;
    return PRIOR * expf(-13.8f * late_s / PRIOR_RT60_S); /* 60 dB as a power, natural units */
}

static void forget(struct reload_media_echo_filter *f, size_t partition)
{
    size_t at = partition * f->bins;
    memset(f->path_re + at, 0, f->bins * sizeof(float));
    memset(f->path_im + at, 0, f->bins * sizeof(float));
    float p = prior(f, partition);
    for (size_t k = 0; k < f->bins; k++)
        f->doubt[at + k] = p;
}

int reload_media_echo_filter_new(size_t frame_len, size_t tail_len, int rate_hz,
                                 struct reload_media_echo_filter **out)
{
    *out = NULL;
    if (tail_len < frame_len || rate_hz <= 0)
        return RELOAD_E_INVALID;
    struct reload_media_echo_filter *f = reload_calloc(1, sizeof *f);
    if (!f)
        return RELOAD_E_NOMEM;
    f->frame_len = frame_len;
    f->bins = frame_len + 1;
    f->partitions = (tail_len + frame_len - 1) / frame_len;
    f->rate_hz = rate_hz;
    int error = reload_media_fft_new(2 * frame_len, &f->fft);
    size_t all = f->partitions * f->bins;
    if (error == 0) {
        f->far_re = reload_calloc(5 * all + 4 * f->bins + 5 * frame_len, sizeof(float));
        error = f->far_re ? 0 : RELOAD_E_NOMEM;
    }
    if (error != 0) {
        reload_media_echo_filter_free(f);
        return error;
    }
    f->far_im = f->far_re + all;
    f->path_re = f->far_im + all;
    f->path_im = f->path_re + all;
    f->doubt = f->path_im + all;
    f->near = f->doubt + all;
    f->re = f->near + f->bins;
    f->im = f->re + f->bins;
    f->weight = f->im + f->bins;
    f->far = f->weight + f->bins;
    f->mic = f->far + 2 * frame_len;
    f->time = f->mic + frame_len;
    reload_media_echo_filter_reset(f);
    *out = f;
    return 0;
}

void reload_media_echo_filter_free(struct reload_media_echo_filter *filter)
{
    if (!filter)
        return;
    reload_media_fft_free(filter->fft);
    reload_free(filter->far_re);
    reload_free(filter);
}

static size_t far_at(const struct reload_media_echo_filter *f, size_t partition)
{
    return (f->head + partition) % f->partitions * f->bins;
}

static void take_far(struct reload_media_echo_filter *f, const float *far)
{
    memmove(f->far, f->far + f->frame_len, f->frame_len * sizeof(float));
    memcpy(f->far + f->frame_len, far, f->frame_len * sizeof(float));
    f->head = (f->head + f->partitions - 1) % f->partitions;
    size_t at = far_at(f, 0);
    reload_media_fft_forward(f->fft, f->far, f->far_re + at, f->far_im + at);
}

/* The sums over bins are functions of their own, with `restrict` parameters: only then does the
 * compiler know that the arrays do not overlap, and takes four bins at a time. */
static void add_product(size_t bins, const float *restrict xr, const float *restrict xi,
                        const float *restrict wr, const float *restrict wi, float *restrict re,
                        float *restrict im)
{
    for (size_t k = 0; k < bins; k++) {
        re[k] += xr[k] * wr[k] - xi[k] * wi[k];
        im[k] += xr[k] * wi[k] + xi[k] * wr[k];
    }
}

static void add_doubt(size_t bins, const float *restrict xr, const float *restrict xi,
                      const float *restrict doubt, float *restrict power)
{
    for (size_t k = 0; k < bins; k++)
        power[k] += (xr[k] * xr[k] + xi[k] * xi[k]) * doubt[k];
}

/* The expected echo into re and im, and the power that doubt about the path leaves into weight. */
static void expect(struct reload_media_echo_filter *f)
{
    memset(f->re, 0, 3 * f->bins * sizeof(float)); /* re, im, weight lie together */
    for (size_t p = 0; p < f->partitions; p++) {
        const float *xr = f->far_re + far_at(f, p), *xi = f->far_im + far_at(f, p);
        size_t at = p * f->bins;
        add_product(f->bins, xr, xi, f->path_re + at, f->path_im + at, f->re, f->im);
        add_doubt(f->bins, xr, xi, f->doubt + at, f->weight);
    }
}

/* S is what of the error doubt about the path does not explain; weight becomes 1 / (...) of K. */
static void weigh(struct reload_media_echo_filter *f)
{
    float floor = FLOOR_POWER * (float)(2 * f->frame_len);
    for (size_t k = 0; k < f->bins; k++) {
        float rest = f->re[k] * f->re[k] + f->im[k] * f->im[k] - 0.5f * f->weight[k];
        f->near[k] = NEAR_SMOOTH * f->near[k] + (1 - NEAR_SMOOTH) * (rest > 0 ? rest : 0);
        f->weight[k] = 1 / (f->weight[k] + 2 * f->near[k] + floor);
    }
}

static void update(size_t bins, const float *restrict xr, const float *restrict xi,
                   const float *restrict er, const float *restrict ei, const float *restrict weight,
                   float *restrict wr, float *restrict wi, float *restrict doubt)
{
    const float keep2 = KEEP * KEEP;
    for (size_t k = 0; k < bins; k++) {
        float gain = doubt[k] * weight[k];
        float re = KEEP * (wr[k] + gain * (xr[k] * er[k] + xi[k] * ei[k]));
        float im = KEEP * (wi[k] + gain * (xr[k] * ei[k] - xi[k] * er[k]));
        float left = 1 - 0.5f * gain * (xr[k] * xr[k] + xi[k] * xi[k]);
        doubt[k] = keep2 * left * doubt[k] + (1 - keep2) * (re * re + im * im);
        wr[k] = re;
        wi[k] = im;
    }
}

static void learn(struct reload_media_echo_filter *f, size_t p)
{
    size_t at = p * f->bins, far = far_at(f, p);
    update(f->bins, f->far_re + far, f->far_im + far, f->re, f->im, f->weight, f->path_re + at,
           f->path_im + at, f->doubt + at);
}

/* A partition's response must end with its frame; multiplying spectra lets it run on. */
static void constrain(struct reload_media_echo_filter *f, size_t p)
{
    float *wr = f->path_re + p * f->bins, *wi = f->path_im + p * f->bins;
    reload_media_fft_inverse(f->fft, wr, wi, f->time);
    memset(f->time + f->frame_len, 0, f->frame_len * sizeof(float));
    reload_media_fft_forward(f->fft, f->time, wr, wi);
}

static float power(const float *frame, size_t len)
{
    float sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += frame[i] * frame[i];
    return sum;
}

/* error: what the weights left of the frame before they learnt from it. */
static void judge(struct reload_media_echo_filter *f, const float *error)
{
    f->heard += TRUST_SMOOTH * (power(f->mic, f->frame_len) - f->heard);
    f->left += TRUST_SMOOTH * (power(error, f->frame_len) - f->left);
}

/* The microphone's frame less the expected echo. */
static void take_off(struct reload_media_echo_filter *f, float *out)
{
    expect(f);
    reload_media_fft_inverse(f->fft, f->re, f->im, f->time);
    for (size_t i = 0; i < f->frame_len; i++)
        out[i] = f->mic[i] - f->time[f->frame_len + i]; /* the first half is wrapped around */
}

static void forget_path(struct reload_media_echo_filter *f)
{
    for (size_t p = 0; p < f->partitions; p++)
        forget(f, p);
    f->age = 0;
}

void reload_media_echo_filter_run(struct reload_media_echo_filter *f, const float *far,
                                  const float *mic, float *out)
{
    bool talks = power(far, f->frame_len) > TALK_POWER * (float)f->frame_len;
    bool young = f->age * f->frame_len < (size_t)(YOUNG_S * f->rate_hz);
    f->age += young && talks;
    take_far(f, far);
    memcpy(f->mic, mic, f->frame_len * sizeof(float));
    take_off(f, out);
    if (talks)
        judge(f, out);
    memset(f->time, 0, f->frame_len * sizeof(float));
    memcpy(f->time + f->frame_len, out, f->frame_len * sizeof(float));
    reload_media_fft_forward(f->fft, f->time, f->re, f->im);
    weigh(f);
    for (size_t p = 0; p < f->partitions; p++) {
        learn(f, p);
        if (p % CONSTRAIN_PER == f->turn)
            constrain(f, p);
    }
    f->turn = (f->turn + 1) % CONSTRAIN_PER;
    if (f->left > f->heard)
        memcpy(out, f->mic, f->frame_len * sizeof(float));
    else if (young)
        take_off(f, out);
    if (!young && f->left > WORSE * f->heard)
        forget_path(f);
}

void reload_media_echo_filter_reset(struct reload_media_echo_filter *f)
{
    forget_path(f);
    f->heard = f->left = 0;
}
