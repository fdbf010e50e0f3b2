#include "usage-sip/internal.h"

#include "reload/alloc.h"

/* Calling: to every device of an address at once, the first that answers has the call (RFC 3261
 * s13.2, s9.1, s16.7). */

static int take_media(struct reload_sip_call *call, const struct reload_sip_media *media)
{
    char *offer = NULL;
    call->local = *media;
    int error = reload_sip_session_offer(call, &call->local, false, &offer);
    reload_free(offer);
    call->offers = error == 0;
    return error == 0 ? 0 : RELOAD_E_INVALID;
}

int reload_sip_agent_call(struct reload_sip_agent *agent, const char *aor,
                          const struct reload_sip_media *media, struct reload_time now,
                          uint32_t *number)
{
    struct reload_sip_callee who;
    reload_sip_enter(agent, now);
    if (agent->call_count >= agent->limits.max_calls)
        return RELOAD_E_LIMIT;
    if (reload_sip_callee_read(agent, aor, &who) != 0)
        return RELOAD_E_INVALID;
    struct reload_sip_call *call = reload_sip_call_new(agent, true);
    if (!call)
        return RELOAD_E_NOMEM;
    int error = media ? take_media(call, media) : 0;
    if (error != 0) {
        reload_sip_call_drop(agent, call);
        return error;
    }
    call->callee = who;
    call->controlling = true;
    call->local_cseq = 1;
    reload_sip_identifier(agent, call->call_id);
    agent->counters.calls_out++;
    *number = call->number;
    reload_sip_call_enter(agent, call, RELOAD_SIP_FINDING, 0);
    reload_sip_callee_look_up(agent, &call->callee, call->number, false);
    return 0;
}

static osip_message_t *invite_of(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                 struct reload_sip_leg *leg, const char *offer)
{
    char uri[RELOAD_SIP_URI_TEXT], to[RELOAD_SIP_URI_TEXT];
    bool secure = leg->route.application == RELOAD_SIP_APPLICATION_SIPS;
    reload_sip_identifier(agent, leg->branch);
    reload_sip_callee_uris(&call->callee, leg, secure, uri, to);
    const struct reload_sip_request request = {
        .method = "INVITE",
        .uri = uri,
        .to = to,
        .from_tag = call->local_tag,
        .call_id = call->call_id,
        .cseq = call->local_cseq,
        .branch = leg->branch,
        .secure = secure,
        .contact = true,
    };
    osip_message_t *invite = reload_sip_request_new(agent, &request);
    if (invite)
        reload_sip_add_header(invite, "Allow", RELOAD_SIP_ALLOWED); /* s13.2.1 */
    if (invite && reload_sip_add_body(invite, "application/sdp", offer, strlen(offer)) != 0) {
        osip_message_free(invite);
        return NULL;
    }
    return invite;
}

/* Once every leg has ended and no other can follow. */
static void settle(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    if (!reload_sip_fork_done(&call->fork) || call->dialog)
        return;
    int best = call->fork.best ? call->fork.best : 404;
    reload_sip_call_enter(agent, call, RELOAD_SIP_ENDED,
                          call->state == RELOAD_SIP_CANCELLING ? call->end_status : best);
}

static void invite(struct reload_sip_agent *agent, struct reload_sip_call *call,
                   struct reload_sip_leg *leg, const char *offer)
{
    leg->state = RELOAD_SIP_LEG_ASKED;
    reload_sip_dispatch(agent, &leg->route, invite_of(agent, call, leg, offer), leg->number);
}

/* Asks the legs that wait. False: the call is over. */
static bool invite_waiting(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    char *offer = NULL;
    call->origin.version--; /* to each device it is the first (RFC 3264 s5) */
    if (reload_sip_session_offer(call, &call->local, false, &offer) != 0) {
        reload_sip_call_give_up(agent, call, 500);
        return false;
    }
    if (call->state == RELOAD_SIP_FINDING)
        reload_sip_call_enter(agent, call, RELOAD_SIP_INVITING, 0);
    for (size_t i = 0; i < call->fork.count; i++)
        if (call->fork.legs[i].state == RELOAD_SIP_LEG_WAITING)
            invite(agent, call, &call->fork.legs[i], offer);
    reload_free(offer);
    return true;
}

/* First what is known, then whoever has registered since. */
void reload_sip_call_targets(struct reload_sip_agent *agent, struct reload_sip_call *call,
                             const struct reload_sip_target *targets, size_t count, bool cached)
{
    reload_sip_fork_take(agent, &call->fork, call->callee.secure, targets, count);
    call->fork.refreshing =
        cached && reload_sip_callee_look_up(agent, &call->callee, call->number, true);
    for (size_t i = 0; i < call->fork.count && !call->offers; i++)
        reload_sip_channel_prepare(agent, &call->fork.legs[i].route);
    if (!call->offers || call->fork.count == 0 || invite_waiting(agent, call))
        settle(agent, call);
}

int reload_sip_agent_offer(struct reload_sip_agent *agent, uint32_t number,
                           const struct reload_sip_media *media, struct reload_time now)
{
    struct reload_sip_call *call = reload_sip_call_find(agent, number);
    reload_sip_enter(agent, now);
    if (!call || !call->outgoing || call->offers || call->state != RELOAD_SIP_FINDING)
        return RELOAD_E_STATE;
    int error = take_media(call, media);
    if (error == 0 && call->fork.count > 0)
        (void)invite_waiting(agent, call);
    reload_sip_settle(agent);
    return error;
}

void reload_sip_call_lookup_failed(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                   int status)
{
    call->fork.refreshing = false;
    if (call->fork.count == 0)
        call->fork.best = status;
    settle(agent, call);
}

/* --- giving up --- */

