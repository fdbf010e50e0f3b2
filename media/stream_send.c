#include "media/stream_internal.h"
#include <stdalign.h>
#include <string.h>

/* From processed blocks to packets. */

bool reload_media_stream_transmit(struct reload_media_stream *stream, bool rtcp, uint8_t *bytes,
                                  size_t len)
{
    /* Without keys nothing leaves: there is no other way out of a stream than through here. */
    if (!stream->srtp ||
        reload_media_srtp_protect(stream->srtp, rtcp, bytes, &len, RELOAD_MEDIA_PACKET_MAX) != 0 ||
        stream->ops->send(stream->context, bytes, len) != 0) {
        stream->counters.send_failed++;
        return false;
    }
    *(rtcp ? &stream->counters.rtcp_sent : &stream->counters.rtp_sent) += 1;
    return true;
}

static void send_rtp(struct reload_media_stream *stream, struct reload_media_rtp *rtp)
{
    alignas(uint32_t) uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    rtp->ssrc = stream->options.ssrc;
    rtp->sequence_number = stream->sending.sequence++;
    if (reload_media_rtp_encode(rtp, bytes, sizeof bytes, &len) != 0)
        return;
    if (reload_media_stream_transmit(stream, false, bytes, len)) {
        stream->sending.packets++;
        stream->sending.octets += (uint32_t)rtp->payload_len;
    }
}

static void send_audio(struct reload_media_stream *stream)
{
    uint8_t payload[RELOAD_MEDIA_OPUS_MAX];
    int len = reload_media_encode(stream->encoder, stream->sending.frame, payload, sizeof payload);
    bool silent = len <= 0 || stream->sending.off;
    if (!silent) {
        struct reload_media_rtp rtp = {
            .timestamp = stream->sending.timestamp,
            .payload_type = stream->sending.payload_type,
            .marker = !stream->sending.talking, /* RFC 3551 s4.1: the first after silence */
            .payload = payload,
            .payload_len = (size_t)len,
        };
        send_rtp(stream, &rtp);
    }
    stream->sending.talking = !silent;
}

static void send_frame(struct reload_media_stream *stream)
{
    uint8_t event[RELOAD_MEDIA_DTMF_LEN];
    struct reload_media_rtp rtp = { .payload_type = stream->sending.dtmf_payload_type };
    struct reload_media_dtmf_sender *dtmf = &stream->sending.dtmf;
    if (!reload_media_dtmf_busy(dtmf)) {
        send_audio(stream);
        return;
    }
    stream->sending.talking = false;
    if (reload_media_dtmf_next(dtmf, stream->sending.timestamp, stream->options.encoder.frame_ms,
                               &rtp, event))
        send_rtp(stream, &rtp);
}

unsigned reload_media_stream_frame_samples(const struct reload_media_stream *stream)
{
    return stream->options.encoder.frame_ms * (RELOAD_MEDIA_RATE_HZ / 1000);
}

void reload_media_stream_send_block(struct reload_media_stream *stream)
{
    struct reload_media_sending *s = &stream->sending;
    unsigned samples = reload_media_stream_frame_samples(stream);
    if (s->filled == samples) { /* it waits for the keys: only the newest sound is kept */
        s->filled -= RELOAD_MEDIA_BLOCK;
        memmove(s->frame, s->frame + RELOAD_MEDIA_BLOCK, s->filled * sizeof *s->frame);
    }
    memcpy(s->frame + s->filled, stream->said, sizeof stream->said);
    s->filled += RELOAD_MEDIA_BLOCK;
    if (s->filled < samples || !stream->srtp || s->bye)
        return;
    s->filled = 0;
    send_frame(stream);
    s->timestamp += samples; /* also when nothing was sent: it is the sampling clock */
}
