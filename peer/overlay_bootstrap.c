#include "peer/overlay_internal.h"

/* Linking to a bootstrap node (RFC 6940 s11.4): one address after another, rounds with a growing
 * pause between them, for as long as the node wants it. And remembering whom to try another time.
 */

#define CONNECTIONS_MAX 256
#define HARVEST_MS      2000 /* a new link has become a route, or has not */
#define HEAD_START_MS   400  /* of UDP: a handshake over most paths */

/* s11.4: over DTLS, to the bare port, where that is the overlay's way; in an ICE overlay TCP joins
 * the race soon, since some networks let no UDP out. */
static void dial_udp(struct reload_overlay *o)
{
    if (reload_links_dial_datagrams(o->links, &o->bootstrap_address, 1, NULL, o->now,
                                    &o->bootstrap_udp) == 0)
        reload_overlay_dialled(o, o->bootstrap_udp, 0);
    else
        o->bootstrap_udp = 0;
    o->bootstrap_tcp_ms =
        reload_overlay_is_ice(o) ? o->now.monotonic_ms + HEAD_START_MS : RELOAD_NEVER;
}

static void dial_tcp(struct reload_overlay *o)
{
    o->bootstrap_tcp_ms = RELOAD_NEVER;
    if (reload_links_dial(o->links, &o->bootstrap_address, 1, NULL, RELOAD_LINK_CLIENT, o->now,
                          &o->bootstrap_tcp) == 0)
        reload_overlay_dialled(o, o->bootstrap_tcp, 0);
    else
        o->bootstrap_tcp = 0;
}

static bool is_dialling(const struct reload_overlay *o)
{
    return o->bootstrap_udp || o->bootstrap_tcp || o->bootstrap_tcp_ms != RELOAD_NEVER;
}

static bool dial_next(struct reload_overlay *o)
{
    while (reload_bootstrap_next(&o->bootstrap, &o->bootstrap_address)) {
        char text[RELOAD_LINK_ADDRESS_TEXT];
        reload_log_write(o->log, RELOAD_LOG_INFO, "bootstrap", "trying %s",
                         reload_link_address_text(&o->bootstrap_address, text));
        if (o->dtls || reload_overlay_is_ice(o))
            dial_udp(o);
        else
            dial_tcp(o);
        if (is_dialling(o))
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
    if (o->bootstrap_tcp_ms <= o->now.monotonic_ms)
        dial_tcp(o);
    if (!o->bootstrap_wanted || is_dialling(o) || o->now.monotonic_ms < o->bootstrap.not_before_ms)
        return;
    size_t known = reload_bootstrap_begin(&o->bootstrap, reload_node_overlay(o->node));
    if (reload_overlay_is_ice(o))
        reload_overlay_stun_begin(o); /* its answers are there when the first link asks for them */
    if (!dial_next(o))
        round_failed(o, known);
}

uint64_t reload_overlay_bootstrap_deadline(const struct reload_overlay *o)
{
    if (is_dialling(o))
        return o->bootstrap_tcp_ms;
    return o->bootstrap_wanted ? o->bootstrap.not_before_ms : RELOAD_NEVER;
}

static void forget_dials(struct reload_overlay *o)
{
    o->bootstrap_udp = o->bootstrap_tcp = 0;
    o->bootstrap_tcp_ms = RELOAD_NEVER;
}

bool reload_overlay_bootstrap_up(struct reload_overlay *o, const struct reload_link_event *event)
{
    if (event->link != o->bootstrap_udp && event->link != o->bootstrap_tcp)
        return false;
    reload_link_id other = event->link == o->bootstrap_udp ? o->bootstrap_tcp : o->bootstrap_udp;
    forget_dials(o);
    if (other)
        reload_links_close(o->links, other, "another way was faster", o->now);
    o->joining_link = event->link;
    o->bootstrap_wanted = false;
    o->over_loopback = reload_ice_address_scope(&event->address) == RELOAD_ICE_SCOPE_LOOPBACK;
    reload_bootstrap_reached(&o->bootstrap);
    return true;
}

void reload_overlay_bootstrap_down(struct reload_overlay *o, const struct reload_link_event *event)
{
    bool udp = event->link == o->bootstrap_udp;
    if (udp)
        o->bootstrap_udp = 0;
    else if (event->link == o->bootstrap_tcp)
        o->bootstrap_tcp = 0;
    else
        return; /* it lost the race */
    reload_bootstrap_failed(&o->bootstrap, &o->bootstrap_address, udp, event->error,
                            event->reason ? event->reason : "closed");
    if (o->bootstrap_tcp_ms != RELOAD_NEVER)
        dial_tcp(o);
    if (is_dialling(o))
        return;
    if (!dial_next(o))
        round_failed(o, 1);
}

void reload_overlay_bootstrap_state(struct reload_overlay *o, enum reload_topology_state state,
                                    const char *text)
{
    if (state == RELOAD_TOPOLOGY_JOINED)
        o->bootstrap.unjoined[0] = '\0';
    if (state == RELOAD_TOPOLOGY_JOINING && o->joining_link) {
        g_strlcpy(o->bootstrap.unjoined, text, sizeof o->bootstrap.unjoined);
        reload_links_close(o->links, o->joining_link, "it did not lead into the overlay", o->now);
    }
    o->joining_link = 0;
}

void reload_overlay_bootstrap_linked(struct reload_overlay *o,
                                     const struct reload_link_event *event)
{
    /* the port of the others is not where they listen */
    if (!event->inbound && event->link_type != RELOAD_LINK_TYPE_DTLS_UDP_SR)
        reload_overlay_listens_at(o, event->link, &event->address);
}

void reload_overlay_listens_at(struct reload_overlay *o, reload_link_id link,
                               const struct reload_link_address *address)
{
    if (reload_overlay_is_ice(o)) /* s6.5.1.4 */
        reload_overlay_stun_linked(o, link, address);
    g_hash_table_insert(o->dialled, GUINT_TO_POINTER(link), g_memdup2(address, sizeof *address));
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
