#include "peer/phone_call.h"

#include <unistd.h>

#include "media/device.h"
#include "peer/phone_internal.h"
#include "usage-sip/aor.h"

#define LEAVING 480

/* What a call waits to do until its media know where they are. */
enum wish { WISH_NOTHING, WISH_CALL, WISH_ANSWER, WISH_MOVE, WISH_FOLLOW };

struct reload_phone_call {
    struct reload_phone *phone;
    uint32_t number;
    uint32_t id; /* the agent's; 0: not its yet, or no more */
    bool incoming;
    char *user, *display;
    enum reload_sip_call_state state;
    int status;
    char *reason;
    struct reload_phone_outcome outcome;
    bool ours, rang; /* as in struct reload_phone_end */
    enum wish wish;
    struct reload_phone_media *media;
    struct reload_sip_media offer; /* incoming: what the caller's numbers are */
    bool has_offer;
    bool held, send, receive;
    gint64 began_us; /* dialled, or taken */
    double signalling_ms, setup_ms;
    bool sip_over, media_over;
};

static void tell(struct reload_phone_call *call, const struct reload_phone_call_event *event)
{
    struct reload_phone *phone = call->phone;
    struct reload_phone_call_event copy = *event;
    copy.call = call->number;
    if (phone->events.call)
        phone->events.call(phone->events_context, &copy);
}

static void tell_type(struct reload_phone_call *call, enum reload_phone_call_event_type type)
{
    tell(call, &(struct reload_phone_call_event){ .type = type });
}

static struct reload_phone_call *find(const struct reload_phone *phone, uint32_t number)
{
    return g_hash_table_lookup(phone->calls, GUINT_TO_POINTER(number));
}

static gboolean has_id(gpointer number, gpointer call, gpointer id)
{
    (void)number;
    return ((const struct reload_phone_call *)call)->id == GPOINTER_TO_UINT(id);
}

static struct reload_phone_call *of_agent(const struct reload_phone *phone, uint32_t id)
{
    return g_hash_table_find(phone->calls, has_id, GUINT_TO_POINTER(id));
}

static void call_free(gpointer data)
{
    struct reload_phone_call *call = data;
    reload_phone_media_free(call->media);
    g_free(call->user);
    g_free(call->display);
    g_free(call->reason);
    g_free(call);
}

static double since_ms(const struct reload_phone_call *call)
{
    return (double)(g_get_monotonic_time() - call->began_us) / 1000;
}

/* --- the end --- */

/* Once both SIP and media are through with it. */
static void finish(struct reload_phone_call *call)
{
    if (!call->sip_over || !call->media_over)
        return;
    call->state = RELOAD_SIP_ENDED;
    tell_type(call, RELOAD_PHONE_CALL_STATE);
    g_hash_table_remove(call->phone->calls, GUINT_TO_POINTER(call->number));
}

/* Of an end that the far end has made. */
static const char *reason_of(const struct reload_phone_call *call, int status)
{
    struct reload_phone_media_status media;
    bool talked = call->state == RELOAD_SIP_ESTABLISHED || call->state == RELOAD_SIP_ACCEPTED;
    reload_phone_media_status(call->media, &media);
    if (!talked || media.session.profile)
        return NULL;
    return status == 200 ? "the far end hung up before there was a path for media"
                         : "the far end has given up: it has no path for media, or no use for ours";
}

static void explain(struct reload_phone_call *call, int status, int cause)
{
    const struct reload_phone_end end = {
        .status = status,
        .cause = cause,
        .incoming = call->incoming,
        .ours = call->ours,
        .found = call->state != RELOAD_SIP_FINDING,
        .rang = call->rang,
        .talked = call->signalling_ms > 0,
    };
    if (!call->reason)
        call->reason = g_strdup(reason_of(call, status));
    if (call->reason)
        call->outcome = (struct reload_phone_outcome){ "media_failed", call->reason };
    else
        call->outcome = reload_phone_outcome(&end);
}

