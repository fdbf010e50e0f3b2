#include "ice/stun_client.h"

#include <stun/stunagent.h>

/* An answer to a Binding request may carry these; the list ends with 0. */
static uint16_t known_attributes[] = { STUN_ATTRIBUTE_MAPPED_ADDRESS,
                                       STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, STUN_ATTRIBUTE_ERROR_CODE,
                                       STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, 0 };

void reload_ice_stun_client_init(struct reload_ice_stun_client *client,
                                 const struct reload_random *random)
{
    *client = (struct reload_ice_stun_client){ .random = *random };
}

int reload_ice_stun_client_ask(struct reload_ice_stun_client *client,
                               const struct reload_link_address *server, uint64_t cookie,
                               struct reload_time now)
{
    if (reload_ice_address_scope(server) == RELOAD_ICE_SCOPE_BAD || server->port == 0)
        return RELOAD_E_INVALID;
    for (size_t i = 0; i < RELOAD_ICE_STUN_PENDING_MAX; i++) {
        struct reload_ice_stun_question *q = &client->questions[i];
        if (q->used)
            continue;
        *q = (struct reload_ice_stun_question){
            .used = true, .server = *server, .cookie = cookie, .next_ms = now.monotonic_ms
        };
        client->random.fill(client->random.context, q->transaction_id, sizeof q->transaction_id);
        return 0;
    }
    return RELOAD_E_LIMIT;
}

void reload_ice_stun_client_forget(struct reload_ice_stun_client *client, uint64_t cookie)
{
    for (size_t i = 0; i < RELOAD_ICE_STUN_PENDING_MAX; i++)
        if (client->questions[i].cookie == cookie)
            client->questions[i].used = false;
}

/* RFC 5389 s6: a Binding request without attributes. */
static void write_request(const struct reload_ice_stun_question *q,
                          uint8_t out[RELOAD_ICE_STUN_REQUEST_LEN])
{
    struct reload_writer w = reload_writer_of(out, RELOAD_ICE_STUN_REQUEST_LEN);
    reload_wr_u16(&w, STUN_BINDING);
    reload_wr_u16(&w, 0);
    reload_wr_u32(&w, STUN_MAGIC_COOKIE);
    reload_wr_bytes(&w, reload_slice_of(q->transaction_id, sizeof q->transaction_id));
}

/* RFC 5389 s7.2.1 */
static uint64_t wait_after(unsigned int sends)
{
    return sends == RELOAD_ICE_STUN_SENDS_MAX ? RELOAD_ICE_STUN_LAST_MS
                                              : (uint64_t)RELOAD_ICE_STUN_RTO_MS << (sends - 1);
}

bool reload_ice_stun_client_next(struct reload_ice_stun_client *client, struct reload_time now,
                                 uint8_t out[RELOAD_ICE_STUN_REQUEST_LEN],
                                 struct reload_link_address *to)
{
    for (size_t i = 0; i < RELOAD_ICE_STUN_PENDING_MAX; i++) {
        struct reload_ice_stun_question *q = &client->questions[i];
        if (!q->used || q->next_ms > now.monotonic_ms || q->sends == RELOAD_ICE_STUN_SENDS_MAX)
            continue;
        q->asked_ms = now.monotonic_ms;
        q->sends++;
        q->next_ms = now.monotonic_ms + wait_after(q->sends);
        write_request(q, out);
        *to = q->server;
        return true;
    }
    return false;
}

static struct reload_ice_stun_question *question(struct reload_ice_stun_client *client,
                                                 struct reload_slice datagram,
                                                 const struct reload_link_address *from)
{
    for (size_t i = 0; i < RELOAD_ICE_STUN_PENDING_MAX; i++) {
        struct reload_ice_stun_question *q = &client->questions[i];
        if (q->used && q->sends > 0 && reload_link_address_equal(&q->server, from) &&
            memcmp(q->transaction_id, datagram.p + 8, sizeof q->transaction_id) == 0)
            return q;
    }
    return NULL;
}

static int answer_of(const StunMessage *message, struct reload_link_address *reflexive)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof address;
    if (stun_message_get_class(message) == STUN_ERROR)
        return RELOAD_E_FORBIDDEN;
    if (stun_message_find_xor_addr(message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address, &len) !=
        STUN_MESSAGE_RETURN_SUCCESS)
        return RELOAD_E_DECODE;
    *reflexive = reload_ice_address_from_socket((const struct sockaddr *)&address);
    bool usable =
        reload_ice_address_scope(reflexive) != RELOAD_ICE_SCOPE_BAD && reflexive->port != 0;
    return usable ? 0 : RELOAD_E_DECODE;
}

