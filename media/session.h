#ifndef RELOAD_MEDIA_SESSION_H
#define RELOAD_MEDIA_SESSION_H

#include "media/call.h"
#include "reload/link/engine_srtp.h"

/* The media of one call, for a user agent: what goes into SDP and what came out of it, a path for
 * datagrams, DTLS-SRTP (RFC 5763, RFC 5764), and the call's audio with a thread of its own.
 *
 *     new ──remote, path──> HANDSHAKE ──keys──> SECURE ──stop, their farewell──> ENDED
 *                               └──no keys───────┴──the device is gone──> FAILED
 *
 * Usage: _new; _local for the SDP that goes out; _remote with that which came in; _path once
 * datagrams can travel (ICE has found a pair, or the addresses are known); _start when the user
 * talks, which may be before or after all that. Datagrams in: _receive. Wait for _descriptor and
 * _deadline, then call _tick and pull events with _next. At the end _stop, wait for ENDED if BYE
 * shall go out, and _free.
 *
 * Everything is called from one thread, the host's, and nothing waits: neither for audio nor for
 * the network. DTLS runs in these calls (1 to 2 ms of CPU time a handshake), audio on its own
 * thread; ops->send is called on both. Before there are keys nothing but DTLS is sent or taken, and
 * there is no way back to clear RTP. */
struct reload_media_session;

enum reload_media_setup { /* SDP's setup attribute (RFC 4145 s4, RFC 5763 s5) */
                          RELOAD_MEDIA_ACTPASS,
                          RELOAD_MEDIA_ACTIVE,
                          RELOAD_MEDIA_PASSIVE,
};

enum reload_media_direction { /* RFC 3264 s5.1, as its sender sees it; the bits: 1 sends, 2 takes */
                              RELOAD_MEDIA_INACTIVE = 0,
                              RELOAD_MEDIA_SENDONLY = 1,
                              RELOAD_MEDIA_RECVONLY = 2,
                              RELOAD_MEDIA_SENDRECV = 3,
};

/* One side's half of what SDP says about the call's audio. */
struct reload_media_parameters {
    uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN]; /* text: media/fingerprint.h */
    enum reload_media_setup setup;
    enum reload_media_direction direction;
    uint8_t payload_type;      /* under which its side wants Opus (RFC 7587) */
    uint8_t dtmf_payload_type; /* telephone-event/48000; 0: none */
};

struct reload_media_session_options {
    struct reload_engine_srtp *certificate; /* borrowed; one serves all calls */
    struct reload_media_stream_options
        stream; /* source is not looked at; cname is copied, NULL: drawn at random (RFC 7022) */
    const char *device, *recording; /* as in media/call.h; copied */
};

/* Nothing happens yet; no device is opened. ops and context are borrowed and outlive it.
 * RELOAD_E_INVALID: options out of range; RELOAD_E_NOMEM; RELOAD_E_IO: no descriptor left. */
RELOAD_MUST_USE int reload_media_session_new(const struct reload_media_session_options *options,
                                             const struct reload_media_transport_ops *ops,
                                             void *context, struct reload_media_session **out);
/* Ends what has not ended; the far end is told by DTLS. Afterwards ops->send is not called any
 * more. NULL is fine. */
void reload_media_session_free(struct reload_media_session *session);

/* What our SDP says. In an offer setup is actpass; in an answer, after _remote, our role: active
 * where we may choose, since that saves half a round trip (RFC 5763 s5). */
void reload_media_session_local(const struct reload_media_session *session, bool offer,
                                struct reload_media_parameters *out);

/* What their SDP says, first or again. A new fingerprint or the other role is a new association
 * (RFC 8842 s3.1): the old keys serve until it has its own. RELOAD_E_INVALID, and nothing changed:
 * a value out of range; RELOAD_E_STATE: it has ended. */
RELOAD_MUST_USE int reload_media_session_remote(struct reload_media_session *session,
                                                const struct reload_media_parameters *parameters,
                                                struct reload_time now);

/* Datagrams travel from now on, and those of the far end carry this token; with another one later
 * the far end, or our own address, has moved. */
void reload_media_session_path(struct reload_media_session *session, uint64_t source,
                               struct reload_time now);

/* Takes the microphone and the loudspeaker. Errors of reload_media_call_start; RELOAD_E_STATE: it
 * was started before, or has ended. What the device refuses later is an event. */