/* SIP is through with it: what remains is to close device and recording. */
static void end(struct reload_phone_call *call, int status, int cause)
{
    explain(call, status, cause);
    call->id = 0;
    call->status = status;
    call->wish = WISH_NOTHING;
    call->sip_over = true;
    reload_phone_media_stop(call->media);
    finish(call);
}

static void media_ended(void *context)
{
    struct reload_phone_call *call = context;
    call->media_over = true;
    finish(call);
}

static void give_up(struct reload_phone_call *call, int status, const char *reason)
{
    struct reload_phone *phone = call->phone;
    if (!call->reason)
        call->reason = g_strdup(reason);
    if (call->id)
        (void)!reload_sip_agent_abandon(phone->agent, call->id, status, reload_overlay_now());
    reload_phone_settle(phone);
}

/* --- once the media know where they are --- */

static int fulfil(struct reload_phone_call *call, enum wish wish)
{
    struct reload_sip_agent *agent = call->phone->agent;
    const struct reload_time now = reload_overlay_now();
    struct reload_sip_media local;
    reload_phone_media_describe(call->media, &local);
    switch (wish) {
    case WISH_CALL: return reload_sip_agent_offer(agent, call->id, &local, now);
    case WISH_ANSWER: return reload_sip_agent_answer(agent, call->id, &local, now);
    case WISH_MOVE: return reload_sip_agent_move(agent, call->id, &local, now);
    case WISH_FOLLOW: return reload_sip_agent_follow(agent, call->id, &local, now);
    case WISH_NOTHING: break;
    }
    return 0;
}

static void proceed(struct reload_phone_call *call)
{
    enum wish wish = call->wish;
    if (wish == WISH_NOTHING || !call->media || !reload_phone_media_is_ready(call->media))
        return;
    call->wish = WISH_NOTHING;
    int error = fulfil(call, wish);
    if (error == 0)
        reload_phone_settle(call->phone);
    else if (wish == WISH_MOVE)
        tell(call,
             &(struct reload_phone_call_event){ .type = RELOAD_PHONE_CALL_REFUSED, .status = 500 });
    else
        give_up(call, 500, reload_error_text(error));
}

static void media_ready(void *context)
{
    proceed(context);
}

static void media_failed(void *context, const char *reason)
{
    give_up(context, 488, reason);
}

static void media_event(void *context, const struct reload_media_event *event)
{
    struct reload_phone_call *call = context;
    if (event->type == RELOAD_MEDIA_EVENT_AUDIO) {
        call->setup_ms = since_ms(call);
        tell_type(call, RELOAD_PHONE_CALL_AUDIO);
    } else if (event->type == RELOAD_MEDIA_EVENT_KEY) {
        tell(call,
             &(struct reload_phone_call_event){ .type = RELOAD_PHONE_CALL_KEY, .key = event->key });
    } else if (event->type == RELOAD_MEDIA_EVENT_RECORDING) {
        tell_type(call, RELOAD_PHONE_CALL_RECORDING);
    } else if (event->type == RELOAD_MEDIA_EVENT_STATE) {
        tell_type(call, RELOAD_PHONE_CALL_MEDIA);
    }
}

static const struct reload_phone_media_events media_events = {
    .ready = media_ready,
    .event = media_event,
    .failed = media_failed,
    .ended = media_ended,
};

static int add(struct reload_phone *phone, bool controlling, struct reload_phone_call **out)
{
    struct reload_phone_call *call = g_new0(struct reload_phone_call, 1);
    call->phone = phone;
    call->outcome = (struct reload_phone_outcome){ "", "" };
    call->number = ++phone->last_call;
    g_hash_table_insert(phone->calls, GUINT_TO_POINTER(call->number), call);
    int error =
        reload_phone_media_new(phone->studio, controlling, &media_events, call, &call->media);
    if (error != 0)
        g_hash_table_remove(phone->calls, GUINT_TO_POINTER(call->number));
    else
        *out = call;
    return error;
}

