#include "voice_cost.h"
#include "bench.h"
#include "media/stream.h"
#include "tests/media/signals.h"
#include <opus.h>
#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>
#include <srtp2/srtp.h>

#define SECONDS     10
#define COUNT       ((size_t)SECONDS * RELOAD_MEDIA_RATE_HZ)
#define FRAMES      (SECONDS * 50)
#define FRAME       960
#define LOW_FRAME   320
#define LOW_TAIL    3200
#define ROUNDS      7
#define COMPLEXITY  5
#define BITRATE_BPS 32000
#define TAG_ROOM    64

static int16_t far[COUNT], mic[COUNT], said[COUNT], low_far[COUNT / 3], low_mic[COUNT / 3];
static uint8_t material[56];

/* far and mic go in; said (what our stream then encodes) is noted in a first pass,
 * so that the bare encoder works on the same sound. */

struct packets {
    size_t count;
    size_t len[2 * FRAMES];
    uint8_t bytes[2 * FRAMES][RELOAD_MEDIA_PACKET_MAX];
    uint64_t at_ms[2 * FRAMES];
};
static struct packets incoming;
static uint64_t virtual_ms;

static int keep(void *context, const uint8_t *bytes, size_t len)
{
    struct packets *packets = context;
    if (packets && packets->count < 2 * FRAMES) {
        memcpy(packets->bytes[packets->count], bytes, len);
        packets->at_ms[packets->count] = virtual_ms;
        packets->len[packets->count++] = len;
    }
    return 0;
}

static const struct reload_media_transport_ops transport = { keep };

static struct reload_media_stream *stream_of(struct packets *packets, struct noise *noise,
                                             bool alice)
{
    struct reload_media_stream_options options = reload_media_stream_defaults();
    options.cname = "bench";
    options.random = random_of(noise);
    options.cancel_echo = !alice;
    options.encoder.dtx = false;
    options.encoder.complexity = COMPLEXITY;
    options.encoder.bitrate_bps = BITRATE_BPS;
    struct reload_media_keying keying = { RELOAD_MEDIA_AEAD_AES_128_GCM,
                                          alice ? RELOAD_MEDIA_DTLS_CLIENT
                                                : RELOAD_MEDIA_DTLS_SERVER,
                                          material, sizeof material };
    struct reload_media_stream *stream;
    BENCH_CHECK(reload_media_stream_new(&options, &transport, packets, &stream) == 0);
    BENCH_CHECK(reload_media_stream_key(stream, &keying) == 0);
    return stream;
}

/* What the far end sends during the call, made once. */
static void make_incoming(void)
{
    struct noise noise = noise_of(1);
    int16_t ignored[RELOAD_MEDIA_BLOCK];
    struct reload_media_stream *stream = stream_of(&incoming, &noise, true);
    for (size_t at = 0; at < COUNT; at += RELOAD_MEDIA_BLOCK) {
        virtual_ms = 1000 + at / 48;
        reload_media_stream_exchange(stream, far + at, ignored,
                                     (struct reload_time){ virtual_ms, virtual_ms });
    }
    reload_media_stream_free(stream);
}

/* us of CPU per 20 ms */
static double ours(bool note)
{
    struct noise noise = noise_of(2);
    int16_t speaker[RELOAD_MEDIA_BLOCK];
    struct reload_media_stream *stream = stream_of(NULL, &noise, false);
    size_t next = 0;
    uint64_t start = bench_cpu_ns();
    for (size_t at = 0; at < COUNT; at += RELOAD_MEDIA_BLOCK) {
        struct reload_time now = { 1000 + at / 48, 1000 + at / 48 };
        for (; next < incoming.count && incoming.at_ms[next] <= now.monotonic_ms; next++)
            reload_media_stream_receive(stream, 0, incoming.bytes[next], incoming.len[next], now);
        reload_media_stream_exchange(stream, mic + at, speaker, now);
        if (note)
            memcpy(said + at, reload_media_stream_said(stream), sizeof speaker);
    }
    double us = (double)(bench_cpu_ns() - start) / FRAMES / 1e3;
    struct reload_media_counters counters;
    reload_media_stream_counters(stream, &counters);
    BENCH_CHECK(counters.frames_played >= FRAMES - 5 && counters.rtp_sent == FRAMES);
    reload_media_stream_free(stream);
    return us;
}

