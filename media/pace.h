#ifndef RELOAD_MEDIA_PACE_H
#define RELOAD_MEDIA_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* The clock of devices that have none: waits until the next block is due. */
struct reload_media_pace {
    bool paced;
    uint64_t due_ns; /* monotonic; 0 before the first block */
};

/* Blocks of RELOAD_MEDIA_BLOCK_MS. A caller that came far too late starts a new count: what was
 * missed is not made up for in a burst. */
void reload_media_pace_wait(struct reload_media_pace *pace);

#endif
