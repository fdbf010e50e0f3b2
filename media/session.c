#include "media/session_internal.h"
#include "reload/alloc.h"
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char *reload_media_session_state_text(enum reload_media_session_state state)
{
    switch (state) {
    case RELOAD_MEDIA_SESSION_NEW: return "new";
    case RELOAD_MEDIA_SESSION_HANDSHAKE: return "handshake";
    case RELOAD_MEDIA_SESSION_SECURE: return "secure";
    case RELOAD_MEDIA_SESSION_FAILED: return "failed";
    case RELOAD_MEDIA_SESSION_ENDED: return "ended";
    }
    return "?";
}

bool reload_media_session_over(const struct reload_media_session *session)
{
    return session->state == RELOAD_MEDIA_SESSION_FAILED ||
           session->state == RELOAD_MEDIA_SESSION_ENDED;
}

/* The one place that assigns the state. Both ends are final. */
void reload_media_session_enter(struct reload_media_session *session,
                                enum reload_media_session_state state)
{
    if (!reload_media_session_over(session))
        session->state = state;
}

void reload_media_session_fail(struct reload_media_session *session, int error, const char *reason)
{
    if (reload_media_session_over(session))
        return;
    session->error = error;
    strncpy(session->reason, *reason ? reason : reload_error_text(error),
            sizeof session->reason - 1);
    reload_media_session_enter(session, RELOAD_MEDIA_SESSION_FAILED);
    if (session->call)
        reload_media_call_stop(session->call);
}

/* --- life --- */

/* RFC 7022 s4.2: a name of 96 random bits, new for each call, tells nobody who speaks. */
static void draw_cname(struct reload_media_session *session)
{
    const struct reload_random *random = &session->options.stream.random;
    for (int i = 0; i < 3; i++)
        snprintf(session->cname + 8 * i, 9, "%08x", (unsigned)reload_random_u64(random));
}

static int copy_options(struct reload_media_session *session,
                        const struct reload_media_session_options *options)
{
    const struct reload_media_stream_options *stream = &options->stream;
    size_t cname_len = stream->cname ? strlen(stream->cname) : 0;
    if (cname_len > RELOAD_MEDIA_CNAME_MAX || !options->certificate || !options->device ||
        !stream->random.fill ||
        !reload_media_payload_types_valid(stream->payload_type, stream->dtmf_payload_type))
        return RELOAD_E_INVALID;
    session->options = *options;
    if (stream->cname)
        memcpy(session->cname, stream->cname, cname_len);
    else
        draw_cname(session);
    session->options.stream.cname = session->cname;
    session->device = reload_strndup(options->device, strlen(options->device));
    if (options->recording)
        session->recording = reload_strndup(options->recording, strlen(options->recording));
    if (!session->device || (options->recording && !session->recording))
        return RELOAD_E_NOMEM;
    return 0;
}

int reload_media_session_new(const struct reload_media_session_options *options,
                             const struct reload_media_transport_ops *ops, void *context,
                             struct reload_media_session **out)
{
    *out = NULL;
    struct reload_media_session *session = reload_calloc(1, sizeof *session);
    if (!session)
        return RELOAD_E_NOMEM;
    session->ops = ops;
    session->context = context;
    session->wake = -1;
    int error = copy_options(session, options);
    if (error == 0) {
        session->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        error = session->wake < 0 ? RELOAD_E_IO : 0;
    }
    if (error != 0) {
        reload_media_session_free(session);
        return error;
    }
    *out = session;
    return 0;
}

void reload_media_session_free(struct reload_media_session *session)
{
    if (!session)
        return;
    reload_media_call_free(session->call);
    reload_media_dtls_free(session->next);
    reload_media_dtls_free(session->dtls);
    if (session->wake >= 0)
        close(session->wake);
    reload_free(session->device);
    reload_free(session->recording);
    reload_free(session);
}

/* --- audio --- */

