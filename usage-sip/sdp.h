#ifndef USAGE_SIP_SDP_H
#define USAGE_SIP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reload/error.h"

/* Session descriptions of a call (RFC 8866, RFC 3264): one stream of Opus (RFC 7587) with
 * telephone-event (RFC 4733), RTP and RTCP on one port (RFC 5761), ICE (RFC 8839), keys by
 * DTLS-SRTP bound to a fingerprint (RFC 5763). A description that offers only unprotected media is
 * refused; none is ever written. */

#define RELOAD_SIP_SDP_MAX         16384 /* bytes of a description that are read */
#define RELOAD_SIP_STREAMS_MAX     8     /* m= lines of one description */
#define RELOAD_SIP_ATTRIBUTES_MAX  256   /* a= lines of one stream, and of the session */
#define RELOAD_SIP_CANDIDATES_MAX  20    /* taken from one description, in its order */
#define RELOAD_SIP_FINGERPRINT_MAX 64    /* bytes: SHA-512 */
#define RELOAD_SIP_FOUNDATION_MAX  32    /* characters, RFC 8839 s5.1 */
#define RELOAD_SIP_ICE_PACING_MAX  1000  /* ms; longer ones are taken as this */
#define RELOAD_SIP_ICE_TEXT_MAX    256   /* characters of ice-ufrag and ice-pwd, RFC 8839 s5.4 */

struct reload_sip_address {
    uint8_t len;       /* 4 or 16; 0: none */
    uint8_t bytes[16]; /* network order */
    uint16_t port;
};

enum reload_sip_candidate_type {
    RELOAD_SIP_HOST,
    RELOAD_SIP_SRFLX,
    RELOAD_SIP_PRFLX,
    RELOAD_SIP_RELAY,
};

struct reload_sip_candidate { /* component 1, UDP */
    char foundation[RELOAD_SIP_FOUNDATION_MAX + 1];
    uint32_t priority;
    enum reload_sip_candidate_type type;
    struct reload_sip_address address;
    struct reload_sip_address related; /* len 0: not told */
};

/* As the one who speaks sees it (RFC 3264 s5.1): SENDONLY sends and does not listen. */
enum reload_sip_direction {
    RELOAD_SIP_INACTIVE = 0,
    RELOAD_SIP_SENDONLY = 1,
    RELOAD_SIP_RECVONLY = 2,
    RELOAD_SIP_SENDRECV = 3,
};

/* Who starts the DTLS handshake (RFC 4145 s4, RFC 5763 s5). */
enum reload_sip_setup { RELOAD_SIP_ACTPASS, RELOAD_SIP_ACTIVE, RELOAD_SIP_PASSIVE };

enum reload_sip_hash { RELOAD_SIP_SHA256, RELOAD_SIP_SHA384, RELOAD_SIP_SHA512 };

/* One end of the audio stream, as plain data: what the host gives of itself and gets of the far
 * end. */
struct reload_sip_media {
    struct reload_sip_address address; /* where media goes without ICE */
    /* ICE: both texts empty when this end does not speak it. */
    char ice_ufrag[RELOAD_SIP_ICE_TEXT_MAX + 1], ice_pwd[RELOAD_SIP_ICE_TEXT_MAX + 1];
    bool ice_lite;
    /* What this end says must pass between two of its checks (RFC 8839 s5.5): 50 for one that knows
     * RFC 8445 and says nothing (s14.2 there), 0 for one of before. */
    unsigned ice_pacing_ms;
    struct reload_sip_candidate candidates[RELOAD_SIP_CANDIDATES_MAX];
    size_t candidate_count;
    enum reload_sip_hash hash; /* of the DTLS certificate */
    uint8_t fingerprint[RELOAD_SIP_FINGERPRINT_MAX];
    size_t fingerprint_len;
    /* The rest is negotiated: of a local description the agent sets it, but for the numbers of an
     * offer, where 0 takes the usual 111 and 101. */
    enum reload_sip_setup setup;
    enum reload_sip_direction direction;
    uint8_t opus_payload, event_payload; /* RTP payload types; event 0: no telephone-event */
    unsigned ptime_ms;                   /* what this end wants to get; 0: not told */
    bool fec, dtx;                       /* it understands, or may send (RFC 7587 s6.1) */
};

struct reload_sip_stream { /* an m= line, kept to answer each one in its place (RFC 3264 s6) */
    char kind[16], protocol[32], format[16];
};

struct reload_sip_sdp {
    struct reload_sip_media media;
    struct reload_sip_stream streams[RELOAD_SIP_STREAMS_MAX];
    size_t stream_count;
    size_t audio; /* which of them `media` is */
};

/* Bytes of a digest. */
size_t reload_sip_hash_len(enum reload_sip_hash hash);

/* Reads a description of the far end. RELOAD_E_DECODE: it is none; RELOAD_E_LIMIT: one of the
 * numbers above is passed; RELOAD_E_UNSUPPORTED: well formed, but without a stream that we can
 * speak: no Opus over UDP/TLS/RTP/SAVP or SAVPF, no rtcp-mux, no fingerprint of a known hash,
 * nowhere to send to. */
RELOAD_MUST_USE int reload_sip_sdp_read(const char *text, size_t len, struct reload_sip_sdp *out);

struct reload_sip_origin { /* o= line; version rises with each change (RFC 3264 s8) */
    uint64_t session, version;
};

/* Writes a description: a first offer when `remote` is NULL, else an offer or an answer with the
 * same streams as the far end's last description, all but the audio refused. *out is NUL-terminated
 * and freed by reload_free(). RELOAD_E_INVALID: no address, or a fingerprint or ICE text of the
 * wrong length; RELOAD_E_NOSPACE: longer than RELOAD_SIP_SDP_MAX; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_sip_sdp_write(const struct reload_sip_media *local,
                                         const struct reload_sip_sdp *remote,
                                         const struct reload_sip_origin *origin, char **out);

/* --- the steps of offer and answer --- */
/* What an answer to `offer` says of direction and DTLS role, given what we would like (RFC 3264
 * s6.1, RFC 5763 s5: active unless the offer is). */
enum reload_sip_direction reload_sip_direction_answer(enum reload_sip_direction offer,
                                                      enum reload_sip_direction wish);
enum reload_sip_setup reload_sip_setup_answer(enum reload_sip_setup offer);
/* Whether `answer` is one to `offer`: RELOAD_E_INVALID when a role was not chosen or both took the
 * same, the streams differ in number, or the payload type was not offered. */
RELOAD_MUST_USE int reload_sip_answer_check(const struct reload_sip_media *offer,
                                            size_t offer_streams,
                                            const struct reload_sip_sdp *answer);

#endif