/* --- what the user wants --- */

static int check_audio(const struct reload_phone_audio *audio)
{
    if (reload_media_device_check(audio->device) != 0)
        return RELOAD_E_INVALID;
    return audio->recording && access(audio->recording, F_OK) == 0 ? RELOAD_E_FORBIDDEN : 0;
}

int reload_phone_call(struct reload_phone *phone, const char *to,
                      const struct reload_phone_audio *audio, uint32_t *number)
{
    struct reload_phone_call *call;
    struct reload_sip_aor aor;
    int error = check_audio(audio);
    if (reload_sip_aor_read(reload_slice_of(to, strlen(to)), &aor) != 0)
        error = RELOAD_E_INVALID;
    if (error == 0)
        error = add(phone, true, &call);
    if (error != 0)
        return error;
    *number = call->number;
    call->user = g_strdup(to);
    call->began_us = g_get_monotonic_time();
    error = reload_phone_media_equip(call->media, audio->device, audio->recording, NULL);
    if (error == 0) /* they are found while the media gather */
        error = reload_sip_agent_call(phone->agent, to, NULL, reload_overlay_now(), &call->id);
    if (error != 0) {
        g_hash_table_remove(phone->calls, GUINT_TO_POINTER(call->number));
        return error;
    }
    call->wish = WISH_CALL;
    proceed(call);
    reload_phone_settle(phone);
    return 0;
}

int reload_phone_answer(struct reload_phone *phone, uint32_t number,
                        const struct reload_phone_audio *audio)
{
    struct reload_phone_call *call = find(phone, number);
    if (!call)
        return RELOAD_E_NOT_FOUND;
    if (call->state != RELOAD_SIP_OFFERED || call->wish != WISH_NOTHING)
        return RELOAD_E_STATE;
    int error = check_audio(audio);
    if (error == 0)
        error = reload_phone_media_equip(call->media, audio->device, audio->recording,
                                         call->has_offer ? &call->offer : NULL);
    if (error != 0)
        return error;
    call->began_us = g_get_monotonic_time();
    call->wish = WISH_ANSWER;
    proceed(call);
    return 0;
}

int reload_phone_answer_all(struct reload_phone *phone, const char *device)
{
    if (device && reload_media_device_check(device) != 0)
        return RELOAD_E_INVALID;
    g_free(phone->answering);
    phone->answering = g_strdup(device);
    return 0;
}

void reload_phone_set_ring(struct reload_phone *phone, unsigned seconds)
{
    reload_sip_agent_set_ring(phone->agent, seconds);
}

int reload_phone_decline(struct reload_phone *phone, uint32_t number, int status)
{
    struct reload_phone_call *call = find(phone, number);
    if (!call || !call->id)
        return RELOAD_E_NOT_FOUND;
    int error = reload_sip_agent_decline(phone->agent, call->id, status, reload_overlay_now());
    call->ours = error == 0;
    reload_phone_settle(phone);
    return error;
}

static void hang_up(struct reload_phone_call *call)
{
    struct reload_phone *phone = call->phone;
    call->ours = true;
    if (call->id)
        (void)!reload_sip_agent_hangup(phone->agent, call->id, reload_overlay_now());
    reload_phone_settle(phone);
}

/* Whoever leaves is not busy: other devices of the user ring on, or the caller hears why. */
static void let_go(struct reload_phone_call *call)
{
    if (call->state != RELOAD_SIP_OFFERED ||
        reload_phone_decline(call->phone, call->number, LEAVING) != 0)
        hang_up(call);
}

int reload_phone_hangup(struct reload_phone *phone, uint32_t number)
{
    struct reload_phone_call *call = find(phone, number);
    if (!call)
        return RELOAD_E_NOT_FOUND;
    hang_up(call);
    return 0;
}

