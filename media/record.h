#ifndef RELOAD_MEDIA_RECORD_H
#define RELOAD_MEDIA_RECORD_H

#include "media/audio.h"
#include "reload/error.h"
#include <stddef.h>
#include <stdint.h>

/* A call's recording: a WAV file of 48 kHz and 16 bit, what we said on the left, what we heard on
 * the right. Made only where the user asked for it; readable by its owner alone. */
struct reload_media_recorder;

/* Creates the file. RELOAD_E_IO when it exists already or cannot be made; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_recorder_new(const char *path, struct reload_media_recorder **out);
/* One block of each. RELOAD_E_IO when the disk is full. */
RELOAD_MUST_USE int reload_media_recorder_write(struct reload_media_recorder *recorder,
                                                const int16_t *said, const int16_t *heard);
void reload_media_recorder_free(struct reload_media_recorder *recorder); /* completes the file */

/* What was heard in a recorded call: *heard is freed by reload_free(). RELOAD_E_IO: no such file;
 * RELOAD_E_DECODE: not such a recording, or longer than RELOAD_MEDIA_RECORDING_MAX_S;
 * RELOAD_E_NOMEM. */
#define RELOAD_MEDIA_RECORDING_MAX_S 3600
RELOAD_MUST_USE int reload_media_recording_heard(const char *path, int16_t **heard, size_t *count);

#endif