int reload_media_session_start(struct reload_media_session *session)
{
    if (session->call || reload_media_session_over(session))
        return RELOAD_E_STATE;
    struct reload_media_call_options options = { session->options.stream, session->device,
                                                 session->recording, session->wake };
    options.stream.source = session->source;
    int error = reload_media_call_start(&options, session->ops, session->context, &session->call);
    if (error == 0 && session->has_remote)
        error = reload_media_call_negotiate(session->call, session->remote.payload_type,
                                            session->remote.dtmf_payload_type);
    reload_media_session_apply_direction(session);
    if (error == 0 && session->state == RELOAD_MEDIA_SESSION_SECURE)
        error = reload_media_session_pass_keys(session);
    return error;
}

void reload_media_session_stop(struct reload_media_session *session)
{
    if (session->call)
        reload_media_call_stop(session->call);
    else
        reload_media_session_enter(session, RELOAD_MEDIA_SESSION_ENDED);
}

void reload_media_session_doubt(struct reload_media_session *session)
{
    session->doubted = true;
}

void reload_media_session_hold(struct reload_media_session *session, bool on)
{
    session->held = on;
    reload_media_session_apply_direction(session);
}

int reload_media_session_press(struct reload_media_session *session, char key)
{
    if (!session->call || reload_media_session_over(session))
        return RELOAD_E_STATE;
    if (!key || !strchr("0123456789*#ABCDabcd", key))
        return RELOAD_E_INVALID;
    return reload_media_call_press(session->call, key);
}

/* --- time and events --- */

int reload_media_session_descriptor(const struct reload_media_session *session)
{
    return session->wake;
}

/* What the media thread says about the end. */
static void look_at_call(struct reload_media_session *session,
                         struct reload_media_call_status *status)
{
    *status = (struct reload_media_call_status){ 0 };
    if (!session->call)
        return;
    reload_media_call_status(session->call, status);
    if (status->ended && status->error != 0)
        reload_media_session_fail(session, status->error, status->reason ? status->reason : "");
    else if (status->ended)
        reload_media_session_enter(session, RELOAD_MEDIA_SESSION_ENDED);
}

/* Sets *flag; true the first time that `happened`. */
static bool once(bool *flag, bool happened)
{
    bool first = happened && !*flag;
    *flag |= happened;
    return first;
}

bool reload_media_session_next(struct reload_media_session *session, struct reload_media_event *out)
{
    eventfd_t ignored;
    struct reload_media_call_status status;
    (void)eventfd_read(session->wake, &ignored); /* before looking: later news wake anew */
    look_at_call(session, &status);
    *out = (struct reload_media_event){ .state = session->state, .reason = "" };
    if (session->told != session->state && !reload_media_session_over(session)) {
        session->told = session->state;
        out->type = RELOAD_MEDIA_EVENT_STATE;
    } else if (once(&session->audio_told, status.counters.frames_played > 0)) {
        out->type = RELOAD_MEDIA_EVENT_AUDIO;
    } else if (session->call && (out->key = reload_media_call_heard(session->call)) != 0) {
        out->type = RELOAD_MEDIA_EVENT_KEY;
    } else if (once(&session->bye_told, status.quality.remote_bye)) {
        out->type = RELOAD_MEDIA_EVENT_BYE;
    } else if (once(&session->recording_told, status.recording_failed)) {
        out->type = RELOAD_MEDIA_EVENT_RECORDING;
    } else if (session->told != session->state) {
        session->told = session->state;
        out->type = RELOAD_MEDIA_EVENT_STATE;
        out->error = session->error;
        out->reason = session->reason;
    } else {
        return false;
    }
    return true;
}

void reload_media_session_status(const struct reload_media_session *session,
                                 struct reload_media_session_status *out)
{
    *out = (struct reload_media_session_status){ .state = session->state,
                                                 .profile = session->profile,
                                                 .counters = session->counters };
    if (session->call)
        reload_media_call_status(session->call, &out->call);
    out->closed = reload_media_session_over(session) && (!session->call || out->call.ended);
}
