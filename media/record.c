#include "media/record.h"
#include "reload/alloc.h"
#include <fcntl.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct reload_media_recorder {
    SNDFILE *file;
};

int reload_media_recorder_new(const char *path, struct reload_media_recorder **out)
{
    *out = NULL;
    struct reload_media_recorder *recorder = reload_calloc(1, sizeof *recorder);
    if (!recorder)
        return RELOAD_E_NOMEM;
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    SF_INFO info = { .samplerate = RELOAD_MEDIA_RATE_HZ,
                     .channels = 2,
                     .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
    if (descriptor >= 0)
        recorder->file = sf_open_fd(descriptor, SFM_WRITE, &info, SF_TRUE);
    if (!recorder->file) {
        if (descriptor >= 0)
            close(descriptor);
        reload_free(recorder);
        return RELOAD_E_IO;
    }
    *out = recorder;
    return 0;
}

int reload_media_recorder_write(struct reload_media_recorder *recorder, const int16_t *said,
                                const int16_t *heard)
{
    int16_t both[2 * RELOAD_MEDIA_BLOCK];
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++) {
        both[2 * i] = said[i];
        both[2 * i + 1] = heard[i];
    }
    sf_count_t written = sf_writef_short(recorder->file, both, RELOAD_MEDIA_BLOCK);
    return written == RELOAD_MEDIA_BLOCK ? 0 : RELOAD_E_IO;
}

void reload_media_recorder_free(struct reload_media_recorder *recorder)
{
    if (!recorder)
        return;
    sf_close(recorder->file);
    reload_free(recorder);
}

/* --- reading --- */

static int read_heard(SNDFILE *file, size_t frames, int16_t *heard)
{
    int16_t both[2 * RELOAD_MEDIA_BLOCK];
    for (size_t at = 0; at < frames;) {
        sf_count_t got = sf_readf_short(file, both, RELOAD_MEDIA_BLOCK);
        if (got <= 0)
            return RELOAD_E_DECODE;
        for (size_t i = 0; i < (size_t)got && at < frames; i++)
            heard[at++] = both[2 * i + 1];
    }
    return 0;
}

int reload_media_recording_heard(const char *path, int16_t **heard, size_t *count)
{
    const sf_count_t longest = (sf_count_t)RELOAD_MEDIA_RECORDING_MAX_S * RELOAD_MEDIA_RATE_HZ;
    SF_INFO info = { 0 };
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (!file)
        return RELOAD_E_IO;
    int error = RELOAD_E_DECODE;
    *heard = NULL;
    if (info.channels == 2 && info.samplerate == RELOAD_MEDIA_RATE_HZ && info.frames > 0 &&
        info.frames <= longest) {
        *count = (size_t)info.frames;
        *heard = reload_calloc(*count, sizeof **heard);
        error = *heard ? read_heard(file, *count, *heard) : RELOAD_E_NOMEM;
    }
    if (error != 0) {
        reload_free(*heard);
        *heard = NULL;
    }
    sf_close(file);
    return error;
}
