#include "ice/stun.h"

#include <stun/stunagent.h>

/* What a Binding request may carry that has to be understood; credentials are stepped over, because
 * this service is for everyone. The list ends with 0. */
static uint16_t known_attributes[] = { STUN_ATTRIBUTE_MAPPED_ADDRESS, STUN_ATTRIBUTE_USERNAME,
                                       STUN_ATTRIBUTE_MESSAGE_INTEGRITY, 0 };

bool reload_ice_stun_is(struct reload_slice datagram)
{
    return datagram.n > 0 && datagram.p[0] <= 3;
}

static bool is_whole(struct reload_slice datagram)
{
    return reload_ice_stun_is(datagram) && datagram.n <= UINT16_MAX &&
           stun_message_validate_buffer_length(datagram.p, datagram.n, true) == (int)datagram.n;
}

/* FINGERPRINT is optional (RFC 5389 s8), but one that is there must be right. Without the magic
 * cookie it is the older STUN of RFC 3489, which knows none. */
static StunValidationStatus validate(StunAgent *agent, StunMessage *request,
                                     struct reload_slice datagram)
{
    *request =
        (StunMessage){ .buffer = (uint8_t *)(uintptr_t)datagram.p, .buffer_len = datagram.n };
    bool cookie = stun_message_has_cookie(request);
    unsigned int usage = STUN_AGENT_USAGE_IGNORE_CREDENTIALS;
    if (cookie && stun_message_has_attribute(request, STUN_ATTRIBUTE_FINGERPRINT))
        usage |= STUN_AGENT_USAGE_USE_FINGERPRINT;
    stun_agent_init(agent, known_attributes,
                    cookie ? STUN_COMPATIBILITY_RFC5389 : STUN_COMPATIBILITY_RFC3489,
                    (StunAgentUsageFlags)usage);
    return stun_agent_validate(agent, request, datagram.p, datagram.n, NULL, NULL);
}

/* RFC 5389 s12.2: a client of RFC 3489 gets MAPPED-ADDRESS. libnice gathers as one. */
static size_t success(StunAgent *agent, const StunMessage *request,
                      const struct reload_link_address *from, uint8_t *out, size_t cap)
{
    StunMessage answer;
    struct sockaddr_storage address;
    socklen_t address_len = reload_ice_address_to_socket(from, &address);
    if (!stun_agent_init_response(agent, &answer, out, cap, request))
        return 0;
    StunMessageReturn done =
        stun_message_has_cookie(request)
            ? stun_message_append_xor_addr(&answer, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address,
                                           address_len)
            : stun_message_append_addr(&answer, STUN_ATTRIBUTE_MAPPED_ADDRESS,
                                       (const struct sockaddr *)&address, address_len);
    return done == STUN_MESSAGE_RETURN_SUCCESS ? stun_agent_finish_message(agent, &answer, NULL, 0)
                                               : 0;
}

static size_t unknown_attribute(StunAgent *agent, const StunMessage *request, uint8_t *out,
                                size_t cap)
{
    StunMessage answer;
    return stun_agent_build_unknown_attributes_error(agent, &answer, out, cap, request);
}

static int drop(uint64_t *counter, size_t *len, int error)
{
    ++*counter;
    *len = 0;
    return error;
}

int reload_ice_stun_answer(struct reload_ice_stun_stats *stats, struct reload_slice datagram,
                           const struct reload_link_address *from, uint8_t *out, size_t cap,
                           size_t *len)
{
    StunAgent agent;
    StunMessage request;
    *len = 0;
    if (cap < RELOAD_ICE_STUN_ANSWER_MAX)
        return RELOAD_E_NOSPACE;
    if (!is_whole(datagram))
        return drop(&stats->malformed, len, RELOAD_E_DECODE);
    StunValidationStatus status = validate(&agent, &request, datagram);
    if (status != STUN_VALIDATION_SUCCESS && status != STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE &&
        status != STUN_VALIDATION_UNMATCHED_RESPONSE)
        return drop(&stats->malformed, len, RELOAD_E_DECODE);
    if (stun_message_get_class(&request) != STUN_REQUEST ||
        stun_message_get_method(&request) != STUN_BINDING)
        return drop(&stats->other, len, RELOAD_E_UNSUPPORTED);
    bool known = status == STUN_VALIDATION_SUCCESS;
    *len = known ? success(&agent, &request, from, out, cap)
                 : unknown_attribute(&agent, &request, out, cap);
    if (*len == 0 || *len > datagram.n + RELOAD_ICE_STUN_GROWTH_MAX)
        return drop(&stats->refused, len, RELOAD_E_UNSUPPORTED);
    ++*(known ? &stats->answered : &stats->refused);
    return 0;
}