void reload_phone_hangup_all(struct reload_phone *phone)
{
    GList *calls = g_hash_table_get_values(phone->calls);
    for (GList *at = calls; at; at = at->next)
        let_go(at->data);
    g_list_free(calls);
}

int reload_phone_hold(struct reload_phone *phone, uint32_t number, bool on)
{
    struct reload_phone_call *call = find(phone, number);
    if (!call)
        return RELOAD_E_NOT_FOUND;
    int error = call->id ? reload_sip_agent_hold(phone->agent, call->id, on, reload_overlay_now())
                         : RELOAD_E_STATE;
    if (error != 0)
        return error;
    call->held = on;
    if (on)
        reload_phone_media_hold(call->media, true);
    reload_phone_settle(phone);
    return 0;
}

int reload_phone_move(struct reload_phone *phone, uint32_t number)
{
    struct reload_phone_call *call = find(phone, number);
    if (!call)
        return RELOAD_E_NOT_FOUND;
    if (call->state != RELOAD_SIP_ESTABLISHED || call->wish != WISH_NOTHING)
        return RELOAD_E_STATE;
    int error = reload_phone_media_renew(call->media, true);
    if (error != 0)
        return error;
    call->wish = WISH_MOVE;
    proceed(call);
    return 0;
}

int reload_phone_press(struct reload_phone *phone, uint32_t number, char key)
{
    const struct reload_phone_call *call = find(phone, number);
    return call ? reload_phone_media_press(call->media, key) : RELOAD_E_NOT_FOUND;
}

/* --- what the agent tells --- */

static void refuse(struct reload_phone *phone, uint32_t id, int status)
{
    (void)!reload_sip_agent_decline(phone->agent, id, status, reload_overlay_now());
}

static void incoming(struct reload_phone *phone, const struct reload_sip_action *action)
{
    struct reload_phone_call *call;
    if (add(phone, !action->media, &call) != 0) {
        refuse(phone, action->id, 500);
        return;
    }
    call->id = action->id;
    call->incoming = true;
    call->state = RELOAD_SIP_OFFERED;
    call->user = g_strdup(action->user);
    call->display = g_strdup(action->display);
    call->has_offer = action->media != NULL;
    if (action->media)
        call->offer = *action->media;
}

static void answer_by_itself(struct reload_phone_call *call)
{
    const struct reload_phone_audio audio = { .device = call->phone->answering };
    if (audio.device && reload_phone_answer(call->phone, call->number, &audio) != 0)
        give_up(call, 500, "the device cannot be had");
}

static void state_changed(struct reload_phone_call *call, const struct reload_sip_action *action)
{
    if (action->state == RELOAD_SIP_ENDED) {
        end(call, action->status, action->cause);
        return;
    }
    call->state = action->state;
    call->rang = call->rang || action->state == RELOAD_SIP_RINGING;
    if (action->state == RELOAD_SIP_ESTABLISHED) {
        call->signalling_ms = since_ms(call);
        g_free(call->user);
        call->user = g_strdup(action->user);
    }
    tell_type(call, RELOAD_PHONE_CALL_STATE);
    if (action->state == RELOAD_SIP_CANCELLING || action->state == RELOAD_SIP_CLOSING)
        reload_phone_media_stop(call->media); /* whatever the far end answers, or when */
    if (action->state == RELOAD_SIP_OFFERED)
        answer_by_itself(call);
}

static void media_agreed(struct reload_phone_call *call, const struct reload_sip_action *action)
{
    const struct reload_sip_media far = *action->media; /* what follows may ask the agent */
    call->send = action->send;
    call->receive = action->receive;
    reload_phone_media_hold(call->media, call->held);
    int error = reload_phone_media_agreed(call->media, &far, action->dtls_client);
    if (error != 0)
        give_up(call, 488,
                error == RELOAD_E_UNSUPPORTED
                    ? "the far end speaks no ICE, or has a fingerprint of another kind"
                    : reload_error_text(error));
    else
        tell_type(call, RELOAD_PHONE_CALL_MEDIA);
}

