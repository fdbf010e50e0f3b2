#ifndef RELOAD_WIRE_CANDIDATE_H
#define RELOAD_WIRE_CANDIDATE_H

#include "reload/wire/address.h"

/* IceCandidate (RFC 6940 s6.5.1.1). */

enum reload_overlay_link_type {
    RELOAD_OVERLAY_LINK_INVALID = 0,
    RELOAD_OVERLAY_LINK_DTLS_UDP_SR = 1,
    RELOAD_OVERLAY_LINK_DTLS_UDP_SR_NO_ICE = 3,
    RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE = 4,
    RELOAD_OVERLAY_LINK_EXP = 5,
};

enum reload_candidate_type {
    RELOAD_CANDIDATE_INVALID = 0,
    RELOAD_CANDIDATE_HOST = 1,
    RELOAD_CANDIDATE_SRFLX = 2,
    RELOAD_CANDIDATE_RELAY = 4,
};

struct reload_ice_candidate {
    struct reload_ip_address_port addr_port;
    uint8_t overlay_link; /* enum reload_overlay_link_type, or unknown: ignore the candidate */
    struct reload_slice foundation;
    uint32_t priority;
    uint8_t type;                                /* enum reload_candidate_type */
    struct reload_ip_address_port rel_addr_port; /* SRFLX and RELAY; else all zero */
    struct reload_slice extensions;              /* for reload_ice_extension_next() */
};

struct reload_ice_extension {
    struct reload_slice name;
    struct reload_slice value;
};

/* Returns 0, or RELOAD_E_DECODE: cut short, overlay link type 0, or a candidate type other than the
 * three. The structure has no overall length, so an unknown candidate type cannot be stepped over
 * and the message is lost with it (s6.3.1.1). */
RELOAD_MUST_USE int reload_ice_candidate_decode(struct reload_reader *r,
                                                struct reload_ice_candidate *out);
/* Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_ice_candidate_encode(struct reload_writer *w,
                                                const struct reload_ice_candidate *candidate);
/* A candidate without ICE (s6.5.1.11): where a node accepts links of that type. place: 0 for the
 * best of a list, counting up. Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_no_ice_candidate_encode(struct reload_writer *w, uint8_t overlay_link,
                                                   const struct reload_ip_address_port *address,
                                                   uint32_t place);
/* Walks the candidates of a decoded body: true with the next one, false at the end. */
bool reload_ice_candidate_next(struct reload_reader *list, struct reload_ice_candidate *out);

RELOAD_MUST_USE int reload_ice_extension_decode(struct reload_reader *r,
                                                struct reload_ice_extension *out);
RELOAD_MUST_USE int reload_ice_extension_encode(struct reload_writer *w,
                                                const struct reload_ice_extension *extension);
/* Walks the extensions of a candidate: true with the next one, false at the end. */
bool reload_ice_extension_next(struct reload_reader *list, struct reload_ice_extension *out);

/* Whether a link type uses no ICE; true for DTLS_UDP_SR_NO_ICE and TLS_TCP_FH_NO_ICE. */
static inline bool reload_overlay_link_is_no_ice(uint8_t overlay_link)
{
    return overlay_link == RELOAD_OVERLAY_LINK_DTLS_UDP_SR_NO_ICE ||
           overlay_link == RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE;
}

/* s6.5.1.1: candidates that use ICE and candidates that do not must not appear together. Unknown
 * link types do not count. Returns 0, RELOAD_E_INVALID, or RELOAD_E_DECODE when it is no list. */
RELOAD_MUST_USE int reload_ice_candidates_validate(struct reload_slice candidates);

#endif
