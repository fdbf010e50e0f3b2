#include "ice/stun_servers.h"

static struct reload_ice_stun_server *find(struct reload_ice_stun_servers *servers, uint64_t peer)
{
    for (size_t i = 0; i < servers->count; i++)
        if (servers->servers[i].peer == peer)
            return &servers->servers[i];
    return NULL;
}

static bool same_group(const struct reload_ice_stun_server *a,
                       const struct reload_ice_stun_server *b)
{
    return a == b ||
           (a->reflexive.len > 0 && reload_ice_address_same_host(&a->reflexive, &b->reflexive));
}

static size_t group_size(const struct reload_ice_stun_servers *servers,
                         const struct reload_ice_stun_server *of)
{
    size_t n = 0;
    for (size_t i = 0; i < servers->count; i++)
        n += same_group(of, &servers->servers[i]);
    return n;
}

/* Sees to it that exactly one of the group is in use; whoever serves already goes on. Linked peers
 * are preferred to configured ones, which they relieve (s6.5.1.4). */
static void settle(struct reload_ice_stun_servers *servers, struct reload_ice_stun_server *member)
{
    struct reload_ice_stun_server *best = NULL;
    for (size_t i = 0; i < servers->count; i++) {
        struct reload_ice_stun_server *s = &servers->servers[i];
        if (!same_group(member, s))
            continue;
        if (!best || (best->configured && !s->configured) ||
            (best->configured == s->configured && s->in_use && !best->in_use))
            best = s;
    }
    for (size_t i = 0; i < servers->count; i++)
        if (same_group(member, &servers->servers[i]))
            servers->servers[i].in_use = &servers->servers[i] == best;
}

static struct reload_ice_stun_server *any_of_group(struct reload_ice_stun_servers *servers,
                                                   const struct reload_link_address *reflexive)
{
    for (size_t i = 0; i < servers->count; i++)
        if (reflexive->len > 0 &&
            reload_ice_address_same_host(&servers->servers[i].reflexive, reflexive))
            return &servers->servers[i];
    return NULL;
}

static int enter(struct reload_ice_stun_servers *servers,
                 const struct reload_ice_stun_server *server)
{
    struct reload_ice_stun_server *kin = any_of_group(servers, &server->reflexive);
    if (servers->count == RELOAD_ICE_STUN_SERVERS_MAX ||
        (kin && !server->configured &&
         group_size(servers, kin) >= RELOAD_ICE_STUN_SERVERS_GROUP_MAX)) {
        servers->turned_away++;
        return RELOAD_E_LIMIT;
    }
    struct reload_ice_stun_server *s = &servers->servers[servers->count++];
    *s = *server;
    settle(servers, s);
    return 0;
}

/* Takes a server out and lets its group choose another. */
static void leave(struct reload_ice_stun_servers *servers, struct reload_ice_stun_server *s)
{
    const struct reload_ice_stun_server gone = *s;
    *s = servers->servers[--servers->count];
    struct reload_ice_stun_server *kin = any_of_group(servers, &gone.reflexive);
    if (!kin)
        return;
    servers->replaced += gone.in_use;
    settle(servers, kin);
}

int reload_ice_stun_servers_configure(struct reload_ice_stun_servers *servers, uint64_t peer,
                                      const struct reload_link_address *address)
{
    if (find(servers, peer))
        return 0;
    return enter(servers, &(struct reload_ice_stun_server){
                              .peer = peer, .configured = true, .address = *address });
}

int reload_ice_stun_servers_learn(struct reload_ice_stun_servers *servers, uint64_t peer,
                                  const struct reload_link_address *address,
                                  const struct reload_link_address *reflexive)
{
    struct reload_ice_stun_server *s = find(servers, peer);
    struct reload_ice_stun_server server = {
        .peer = peer, .configured = s && s->configured, .address = *address, .reflexive = *reflexive
    };
    if (s && reload_ice_address_same_host(&s->reflexive, reflexive)) {
        s->address = *address;
        s->reflexive = *reflexive;
        return 0;
    }
    if (s)
        leave(servers, s);
    return enter(servers, &server);
}

void reload_ice_stun_servers_lost(struct reload_ice_stun_servers *servers, uint64_t peer)
{
    struct reload_ice_stun_server *s = find(servers, peer);
    if (s && !s->configured)
        leave(servers, s);
}

void reload_ice_stun_servers_silent(struct reload_ice_stun_servers *servers, uint64_t peer)
{
    struct reload_ice_stun_server *s = find(servers, peer);
    if (!s)
        return;
    const struct reload_ice_stun_server unknown = { .peer = peer,
                                                    .configured = s->configured,
                                                    .address = s->address };
    leave(servers, s);
    if (unknown.configured)
        (void)!enter(servers, &unknown); /* there is room: one has just left */
}

size_t reload_ice_stun_servers_in_use(const struct reload_ice_stun_servers *servers,
                                      struct reload_link_address *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < servers->count; i++) {
        if (!servers->servers[i].in_use)
            continue;
        if (n < cap)
            out[n] = servers->servers[i].address;
        n++;
    }
    return n;
}

const struct reload_ice_stun_server *
reload_ice_stun_servers_pick(struct reload_ice_stun_servers *servers)
{
    for (size_t tried = 0; tried < servers->count; tried++) {
        const struct reload_ice_stun_server *s =
            &servers->servers[servers->turn++ % servers->count];
        if (s->in_use && s->reflexive.len > 0)
            return s;
    }
    return NULL;
}
