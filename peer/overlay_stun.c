#include "peer/overlay_internal.h"
#include "peer/own_addresses.h"

/* Bootstrap nodes are named by their address, links by their id; the two do not meet. */
#define NAME_OF_BOOTSTRAP (UINT64_C(1) << 63)

static uint64_t name_of(const struct reload_link_address *address)
{
    uint64_t name = address->port;
    for (size_t i = 0; i < address->len; i++)
        name = name * 31 + address->bytes[i];
    return name | NAME_OF_BOOTSTRAP;
}

/* The bare port that speaks the server's address family; NULL: there is none. */
static const struct reload_link_address *bare_port(const struct reload_overlay *o,
                                                   const struct reload_link_address *server)
{
    for (size_t i = 0; i < o->bare_count; i++)
        if (o->bare[i].len == server->len)
            return &o->bare[i];
    return NULL;
}

static void ask(struct reload_overlay *o, uint64_t name, const struct reload_link_address *server)
{
    reload_ice_stun_client_forget(&o->stun.client, name);
    if (!bare_port(o, server) ||
        reload_ice_stun_client_ask(&o->stun.client, server, name, o->now) != 0)
        return;
    if (o->stun.asked_ms == RELOAD_NEVER)
        o->stun.asked_ms = o->now.monotonic_ms;
}

static void ask_all(struct reload_overlay *o)
{
    const struct reload_ice_stun_servers *s = &o->stun.servers;
    for (size_t i = 0; i < s->count; i++)
        ask(o, s->servers[i].peer, &s->servers[i].address);
    o->stun.refresh_ms = o->now.monotonic_ms + RELOAD_OVERLAY_STUN_REFRESH_MS;
}

static void configure(struct reload_overlay *o, const struct reload_link_address *address)
{
    for (size_t i = 0; i < o->listening_count; i++)
        if (reload_link_address_equal(&o->listening[i], address))
            return;
    (void)!reload_ice_stun_servers_configure(&o->stun.servers, name_of(address), address);
}

void reload_overlay_stun_init(struct reload_overlay *o)
{
    reload_ice_stun_client_init(&o->stun.client, &o->random);
    o->stun.refresh_ms = o->stun.asked_ms = RELOAD_NEVER;
}

void reload_overlay_stun_begin(struct reload_overlay *o)
{
    const struct reload_config *config = reload_node_overlay(o->node);
    if (o->stun.refresh_ms != RELOAD_NEVER || o->bare_count == 0)
        return;
    for (guint i = 0; i < o->bootstrap.fixed->len; i++)
        configure(o, &g_array_index(o->bootstrap.fixed, struct reload_link_address, i));
    for (size_t i = 0; i < config->bootstrap_node_count; i++) {
        const struct reload_bootstrap_node *node = &config->bootstrap_nodes[i];
        struct reload_link_address address;
        if (reload_link_address_parse(node->address, node->port, &address) == 0)
            configure(o, &address);
    }
    ask_all(o);
    reload_overlay_stun_run(o);
}

/* --- datagrams --- */

static void answered(struct reload_overlay *o, const struct reload_ice_stun_result *result)
{
    char server[RELOAD_LINK_ADDRESS_TEXT], seen[RELOAD_LINK_ADDRESS_TEXT];
    o->stun.asked_ms = RELOAD_NEVER;
    o->stun.at_home[result->reflexive.len == 16] = reload_own_addresses_have(&result->reflexive);
    if (reload_ice_stun_servers_learn(&o->stun.servers, result->cookie, &result->server,
                                      &result->reflexive) == 0)
        reload_log_write(o->log, RELOAD_LOG_DEBUG, "stun", "%s sees this node at %s",
                         reload_link_address_text(&result->server, server),
                         reload_link_address_text(&result->reflexive, seen));
}

void reload_overlay_stun_take(struct reload_overlay *o, const struct reload_link_event *event)
{
    uint8_t answer[RELOAD_ICE_STUN_ANSWER_MAX];
    struct reload_ice_stun_result result;
    size_t len = 0;
    bool is_answer = event->message.n > 0 && event->message.p[0] == 1; /* RFC 5389 s6: the class */
    if (is_answer) {
        if (reload_ice_stun_client_receive(&o->stun.client, event->message, &event->address, o->now,
                                           &result) == 0)
            answered(o, &result);
        return;
    }
    if (reload_ice_stun_answer(&o->stun.answers, event->message, &event->address, answer,
                               sizeof answer, &len) == 0 &&
        len > 0)
        (void)!reload_links_send_stun(o->links, &event->local, &event->address,
                                      reload_slice_of(answer, len));
}

