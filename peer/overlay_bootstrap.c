#include "peer/overlay_internal.h"

/* Linking to a bootstrap node (RFC 6940 s11.4): one address after another, rounds with a growing
 * pause between them, for as long as the node wants it. And remembering whom to try another time.
 */

#define CONNECTIONS_MAX 256
#define HARVEST_MS      2000 /* a new link has become a route, or has not */

static bool dial_next(struct reload_overlay *o)
{
    struct reload_link_address address;
    while (reload_bootstrap_next(&o->bootstrap, &address)) {
        char text[RELOAD_LINK_ADDRESS_TEXT];
        reload_log_write(o->log, RELOAD_LOG_INFO, "bootstrap", "trying %s",
                         reload_link_address_text(&address, text));
        int error = o->dtls ? reload_links_dial_datagrams(o->links, &address, 1, NULL, o->now,
                                                          &o->bootstrap_link)
                            : reload_links_dial(o->links, &address, 1, NULL, RELOAD_LINK_CLIENT,
                                                o->now, &o->bootstrap_link);
        if (error)
            continue;
        struct dial *dial = g_new0(struct dial, 1);
        dial->bootstrap = true;
        g_hash_table_insert(o->dials, GUINT_TO_POINTER(o->bootstrap_link), dial);
        return true;
    }
    return false;
}

static void round_failed(struct reload_overlay *o, size_t tried)
{
    reload_bootstrap_missed(&o->bootstrap, o->now.monotonic_ms);
    o->bootstrap_wanted = false;
    reload_log_write(o->log, RELOAD_LOG_WARNING, "bootstrap",
                     tried ? "no bootstrap node answered; next try in %u s"
                           : "no bootstrap node is known; next try in %u s (is this the overlay's "
                             "first peer?)",
                     (unsigned)((o->bootstrap.not_before_ms - o->now.monotonic_ms) / 1000));
    reload_node_bootstrap_failed(o->node, o->now);
    reload_overlay_drain(o);
}

void reload_overlay_bootstrap_run(struct reload_overlay *o)
{
    if (!o->bootstrap_wanted || o->bootstrap_link ||
        o->now.monotonic_ms < o->bootstrap.not_before_ms)
        return;
    size_t known = reload_bootstrap_begin(&o->bootstrap, reload_node_overlay(o->node));
    if (!dial_next(o))
        round_failed(o, known);
}

uint64_t reload_overlay_bootstrap_deadline(const struct reload_overlay *o)
{
    return o->bootstrap_wanted && !o->bootstrap_link ? o->bootstrap.not_before_ms : RELOAD_NEVER;
}

void reload_overlay_bootstrap_up(struct reload_overlay *o, reload_link_id link)
{
    o->bootstrap_link = 0;
    o->joining_link = link;
    o->bootstrap_wanted = false;
    reload_bootstrap_reached(&o->bootstrap);
}

void reload_overlay_bootstrap_down(struct reload_overlay *o)
{
    o->bootstrap_link = 0;
    if (!dial_next(o))
        round_failed(o, 1);
}

void reload_overlay_bootstrap_state(struct reload_overlay *o, enum reload_topology_state state)
{
    if (state == RELOAD_TOPOLOGY_JOINING && o->joining_link)
        reload_links_close(o->links, o->joining_link, "it did not lead into the overlay", o->now);
    o->joining_link = 0;
}

void reload_overlay_bootstrap_linked(struct reload_overlay *o,
                                     const struct reload_link_event *event)
{
    if (event->inbound) /* its port is not where it listens */
        return;
    g_hash_table_insert(o->dialled, GUINT_TO_POINTER(event->link),
                        g_memdup2(&event->address, sizeof event->address));
    if (o->harvest_at_ms == RELOAD_NEVER)
        o->harvest_at_ms = o->now.monotonic_ms + HARVEST_MS;
}

/* Routing peers only: a client would lead nobody into the overlay. */
void reload_overlay_bootstrap_harvest(struct reload_overlay *o)
{
    struct reload_connection all[CONNECTIONS_MAX];
    size_t count = reload_node_connections(o->node, all, CONNECTIONS_MAX);
    for (size_t i = 0; i < MIN(count, CONNECTIONS_MAX); i++) {
        const struct reload_link_address *address =
            g_hash_table_lookup(o->dialled, GUINT_TO_POINTER(all[i].link));
        if (address && all[i].routable)
            reload_bootstrap_remember(&o->bootstrap, address);
    }
    reload_bootstrap_save(&o->bootstrap);
    o->harvest_at_ms = RELOAD_NEVER;
}
