#include "peer/overlay_internal.h"

/* One turn of the loop: read the clock once, take what the links, the disk and the timers bring,
 * let the node answer to each, tell the application, and write everything out at the end. */

#define RECHECK_MS 30000 /* a link outlives its far end's certificate by this at most */

struct reload_time reload_overlay_now(void)
{
    return (struct reload_time){ (uint64_t)(g_get_monotonic_time() / 1000),
                                 (uint64_t)(g_get_real_time() / 1000) };
}

static bool holds(const struct reload_link_peer *peer, const struct reload_node_id *id)
{
    for (size_t i = 0; i < peer->node_id_count; i++)
        if (reload_node_id_equal(&peer->node_ids[i], id))
            return true;
    return false;
}

static void link_up(struct reload_overlay *o, const struct reload_link_event *event)
{
    const struct dial *dial = g_hash_table_lookup(o->dials, GUINT_TO_POINTER(event->link));
    struct reload_node_link info = {
        .type = event->link_type,
        .node_ids = event->peer->node_ids,
        .node_id_count = event->peer->node_id_count,
        .attach = dial ? dial->attach : 0,
        .bootstrap = dial && dial->bootstrap,
        .inbound = event->inbound,
        .mtu = event->mtu,
    };
    if (holds(event->peer, &o->crypto.own->node_id)) { /* a bootstrap address of this very node */
        reload_links_close(o->links, event->link, "own address", o->now);
        return;
    }
    if (info.bootstrap && !reload_overlay_bootstrap_up(o, event)) {
        reload_links_close(o->links, event->link, "another way was faster", o->now);
        return;
    }
    reload_overlay_bootstrap_linked(o, event);
    reload_overlay_ice_linked(o, event->link);
    g_hash_table_remove(o->dials, GUINT_TO_POINTER(event->link));
    reload_node_link_up(o->node, event->link, &info, o->now);
}

/* The end of a link: of one that was up, or of a dial. */
static void link_down(struct reload_overlay *o, const struct reload_link_event *event)
{
    struct dial *dial = NULL;
    g_hash_table_remove(o->dialled, GUINT_TO_POINTER(event->link));
    reload_overlay_ice_unlinked(o, event->link);
    reload_overlay_stun_unlinked(o, event->link);
    if (o->joining_link == event->link)
        o->joining_link = 0;
    reload_log_write(o->log, event->error ? RELOAD_LOG_INFO : RELOAD_LOG_DEBUG, "link", "%u: %s",
                     event->link, event->reason ? event->reason : "closed");
    if (!g_hash_table_steal_extended(o->dials, GUINT_TO_POINTER(event->link), NULL,
                                     (gpointer *)&dial)) {
        reload_node_link_down(o->node, event->link, o->now);
        return;
    }
    if (dial->bootstrap)
        reload_overlay_bootstrap_down(o, event);
    else
        reload_node_open_failed(o->node, dial->attach, o->now);
    g_free(dial);
}

static void handle(struct reload_overlay *o, const struct reload_link_event *event)
{
    switch (event->type) {
    case RELOAD_LINK_UP: link_up(o, event); break;
    case RELOAD_LINK_MESSAGE:
        reload_node_receive(o->node, event->link, event->message.p, event->message.n, o->now);
        break;
    case RELOAD_LINK_OVERSIZE:
        reload_node_oversize(o->node, event->link, event->message.p, event->message.n, o->now);
        break;
    case RELOAD_LINK_SUSPECT:
    case RELOAD_LINK_RECOVERED:
        reload_node_link_suspect(o->node, event->link, event->type == RELOAD_LINK_SUSPECT, o->now);
        break;
    case RELOAD_LINK_MTU: reload_node_link_mtu(o->node, event->link, event->mtu, o->now); break;
    case RELOAD_LINK_TOO_LONG:
        reload_node_too_long(o->node, event->link, event->message.p, event->message.n, o->now);
        break;
    case RELOAD_LINK_IDLE: reload_node_link_idle(o->node, event->link, o->now); break;
    case RELOAD_LINK_DOWN: link_down(o, event); break;
    case RELOAD_LINK_RETURNED:
        reload_node_returned(o->node, event->message.p, event->message.n, o->now);
        break;
    case RELOAD_LINK_STUN: reload_overlay_stun_take(o, event); break;
    case RELOAD_LINK_DATAGRAM: reload_overlay_ice_send(o, event); break;
    case RELOAD_LINK_BYTES: /* of a channel, as the two others: take_link() */
    case RELOAD_LINK_WRITABLE:
    case RELOAD_LINK_ENDED: break;
    }
    reload_overlay_drain(o);
}

