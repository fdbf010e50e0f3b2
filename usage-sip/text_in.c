#include "usage-sip/internal.h"

#include <osipparser2/osip_body.h>

/* MESSAGE from others (RFC 3428 s7): the 200 says that the user got it. */

/* What stays the same when a text is sent again, by another channel or after ours was lost. */
static uint64_t fingerprint(const struct reload_sip_agent *agent,
                            const struct reload_sip_channel *channel, const osip_message_t *message)
{
    uint64_t hash = reload_sip_mix(agent->secret, channel->user.text);
    hash = reload_sip_mix(hash, message->call_id->number);
    hash = reload_sip_mix(hash, reload_sip_tag(message->from));
    hash = reload_sip_mix(hash, message->cseq->number);
    return hash ? hash : 1;
}

static bool was_delivered(const struct reload_sip_agent *agent, uint64_t hash)
{
    for (size_t i = 0; i < RELOAD_SIP_DELIVERED_MAX; i++)
        if (agent->delivered[i] == hash)
            return true;
    return false;
}

/* RFC 3428 s7: text/plain has to be understood; the rest of text is shown as it is. */
static bool is_text(const osip_message_t *message)
{
    return message->content_type && message->content_type->type &&
           osip_strcasecmp(message->content_type->type, "text") == 0;
}

static bool deliver(struct reload_sip_agent *agent, const struct reload_sip_channel *channel,
                    const osip_message_t *message)
{
    const osip_body_t *body = osip_list_get(&message->bodies, 0);
    char *type = NULL;
    if (osip_content_type_to_str(message->content_type, &type) != 0)
        return false;
    struct reload_sip_action *action =
        reload_sip_act(agent, RELOAD_SIP_ACTION_MESSAGE, 0, body ? body->body : NULL,
                       body ? body->length : 0, channel->user.text, type);
    osip_free(type);
    if (action)
        action->node_id = channel->route.node_id;
    return action != NULL;
}

void reload_sip_message_arrived(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                                osip_transaction_t *transaction)
{
    const osip_message_t *message = transaction->orig_request;
    uint64_t hash = fingerprint(agent, channel, message);
    const osip_body_t *body = osip_list_get(&message->bodies, 0);
    if (!is_text(message)) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_CONTENT, channel);
        reload_sip_answer_plain(agent, transaction, 415);
    } else if (body && body->length > RELOAD_SIP_TEXT_MAX) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_TOO_LARGE, channel);
        reload_sip_answer_plain(agent, transaction, 513);
    } else if (was_delivered(agent, hash)) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_REPEATED, channel);
        reload_sip_answer_plain(agent, transaction, 200);
    } else if (!deliver(agent, channel, message)) {
        reload_sip_answer_plain(agent, transaction, 500);
    } else {
        agent->delivered[agent->delivered_next] = hash;
        agent->delivered_next = (agent->delivered_next + 1) % RELOAD_SIP_DELIVERED_MAX;
        agent->counters.messages_delivered++;
        reload_sip_answer_plain(agent, transaction, 200);
    }
}
