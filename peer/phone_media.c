#include "peer/phone_media.h"

#include <glib-unix.h>
#include <string.h>

#include "media/device.h"
#include "peer/loop_timer.h"

#define FAREWELL_MS                                                                                \
    1000 /* for the far end's answer to ours, and for the recording to be closed                   \
          */

struct reload_phone_studio {
    struct reload_overlay *overlay;
    GMainContext *context;
    struct reload_phone_paths *paths;
    struct reload_engine_srtp *certificate;
};

struct reload_phone_media {
    struct reload_phone_studio *studio;
    const struct reload_phone_media_events *events;
    void *context;
    struct reload_phone_path *path, *next; /* in use; to be, when an end has moved */
    struct reload_media_session *session;
    bool waits_for_keys; /* the device is opened when there are keys, or at once */
    bool stopped, over;
    GMutex lock; /* of what follows: the media thread sends over it */
    struct reload_phone_path *open;
    GSource *news, *timer;
};

/* --- datagrams out, on any thread --- */

static int send_datagram(void *context, const uint8_t *bytes, size_t len)
{
    struct reload_phone_media *media = context;
    g_mutex_lock(&media->lock);
    int error = media->open ? reload_phone_path_send(media->open, bytes, len) : RELOAD_E_STATE;
    g_mutex_unlock(&media->lock);
    return error;
}

static void set_open(struct reload_phone_media *media, struct reload_phone_path *path)
{
    g_mutex_lock(&media->lock);
    media->open = path;
    g_mutex_unlock(&media->lock);
}

/* --- news of the session --- */

static void end(struct reload_phone_media *media)
{
    if (media->over)
        return;
    media->over = true;
    media->events->ended(media->context);
}

static bool is_closed(const struct reload_phone_media *media)
{
    struct reload_media_session_status status = { .closed = true };
    if (media->session)
        reload_media_session_status(media->session, &status);
    return status.closed;
}

static void start_device(struct reload_phone_media *media)
{
    int error = reload_media_session_start(media->session);
    if (error != 0 && error != RELOAD_E_STATE)
        media->events->failed(media->context, reload_error_text(error));
}

static void take(struct reload_phone_media *media, const struct reload_media_event *event)
{
    if (event->type != RELOAD_MEDIA_EVENT_STATE) {
        media->events->event(media->context, event);
        return;
    }
    if (event->state == RELOAD_MEDIA_SESSION_SECURE && media->waits_for_keys)
        start_device(media);
    if (event->state == RELOAD_MEDIA_SESSION_FAILED)
        media->events->failed(media->context, event->reason);
    else if (event->state != RELOAD_MEDIA_SESSION_ENDED)
        media->events->event(media->context, event);
}

static void set_timer(struct reload_phone_media *media);

/* The session is looked at; all it has to tell is told. A callback may stop, but not free. */
static void settle(struct reload_phone_media *media)
{
    struct reload_media_event event;
    if (media->over)
        return;
    reload_media_session_tick(media->session, reload_overlay_now());
    while (reload_media_session_next(media->session, &event))
        take(media, &event);
    set_timer(media);
    if (media->stopped && is_closed(media))
        end(media);
}

static gboolean has_news(int fd, GIOCondition condition, void *context)
{
    (void)fd, (void)condition;
    settle(context);
    return G_SOURCE_CONTINUE;
}

static gboolean time_is_up(void *context)
{
    settle(context);
    return G_SOURCE_REMOVE;
}

static void set_timer(struct reload_phone_media *media)
{
    uint64_t now_ms = reload_overlay_now().monotonic_ms;
    if (!media->stopped) /* the timer is the farewell's */
        reload_loop_timer_set(&media->timer, media->studio->context,
                              reload_media_session_deadline(media->session, now_ms), time_is_up,
                              media);
}

static void watch(struct reload_phone_media *media)
{
    media->news = g_unix_fd_source_new(reload_media_session_descriptor(media->session), G_IO_IN);
    g_source_set_callback(media->news, G_SOURCE_FUNC(has_news), media, NULL);
    g_source_attach(media->news, media->studio->context);
}

/* --- paths --- */

/* The path that the next description tells of. */
static struct reload_phone_path *told(const struct reload_phone_media *media)
{
    return media->next ? media->next : media->path;
}

