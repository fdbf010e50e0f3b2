#include "usage-sip/internal.h"

#include "reload/alloc.h"

/* A call's life (RFC 3261 s13, s15), as its owner sees it:
 *
 *   call() -> FINDING -> INVITING -> RINGING -> ESTABLISHED -> CLOSING -> ENDED
 *                 \__________\__________\-> CANCELLING ----------------> ENDED
 *   INVITE -> OFFERED -> ACCEPTED -> ESTABLISHED
 *                 \__________\______________________________ ENDED or CLOSING
 */

#define GIVE_UP_MS (64 * RELOAD_SIP_T1_MS) /* s9.1, s13.3.1.4, s17.1.1.2 */

const char *reload_sip_call_state_text(enum reload_sip_call_state state)
{
    static const char *const texts[] = { "finding",    "inviting", "ringing",
                                         "offered",    "accepted", "established",
                                         "cancelling", "closing",  "ended" };
    return texts[state];
}

struct reload_sip_call *reload_sip_call_new(struct reload_sip_agent *agent, bool outgoing)
{
    struct reload_sip_call *call = reload_calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->number = reload_sip_number(agent);
    call->outgoing = outgoing;
    call->deadline_ms = RELOAD_NEVER;
    call->change_deadline_ms = RELOAD_NEVER;
    call->origin.session = reload_random_u64(&agent->random) >> 2; /* RFC 3264 s5: 62 bits */
    reload_sip_identifier(agent, call->local_tag);
    TAILQ_INSERT_TAIL(&agent->calls, call, link);
    agent->call_count++;
    return call;
}

void reload_sip_call_drop(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    for (size_t i = 0; i < call->fork.count; i++)
        reload_sip_channels_forget(agent, call->fork.legs[i].number);
    reload_sip_channels_forget(agent, call->number);
    TAILQ_REMOVE(&agent->calls, call, link);
    agent->call_count--;
    osip_dialog_free(call->dialog);
    osip_message_free(call->ack);
    reload_sip_accepted_clear(call);
    reload_free(call);
}

struct reload_sip_call *reload_sip_call_find(struct reload_sip_agent *agent, uint32_t number)
{
    struct reload_sip_call *call;
    TAILQ_FOREACH(call, &agent->calls, link)
    if (call->number == number)
        return call;
    return NULL;
}

struct reload_sip_call *reload_sip_call_of_leg(struct reload_sip_agent *agent, uint32_t leg)
{
    struct reload_sip_call *call;
    TAILQ_FOREACH(call, &agent->calls, link)
    if (reload_sip_fork_leg(&call->fork, leg))
        return call;
    return NULL;
}

struct reload_sip_call *reload_sip_call_of_dialog(struct reload_sip_agent *agent,
                                                  const osip_message_t *request)
{
    const char *local = reload_sip_tag(request->to), *remote = reload_sip_tag(request->from);
    struct reload_sip_call *call;
    if (!local[0])
        return NULL;
    TAILQ_FOREACH(call, &agent->calls, link)
    if (strcmp(call->local_tag, local) == 0 && strcmp(call->remote_tag, remote) == 0 &&
        strcmp(call->call_id, request->call_id->number) == 0)
        return call;
    return NULL;
}

static uint64_t deadline_of(const struct reload_sip_agent *agent,
                            const struct reload_sip_call *call)
{
    uint64_t now = agent->now.monotonic_ms;
    switch (call->state) {
    case RELOAD_SIP_FINDING:
    case RELOAD_SIP_OFFERED: return now + (uint64_t)agent->limits.ring_s * 1000;
    case RELOAD_SIP_INVITING:
    case RELOAD_SIP_RINGING: return call->deadline_ms; /* one time for all three */
    case RELOAD_SIP_CANCELLING:
    case RELOAD_SIP_CLOSING: return now + GIVE_UP_MS + 1000;
    case RELOAD_SIP_ACCEPTED:
    case RELOAD_SIP_ESTABLISHED:
    case RELOAD_SIP_ENDED: return RELOAD_NEVER;
    }
    return RELOAD_NEVER;
}

static void tell(struct reload_sip_agent *agent, const struct reload_sip_call *call, int status)
{
    struct reload_sip_action *action =
        reload_sip_act(agent, RELOAD_SIP_ACTION_CALL_STATE, call->number, NULL, 0,
                       call->far_user.len ? call->far_user.text : call->callee.aor.text, NULL);
    if (!action)
        return;
    action->state = call->state;
    action->status = status;
    action->cause = call->cause;
}

void reload_sip_call_enter(struct reload_sip_agent *agent, struct reload_sip_call *call,
                           enum reload_sip_call_state state, int status)
{
    reload_log_write(agent->log, RELOAD_LOG_INFO, "sip", "call %u: %s -> %s (%d)", call->number,
                     reload_sip_call_state_text(call->state), reload_sip_call_state_text(state),
                     status);
    call->state = state;
    call->deadline_ms = deadline_of(agent, call);
    if (state == RELOAD_SIP_ESTABLISHED)
        agent->counters.calls_established++;
    tell(agent, call, status);
    if (state == RELOAD_SIP_ENDED)
        reload_sip_call_drop(agent, call);
}

