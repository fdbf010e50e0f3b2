#include "usage-sip/internal.h"

#include "reload/alloc.h"

/* MESSAGE and OPTIONS of our own: look up, ask every device at once, done with the first 2xx. The
 * other devices get it all the same, also where the channel takes longer. */

#define ERRAND_MS 60000 /* lookup, channel and the 32 s of a transaction */

struct reload_sip_errand *reload_sip_errand_find(struct reload_sip_agent *agent, uint32_t number)
{
    struct reload_sip_errand *errand;
    TAILQ_FOREACH(errand, &agent->errands, link)
    if (errand->number == number)
        return errand;
    return NULL;
}

struct reload_sip_errand *reload_sip_errand_of_leg(struct reload_sip_agent *agent, uint32_t leg)
{
    struct reload_sip_errand *errand;
    TAILQ_FOREACH(errand, &agent->errands, link)
    if (reload_sip_fork_leg(&errand->fork, leg))
        return errand;
    return NULL;
}

static void errand_free(struct reload_sip_agent *agent, struct reload_sip_errand *errand)
{
    for (size_t i = 0; i < errand->fork.count; i++)
        reload_sip_channels_forget(agent, errand->fork.legs[i].number);
    TAILQ_REMOVE(&agent->errands, errand, link);
    agent->errand_count--;
    reload_free(errand->type);
    reload_free(errand->body);
    reload_free(errand);
}

static void tell(struct reload_sip_agent *agent, struct reload_sip_errand *errand, int status)
{
    struct reload_sip_action *action = errand->told
                                           ? NULL
                                           : reload_sip_act(agent, RELOAD_SIP_ACTION_ERRAND_DONE,
                                                            errand->number, NULL, 0, NULL, NULL);
    errand->told = true;
    if (action)
        action->status = status;
}

void reload_sip_errand_done(struct reload_sip_agent *agent, struct reload_sip_errand *errand,
                            int status)
{
    tell(agent, errand, status);
    errand_free(agent, errand);
}

static osip_message_t *request_of(struct reload_sip_agent *agent, struct reload_sip_errand *errand,
                                  struct reload_sip_leg *leg)
{
    char uri[RELOAD_SIP_URI_TEXT], to[RELOAD_SIP_URI_TEXT];
    bool secure = leg->route.application == RELOAD_SIP_APPLICATION_SIPS;
    reload_sip_identifier(agent, leg->branch);
    reload_sip_callee_uris(&errand->callee, leg, secure, uri, to);
    const struct reload_sip_request request = {
        .method = errand->method,
        .uri = uri,
        .to = to,
        .from_tag = errand->local_tag,
        .call_id = errand->call_id,
        .cseq = 1,
        .branch = leg->branch,
        .secure = secure,
        .contact = !errand->body, /* RFC 3428 s4: none in a MESSAGE */
    };
    osip_message_t *message = reload_sip_request_new(agent, &request);
    if (message && errand->body &&
        reload_sip_add_body(message, errand->type, errand->body, errand->body_len) != 0) {
        osip_message_free(message);
        return NULL;
    }
    return message;
}

/* Once every leg has ended and no other can follow. */
static void settle(struct reload_sip_agent *agent, struct reload_sip_errand *errand)
{
    if (reload_sip_fork_done(&errand->fork))
        reload_sip_errand_done(agent, errand, errand->fork.best ? errand->fork.best : 404);
}

/* First what is known, then whoever has registered since. */
void reload_sip_errand_targets(struct reload_sip_agent *agent, struct reload_sip_errand *errand,
                               const struct reload_sip_target *targets, size_t count, bool cached)
{
    reload_sip_fork_take(agent, &errand->fork, errand->callee.secure, targets, count);
    errand->fork.refreshing =
        cached && reload_sip_callee_look_up(agent, &errand->callee, errand->number, true);
    for (size_t i = 0; i < errand->fork.count; i++) {
        struct reload_sip_leg *leg = &errand->fork.legs[i];
        if (leg->state != RELOAD_SIP_LEG_WAITING)
            continue;
        leg->state = RELOAD_SIP_LEG_ASKED;
        reload_sip_dispatch(agent, &leg->route, request_of(agent, errand, leg), leg->number);
    }
    settle(agent, errand);
}

void reload_sip_errand_lookup_failed(struct reload_sip_agent *agent,
                                     struct reload_sip_errand *errand, int status)
{
    errand->fork.refreshing = false;
    if (errand->fork.count == 0)
        errand->fork.best = status;
    settle(agent, errand);
}

