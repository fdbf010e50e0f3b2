#ifndef RELOAD_MEDIA_CODEC_H
#define RELOAD_MEDIA_CODEC_H

#include "media/audio.h"
#include "reload/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opus for speech (RFC 6716, RFC 7587): mono, 48 kHz, frames of 10 or 20 ms, with forward error
 * correction inside the packets, silence left out, and the bitrate led by the loss reported. */

#define RELOAD_MEDIA_OPUS_MAX        400  /* bytes of a packet that we make */
#define RELOAD_MEDIA_FRAME_MAX       5760 /* samples: 120 ms, the longest packet there is */
#define RELOAD_MEDIA_BITRATE_MIN     12000
#define RELOAD_MEDIA_BITRATE_MAX     64000
#define RELOAD_MEDIA_BITRATE_DEFAULT 32000

struct reload_media_encoder;

struct reload_media_encoder_options {
    unsigned frame_ms;    /* 10 or 20 */
    unsigned bitrate_bps; /* the most it uses, RELOAD_MEDIA_BITRATE_MIN..MAX */
    bool fec, dtx;
    int complexity; /* 0..10 */
};

/* RELOAD_E_INVALID for an option out of range, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_encoder_new(const struct reload_media_encoder_options *options,
                                             struct reload_media_encoder **out);
void reload_media_encoder_free(struct reload_media_encoder *encoder); /* NULL is fine */

/* One frame of frame_ms. Returns the packet's length, 0 for silence that needs no packet (DTX), or
 * RELOAD_E_INVALID. cap: RELOAD_MEDIA_OPUS_MAX or more. */
RELOAD_MUST_USE int reload_media_encode(struct reload_media_encoder *encoder, const int16_t *pcm,
                                        uint8_t *out, size_t cap);

/* What the far end reports about our packets, once per report: the loss sets how much error
 * correction goes along; below 2 % the bitrate recovers, above 10 % it falls. */
void reload_media_encoder_loss(struct reload_media_encoder *encoder, unsigned percent);
unsigned reload_media_encoder_bitrate_bps(const struct reload_media_encoder *encoder);

struct reload_media_decoder;

RELOAD_MUST_USE int reload_media_decoder_new(struct reload_media_decoder **out); /* or E_NOMEM */
void reload_media_decoder_free(struct reload_media_decoder *decoder);            /* NULL is fine */

/* Samples that a packet holds, 120..5760, or RELOAD_E_DECODE when it is no Opus packet. */
RELOAD_MUST_USE int reload_media_opus_samples(const uint8_t *packet, size_t len);

/* Decodes a packet. Returns its samples or RELOAD_E_DECODE. pcm: RELOAD_MEDIA_FRAME_MAX samples. */
RELOAD_MUST_USE int reload_media_decode(struct reload_media_decoder *decoder, const uint8_t *packet,
                                        size_t len, int16_t *pcm);
/* The frame of so many samples before `packet`, from the copy that the packet may carry. */
RELOAD_MUST_USE int reload_media_decode_fec(struct reload_media_decoder *decoder,
                                            const uint8_t *packet, size_t len, int16_t *pcm,
                                            size_t samples);
/* A frame of so many samples out of nothing: what was said goes on and fades. */
RELOAD_MUST_USE int reload_media_conceal(struct reload_media_decoder *decoder, int16_t *pcm,
                                         size_t samples);

#endif
