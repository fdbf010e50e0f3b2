#include <inttypes.h>

#include "peer/overlay_internal.h"

/* Channels: the table, their states, and what an application calls. */

static const char *state_name(enum reload_channel_state state)
{
    switch (state) {
    case RELOAD_CHANNEL_ASKING: return "asking";
    case RELOAD_CHANNEL_OPENING: return "opening";
    case RELOAD_CHANNEL_OPEN: return "open";
    case RELOAD_CHANNEL_CLOSED: return "closed";
    }
    return "?";
}

/* The one place that changes a channel's state. */
void reload_channel_enter(struct reload_channel *channel, enum reload_channel_state state)
{
    struct reload_overlay *o = channel->overlay;
    channel->state = state;
    channel->deadline_ms = state == RELOAD_CHANNEL_OPENING
                               ? o->now.monotonic_ms + RELOAD_CHANNEL_OPEN_MS
                               : RELOAD_NEVER;
    reload_log_write(o->log, RELOAD_LOG_DEBUG, "channel", "%" PRIu64 " of application %u: %s",
                     channel->id, channel->info.application, state_name(state));
}

static void channel_free(gpointer data)
{
    struct reload_channel *channel = data;
    g_clear_pointer(&channel->certificate, g_bytes_unref);
    g_free(channel);
}

void reload_channels_init(struct reload_overlay *o)
{
    struct reload_channels *c = &o->channels;
    c->all = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, channel_free);
    c->links = g_hash_table_new(NULL, NULL);
    c->acceptors = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    c->invitations = g_hash_table_new(NULL, NULL);
    g_queue_init(&c->gathered);
}

struct reload_channel *reload_channel_new(struct reload_overlay *o, uint16_t application)
{
    struct reload_channels *c = &o->channels;
    if (g_hash_table_size(c->all) >= RELOAD_CHANNELS_MAX) {
        c->stats.refused_full++;
        return NULL;
    }
    struct reload_channel *channel = g_new0(struct reload_channel, 1);
    channel->overlay = o;
    channel->id = ++c->last_id;
    channel->info.application = application;
    g_hash_table_insert(c->all, &channel->id, channel);
    return channel;
}

struct reload_channel *reload_channel_find(const struct reload_overlay *o, uint64_t id)
{
    return g_hash_table_lookup(o->channels.all, &id);
}

void reload_channel_set_link(struct reload_channel *channel, reload_link_id link)
{
    GHashTable *links = channel->overlay->channels.links;
    if (channel->link)
        g_hash_table_remove(links, GUINT_TO_POINTER(channel->link));
    channel->link = link;
    if (link)
        g_hash_table_insert(links, GUINT_TO_POINTER(link), channel);
}

/* Whatever is to become, or is, its connection. */
static void release(struct reload_channel *channel)
{
    struct reload_overlay *o = channel->overlay;
    if (channel->link)
        reload_links_close(o->links, channel->link, "the channel is closed", o->now);
    else if (channel->attach)
        reload_overlay_ice_abandon(o, channel->attach);
    reload_channel_set_link(channel, 0);
    reload_links_withdraw(o->links, channel->invitation, o->now);
    channel->invitation = 0;
    channel->attach = 0;
}

void reload_channel_finish(struct reload_channel *channel, int error, uint16_t error_code,
                           const char *reason)
{
    struct reload_overlay *o = channel->overlay;
    bool known = channel->state == RELOAD_CHANNEL_OPEN || !channel->info.accepted;
    if (channel->state == RELOAD_CHANNEL_CLOSED)
        return;
    o->channels.stats.failed += channel->state != RELOAD_CHANNEL_OPEN;
    reload_log_write(o->log, error ? RELOAD_LOG_INFO : RELOAD_LOG_DEBUG, "channel",
                     "%" PRIu64 " of application %u: %s", channel->id, channel->info.application,
                     reason);
    release(channel);
    reload_channel_enter(channel, RELOAD_CHANNEL_CLOSED);
    if (known)
        reload_channel_tell_closed(channel, error, error_code, reason);
    else
        g_hash_table_remove(o->channels.all, &channel->id);
}

/* --- time --- */

static gboolean is_due(gpointer id, gpointer channel, gpointer now)
{
    (void)id;
    return ((const struct reload_channel *)channel)->deadline_ms <=
           ((const struct reload_time *)now)->monotonic_ms;
}

void reload_channels_run(struct reload_overlay *o)
{
    struct reload_channel *channel;
    while ((channel = g_hash_table_find(o->channels.all, is_due, &o->now))) {
        o->channels.stats.timed_out++;
        reload_channel_finish(channel, RELOAD_E_TIMEOUT, 0, "no connection came about in time");
    }
}

uint64_t reload_channels_deadline(const struct reload_overlay *o)
{
    uint64_t deadline_ms = RELOAD_NEVER;
    GHashTableIter iter;
    gpointer value;
    if (o->channels.gathered.length)
        return 0;
    g_hash_table_iter_init(&iter, o->channels.all);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        deadline_ms = MIN(deadline_ms, ((const struct reload_channel *)value)->deadline_ms);
    return deadline_ms;
}

/* --- what an application calls --- */

static void begin_call(struct reload_overlay *o)
{
    o->now = reload_overlay_now();
}