static void take_link(struct reload_overlay *o, const struct reload_link_event *event)
{
    if (event->raw && event->type != RELOAD_LINK_DATAGRAM)
        reload_channels_link_event(o, event);
    else
        handle(o, event);
}

static void take_links(struct reload_overlay *o)
{
    struct reload_link_event event;
    reload_links_process(o->links, o->now);
    while (reload_links_next(o->links, &event))
        take_link(o, &event);
}

static void take_commits(struct reload_overlay *o)
{
    uint64_t token;
    bool ok;
    while (o->store && reload_store_file_next(o->store, &token, &ok)) {
        if (!ok)
            reload_log_write(o->log, RELOAD_LOG_ERROR, "store",
                             "values could not be written to disk and are not acknowledged");
        reload_node_persisted(o->node, token, ok, o->now);
        reload_overlay_drain(o);
    }
}

/* What the node's own actions led to and what it must hear of, now that they are all pulled. */
static bool take_failures(struct reload_overlay *o)
{
    if (o->failed_attaches->len) {
        uint32_t attach = g_array_index(o->failed_attaches, uint32_t, 0);
        g_array_remove_index(o->failed_attaches, 0);
        reload_node_open_failed(o->node, attach, o->now);
    } else if (o->failed_persists->len) {
        uint64_t token = g_array_index(o->failed_persists, uint64_t, 0);
        g_array_remove_index(o->failed_persists, 0);
        reload_node_persisted(o->node, token, false, o->now);
    } else if (o->channels.gathered.length) {
        reload_channels_take_gathered(o);
    } else if (o->unable) {
        o->unable = false;
        reload_node_leave(o->node, o->now);
    } else {
        return false;
    }
    reload_overlay_drain(o);
    return true;
}

static void take_time(struct reload_overlay *o)
{
    if (reload_node_deadline(o->node) <= o->now.monotonic_ms) {
        reload_node_tick(o->node, o->now);
        reload_overlay_drain(o);
    }
    reload_overlay_bootstrap_run(o);
    reload_overlay_stun_run(o);
    reload_overlay_turn_run(o);
    reload_overlay_ice_run(o);
    reload_channels_run(o);
    if (o->harvest_at_ms <= o->now.monotonic_ms)
        reload_overlay_bootstrap_harvest(o);
    if (o->recheck_at_ms <= o->now.monotonic_ms) {
        reload_links_recheck(o->links, o->now);
        o->recheck_at_ms = o->now.monotonic_ms + RECHECK_MS;
    }
}

/* When the loop must run again, if nothing comes from outside before. */
static void rearm(struct reload_overlay *o)
{
    uint64_t deadline = MIN(reload_node_deadline(o->node), reload_links_deadline(o->links));
    deadline = MIN(deadline, reload_overlay_bootstrap_deadline(o));
    deadline = MIN(deadline, reload_overlay_stun_deadline(o));
    deadline = MIN(deadline, reload_overlay_turn_deadline(o));
    deadline = MIN(deadline, reload_overlay_ice_deadline(o));
    deadline = MIN(deadline, reload_channels_deadline(o));
    deadline = MIN(deadline, o->harvest_at_ms);
    deadline = MIN(deadline, o->recheck_at_ms);
    if (!g_queue_is_empty(&o->notices) || o->failed_attaches->len || o->failed_persists->len)
        deadline = 0;
    o->wake_ms = deadline;
}