/* The shape of an answer: whole, with the cookie, Binding, success or error, and nothing in it that
 * has to be understood and is not (RFC 5389 s7.3.3). */
static bool is_answer(StunMessage *message, struct reload_slice datagram)
{
    *message =
        (StunMessage){ .buffer = (uint8_t *)(uintptr_t)datagram.p, .buffer_len = datagram.n };
    if (datagram.n > UINT16_MAX || datagram.n < RELOAD_ICE_STUN_REQUEST_LEN ||
        stun_message_validate_buffer_length(datagram.p, datagram.n, true) != (int)datagram.n ||
        !stun_message_has_cookie(message))
        return false;
    StunClass class = stun_message_get_class(message);
    return stun_message_get_method(message) == STUN_BINDING &&
           (class == STUN_RESPONSE || class == STUN_ERROR);
}

/* Lets the library judge FINGERPRINT and unknown attributes, for the one id that is awaited. */
static bool is_valid(StunMessage *message, struct reload_slice datagram,
                     const struct reload_ice_stun_question *q)
{
    StunAgent agent;
    unsigned int usage = STUN_AGENT_USAGE_IGNORE_CREDENTIALS;
    if (stun_message_has_attribute(message, STUN_ATTRIBUTE_FINGERPRINT))
        usage |= STUN_AGENT_USAGE_USE_FINGERPRINT;
    stun_agent_init(&agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
                    (StunAgentUsageFlags)usage);
    agent.sent_ids[0] = (StunAgentSavedIds){ .method = STUN_BINDING, .valid = true };
    /* The library compares the cookie with the id. */
    memcpy(agent.sent_ids[0].id, datagram.p + 4, 4);
    memcpy(agent.sent_ids[0].id + 4, q->transaction_id, sizeof q->transaction_id);
    return stun_agent_validate(&agent, message, datagram.p, datagram.n, NULL, NULL) ==
           STUN_VALIDATION_SUCCESS;
}

int reload_ice_stun_client_receive(struct reload_ice_stun_client *client,
                                   struct reload_slice datagram,
                                   const struct reload_link_address *from, struct reload_time now,
                                   struct reload_ice_stun_result *result)
{
    StunMessage message;
    struct reload_link_address reflexive = { 0 };
    if (!is_answer(&message, datagram)) {
        client->malformed++;
        return RELOAD_E_DECODE;
    }
    struct reload_ice_stun_question *q = question(client, datagram, from);
    if (!q) {
        client->forged++;
        return RELOAD_E_NOT_FOUND;
    }
    int error = is_valid(&message, datagram, q) ? answer_of(&message, &reflexive) : RELOAD_E_DECODE;
    if (error == RELOAD_E_DECODE) { /* the right answer may still come */
        client->malformed++;
        return error;
    }
    client->answers++;
    q->used = false;
    *result = (struct reload_ice_stun_result){ .cookie = q->cookie,
                                               .server = q->server,
                                               .reflexive = reflexive,
                                               .rtt_ms = now.monotonic_ms - q->asked_ms };
    return error;
}

bool reload_ice_stun_client_expired(struct reload_ice_stun_client *client, struct reload_time now,
                                    struct reload_ice_stun_result *result)
{
    for (size_t i = 0; i < RELOAD_ICE_STUN_PENDING_MAX; i++) {
        struct reload_ice_stun_question *q = &client->questions[i];
        if (!q->used || q->sends < RELOAD_ICE_STUN_SENDS_MAX || q->next_ms > now.monotonic_ms)
            continue;
        q->used = false;
        client->timeouts++;
        *result = (struct reload_ice_stun_result){ .cookie = q->cookie, .server = q->server };
        return true;
    }
    return false;
}

uint64_t reload_ice_stun_client_deadline(const struct reload_ice_stun_client *client)
{
    uint64_t deadline = RELOAD_NEVER;
    for (size_t i = 0; i < RELOAD_ICE_STUN_PENDING_MAX; i++)
        if (client->questions[i].used && client->questions[i].next_ms < deadline)
            deadline = client->questions[i].next_ms;
    return deadline;
}