static void path_ready(void *context)
{
    struct reload_phone_media *media = context;
    media->events->ready(media->context);
}

/* Datagrams travel. What a former path still brings is the far end's no more. */
static void path_open(void *context, uint64_t source)
{
    struct reload_phone_media *media = context;
    struct reload_phone_path *old = media->next ? media->path : NULL;
    if (media->next) {
        media->path = media->next;
        media->next = NULL;
    }
    set_open(media, media->path);
    reload_phone_path_free(old);
    reload_media_session_path(media->session, source, reload_overlay_now());
    settle(media);
}

static void path_served(void *context)
{
    settle(context);
}

static void path_failed(void *context, const char *reason)
{
    struct reload_phone_media *media = context;
    if (!media->stopped)
        media->events->failed(media->context, reason);
}

static int new_path(struct reload_phone_media *media, bool outgoing, struct reload_phone_path **out)
{
    static const struct reload_phone_path_events path_events = { path_ready, path_open, path_served,
                                                                 path_failed };
    return reload_phone_path_new(media->studio->paths, outgoing, &path_events, media, out);
}

int reload_phone_media_renew(struct reload_phone_media *media, bool outgoing)
{
    struct reload_phone_path *next = media->next;
    media->next = NULL;
    reload_phone_path_free(next);
    int error = new_path(media, outgoing, &media->next);
    if (error == 0)
        reload_phone_path_serve(media->next, media->session);
    return error;
}

/* --- offer and answer --- */

static struct reload_media_session_options options_of(const struct reload_phone_media *media,
                                                      const char *device, const char *recording,
                                                      const struct reload_sip_media *offer)
{
    struct reload_media_session_options options = {
        .certificate = media->studio->certificate,
        .stream = reload_media_stream_defaults(),
        .device = device,
        .recording = recording,
    };
    options.stream.random = reload_overlay_random(media->studio->overlay);
    if (offer) { /* RFC 3264 s6.1: an answer takes the offer's numbers */
        options.stream.payload_type = offer->opus_payload;
        options.stream.dtmf_payload_type = offer->event_payload;
    }
    if (strcmp(device, reload_media_mirror.name) == 0) /* what it says back is no echo to cancel */
        options.stream.cancel_echo = false;
    return options;
}

int reload_phone_media_equip(struct reload_phone_media *media, const char *device,
                             const char *recording, const struct reload_sip_media *offer)
{
    if (!reload_media_device_exists(device))
        return RELOAD_E_INVALID;
    const struct reload_media_session_options options = options_of(media, device, recording, offer);
    static const struct reload_media_transport_ops ops = { send_datagram };
    int error = reload_media_session_new(&options, &ops, media, &media->session);
    if (error != 0)
        return error;
    /* A sound file begins when it can be heard; what is live runs by then, so that the first word
     * is not cut. Nothing of it goes out before there are keys. */
    media->waits_for_keys = g_str_has_prefix(device, reload_media_file.name);
    watch(media);
    reload_phone_path_serve(media->path, media->session);
    return media->waits_for_keys ? 0 : reload_media_session_start(media->session);
}

bool reload_phone_media_is_ready(const struct reload_phone_media *media)
{
    return reload_phone_path_is_ready(told(media));
}

void reload_phone_media_describe(const struct reload_phone_media *media,
                                 struct reload_sip_media *out)
{
    struct reload_media_parameters own;
    reload_media_session_local(media->session, true, &own);
    *out = (struct reload_sip_media){
        .hash = RELOAD_SIP_SHA256,
        .fingerprint_len = sizeof own.fingerprint,
        .opus_payload = own.payload_type,
        .event_payload = own.dtmf_payload_type,
        .fec = true,
        .dtx = true,
    };
    memcpy(out->fingerprint, own.fingerprint, sizeof own.fingerprint);
    reload_phone_path_describe(told(media), out);
}

static int set_remote(struct reload_phone_media *media, const struct reload_sip_media *far,
                      bool dtls_client)
{
    struct reload_media_parameters theirs = {
        .setup = dtls_client ? RELOAD_MEDIA_PASSIVE : RELOAD_MEDIA_ACTIVE,
        .direction = (enum reload_media_direction)far->direction,
        .payload_type = far->opus_payload,
        .dtmf_payload_type = far->event_payload,
    };
    if (far->hash != RELOAD_SIP_SHA256 || far->fingerprint_len != sizeof theirs.fingerprint)
        return RELOAD_E_UNSUPPORTED;
    memcpy(theirs.fingerprint, far->fingerprint, sizeof theirs.fingerprint);
    return reload_media_session_remote(media->session, &theirs, reload_overlay_now());
}