/* GLib calls prepare, polls for as long as it says, calls check, and dispatches when either is
 * true. The time is told by prepare and not by a ready time, and the source may recurse, because
 * GLib wakes its own poll up through a descriptor at each change of the one and each (un)blocking
 * of the other: several system calls for every message. */
struct overlay_source {
    GSource source; /* first: GLib allocates and frees it */
    struct reload_overlay *overlay;
    gpointer links_fd, store_fd; /* GLib's tags; store_fd NULL: no store file */
};

/* GLib's clock is the monotonic one, in microseconds. */
static bool is_due(GSource *source, const struct reload_overlay *o)
{
    return o->wake_ms <= (uint64_t)g_source_get_time(source) / 1000;
}

static gboolean prepare(GSource *source, gint *timeout_ms)
{
    const struct reload_overlay *o = ((struct overlay_source *)source)->overlay;
    *timeout_ms = -1;
    if (o->in_turn) /* the application runs a loop of its own from inside a callback */
        return FALSE;
    if (is_due(source, o) || reload_overlay_ice_waits(o))
        return TRUE;
    uint64_t wait_ms = o->wake_ms - (uint64_t)g_source_get_time(source) / 1000;
    *timeout_ms = (gint)MIN(wait_ms, G_MAXINT);
    return FALSE;
}

static gboolean check(GSource *source)
{
    const struct overlay_source *s = (const struct overlay_source *)source;
    if (s->overlay->in_turn)
        return FALSE;
    return g_source_query_unix_fd(source, s->links_fd) ||
           (s->store_fd && g_source_query_unix_fd(source, s->store_fd)) ||
           is_due(source, s->overlay) || reload_overlay_ice_waits(s->overlay);
}

/* Who has left says so on its links before its owner hears of it, who may end the process. */
static void part(struct reload_overlay *o)
{
    if (reload_node_state(o->node) != RELOAD_TOPOLOGY_LEFT)
        return;
    reload_links_flush(o->links, o->now);
    take_links(o);
}

static gboolean dispatch(GSource *source, GSourceFunc unused, gpointer also_unused)
{
    struct reload_overlay *o = ((struct overlay_source *)source)->overlay;
    (void)unused;
    (void)also_unused;
    o->in_turn = true;
    o->now = reload_overlay_now();
    reload_overlay_ice_take(o);
    take_links(o);
    take_commits(o);
    take_time(o);
    part(o);
    while (take_failures(o) || reload_overlay_deliver(o))
        ;
    reload_links_flush(o->links, o->now);
    if (o->pcap)
        reload_pcap_flush(o->pcap);
    rearm(o);
    o->in_turn = false;
    return G_SOURCE_CONTINUE;
}

void reload_overlay_attach_source(struct reload_overlay *o, GMainContext *context)
{
    static GSourceFuncs functions = { .prepare = prepare, .check = check, .dispatch = dispatch };
    o->source = g_source_new(&functions, sizeof(struct overlay_source));
    struct overlay_source *s = (struct overlay_source *)o->source;
    s->overlay = o;
    g_source_set_name(o->source, "reload overlay");
    g_source_set_can_recurse(o->source, TRUE);
    s->links_fd = g_source_add_unix_fd(o->source, reload_links_fd(o->links), G_IO_IN);
    if (o->store)
        s->store_fd = g_source_add_unix_fd(o->source, reload_store_file_fd(o->store), G_IO_IN);
    g_source_attach(o->source, context);
    rearm(o);
}

void reload_overlay_settle(struct reload_overlay *o)
{
    reload_overlay_drain(o);
    rearm(o);
}
