#include "peer/phone_path.h"

#include <glib-unix.h>
#include <string.h>

#include "media/udp_transport.h"
#include "peer/gathering.h"
#include "peer/loop_timer.h"
#include "peer/phone_candidate.h"

/* Tokens of ICE channels lie above those that a UDP socket counts up. */
#define FIRST_ICE_SOURCE (UINT64_C(1) << 32)

struct reload_phone_paths {
    struct reload_overlay *overlay;
    GMainContext *context;
    struct reload_ice *ice; /* NULL: an overlay without ICE */
    GSource *events;
    uint64_t last_source;
};

struct reload_phone_path {
    struct reload_phone_paths *paths;
    const struct reload_phone_path_events *events;
    void *context;
    struct reload_media_session *session;
    bool ready, connected;        /* described; connect() was obeyed */
    struct reload_sip_media far;  /* as connect() took it */
    struct reload_media_udp *udp; /* one of the two */
    struct reload_gathering ice;
    GSource *reading; /* of udp */
    uint64_t source;  /* of ice */
};

/* --- without ICE --- */

static gboolean udp_readable(int fd, GIOCondition condition, void *data)
{
    struct reload_phone_path *path = data;
    (void)fd, (void)condition;
    (void)reload_media_udp_read(path->udp, path->session, reload_overlay_now());
    path->events->served(path->context);
    return G_SOURCE_CONTINUE;
}

/* Not before the far end is known: what it sends ahead of its answer waits in the socket, and would
 * be taken for a stranger's now. */
static void read_udp(struct reload_phone_path *path)
{
    path->reading = g_unix_fd_source_new(reload_media_udp_descriptor(path->udp), G_IO_IN);
    g_source_set_priority(path->reading, G_PRIORITY_HIGH);
    g_source_set_callback(path->reading, G_SOURCE_FUNC(udp_readable), path, NULL);
    g_source_attach(path->reading, path->paths->context);
}

static int new_udp(struct reload_phone_path *path)
{
    struct reload_overlay_ice_places places;
    reload_overlay_ice_places(path->paths->overlay, &places);
    if (places.address_count == 0)
        return RELOAD_E_IO;
    places.addresses[0].port = 0;
    int error = reload_media_udp_new(&places.addresses[0], &path->udp);
    path->ready = error == 0;
    return error;
}

static int connect_udp(struct reload_phone_path *path, const struct reload_sip_media *far)
{
    const struct reload_link_address address = reload_phone_address(&far->address);
    path->far = *far;
    path->connected = true;
    uint64_t source = reload_media_udp_far(path->udp, &address);
    if (!path->reading)
        read_udp(path);
    path->events->open(path->context, source);
    return 0;
}

/* --- ICE --- */

static void gathered(struct reload_phone_path *path)
{
    if (!reload_gathering_is_done(&path->ice)) {
        int error = reload_gathering_start(&path->ice);
        if (error != 0)
            path->events->failed(path->context, reload_error_text(error));
        return;
    }
    path->ready = true;
    path->events->ready(path->context);
}

static void take_event(const struct reload_ice_event *event)
{
    struct reload_phone_path *path = event->user;
    switch (event->type) {
    case RELOAD_ICE_EVENT_GATHERED: gathered(path); break;
    case RELOAD_ICE_EVENT_CONNECTED: path->events->open(path->context, path->source); break;
    case RELOAD_ICE_EVENT_DATAGRAM:
        if (!path->session)
            break;
        reload_media_session_receive(path->session, path->source, event->datagram.p,
                                     event->datagram.n, reload_overlay_now());
        path->events->served(path->context);
        break;
    case RELOAD_ICE_EVENT_FAILED: path->events->failed(path->context, event->reason); break;
    }
}

static gboolean ice_waits(void *data)
{
    struct reload_phone_paths *paths = data;
    struct reload_ice_event event;
    while (reload_ice_next(paths->ice, &event))
        take_event(&event);
    return G_SOURCE_CONTINUE;
}

static int connect_channel(struct reload_phone_path *path, const struct reload_sip_media *far)
{
    uint8_t buffer[RELOAD_PHONE_CANDIDATES_LEN];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    if (!far->ice_ufrag[0])
        return RELOAD_E_UNSUPPORTED;
    int error = reload_phone_candidates_encode(far, &w);
    /* RFC 8445 s14.2: the slower of both; RFC 5245 s16.1 for a far end that knows no other. */
    reload_ice_channel_pace(path->ice.channel,
                            far->ice_pacing_ms ? MAX(far->ice_pacing_ms, RELOAD_ICE_PACING_LEAST_MS)
                                               : RELOAD_ICE_PACING_MS);
    if (error == 0)
        error = reload_ice_channel_set_remote(
            path->ice.channel, reload_slice_of(far->ice_ufrag, strlen(far->ice_ufrag)),
            reload_slice_of(far->ice_pwd, strlen(far->ice_pwd)), reload_writer_slice(&w));
    if (error == 0) {
        path->far = *far;
        path->connected = true;
    }
    return error;
}