static srtp_t session(srtp_ssrc_type_t direction)
{
    static uint8_t key[28];
    srtp_policy_t policy = { .ssrc = { .type = direction }, .key = key, .window_size = 256 };
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    srtp_t srtp;
    BENCH_CHECK(srtp_create(&srtp, &policy) == srtp_err_status_ok);
    return srtp;
}

static double bare(void)
{
    int error, rate_hz = 16000;
    OpusEncoder *encoder = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &error);
    OpusDecoder *decoder = opus_decoder_create(48000, 1, &error);
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(BITRATE_BPS));
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(COMPLEXITY));
    opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    SpeexEchoState *echo = speex_echo_state_init(LOW_FRAME, LOW_TAIL);
    SpeexPreprocessState *preprocess = speex_preprocess_state_init(LOW_FRAME, rate_hz);
    speex_echo_ctl(echo, SPEEX_ECHO_SET_SAMPLING_RATE, &rate_hz);
    speex_preprocess_ctl(preprocess, SPEEX_PREPROCESS_SET_ECHO_STATE, echo);
    srtp_t out = session(ssrc_any_outbound), in = session(ssrc_any_inbound);
    int16_t low[LOW_FRAME], pcm[FRAME];
    uint64_t start = bench_cpu_ns();
    for (size_t i = 0; i < FRAMES; i++) {
        _Alignas(uint32_t)
            uint8_t packet[12 + 400 + TAG_ROOM] = { 0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
        packet[2] = (uint8_t)(i >> 8);
        packet[3] = (uint8_t)i;
        speex_echo_cancellation(echo, low_mic + i * LOW_FRAME, low_far + i * LOW_FRAME, low);
        speex_preprocess_run(preprocess, low);
        int payload_len = opus_encode(encoder, said + i * FRAME, FRAME, packet + 12, 400);
        int len = 12 + payload_len;
        BENCH_CHECK(srtp_protect(out, packet, &len) == srtp_err_status_ok);
        BENCH_CHECK(srtp_unprotect(in, packet, &len) == srtp_err_status_ok);
        BENCH_CHECK(opus_decode(decoder, packet + 12, payload_len, pcm, FRAME, 0) == FRAME);
    }
    double us = (double)(bench_cpu_ns() - start) / FRAMES / 1e3;
    srtp_dealloc(out);
    srtp_dealloc(in);
    speex_echo_state_destroy(echo);
    speex_preprocess_state_destroy(preprocess);
    opus_encoder_destroy(encoder);
    opus_decoder_destroy(decoder);
    return us;
}

static void make_sounds(void)
{
    float room[7200];
    struct noise noise = noise_of(3);
    for (size_t i = 0; i < sizeof material; i++)
        material[i] = (uint8_t)(i * 7 + 1);
    make_speech(far, COUNT, RELOAD_MEDIA_RATE_HZ, 0);
    make_room(room, RELOAD_MEDIA_RATE_HZ, 12, 1);
    hear_in_room(room, 7200, far, COUNT, &noise, mic);
    int16_t *near = calloc(COUNT, sizeof *near);
    make_speech(near, COUNT, RELOAD_MEDIA_RATE_HZ, 2);
    for (size_t i = 0; i < COUNT; i++)
        mic[i] = (int16_t)(mic[i] + near[i] / 2);
    free(near);
    for (size_t i = 0; i < COUNT / 3; i++) {
        low_far[i] = far[3 * i];
        low_mic[i] = mic[3 * i];
    }
}

struct voice_cost voice_cost(void)
{
    double ours_us[ROUNDS], bare_us[ROUNDS];
    make_sounds();
    make_incoming();
    (void)ours(true);
    for (int i = 0; i < ROUNDS; i++) {
        ours_us[i] = ours(false);
        bare_us[i] = bare();
    }
    return (struct voice_cost){ bench_median(ours_us, ROUNDS), bench_median(bare_us, ROUNDS) };
}
