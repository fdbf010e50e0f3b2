#ifndef PEER_PHONE_CANDIDATE_H
#define PEER_PHONE_CANDIDATE_H

#include "ice/ice.h"
#include "usage-sip/sdp.h"

/* Between what SDP says of ICE (RFC 8839) and what an ICE channel takes. */

/* The longest list: RELOAD_SIP_CANDIDATES_MAX of the longest candidates. */
#define RELOAD_PHONE_CANDIDATES_LEN (RELOAD_SIP_CANDIDATES_MAX * 96)

struct reload_link_address reload_phone_address(const struct reload_sip_address *address);
struct reload_sip_address reload_phone_sdp_address(const struct reload_link_address *address);

/* The candidates of a description, as reload_ice_channel_set_remote() takes them. Peer-reflexive
 * ones are of no use in a description and left out. RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_phone_candidates_encode(const struct reload_sip_media *media,
                                                   struct reload_writer *w);
/* Credentials, candidates and default address (RFC 8445 s5.1.4: the one that most likely works for
 * whoever does no ICE) of a channel that has gathered. */
void reload_phone_describe_channel(const struct reload_ice_channel *channel,
                                   struct reload_sip_media *out);

#endif
