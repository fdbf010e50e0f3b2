#include "media/device_pulse.h"
#include "media/device.h"
#include "reload/alloc.h"
#include <pulse/simple.h>
#include <stdint.h>
#include <string.h>

/* PulseAudio, and PipeWire behind the same protocol. The microphone is the clock: a block is
 * waited for there, and the loudspeaker's queue absorbs the difference. */

#define BLOCK_BYTES  (RELOAD_MEDIA_BLOCK * sizeof(int16_t))
#define PLAY_BLOCKS  4 /* the loudspeaker's queue */
#define PRIME_BLOCKS 2 /* put there before the first block, so that it does not run dry */
#define UNSPECIFIED  UINT32_MAX

struct pulse {
    pa_simple *capture, *play;
};

static const pa_sample_spec format = { PA_SAMPLE_S16NE, RELOAD_MEDIA_RATE_HZ, 1 };

static void pulse_close(void *state)
{
    struct pulse *p = state;
    if (p->play)
        pa_simple_free(p->play);
    if (p->capture)
        pa_simple_free(p->capture);
    reload_free(p);
}

static int connect_both(struct pulse *p, const char *source, const char *sink)
{
    const pa_buffer_attr capture = { UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, UNSPECIFIED,
                                     BLOCK_BYTES };
    const pa_buffer_attr play = { UNSPECIFIED, PLAY_BLOCKS * BLOCK_BYTES, BLOCK_BYTES, UNSPECIFIED,
                                  UNSPECIFIED };
    int16_t silence[PRIME_BLOCKS * RELOAD_MEDIA_BLOCK] = { 0 };
    int error;
    p->play = pa_simple_new(NULL, "reload", PA_STREAM_PLAYBACK, *sink ? sink : NULL, "call",
                            &format, NULL, &play, &error);
    p->capture = pa_simple_new(NULL, "reload", PA_STREAM_RECORD, *source ? source : NULL, "call",
                               &format, NULL, &capture, &error);
    if (!p->play || !p->capture)
        return RELOAD_E_IO;
    return pa_simple_write(p->play, silence, sizeof silence, &error) < 0 ? RELOAD_E_IO : 0;
}

static int pulse_open(const char *argument, bool paced, void **state)
{
    (void)paced; /* it always is */
    size_t source_len = strcspn(argument, ",");
    struct pulse *p = reload_calloc(1, sizeof *p);
    char *source = reload_strndup(argument, source_len);
    int error = RELOAD_E_NOMEM;
    if (p && source)
        error = connect_both(p, source, argument[source_len] ? argument + source_len + 1 : "");
    reload_free(source);
    if (error != 0) {
        if (p)
            pulse_close(p);
        return error;
    }
    *state = p;
    return 0;
}

static int pulse_exchange(void *state, const int16_t *play, int16_t *captured)
{
    struct pulse *p = state;
    int error;
    if (pa_simple_write(p->play, play, BLOCK_BYTES, &error) < 0 ||
        pa_simple_read(p->capture, captured, BLOCK_BYTES, &error) < 0)
        return RELOAD_E_IO;
    return 0;
}

const struct reload_media_device_ops reload_media_pulse = {
    .name = "pulse",
    .help = "pulse[:[SOURCE][,SINK]]: PulseAudio or PipeWire",
    .open = pulse_open,
    .exchange = pulse_exchange,
    .close = pulse_close,
    .list = reload_media_pulse_list,
};
