#include "reload/wire/candidate.h"

static bool has_related_address(uint8_t type)
{
    return type == RELOAD_CANDIDATE_SRFLX || type == RELOAD_CANDIDATE_RELAY;
}

/* RFC 6940 s6.3.1.1: this select does not provide for unknown types. */
static bool is_known_type(uint8_t type)
{
    return type == RELOAD_CANDIDATE_HOST || has_related_address(type);
}

int reload_ice_candidate_decode(struct reload_reader *r, struct reload_ice_candidate *out)
{
    *out = (struct reload_ice_candidate){ 0 };
    if (reload_ip_address_port_decode(r, &out->addr_port) != 0)
        return RELOAD_E_DECODE;
    out->overlay_link = reload_rd_u8(r);
    out->foundation = reload_rd_opaque8(r);
    out->priority = reload_rd_u32(r);
    out->type = reload_rd_u8(r);
    if (out->overlay_link == RELOAD_OVERLAY_LINK_INVALID || !is_known_type(out->type))
        reload_rd_fail(r);
    if (has_related_address(out->type) &&
        reload_ip_address_port_decode(r, &out->rel_addr_port) != 0)
        return RELOAD_E_DECODE;
    out->extensions = reload_rd_opaque16(r);
    struct reload_reader extensions = reload_reader_over(out->extensions);
    struct reload_ice_extension extension;
    while (reload_ice_extension_next(&extensions, &extension))
        ;
    reload_rd_close(r, &extensions);
    return reload_reader_status(r);
}

int reload_ice_candidate_encode(struct reload_writer *w,
                                const struct reload_ice_candidate *candidate)
{
    if (candidate->overlay_link == RELOAD_OVERLAY_LINK_INVALID || !is_known_type(candidate->type))
        reload_wr_fail(w);
    if (reload_ip_address_port_encode(w, &candidate->addr_port) != 0)
        return RELOAD_E_NOSPACE;
    reload_wr_u8(w, candidate->overlay_link);
    reload_wr_opaque8(w, candidate->foundation);
    reload_wr_u32(w, candidate->priority);
    reload_wr_u8(w, candidate->type);
    if (has_related_address(candidate->type) &&
        reload_ip_address_port_encode(w, &candidate->rel_addr_port) != 0)
        return RELOAD_E_NOSPACE;
    reload_wr_opaque16(w, candidate->extensions);
    return reload_writer_status(w);
}

int reload_no_ice_candidate_encode(struct reload_writer *w, uint8_t overlay_link,
                                   const struct reload_ip_address_port *address, uint32_t place)
{
    const struct reload_ice_candidate candidate = {
        .addr_port = *address,
        .overlay_link = overlay_link,
        .foundation = reload_slice_of("1", 1),
        /* Host candidates of component 1, as RFC 5245 s4.1.2.1 counts, in the sender's order. */
        .priority = 126u << 24 | (65535u - place) << 8 | 255u,
        .type = RELOAD_CANDIDATE_HOST,
    };
    return reload_ice_candidate_encode(w, &candidate);
}

bool reload_ice_candidate_next(struct reload_reader *list, struct reload_ice_candidate *out)
{
    return reload_reader_more(list) && reload_ice_candidate_decode(list, out) == 0;
}

int reload_ice_extension_decode(struct reload_reader *r, struct reload_ice_extension *out)
{
    out->name = reload_rd_opaque16(r);
    out->value = reload_rd_opaque16(r);
    return reload_reader_status(r);
}

int reload_ice_extension_encode(struct reload_writer *w,
                                const struct reload_ice_extension *extension)
{
    reload_wr_opaque16(w, extension->name);
    reload_wr_opaque16(w, extension->value);
    return reload_writer_status(w);
}

bool reload_ice_extension_next(struct reload_reader *list, struct reload_ice_extension *out)
{
    return reload_reader_more(list) && reload_ice_extension_decode(list, out) == 0;
}

int reload_ice_candidates_validate(struct reload_slice candidates)
{
    struct reload_reader r = reload_reader_over(candidates);
    struct reload_ice_candidate candidate;
    bool ice = false, no_ice = false;
    while (reload_ice_candidate_next(&r, &candidate)) {
        ice = ice || candidate.overlay_link == RELOAD_OVERLAY_LINK_DTLS_UDP_SR;
        no_ice = no_ice || reload_overlay_link_is_no_ice(candidate.overlay_link);
    }
    if (r.failed)
        return RELOAD_E_DECODE;
    return ice && no_ice ? RELOAD_E_INVALID : 0; /* s6.5.1.1 */
}
