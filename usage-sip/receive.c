#include "usage-sip/internal.h"

#include <stdio.h>

/* A message that came in: to its transaction, or a new one (RFC 3261 s8.2, s17.1.3, s17.2.3). */

#define RETRY_AFTER_MAX_S 10

/* s8.2.2.3 */
static void add_unsupported(const osip_message_t *request, osip_message_t *response)
{
    osip_header_t *require;
    for (int at = 0; (at = osip_message_header_get_byname(request, "require", at, &require)) >= 0;
         at++)
        reload_sip_add_header(response, "Unsupported", require->hvalue);
}

/* RFC 3261 s14.2: a random time, so that those who were sent away do not all come back at once. */
static void add_retry_after(struct reload_sip_agent *agent, osip_message_t *response)
{
    char seconds[8];
    (void)snprintf(seconds, sizeof seconds, "%u",
                   (unsigned)(reload_random_u64(&agent->random) % (RETRY_AFTER_MAX_S + 1)));
    reload_sip_add_header(response, "Retry-After", seconds);
}

/* s13.3.1.3, s20.43 */
static void add_warning(const struct reload_sip_agent *agent, osip_message_t *response)
{
    char node[RELOAD_NODE_ID_TEXT], text[512];
    (void)snprintf(text, sizeof text, "399 %s.%s \"only Opus over DTLS-SRTP is spoken here\"",
                   reload_node_id_text(&agent->self, node), agent->overlay);
    reload_sip_add_header(response, "Warning", text);
}

static void explain(struct reload_sip_agent *agent, const osip_message_t *request, int status,
                    osip_message_t *response)
{
    if (status == 420)
        add_unsupported(request, response);
    if (status == 405 || (status == 200 && MSG_IS_OPTIONS(request)))
        reload_sip_add_header(response, "Allow", RELOAD_SIP_ALLOWED);
    if (status == 200 && MSG_IS_OPTIONS(request))
        reload_sip_add_header(response, "Accept", "application/sdp, text/plain");
    if (status == 415) {
        reload_sip_add_header(response, "Accept",
                              MSG_IS_INVITE(request) ? "application/sdp" : "text/*");
        reload_sip_add_header(response, "Accept-Encoding", "identity");
    }
    if (status == 488)
        add_warning(agent, response);
    if (status == 503 || status == 500)
        add_retry_after(agent, response);
}

void reload_sip_answer_stateless(struct reload_sip_agent *agent, uint32_t channel,
                                 const osip_message_t *request, int status)
{
    char tag[RELOAD_SIP_ID_TEXT];
    uint64_t hash = reload_sip_mix(agent->secret, reload_sip_branch(request));
    hash = reload_sip_mix(hash, request->call_id->number);
    hash = reload_sip_mix(hash, reload_sip_tag(request->from));
    (void)snprintf(tag, sizeof tag, "%016llx", (unsigned long long)hash);
    osip_message_t *response = reload_sip_response_new(request, status, tag);
    if (!response)
        return;
    explain(agent, request, status, response);
    (void)reload_sip_channel_send(agent, channel, response);
    osip_message_free(response);
}

void reload_sip_answer_plain(struct reload_sip_agent *agent, osip_transaction_t *transaction,
                             int status)
{
    char tag[RELOAD_SIP_ID_TEXT];
    const osip_message_t *request = transaction->orig_request;
    reload_sip_identifier(agent, tag);
    osip_message_t *response = reload_sip_response_new(request, status, tag);
    if (response)
        explain(agent, request, status, response);
    reload_sip_transaction_respond(agent, transaction, response);
}

static void refuse(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                   const osip_message_t *request, int status, enum reload_sip_refusal refusal)
{
    reload_sip_refused(agent, refusal, channel);
    if (!MSG_IS_ACK(request)) /* s17.1.1.3: never answered */
        reload_sip_answer_stateless(agent, channel->number, request, status);
}

/* --- answers --- */

