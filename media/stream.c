#include "media/stream.h"
#include "media/stream_internal.h"
#include "reload/alloc.h"
#include <math.h>
#include <string.h>

struct reload_media_stream_options reload_media_stream_defaults(void)
{
    return (struct reload_media_stream_options){
        .encoder = { .frame_ms = 20,
                     .bitrate_bps = RELOAD_MEDIA_BITRATE_DEFAULT,
                     .fec = true,
                     .dtx = true,
                     .complexity = 5 },
        .cancel_echo = true,
        .voice = { .suppress = true, .noise = true },
        .conceal = true,
        .recover = true,
        .payload_type = 96,
        .dtmf_payload_type = 97,
    };
}

/* RFC 5761 s4: payload types 64..95 would look like RTCP. */
static bool valid_type(uint8_t type)
{
    return type < 64 || (type > 95 && type < 128);
}

bool reload_media_payload_types_valid(uint8_t payload_type, uint8_t dtmf_payload_type)
{
    return valid_type(payload_type) && valid_type(dtmf_payload_type) &&
           payload_type != dtmf_payload_type;
}

static bool valid(const struct reload_media_stream_options *o)
{
    return o->cname && strlen(o->cname) <= RELOAD_MEDIA_CNAME_MAX && o->random.fill &&
           reload_media_payload_types_valid(o->payload_type, o->dtmf_payload_type);
}

/* RFC 3550 s5.1: sequence number, timestamp and SSRC begin at random. */
static void draw_numbers(struct reload_media_stream *stream)
{
    uint64_t drawn = reload_random_u64(&stream->options.random);
    stream->sending.sequence = (uint16_t)drawn;
    stream->sending.timestamp = (uint32_t)(drawn >> 16);
    while (stream->options.ssrc == 0)
        stream->options.ssrc = (uint32_t)reload_random_u64(&stream->options.random);
}

int reload_media_stream_new(const struct reload_media_stream_options *options,
                            const struct reload_media_transport_ops *ops, void *context,
                            struct reload_media_stream **out)
{
    *out = NULL;
    if (!valid(options))
        return RELOAD_E_INVALID;
    struct reload_media_stream *stream = reload_calloc(1, sizeof *stream);
    if (!stream)
        return RELOAD_E_NOMEM;
    stream->options = *options;
    memcpy(stream->cname, options->cname, strlen(options->cname));
    stream->options.cname = stream->cname;
    stream->ops = ops;
    stream->context = context;
    stream->sending.payload_type = options->payload_type;
    stream->sending.dtmf_payload_type = options->dtmf_payload_type;
    draw_numbers(stream);
    stream->sending.filled = reload_media_stream_frame_samples(stream) - RELOAD_MEDIA_BLOCK;
    int error = reload_media_encoder_new(&options->encoder, &stream->encoder);
    if (error == 0)
        error = reload_media_decoder_new(&stream->decoder);
    if (error == 0)
        error = reload_media_drift_new(&stream->drift);
    if (error == 0 && options->cancel_echo)
        error = reload_media_echo_new(&options->voice, &stream->echo);
    if (error != 0) {
        reload_media_stream_free(stream);
        return error;
    }
    *out = stream;
    return 0;
}

void reload_media_stream_free(struct reload_media_stream *stream)
{
    if (!stream)
        return;
    reload_media_echo_free(stream->echo);
    reload_media_drift_free(stream->drift);
    reload_media_decoder_free(stream->decoder);
    reload_media_encoder_free(stream->encoder);
    reload_media_srtp_free(stream->srtp);
    reload_free(stream);
}

int reload_media_stream_key(struct reload_media_stream *stream,
                            const struct reload_media_keying *keying)
{
    struct reload_media_srtp *srtp;
    int error = reload_media_srtp_new(keying, &srtp);
    if (error != 0)
        return error;
    reload_media_srtp_free(stream->srtp);
    stream->srtp = srtp;
    return 0;
}

