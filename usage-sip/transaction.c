#include "usage-sip/internal.h"

#include "reload/alloc.h"

/* libosip2's transaction machines (RFC 3261 s17). They call back from within, and must not be
 * entered again from there: the callbacks only note what happened, reload_sip_settle() acts on it.
 * A terminated transaction is freed as soon as the library is left. */

#define IDLE_DEADLINE_S 86400 /* libosip2 says a year when no timer runs */

static struct reload_sip_agent *agent_of(const osip_transaction_t *transaction)
{
    return osip_get_application_context(transaction->config);
}

void reload_sip_note(struct reload_sip_agent *agent, uint32_t owner, int status)
{
    struct reload_sip_happening *happening = owner ? reload_calloc(1, sizeof *happening) : NULL;
    if (!happening)
        return; /* without memory: the owner's own deadline ends it */
    happening->owner = owner;
    happening->status = status;
    STAILQ_INSERT_TAIL(&agent->happenings, happening, link);
}

static int send_message(osip_transaction_t *transaction, osip_message_t *message, char *host,
                        int port, int out_socket)
{
    (void)host;
    (void)port;
    return reload_sip_channel_send(agent_of(transaction), (uint32_t)out_socket, message);
}

static void timed_out(int type, osip_transaction_t *transaction, osip_message_t *message)
{
    (void)type;
    (void)message;
    reload_sip_note(agent_of(transaction), reload_sip_transaction_owner(transaction), 408);
}

static void not_sent(int type, osip_transaction_t *transaction, int error)
{
    (void)type;
    (void)error;
    reload_sip_note(agent_of(transaction), reload_sip_transaction_owner(transaction), 503);
}

static void sent_again(int type, osip_transaction_t *transaction, osip_message_t *message)
{
    (void)type;
    (void)message;
    agent_of(transaction)->counters.retransmitted++;
}

int reload_sip_transactions_init(struct reload_sip_agent *agent)
{
    static const int again[] = { OSIP_ICT_INVITE_SENT_AGAIN, OSIP_NICT_REQUEST_SENT_AGAIN,
                                 OSIP_IST_STATUS_3456XX_SENT_AGAIN, OSIP_NIST_STATUS_2XX_SENT_AGAIN,
                                 OSIP_NIST_STATUS_3456XX_SENT_AGAIN };
    for (int level = TRACE_LEVEL0; level < END_TRACE_LEVEL; level++)
        osip_trace_disable_level((osip_trace_level_t)level); /* it would print what hosts send */
    if (osip_init(&agent->osip) != 0)
        return RELOAD_E_NOMEM;
    osip_set_application_context(agent->osip, agent);
    osip_set_cb_send_message(agent->osip, send_message);
    osip_set_message_callback(agent->osip, OSIP_ICT_STATUS_TIMEOUT, timed_out);
    osip_set_message_callback(agent->osip, OSIP_NICT_STATUS_TIMEOUT, timed_out);
    osip_set_transport_error_callback(agent->osip, OSIP_ICT_TRANSPORT_ERROR, not_sent);
    osip_set_transport_error_callback(agent->osip, OSIP_NICT_TRANSPORT_ERROR, not_sent);
    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        osip_set_message_callback(agent->osip, again[i], sent_again);
    return 0;
}

static bool is_terminated(const osip_transaction_t *transaction)
{
    switch (transaction->ctx_type) {
    case ICT: return transaction->state == ICT_TERMINATED;
    case IST: return transaction->state == IST_TERMINATED;
    case NICT: return transaction->state == NICT_TERMINATED;
    case NIST: return transaction->state == NIST_TERMINATED;
    }
    return false;
}

static void end(struct reload_sip_agent *agent, osip_transaction_t *transaction)
{
    osip_transaction_free(transaction);
    agent->transactions--;
}

static void run(struct reload_sip_agent *agent, osip_transaction_t *transaction,
                osip_event_t *event_take)
{
    osip_transaction_execute(transaction, event_take);
    if (is_terminated(transaction))
        end(agent, transaction);
}

static osip_transaction_t *new_transaction(struct reload_sip_agent *agent, osip_fsm_type_t type,
                                           osip_message_t *request, uint32_t channel)
{
    osip_transaction_t *transaction = NULL;
    if (agent->transactions >= agent->limits.max_transactions) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_TRANSACTIONS, NULL);
        return NULL;
    }
    if (osip_transaction_init(&transaction, type, agent->osip, request) != 0) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_MEMORY, NULL);
        return NULL;
    }
    osip_transaction_set_in_socket(transaction, (int)channel);
    osip_transaction_set_out_socket(transaction, (int)channel);
    agent->transactions++;
    return transaction;
}