/* s8.1.3.3, s18.1.2: the only Via is ours. */
static bool is_for_us(const struct reload_sip_agent *agent, const osip_message_t *answer)
{
    char node[RELOAD_NODE_ID_TEXT], host[512];
    const osip_via_t *via = osip_list_get(&answer->vias, 0);
    (void)snprintf(host, sizeof host, "%s.%s", reload_node_id_text(&agent->self, node),
                   agent->overlay);
    return osip_list_size(&answer->vias) == 1 && via->host && osip_strcasecmp(via->host, host) == 0;
}

static void receive_answer(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                           osip_message_t *answer_take)
{
    osip_message_t *copy = NULL;
    osip_transaction_t *transaction =
        is_for_us(agent, answer_take) ? reload_sip_transaction_match(agent, answer_take) : NULL;
    bool invite = strcmp(answer_take->cseq->method, "INVITE") == 0;
    if (!transaction || transaction->out_socket != (int)channel->number) {
        if (!transaction && invite && MSG_IS_STATUS_2XX(answer_take))
            reload_sip_call_stray(agent, channel, answer_take);
        else
            reload_sip_refused(agent,
                               transaction ? RELOAD_SIP_REFUSED_REUSE : RELOAD_SIP_REFUSED_RESPONSE,
                               channel);
        osip_message_free(answer_take);
        return;
    }
    bool again = transaction->state == ICT_COMPLETED || transaction->state == NICT_COMPLETED;
    uint32_t owner = reload_sip_transaction_owner(transaction), number = channel->number;
    int status = answer_take->status_code;
    if (!again && osip_message_clone(answer_take, &copy) != 0)
        copy = NULL;
    reload_sip_transaction_feed(agent, transaction, answer_take);
    if (copy)
        reload_sip_outcome(agent, owner, number, status, copy);
    osip_message_free(copy);
}

/* --- requests --- */

/* The caller is who its certificate says. In a dialog, the one with whom it was made. */
static bool identity_holds(const struct reload_sip_channel *channel, const osip_message_t *request,
                           const struct reload_sip_call *call)
{
    struct reload_sip_aor from;
    if (channel->user.len == 0)
        return false;
    if (call)
        return reload_sip_aor_equal(&call->far_user, &channel->user);
    return reload_sip_uri_aor(request->from->url, &from) == 0 &&
           reload_sip_aor_equal(&from, &channel->user);
}

static bool is_known_method(const char *method)
{
    static const char *const known[] = { "INVITE", "CANCEL", "BYE", "OPTIONS", "MESSAGE" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(method, known[i]) == 0)
            return true;
    return false;
}

static bool is_for_user(const struct reload_sip_agent *agent, const osip_message_t *request)
{
    struct reload_sip_aor aor;
    return reload_sip_uri_aor(request->req_uri, &aor) == 0 &&
           reload_sip_aor_equal(&aor, &agent->user);
}

/* s8.2.3: a body in an encoding is not understood. */
static bool is_encoded(const osip_message_t *request)
{
    const osip_body_t *body = osip_list_get(&request->bodies, 0);
    for (int i = 0; body && body->length && !osip_list_eol(&request->content_encodings, i); i++) {
        const osip_content_encoding_t *encoding = osip_list_get(&request->content_encodings, i);
        if (!encoding->value || osip_strcasecmp(encoding->value, "identity") != 0)
            return true;
    }
    return false;
}

/* Why a request that opens a transaction is refused at once: the status, or 0. */
static int judge_new(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                     const osip_message_t *request, struct reload_sip_call *call,
                     enum reload_sip_refusal *refusal)
{
    bool in_dialog = reload_sip_tag(request->to)[0] != '\0';
    *refusal = RELOAD_SIP_REFUSED_IDENTITY;
    if (!identity_holds(channel, request, call))
        return 403;
    *refusal = RELOAD_SIP_REFUSED_METHOD;
    if (!is_known_method(request->sip_method))
        return 405;
    *refusal = RELOAD_SIP_REFUSED_DIALOG;
    if (!call && in_dialog && !MSG_IS_CANCEL(request))
        return 481; /* s12.2.2 */
    if (!call && MSG_IS_BYE(request))
        return 481;
    *refusal = RELOAD_SIP_REFUSED_NOT_HERE;
    if (!call && !is_for_user(agent, request))
        return 404; /* s8.2.2.1 */
    *refusal = RELOAD_SIP_REFUSED_CONTENT;
    if (is_encoded(request))
        return 415;
    *refusal = RELOAD_SIP_REFUSED_SEQUENCE;
    if (call && reload_sip_cseq(request) <= call->remote_cseq && !MSG_IS_CANCEL(request))
        return 500; /* s12.2.2 */
    *refusal = RELOAD_SIP_REFUSED_TRANSACTIONS_OF_USER;
    if (reload_sip_transactions_of_user(agent, channel) >= agent->limits.max_transactions_from_user)
        return 503;
    *refusal = RELOAD_SIP_REFUSED_TRANSACTIONS;
    return agent->transactions >= agent->limits.max_transactions ? 503 : 0;
}

