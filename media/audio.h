#ifndef RELOAD_MEDIA_AUDIO_H
#define RELOAD_MEDIA_AUDIO_H

/* The one form in which audio moves inside media/: mono, signed 16 bit, 48 kHz (Opus' own clock,
 * RFC 7587 s4.1), in blocks of 10 ms. Everything happens once per block. */
#define RELOAD_MEDIA_RATE_HZ  48000
#define RELOAD_MEDIA_BLOCK    480 /* samples */
#define RELOAD_MEDIA_BLOCK_MS 10

#endif
