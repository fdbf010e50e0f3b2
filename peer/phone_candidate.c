#include "peer/phone_candidate.h"

#include <string.h>

#include "ice/address.h"

struct reload_link_address reload_phone_address(const struct reload_sip_address *address)
{
    struct reload_link_address out = { .len = address->len, .port = address->port };
    memcpy(out.bytes, address->bytes, sizeof out.bytes);
    return out;
}

struct reload_sip_address reload_phone_sdp_address(const struct reload_link_address *address)
{
    struct reload_sip_address out = { .len = address->len, .port = address->port };
    memcpy(out.bytes, address->bytes, sizeof out.bytes);
    return out;
}

/* --- theirs --- */

static uint8_t wire_type(enum reload_sip_candidate_type type)
{
    switch (type) {
    case RELOAD_SIP_HOST: return RELOAD_CANDIDATE_HOST;
    case RELOAD_SIP_SRFLX: return RELOAD_CANDIDATE_SRFLX;
    case RELOAD_SIP_RELAY: return RELOAD_CANDIDATE_RELAY;
    case RELOAD_SIP_PRFLX: break;
    }
    return RELOAD_CANDIDATE_INVALID;
}

int reload_phone_candidates_encode(const struct reload_sip_media *media, struct reload_writer *w)
{
    int error = 0;
    for (size_t i = 0; i < media->candidate_count && error == 0; i++) {
        const struct reload_sip_candidate *from = &media->candidates[i];
        const struct reload_link_address address = reload_phone_address(&from->address);
        /* s6.5.1.1 wants a related address here, which SDP may leave out: then it is its own. */
        const struct reload_link_address related =
            reload_phone_address(from->related.len ? &from->related : &from->address);
        struct reload_ice_candidate candidate = {
            .addr_port = reload_ice_address_to_wire(&address),
            .overlay_link = RELOAD_OVERLAY_LINK_DTLS_UDP_SR,
            .foundation = reload_slice_of(from->foundation, strlen(from->foundation)),
            .priority = from->priority,
            .type = wire_type(from->type),
        };
        if (candidate.type == RELOAD_CANDIDATE_INVALID)
            continue;
        if (candidate.type != RELOAD_CANDIDATE_HOST)
            candidate.rel_addr_port = reload_ice_address_to_wire(&related);
        error = reload_ice_candidate_encode(w, &candidate);
    }
    return error;
}

/* --- ours --- */

static void keep_text(struct reload_slice from, char *out, size_t cap)
{
    size_t len = from.n < cap ? from.n : cap - 1;
    memcpy(out, from.p, len);
    out[len] = '\0';
}

static enum reload_sip_candidate_type sip_type(uint8_t type)
{
    switch (type) {
    case RELOAD_CANDIDATE_SRFLX: return RELOAD_SIP_SRFLX;
    case RELOAD_CANDIDATE_RELAY: return RELOAD_SIP_RELAY;
    default: return RELOAD_SIP_HOST;
    }
}

static struct reload_sip_address of_wire(const struct reload_ip_address_port *wire)
{
    struct reload_link_address address = { 0 };
    if (reload_ice_address_from_wire(wire, &address) != 0)
        return (struct reload_sip_address){ 0 };
    return reload_phone_sdp_address(&address);
}

static bool add(const struct reload_ice_candidate *from, struct reload_sip_candidate *to)
{
    *to = (struct reload_sip_candidate){
        .priority = from->priority,
        .type = sip_type(from->type),
        .address = of_wire(&from->addr_port),
    };
    if (to->type != RELOAD_SIP_HOST)
        to->related = of_wire(&from->rel_addr_port);
    keep_text(from->foundation, to->foundation, sizeof to->foundation);
    return to->address.len != 0;
}

void reload_phone_describe_channel(const struct reload_ice_channel *channel,
                                   struct reload_sip_media *out)
{
    struct reload_ice_candidate candidates[RELOAD_ICE_LOCAL_CANDIDATES_MAX];
    size_t count =
        reload_ice_channel_candidates(channel, candidates, RELOAD_ICE_LOCAL_CANDIDATES_MAX);
    const struct reload_sip_candidate *best = NULL;
    keep_text(reload_ice_channel_ufrag(channel), out->ice_ufrag, sizeof out->ice_ufrag);
    keep_text(reload_ice_channel_password(channel), out->ice_pwd, sizeof out->ice_pwd);
    out->ice_pacing_ms = RELOAD_ICE_PACING_LEAST_MS;
    out->candidate_count = 0;
    for (size_t i = 0; i < count && out->candidate_count < RELOAD_SIP_CANDIDATES_MAX; i++)
        out->candidate_count += add(&candidates[i], &out->candidates[out->candidate_count]);
    for (size_t i = 0; i < out->candidate_count; i++) /* relayed, then reflexive, then host */
        if (!best || out->candidates[i].type > best->type)
            best = &out->candidates[i];
    if (best)
        out->address = best->address;
}