/* The far end is elsewhere: with new ICE credentials, so are we. */
static void moved(struct reload_phone_call *call, const struct reload_sip_action *action)
{
    bool restart = reload_phone_media_restarts(call->media, action->media);
    if (restart && reload_phone_media_renew(call->media, false) != 0) {
        (void)!reload_sip_agent_follow(call->phone->agent, call->id, NULL, reload_overlay_now());
        return;
    }
    call->wish = WISH_FOLLOW;
    proceed(call);
}

static void change_refused(struct reload_phone_call *call, int status)
{
    call->held = false;
    reload_phone_media_hold(call->media, false);
    tell(call,
         &(struct reload_phone_call_event){ .type = RELOAD_PHONE_CALL_REFUSED, .status = status });
}

void reload_phone_call_act(struct reload_phone *phone, const struct reload_sip_action *action)
{
    if (action->type == RELOAD_SIP_ACTION_CALL_INCOMING) {
        incoming(phone, action);
        return;
    }
    struct reload_phone_call *call = of_agent(phone, action->id);
    if (!call) /* refused before it was one */
        return;
    switch (action->type) {
    case RELOAD_SIP_ACTION_CALL_STATE: state_changed(call, action); break;
    case RELOAD_SIP_ACTION_CALL_MEDIA: media_agreed(call, action); break;
    case RELOAD_SIP_ACTION_CALL_MOVED: moved(call, action); break;
    case RELOAD_SIP_ACTION_CALL_CHANGE: change_refused(call, action->status); break;
    case RELOAD_SIP_ACTION_CALL_CUT: reload_phone_media_doubt(call->media); break;
    default: break;
    }
}

/* --- life, and looking in --- */

int reload_phone_calls_init(struct reload_phone *phone)
{
    phone->calls = g_hash_table_new_full(NULL, NULL, NULL, call_free);
    return reload_phone_studio_new(phone->overlay, phone->context, phone->log, &phone->studio);
}

void reload_phone_calls_fini(struct reload_phone *phone)
{
    if (phone->calls)
        g_hash_table_unref(phone->calls);
    reload_phone_studio_free(phone->studio);
    g_free(phone->answering);
}

static void describe(const struct reload_phone_call *call, struct reload_phone_call_info *out)
{
    *out = (struct reload_phone_call_info){
        .call = call->number,
        .incoming = call->incoming,
        .user = call->user,
        .display = call->display ? call->display : "",
        .state = call->state,
        .status = call->status,
        .reason = call->reason ? call->reason : "",
        .outcome = call->outcome,
        .held = call->held,
        .send = call->send,
        .receive = call->receive,
        .signalling_ms = call->signalling_ms,
        .setup_ms = call->setup_ms,
    };
    reload_phone_media_status(call->media, &out->media);
}

void reload_phone_calls(const struct reload_phone *phone,
                        void (*each)(void *context, const struct reload_phone_call_info *info),
                        void *context)
{
    GHashTableIter iter;
    gpointer call;
    struct reload_phone_call_info info;
    g_hash_table_iter_init(&iter, phone->calls);
    while (g_hash_table_iter_next(&iter, NULL, &call)) {
        describe(call, &info);
        each(context, &info);
    }
}

int reload_phone_call_info(const struct reload_phone *phone, uint32_t number,
                           struct reload_phone_call_info *out)
{
    const struct reload_phone_call *call = find(phone, number);
    if (!call)
        return RELOAD_E_NOT_FOUND;
    describe(call, out);
    return 0;
}

uint32_t reload_phone_ringing(const struct reload_phone *phone)
{
    GHashTableIter iter;
    gpointer value;
    uint32_t found = 0;
    g_hash_table_iter_init(&iter, phone->calls);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct reload_phone_call *call = value;
        if (call->state != RELOAD_SIP_OFFERED || call->wish != WISH_NOTHING)
            continue;
        if (found)
            return 0;
        found = call->number;
    }
    return found;
}
