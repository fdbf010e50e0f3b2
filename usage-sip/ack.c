#include "usage-sip/internal.h"

/* ACK of a 2xx (RFC 3261 s13.2.2.4): outside of the transaction, once for every time it comes. */

static void send_ack(struct reload_sip_agent *agent, uint32_t number, osip_message_t *ack)
{
    struct reload_sip_channel *channel = reload_sip_channel_find(agent, number);
    if (!channel)
        return;
    reload_sip_set_transport(ack, channel->datagram);
    (void)reload_sip_channel_send(agent, number, ack);
}

void reload_sip_call_acknowledge(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                 uint32_t cseq)
{
    osip_message_free(call->ack);
    call->ack = reload_sip_dialog_request(agent, call->dialog, "ACK", cseq,
                                          call->route.application == RELOAD_SIP_APPLICATION_SIPS);
    if (call->ack)
        send_ack(agent, call->channel, call->ack);
}

void reload_sip_call_too_late(struct reload_sip_agent *agent, uint32_t number,
                              osip_message_t *answer)
{
    osip_dialog_t *dialog = NULL;
    struct reload_sip_channel *channel = reload_sip_channel_find(agent, number);
    if (!channel || osip_dialog_init_as_uac(&dialog, answer) != 0)
        return;
    bool secure = channel->route.application == RELOAD_SIP_APPLICATION_SIPS;
    uint32_t cseq = reload_sip_cseq(answer);
    osip_message_t *ack = reload_sip_dialog_request(agent, dialog, "ACK", cseq, secure);
    osip_message_t *bye = reload_sip_dialog_request(agent, dialog, "BYE", cseq + 1, secure);
    if (ack)
        send_ack(agent, number, ack);
    if (bye) {
        reload_sip_add_reason(bye, 200);
        reload_sip_set_transport(bye, channel->datagram);
        reload_sip_transaction_start(agent, number, bye, 0);
    }
    osip_message_free(ack);
    osip_dialog_free(dialog);
}

static struct reload_sip_call *call_of(struct reload_sip_agent *agent, const osip_message_t *answer)
{
    const char *local = reload_sip_tag(answer->from);
    struct reload_sip_call *call;
    TAILQ_FOREACH(call, &agent->calls, link)
    if (strcmp(call->local_tag, local) == 0 && strcmp(call->call_id, answer->call_id->number) == 0)
        return call;
    return NULL;
}

void reload_sip_call_stray(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                           osip_message_t *answer)
{
    struct reload_sip_call *call = call_of(agent, answer);
    bool known = call && call->ack && reload_sip_cseq(call->ack) == reload_sip_cseq(answer) &&
                 reload_sip_aor_equal(&call->far_user, &channel->user);
    if (known && strcmp(call->remote_tag, reload_sip_tag(answer->to)) == 0)
        send_ack(agent, channel->number, call->ack);
    else if (known)
        reload_sip_call_too_late(agent, channel->number, answer);
    else
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_RESPONSE, channel);
}
