#include "ice/internal.h"

/* Own candidates in the RFC's encoding (RFC 6940 s6.5.1.1, s6.5.1.7). */

void reload_ice_to_nice(const struct reload_link_address *address, NiceAddress *out)
{
    struct sockaddr_storage socket_address;
    nice_address_init(out);
    if (reload_ice_address_to_socket(address, &socket_address) > 0)
        nice_address_set_from_sockaddr(out, (const struct sockaddr *)&socket_address);
}

struct reload_link_address reload_ice_from_nice(const NiceAddress *address)
{
    struct sockaddr_storage socket_address = { 0 };
    nice_address_copy_to_sockaddr(address, (struct sockaddr *)&socket_address);
    return reload_ice_address_from_socket((const struct sockaddr *)&socket_address);
}

static uint8_t wire_type(NiceCandidateType type)
{
    switch (type) {
    case NICE_CANDIDATE_TYPE_HOST: return RELOAD_CANDIDATE_HOST;
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE: return RELOAD_CANDIDATE_SRFLX;
    case NICE_CANDIDATE_TYPE_RELAYED: return RELOAD_CANDIDATE_RELAY;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE: break;
    }
    return RELOAD_CANDIDATE_INVALID; /* found by checks, never told */
}

static bool read_candidate(const NiceCandidate *nice, struct local_candidate *out)
{
    *out = (struct local_candidate){ .address = reload_ice_from_nice(&nice->addr),
                                     .related = reload_ice_from_nice(&nice->base_addr),
                                     .priority = nice->priority,
                                     .type = wire_type(nice->type) };
    memcpy(out->foundation, nice->foundation, sizeof out->foundation);
    if (out->related.len == 0) /* the encoding has no form without one */
        out->related = (struct reload_link_address){ .len = out->address.len };
    /* An address of one link has no scope in the encoding: it would mean another link there. */
    enum reload_ice_scope scope = reload_ice_address_scope(&out->address);
    return out->type != RELOAD_CANDIDATE_INVALID &&
           nice->transport == NICE_CANDIDATE_TRANSPORT_UDP && scope != RELOAD_ICE_SCOPE_BAD &&
           scope != RELOAD_ICE_SCOPE_LINK_LOCAL;
}

/* Puts it among the best, by falling priority. */
static void rank(struct reload_ice_channel *channel, const struct local_candidate *candidate)
{
    struct local_candidate *list = channel->candidates;
    size_t at = channel->candidate_count;
    while (at > 0 && list[at - 1].priority < candidate->priority)
        at--;
    if (at == RELOAD_ICE_LOCAL_CANDIDATES_MAX)
        return;
    if (channel->candidate_count < RELOAD_ICE_LOCAL_CANDIDATES_MAX)
        channel->candidate_count++;
    memmove(&list[at + 1], &list[at], (channel->candidate_count - at - 1) * sizeof *list);
    list[at] = *candidate;
}

void reload_ice_local_collect(struct reload_ice_channel *channel)
{
    GSList *list = nice_agent_get_local_candidates(channel->agent, channel->stream, COMPONENT);
    channel->candidate_count = 0;
    for (GSList *at = list; at; at = at->next) {
        struct local_candidate candidate;
        if (read_candidate(at->data, &candidate))
            rank(channel, &candidate);
        nice_candidate_free(at->data);
    }
    g_slist_free(list);
}

size_t reload_ice_channel_candidates(const struct reload_ice_channel *channel,
                                     struct reload_ice_candidate *out, size_t cap)
{
    size_t count = channel->candidate_count < cap ? channel->candidate_count : cap;
    for (size_t i = 0; i < count; i++) {
        const struct local_candidate *c = &channel->candidates[i];
        out[i] = (struct reload_ice_candidate){
            .addr_port = reload_ice_address_to_wire(&c->address),
            .overlay_link = RELOAD_OVERLAY_LINK_DTLS_UDP_SR,
            .foundation = reload_slice_of(c->foundation, strlen(c->foundation)),
            .priority = c->priority,
            .type = c->type,
        };
        if (c->type != RELOAD_CANDIDATE_HOST)
            out[i].rel_addr_port = reload_ice_address_to_wire(&c->related);
    }
    return count;
}

bool reload_ice_channel_has_relay(const struct reload_ice_channel *channel)
{
    for (size_t i = 0; i < channel->candidate_count; i++)
        if (channel->candidates[i].type == RELOAD_CANDIDATE_RELAY)
            return true;
    return false;
}
