#include "usage-sip/internal.h"

#include "reload/alloc.h"

/* Own changes of an established session: hold, resume, another address (RFC 3261 s14.1, RFC 3264
 * s8).
 *
 *   STEADY -> ASKED (re-INVITE sent) -> STEADY
 *               \-> GLARE (491; waits) -> ASKED
 *   STEADY -> OFFERED (the far end moved; change_in.c) -> STEADY
 */

void reload_sip_change_enter(struct reload_sip_call *call, enum reload_sip_change change,
                             uint64_t deadline_ms)
{
    call->change = change;
    call->change_deadline_ms = deadline_ms;
}

static void tell(struct reload_sip_agent *agent, const struct reload_sip_call *call, int status)
{
    struct reload_sip_action *action =
        reload_sip_act(agent, RELOAD_SIP_ACTION_CALL_CHANGE, call->number, NULL, 0, NULL, NULL);
    if (action)
        action->status = status;
}

static int ask(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    char *offer = NULL;
    int error = reload_sip_session_offer(call, &call->wished, call->wished_hold, &offer);
    if (error != 0)
        return error;
    osip_message_t *invite =
        reload_sip_dialog_request(agent, call->dialog, "INVITE", ++call->local_cseq,
                                  call->route.application == RELOAD_SIP_APPLICATION_SIPS);
    if (!invite || reload_sip_add_body(invite, "application/sdp", offer, strlen(offer)) != 0) {
        osip_message_free(invite);
        reload_free(offer);
        return RELOAD_E_NOMEM;
    }
    reload_free(offer);
    reload_sip_change_enter(call, RELOAD_SIP_CHANGE_ASKED, RELOAD_NEVER);
    reload_sip_dispatch(agent, &call->route, invite, call->number);
    return 0;
}

static int change(struct reload_sip_agent *agent, uint32_t number,
                  const struct reload_sip_media *media, const bool *hold, struct reload_time now)
{
    struct reload_sip_call *call = reload_sip_call_find(agent, number);
    reload_sip_enter(agent, now);
    if (!call || call->state != RELOAD_SIP_ESTABLISHED || call->change != RELOAD_SIP_STEADY ||
        call->accepted.response) /* s14.1: not while an INVITE is under way either way */
        return RELOAD_E_STATE;
    call->wished = media ? *media : call->local;
    call->wished_hold = hold ? *hold : call->hold;
    int error = ask(agent, call);
    reload_sip_settle(agent);
    return error;
}

int reload_sip_agent_hold(struct reload_sip_agent *agent, uint32_t call, bool hold,
                          struct reload_time now)
{
    return change(agent, call, NULL, &hold, now);
}

int reload_sip_agent_move(struct reload_sip_agent *agent, uint32_t call,
                          const struct reload_sip_media *media, struct reload_time now)
{
    return change(agent, call, media, NULL, now);
}

/* s14.1: who made the Call-ID waits 2.1 to 4 s, the other up to 2 s, in steps of 10 ms. */
static uint64_t glare_ms(struct reload_sip_agent *agent, const struct reload_sip_call *call)
{
    uint64_t draw = reload_random_u64(&agent->random);
    return call->outgoing ? 2100 + draw % 191 * 10 : draw % 201 * 10;
}

static void accepted(struct reload_sip_agent *agent, struct reload_sip_call *call, uint32_t channel,
                     osip_message_t *answer)
{
    struct reload_sip_channel *from = reload_sip_channel_find(agent, channel);
    if (from && reload_sip_aor_equal(&from->user, &call->far_user))
        call->channel = channel;
    reload_sip_call_acknowledge(agent, call, reload_sip_cseq(answer));
    reload_sip_change_enter(call, RELOAD_SIP_STEADY, RELOAD_NEVER);
    if (call->state != RELOAD_SIP_ESTABLISHED)
        return;
    if (reload_sip_session_answered(call, &call->wished, answer) != 0) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_MEDIA, from);
        reload_sip_call_bye(agent, call, 488);
        return;
    }
    call->hold = call->wished_hold;
    reload_sip_session_tell(agent, call);
}

void reload_sip_change_outcome(struct reload_sip_agent *agent, struct reload_sip_call *call,
                               uint32_t channel, int status, osip_message_t *answer)
{
    if (status < 200 || call->change != RELOAD_SIP_CHANGE_ASKED)
        return;
    if (status < 300) {
        accepted(agent, call, channel, answer);
        return;
    }
    if (status == 491 && call->state == RELOAD_SIP_ESTABLISHED) {
        reload_sip_change_enter(call, RELOAD_SIP_CHANGE_GLARE,
                                agent->now.monotonic_ms + glare_ms(agent, call));
        return;
    }
    reload_sip_change_enter(call, RELOAD_SIP_STEADY, RELOAD_NEVER);
    if (call->state != RELOAD_SIP_ESTABLISHED)
        return;
    tell(agent, call, status);
    if (status == 481 || status == 408) /* s12.2.1.2: there is nobody any more */
        reload_sip_call_bye(agent, call, status);
}

void reload_sip_change_tick(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    if (agent->now.monotonic_ms < call->change_deadline_ms)
        return;
    if (call->change == RELOAD_SIP_CHANGE_OFFERED) {
        reload_sip_change_refuse(agent, call, 480); /* the host did not follow() */
    } else if (call->accepted.response) {
        call->change_deadline_ms = agent->now.monotonic_ms + RELOAD_SIP_T1_MS;
    } else if (ask(agent, call) != 0) {
        reload_sip_change_enter(call, RELOAD_SIP_STEADY, RELOAD_NEVER);
        tell(agent, call, 500);
    }
}
