#include "reload/node/offer.h"
#include "reload/wire/attach.h"

/* No-ICE candidates (RFC 6940 s6.5.1.1, s6.5.1.11): the addresses where a node accepts TLS over
 * TCP, DTLS over UDP, or both at the same port number. */

#define CANDIDATE_ROOM 64 /* bytes of an encoded one, at most */

static const enum reload_link_type *link_types(const struct reload_node *node, size_t *count)
{
    static const enum reload_link_type usual = RELOAD_LINK_TLS_TCP_FH_NO_ICE;
    *count = node->config.link_type_count ? node->config.link_type_count : 1;
    return node->config.link_type_count ? node->config.link_types : &usual;
}

int reload_candidates_own(struct reload_node *node, struct reload_offer *own)
{
    size_t type_count;
    const enum reload_link_type *types = link_types(node, &type_count);
    struct reload_writer w = reload_arena_writer(
        &node->queue.arena, CANDIDATE_ROOM * (type_count * node->config.address_count + 1));
    uint32_t place = 0;
    int e = reload_writer_status(&w);
    for (size_t t = 0; t < type_count && e == 0; t++)
        for (size_t i = 0; i < node->config.address_count && e == 0; i++)
            e = reload_no_ice_candidate_encode(&w, (uint8_t)types[t], &node->config.addresses[i],
                                               place++);
    *own = (struct reload_offer){ .candidates = reload_writer_slice(&w) };
    return e == 0 ? 0 : RELOAD_E_NOMEM;
}

/* s6.5.1.1: candidates of other link types are passed over, and so are unknown addresses. */
static bool usable(const struct reload_ice_candidate *c, enum reload_link_type type)
{
    return c->overlay_link == type &&
           (c->addr_port.type == RELOAD_ADDRESS_IPV4 || c->addr_port.type == RELOAD_ADDRESS_IPV6) &&
           c->addr_port.port != 0;
}

/* Puts the candidate among the best ones, by falling priority. */
static void rank(struct reload_ice_candidate *best, size_t *count,
                 const struct reload_ice_candidate *c)
{
    size_t at = *count;
    while (at > 0 && best[at - 1].priority < c->priority)
        at--;
    if (at == RELOAD_CANDIDATES_MAX)
        return;
    size_t moved = (*count < RELOAD_CANDIDATES_MAX ? *count : RELOAD_CANDIDATES_MAX - 1) - at;
    memmove(&best[at + 1], &best[at], moved * sizeof *best);
    best[at] = *c;
    if (*count < RELOAD_CANDIDATES_MAX)
        ++*count;
}

static size_t best_of(struct reload_slice candidates, enum reload_link_type type,
                      struct reload_ice_candidate *best)
{
    struct reload_reader r = reload_reader_over(candidates);
    struct reload_ice_candidate c;
    size_t count = 0;
    while (reload_ice_candidate_next(&r, &c))
        if (usable(&c, type))
            rank(best, &count, &c);
    return count;
}

int reload_candidates_read(struct reload_node *node, struct reload_slice candidates,
                           struct reload_dial_plan *plan)
{
    struct reload_ice_candidate best[RELOAD_CANDIDATES_MAX] = { 0 };
    struct reload_arena *arena = &node->queue.arena;
    size_t type_count;
    const enum reload_link_type *types = link_types(node, &type_count);
    plan->count = 0;
    for (size_t t = 0; t < type_count && plan->count == 0; t++) {
        plan->type = types[t];
        plan->count = best_of(candidates, types[t], best);
    }
    plan->addresses = reload_arena_alloc(arena, plan->count * sizeof *plan->addresses);
    for (size_t i = 0; plan->addresses && i < plan->count; i++) {
        plan->addresses[i] = best[i].addr_port;
        struct reload_slice *address = &plan->addresses[i].address;
        address->p = reload_arena_copy(arena, address->p, address->n);
        if (!address->p)
            return RELOAD_E_NOMEM;
    }
    return plan->addresses ? 0 : RELOAD_E_NOMEM;
}
