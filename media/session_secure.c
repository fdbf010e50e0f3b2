#include "media/session_internal.h"
#include <string.h>

/* From SDP and datagrams to keys. */

/* --- keys --- */

int reload_media_session_pass_keys(struct reload_media_session *session)
{
    uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX];
    struct reload_media_keying keying;
    int error = reload_media_dtls_keying(session->dtls, material, &keying);
    if (error == 0)
        session->profile = keying.profile;
    if (error == 0 && session->call)
        error = reload_media_call_key(session->call, &keying);
    explicit_bzero(material, sizeof material);
    return error;
}

static void secured(struct reload_media_session *session, struct reload_time now)
{
    if (session->state != RELOAD_MEDIA_SESSION_SECURE)
        session->secured_ms = now.monotonic_ms;
    reload_media_session_enter(session, RELOAD_MEDIA_SESSION_SECURE);
    int error = reload_media_session_pass_keys(session);
    if (error != 0)
        reload_media_session_fail(session, error, "the keys cannot be used");
}

/* What an association's handshake came to; `next` replaces the other one only when it has keys. */
static void conclude(struct reload_media_session *session, struct reload_media_dtls *dtls,
                     int status, struct reload_time now)
{
    bool secure = session->state == RELOAD_MEDIA_SESSION_SECURE;
    if (status == RELOAD_MEDIA_DTLS_WANT || reload_media_session_over(session))
        return;
    if (status == RELOAD_E_CLOSED && secure && dtls == session->dtls) {
        reload_media_session_stop(session); /* RFC 5764 s5.2: its keys are not used any more */
    } else if (status < 0) {
        reload_media_session_fail(session, status, reload_media_dtls_reason(dtls));
    } else if (dtls == session->next) {
        reload_media_dtls_free(session->dtls);
        session->dtls = session->next;
        session->next = NULL;
        secured(session, now);
    } else if (!secure) {
        secured(session, now);
    }
}

static void hand_to_dtls(struct reload_media_session *session, const uint8_t *bytes, size_t len,
                         struct reload_time now)
{
    struct reload_media_dtls *dtls = session->next ? session->next : session->dtls;
    session->counters.dtls++;
    session->counters.dtls_after_keys +=
        session->state == RELOAD_MEDIA_SESSION_SECURE && !session->next;
    conclude(session, dtls, reload_media_dtls_receive(dtls, bytes, len, now), now);
}

static void take_early(struct reload_media_session *session, struct reload_time now)
{
    for (size_t i = 0; i < session->early_count; i++) {
        const struct reload_media_early *early = &session->early[i];
        if (early->source == session->source)
            hand_to_dtls(session, early->bytes, early->len, now);
        else
            session->counters.elsewhere++;
    }
    session->early_count = 0;
}

/* Begins an association once both the far end's parameters and a path to it are known. */
static void begin(struct reload_media_session *session, struct reload_time now)
{
    if (!session->has_remote || !session->has_path)
        return;
    struct reload_media_dtls **place = session->dtls ? &session->next : &session->dtls;
    reload_media_dtls_free(session->next);
    session->next = NULL;
    int error = reload_media_dtls_new(session->options.certificate, session->role,
                                      session->remote.fingerprint, session->ops, session->context,
                                      now, place);
    if (error != 0) {
        reload_media_session_fail(session, error, "");
        return;
    }
    session->give_up_ms = now.monotonic_ms + RELOAD_MEDIA_HANDSHAKE_MS;
    if (session->state == RELOAD_MEDIA_SESSION_NEW)
        reload_media_session_enter(session, RELOAD_MEDIA_SESSION_HANDSHAKE);
    take_early(session, now);
}

/* --- offer and answer --- */

void reload_media_session_apply_direction(struct reload_media_session *session)
{
    bool wanted = !session->has_remote || (session->remote.direction & RELOAD_MEDIA_RECVONLY);
    if (!session->call)
        return;
    reload_media_call_send(session->call, wanted && !session->held);
}

void reload_media_session_local(const struct reload_media_session *session, bool offer,
                                struct reload_media_parameters *out)
{
    const struct reload_media_stream_options *stream = &session->options.stream;
    bool active = session->role == RELOAD_MEDIA_DTLS_CLIENT;
    unsigned direction = session->held ? RELOAD_MEDIA_SENDONLY : RELOAD_MEDIA_SENDRECV;
    /* RFC 3264 s6.1: an answer sends and takes no more than the offer takes and sends. */
    if (!offer && session->has_remote) {
        unsigned theirs = session->remote.direction;
        direction &= (theirs & 1) << 1 | theirs >> 1;
    }
    *out = (struct reload_media_parameters){
        .setup = offer    ? RELOAD_MEDIA_ACTPASS
                 : active ? RELOAD_MEDIA_ACTIVE
                          : RELOAD_MEDIA_PASSIVE,
        .direction = direction,
        .payload_type = stream->payload_type,
        .dtmf_payload_type = stream->dtmf_payload_type,
    };
    reload_engine_srtp_fingerprint(session->options.certificate, out->fingerprint);
}

/* RFC 5763 s5, RFC 8842 s5: ours is the other role; where they leave it to us the one we have. */
static enum reload_media_dtls_role role_for(const struct reload_media_session *session,
                                            const struct reload_media_parameters *theirs)
{
    bool same = session->has_remote && memcmp(session->remote.fingerprint, theirs->fingerprint,
                                              sizeof theirs->fingerprint) == 0;
    if (theirs->setup == RELOAD_MEDIA_ACTIVE)
        return RELOAD_MEDIA_DTLS_SERVER;
    return theirs->setup == RELOAD_MEDIA_ACTPASS && same ? session->role : RELOAD_MEDIA_DTLS_CLIENT;
}

