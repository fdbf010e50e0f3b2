#ifndef RELOAD_MEDIA_ECHO_H
#define RELOAD_MEDIA_ECHO_H

#include "media/audio.h"
#include "reload/error.h"
#include <stdbool.h>
#include <stdint.h>

/* What happens to the microphone's signal before it is coded: echo cancellation, suppression of
 * what echo is left, of noise, and gain control. Echo is cancelled below 8 kHz; the band above
 * follows the suppression found there. */
struct reload_media_echo;

struct reload_media_echo_options {
    bool suppress; /* the residual echo, by speexdsp's canceller and suppressor */
    bool noise;    /* suppress noise; needs suppress */
    bool gain;     /* bring the talker to an even level; needs suppress */
};

/* RELOAD_E_NOMEM, RELOAD_E_INVALID for noise or gain without suppress. */
RELOAD_MUST_USE int reload_media_echo_new(const struct reload_media_echo_options *options,
                                          struct reload_media_echo **out);
void reload_media_echo_free(struct reload_media_echo *echo); /* NULL is fine */

/* One block of what the loudspeaker was given and of what the microphone heard, on one clock: the
 * n-th call carries the n-th block of both, however long sound takes between them (at most
 * RELOAD_MEDIA_DELAY_MAX_MS, found and followed). out is later than mic by
 * reload_media_echo_latency samples; it may be mic. */
void reload_media_echo_run(struct reload_media_echo *echo, const int16_t *far, const int16_t *mic,
                           int16_t *out);

unsigned reload_media_echo_latency(const struct reload_media_echo *echo);  /* samples at 48 kHz */
unsigned reload_media_echo_delay_ms(const struct reload_media_echo *echo); /* compensated */

#endif
