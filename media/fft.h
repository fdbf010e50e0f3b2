#ifndef RELOAD_MEDIA_FFT_H
#define RELOAD_MEDIA_FFT_H

#include "reload/error.h"
#include <stddef.h>

/* The discrete Fourier transform of real signals whose length is even and has no prime factor above
 * 5, which the blocks of 10 ms have at every sampling rate in use. */
struct reload_media_fft;

/* RELOAD_E_INVALID for a length it cannot do, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_fft_new(size_t len, struct reload_media_fft **out);
void reload_media_fft_free(struct reload_media_fft *fft); /* NULL is fine */

/* x: len samples; re, im: len/2+1 bins. Not scaled. Uses scratch space: one call at a time. */
void reload_media_fft_forward(struct reload_media_fft *fft, const float *x, float *re, float *im);

/* The inverse: forward then inverse gives x back. */
void reload_media_fft_inverse(struct reload_media_fft *fft, const float *re, const float *im,
                              float *x);

#endif