int reload_media_session_remote(struct reload_media_session *session,
                                const struct reload_media_parameters *theirs,
                                struct reload_time now)
{
    if (reload_media_session_over(session))
        return RELOAD_E_STATE;
    if (!reload_media_payload_types_valid(theirs->payload_type, theirs->dtmf_payload_type) ||
        theirs->setup > RELOAD_MEDIA_PASSIVE || theirs->direction > RELOAD_MEDIA_SENDRECV)
        return RELOAD_E_INVALID;
    enum reload_media_dtls_role role = role_for(session, theirs);
    bool fresh =
        !session->has_remote || role != session->role ||
        memcmp(session->remote.fingerprint, theirs->fingerprint, sizeof theirs->fingerprint) != 0;
    session->remote = *theirs;
    session->role = role;
    session->has_remote = true;
    reload_media_session_apply_direction(session);
    if (fresh)
        begin(session, now);
    if (session->call)
        return reload_media_call_negotiate(session->call, theirs->payload_type,
                                           theirs->dtmf_payload_type);
    return 0;
}

void reload_media_session_path(struct reload_media_session *session, uint64_t source,
                               struct reload_time now)
{
    bool first = !session->has_path;
    session->source = source;
    session->has_path = true;
    if (session->call)
        reload_media_call_move(session->call, source);
    if (first && !reload_media_session_over(session))
        begin(session, now);
}

/* --- datagrams --- */

static void keep_early(struct reload_media_session *session, uint64_t source, const uint8_t *bytes,
                       size_t len)
{
    if (session->early_count == RELOAD_MEDIA_EARLY_MAX || len > RELOAD_MEDIA_PACKET_MAX) {
        session->counters.early_dropped++;
        return;
    }
    struct reload_media_early *early = &session->early[session->early_count++];
    early->source = source;
    early->len = len;
    memcpy(early->bytes, bytes, len);
}

static void take_dtls(struct reload_media_session *session, uint64_t source, const uint8_t *bytes,
                      size_t len, struct reload_time now)
{
    if (!session->dtls)
        keep_early(session, source, bytes, len);
    else if (source != session->source)
        session->counters.elsewhere++;
    else
        hand_to_dtls(session, bytes, len, now);
}

static void take_rtp(struct reload_media_session *session, uint64_t source, const uint8_t *bytes,
                     size_t len)
{
    if (session->has_path && source != session->source)
        session->counters.elsewhere++;
    else if (session->state != RELOAD_MEDIA_SESSION_SECURE || !session->call)
        session->counters.unkeyed++;
    else
        (void)!reload_media_call_receive(session->call, source, bytes, len); /* it counts */
}

void reload_media_session_receive(struct reload_media_session *session, uint64_t source,
                                  const uint8_t *bytes, size_t len, struct reload_time now)
{
    /* RFC 7983 s7: the first byte tells. */
    if (reload_media_session_over(session))
        session->counters.after_end++;
    else if (len > 0 && bytes[0] >= 20 && bytes[0] <= 63)
        take_dtls(session, source, bytes, len, now);
    else if (len > 0 && bytes[0] >= 128 && bytes[0] <= 191)
        take_rtp(session, source, bytes, len);
    else if (len > 0 && bytes[0] <= 3)
        session->counters.stun++;
    else
        session->counters.other++;
}

/* --- time --- */

static bool shaking_hands(const struct reload_media_session *session)
{
    return !reload_media_session_over(session) &&
           (session->state == RELOAD_MEDIA_SESSION_HANDSHAKE || session->next);
}

/* When the far end has been silent for too long. */
static uint64_t silence_at(const struct reload_media_session *session)
{
    struct reload_media_call_status status;
    if (session->state != RELOAD_MEDIA_SESSION_SECURE || !session->call)
        return RELOAD_NEVER;
    reload_media_call_status(session->call, &status);
    uint64_t heard_ms = status.quality.heard_ms;
    return (heard_ms > session->secured_ms ? heard_ms : session->secured_ms) +
           (session->doubted ? RELOAD_MEDIA_DOUBT_MS : RELOAD_MEDIA_SILENCE_MS);
}

static uint64_t handshake_at(const struct reload_media_session *session, uint64_t now_ms)
{
    if (!shaking_hands(session))
        return RELOAD_NEVER;
    uint64_t due_ms =
        reload_media_dtls_deadline(session->next ? session->next : session->dtls, now_ms);
    return due_ms < session->give_up_ms ? due_ms : session->give_up_ms;
}

uint64_t reload_media_session_deadline(const struct reload_media_session *session, uint64_t now_ms)
{
    uint64_t handshake_ms = handshake_at(session, now_ms), silence_ms = silence_at(session);
    return handshake_ms < silence_ms ? handshake_ms : silence_ms;
}

void reload_media_session_tick(struct reload_media_session *session, struct reload_time now)
{
    if (now.monotonic_ms >= silence_at(session))
        reload_media_session_fail(session, RELOAD_E_TIMEOUT,
                                  "nothing is heard of the far end any more: its device or its "
                                  "network is gone");
    if (!shaking_hands(session))
        return;
    struct reload_media_dtls *dtls = session->next ? session->next : session->dtls;
    if (now.monotonic_ms >= session->give_up_ms)
        reload_media_session_fail(session, RELOAD_E_TIMEOUT, "no keys were agreed on in time");
    else
        conclude(session, dtls, reload_media_dtls_tick(dtls, now), now);
}
