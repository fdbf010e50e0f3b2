#ifndef RELOAD_MEDIA_STREAM_INTERNAL_H
#define RELOAD_MEDIA_STREAM_INTERNAL_H

#include "media/drift.h"
#include "media/dtmf.h"
#include "media/jitter.h"
#include "media/rtcp.h"
#include "media/source.h"
#include "media/stream.h"

/* What the parts of a stream share: stream.c (life, the exchange), stream_send.c, stream_play.c,
 * stream_receive.c and stream_report.c. */

struct reload_media_sending {
    bool off, bye;
    uint8_t payload_type, dtmf_payload_type;
    bool talking; /* the last frame went out: the next one after a pause is marked */
    uint16_t sequence;
    uint32_t timestamp;
    unsigned filled; /* samples in frame; silence at first, so that it goes with its first block */
    int16_t frame[RELOAD_MEDIA_RATE_HZ / 50];
    uint32_t packets, octets; /* for sender reports */
    struct reload_media_dtmf_sender dtmf;
};

struct reload_media_reporting {
    uint64_t due_ms; /* monotonic; 0 before the first frame */
    double remote_loss, round_trip_ms;
    bool bye; /* theirs */
};

struct reload_media_stream {
    struct reload_media_stream_options options;
    char cname[RELOAD_MEDIA_CNAME_MAX + 1];
    const struct reload_media_transport_ops *ops;
    void *context;
    struct reload_media_srtp *srtp; /* NULL before the keys */
    struct reload_media_encoder *encoder;
    struct reload_media_decoder *decoder;
    struct reload_media_echo *echo; /* NULL: the microphone goes out as it is */
    struct reload_media_drift *drift;
    struct reload_media_jitter jitter;
    struct reload_media_source source;
    struct reload_media_sending sending;
    struct reload_media_reporting reporting;
    struct reload_media_dtmf_receiver dtmf;
    char heard[RELOAD_MEDIA_KEYS_HEARD];
    size_t heard_count;
    uint64_t heard_ms;                /* monotonic: the last authentic packet; 0: none */
    int16_t far[RELOAD_MEDIA_BLOCK];  /* what the speaker was given last */
    int16_t said[RELOAD_MEDIA_BLOCK]; /* what the microphone heard, processed */
    struct reload_media_counters counters;
};

/* stream_send.c */
unsigned reload_media_stream_frame_samples(const struct reload_media_stream *stream);
void reload_media_stream_send_block(struct reload_media_stream *stream);
/* Encrypts and sends what stands in bytes, a buffer of RELOAD_MEDIA_PACKET_MAX. */
bool reload_media_stream_transmit(struct reload_media_stream *stream, bool rtcp, uint8_t *bytes,
                                  size_t len);
/* stream_play.c */
void reload_media_stream_play_block(struct reload_media_stream *stream, int16_t *block,
                                    uint64_t now_ms);
/* stream_report.c */
void reload_media_stream_report_when_due(struct reload_media_stream *stream,
                                         struct reload_time now);
void reload_media_stream_report_received(struct reload_media_stream *stream, const uint8_t *bytes,
                                         size_t len, struct reload_time now);

#endif
