#include "peer/control_internal.h"
#include "peer/json.h"
#include "peer/phone_call.h"

/* How a call looks as JSON: to sip_calls, and in its events. */

static const char *profile_name(enum reload_media_srtp_profile profile)
{
    switch (profile) {
    case RELOAD_MEDIA_AES128_CM_HMAC_SHA1_80: return "AES128_CM_HMAC_SHA1_80";
    case RELOAD_MEDIA_AEAD_AES_128_GCM: return "AEAD_AES_128_GCM";
    case RELOAD_MEDIA_AEAD_AES_256_GCM: return "AEAD_AES_256_GCM";
    }
    return NULL;
}

static json_t *quality_object(const struct reload_media_call_status *call)
{
    const struct reload_media_quality *q = &call->quality;
    return json_pack("{s:f,s:f,s:f,s:f,s:i,s:i,s:i,s:f,s:f}", "loss", q->loss, "remote_loss",
                     q->remote_loss, "jitter_ms", q->jitter_ms, "round_trip_ms", q->round_trip_ms,
                     "playout_ms", (int)q->playout_ms, "voice_ms", (int)q->voice_ms, "bitrate_bps",
                     (int)q->bitrate_bps, "said_dbov", q->said_dbov, "heard_dbov", q->heard_dbov);
}

static json_t *counters_object(const struct reload_media_session_status *session)
{
    const struct reload_media_counters *c = &session->call.counters;
    const struct reload_media_session_counters *s = &session->counters;
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "rtp_sent",
                     (json_int_t)c->rtp_sent, "rtp_received", (json_int_t)c->rtp_received,
                     "frames_played", (json_int_t)c->frames_played, "frames_recovered",
                     (json_int_t)c->frames_recovered, "frames_concealed",
                     (json_int_t)c->frames_concealed, "frames_skipped",
                     (json_int_t)c->frames_skipped, "late", (json_int_t)c->late, "unauthentic",
                     (json_int_t)c->unauthentic, "replayed", (json_int_t)c->replayed, "elsewhere",
                     (json_int_t)c->elsewhere + (json_int_t)s->elsewhere, "unkeyed",
                     (json_int_t)c->unkeyed + (json_int_t)s->unkeyed, "stun", (json_int_t)s->stun,
                     "malformed", (json_int_t)c->malformed + (json_int_t)s->other, "late_blocks",
                     (json_int_t)session->call.late_blocks);
}

static json_t *pair_object(const struct reload_ice_pair *pair)
{
    char local[RELOAD_LINK_ADDRESS_TEXT], remote[RELOAD_LINK_ADDRESS_TEXT];
    return json_pack("{s:s,s:s,s:s,s:s,s:b}", "local_type",
                     reload_ice_pair_type_text(pair->local_type), "remote_type",
                     reload_ice_pair_type_text(pair->remote_type), "local",
                     reload_link_address_text(&pair->local, local), "remote",
                     reload_link_address_text(&pair->remote, remote), "relayed", pair->relayed);
}

static void add_media(json_t *object, const struct reload_phone_media_status *media)
{
    const struct reload_media_session_status *session = &media->session;
    json_object_set_new(object, "media",
                        json_string(reload_media_session_state_text(session->state)));
    json_object_set_new(object, "quality", quality_object(&session->call));
    json_object_set_new(object, "counters", counters_object(session));
    if (session->profile)
        json_object_set_new(object, "srtp", json_string(profile_name(session->profile)));
    if (media->by_ice)
        json_object_set_new(object, "ice", pair_object(&media->pair));
}

json_t *reload_control_call_object(const struct reload_phone_call_info *info)
{
    json_t *object = json_pack("{s:I,s:s,s:s?,s:s,s:b,s:b,s:b}", "call", (json_int_t)info->call,
                               "direction", info->incoming ? "in" : "out", "with", info->user,
                               "state", reload_sip_call_state_text(info->state), "held", info->held,
                               "send", info->send, "receive", info->receive);
    if (info->display[0])
        json_object_set_new(
            object, "display",
            reload_json_text(reload_slice_of(info->display, strlen(info->display))));
    if (info->reason[0])
        json_object_set_new(object, "reason", json_string(info->reason));
    if (info->state == RELOAD_SIP_ENDED) {
        json_object_set_new(object, "status", json_integer(info->status));
        json_object_set_new(object, "cause", json_string(info->outcome.cause));
        json_object_set_new(object, "reason", json_string(info->outcome.text));
    }
    if (info->signalling_ms > 0)
        json_object_set_new(object, "signalling_ms", json_real(info->signalling_ms));
    if (info->setup_ms > 0)
        json_object_set_new(object, "setup_ms", json_real(info->setup_ms));
    add_media(object, &info->media);
    return object;
}

static const char *event_name(enum reload_phone_call_event_type type)
{
    switch (type) {
    case RELOAD_PHONE_CALL_STATE: return "call";
    case RELOAD_PHONE_CALL_MEDIA: return "call_media";
    case RELOAD_PHONE_CALL_AUDIO: return "call_audio";
    case RELOAD_PHONE_CALL_KEY: return "call_key";
    case RELOAD_PHONE_CALL_RECORDING: return "call_recording";
    case RELOAD_PHONE_CALL_REFUSED: return "call_refused";
    }
    return "?";
}

void reload_control_call_event(void *context, const struct reload_phone_call_event *event)
{
    struct reload_control *control = context;
    struct reload_phone_call_info info;
    if (reload_phone_call_info(reload_control_phone(control), event->call, &info) != 0)
        return;
    json_t *object = reload_control_call_object(&info);
    json_object_set_new(object, "event", json_string(event_name(event->type)));
    if (event->type == RELOAD_PHONE_CALL_KEY)
        json_object_set_new(object, "key", json_stringn(&event->key, 1));
    if (event->type == RELOAD_PHONE_CALL_RECORDING)
        json_object_set_new(object, "reason",
                            json_string("the recording cannot be written any more: is the disk "
                                        "full? The call goes on without it"));
    if (event->type == RELOAD_PHONE_CALL_REFUSED)
        json_object_set_new(object, "status", json_integer(event->status));
    reload_control_publish(control, object);
}