void reload_media_stream_exchange(struct reload_media_stream *stream, const int16_t *mic,
                                  int16_t *speaker, struct reload_time now)
{
    if (stream->echo)
        reload_media_echo_run(stream->echo, stream->far, mic, stream->said);
    else
        memcpy(stream->said, mic, sizeof stream->said);
    reload_media_stream_play_block(stream, speaker, now.monotonic_ms);
    memcpy(stream->far, speaker, sizeof stream->far);
    reload_media_stream_send_block(stream);
    if (stream->srtp && !stream->sending.bye)
        reload_media_stream_report_when_due(stream, now);
}

const int16_t *reload_media_stream_said(const struct reload_media_stream *stream)
{
    return stream->said;
}

void reload_media_stream_move(struct reload_media_stream *stream, uint64_t source)
{
    stream->options.source = source;
}

void reload_media_stream_send(struct reload_media_stream *stream, bool on)
{
    stream->sending.off = !on;
}

int reload_media_stream_negotiate(struct reload_media_stream *stream, uint8_t payload_type,
                                  uint8_t dtmf_payload_type)
{
    if (!reload_media_payload_types_valid(payload_type, dtmf_payload_type))
        return RELOAD_E_INVALID;
    stream->sending.payload_type = payload_type;
    stream->sending.dtmf_payload_type = dtmf_payload_type;
    return 0;
}

int reload_media_stream_press(struct reload_media_stream *stream, char key)
{
    if (stream->sending.dtmf_payload_type == 0)
        return RELOAD_E_UNSUPPORTED;
    return reload_media_dtmf_press(&stream->sending.dtmf, key);
}

char reload_media_stream_heard(struct reload_media_stream *stream)
{
    if (stream->heard_count == 0)
        return 0;
    char key = stream->heard[0];
    memmove(stream->heard, stream->heard + 1, --stream->heard_count);
    return key;
}

void reload_media_stream_counters(const struct reload_media_stream *stream,
                                  struct reload_media_counters *out)
{
    const struct reload_media_jitter_counters *jitter = &stream->jitter.counters;
    *out = stream->counters;
    out->frames_played = jitter->played;
    out->frames_recovered = jitter->recovered;
    out->frames_concealed = jitter->concealed;
    out->frames_skipped = jitter->skipped;
    out->frames_waited = jitter->waited;
}

static double level_dbov(const int16_t *block)
{
    double sum = 0;
    for (size_t i = 0; i < RELOAD_MEDIA_BLOCK; i++)
        sum += (double)block[i] * block[i];
    double dbov = 10 * log10((sum / RELOAD_MEDIA_BLOCK + 1e-9) / (32768.0 * 32768.0));
    return dbov < -127 ? -127 : dbov;
}

void reload_media_stream_quality(const struct reload_media_stream *stream,
                                 struct reload_media_quality *out)
{
    int64_t lost = reload_media_source_lost(&stream->source);
    double expected = (double)lost + (double)stream->source.received;
    unsigned voice = stream->echo ? reload_media_echo_latency(stream->echo) : 0;
    *out = (struct reload_media_quality){
        .loss = lost > 0 ? (double)lost / expected : 0,
        .remote_loss = stream->reporting.remote_loss,
        .jitter_ms = stream->source.jitter * 1000 / RELOAD_MEDIA_RATE_HZ,
        .round_trip_ms = stream->reporting.round_trip_ms,
        .playout_ms = reload_media_jitter_target_ms(&stream->jitter),
        .voice_ms = voice * 1000 / RELOAD_MEDIA_RATE_HZ,
        .bitrate_bps = reload_media_encoder_bitrate_bps(stream->encoder),
        .drift_ppm = reload_media_drift_ppm(stream->drift),
        .said_dbov = level_dbov(stream->said),
        .heard_dbov = level_dbov(stream->far),
        .remote_bye = stream->reporting.bye,
        .heard_ms = stream->heard_ms,
    };
}
