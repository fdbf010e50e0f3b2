#include "ice/internal.h"

/* The far end's candidates: what came over the overlay from somebody we may not trust. */

bool reload_ice_is_ice_chars(struct reload_slice s, size_t least, size_t most)
{
    if (s.n < least || s.n > most)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!g_ascii_isalnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '/')
            return false;
    return true;
}

static bool is_known(const struct reload_ice_candidate *candidate)
{
    return candidate->overlay_link == RELOAD_OVERLAY_LINK_DTLS_UDP_SR &&
           (candidate->addr_port.type == RELOAD_ADDRESS_IPV4 ||
            candidate->addr_port.type == RELOAD_ADDRESS_IPV6);
}

/* Whether checks may go there. Loopback is for channels that live on it: elsewhere it would let a
 * stranger have our own services probed. */
static bool may_check(const struct reload_ice_channel *channel,
                      const struct reload_link_address *address)
{
    switch (reload_ice_address_scope(address)) {
    case RELOAD_ICE_SCOPE_BAD: return false;
    case RELOAD_ICE_SCOPE_LOOPBACK: return channel->loopback && address->port != 0;
    case RELOAD_ICE_SCOPE_LINK_LOCAL: return address->len == 4 && address->port != 0;
    case RELOAD_ICE_SCOPE_PRIVATE:
    case RELOAD_ICE_SCOPE_PUBLIC: return address->port != 0;
    }
    return false;
}

static NiceCandidateType nice_type(uint8_t type)
{
    return type == RELOAD_CANDIDATE_HOST    ? NICE_CANDIDATE_TYPE_HOST
           : type == RELOAD_CANDIDATE_SRFLX ? NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE
                                            : NICE_CANDIDATE_TYPE_RELAYED;
}

/* NULL for a candidate that is refused. */
static NiceCandidate *convert(const struct reload_ice_channel *channel,
                              const struct reload_ice_candidate *wire)
{
    struct reload_link_address address, related;
    struct reload_slice foundation = wire->foundation;
    if (reload_ice_address_from_wire(&wire->addr_port, &address) != 0 ||
        !may_check(channel, &address) ||
        !reload_ice_is_ice_chars(foundation, 1, NICE_CANDIDATE_MAX_FOUNDATION - 1))
        return NULL;
    NiceCandidate *nice = nice_candidate_new(nice_type(wire->type));
    nice->transport = NICE_CANDIDATE_TRANSPORT_UDP;
    nice->stream_id = channel->stream;
    nice->component_id = COMPONENT; /* s6.5.1.1: always 1, hence not on the wire */
    nice->priority = wire->priority;
    memcpy(nice->foundation, foundation.p, foundation.n);
    reload_ice_to_nice(&address, &nice->addr);
    nice->base_addr = nice->addr;
    if (wire->type != RELOAD_CANDIDATE_HOST &&
        reload_ice_address_from_wire(&wire->rel_addr_port, &related) == 0)
        reload_ice_to_nice(&related, &nice->base_addr);
    return nice;
}

static void free_candidate(gpointer candidate)
{
    nice_candidate_free(candidate);
}

int reload_ice_remote_read(struct reload_ice_channel *channel, struct reload_slice candidates)
{
    struct reload_ice_stats *stats = &channel->ice->stats;
    struct reload_reader r = reload_reader_over(candidates);
    struct reload_ice_candidate wire;
    size_t taken = 0;
    int error = reload_ice_candidates_validate(candidates); /* s6.5.1.1: no mixture with No-ICE */
    if (error != 0)
        return error;
    while (reload_ice_candidate_next(&r, &wire)) {
        if (!is_known(&wire)) {
            stats->candidates_unknown++;
            continue;
        }
        if (taken == RELOAD_ICE_REMOTE_CANDIDATES_MAX) {
            stats->candidates_over++;
            continue;
        }
        NiceCandidate *nice = convert(channel, &wire);
        if (!nice) {
            stats->candidates_refused++;
            continue;
        }
        channel->remote = g_slist_append(channel->remote, nice);
        taken++;
    }
    stats->candidates_taken += taken;
    return taken > 0 ? 0 : RELOAD_E_NOT_FOUND;
}

int reload_ice_remote_apply(struct reload_ice_channel *channel)
{
    int added = nice_agent_set_remote_candidates(channel->agent, channel->stream, COMPONENT,
                                                 channel->remote);
    g_slist_free_full(channel->remote, free_candidate);
    channel->remote = NULL;
    return added > 0 ? 0 : RELOAD_E_NOT_FOUND;
}
