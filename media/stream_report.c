#include "media/stream_internal.h"
#include <stdalign.h>

/* RTCP: our reports in time, and what theirs say. */

#define INTERVAL_MS  5000    /* RFC 3550 s6.2: the least for two parties of this bandwidth */
#define TRIP_MAX_MS  60000   /* longer ones answer no report of ours */
#define COMPENSATION 1.21828 /* s6.3.1: e - 3/2, undoes what reconsideration adds */

/* s6.3.1: between half and one and a half times the interval, the first one halved (s6.2). */
static void schedule(struct reload_media_stream *stream, uint64_t now_ms, bool first)
{
    double drawn = (double)(reload_random_u64(&stream->options.random) >> 11) / 0x1p53;
    double interval_ms = (first ? INTERVAL_MS / 2.0 : INTERVAL_MS) * (0.5 + drawn) / COMPENSATION;
    stream->reporting.due_ms = now_ms + (uint64_t)interval_ms + 1;
}

static void send_report(struct reload_media_stream *stream, struct reload_time now, bool bye)
{
    alignas(uint32_t) uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
    size_t len;
    struct reload_media_rtcp rtcp = {
        .ssrc = stream->options.ssrc,
        .is_sender = stream->sending.packets > 0,
        .ntp = reload_media_ntp(now.unix_ms),
        .rtp_timestamp = stream->sending.timestamp + stream->sending.filled,
        .packet_count = stream->sending.packets,
        .octet_count = stream->sending.octets,
        .has_block = stream->source.heard,
        .bye = bye,
    };
    if (stream->source.heard)
        rtcp.block = reload_media_source_report(&stream->source, now.monotonic_ms);
    if (reload_media_rtcp_encode(&rtcp, stream->cname, bytes, sizeof bytes, &len) == 0)
        (void)reload_media_stream_transmit(stream, true, bytes, len);
}

void reload_media_stream_report_when_due(struct reload_media_stream *stream, struct reload_time now)
{
    if (stream->reporting.due_ms == 0)
        schedule(stream, now.monotonic_ms, true);
    if (now.monotonic_ms < stream->reporting.due_ms)
        return;
    send_report(stream, now, false);
    schedule(stream, now.monotonic_ms, false);
}

void reload_media_stream_bye(struct reload_media_stream *stream, struct reload_time now)
{
    if (stream->srtp && !stream->sending.bye)
        send_report(stream, now, true);
    stream->sending.bye = true;
}

/* s6.4.1: now minus when we sent the report they answer, minus how long they kept it. */
static void measure_round_trip(struct reload_media_stream *stream,
                               const struct reload_media_report_block *block, uint64_t unix_ms)
{
    if (block->lsr == 0)
        return;
    uint32_t now = (uint32_t)(reload_media_ntp(unix_ms) >> 16);
    double trip_ms = (int32_t)(now - block->lsr - block->dlsr) * 1000.0 / 65536;
    if (trip_ms >= 0 && trip_ms <= TRIP_MAX_MS)
        stream->reporting.round_trip_ms = trip_ms;
}

void reload_media_stream_report_received(struct reload_media_stream *stream, const uint8_t *bytes,
                                         size_t len, struct reload_time now)
{
    struct reload_media_rtcp rtcp;
    if (reload_media_rtcp_decode(bytes, len, stream->options.ssrc, &rtcp) != 0) {
        stream->counters.malformed++;
        return;
    }
    stream->counters.rtcp_received++;
    if (rtcp.is_sender && stream->source.heard)
        reload_media_source_sender_report(&stream->source, rtcp.ntp, now.monotonic_ms);
    if (rtcp.has_block) {
        stream->reporting.remote_loss = rtcp.block.fraction_lost / 256.0;
        reload_media_encoder_loss(stream->encoder, rtcp.block.fraction_lost * 100u / 256);
        measure_round_trip(stream, &rtcp.block, now.unix_ms);
    }
    if (rtcp.bye)
        stream->reporting.bye = true;
}
