#include "usage-sip/internal.h"

#include "reload/alloc.h"
#include "usage-sip/reason.h"

/* Being called (RFC 3261 s13.3). */

static struct reload_sip_call *call_of_invite(struct reload_sip_agent *agent,
                                              const osip_message_t *invite)
{
    const char *tag = reload_sip_tag(invite->from);
    struct reload_sip_call *call;
    TAILQ_FOREACH(call, &agent->calls, link)
    if (!call->outgoing && strcmp(call->remote_tag, tag) == 0 &&
        strcmp(call->call_id, invite->call_id->number) == 0)
        return call;
    return NULL;
}

bool reload_sip_invite_again(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                             const osip_message_t *invite)
{
    struct reload_sip_call *call = call_of_invite(agent, invite);
    if (!call)
        return false;
    if (strcmp(call->branch, reload_sip_branch(invite)) == 0) { /* its 2xx was lost */
        if (call->accepted.response)
            reload_sip_accepted_repeat(agent, call);
        return true;
    }
    reload_sip_refused(agent, RELOAD_SIP_REFUSED_LOOP, channel);
    reload_sip_answer_stateless(agent, channel->number, invite, 482); /* s8.2.2.2 */
    return true;
}

static size_t calls_from(const struct reload_sip_agent *agent, const struct reload_sip_aor *user)
{
    const struct reload_sip_call *call;
    size_t count = 0;
    TAILQ_FOREACH(call, &agent->calls, link)
    count += !call->outgoing && reload_sip_aor_equal(&call->far_user, user);
    return count;
}

/* The status to refuse with at once, or 0. */
static int judge_invite(struct reload_sip_agent *agent, const struct reload_sip_channel *channel,
                        const osip_message_t *invite, struct reload_sip_sdp *offer,
                        enum reload_sip_refusal *refusal)
{
    *refusal = RELOAD_SIP_REFUSED_CALLS;
    if (agent->call_count >= agent->limits.max_calls)
        return 503;
    *refusal = RELOAD_SIP_REFUSED_CALLS_OF_USER;
    if (calls_from(agent, &channel->user) >= agent->limits.max_calls_from_user)
        return 486;
    *refusal = RELOAD_SIP_REFUSED_INVALID;
    if (strlen(invite->call_id->number) >= sizeof((struct reload_sip_call *)0)->call_id ||
        strlen(reload_sip_tag(invite->from)) >= sizeof((struct reload_sip_call *)0)->remote_tag ||
        strlen(reload_sip_branch(invite)) >= sizeof((struct reload_sip_call *)0)->branch ||
        osip_list_size(&invite->contacts) != 1) /* s8.1.1.8 */
        return 400;
    int error = reload_sip_session_read(invite, offer);
    *refusal = error == RELOAD_E_INVALID ? RELOAD_SIP_REFUSED_CONTENT : RELOAD_SIP_REFUSED_MEDIA;
    if (error == RELOAD_E_INVALID)
        return 415;
    if (error == RELOAD_E_DECODE)
        return 400;
    return error == 0 || error == RELOAD_E_NOT_FOUND ? 0 : 488;
}

static void take_invite(struct reload_sip_call *call, const struct reload_sip_channel *channel,
                        const osip_message_t *invite)
{
    call->far_user = channel->user;
    call->route = channel->route;
    call->channel = channel->number;
    call->remote_cseq = reload_sip_cseq(invite);
    memcpy(call->call_id, invite->call_id->number, strlen(invite->call_id->number) + 1);
    memcpy(call->remote_tag, reload_sip_tag(invite->from),
           strlen(reload_sip_tag(invite->from)) + 1);
    memcpy(call->branch, reload_sip_branch(invite), strlen(reload_sip_branch(invite)) + 1);
}

static void ring(struct reload_sip_agent *agent, const struct reload_sip_call *call,
                 osip_transaction_t *transaction)
{
    osip_message_t *response =
        reload_sip_response_new(transaction->orig_request, 180, call->local_tag);
    if (response)
        reload_sip_add_contact(agent, response,
                               call->route.application == RELOAD_SIP_APPLICATION_SIPS);
    reload_sip_transaction_respond(agent, transaction, response);
}

static void announce(struct reload_sip_agent *agent, const struct reload_sip_call *call,
                     const char *display)
{
    struct reload_sip_action *action = reload_sip_act_media(
        agent, RELOAD_SIP_ACTION_CALL_INCOMING, call->number,
        call->has_remote ? &call->remote.media : NULL, call->far_user.text, display);
    if (action)
        action->node_id = call->route.node_id;
}

void reload_sip_invite_arrived(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                               osip_transaction_t *transaction)
{
    const osip_message_t *invite = transaction->orig_request;
    struct reload_sip_sdp offer;
    enum reload_sip_refusal refusal;
    int status = judge_invite(agent, channel, invite, &offer, &refusal);
    struct reload_sip_call *call = status == 0 ? reload_sip_call_new(agent, false) : NULL;
    if (!call) {
        reload_sip_refused(agent, status ? refusal : RELOAD_SIP_REFUSED_MEMORY, channel);
        reload_sip_answer_plain(agent, transaction, status ? status : 500);
        return;
    }
    agent->counters.calls_in++;
    take_invite(call, channel, invite);
    call->has_remote = offer.stream_count != 0;
    call->remote = offer;
    reload_sip_transaction_own(transaction, call->number);
    announce(agent, call, invite->from->displayname ? invite->from->displayname : "");
    reload_sip_call_enter(agent, call, RELOAD_SIP_OFFERED, 0);
    ring(agent, call, transaction);
}

