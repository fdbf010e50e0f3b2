#include "media/clip.h"
#include "media/device.h"
#include "media/pace.h"
#include "reload/alloc.h"
#include <sndfile.h>
#include <speex/speex_resampler.h>
#include <string.h>
#include <sys/stat.h>

/* A microphone that hears a sound file of any rate and any number of channels, then silence; a
 * loudspeaker that writes a WAV file. */

#define CHANNELS_MAX 8
#define RATE_MIN_HZ  1000 /* the resampler's memory grows with the ratio */
#define RATE_MAX_HZ  384000
#define QUALITY      5
#define READ_FRAMES  512

struct files {
    struct reload_media_pace pace;
    SNDFILE *in, *out;
    SF_INFO info;
    SpeexResamplerState *resampler; /* NULL: the file has our rate */
    int16_t held[READ_FRAMES];      /* mono, at the file's rate */
    unsigned held_count;
};

static void file_close(void *state)
{
    struct files *f = state;
    if (f->in)
        sf_close(f->in);
    if (f->out)
        sf_close(f->out);
    if (f->resampler)
        speex_resampler_destroy(f->resampler);
    reload_free(f);
}

static int open_in(struct files *f, const char *path)
{
    int error;
    f->in = sf_open(path, SFM_READ, &f->info);
    if (!f->in)
        return RELOAD_E_IO;
    if (f->info.channels > CHANNELS_MAX || f->info.samplerate < RATE_MIN_HZ ||
        f->info.samplerate > RATE_MAX_HZ)
        return RELOAD_E_INVALID;
    if (f->info.samplerate == RELOAD_MEDIA_RATE_HZ)
        return 0;
    f->resampler = speex_resampler_init(1, (spx_uint32_t)f->info.samplerate, RELOAD_MEDIA_RATE_HZ,
                                        QUALITY, &error);
    return f->resampler ? 0 : RELOAD_E_NOMEM;
}

static int open_out(struct files *f, const char *path)
{
    SF_INFO info = { .samplerate = RELOAD_MEDIA_RATE_HZ,
                     .channels = 1,
                     .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
    f->out = sf_open(path, SFM_WRITE, &info);
    return f->out ? 0 : RELOAD_E_IO;
}

/* A name up to a comma or the end; what stands behind a backslash is part of it. Returns what
 * follows. */
static const char *read_name(const char *at, char *out)
{
    while (*at && *at != ',') {
        if (at[0] == '\\' && at[1])
            at++;
        *out++ = *at++;
    }
    *out = '\0';
    return at;
}

char *reload_media_file_spec(const char *path)
{
    static const char start[] = "file:";
    char *spec = reload_alloc(sizeof start + 2 * strlen(path)), *at = spec;
    if (!spec)
        return NULL;
    memcpy(spec, start, sizeof start - 1);
    for (at += sizeof start - 1; *path; path++) {
        if (*path == ',' || *path == '\\')
            *at++ = '\\';
        *at++ = *path;
    }
    *at = '\0';
    return spec;
}

static int open_both(struct files *f, const char *in_path, const char *out_path)
{
    int error = *in_path ? open_in(f, in_path) : 0;
    return error == 0 && *out_path ? open_out(f, out_path) : error;
}

/* A pipe, say, which may wait for its writer. */
static bool is_special(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static int try_in(struct files *f, const char *path)
{
    return *path && !is_special(path) ? open_in(f, path) : 0;
}

/* Opens what the argument names, or only tries whether the file to hear is there. */
static int open_named(const char *argument, bool tries, struct files **out)
{
    size_t size = strlen(argument) + 1;
    struct files *f = reload_calloc(1, sizeof *f);
    char *names = reload_calloc(2, size), *in_path = names, *out_path = names + size;
    int error = f && names ? 0 : RELOAD_E_NOMEM;
    if (error == 0) {
        const char *rest = read_name(argument, in_path);
        rest = *rest ? read_name(rest + 1, out_path) : rest;
        error = RELOAD_E_INVALID;
        if (!*rest && (*in_path || *out_path))
            error = tries ? try_in(f, in_path) : open_both(f, in_path, out_path);
    }
    reload_free(names);
    if (error == 0)
        *out = f;
    else if (f)
        file_close(f);
    return error;
}

static int file_open(const char *argument, bool paced, void **state)
{
    struct files *f;
    int error = open_named(argument, false, &f);
    if (error != 0)
        return error;
    f->pace.paced = paced;
    *state = f;
    return 0;
}

static int file_check(const char *argument)
{
    struct files *f;
    int error = open_named(argument, true, &f);
    if (error == 0)
        file_close(f);
    return error;
}

/* Fills held up from the file, all channels mixed into one. False at the file's end. */
static bool refill(struct files *f)
{
    int16_t frames[READ_FRAMES * CHANNELS_MAX];
    sf_count_t room = READ_FRAMES - f->held_count;
    sf_count_t got = sf_readf_short(f->in, frames, room);
    for (sf_count_t i = 0; i < got; i++) {
        float sum = 0;
        for (int c = 0; c < f->info.channels; c++)
            sum += frames[i * f->info.channels + c];
        f->held[f->held_count++] = reload_media_clip(sum / (float)f->info.channels);
    }
    return got > 0;
}

static unsigned convert(struct files *f, int16_t *out, unsigned room)
{
    spx_uint32_t taken = f->held_count, made = room;
    if (f->resampler) {
        speex_resampler_process_int(f->resampler, 0, f->held, &taken, out, &made);
    } else {
        taken = made = taken < made ? taken : made;
        memcpy(out, f->held, made * sizeof *out);
    }
    f->held_count -= taken;
    memmove(f->held, f->held + taken, f->held_count * sizeof *f->held);
    return made;
}

static void capture(struct files *f, int16_t *captured)
{
    unsigned count = 0;
    while (f->in && count < RELOAD_MEDIA_BLOCK) {
        bool more = f->held_count == READ_FRAMES || refill(f);
        unsigned made = convert(f, captured + count, RELOAD_MEDIA_BLOCK - count);
        count += made;
        if (!more && made == 0)
            break;
    }
    memset(captured + count, 0, (RELOAD_MEDIA_BLOCK - count) * sizeof *captured);
}

static int file_exchange(void *state, const int16_t *play, int16_t *captured)
{
    struct files *f = state;
    capture(f, captured);
    if (f->out && sf_writef_short(f->out, play, RELOAD_MEDIA_BLOCK) != RELOAD_MEDIA_BLOCK)
        return RELOAD_E_IO;
    reload_media_pace_wait(&f->pace);
    return 0;
}

const struct reload_media_device_ops reload_media_file = {
    .name = "file",
    .help =
        "file:[IN][,OUT]: hears a sound file, writes what is played to a WAV file; \\, is a comma "
        "in a name, \\\\ a backslash",
    .open = file_open,
    .exchange = file_exchange,
    .close = file_close,
    .check = file_check,
};
