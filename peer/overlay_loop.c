#include "peer/overlay_internal.h"

/* One turn of the loop: read the clock once, take what the links, the disk and the timers bring,
 * let the node answer to each, tell the application, and write everything out at the end. */

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
    };
    bool self = holds(event->peer, &o->crypto.own->node_id);
    if (!event->inbound && !self) /* s4.5.2: only what this node was connected to is cached */
        reload_bootstrap_remember(&o->bootstrap, &event->address, o->now.monotonic_ms);
    if (self) { /* a bootstrap address that is this node's own */
        reload_links_close(o->links, event->link, "own address", o->now);
        return;
    }
    g_hash_table_remove(o->dials, GUINT_TO_POINTER(event->link));
    if (info.bootstrap)
        reload_overlay_bootstrap_up(o);
    reload_node_link_up(o->node, event->link, &info, o->now);
}

/* The end of a link: of one that was up, or of a dial. */
static void link_down(struct reload_overlay *o, const struct reload_link_event *event)
{
    struct dial *dial = NULL;
    reload_log_write(o->log, event->error ? RELOAD_LOG_INFO : RELOAD_LOG_DEBUG, "link", "%u: %s",
                     event->link, event->reason ? event->reason : "closed");
    if (!g_hash_table_steal_extended(o->dials, GUINT_TO_POINTER(event->link), NULL,
                                     (gpointer *)&dial)) {
        reload_node_link_down(o->node, event->link, o->now);
        return;
    }
    if (dial->bootstrap)
        reload_overlay_bootstrap_down(o);
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
    case RELOAD_LINK_DOWN: link_down(o, event); break;
    }
    reload_overlay_drain(o);
}

static void take_links(struct reload_overlay *o)
{
    struct reload_link_event event;
    reload_links_process(o->links, o->now);
    while (reload_links_next(o->links, &event))
        handle(o, &event);
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
    reload_bootstrap_tick(&o->bootstrap, o->now.monotonic_ms);
}

static void rearm(struct reload_overlay *o)
{
    uint64_t deadline = MIN(reload_node_deadline(o->node), reload_links_deadline(o->links));
    deadline = MIN(deadline, reload_overlay_bootstrap_deadline(o));
    deadline = MIN(deadline, reload_bootstrap_save_deadline(&o->bootstrap));
    if (!g_queue_is_empty(&o->notices) || o->failed_attaches->len || o->failed_persists->len)
        deadline = 0;
    /* GLib's clock is the monotonic one, in microseconds */
    g_source_set_ready_time(o->source, deadline >= INT64_MAX / 1000 ? -1 : (gint64)deadline * 1000);
}

static gboolean dispatch(GSource *source, GSourceFunc unused, gpointer also_unused)
{
    struct reload_overlay *o = *(struct reload_overlay **)(source + 1);
    (void)unused;
    (void)also_unused;
    o->now = reload_overlay_now();
    take_links(o);
    take_commits(o);
    take_time(o);
    while (take_failures(o) || reload_overlay_deliver(o))
        ;
    reload_links_flush(o->links, o->now);
    if (o->pcap)
        reload_pcap_flush(o->pcap);
    rearm(o);
    return G_SOURCE_CONTINUE;
}

void reload_overlay_attach_source(struct reload_overlay *o, GMainContext *context)
{
    static GSourceFuncs functions = { .dispatch = dispatch };
    o->source = g_source_new(&functions, (guint)(sizeof(GSource) + sizeof o));
    *(struct reload_overlay **)(o->source + 1) = o;
    g_source_set_name(o->source, "reload overlay");
    g_source_add_unix_fd(o->source, reload_links_fd(o->links), G_IO_IN);
    if (o->store)
        g_source_add_unix_fd(o->source, reload_store_file_fd(o->store), G_IO_IN);
    g_source_attach(o->source, context);
    rearm(o);
}

void reload_overlay_settle(struct reload_overlay *o)
{
    reload_overlay_drain(o);
    g_source_set_ready_time(o->source, 0);
}
