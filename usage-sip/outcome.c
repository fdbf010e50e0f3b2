#include "usage-sip/internal.h"

/* In a dialog the owner is the call itself: BYE or re-INVITE. */
static void dialog_outcome(struct reload_sip_agent *agent, struct reload_sip_call *call,
                           uint32_t channel, int status, osip_message_t *answer)
{
    bool bye =
        answer ? strcmp(answer->cseq->method, "BYE") == 0 : call->state == RELOAD_SIP_CLOSING;
    if (!bye)
        reload_sip_change_outcome(agent, call, channel, status, answer);
    else if (status >= 200)
        reload_sip_call_bye_answered(agent, call);
}

void reload_sip_outcome(struct reload_sip_agent *agent, uint32_t owner, uint32_t channel,
                        int status, osip_message_t *answer)
{
    struct reload_sip_call *call = reload_sip_call_of_leg(agent, owner);
    struct reload_sip_errand *errand = reload_sip_errand_of_leg(agent, owner);
    if (call) {
        reload_sip_call_leg_outcome(agent, call, reload_sip_fork_leg(&call->fork, owner), channel,
                                    status, answer);
    } else if (errand) {
        reload_sip_errand_outcome(agent, errand, reload_sip_fork_leg(&errand->fork, owner), status);
    } else {
        call = reload_sip_call_find(agent, owner);
        if (call)
            dialog_outcome(agent, call, channel, status, answer);
    }
}
