#include "usage-sip/internal.h"

#include <osipparser2/osip_body.h>

/* Offer and answer of one call (RFC 3264, RFC 5763 s5, RFC 8839 s4). */

int reload_sip_session_read(const osip_message_t *message, struct reload_sip_sdp *out)
{
    const osip_body_t *body = osip_list_get(&message->bodies, 0);
    const osip_content_type_t *type = message->content_type;
    *out = (struct reload_sip_sdp){ 0 };
    if (!body || body->length == 0)
        return RELOAD_E_NOT_FOUND;
    if (!type || !type->type || !type->subtype || osip_strcasecmp(type->type, "application") != 0 ||
        osip_strcasecmp(type->subtype, "sdp") != 0)
        return RELOAD_E_INVALID;
    return reload_sip_sdp_read(body->body, body->length, out);
}

static enum reload_sip_direction wish(bool hold)
{
    return hold ? RELOAD_SIP_SENDONLY : RELOAD_SIP_SENDRECV;
}

/* RFC 3264 s8.4: who does not hear the far end already, holds with inactive. */
static enum reload_sip_direction offer_direction(const struct reload_sip_call *call, bool hold)
{
    bool held = call->has_remote && !(call->remote.media.direction & RELOAD_SIP_RECVONLY);
    return hold && held ? RELOAD_SIP_INACTIVE : wish(hold);
}

static bool is_negotiated(const struct reload_sip_call *call)
{
    return call->has_local && call->has_remote;
}

int reload_sip_session_offer(struct reload_sip_call *call, struct reload_sip_media *local,
                             bool hold, char **out)
{
    /* RFC 5763 s5: an offer leaves the choice; RFC 3264 s8: numbers stay as they were. */
    local->setup = RELOAD_SIP_ACTPASS;
    local->direction = offer_direction(call, hold);
    local->opus_payload = is_negotiated(call) ? call->local.opus_payload : local->opus_payload;
    local->event_payload = is_negotiated(call) ? call->local.event_payload : local->event_payload;
    if (!local->opus_payload)
        local->opus_payload = 111;
    if (!local->event_payload && !is_negotiated(call))
        local->event_payload = 101;
    call->origin.version++;
    return reload_sip_sdp_write(local, call->has_remote ? &call->remote : NULL, &call->origin, out);
}

/* RFC 5763 s5, RFC 8842: as long as neither end's keys or path change, roles stay. */
static enum reload_sip_setup answer_setup(const struct reload_sip_call *call)
{
    enum reload_sip_setup offer = call->remote.media.setup;
    if (call->has_local && call->local.setup != RELOAD_SIP_ACTPASS && offer == RELOAD_SIP_ACTPASS)
        return call->local.setup;
    return reload_sip_setup_answer(offer);
}

int reload_sip_session_answer(struct reload_sip_call *call, const struct reload_sip_media *media,
                              char **out)
{
    struct reload_sip_media local = *media;
    local.setup = answer_setup(call);
    local.direction = reload_sip_direction_answer(call->remote.media.direction, wish(call->hold));
    local.opus_payload = call->remote.media.opus_payload;
    local.event_payload = call->remote.media.event_payload;
    call->origin.version++;
    int error = reload_sip_sdp_write(&local, &call->remote, &call->origin, out);
    if (error != 0)
        return error;
    call->local = local;
    call->has_local = true;
    return 0;
}

int reload_sip_session_answered(struct reload_sip_call *call, const struct reload_sip_media *local,
                                const osip_message_t *message)
{
    struct reload_sip_sdp answer;
    size_t streams = call->has_remote ? call->remote.stream_count : 1;
    int error = reload_sip_session_read(message, &answer);
    if (error == 0)
        error = reload_sip_answer_check(local, streams, &answer);
    if (error != 0)
        return error;
    call->local = *local;
    call->local.event_payload = answer.media.event_payload;
    call->local.setup =
        answer.media.setup == RELOAD_SIP_ACTIVE ? RELOAD_SIP_PASSIVE : RELOAD_SIP_ACTIVE;
    call->remote = answer;
    call->has_local = true;
    call->has_remote = true;
    return 0;
}

void reload_sip_session_tell(struct reload_sip_agent *agent, const struct reload_sip_call *call)
{
    const struct reload_sip_media *local = &call->local, *remote = &call->remote.media;
    struct reload_sip_action *action = reload_sip_act_media(
        agent, RELOAD_SIP_ACTION_CALL_MEDIA, call->number, remote, call->far_user.text, NULL);
    if (!action)
        return;
    action->dtls_client = local->setup == RELOAD_SIP_ACTIVE;
    action->ice_controlling = call->controlling;
    action->send =
        (local->direction & RELOAD_SIP_SENDONLY) && (remote->direction & RELOAD_SIP_RECVONLY);
    action->receive =
        (local->direction & RELOAD_SIP_RECVONLY) && (remote->direction & RELOAD_SIP_SENDONLY);
    action->opus_payload = local->opus_payload;
    action->event_payload = local->event_payload;
}