void reload_sip_call_bye(struct reload_sip_agent *agent, struct reload_sip_call *call, int status)
{
    osip_message_t *bye =
        reload_sip_dialog_request(agent, call->dialog, "BYE", ++call->local_cseq,
                                  call->route.application == RELOAD_SIP_APPLICATION_SIPS);
    if (bye && status >= 300)
        reload_sip_add_reason(bye, status);
    reload_sip_accepted_clear(call);
    if (call->change == RELOAD_SIP_CHANGE_OFFERED)
        reload_sip_change_refuse(agent, call, 487);
    call->end_status = status;
    reload_sip_call_enter(agent, call, RELOAD_SIP_CLOSING, status);
    reload_sip_dispatch(agent, &call->route, bye, call->number);
}

void reload_sip_call_bye_answered(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    if (call->state == RELOAD_SIP_CLOSING)
        reload_sip_call_enter(agent, call, RELOAD_SIP_ENDED, call->end_status);
}

/* `failure`: why, or 0: its user wants it so. */
static int end(struct reload_sip_agent *agent, uint32_t number, int failure, struct reload_time now)
{
    struct reload_sip_call *call = reload_sip_call_find(agent, number);
    reload_sip_enter(agent, now);
    if (!call)
        return RELOAD_E_NOT_FOUND;
    switch (call->state) {
    case RELOAD_SIP_FINDING:
    case RELOAD_SIP_INVITING:
    case RELOAD_SIP_RINGING: reload_sip_call_give_up(agent, call, failure ? failure : 487); break;
    case RELOAD_SIP_OFFERED: reload_sip_call_refuse(agent, call, failure ? failure : 486); break;
    case RELOAD_SIP_ACCEPTED: /* s15: the callee waits for the ACK, or its time to pass. */
    case RELOAD_SIP_ESTABLISHED: reload_sip_call_bye(agent, call, failure ? failure : 200); break;
    case RELOAD_SIP_CANCELLING:
    case RELOAD_SIP_CLOSING:
    case RELOAD_SIP_ENDED: break; /* on its way */
    }
    reload_sip_settle(agent);
    return 0;
}

int reload_sip_agent_hangup(struct reload_sip_agent *agent, uint32_t number, struct reload_time now)
{
    return end(agent, number, 0, now);
}

int reload_sip_agent_abandon(struct reload_sip_agent *agent, uint32_t number, int status,
                             struct reload_time now)
{
    return status < 400 || status > 699 ? RELOAD_E_INVALID : end(agent, number, status, now);
}

static void time_is_up(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    switch (call->state) {
    case RELOAD_SIP_FINDING:
    case RELOAD_SIP_INVITING:
    case RELOAD_SIP_RINGING: reload_sip_call_give_up(agent, call, 408); break;
    case RELOAD_SIP_OFFERED: reload_sip_call_refuse(agent, call, 480); break;
    case RELOAD_SIP_CANCELLING:
    case RELOAD_SIP_CLOSING:
        reload_sip_call_enter(agent, call, RELOAD_SIP_ENDED, call->end_status);
        break;
    case RELOAD_SIP_ACCEPTED:
    case RELOAD_SIP_ESTABLISHED:
    case RELOAD_SIP_ENDED: break; /* without deadline */
    }
}

void reload_sip_calls_tick(struct reload_sip_agent *agent)
{
    struct reload_sip_call *call, *next;
    for (call = TAILQ_FIRST(&agent->calls); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->deadline_ms <= agent->now.monotonic_ms)
            time_is_up(agent, call);
        else if (reload_sip_accepted_tick(agent, call))
            reload_sip_change_tick(agent, call);
    }
}

uint64_t reload_sip_calls_deadline(const struct reload_sip_agent *agent)
{
    const struct reload_sip_call *call;
    uint64_t soonest = RELOAD_NEVER;
    TAILQ_FOREACH(call, &agent->calls, link)
    {
        uint64_t repeat = call->accepted.response ? call->accepted.repeat_ms : RELOAD_NEVER;
        uint64_t at = call->deadline_ms < repeat ? call->deadline_ms : repeat;
        at = call->change_deadline_ms < at ? call->change_deadline_ms : at;
        soonest = at < soonest ? at : soonest;
    }
    return soonest;
}

void reload_sip_calls_lost(struct reload_sip_agent *agent, uint32_t channel)
{
    struct reload_sip_call *call, *next;
    for (call = TAILQ_FIRST(&agent->calls); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->channel != channel)
            continue;
        if (call->state == RELOAD_SIP_OFFERED)
            reload_sip_call_enter(agent, call, RELOAD_SIP_ENDED, 503);
        else if (call->state == RELOAD_SIP_ESTABLISHED)
            (void)reload_sip_act(agent, RELOAD_SIP_ACTION_CALL_CUT, call->number, NULL, 0, NULL,
                                 NULL);
    }
}

void reload_sip_calls_fini(struct reload_sip_agent *agent)
{
    struct reload_sip_call *call;
    while ((call = TAILQ_FIRST(&agent->calls)))
        reload_sip_call_drop(agent, call);
}
