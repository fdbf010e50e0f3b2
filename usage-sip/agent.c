#include "usage-sip/internal.h"

#include <stdio.h>

#include "reload/alloc.h"
#include "reload/wire/destination.h"
#include "usage-sip/clock.h"

static void set_limits(struct reload_sip_limits *limits)
{
    const struct reload_sip_limits usual = {
        .max_channels = 256,
        .max_transactions = 512,
        .max_transactions_from_user = 128,
        .max_calls = 32,
        .max_calls_from_user = 4,
        .max_errands = 64,
        .max_waiting = 16,
        .ring_s = 60,
        .idle_s = 300,
    };
    size_t *sizes[] = {
        &limits->max_channels, &limits->max_transactions,    &limits->max_transactions_from_user,
        &limits->max_calls,    &limits->max_calls_from_user, &limits->max_errands,
        &limits->max_waiting
    };
    const size_t defaults[] = {
        usual.max_channels, usual.max_transactions,    usual.max_transactions_from_user,
        usual.max_calls,    usual.max_calls_from_user, usual.max_errands,
        usual.max_waiting
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!*sizes[i])
            *sizes[i] = defaults[i];
    if (!limits->ring_s)
        limits->ring_s = usual.ring_s;
    if (!limits->idle_s)
        limits->idle_s = usual.idle_s;
}

/* RFC 7904 s6: the own Contact, which needs no lookup. */
static int set_gruu(struct reload_sip_agent *agent)
{
    uint8_t list[RELOAD_NODE_ID_MAX + 8];
    char gruu[RELOAD_SIP_GRUU_MAX + 1];
    struct reload_writer w = reload_writer_of(list, sizeof list);
    struct reload_destination self = reload_destination_node(&agent->self);
    int error = reload_destination_encode(&w, &self);
    if (error == 0)
        error = reload_sip_gruu_write(&agent->user, reload_slice_of(list, w.len), gruu);
    if (error == 0)
        (void)snprintf(agent->gruu, sizeof agent->gruu, "%s", gruu + agent->user.len);
    return error;
}

static int set_up(struct reload_sip_agent *agent, const struct reload_sip_agent_config *config,
                  struct reload_time now)
{
    agent->self = config->self;
    agent->random = config->random;
    agent->log = config->log;
    agent->limits = config->limits;
    set_limits(&agent->limits);
    TAILQ_INIT(&agent->channels);
    TAILQ_INIT(&agent->calls);
    TAILQ_INIT(&agent->errands);
    STAILQ_INIT(&agent->happenings);
    STAILQ_INIT(&agent->queue);
    reload_sip_enter(agent, now);
    agent->secret = reload_random_u64(&agent->random);
    const char *display = config->display ? config->display : "";
    agent->overlay = reload_strndup(config->overlay, strlen(config->overlay));
    agent->display = reload_strndup(display, strlen(display));
    if (!agent->overlay || !agent->display)
        return RELOAD_E_NOMEM;
    int error =
        reload_sip_aor_read(reload_slice_of(config->user, strlen(config->user)), &agent->user);
    if (error == 0)
        error = set_gruu(agent);
    return error == 0 ? reload_sip_transactions_init(agent) : RELOAD_E_INVALID;
}

int reload_sip_agent_new(const struct reload_sip_agent_config *config, struct reload_time now,
                         struct reload_sip_agent **out)
{
    struct reload_sip_agent *agent = reload_calloc(1, sizeof *agent);
    *out = NULL;
    if (!agent)
        return RELOAD_E_NOMEM;
    int error = set_up(agent, config, now);
    if (error != 0) {
        reload_sip_agent_free(agent);
        return error;
    }
    *out = agent;
    return 0;
}

void reload_sip_agent_set_ring(struct reload_sip_agent *agent, unsigned seconds)
{
    agent->limits.ring_s = seconds;
}

void reload_sip_agent_free(struct reload_sip_agent *agent)
{
    if (!agent)
        return;
    reload_sip_calls_fini(agent);
    reload_sip_errands_fini(agent);
    reload_sip_channels_fini(agent);
    reload_sip_transactions_fini(agent);
    reload_sip_actions_fini(agent);
    reload_free(agent->overlay);
    reload_free(agent->display);
    reload_free(agent);
}

