#include "ice/internal.h"

#include "reload/alloc.h"

struct reload_ice *reload_ice_new(GMainContext *context)
{
    struct reload_ice *ice = reload_calloc(1, sizeof *ice);
    if (!ice)
        return NULL;
    ice->context = g_main_context_ref(context ? context : g_main_context_default());
    ice->last = &ice->first;
    return ice;
}

void reload_ice_free(struct reload_ice *ice)
{
    if (!ice)
        return;
    while (ice->channels)
        reload_ice_channel_free(ice->channels);
    reload_free(ice->pulled);
    g_main_context_unref(ice->context);
    reload_free(ice);
}

const struct reload_ice_stats *reload_ice_stats(const struct reload_ice *ice)
{
    return &ice->stats;
}

int reload_ice_queue(struct reload_ice_channel *channel, enum reload_ice_event_type type, int error,
                     const char *reason, struct reload_slice datagram)
{
    struct reload_ice *ice = channel->ice;
    struct queued_event *e = reload_alloc(sizeof *e + datagram.n);
    if (!e)
        return RELOAD_E_NOMEM;
    *e = (struct queued_event){
        .type = type, .channel = channel, .error = error, .reason = reason, .len = datagram.n
    };
    if (datagram.n > 0)
        memcpy(e->datagram, datagram.p, datagram.n);
    *ice->last = e;
    ice->last = &e->next;
    channel->datagrams += type == RELOAD_ICE_EVENT_DATAGRAM;
    return 0;
}

void reload_ice_unqueue(struct reload_ice_channel *channel)
{
    struct reload_ice *ice = channel->ice;
    struct queued_event **at = &ice->first;
    while (*at) {
        struct queued_event *e = *at;
        if (e->channel != channel) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        reload_free(e);
    }
    ice->last = at;
}

bool reload_ice_next(struct reload_ice *ice, struct reload_ice_event *event)
{
    reload_free(ice->pulled);
    struct queued_event *e = ice->pulled = ice->first;
    if (!e)
        return false;
    ice->first = e->next;
    if (!ice->first)
        ice->last = &ice->first;
    e->channel->datagrams -= e->type == RELOAD_ICE_EVENT_DATAGRAM;
    *event = (struct reload_ice_event){
        .type = e->type,
        .channel = e->channel,
        .user = e->channel->user,
        .datagram = reload_slice_of(e->datagram, e->len),
        .error = e->error,
        .reason = e->reason,
    };
    return true;
}

bool reload_ice_waits(const struct reload_ice *ice)
{
    return ice->first != NULL;
}

/* --- the main loop's view of the queue --- */

struct queue_source {
    GSource source;
    struct reload_ice *ice;
};

static gboolean has_events(GSource *source)
{
    return reload_ice_waits(((struct queue_source *)(void *)source)->ice);
}

static gboolean prepare(GSource *source, gint *timeout)
{
    *timeout = -1;
    return has_events(source);
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)source;
    return callback ? callback(data) : G_SOURCE_CONTINUE;
}

GSource *reload_ice_source_new(struct reload_ice *ice)
{
    static GSourceFuncs functions = { .prepare = prepare,
                                      .check = has_events,
                                      .dispatch = dispatch };
    GSource *source = g_source_new(&functions, sizeof(struct queue_source));
    ((struct queue_source *)(void *)source)->ice = ice;
    return source;
}
