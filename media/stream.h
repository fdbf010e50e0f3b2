#ifndef RELOAD_MEDIA_STREAM_H
#define RELOAD_MEDIA_STREAM_H

#include "media/audio.h"
#include "media/codec.h"
#include "media/echo.h"
#include "media/srtp.h"
#include "media/transport.h"
#include "reload/error.h"
#include "reload/random.h"
#include "reload/time.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One call's audio, both ways: blocks of sound and datagrams in and out, time as an argument. No
 * thread, no clock, no socket: media/call.h puts a stream on a device and a thread of its own.
 *
 * Nothing is sent before reload_media_stream_key and nothing is sent unencrypted after it; what
 * arrives before it is dropped. The frame at hand then goes out with the next block. A stream is
 * used from one thread at a time. */
struct reload_media_stream;

#define RELOAD_MEDIA_KEYS_HEARD 32 /* DTMF keys kept for the host; more are dropped and counted */

struct reload_media_stream_options {
    struct reload_media_encoder_options encoder;
    bool cancel_echo; /* voice then says what else happens to the microphone's signal */
    struct reload_media_echo_options voice;
    bool conceal;              /* false: lost frames are silent. For comparison */
    bool recover;              /* false: copies of lost frames are not used. For comparison */
    uint8_t payload_type;      /* of Opus, both ways unless negotiated otherwise */
    uint8_t dtmf_payload_type; /* of telephone events; 0: not negotiated, never sent or heard */
    uint32_t ssrc;             /* ours; 0: drawn at random */
    uint32_t remote_ssrc;      /* as signalled; 0: that of the first packet that authenticates */
    uint64_t source;           /* the token of the one place that packets may come from */
    const char *cname;         /* borrowed for _new; at most 255 bytes (RFC 7022: random) */
    struct reload_random random;
};

/* Opus at 20 ms with everything on but gain control, which changes levels on purpose; RFC 3551's
 * first dynamic payload types. The caller sets source, cname and random. */
struct reload_media_stream_options reload_media_stream_defaults(void);

/* What a stream counts. Every datagram that comes in ends in exactly one of the first group. */
struct reload_media_counters {
    uint64_t rtp_received, rtcp_received; /* authentic and used */
    uint64_t unkeyed;                     /* arrived before the keys */
    uint64_t elsewhere;                   /* from a source that is not the far end's */
    uint64_t malformed;    /* no RTP or RTCP, before or after decryption, or no Opus */
    uint64_t wrong_ssrc;   /* of a source that nobody announced, or our own come back */
    uint64_t unauthentic;  /* fails authentication */
    uint64_t replayed;     /* seen before, or too old to tell */
    uint64_t out_of_order; /* sequence number far from all before (RFC 3550 A.1) */
    uint64_t unknown_type; /* a payload type that was not negotiated */
    uint64_t late;         /* its time had passed, or the jitter buffer was full, or twice there */

    uint64_t rtp_sent, rtcp_sent, send_failed;
    uint64_t frames_played, frames_recovered, frames_concealed, frames_skipped, frames_waited;
    uint64_t undecodable;  /* authentic packets that Opus refused when their turn came */
    uint64_t keys_dropped; /* more than RELOAD_MEDIA_KEYS_HEARD waited */
};

struct reload_media_quality {
    double loss;                  /* of what they sent, 0..1, since the beginning */
    double remote_loss;           /* of what we sent, by their last report */
    double jitter_ms;             /* RFC 3550 s6.4.1 */
    double round_trip_ms;         /* 0: not known yet */
    unsigned playout_ms;          /* the jitter buffer's target */
    unsigned voice_ms;            /* delay of the microphone's processing */
    unsigned bitrate_bps;         /* the encoder's */
    int drift_ppm;                /* correction of their clock against ours */
    double said_dbov, heard_dbov; /* level of the last block, -127..0 */
    bool remote_bye;              /* they sent BYE */
    uint64_t heard_ms;            /* monotonic: their last authentic packet; 0: none yet */
};

/* RELOAD_E_INVALID for options out of range, RELOAD_E_NOMEM. ops and context must outlive it. */
RELOAD_MUST_USE int reload_media_stream_new(const struct reload_media_stream_options *options,
                                            const struct reload_media_transport_ops *ops,
                                            void *context, struct reload_media_stream **out);
void reload_media_stream_free(struct reload_media_stream *stream); /* NULL is fine */

/* Keys from DTLS-SRTP; again for new ones after a new handshake. Errors of reload_media_srtp_new:
 * the old keys, if any, then stay. */
RELOAD_MUST_USE int reload_media_stream_key(struct reload_media_stream *stream,
                                            const struct reload_media_keying *keying);

/* Of SDP: in the range of RTP, clear of RTCP (RFC 5761 s4), not equal; 0 for no telephone events.
 */
bool reload_media_payload_types_valid(uint8_t payload_type, uint8_t dtmf_payload_type);
/* The types to send with, which are the far end's choice (RFC 3264 s5.1); those of the options are
 * what it sends. RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_media_stream_negotiate(struct reload_media_stream *stream,
                                                  uint8_t payload_type, uint8_t dtmf_payload_type);

/* Once per 10 ms of the device's clock: what the microphone heard, and into speaker what it shall
 * play next. Sends what is due. What the speaker plays and the microphone hears meets here in step,
 * which is all the clock the echo canceller needs. */
void reload_media_stream_exchange(struct reload_media_stream *stream, const int16_t *mic,
                                  int16_t *speaker, struct reload_time now);
/* What of the microphone's signal goes out, after processing: the last block, for a recording. */
const int16_t *reload_media_stream_said(const struct reload_media_stream *stream);

/* A datagram that came in. Never fails: what cannot be used is counted. */
void reload_media_stream_receive(struct reload_media_stream *stream, uint64_t source,
                                 const uint8_t *bytes, size_t len, struct reload_time now);
/* The far end moved (ICE restart): packets come from this token from now on. */
void reload_media_stream_move(struct reload_media_stream *stream, uint64_t source);

/* Hold: false stops our sound; reports go on. */
void reload_media_stream_send(struct reload_media_stream *stream, bool on);

/* A key to send. RELOAD_E_UNSUPPORTED when events were not negotiated, RELOAD_E_INVALID for what is
 * no key, RELOAD_E_LIMIT when too many wait. */
RELOAD_MUST_USE int reload_media_stream_press(struct reload_media_stream *stream, char key);
/* The next key heard, 0 when there is none. */
char reload_media_stream_heard(struct reload_media_stream *stream);

/* The last report, with BYE (RFC 3550 s6.3.7); nothing is sent afterwards. */
void reload_media_stream_bye(struct reload_media_stream *stream, struct reload_time now);

void reload_media_stream_counters(const struct reload_media_stream *stream,
                                  struct reload_media_counters *out);
void reload_media_stream_quality(const struct reload_media_stream *stream,
                                 struct reload_media_quality *out);

#endif
