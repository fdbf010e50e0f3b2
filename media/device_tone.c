#include "media/device.h"
#include "media/pace.h"
#include "reload/alloc.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A microphone that hears a steady tone, or nothing (null); a loudspeaker that nobody hears. */

#define DEFAULT_HZ 440.0
#define AMPLITUDE  8000.0 /* -12 dB under full scale */

struct tone {
    struct reload_media_pace pace;
    double hz; /* 0: silence */
    double phase;
};

static int open_tone(double hz, bool paced, void **state)
{
    struct tone *tone = *state = reload_calloc(1, sizeof *tone);
    if (!tone)
        return RELOAD_E_NOMEM;
    tone->pace.paced = paced;
    tone->hz = hz;
    return 0;
}

static int read_hz(const char *argument, double *hz)
{
    char *end;
    *hz = *argument ? strtod(argument, &end) : DEFAULT_HZ;
    bool fits = *hz >= 20 && *hz <= RELOAD_MEDIA_RATE_HZ / 2;
    return *argument && (*end || !fits) ? RELOAD_E_INVALID : 0;
}

static int tone_open(const char *argument, bool paced, void **state)
{
    double hz;
    int error = read_hz(argument, &hz);
    return error ? error : open_tone(hz, paced, state);
}

static int tone_check(const char *argument)
{
    double hz;
    return read_hz(argument, &hz);
}

static int null_check(const char *argument)
{
    return *argument ? RELOAD_E_INVALID : 0;
}

static int null_open(const char *argument, bool paced, void **state)
{
    int error = null_check(argument);
    return error ? error : open_tone(0, paced, state);
}

static int tone_exchange(void *state, const int16_t *play, int16_t *captured)
{
    struct tone *tone = state;
    (void)play;
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++) {
        captured[i] = (int16_t)(AMPLITUDE * sin(2 * M_PI * tone->phase));
        tone->phase = fmod(tone->phase + tone->hz / RELOAD_MEDIA_RATE_HZ, 1);
    }
    reload_media_pace_wait(&tone->pace);
    return 0;
}

const struct reload_media_device_ops reload_media_tone = {
    .name = "tone",
    .help = "tone[:HERTZ]: hears a steady tone (440 Hz)",
    .open = tone_open,
    .exchange = tone_exchange,
    .close = reload_free,
    .check = tone_check,
};

const struct reload_media_device_ops reload_media_null = {
    .name = "null",
    .help = "null: hears silence",
    .open = null_open,
    .exchange = tone_exchange,
    .close = reload_free,
    .check = null_check,
};
