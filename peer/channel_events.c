#include "peer/overlay_internal.h"

/* What the links say of channels, and how the application hears of it. */

/* --- the application --- */

static void tell_closed(struct reload_channel *channel, const struct notice *notice)
{
    const struct reload_channel_end end = { notice->error, notice->error_code, notice->reason };
    uint64_t id = channel->id;
    g_hash_table_steal(channel->overlay->channels.all, &id);
    channel->overlay = NULL;
    if (channel->events.closed)
        channel->events.closed(channel->context, channel, &end);
    g_clear_pointer(&channel->certificate, g_bytes_unref);
    g_free(channel);
}

static void deliver(struct reload_overlay *o, struct notice *notice)
{
    struct reload_channel *channel = reload_channel_find(o, notice->channel);
    if (!channel) /* closed meanwhile */
        return;
    const struct reload_channel_events *events = &channel->events;
    switch (notice->news) {
    case RELOAD_CHANNEL_NEWS_OPENED:
        channel->told_open = true;
        if (events->opened)
            events->opened(channel->context, channel);
        break;
    case RELOAD_CHANNEL_NEWS_RECEIVED:
        if (events->received)
            events->received(channel->context, channel, notice->bytes);
        break;
    case RELOAD_CHANNEL_NEWS_WRITABLE:
        if (events->writable)
            events->writable(channel->context, channel);
        break;
    case RELOAD_CHANNEL_NEWS_ENDED:
        if (events->ended)
            events->ended(channel->context, channel);
        break;
    case RELOAD_CHANNEL_NEWS_CLOSED: tell_closed(channel, notice); break;
    }
}

static struct notice *tell(struct reload_channel *channel, enum reload_channel_news news)
{
    struct notice *notice = reload_notice_new(channel->overlay, deliver);
    notice->channel = channel->id;
    notice->news = news;
    return notice;
}

void reload_channel_tell_closed(struct reload_channel *channel, int error, uint16_t error_code,
                                const char *reason)
{
    struct notice *notice = tell(channel, RELOAD_CHANNEL_NEWS_CLOSED);
    notice->error = error;
    notice->error_code = error_code;
    notice->reason =
        (const char *)reload_notice_keep(notice, reload_slice_of(reason, strlen(reason) + 1)).p;
}

/* --- the links --- */

static gboolean is_invited(gpointer id, gpointer channel, gpointer invitation)
{
    (void)id;
    return ((const struct reload_channel *)channel)->invitation == GPOINTER_TO_UINT(invitation);
}

static struct reload_channel *of_event(const struct reload_overlay *o,
                                       const struct reload_link_event *event)
{
    return event->invitation
               ? g_hash_table_find(o->channels.all, is_invited, GUINT_TO_POINTER(event->invitation))
               : g_hash_table_lookup(o->channels.links, GUINT_TO_POINTER(event->link));
}

void reload_channel_refresh_path(struct reload_channel *channel)
{
    struct reload_channel_info *info = &channel->info;
    struct reload_ice_pair pair;
    if (!channel->link || reload_overlay_link_pair(channel->overlay, channel->link, &pair) != 0)
        return;
    info->local = pair.local;
    info->remote = pair.remote;
    info->relayed = pair.relayed;
}

static void describe(struct reload_channel *channel, const struct reload_link_event *event)
{
    struct reload_channel_info *info = &channel->info;
    channel->certificate = g_bytes_new(event->certificate.p, event->certificate.n);
    info->certificate.p = g_bytes_get_data(channel->certificate, &info->certificate.n);
    info->link_type = event->link_type;
    info->datagrams = event->link_type != RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE;
    info->longest_datagram = info->datagrams ? event->mtu : 0;
    info->local = event->local;
    info->remote = event->address;
    reload_channel_refresh_path(channel);
}

static void up(struct reload_overlay *o, struct reload_channel *channel,
               const struct reload_link_event *event)
{
    if (!channel) {
        reload_links_close(o->links, event->link, "the channel is not wanted", o->now);
        return;
    }
    channel->invitation = 0; /* it is used up */
    reload_channel_set_link(channel, event->link);
    describe(channel, event);
    o->channels.stats.opened++;
    reload_channel_enter(channel, RELOAD_CHANNEL_OPEN);
    tell(channel, RELOAD_CHANNEL_NEWS_OPENED);
}

static void down(struct reload_overlay *o, struct reload_channel *channel,
                 const struct reload_link_event *event)
{
    if (event->link)
        reload_overlay_ice_unlinked(o, event->link);
    if (!channel)
        return;
    reload_channel_set_link(channel, 0); /* and nothing to abandon: */
    channel->attach = 0;
    channel->invitation = 0;
    bool early = channel->state != RELOAD_CHANNEL_OPEN;
    reload_channel_finish(channel, early && event->error == 0 ? RELOAD_E_CLOSED : event->error, 0,
                          event->reason);
}

void reload_channels_link_event(struct reload_overlay *o, const struct reload_link_event *event)
{
    struct reload_channel *channel = of_event(o, event);
    switch (event->type) {
    case RELOAD_LINK_UP: up(o, channel, event); break;
    case RELOAD_LINK_DOWN: down(o, channel, event); break;
    case RELOAD_LINK_BYTES:
        if (channel) {
            struct notice *notice = tell(channel, RELOAD_CHANNEL_NEWS_RECEIVED);
            notice->bytes = reload_notice_keep(notice, event->message);
        }
        break;
    case RELOAD_LINK_WRITABLE:
        if (channel)
            tell(channel, RELOAD_CHANNEL_NEWS_WRITABLE);
        break;
    case RELOAD_LINK_ENDED:
        if (channel)
            tell(channel, RELOAD_CHANNEL_NEWS_ENDED);
        break;
    case RELOAD_LINK_RETURNED:
    case RELOAD_LINK_MESSAGE:
    case RELOAD_LINK_OVERSIZE:
    case RELOAD_LINK_SUSPECT:
    case RELOAD_LINK_RECOVERED:
    case RELOAD_LINK_IDLE:
    case RELOAD_LINK_MTU:
    case RELOAD_LINK_TOO_LONG:
    case RELOAD_LINK_STUN:
    case RELOAD_LINK_DATAGRAM: break;
    }
}
