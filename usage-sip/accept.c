#include "usage-sip/internal.h"

/* A 2xx to an INVITE is sent again until its ACK comes, on any transport (RFC 3261 s13.3.1.4). */

#define REPEAT_MAX_MS 4000 /* T2 */

void reload_sip_accepted_clear(struct reload_sip_call *call)
{
    osip_message_free(call->accepted.response);
    call->accepted = (struct reload_sip_accepted){ 0 };
}

static osip_message_t *response_of(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                   const osip_message_t *invite, const char *description,
                                   bool secure)
{
    osip_message_t *response = reload_sip_response_new(invite, 200, call->local_tag);
    if (!response)
        return NULL;
    reload_sip_add_contact(agent, response, secure);
    reload_sip_add_header(response, "Allow", RELOAD_SIP_ALLOWED);
    if (reload_sip_add_body(response, "application/sdp", description, strlen(description)) == 0)
        return response;
    osip_message_free(response);
    return NULL;
}

int reload_sip_call_accept(struct reload_sip_agent *agent, struct reload_sip_call *call,
                           osip_transaction_t *transaction, const char *description)
{
    osip_message_t *invite = transaction->orig_request, *kept = NULL;
    const struct reload_sip_channel *channel = reload_sip_channel_find(agent, call->channel);
    bool secure = channel && channel->route.application == RELOAD_SIP_APPLICATION_SIPS;
    osip_message_t *response = response_of(agent, call, invite, description, secure);
    if (!response || osip_message_clone(response, &kept) != 0 ||
        (!call->dialog && osip_dialog_init_as_uas(&call->dialog, invite, response) != 0)) {
        osip_message_free(response);
        osip_message_free(kept);
        return RELOAD_E_NOMEM;
    }
    reload_sip_accepted_clear(call);
    call->accepted = (struct reload_sip_accepted){
        .response = kept,
        .cseq = reload_sip_cseq(invite),
        .repeat_ms = agent->now.monotonic_ms + RELOAD_SIP_T1_MS,
        .until_ms = agent->now.monotonic_ms + 64 * RELOAD_SIP_T1_MS,
        .interval_ms = RELOAD_SIP_T1_MS,
    };
    reload_sip_transaction_respond(agent, transaction, response);
    return 0;
}

void reload_sip_accepted_repeat(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    agent->counters.retransmitted++;
    (void)reload_sip_channel_send(agent, call->channel, call->accepted.response);
}

bool reload_sip_accepted_tick(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    struct reload_sip_accepted *accepted = &call->accepted;
    uint64_t now = agent->now.monotonic_ms;
    if (!accepted->response || now < accepted->repeat_ms)
        return true;
    if (now >= accepted->until_ms) {
        reload_sip_call_bye(agent, call, 408);
        return false;
    }
    reload_sip_accepted_repeat(agent, call);
    accepted->interval_ms =
        accepted->interval_ms * 2 < REPEAT_MAX_MS ? accepted->interval_ms * 2 : REPEAT_MAX_MS;
    accepted->repeat_ms = now + accepted->interval_ms;
    if (accepted->repeat_ms > accepted->until_ms)
        accepted->repeat_ms = accepted->until_ms;
    return true;
}