int reload_sip_agent_answer(struct reload_sip_agent *agent, uint32_t number,
                            const struct reload_sip_media *media, struct reload_time now)
{
    struct reload_sip_call *call = reload_sip_call_find(agent, number);
    reload_sip_enter(agent, now);
    osip_transaction_t *transaction = reload_sip_transaction_invite(agent, number);
    if (!call || call->state != RELOAD_SIP_OFFERED || !transaction)
        return RELOAD_E_STATE;
    char *text = NULL;
    struct reload_sip_media local = *media;
    int error = call->has_remote ? reload_sip_session_answer(call, media, &text)
                                 : reload_sip_session_offer(call, &local, false, &text);
    if (error == 0)
        error = reload_sip_call_accept(agent, call, transaction, text);
    reload_free(text);
    if (error != 0)
        return error;
    if (!call->has_remote) { /* s13.3.1: the ACK brings the answer */
        call->accepted.offered = true;
        call->accepted.local = local;
        call->controlling = true;
    }
    reload_sip_call_enter(agent, call, RELOAD_SIP_ACCEPTED, 200);
    if (call->has_remote)
        reload_sip_session_tell(agent, call);
    reload_sip_settle(agent);
    return 0;
}

void reload_sip_call_refuse(struct reload_sip_agent *agent, struct reload_sip_call *call,
                            int status)
{
    osip_transaction_t *transaction = reload_sip_transaction_invite(agent, call->number);
    if (transaction)
        reload_sip_transaction_respond(
            agent, transaction,
            reload_sip_response_new(transaction->orig_request, status, call->local_tag));
    reload_sip_call_enter(agent, call, RELOAD_SIP_ENDED, status);
}

int reload_sip_agent_decline(struct reload_sip_agent *agent, uint32_t number, int status,
                             struct reload_time now)
{
    struct reload_sip_call *call = reload_sip_call_find(agent, number);
    reload_sip_enter(agent, now);
    if (status < 400 || status > 699)
        return RELOAD_E_INVALID;
    if (!call || call->state != RELOAD_SIP_OFFERED)
        return RELOAD_E_STATE;
    reload_sip_call_refuse(agent, call, status);
    reload_sip_settle(agent);
    return 0;
}

/* What a BYE or CANCEL gives as its reason (RFC 3326), or 0. */
static int cause_in(const osip_message_t *request)
{
    osip_header_t *header;
    for (int at = 0; (at = osip_message_header_get_byname(request, "reason", at, &header)) >= 0;
         at++) {
        const char *value = header->hvalue ? header->hvalue : "";
        int cause = reload_sip_reason_read(reload_slice_of(value, strlen(value)));
        if (cause)
            return cause;
    }
    return 0;
}

/* s9.2: by the branch of the INVITE, which only who made it knows. */
void reload_sip_cancel_arrived(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                               osip_transaction_t *transaction)
{
    struct reload_sip_call *call = call_of_invite(agent, transaction->orig_request);
    bool found = call && call->state == RELOAD_SIP_OFFERED && call->channel == channel->number &&
                 strcmp(call->branch, reload_sip_branch(transaction->orig_request)) == 0;
    bool late = call ? call->state != RELOAD_SIP_OFFERED /* s9.2: without effect */
                     : reload_sip_transaction_cancels(agent, channel, transaction->orig_request);
    if (!found && !late)
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_DIALOG, channel);
    reload_sip_answer_plain(agent, transaction, found || late ? 200 : 481);
    if (!found)
        return;
    call->cause = cause_in(transaction->orig_request);
    reload_sip_call_refuse(agent, call, 487);
}

void reload_sip_bye_arrived(struct reload_sip_agent *agent, struct reload_sip_call *call,
                            osip_transaction_t *transaction)
{
    call->cause = cause_in(transaction->orig_request);
    int status = call->end_status ? call->end_status : call->cause >= 300 ? call->cause : 200;
    reload_sip_answer_plain(agent, transaction, 200);
    if (call->change == RELOAD_SIP_CHANGE_OFFERED)
        reload_sip_change_refuse(agent, call, 487); /* s15.1.2 */
    if (call->state == RELOAD_SIP_OFFERED)
        reload_sip_call_refuse(agent, call, 487);
    else
        reload_sip_call_enter(agent, call, RELOAD_SIP_ENDED, status);
}

/* The answer to an offer that our 2xx made. */
static bool answer_in_ack(struct reload_sip_agent *agent, struct reload_sip_call *call,
                          const struct reload_sip_media *local, const osip_message_t *ack)
{
    if (reload_sip_session_answered(call, local, ack) == 0)
        return true;
    reload_sip_refused(agent, RELOAD_SIP_REFUSED_MEDIA, NULL);
    reload_sip_call_bye(agent, call, 488);
    return false;
}

void reload_sip_ack_arrived(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                            const osip_message_t *ack)
{
    struct reload_sip_call *call = reload_sip_call_of_dialog(agent, ack);
    if (!call || !call->accepted.response || call->accepted.cseq != reload_sip_cseq(ack) ||
        !reload_sip_aor_equal(&call->far_user, &channel->user)) {
        if (!call || !reload_sip_aor_equal(&call->far_user, &channel->user))
            reload_sip_refused(agent, RELOAD_SIP_REFUSED_ACK, channel);
        return; /* else one more of an ACK that was repeated */
    }
    bool offered = call->accepted.offered;
    const struct reload_sip_media local = call->accepted.local;
    reload_sip_accepted_clear(call);
    if (call->state == RELOAD_SIP_ACCEPTED)
        reload_sip_call_enter(agent, call, RELOAD_SIP_ESTABLISHED, 200);
    if (offered && answer_in_ack(agent, call, &local, ack))
        reload_sip_session_tell(agent, call);
}
