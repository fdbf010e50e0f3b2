#include "usage-sip/internal.h"

#include "reload/alloc.h"

/* Changes that the far end asks for (RFC 3261 s14.2). */

#define FOLLOW_MS 30000 /* for the host to gather candidates */

/* RFC 8839 s4.4.1.1.1: other credentials restart ICE; without ICE, another address. */
static bool has_moved(const struct reload_sip_media *old, const struct reload_sip_media *new)
{
    if (strcmp(old->ice_ufrag, new->ice_ufrag) != 0 || strcmp(old->ice_pwd, new->ice_pwd) != 0)
        return true;
    if (old->fingerprint_len != new->fingerprint_len ||
        memcmp(old->fingerprint, new->fingerprint, new->fingerprint_len) != 0)
        return true;
    return new->ice_ufrag[0] == '\0' &&
           (old->address.len != new->address.len || old->address.port != new->address.port ||
            memcmp(old->address.bytes, new->address.bytes, new->address.len) != 0);
}

static void refuse(struct reload_sip_agent *agent, osip_transaction_t *transaction, int status,
                   enum reload_sip_refusal refusal)
{
    reload_sip_refused(agent, refusal, NULL);
    reload_sip_answer_plain(agent, transaction, status);
}

static void take_offer(struct reload_sip_agent *agent, struct reload_sip_call *call,
                       osip_transaction_t *transaction, const struct reload_sip_sdp *offer,
                       const struct reload_sip_media *media)
{
    const struct reload_sip_sdp before = call->remote;
    char *answer = NULL;
    call->remote = *offer;
    if (reload_sip_session_answer(call, media, &answer) != 0 ||
        reload_sip_call_accept(agent, call, transaction, answer) != 0) {
        call->remote = before;
        refuse(agent, transaction, 500, RELOAD_SIP_REFUSED_MEMORY);
    } else {
        reload_sip_session_tell(agent, call);
    }
    reload_free(answer);
}

/* s14.2: no offer in it means that our 2xx makes one; the ACK brings the answer. */
static void make_offer(struct reload_sip_agent *agent, struct reload_sip_call *call,
                       osip_transaction_t *transaction)
{
    char *offer = NULL;
    struct reload_sip_media local = call->local;
    if (reload_sip_session_offer(call, &local, call->hold, &offer) == 0 &&
        reload_sip_call_accept(agent, call, transaction, offer) == 0) {
        call->accepted.offered = true;
        call->accepted.local = local;
    } else {
        refuse(agent, transaction, 500, RELOAD_SIP_REFUSED_MEMORY);
    }
    reload_free(offer);
}

static void ask_host(struct reload_sip_agent *agent, struct reload_sip_call *call,
                     osip_transaction_t *transaction, const struct reload_sip_sdp *offer)
{
    call->offered = *offer;
    reload_sip_transaction_own(transaction, call->number);
    reload_sip_change_enter(call, RELOAD_SIP_CHANGE_OFFERED, agent->now.monotonic_ms + FOLLOW_MS);
    (void)reload_sip_act_media(agent, RELOAD_SIP_ACTION_CALL_MOVED, call->number,
                               &call->offered.media, call->far_user.text, NULL);
}

void reload_sip_reinvite_arrived(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                 osip_transaction_t *transaction)
{
    struct reload_sip_sdp offer;
    if (call->change == RELOAD_SIP_CHANGE_ASKED) {
        refuse(agent, transaction, 491, RELOAD_SIP_REFUSED_GLARE);
        return;
    }
    if (call->state != RELOAD_SIP_ESTABLISHED || call->accepted.response ||
        call->change == RELOAD_SIP_CHANGE_OFFERED) {
        refuse(agent, transaction, 500, RELOAD_SIP_REFUSED_SEQUENCE); /* s14.2 */
        return;
    }
    int error = reload_sip_session_read(transaction->orig_request, &offer);
    if (error == RELOAD_E_NOT_FOUND)
        make_offer(agent, call, transaction);
    else if (error != 0)
        refuse(agent, transaction, error == RELOAD_E_DECODE ? 400 : 488, RELOAD_SIP_REFUSED_MEDIA);
    else if (!has_moved(&call->remote.media, &offer.media))
        take_offer(agent, call, transaction, &offer, &call->local);
    else if (call->change == RELOAD_SIP_CHANGE_GLARE)
        refuse(agent, transaction, 491, RELOAD_SIP_REFUSED_GLARE);
    else
        ask_host(agent, call, transaction, &offer);
}

void reload_sip_change_refuse(struct reload_sip_agent *agent, struct reload_sip_call *call,
                              int status)
{
    osip_transaction_t *transaction = reload_sip_transaction_invite(agent, call->number);
    reload_sip_change_enter(call, RELOAD_SIP_STEADY, RELOAD_NEVER);
    if (transaction)
        reload_sip_answer_plain(agent, transaction, status);
}

int reload_sip_agent_follow(struct reload_sip_agent *agent, uint32_t number,
                            const struct reload_sip_media *media, struct reload_time now)
{
    struct reload_sip_call *call = reload_sip_call_find(agent, number);
    reload_sip_enter(agent, now);
    osip_transaction_t *transaction = reload_sip_transaction_invite(agent, number);
    if (!call || call->change != RELOAD_SIP_CHANGE_OFFERED || !transaction)
        return RELOAD_E_STATE;
    if (media) {
        reload_sip_change_enter(call, RELOAD_SIP_STEADY, RELOAD_NEVER);
        take_offer(agent, call, transaction, &call->offered, media);
    } else {
        reload_sip_change_refuse(agent, call, 488);
    }
    reload_sip_settle(agent);
    return 0;
}
