#include "media/codec.h"
#include "reload/alloc.h"
#include <limits.h>
#include <opus.h>

#define CHANNELS     1
#define DTX_LEN      2  /* RFC 6716 s3.1, R1: packets this short carry no sound */
#define LOSS_LOW     2  /* percent: up to here the network is not the bottleneck */
#define LOSS_HIGH    10 /* percent: from here it may well be */
#define LOSS_FEC_MAX 30 /* percent: more protection than for this costs more than it saves */
#define RISE_PERCENT 8  /* of the bitrate per report */

struct reload_media_encoder {
    OpusEncoder *opus;
    int samples;
    unsigned bitrate_max_bps, bitrate_bps;
};

struct reload_media_decoder {
    OpusDecoder *opus;
};

static bool valid(const struct reload_media_encoder_options *o)
{
    return (o->frame_ms == 10 || o->frame_ms == 20) && o->bitrate_bps >= RELOAD_MEDIA_BITRATE_MIN &&
           o->bitrate_bps <= RELOAD_MEDIA_BITRATE_MAX && o->complexity >= 0 && o->complexity <= 10;
}

int reload_media_encoder_new(const struct reload_media_encoder_options *options,
                             struct reload_media_encoder **out)
{
    *out = NULL;
    if (!valid(options))
        return RELOAD_E_INVALID;
    struct reload_media_encoder *encoder = reload_calloc(1, sizeof *encoder);
    if (!encoder)
        return RELOAD_E_NOMEM;
    int error;
    encoder->opus =
        opus_encoder_create(RELOAD_MEDIA_RATE_HZ, CHANNELS, OPUS_APPLICATION_VOIP, &error);
    if (!encoder->opus) {
        reload_free(encoder);
        return RELOAD_E_NOMEM;
    }
    encoder->samples = (int)options->frame_ms * RELOAD_MEDIA_RATE_HZ / 1000;
    encoder->bitrate_max_bps = encoder->bitrate_bps = options->bitrate_bps;
    opus_encoder_ctl(encoder->opus, OPUS_SET_BITRATE((opus_int32)options->bitrate_bps));
    opus_encoder_ctl(encoder->opus, OPUS_SET_INBAND_FEC(options->fec ? 1 : 0));
    opus_encoder_ctl(encoder->opus, OPUS_SET_DTX(options->dtx ? 1 : 0));
    opus_encoder_ctl(encoder->opus, OPUS_SET_COMPLEXITY(options->complexity));
    opus_encoder_ctl(encoder->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    *out = encoder;
    return 0;
}

void reload_media_encoder_free(struct reload_media_encoder *encoder)
{
    if (!encoder)
        return;
    opus_encoder_destroy(encoder->opus);
    reload_free(encoder);
}

int reload_media_encode(struct reload_media_encoder *encoder, const int16_t *pcm, uint8_t *out,
                        size_t cap)
{
    int len = opus_encode(encoder->opus, pcm, encoder->samples, out,
                          cap > INT_MAX ? INT_MAX : (opus_int32)cap);
    if (len < 0)
        return RELOAD_E_INVALID;
    return len <= DTX_LEN ? 0 : len;
}

void reload_media_encoder_loss(struct reload_media_encoder *encoder, unsigned percent)
{
    unsigned bps = encoder->bitrate_bps;
    if (percent > 100)
        percent = 100;
    if (percent <= LOSS_LOW)
        bps += bps * RISE_PERCENT / 100;
    else if (percent > LOSS_HIGH)
        bps -= bps * percent / 200;
    if (bps > encoder->bitrate_max_bps)
        bps = encoder->bitrate_max_bps;
    if (bps < RELOAD_MEDIA_BITRATE_MIN)
        bps = RELOAD_MEDIA_BITRATE_MIN;
    encoder->bitrate_bps = bps;
    int fec_percent = percent > LOSS_FEC_MAX ? LOSS_FEC_MAX : (int)percent;
    opus_encoder_ctl(encoder->opus, OPUS_SET_BITRATE((opus_int32)bps));
    opus_encoder_ctl(encoder->opus, OPUS_SET_PACKET_LOSS_PERC(fec_percent));
}

unsigned reload_media_encoder_bitrate_bps(const struct reload_media_encoder *encoder)
{
    return encoder->bitrate_bps;
}

int reload_media_decoder_new(struct reload_media_decoder **out)
{
    int error;
    struct reload_media_decoder *decoder = *out = reload_calloc(1, sizeof *decoder);
    if (!decoder)
        return RELOAD_E_NOMEM;
    decoder->opus = opus_decoder_create(RELOAD_MEDIA_RATE_HZ, CHANNELS, &error);
    if (!decoder->opus) {
        reload_free(decoder);
        *out = NULL;
        return RELOAD_E_NOMEM;
    }
    return 0;
}

void reload_media_decoder_free(struct reload_media_decoder *decoder)
{
    if (!decoder)
        return;
    opus_decoder_destroy(decoder->opus);
    reload_free(decoder);
}

int reload_media_opus_samples(const uint8_t *packet, size_t len)
{
    if (len == 0 || len > INT_MAX)
        return RELOAD_E_DECODE;
    int samples = opus_packet_get_nb_samples(packet, (opus_int32)len, RELOAD_MEDIA_RATE_HZ);
    return samples > 0 && samples <= RELOAD_MEDIA_FRAME_MAX ? samples : RELOAD_E_DECODE;
}

static int decode(struct reload_media_decoder *decoder, const uint8_t *packet, size_t len,
                  int16_t *pcm, size_t samples, int fec)
{
    int made = opus_decode(decoder->opus, packet, (opus_int32)len, pcm, (int)samples, fec);
    return made > 0 ? made : RELOAD_E_DECODE;
}

int reload_media_decode(struct reload_media_decoder *decoder, const uint8_t *packet, size_t len,
                        int16_t *pcm)
{
    if (len == 0 || len > INT_MAX)
        return RELOAD_E_DECODE;
    return decode(decoder, packet, len, pcm, RELOAD_MEDIA_FRAME_MAX, 0);
}

int reload_media_decode_fec(struct reload_media_decoder *decoder, const uint8_t *packet, size_t len,
                            int16_t *pcm, size_t samples)
{
    if (len == 0 || len > INT_MAX || samples > RELOAD_MEDIA_FRAME_MAX)
        return RELOAD_E_DECODE;
    return decode(decoder, packet, len, pcm, samples, 1);
}

int reload_media_conceal(struct reload_media_decoder *decoder, int16_t *pcm, size_t samples)
{
    if (samples > RELOAD_MEDIA_FRAME_MAX)
        return RELOAD_E_DECODE;
    return decode(decoder, NULL, 0, pcm, samples, 0);
}
