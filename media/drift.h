#ifndef RELOAD_MEDIA_DRIFT_H
#define RELOAD_MEDIA_DRIFT_H

#include "media/audio.h"
#include "reload/error.h"
#include <stddef.h>
#include <stdint.h>

/* Two sound cards never run at one speed. Decoded frames go in as they come, blocks for our card
 * come out, resampled by as little as keeps the jitter buffer where it wants to be. */
struct reload_media_drift;

RELOAD_MUST_USE int reload_media_drift_new(struct reload_media_drift **out); /* or E_NOMEM */
void reload_media_drift_free(struct reload_media_drift *drift);              /* NULL is fine */

/* Samples put in and not yet taken out. */
unsigned reload_media_drift_held(const struct reload_media_drift *drift);

/* At most RELOAD_MEDIA_FRAME_MAX samples. RELOAD_E_LIMIT when they do not fit: take first. */
RELOAD_MUST_USE int reload_media_drift_put(struct reload_media_drift *drift, const int16_t *pcm,
                                           size_t samples);
/* Takes a block and returns 0, or RELOAD_E_NOT_FOUND when too little is held. */
RELOAD_MUST_USE int reload_media_drift_take(struct reload_media_drift *drift, int16_t *block);

/* Once per block: how much later than wanted we play, ms (positive: play faster). */
void reload_media_drift_steer(struct reload_media_drift *drift, double error_ms);
int reload_media_drift_ppm(const struct reload_media_drift *drift); /* the present correction */

#endif