int reload_overlay_open_channel(struct reload_overlay *o, const struct reload_target *target,
                                uint16_t application, const struct reload_channel_events *events,
                                void *context, struct reload_channel **out)
{
    begin_call(o);
    if (o->channels.over)
        return RELOAD_E_CLOSED;
    struct reload_channel *channel = reload_channel_new(o, application);
    if (!channel)
        return RELOAD_E_LIMIT;
    int error = reload_node_app_attach(o->node, target, application, o->now, &channel->request);
    if (error) {
        g_hash_table_remove(o->channels.all, &channel->id);
    } else {
        o->channels.stats.asked++;
        reload_channel_set_events(channel, events, context);
        reload_channel_enter(channel, RELOAD_CHANNEL_ASKING);
        *out = channel;
    }
    reload_overlay_settle(o);
    return error;
}

int reload_overlay_accept_channels(struct reload_overlay *o, uint16_t application,
                                   const struct reload_channel_events *events, void *context)
{
    if (g_hash_table_contains(o->channels.acceptors, GUINT_TO_POINTER(application)))
        return RELOAD_E_STATE;
    int error = reload_node_set_application(o->node, application, true);
    if (error)
        return error;
    struct reload_acceptor *acceptor = g_new0(struct reload_acceptor, 1);
    *acceptor = (struct reload_acceptor){ *events, context };
    g_hash_table_insert(o->channels.acceptors, GUINT_TO_POINTER(application), acceptor);
    return 0;
}

/* An incoming channel of which its application, which is to serve it no more, has not heard. */
static gboolean is_untold(gpointer id, gpointer value, gpointer application)
{
    const struct reload_channel *channel = value;
    (void)id;
    return channel->info.accepted && !channel->told_open &&
           channel->info.application == GPOINTER_TO_UINT(application);
}

void reload_overlay_refuse_channels(struct reload_overlay *o, uint16_t application)
{
    struct reload_channel *channel;
    if (!g_hash_table_remove(o->channels.acceptors, GUINT_TO_POINTER(application)))
        return;
    (void)!reload_node_set_application(o->node, application, false);
    while ((channel = g_hash_table_find(o->channels.all, is_untold, GUINT_TO_POINTER(application))))
        reload_channel_close(channel);
}

void reload_channel_set_events(struct reload_channel *channel,
                               const struct reload_channel_events *events, void *context)
{
    channel->events = *events;
    channel->context = context;
}

int reload_channel_send(struct reload_channel *channel, struct reload_slice bytes)
{
    struct reload_overlay *o = channel->overlay;
    if (!o || channel->state != RELOAD_CHANNEL_OPEN)
        return RELOAD_E_STATE;
    begin_call(o);
    int error = reload_links_send_raw(o->links, channel->link, bytes, o->now);
    reload_overlay_settle(o);
    return error == RELOAD_E_NOT_FOUND ? RELOAD_E_STATE : error;
}

void reload_channel_end(struct reload_channel *channel)
{
    struct reload_overlay *o = channel->overlay;
    if (!o || channel->state != RELOAD_CHANNEL_OPEN)
        return;
    begin_call(o);
    reload_links_end_raw(o->links, channel->link, o->now);
    reload_overlay_settle(o);
}

void reload_channel_pause(struct reload_channel *channel, bool paused)
{
    struct reload_overlay *o = channel->overlay;
    if (!o || channel->state != RELOAD_CHANNEL_OPEN)
        return;
    begin_call(o);
    reload_links_pause_raw(o->links, channel->link, paused, o->now);
    reload_overlay_settle(o);
}

void reload_channel_close(struct reload_channel *channel)
{
    if (!channel || !channel->overlay) /* `closed` is being told: it ends with that */
        return;
    struct reload_overlay *o = channel->overlay;
    begin_call(o);
    release(channel);
    reload_channel_enter(channel, RELOAD_CHANNEL_CLOSED);
    g_hash_table_remove(o->channels.all, &channel->id);
    reload_overlay_settle(o);
}

const struct reload_channel_info *reload_channel_info(struct reload_channel *channel)
{
    if (channel->overlay)
        reload_channel_refresh_path(channel);
    return &channel->info;
}

void reload_overlay_channel_stats(const struct reload_overlay *o, struct reload_channel_stats *out)
{
    GHashTableIter iter;
    gpointer value;
    *out = o->channels.stats;
    out->channels = g_hash_table_size(o->channels.all);
    g_hash_table_iter_init(&iter, o->channels.all);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        out->open += ((const struct reload_channel *)value)->state == RELOAD_CHANNEL_OPEN;
}

void reload_channels_fini(struct reload_overlay *o)
{
    struct reload_channels *c = &o->channels;
    const struct reload_channel_end end = { RELOAD_E_CLOSED, 0, "this node stops" };
    GHashTableIter iter;
    gpointer value;
    c->over = true;
    while (g_hash_table_iter_init(&iter, c->all), g_hash_table_iter_next(&iter, NULL, &value)) {
        struct reload_channel *channel = value;
        bool known = channel->state == RELOAD_CHANNEL_OPEN || !channel->info.accepted;
        g_hash_table_iter_steal(&iter);
        channel->overlay = NULL;
        if (known && channel->events.closed)
            channel->events.closed(channel->context, channel, &end);
        channel_free(channel);
    }
    g_hash_table_unref(c->all);
    g_hash_table_unref(c->links);
    g_hash_table_unref(c->acceptors);
    g_hash_table_unref(c->invitations);
    g_queue_clear_full(&c->gathered, g_free);
}