int reload_phone_media_agreed(struct reload_phone_media *media, const struct reload_sip_media *far,
                              bool dtls_client)
{
    int error = set_remote(media, far, dtls_client);
    if (error == 0 && !reload_phone_path_leads_to(told(media), far))
        error = reload_phone_path_connect(told(media), far);
    if (error == 0)
        settle(media);
    return error;
}

bool reload_phone_media_restarts(const struct reload_phone_media *media,
                                 const struct reload_sip_media *far)
{
    return reload_phone_path_is_ice(media->path) && !reload_phone_path_leads_to(media->path, far);
}

void reload_phone_media_hold(struct reload_phone_media *media, bool on)
{
    if (media->session)
        reload_media_session_hold(media->session, on);
}

void reload_phone_media_doubt(struct reload_phone_media *media)
{
    if (media->session)
        reload_media_session_doubt(media->session);
    if (media->session)
        settle(media);
}

int reload_phone_media_press(struct reload_phone_media *media, char key)
{
    return media->session ? reload_media_session_press(media->session, key) : RELOAD_E_STATE;
}

/* --- life --- */

int reload_phone_studio_new(struct reload_overlay *overlay, GMainContext *context,
                            const struct reload_log *log, struct reload_phone_studio **out)
{
    struct reload_phone_studio *studio = g_new0(struct reload_phone_studio, 1);
    studio->overlay = overlay;
    studio->context = context;
    studio->paths = reload_phone_paths_new(overlay, context);
    int error = studio->paths ? 0 : RELOAD_E_NOMEM;
    if (error == 0) /* a certificate of its own, that tells an eavesdropper nothing */
        error = reload_engine_srtp_new(NULL, NULL, log, reload_overlay_now(), &studio->certificate);
    if (error != 0)
        reload_phone_studio_free(studio);
    else
        *out = studio;
    return error;
}

void reload_phone_studio_free(struct reload_phone_studio *studio)
{
    if (!studio)
        return;
    reload_engine_srtp_free(studio->certificate);
    reload_phone_paths_free(studio->paths);
    g_free(studio);
}

int reload_phone_media_new(struct reload_phone_studio *studio, bool outgoing,
                           const struct reload_phone_media_events *events, void *context,
                           struct reload_phone_media **out)
{
    struct reload_phone_media *media = g_new0(struct reload_phone_media, 1);
    media->studio = studio;
    media->events = events;
    media->context = context;
    g_mutex_init(&media->lock);
    *out = media; /* `ready` may come at once */
    int error = new_path(media, outgoing, &media->path);
    if (error != 0) {
        *out = NULL;
        reload_phone_media_free(media);
    }
    return error;
}

void reload_phone_media_free(struct reload_phone_media *media)
{
    if (!media)
        return;
    reload_loop_timer_drop(&media->news);
    reload_loop_timer_drop(&media->timer);
    reload_phone_path_free(media->next);
    reload_media_session_free(media->session); /* its farewell goes over the path */
    set_open(media, NULL);
    reload_phone_path_free(media->path);
    g_mutex_clear(&media->lock);
    g_free(media);
}

static gboolean farewell_is_over(void *context)
{
    end(context);
    return G_SOURCE_REMOVE;
}

void reload_phone_media_stop(struct reload_phone_media *media)
{
    if (media->stopped)
        return;
    media->stopped = true;
    if (media->session)
        reload_media_session_stop(media->session);
    reload_loop_timer_set(&media->timer, media->studio->context,
                          reload_overlay_now().monotonic_ms + (is_closed(media) ? 0 : FAREWELL_MS),
                          farewell_is_over, media);
}

void reload_phone_media_status(const struct reload_phone_media *media,
                               struct reload_phone_media_status *out)
{
    *out = (struct reload_phone_media_status){ 0 };
    if (media->session)
        reload_media_session_status(media->session, &out->session);
    out->by_ice = reload_phone_path_pair(media->path, &out->pair) == 0;
}