void reload_sip_enter(struct reload_sip_agent *agent, struct reload_time now)
{
    agent->now = now;
    reload_sip_clock_set(now.monotonic_ms);
}

/* Numbers go to libosip2 as a socket, an int. */
uint32_t reload_sip_number(struct reload_sip_agent *agent)
{
    agent->last_number = agent->last_number == INT32_MAX ? 1 : agent->last_number + 1;
    return agent->last_number;
}

void reload_sip_identifier(struct reload_sip_agent *agent, char out[RELOAD_SIP_ID_TEXT])
{
    (void)snprintf(out, RELOAD_SIP_ID_TEXT, "%016llx",
                   (unsigned long long)reload_random_u64(&agent->random));
}

uint64_t reload_sip_mix(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    while (*text++);
    return hash;
}

const char *reload_sip_refusal_text(enum reload_sip_refusal refusal)
{
    static const char *const texts[] = {
#define X(name, text) text,
        RELOAD_SIP_REFUSALS(X)
#undef X
    };
    return texts[refusal];
}

void reload_sip_refused(struct reload_sip_agent *agent, enum reload_sip_refusal refusal,
                        const struct reload_sip_channel *channel)
{
    char node[RELOAD_NODE_ID_TEXT] = "";
    agent->counters.refused[refusal]++;
    if (agent->now.monotonic_ms < agent->log_next_ms[refusal])
        return;
    agent->log_next_ms[refusal] = agent->now.monotonic_ms + 1000;
    reload_log_write(agent->log, RELOAD_LOG_WARNING, "sip", "refused: %s (%s %s), %llu so far",
                     reload_sip_refusal_text(refusal), channel ? channel->user.text : "",
                     channel ? reload_node_id_text(&channel->route.node_id, node) : "",
                     (unsigned long long)agent->counters.refused[refusal]);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t reload_sip_agent_deadline(const struct reload_sip_agent *agent)
{
    reload_sip_clock_set(agent->now.monotonic_ms); /* another agent may have run on this thread */
    uint64_t soon =
        earlier(reload_sip_transactions_deadline(agent), reload_sip_calls_deadline(agent));
    soon = earlier(soon, reload_sip_errands_deadline(agent));
    return earlier(soon, reload_sip_channels_deadline(agent));
}

void reload_sip_agent_tick(struct reload_sip_agent *agent, struct reload_time now)
{
    reload_sip_enter(agent, now);
    reload_sip_transactions_tick(agent);
    reload_sip_settle(agent);
    reload_sip_calls_tick(agent);
    reload_sip_errands_tick(agent);
    reload_sip_channels_tick(agent);
    reload_sip_settle(agent);
}

const struct reload_sip_counters *reload_sip_agent_counters(const struct reload_sip_agent *agent)
{
    return &agent->counters;
}

struct reload_sip_sizes reload_sip_agent_sizes(const struct reload_sip_agent *agent)
{
    return (struct reload_sip_sizes){ agent->channel_count, agent->call_count, agent->errand_count,
                                      agent->transactions, agent->queue_count };
}

void reload_sip_agent_targets(struct reload_sip_agent *agent, uint32_t id,
                              const struct reload_sip_target *targets, size_t count, bool cached,
                              struct reload_time now)
{
    struct reload_sip_call *call = reload_sip_call_find(agent, id);
    struct reload_sip_errand *errand = reload_sip_errand_find(agent, id);
    reload_sip_enter(agent, now);
    if (call && (call->state == RELOAD_SIP_FINDING || call->fork.refreshing))
        reload_sip_call_targets(agent, call, targets, count, cached);
    else if (errand && (errand->fork.count == 0 || errand->fork.refreshing))
        reload_sip_errand_targets(agent, errand, targets, count, cached);
    reload_sip_settle(agent);
}

void reload_sip_agent_lookup_failed(struct reload_sip_agent *agent, uint32_t id, int status,
                                    struct reload_time now)
{
    struct reload_sip_call *call = reload_sip_call_find(agent, id);
    struct reload_sip_errand *errand = reload_sip_errand_find(agent, id);
    reload_sip_enter(agent, now);
    if (call && (call->state == RELOAD_SIP_FINDING || call->fork.refreshing))
        reload_sip_call_lookup_failed(agent, call, status);
    else if (errand && (errand->fork.count == 0 || errand->fork.refreshing))
        reload_sip_errand_lookup_failed(agent, errand, status);
}
