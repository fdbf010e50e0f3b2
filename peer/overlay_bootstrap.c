#include "peer/overlay_internal.h"

/* Linking to a bootstrap node (RFC 6940 s11.4): one address after another, rounds with a growing
 * pause between them, for as long as the node wants it. */

static bool dial_next(struct reload_overlay *o)
{
    struct reload_link_address address;
    while (reload_bootstrap_next(&o->bootstrap, &address)) {
        char text[RELOAD_LINK_ADDRESS_TEXT];
        reload_log_write(o->log, RELOAD_LOG_INFO, "bootstrap", "trying %s",
                         reload_link_address_text(&address, text));
        if (reload_links_dial(o->links, &address, 1, NULL, RELOAD_LINK_CLIENT, o->now,
                              &o->bootstrap_link))
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

void reload_overlay_bootstrap_up(struct reload_overlay *o)
{
    o->bootstrap_link = 0;
    o->bootstrap_wanted = false;
    reload_bootstrap_reached(&o->bootstrap);
}

void reload_overlay_bootstrap_down(struct reload_overlay *o)
{
    o->bootstrap_link = 0;
    if (!dial_next(o))
        round_failed(o, 1);
}
