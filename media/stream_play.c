#include "media/stream_internal.h"
#include <string.h>

/* From the jitter buffer to blocks for the loudspeaker. */

/* Samples of one frame, made of what there is. A packet that Opus refuses is concealed. */
static int make(struct reload_media_stream *stream, const struct reload_media_jitter_frame *frame,
                int16_t *pcm)
{
    struct reload_media_decoder *decoder = stream->decoder;
    bool recover = frame->kind == RELOAD_MEDIA_RECOVER && stream->options.recover;
    int made = 0;
    if (frame->kind == RELOAD_MEDIA_PLAY)
        made = reload_media_decode(decoder, frame->payload, frame->len, pcm);
    else if (recover)
        made = reload_media_decode_fec(decoder, frame->payload, frame->len, pcm, frame->samples);
    if (made > 0)
        return made;
    if (frame->kind == RELOAD_MEDIA_PLAY || recover)
        stream->counters.undecodable++;
    if (stream->options.conceal && stream->source.heard)
        made = reload_media_conceal(decoder, pcm, frame->samples);
    if (made > 0)
        return made;
    memset(pcm, 0, frame->samples * sizeof *pcm);
    return (int)frame->samples;
}

void reload_media_stream_play_block(struct reload_media_stream *stream, int16_t *block,
                                    uint64_t now_ms)
{
    int16_t pcm[RELOAD_MEDIA_FRAME_MAX];
    unsigned held = reload_media_drift_held(stream->drift);
    reload_media_drift_steer(stream->drift,
                             reload_media_jitter_error_ms(&stream->jitter, held, now_ms));
    while (reload_media_drift_take(stream->drift, block) != 0) {
        held = reload_media_drift_held(stream->drift);
        struct reload_media_jitter_frame frame =
            reload_media_jitter_take(&stream->jitter, held, now_ms);
        int made = make(stream, &frame, pcm);
        if (reload_media_drift_put(stream->drift, pcm, (size_t)made) != 0)
            return; /* cannot be: a block is taken as soon as there is one */
    }
}