/* --- either --- */

struct reload_phone_paths *reload_phone_paths_new(struct reload_overlay *overlay,
                                                  GMainContext *context)
{
    struct reload_phone_paths *paths = g_new0(struct reload_phone_paths, 1);
    paths->overlay = overlay;
    paths->context = context;
    if (reload_node_overlay(reload_overlay_node(overlay))->no_ice)
        return paths;
    paths->ice = reload_ice_new(context);
    if (!paths->ice) {
        g_free(paths);
        return NULL;
    }
    paths->events = reload_ice_source_new(paths->ice);
    g_source_set_priority(paths->events, G_PRIORITY_HIGH);
    g_source_set_callback(paths->events, ice_waits, paths, NULL);
    g_source_attach(paths->events, context);
    return paths;
}

void reload_phone_paths_free(struct reload_phone_paths *paths)
{
    if (!paths)
        return;
    reload_loop_timer_drop(&paths->events);
    reload_ice_free(paths->ice);
    g_free(paths);
}

int reload_phone_path_new(struct reload_phone_paths *paths, bool controlling,
                          const struct reload_phone_path_events *events, void *context,
                          struct reload_phone_path **out)
{
    struct reload_phone_path *path = g_new0(struct reload_phone_path, 1);
    *path = (struct reload_phone_path){
        .paths = paths,
        .events = events,
        .context = context,
        .ice = { .overlay = paths->overlay,
                 .ice = paths->ice,
                 .role = controlling ? RELOAD_ICE_CONTROLLING : RELOAD_ICE_CONTROLLED,
                 .user = path },
    };
    if (paths->ice)
        path->source = FIRST_ICE_SOURCE + ++paths->last_source;
    int error = paths->ice ? reload_gathering_start(&path->ice) : new_udp(path);
    if (error != 0) {
        reload_phone_path_free(path);
        return error;
    }
    *out = path;
    if (path->ready)
        events->ready(context);
    return 0;
}

void reload_phone_path_free(struct reload_phone_path *path)
{
    if (!path)
        return;
    reload_loop_timer_drop(&path->reading);
    reload_media_udp_free(path->udp);
    reload_ice_channel_free(path->ice.channel);
    g_free(path);
}

bool reload_phone_path_is_ice(const struct reload_phone_path *path)
{
    return path->ice.channel != NULL;
}

bool reload_phone_path_is_ready(const struct reload_phone_path *path)
{
    return path->ready;
}

void reload_phone_path_describe(const struct reload_phone_path *path, struct reload_sip_media *out)
{
    if (path->ice.channel) {
        reload_phone_describe_channel(path->ice.channel, out);
        return;
    }
    const struct reload_link_address local = reload_media_udp_local(path->udp);
    out->address = reload_phone_sdp_address(&local);
}

void reload_phone_path_serve(struct reload_phone_path *path, struct reload_media_session *session)
{
    path->session = session;
}

static bool same_address(const struct reload_sip_address *a, const struct reload_sip_address *b)
{
    return a->len == b->len && a->port == b->port && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool reload_phone_path_leads_to(const struct reload_phone_path *path,
                                const struct reload_sip_media *far)
{
    if (!path->connected)
        return false;
    if (path->udp)
        return same_address(&path->far.address, &far->address);
    return strcmp(path->far.ice_ufrag, far->ice_ufrag) == 0 &&
           strcmp(path->far.ice_pwd, far->ice_pwd) == 0;
}

int reload_phone_path_connect(struct reload_phone_path *path, const struct reload_sip_media *far)
{
    return path->udp ? connect_udp(path, far) : connect_channel(path, far);
}

int reload_phone_path_send(struct reload_phone_path *path, const uint8_t *bytes, size_t len)
{
    return path->udp ? reload_media_udp_ops.send(path->udp, bytes, len)
                     : reload_ice_channel_send(path->ice.channel, reload_slice_of(bytes, len));
}

int reload_phone_path_pair(const struct reload_phone_path *path, struct reload_ice_pair *out)
{
    return path->ice.channel && reload_ice_channel_pair(path->ice.channel, out) == 0
               ? 0
               : RELOAD_E_NOT_FOUND;
}
