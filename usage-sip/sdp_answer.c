#include "usage-sip/sdp.h"

/* What we send is what they are willing to hear, and the other way round (RFC 3264 s6.1). */
enum reload_sip_direction reload_sip_direction_answer(enum reload_sip_direction offer,
                                                      enum reload_sip_direction wish)
{
    unsigned mirrored = (offer & RELOAD_SIP_SENDONLY ? RELOAD_SIP_RECVONLY : 0u) |
                        (offer & RELOAD_SIP_RECVONLY ? RELOAD_SIP_SENDONLY : 0u);
    return (enum reload_sip_direction)(mirrored & wish);
}

enum reload_sip_setup reload_sip_setup_answer(enum reload_sip_setup offer)
{
    return offer == RELOAD_SIP_ACTIVE ? RELOAD_SIP_PASSIVE : RELOAD_SIP_ACTIVE;
}

static bool roles_fit(enum reload_sip_setup offer, enum reload_sip_setup answer)
{
    switch (offer) {
    case RELOAD_SIP_ACTPASS: return answer != RELOAD_SIP_ACTPASS;
    case RELOAD_SIP_ACTIVE: return answer == RELOAD_SIP_PASSIVE;
    case RELOAD_SIP_PASSIVE: return answer == RELOAD_SIP_ACTIVE;
    }
    return false;
}

int reload_sip_answer_check(const struct reload_sip_media *offer, size_t offer_streams,
                            const struct reload_sip_sdp *answer)
{
    if (answer->stream_count != offer_streams || !roles_fit(offer->setup, answer->media.setup))
        return RELOAD_E_INVALID;
    /* RFC 3264 s6.1: an answer that uses other numbers than the offer is legal for what we get,
     * but RFC 7587 gives no reason to, and one number both ways is what media speaks. */
    if (answer->media.opus_payload != offer->opus_payload)
        return RELOAD_E_INVALID;
    return 0;
}
