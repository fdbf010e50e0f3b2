#ifndef RELOAD_MEDIA_ECHO_FILTER_H
#define RELOAD_MEDIA_ECHO_FILTER_H

#include "reload/error.h"
#include <stddef.h>

/* The linear part of the echo canceller: learns the path from loudspeaker to microphone and takes
 * what the loudspeaker said off what the microphone heard. A Kalman filter on the partitioned
 * spectrum of the path: it knows how far it trusts each of its weights, so it learns quickly at
 * first, finely later, and stands still by itself while the near end talks.
 *
 * Why it stands before speexdsp's canceller: alone, that one needs several seconds to 20 dB. */
struct reload_media_echo_filter;

/* frame_len: samples per call, fit for reload_media_fft (twice as long); tail_len: samples of echo
 * path. RELOAD_E_INVALID, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_echo_filter_new(size_t frame_len, size_t tail_len, int rate_hz,
                                                 struct reload_media_echo_filter **out);
void reload_media_echo_filter_free(struct reload_media_echo_filter *filter); /* NULL is fine */

/* One frame each of the loudspeaker's signal and of the microphone's, at sample values of 16 bit;
 * out may be mic. */
void reload_media_echo_filter_run(struct reload_media_echo_filter *filter, const float *far,
                                  const float *mic, float *out);

/* Forgets the path: it has become another one. */
void reload_media_echo_filter_reset(struct reload_media_echo_filter *filter);

#endif
