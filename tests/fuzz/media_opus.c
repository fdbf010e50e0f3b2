#include "fuzz.h"
#include "media/codec.h"
#include "media/jitter.h"

#include <stdlib.h>

/* An authentic far end that sends anything as Opus: packets of a length byte each, through the
 * jitter buffer and the decoder. */

#define BLOCKS 40

static void play(struct reload_media_decoder *decoder, struct reload_media_jitter *jitter,
                 uint64_t now_ms)
{
    static int16_t pcm[RELOAD_MEDIA_FRAME_MAX];
    struct reload_media_jitter_frame frame = reload_media_jitter_take(jitter, 0, now_ms);
    if (frame.samples > RELOAD_MEDIA_FRAME_MAX)
        abort();
    int made = 0;
    if (frame.kind == RELOAD_MEDIA_PLAY)
        made = reload_media_decode(decoder, frame.payload, frame.len, pcm);
    else if (frame.kind == RELOAD_MEDIA_RECOVER)
        made = reload_media_decode_fec(decoder, frame.payload, frame.len, pcm, frame.samples);
    if (made <= 0 && frame.samples > 0)
        made = reload_media_conceal(decoder, pcm, frame.samples);
    if (made > RELOAD_MEDIA_FRAME_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reload_media_decoder *decoder;
    struct reload_media_jitter *jitter = calloc(1, sizeof *jitter);
    if (!jitter || reload_media_decoder_new(&decoder) != 0)
        abort();
    uint32_t sequence = 1, timestamp = 0;
    for (size_t at = 0; at < size && sequence <= BLOCKS; sequence++) {
        size_t len = data[at++];
        len = len < size - at ? len : size - at;
        int samples = reload_media_opus_samples(data + at, len);
        uint64_t now_ms = 1000 + 20 * sequence;
        if (samples > 0)
            (void)!reload_media_jitter_put(jitter, sequence, timestamp, (unsigned)samples,
                                           data + at, len, now_ms);
        at += len;
        timestamp += 960;
        play(decoder, jitter, now_ms);
        play(decoder, jitter, now_ms + 10);
    }
    reload_media_decoder_free(decoder);
    free(jitter);
    return 0;
}
