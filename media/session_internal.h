#ifndef RELOAD_MEDIA_SESSION_INTERNAL_H
#define RELOAD_MEDIA_SESSION_INTERNAL_H

#include "media/dtls.h"
#include "media/rtcp.h"
#include "media/session.h"

/* What session.c (life, audio, events) and session_secure.c (SDP, datagrams, keys) share. */

struct reload_media_early { /* a DTLS datagram that was here before the path was known */
    uint64_t source;
    size_t len;
    uint8_t bytes[RELOAD_MEDIA_PACKET_MAX];
};

struct reload_media_session {
    struct reload_media_session_options options;
    char cname[RELOAD_MEDIA_CNAME_MAX + 1];
    char *device, *recording;
    const struct reload_media_transport_ops *ops;
    void *context;
    enum reload_media_session_state state, told;
    int error;
    bool has_remote, has_path, held, audio_told, bye_told, recording_told;
    struct reload_media_parameters remote;
    enum reload_media_dtls_role role; /* ours, once has_remote */
    uint64_t source;
    uint64_t give_up_ms;
    uint64_t secured_ms; /* when there were keys first */
    bool doubted;
    enum reload_media_srtp_profile profile; /* of the present keys; 0: none yet */
    struct reload_media_dtls *dtls;         /* of the present keys, or of the first handshake */
    struct reload_media_dtls *next;         /* an association that will replace it */
    char reason[RELOAD_ENGINE_REASON];
    struct reload_media_call *call; /* NULL before _start */
    struct reload_media_early early[RELOAD_MEDIA_EARLY_MAX];
    size_t early_count;
    int wake;
    struct reload_media_session_counters counters;
};

/* session.c */
bool reload_media_session_over(const struct reload_media_session *session); /* FAILED or ENDED */
void reload_media_session_enter(struct reload_media_session *session,
                                enum reload_media_session_state state);
/* An empty reason is the error's own text. */
void reload_media_session_fail(struct reload_media_session *session, int error, const char *reason);

/* session_secure.c */
/* To the media thread, if there is one. Errors of reload_media_dtls_keying. */
RELOAD_MUST_USE int reload_media_session_pass_keys(struct reload_media_session *session);
void reload_media_session_apply_direction(struct reload_media_session *session);

#endif
