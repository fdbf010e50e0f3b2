#include "media/bytes.h"
#include "media/stream_internal.h"
#include <stdalign.h>
#include <string.h>

/* What comes in, checked in the order of cost: where from, which source, who, when, what. */

#define SILENT_MS 10000 /* an SSRC may change after a silence so long, or after BYE */

static bool may_change(const struct reload_media_stream *stream, uint64_t now_ms)
{
    const struct reload_media_source *source = &stream->source;
    return stream->options.remote_ssrc == 0 &&
           (!source->heard || stream->reporting.bye || now_ms - source->last_ms > SILENT_MS);
}

/* Whether packets of this SSRC are expected. Asked before decryption, so that no packet makes the
 * SRTP library keep state for a source that nobody announced. */
static bool expected(const struct reload_media_stream *stream, uint32_t ssrc, uint64_t now_ms)
{
    if (ssrc == stream->options.ssrc) /* RFC 3550 s8.2: our own, looped or reflected */
        return false;
    if (stream->options.remote_ssrc != 0)
        return ssrc == stream->options.remote_ssrc;
    return (stream->source.heard && ssrc == stream->source.ssrc) || may_change(stream, now_ms);
}

static void hear_key(struct reload_media_stream *stream, const struct reload_media_rtp *rtp)
{
    int key = reload_media_dtmf_hear(&stream->dtmf, rtp);
    if (key < 0) {
        stream->counters.malformed++;
        return;
    }
    stream->counters.rtp_received++;
    if (key == 0)
        return;
    if (stream->heard_count == RELOAD_MEDIA_KEYS_HEARD)
        stream->counters.keys_dropped++;
    else
        stream->heard[stream->heard_count++] = (char)key;
}

static void hear_audio(struct reload_media_stream *stream, const struct reload_media_rtp *rtp,
                       uint32_t sequence, uint64_t now_ms)
{
    int samples = reload_media_opus_samples(rtp->payload, rtp->payload_len);
    if (samples < 0)
        stream->counters.malformed++;
    else if (reload_media_jitter_put(&stream->jitter, sequence, rtp->timestamp, (unsigned)samples,
                                     rtp->payload, rtp->payload_len, now_ms) != 0)
        stream->counters.late++;
    else
        stream->counters.rtp_received++;
}

static void take_rtp(struct reload_media_stream *stream, const struct reload_media_rtp *rtp,
                     uint64_t now_ms)
{
    struct reload_media_source *source = &stream->source;
    uint32_t sequence;
    bool restarted;
    if (!source->heard || source->ssrc != rtp->ssrc) {
        reload_media_source_start(source, rtp->ssrc, rtp->sequence_number);
        reload_media_jitter_reset(&stream->jitter);
        stream->reporting.bye = false;
    }
    if (reload_media_source_packet(source, rtp->sequence_number, rtp->timestamp, now_ms, &sequence,
                                   &restarted) != 0) {
        stream->counters.out_of_order++;
        return;
    }
    if (restarted)
        reload_media_jitter_reset(&stream->jitter);
    if (rtp->payload_type == stream->options.payload_type)
        hear_audio(stream, rtp, sequence, now_ms);
    else if (rtp->payload_type == stream->options.dtmf_payload_type && rtp->payload_type != 0)
        hear_key(stream, rtp);
    else
        stream->counters.unknown_type++;
}

static void count_refusal(struct reload_media_stream *stream, int error)
{
    switch (error) {
    case RELOAD_E_TOO_OLD: stream->counters.replayed++; break;
    case RELOAD_E_SIGNATURE: stream->counters.unauthentic++; break;
    default: stream->counters.malformed++; break;
    }
}

static void receive_rtp(struct reload_media_stream *stream, uint8_t *bytes, size_t len,
                        uint64_t now_ms)
{
    /* The header travels in the clear, so it can be read before the packet is authentic. */
    struct reload_media_rtp rtp;
    if (reload_media_rtp_decode(bytes, len, &rtp) != 0) {
        stream->counters.malformed++;
        return;
    }
    if (!expected(stream, rtp.ssrc, now_ms)) {
        stream->counters.wrong_ssrc++;
        return;
    }
    int error = reload_media_srtp_unprotect(stream->srtp, false, bytes, &len);
    if (error == 0)
        error = reload_media_rtp_decode(bytes, len, &rtp); /* padding was encrypted */
    if (error != 0) {
        count_refusal(stream, error);
        return;
    }
    stream->heard_ms = now_ms;
    take_rtp(stream, &rtp, now_ms);
}

static void receive_rtcp(struct reload_media_stream *stream, uint8_t *bytes, size_t len,
                         struct reload_time now)
{
    if (!expected(stream, reload_media_get32(bytes + 4), now.monotonic_ms)) {
        stream->counters.wrong_ssrc++;
        return;
    }
    int error = reload_media_srtp_unprotect(stream->srtp, true, bytes, &len);
    if (error != 0) {
        count_refusal(stream, error);
        return;
    }
    stream->heard_ms = now.monotonic_ms;
    reload_media_stream_report_received(stream, bytes, len, now);
}

void reload_media_stream_receive(struct reload_media_stream *stream, uint64_t source,
                                 const uint8_t *bytes, size_t len, struct reload_time now)
{
    alignas(uint32_t) uint8_t copy[RELOAD_MEDIA_PACKET_MAX + RELOAD_MEDIA_SRTP_OVERHEAD_MAX];
    if (source != stream->options.source) {
        stream->counters.elsewhere++;
    } else if (!stream->srtp) {
        stream->counters.unkeyed++;
    } else if (len < 8 || len > RELOAD_MEDIA_PACKET_MAX) { /* the shortest RTCP header has 8 */
        stream->counters.malformed++;
    } else {
        memcpy(copy, bytes, len);
        if (reload_media_is_rtcp(copy, len))
            receive_rtcp(stream, copy, len, now);
        else
            receive_rtp(stream, copy, len, now.monotonic_ms);
    }
}
