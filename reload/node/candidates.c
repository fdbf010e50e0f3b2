#include "reload/node/state.h"
#include "reload/wire/attach.h"

/* No-ICE candidates (RFC 6940 s6.5.1.1, s6.5.1.11): the addresses where a node accepts TLS over
 * TCP. */

void reload_candidates_write(const struct reload_node *node, struct reload_writer *w)
{
    for (size_t i = 0; i < node->config.address_count; i++) {
        const struct reload_ice_candidate candidate = {
            .addr_port = node->config.addresses[i],
            .overlay_link = RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE,
            .foundation = reload_slice_of("1", 1),
            /* Host candidates of component 1, as RFC 5245 s4.1.2.1 counts, in our order. */
            .priority = 126u << 24 | (65535u - (uint32_t)i) << 8 | 255u,
            .type = RELOAD_CANDIDATE_HOST,
        };
        if (reload_ice_candidate_encode(w, &candidate) != 0)
            return;
    }
}

/* s6.5.1.1: candidates of other link types are passed over, and so are unknown addresses. */
static bool usable(const struct reload_ice_candidate *c)
{
    return c->overlay_link == RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE &&
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

int reload_candidates_read(struct reload_node *node, struct reload_slice candidates,
                           struct reload_ip_address_port **out, size_t *count)
{
    struct reload_ice_candidate best[RELOAD_CANDIDATES_MAX], c;
    struct reload_reader r = reload_reader_over(candidates);
    *count = 0;
    while (reload_ice_candidate_next(&r, &c))
        if (usable(&c))
            rank(best, count, &c);
    struct reload_arena *arena = &node->queue.arena;
    *out = reload_arena_alloc(arena, *count * sizeof **out);
    for (size_t i = 0; *out && i < *count; i++) {
        (*out)[i] = best[i].addr_port;
        struct reload_slice *address = &(*out)[i].address;
        address->p = reload_arena_copy(arena, address->p, address->n);
        if (!address->p)
            return RELOAD_E_NOMEM;
    }
    return *out ? 0 : RELOAD_E_NOMEM;
}
