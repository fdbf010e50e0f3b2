#ifndef RELOAD_MEDIA_DELAY_H
#define RELOAD_MEDIA_DELAY_H

#include "reload/error.h"
#include <stdbool.h>
#include <stddef.h>

/* How long sound takes from being handed to the loudspeaker to coming back through the microphone:
 * device buffers and air. Found where the whitened cross-correlation of both signals begins to
 * rise, so that a filter placed there is not too late. */
struct reload_media_delay;

#define RELOAD_MEDIA_DELAY_RATE_HZ 16000
#define RELOAD_MEDIA_DELAY_MAX_MS  512

/* RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_delay_new(struct reload_media_delay **out);
void reload_media_delay_free(struct reload_media_delay *delay); /* NULL is fine */

/* Takes the same len samples of both signals, a multiple of 8, at 16 kHz. Returns true when a new
 * estimate was made, the same one a few times in a row; *delay_ms is then the onset of the echo. */
bool reload_media_delay_run(struct reload_media_delay *delay, const float *far, const float *mic,
                            size_t len, double *delay_ms);

#endif