static void serve(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                  struct reload_sip_call *call, osip_message_t *request_take)
{
    uint32_t cseq = reload_sip_cseq(request_take);
    osip_transaction_t *transaction = reload_sip_transaction_serve(agent, channel, request_take);
    if (!transaction)
        return;
    const osip_message_t *request = transaction->orig_request;
    if (call && !MSG_IS_CANCEL(request)) {
        call->remote_cseq = cseq;
        call->channel = channel->number;
    }
    if (MSG_IS_CANCEL(request))
        reload_sip_cancel_arrived(agent, channel, transaction);
    else if (MSG_IS_INVITE(request) && call)
        reload_sip_reinvite_arrived(agent, call, transaction);
    else if (MSG_IS_INVITE(request))
        reload_sip_invite_arrived(agent, channel, transaction);
    else if (MSG_IS_BYE(request))
        reload_sip_bye_arrived(agent, call, transaction);
    else if (MSG_IS_MESSAGE(request))
        reload_sip_message_arrived(agent, channel, transaction);
    else
        reload_sip_answer_plain(agent, transaction, 200); /* OPTIONS, s11.2 */
}

/* In one transaction there is one method, and one channel: another's may not touch it. */
static bool belongs_to(const osip_transaction_t *transaction,
                       const struct reload_sip_channel *channel, const osip_message_t *request)
{
    return transaction->in_socket == (int)channel->number &&
           (MSG_IS_ACK(request) || strcmp(transaction->cseq->method, request->sip_method) == 0);
}

static void receive_request(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                            osip_message_t *request_take)
{
    enum reload_sip_refusal refusal;
    osip_transaction_t *transaction = reload_sip_transaction_match(agent, request_take);
    if (transaction && belongs_to(transaction, channel, request_take)) {
        reload_sip_transaction_feed(agent, transaction, request_take);
        return;
    }
    struct reload_sip_call *call = reload_sip_call_of_dialog(agent, request_take);
    if (transaction) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_REUSE, channel);
    } else if (MSG_IS_ACK(request_take)) {
        reload_sip_ack_arrived(agent, channel, request_take);
    } else {
        int status = judge_new(agent, channel, request_take, call, &refusal);
        if (status == 0 && !(MSG_IS_INVITE(request_take) && !call &&
                             reload_sip_invite_again(agent, channel, request_take))) {
            serve(agent, channel, call, request_take);
            return;
        }
        if (status != 0)
            refuse(agent, channel, request_take, status, refusal);
    }
    osip_message_free(request_take);
}

void reload_sip_receive(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                        struct reload_slice bytes)
{
    struct reload_sip_reading reading;
    agent->counters.received++;
    reload_sip_read(bytes, &reading);
    if (!reading.message) {
        reload_sip_refused(agent, reading.refusal, channel);
        return;
    }
    bool request = MSG_IS_REQUEST(reading.message);
    if (reading.status == 0 && request) {
        receive_request(agent, channel, reading.message);
        return;
    }
    if (reading.status == 0) {
        receive_answer(agent, channel, reading.message);
        return;
    }
    if (request)
        refuse(agent, channel, reading.message, reading.status, reading.refusal);
    else
        reload_sip_refused(agent, reading.refusal, channel);
    osip_message_free(reading.message);
}