uint32_t reload_sip_transaction_owner(osip_transaction_t *transaction)
{
    return (uint32_t)(uintptr_t)osip_transaction_get_reserved1(transaction);
}

void reload_sip_transaction_own(osip_transaction_t *transaction, uint32_t owner)
{
    osip_transaction_set_reserved1(transaction, (void *)(uintptr_t)owner);
}

void reload_sip_transaction_start(struct reload_sip_agent *agent, uint32_t channel,
                                  osip_message_t *request_take, uint32_t owner)
{
    osip_fsm_type_t type = MSG_IS_INVITE(request_take) ? ICT : NICT;
    osip_transaction_t *transaction = new_transaction(agent, type, request_take, channel);
    osip_event_t *event = transaction ? osip_new_outgoing_sipmessage(request_take) : NULL;
    if (!event) {
        if (transaction)
            end(agent, transaction);
        osip_message_free(request_take);
        reload_sip_note(agent, owner, 503);
        return;
    }
    reload_sip_transaction_own(transaction, owner);
    run(agent, transaction, event);
}

static type_t received_type(const osip_message_t *message)
{
    if (MSG_IS_RESPONSE(message))
        return message->status_code < 200   ? RCV_STATUS_1XX
               : message->status_code < 300 ? RCV_STATUS_2XX
                                            : RCV_STATUS_3456XX;
    return MSG_IS_INVITE(message) ? RCV_REQINVITE : MSG_IS_ACK(message) ? RCV_REQACK : RCV_REQUEST;
}

static osip_event_t *received_event(osip_message_t *message)
{
    osip_event_t *event = osip_malloc(sizeof *event);
    if (event)
        *event = (osip_event_t){ .type = received_type(message), .sip = message };
    return event;
}

/* Stands for a user name in a transaction, from a secret, so that nobody gets another's. */
static uintptr_t mark_of(const struct reload_sip_agent *agent, const struct reload_sip_aor *user)
{
    return (uintptr_t)reload_sip_mix(agent->secret, user->text);
}

size_t reload_sip_transactions_of_user(const struct reload_sip_agent *agent,
                                       const struct reload_sip_channel *channel)
{
    osip_list_t *lists[] = { &agent->osip->osip_ist_transactions,
                             &agent->osip->osip_nist_transactions };
    uintptr_t mark = mark_of(agent, &channel->user);
    size_t count = 0;
    for (size_t which = 0; which < 2; which++) {
        osip_list_iterator_t at;
        for (osip_transaction_t *t = osip_list_get_first(lists[which], &at);
             osip_list_iterator_has_elem(at); t = osip_list_get_next(&at))
            count += (uintptr_t)osip_transaction_get_reserved2(t) == mark;
    }
    return count;
}

osip_transaction_t *reload_sip_transaction_serve(struct reload_sip_agent *agent,
                                                 const struct reload_sip_channel *channel,
                                                 osip_message_t *request_take)
{
    osip_fsm_type_t type = MSG_IS_INVITE(request_take) ? IST : NIST;
    osip_transaction_t *transaction = new_transaction(agent, type, request_take, channel->number);
    osip_event_t *event = transaction ? received_event(request_take) : NULL;
    if (!event) {
        if (transaction)
            end(agent, transaction);
        osip_message_free(request_take);
        return NULL;
    }
    osip_transaction_set_reserved2(transaction, (void *)mark_of(agent, &channel->user));
    osip_transaction_execute(transaction, event);
    return transaction;
}

osip_transaction_t *reload_sip_transaction_match(struct reload_sip_agent *agent,
                                                 osip_message_t *message)
{
    osip_event_t event = { .type = received_type(message), .sip = message };
    osip_t *osip = agent->osip;
    bool invite =
        strcmp(message->cseq->method, "INVITE") == 0 || strcmp(message->cseq->method, "ACK") == 0;
    osip_list_t *list =
        MSG_IS_RESPONSE(message)
            ? (invite ? &osip->osip_ict_transactions : &osip->osip_nict_transactions)
            : (invite ? &osip->osip_ist_transactions : &osip->osip_nist_transactions);
    return osip_transaction_find(list, &event);
}

void reload_sip_transaction_feed(struct reload_sip_agent *agent, osip_transaction_t *transaction,
                                 osip_message_t *message_take)
{
    osip_event_t *event = received_event(message_take);
    if (event)
        run(agent, transaction, event);
    else
        osip_message_free(message_take);
}

void reload_sip_transaction_respond(struct reload_sip_agent *agent, osip_transaction_t *transaction,
                                    osip_message_t *response_take)
{
    osip_event_t *event = response_take ? osip_new_outgoing_sipmessage(response_take) : NULL;
    if (event)
        run(agent, transaction, event);
    else
        osip_message_free(response_take);
}