void reload_overlay_stun_linked(struct reload_overlay *o, reload_link_id link,
                                const struct reload_link_address *bare)
{
    ask(o, link, bare);
    reload_overlay_stun_run(o);
}

void reload_overlay_stun_unlinked(struct reload_overlay *o, reload_link_id link)
{
    reload_ice_stun_client_forget(&o->stun.client, link);
    reload_ice_stun_servers_lost(&o->stun.servers, link);
}

/* --- time --- */

static void send_due(struct reload_overlay *o)
{
    uint8_t question[RELOAD_ICE_STUN_REQUEST_LEN];
    struct reload_link_address to;
    while (reload_ice_stun_client_next(&o->stun.client, o->now, question, &to))
        (void)!reload_links_send_stun(o->links, bare_port(o, &to), &to,
                                      reload_slice_of(question, sizeof question));
}

void reload_overlay_stun_run(struct reload_overlay *o)
{
    struct reload_ice_stun_result result;
    if (o->stun.refresh_ms <= o->now.monotonic_ms)
        ask_all(o);
    while (reload_ice_stun_client_expired(&o->stun.client, o->now, &result))
        reload_ice_stun_servers_silent(&o->stun.servers, result.cookie);
    send_due(o);
}

uint64_t reload_overlay_stun_deadline(const struct reload_overlay *o)
{
    return MIN(o->stun.refresh_ms, reload_ice_stun_client_deadline(&o->stun.client));
}

/* --- what the answers are good for --- */

const struct reload_link_address *reload_overlay_stun_pick(struct reload_overlay *o)
{
    const struct reload_ice_stun_server *server = reload_ice_stun_servers_pick(&o->stun.servers);
    return server && !reload_own_addresses_have(&server->reflexive) ? &server->address : NULL;
}

/* Looks at one address family: a node may have a NAT for IPv4 and none for IPv6. */
enum reload_overlay_nat reload_overlay_stun_nat(const struct reload_overlay *o)
{
    const struct reload_ice_stun_servers *s = &o->stun.servers;
    const struct reload_ice_stun_server *first = NULL;
    bool several = false, differ = false;
    for (size_t i = 0; i < s->count; i++) {
        const struct reload_ice_stun_server *server = &s->servers[i];
        if (server->reflexive.len == 0 || (first && server->reflexive.len != first->reflexive.len))
            continue;
        several =
            several || (first && !reload_ice_address_same_host(&first->address, &server->address));
        differ =
            differ || (first && !reload_link_address_equal(&first->reflexive, &server->reflexive));
        first = first ? first : server;
    }
    if (!first)
        return o->stun.asked_ms != RELOAD_NEVER &&
                       o->now.monotonic_ms - o->stun.asked_ms >= RELOAD_OVERLAY_STUN_PATIENCE_MS
                   ? RELOAD_OVERLAY_NAT_BLOCKED
                   : RELOAD_OVERLAY_NAT_UNKNOWN;
    if (o->stun.at_home[first->reflexive.len == 16])
        return RELOAD_OVERLAY_NAT_NONE;
    if (differ)
        return RELOAD_OVERLAY_NAT_SYMMETRIC;
    return several ? RELOAD_OVERLAY_NAT_CONE : RELOAD_OVERLAY_NAT_SOME;
}

const char *reload_overlay_nat_text(enum reload_overlay_nat nat)
{
    switch (nat) {
    case RELOAD_OVERLAY_NAT_NONE: return "none";
    case RELOAD_OVERLAY_NAT_SOME: return "some NAT";
    case RELOAD_OVERLAY_NAT_CONE: return "endpoint-independent mapping";
    case RELOAD_OVERLAY_NAT_SYMMETRIC: return "symmetric";
    case RELOAD_OVERLAY_NAT_BLOCKED: return "UDP blocked";
    case RELOAD_OVERLAY_NAT_UNKNOWN: break;
    }
    return "unknown";
}

void reload_overlay_stun_view(const struct reload_overlay *o, struct reload_overlay_stun_view *out)
{
    *out = (struct reload_overlay_stun_view){ .nat = reload_overlay_stun_nat(o),
                                              .to_others = &o->stun.answers,
                                              .own = &o->stun.client,
                                              .servers = &o->stun.servers };
}