static osip_transaction_t *invite_transaction(struct reload_sip_agent *agent, uint32_t leg)
{
    osip_list_t *list = &agent->osip->osip_ict_transactions;
    for (int i = 0; !osip_list_eol(list, i); i++)
        if (reload_sip_transaction_owner(osip_list_get(list, i)) == leg)
            return osip_list_get(list, i);
    return NULL;
}

/* RFC 3326: what a device that rings is told of why it shall stop; 0: that the caller has given up.
 */
static int cause_of(const struct reload_sip_call *call)
{
    if (call->dialog)
        return 200;
    return call->end_status == 487 ? 0 : call->end_status;
}

/* s9.1: only once something was heard; until then the answer decides. */
static void leg_give_up(struct reload_sip_agent *agent, const struct reload_sip_call *call,
                        struct reload_sip_leg *leg)
{
    osip_transaction_t *invite = invite_transaction(agent, leg->number);
    bool waits = leg->state == RELOAD_SIP_LEG_WAITING;
    if (waits || (leg->state == RELOAD_SIP_LEG_ASKED && !invite)) { /* not even sent */
        reload_sip_channels_forget(agent, leg->number);
        leg->state = RELOAD_SIP_LEG_DONE;
    }
    if (leg->state != RELOAD_SIP_LEG_HEARD)
        return;
    osip_message_t *cancel = invite ? reload_sip_cancel_new(invite->orig_request) : NULL;
    if (cancel && cause_of(call))
        reload_sip_add_reason(cancel, cause_of(call));
    if (cancel)
        reload_sip_transaction_start(agent, (uint32_t)invite->out_socket, cancel, 0);
    leg->state = cancel ? RELOAD_SIP_LEG_CANCELLED : RELOAD_SIP_LEG_DONE;
}

static void give_up_others(struct reload_sip_agent *agent, struct reload_sip_call *call)
{
    for (size_t i = 0; i < call->fork.count; i++)
        leg_give_up(agent, call, &call->fork.legs[i]);
}

void reload_sip_call_give_up(struct reload_sip_agent *agent, struct reload_sip_call *call,
                             int status)
{
    call->end_status = status;
    call->fork.refreshing = false;
    give_up_others(agent, call);
    bool done = reload_sip_fork_done(&call->fork);
    reload_sip_call_enter(agent, call, done ? RELOAD_SIP_ENDED : RELOAD_SIP_CANCELLING, status);
}

/* --- answers --- */

static bool is_open(const struct reload_sip_call *call)
{
    return call->state == RELOAD_SIP_INVITING || call->state == RELOAD_SIP_RINGING;
}

static void leg_heard(struct reload_sip_agent *agent, struct reload_sip_call *call,
                      struct reload_sip_leg *leg, int status)
{
    if (leg->state == RELOAD_SIP_LEG_ASKED)
        leg->state = RELOAD_SIP_LEG_HEARD;
    if (!is_open(call))
        leg_give_up(agent, call, leg);
    else if (status >= 180 && call->state == RELOAD_SIP_INVITING)
        reload_sip_call_enter(agent, call, RELOAD_SIP_RINGING, status);
}

static int take_dialog(struct reload_sip_agent *agent, struct reload_sip_call *call,
                       uint32_t channel, osip_message_t *answer)
{
    struct reload_sip_channel *from = reload_sip_channel_find(agent, channel);
    const char *tag = reload_sip_tag(answer->to);
    if (!from || strlen(tag) >= sizeof call->remote_tag ||
        osip_dialog_init_as_uac(&call->dialog, answer) != 0)
        return RELOAD_E_INVALID;
    memcpy(call->remote_tag, tag, strlen(tag) + 1);
    call->route = from->route;
    call->channel = channel;
    call->far_user = from->user;
    return 0;
}

/* The first one has the call; the others are told so. */
static void leg_won(struct reload_sip_agent *agent, struct reload_sip_call *call,
                    struct reload_sip_leg *leg, uint32_t channel, osip_message_t *answer)
{
    if (take_dialog(agent, call, channel, answer) != 0) { /* nobody to acknowledge */
        reload_sip_call_give_up(agent, call, 502);
        return;
    }
    call->fork.refreshing = false;
    call->route.destinations_len = leg->route.destinations_len;
    memcpy(call->route.destinations, leg->route.destinations, leg->route.destinations_len);
    reload_sip_call_acknowledge(agent, call, call->local_cseq);
    int error = reload_sip_session_answered(call, &call->local, answer);
    reload_sip_call_enter(agent, call, RELOAD_SIP_ESTABLISHED, 200);
    give_up_others(agent, call);
    if (error != 0) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_MEDIA, NULL);
        reload_sip_call_bye(agent, call, 488);
        return;
    }
    reload_sip_session_tell(agent, call);
}

static void leg_refused(struct reload_sip_agent *agent, struct reload_sip_call *call, int status)
{
    reload_sip_fork_refused(&call->fork, status);
    if (status >= 600 && is_open(call)) { /* s16.7: nowhere else either */
        reload_sip_call_give_up(agent, call, status);
        return;
    }
    settle(agent, call);
}

void reload_sip_call_leg_outcome(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                 struct reload_sip_leg *leg, uint32_t channel, int status,
                                 osip_message_t *answer)
{
    if (status < 200) {
        leg_heard(agent, call, leg, status);
        return;
    }
    leg->state = RELOAD_SIP_LEG_DONE;
    if (status >= 300) {
        leg_refused(agent, call, status);
    } else if (is_open(call)) {
        leg_won(agent, call, leg, channel, answer);
    } else {
        reload_sip_call_too_late(agent, channel, answer);
        leg_refused(agent, call, 487);
    }
}
