#include "media/fft.h"
#include "reload/alloc.h"
#include <math.h>

/* A real transform of n points is a complex one of n/2 points, even samples as real parts and odd
 * ones as imaginary parts, and a pass that takes the two apart. The complex one is the recursion of
 * Cooley and Tukey with radices 4, 2, 3 and 5. */

struct complex {
    float re, im;
};

struct reload_media_fft {
    size_t half;             /* points of the complex transform */
    struct complex *twiddle; /* exp(-2 pi i k / half), k < half */
    struct complex *split;   /* exp(-2 pi i k / len), k <= half */
    struct complex *in, *out;
};

#define RADIX_MAX 5

static struct complex add(struct complex a, struct complex b)
{
    return (struct complex){ a.re + b.re, a.im + b.im };
}

static struct complex sub(struct complex a, struct complex b)
{
    return (struct complex){ a.re - b.re, a.im - b.im };
}

static struct complex mul(struct complex a, struct complex b)
{
    return (struct complex){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

static struct complex scale(struct complex a, float k)
{
    return (struct complex){ a.re * k, a.im * k };
}

static struct complex minus_i(struct complex a)
{
    return (struct complex){ a.im, -a.re };
}

/* Transforms of 2, 3, 4 and 5 points; y[k] goes to out[k * step]. */
static void butterfly2(const struct complex *t, struct complex *out, size_t step)
{
    out[0] = add(t[0], t[1]);
    out[step] = sub(t[0], t[1]);
}

static void butterfly3(const struct complex *t, struct complex *out, size_t step)
{
    struct complex sum = add(t[1], t[2]);
    struct complex real = add(t[0], scale(sum, -0.5f));
    struct complex turn = minus_i(scale(sub(t[1], t[2]), 0.866025404f)); /* sin 60 degrees */
    out[0] = add(t[0], sum);
    out[step] = add(real, turn);
    out[2 * step] = sub(real, turn);
}

static void butterfly4(const struct complex *t, struct complex *out, size_t step)
{
    struct complex a = add(t[0], t[2]), b = sub(t[0], t[2]);
    struct complex c = add(t[1], t[3]), d = minus_i(sub(t[1], t[3]));
    out[0] = add(a, c);
    out[step] = add(b, d);
    out[2 * step] = sub(a, c);
    out[3 * step] = sub(b, d);
}

static void butterfly5(const struct complex *t, struct complex *out, size_t step)
{
    const float c1 = 0.309016994f, c2 = -0.809016994f; /* cos 72, cos 144 degrees */
    const float s1 = 0.951056516f, s2 = 0.587785252f;  /* sin 72, sin 144 degrees */
    struct complex p = add(t[1], t[4]), q = add(t[2], t[3]);
    struct complex u = sub(t[1], t[4]), v = sub(t[2], t[3]);
    struct complex r1 = add(t[0], add(scale(p, c1), scale(q, c2)));
    struct complex r2 = add(t[0], add(scale(p, c2), scale(q, c1)));
    struct complex i1 = minus_i(add(scale(u, s1), scale(v, s2)));
    struct complex i2 = minus_i(sub(scale(u, s2), scale(v, s1)));
    out[0] = add(t[0], add(p, q));
    out[step] = add(r1, i1);
    out[2 * step] = add(r2, i2);
    out[3 * step] = sub(r2, i2);
    out[4 * step] = sub(r1, i1);
}

static void butterfly(size_t radix, const struct complex *t, struct complex *out, size_t step)
{
    switch (radix) {
    case 4: butterfly4(t, out, step); break;
    case 5: butterfly5(t, out, step); break;
    case 3: butterfly3(t, out, step); break;
    default: butterfly2(t, out, step); break;
    }
}

static size_t radix_of(size_t n)
{
    return n % 4 == 0 ? 4 : n % 2 == 0 ? 2 : n % 3 == 0 ? 3 : 5;
}

static inline void turn(const struct reload_media_fft *fft, size_t radix, size_t stride, size_t k,
                        const struct complex *out, size_t step, struct complex *t)
{
    t[0] = out[k];
    for (size_t q = 1; q < radix; q++)
        t[q] = mul(out[q * step + k], fft->twiddle[q * k * stride]);
}

/* Makes one transform of radix * step points out of `radix` of them. The cases differ in a constant
 * only, which is what makes them fast. */
static void combine(const struct reload_media_fft *fft, size_t radix, size_t stride,
                    struct complex *out, size_t step)
{
    struct complex t[RADIX_MAX];
    if (radix == 4) {
        for (size_t k = 0; k < step; k++) {
            turn(fft, 4, stride, k, out, step, t);
            butterfly4(t, out + k, step);
        }
    } else if (radix == 2) {
        for (size_t k = 0; k < step; k++) {
            turn(fft, 2, stride, k, out, step, t);
            butterfly2(t, out + k, step);
        }
    } else {
        for (size_t k = 0; k < step; k++) {
            turn(fft, radix, stride, k, out, step, t);
            butterfly(radix, t, out + k, step);
        }
    }
}

static void transform(const struct reload_media_fft *fft, const struct complex *in, size_t stride,
                      struct complex *out, size_t n)
{
    struct complex t[RADIX_MAX];
    size_t radix = radix_of(n), step = n / radix;
    if (step == 1) {
        for (size_t q = 0; q < radix; q++)
            t[q] = in[q * stride];
        butterfly(radix, t, out, 1);
        return;
    }
    for (size_t q = 0; q < radix; q++)
        transform(fft, in + q * stride, stride * radix, out + q * step, step);
    combine(fft, radix, stride, out, step);
}

static int only_small_factors(size_t n)
{
    for (size_t factor = 2; factor <= RADIX_MAX; factor++)
        while (n % factor == 0)
            n /= factor;
    return n == 1;
}

int reload_media_fft_new(size_t len, struct reload_media_fft **out)
{
    *out = NULL;
    if (len < 4 || len % 2 != 0 || !only_small_factors(len))
        return RELOAD_E_INVALID;
    size_t half = len / 2;
    struct reload_media_fft *fft = reload_calloc(1, sizeof *fft);
    if (!fft)
        return RELOAD_E_NOMEM;
    fft->half = half;
    fft->twiddle = reload_calloc(4 * half + 1, sizeof *fft->twiddle);
    if (!fft->twiddle) {
        reload_free(fft);
        return RELOAD_E_NOMEM;
    }
    fft->split = fft->twiddle + half;
    fft->in = fft->split + half + 1;
    fft->out = fft->in + half;
    for (size_t k = 0; k <= half; k++) {
        double angle = -2 * M_PI * (double)k / (double)len;
        fft->split[k] = (struct complex){ (float)cos(angle), (float)sin(angle) };
        if (k < half)
            fft->twiddle[k] = (struct complex){ (float)cos(2 * angle), (float)sin(2 * angle) };
    }
    *out = fft;
    return 0;
}

void reload_media_fft_free(struct reload_media_fft *fft)
{
    if (!fft)
        return;
    reload_free(fft->twiddle);
    reload_free(fft);
}

void reload_media_fft_forward(struct reload_media_fft *fft, const float *x, float *re, float *im)
{
    size_t half = fft->half;
    for (size_t i = 0; i < half; i++)
        fft->in[i] = (struct complex){ x[2 * i], x[2 * i + 1] };
    transform(fft, fft->in, 1, fft->out, half);
    for (size_t k = 0; k <= half; k++) {
        struct complex z = fft->out[k == half ? 0 : k], m = fft->out[k == 0 ? 0 : half - k];
        struct complex even = { (z.re + m.re) / 2, (z.im - m.im) / 2 };
        struct complex odd = { (z.im + m.im) / 2, (m.re - z.re) / 2 };
        struct complex bin = add(even, mul(odd, fft->split[k]));
        re[k] = bin.re;
        im[k] = bin.im;
    }
}

/* The inverse is the forward transform of the conjugate, conjugated. */
void reload_media_fft_inverse(struct reload_media_fft *fft, const float *re, const float *im,
                              float *x)
{
    size_t half = fft->half;
    for (size_t k = 0; k < half; k++) {
        struct complex even = { (re[k] + re[half - k]) / 2, (im[k] - im[half - k]) / 2 };
        struct complex turned = { (re[k] - re[half - k]) / 2, (im[k] + im[half - k]) / 2 };
        struct complex back = { fft->split[k].re, -fft->split[k].im };
        struct complex odd = mul(turned, back);
        fft->in[k] = (struct complex){ even.re - odd.im, -(even.im + odd.re) };
    }
    transform(fft, fft->in, 1, fft->out, half);
    for (size_t i = 0; i < half; i++) {
        x[2 * i] = fft->out[i].re / (float)half;
        x[2 * i + 1] = -fft->out[i].im / (float)half;
    }
}
