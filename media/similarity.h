#ifndef RELOAD_MEDIA_SIMILARITY_H
#define RELOAD_MEDIA_SIMILARITY_H

#include "reload/error.h"
#include <stddef.h>
#include <stdint.h>

/* How much of what was said was heard: the two recordings are laid over each other where their
 * cross-correlation is greatest, then the logarithms of their energies, in bands and frames of
 * 20 ms, are correlated. 1 is the same, unrelated speech lies below 0.5. Level and phase do not
 * matter, gaps and noise do. */
struct reload_media_likeness {
    double similarity; /* -1..1 */
    double offset_ms;  /* how much later `heard` says it; negative: earlier */
    double level_db;   /* heard over said, where both overlap */
};

/* Mono, 48 kHz. max_offset_ms bounds the search both ways. RELOAD_E_INVALID for less than 200 ms
 * of overlap or nothing said at all; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_compare(const int16_t *said, size_t said_count,
                                         const int16_t *heard, size_t heard_count,
                                         unsigned max_offset_ms, struct reload_media_likeness *out);

#endif