void reload_sip_errand_outcome(struct reload_sip_agent *agent, struct reload_sip_errand *errand,
                               struct reload_sip_leg *leg, int status)
{
    if (status < 200)
        return;
    leg->state = RELOAD_SIP_LEG_DONE;
    if (status < 300)
        tell(agent, errand, status);
    else
        reload_sip_fork_refused(&errand->fork, status);
    settle(agent, errand);
}

static int errand_new(struct reload_sip_agent *agent, const char *method, const char *aor,
                      struct reload_sip_errand **out)
{
    if (agent->errand_count >= agent->limits.max_errands)
        return RELOAD_E_LIMIT;
    struct reload_sip_errand *errand = reload_calloc(1, sizeof *errand);
    if (!errand)
        return RELOAD_E_NOMEM;
    if (reload_sip_callee_read(agent, aor, &errand->callee) != 0) {
        reload_free(errand);
        return RELOAD_E_INVALID;
    }
    errand->method = method;
    errand->number = reload_sip_number(agent);
    errand->deadline_ms = agent->now.monotonic_ms + ERRAND_MS;
    reload_sip_identifier(agent, errand->call_id);
    reload_sip_identifier(agent, errand->local_tag);
    TAILQ_INSERT_TAIL(&agent->errands, errand, link);
    agent->errand_count++;
    *out = errand;
    return 0;
}

/* "text/plain", and parameters that a header can hold (RFC 3261 s25.1, media-type). */
static bool is_media_type(const char *type)
{
    static const char token[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~";
    size_t main_len = strspn(type, token);
    if (main_len == 0 || type[main_len] != '/')
        return false;
    const char *sub = type + main_len + 1, *rest = sub + strspn(sub, token);
    if (rest == sub || (*rest && *rest != ';' && *rest != ' '))
        return false;
    for (; *rest; rest++)
        if (*rest < ' ' || *rest > '~')
            return false;
    return true;
}

int reload_sip_agent_message(struct reload_sip_agent *agent, const char *aor, const char *type,
                             const char *text, size_t len, struct reload_time now, uint32_t *number)
{
    struct reload_sip_errand *errand;
    reload_sip_enter(agent, now);
    if (!type)
        type = "text/plain; charset=utf-8";
    if (len > RELOAD_SIP_TEXT_MAX || strlen(type) > RELOAD_SIP_TEXT_MAX)
        return RELOAD_E_LIMIT;
    if (len == 0 || !is_media_type(type))
        return RELOAD_E_INVALID;
    int error = errand_new(agent, "MESSAGE", aor, &errand);
    if (error != 0)
        return error;
    errand->type = reload_strndup(type, strlen(type));
    errand->body = reload_strndup(text, len);
    errand->body_len = len;
    if (!errand->type || !errand->body) {
        errand_free(agent, errand);
        return RELOAD_E_NOMEM;
    }
    agent->counters.messages_sent++;
    *number = errand->number;
    reload_sip_callee_look_up(agent, &errand->callee, errand->number, false);
    return 0;
}

int reload_sip_agent_options(struct reload_sip_agent *agent, const char *aor,
                             struct reload_time now, uint32_t *number)
{
    struct reload_sip_errand *errand;
    reload_sip_enter(agent, now);
    int error = errand_new(agent, "OPTIONS", aor, &errand);
    if (error != 0)
        return error;
    *number = errand->number;
    reload_sip_callee_look_up(agent, &errand->callee, errand->number, false);
    return 0;
}

void reload_sip_errands_tick(struct reload_sip_agent *agent)
{
    struct reload_sip_errand *errand, *next;
    for (errand = TAILQ_FIRST(&agent->errands); errand; errand = next) {
        next = TAILQ_NEXT(errand, link);
        if (errand->deadline_ms <= agent->now.monotonic_ms)
            reload_sip_errand_done(agent, errand, 408);
    }
}

uint64_t reload_sip_errands_deadline(const struct reload_sip_agent *agent)
{
    const struct reload_sip_errand *errand;
    uint64_t soonest = RELOAD_NEVER;
    TAILQ_FOREACH(errand, &agent->errands, link)
    soonest = errand->deadline_ms < soonest ? errand->deadline_ms : soonest;
    return soonest;
}

void reload_sip_errands_fini(struct reload_sip_agent *agent)
{
    struct reload_sip_errand *errand;
    while ((errand = TAILQ_FIRST(&agent->errands)))
        errand_free(agent, errand);
}
