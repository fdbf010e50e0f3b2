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
