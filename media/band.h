#ifndef RELOAD_MEDIA_BAND_H
#define RELOAD_MEDIA_BAND_H

#include "media/audio.h"
#include "reload/error.h"
#include <stdint.h>

/* Splits a 48 kHz signal at about 7 kHz: the lower band at 16 kHz, where echo is cancelled, the
 * upper one as what is left of the original, so that both together again are the original, later.
 */
struct reload_media_band;

#define RELOAD_MEDIA_LOW_RATE_HZ 16000
#define RELOAD_MEDIA_LOW_BLOCK   160

/* low_delay: samples at 16 kHz by which the lower band will be late when it comes back, at most
 * RELOAD_MEDIA_LOW_BLOCK. RELOAD_E_NOMEM, RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_media_band_new(unsigned low_delay, struct reload_media_band **out);
void reload_media_band_free(struct reload_media_band *band); /* NULL is fine */

/* One block down to its lower band; the block is kept for the upper one. */
void reload_media_band_split(struct reload_media_band *band, const int16_t *block, int16_t *low);

/* The processed lower band and upper_gain (0..1) times the upper one. */
void reload_media_band_join(struct reload_media_band *band, const int16_t *low, float upper_gain,
                            int16_t *block);

/* How much later than the original its join is, samples at 48 kHz. */
unsigned reload_media_band_latency(const struct reload_media_band *band);

/* Splits without keeping: for a signal of which only the lower band is used, with its own band. */
void reload_media_band_lower(struct reload_media_band *band, const int16_t *block, int16_t *low);

#endif