RELOAD_MUST_USE int reload_media_session_start(struct reload_media_session *session);
/* The far end's signalling is gone without a word: from now on a silence of
 * RELOAD_MEDIA_DOUBT_MS tells that it is gone, too. */
void reload_media_session_doubt(struct reload_media_session *session);
/* Says BYE and lets go of the device. */
void reload_media_session_stop(struct reload_media_session *session);

/* Told apart by its first byte (RFC 7983): DTLS is answered within the call, RTP and RTCP go to the
 * media thread; all else, and what comes from elsewhere, is counted and dropped. */
void reload_media_session_receive(struct reload_media_session *session, uint64_t source,
                                  const uint8_t *bytes, size_t len, struct reload_time now);

/* Our wish: the microphone is not sent while held. The next _local says so. */
void reload_media_session_hold(struct reload_media_session *session, bool on);
/* RELOAD_E_STATE before _start; RELOAD_E_INVALID: no such key; RELOAD_E_LIMIT: too many wait. */
RELOAD_MUST_USE int reload_media_session_press(struct reload_media_session *session, char key);

int reload_media_session_descriptor(
    const struct reload_media_session *session); /* readable: tick */
uint64_t reload_media_session_deadline(const struct reload_media_session *session, uint64_t now_ms);
void reload_media_session_tick(struct reload_media_session *session, struct reload_time now);

enum reload_media_session_state {
    RELOAD_MEDIA_SESSION_NEW,
    RELOAD_MEDIA_SESSION_HANDSHAKE,
    RELOAD_MEDIA_SESSION_SECURE,
    RELOAD_MEDIA_SESSION_FAILED,
    RELOAD_MEDIA_SESSION_ENDED,
};
const char *reload_media_session_state_text(enum reload_media_session_state state);

enum reload_media_event_type {
    RELOAD_MEDIA_EVENT_STATE, /* state; with FAILED error and reason */
    RELOAD_MEDIA_EVENT_AUDIO, /* once: the first sound of the far end has been decoded */
    RELOAD_MEDIA_EVENT_KEY,   /* key: DTMF heard */
    RELOAD_MEDIA_EVENT_BYE,   /* the far end said RTCP BYE; DTLS and SIP say so in their own way */
    RELOAD_MEDIA_EVENT_RECORDING, /* it could not be written any more; the call goes on */
};

struct reload_media_event {
    enum reload_media_event_type type;
    enum reload_media_session_state state;
    int error;
    const char *reason; /* a sentence; good until the next call */
    char key;
};

/* The next thing that happened; false when there is nothing. */
bool reload_media_session_next(struct reload_media_session *session,
                               struct reload_media_event *out);

#define RELOAD_MEDIA_EARLY_MAX    4     /* DTLS datagrams kept that come before _path */
#define RELOAD_MEDIA_HANDSHAKE_MS 20000 /* without keys so long after _path and _remote: FAILED */
/* Without one authentic packet for so long it is FAILED. Reports come even from who holds and says
 * nothing, at most 7.5 s apart (RFC 3550 s6.2, s6.3.1); RFC 7675 s5.1 forgives 30 s, too. */
#define RELOAD_MEDIA_SILENCE_MS 30000
#define RELOAD_MEDIA_DOUBT_MS   10000

struct reload_media_session_counters { /* datagrams that came in and went no further */
    uint64_t elsewhere;                /* not from the far end */
    uint64_t unkeyed;                  /* RTP or RTCP before the keys, or before _start */
    uint64_t after_end;                /* the far end did not know yet */
    uint64_t stun;                     /* that ICE did not take: late, or a stranger's */
    uint64_t other;                    /* none of RFC 7983: noise, and what is too long */
    uint64_t early_dropped;            /* DTLS before _path, more than RELOAD_MEDIA_EARLY_MAX */
    uint64_t dtls, dtls_after_keys;    /* DTLS taken, of these after the handshake was done */
};

struct reload_media_session_status {
    enum reload_media_session_state state;
    enum reload_media_srtp_profile profile; /* 0 before the keys */
    bool closed; /* nothing more happens; device and recording are closed */
    struct reload_media_session_counters counters;
    struct reload_media_call_status call; /* all zero before _start */
};
void reload_media_session_status(const struct reload_media_session *session,
                                 struct reload_media_session_status *out);

#endif