osip_transaction_t *reload_sip_transaction_invite(struct reload_sip_agent *agent, uint32_t owner)
{
    osip_list_t *list = &agent->osip->osip_ist_transactions;
    for (int i = 0; !osip_list_eol(list, i); i++) {
        osip_transaction_t *transaction = osip_list_get(list, i);
        if (reload_sip_transaction_owner(transaction) == owner &&
            transaction->state == IST_PROCEEDING)
            return transaction;
    }
    return NULL;
}

bool reload_sip_transaction_cancels(const struct reload_sip_agent *agent,
                                    const struct reload_sip_channel *channel,
                                    const osip_message_t *cancel)
{
    const osip_list_t *list = &agent->osip->osip_ist_transactions;
    for (int i = 0; !osip_list_eol(list, i); i++) {
        const osip_transaction_t *transaction = osip_list_get(list, i);
        if (transaction->in_socket == (int)channel->number && transaction->orig_request &&
            strcmp(reload_sip_branch(transaction->orig_request), reload_sip_branch(cancel)) == 0)
            return true;
    }
    return false;
}

static osip_list_t *list_of(osip_t *osip, int which)
{
    osip_list_t *lists[] = { &osip->osip_ict_transactions, &osip->osip_nict_transactions,
                             &osip->osip_ist_transactions, &osip->osip_nist_transactions };
    return lists[which];
}

static void sweep(struct reload_sip_agent *agent)
{
    for (int which = 0; which < 4; which++) {
        osip_list_t *list = list_of(agent->osip, which);
        for (int i = osip_list_size(list) - 1; i >= 0; i--) {
            osip_transaction_t *transaction = osip_list_get(list, i);
            if (is_terminated(transaction))
                end(agent, transaction);
        }
    }
}

static bool is_answered(const osip_transaction_t *transaction)
{
    return transaction->state == ICT_COMPLETED || transaction->state == NICT_COMPLETED;
}

void reload_sip_transactions_lost(struct reload_sip_agent *agent, uint32_t channel)
{
    for (int which = 0; which < 4; which++) {
        osip_list_t *list = list_of(agent->osip, which);
        for (int i = osip_list_size(list) - 1; i >= 0; i--) {
            osip_transaction_t *transaction = osip_list_get(list, i);
            if (transaction->out_socket != (int)channel)
                continue;
            if (which < 2 && !is_answered(transaction))
                reload_sip_note(agent, reload_sip_transaction_owner(transaction), 503);
            end(agent, transaction);
        }
    }
}

void reload_sip_transactions_tick(struct reload_sip_agent *agent)
{
    osip_timers_ict_execute(agent->osip);
    osip_timers_ist_execute(agent->osip);
    osip_timers_nict_execute(agent->osip);
    osip_timers_nist_execute(agent->osip);
    osip_ict_execute(agent->osip);
    osip_ist_execute(agent->osip);
    osip_nict_execute(agent->osip);
    osip_nist_execute(agent->osip);
    sweep(agent);
}

uint64_t reload_sip_transactions_deadline(const struct reload_sip_agent *agent)
{
    struct timeval wait;
    if (!agent->transactions)
        return RELOAD_NEVER;
    osip_timers_gettimeout(agent->osip, &wait);
    if (wait.tv_sec >= IDLE_DEADLINE_S)
        return RELOAD_NEVER;
    /* Timers are due once their time is past. */
    return agent->now.monotonic_ms + (uint64_t)wait.tv_sec * 1000 + (uint64_t)wait.tv_usec / 1000 +
           1;
}

void reload_sip_settle(struct reload_sip_agent *agent)
{
    struct reload_sip_happening *happening;
    while ((happening = STAILQ_FIRST(&agent->happenings))) {
        STAILQ_REMOVE_HEAD(&agent->happenings, link);
        reload_sip_outcome(agent, happening->owner, 0, happening->status, NULL);
        reload_free(happening);
    }
}

void reload_sip_transactions_fini(struct reload_sip_agent *agent)
{
    struct reload_sip_happening *happening;
    while ((happening = STAILQ_FIRST(&agent->happenings))) {
        STAILQ_REMOVE_HEAD(&agent->happenings, link);
        reload_free(happening);
    }
    if (!agent->osip)
        return;
    for (int which = 0; which < 4; which++)
        while (osip_list_size(list_of(agent->osip, which)) > 0)
            end(agent, osip_list_get(list_of(agent->osip, which), 0));
    osip_release(agent->osip);
}
