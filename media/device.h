#ifndef RELOAD_MEDIA_DEVICE_H
#define RELOAD_MEDIA_DEVICE_H

#include "media/audio.h"
#include "reload/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Audio devices: a loudspeaker and a microphone on one clock. Back ends are rows of a table. */

struct reload_media_device_ops {
    const char *name, *help;
    /* argument: what stands behind "name:", or "". paced: exchange shall take the time the block
     * lasts; without it, it returns at once where the device allows (file, tone, null). */
    int (*open)(const char *argument, bool paced, void **state);
    /* Plays a block and captures one. Returns 0 or RELOAD_E_IO: the device is gone. */
    int (*exchange)(void *state, const int16_t *play, int16_t *captured);
    void (*close)(void *state);
    /* Whether open() would find what it needs: its errors. Nothing is made, nothing waited for.
     * NULL: only open() can tell. */
    int (*check)(const char *argument);
    /* Says what arguments make sense here, one line each; NULL when there is nothing to list. */
    int (*list)(void (*each)(void *context, const char *line), void *context);
};

extern const struct reload_media_device_ops reload_media_pulse; /* "pulse[:[source][,sink]]" */
extern const struct reload_media_device_ops
    reload_media_file; /* "file:[in.wav][,out.wav]", \, for a comma */
extern const struct reload_media_device_ops reload_media_tone;   /* "tone[:hertz]" */
extern const struct reload_media_device_ops reload_media_null;   /* "null" */
extern const struct reload_media_device_ops reload_media_mirror; /* "mirror" */

/* The i-th row of the table, or NULL behind the last. */
const struct reload_media_device_ops *reload_media_device_row(size_t i);

/* The spec of a `file` device that hears the sound file at `path`, whatever its name is. Freed by
 * reload_free(); NULL when out of memory. */
char *reload_media_file_spec(const char *path);

/* Whether spec names a row, whatever its argument. */
bool reload_media_device_exists(const char *spec);
/* Whether spec names a row, and what its argument says is there as far as can be told at once.
 * Errors of reload_media_device_open(). */
RELOAD_MUST_USE int reload_media_device_check(const char *spec);

struct reload_media_device;

/* spec is "name" or "name:argument". RELOAD_E_NOT_FOUND: no such row; RELOAD_E_INVALID: the
 * argument; RELOAD_E_IO: a file or the sound server; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_device_open(const char *spec, bool paced,
                                             struct reload_media_device **out);
RELOAD_MUST_USE int reload_media_device_exchange(struct reload_media_device *device,
                                                 const int16_t *play, int16_t *captured);
void reload_media_device_close(struct reload_media_device *device); /* NULL is fine */

#endif
