#include "usage-sip/internal.h"

#include "reload/alloc.h"

/* The pool: one channel for each far node and application, in whichever direction it was opened. */

struct reload_sip_channel *reload_sip_channel_find(struct reload_sip_agent *agent, uint32_t number)
{
    struct reload_sip_channel *channel;
    TAILQ_FOREACH(channel, &agent->channels, link)
    if (channel->number == number)
        return channel;
    return NULL;
}

static bool leads_to(const struct reload_sip_channel *channel, const struct reload_sip_route *route)
{
    if (channel->route.application != route->application)
        return false;
    if (route->node_id.len)
        return reload_node_id_equal(&channel->route.node_id, &route->node_id);
    return reload_slice_equal(
        reload_slice_of(channel->route.destinations, channel->route.destinations_len),
        reload_slice_of(route->destinations, route->destinations_len));
}

struct reload_sip_channel *reload_sip_channel_of(struct reload_sip_agent *agent,
                                                 const struct reload_sip_route *route)
{
    struct reload_sip_channel *channel, *opening = NULL;
    TAILQ_FOREACH(channel, &agent->channels, link)
    if (leads_to(channel, route)) {
        if (channel->state == RELOAD_SIP_CHANNEL_UP)
            return channel;
        opening = channel;
    }
    return opening;
}

static struct reload_sip_channel *channel_new(struct reload_sip_agent *agent)
{
    struct reload_sip_channel *channel = NULL;
    if (agent->channel_count >= agent->limits.max_channels)
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_CHANNELS, NULL);
    else
        channel = reload_calloc(1, sizeof *channel);
    if (!channel)
        return NULL;
    channel->closing = reload_sip_act_reserve(agent);
    if (!channel->closing) {
        reload_free(channel);
        return NULL;
    }
    channel->number = reload_sip_number(agent);
    channel->used_ms = channel->sent_ms = agent->now.monotonic_ms;
    STAILQ_INIT(&channel->waiting);
    TAILQ_INSERT_TAIL(&agent->channels, channel, link);
    agent->channel_count++;
    return channel;
}

static void channel_free(struct reload_sip_agent *agent, struct reload_sip_channel *channel)
{
    struct reload_sip_waiting *waiting;
    while ((waiting = STAILQ_FIRST(&channel->waiting))) {
        STAILQ_REMOVE_HEAD(&channel->waiting, link);
        osip_message_free(waiting->request);
        reload_free(waiting);
    }
    TAILQ_REMOVE(&agent->channels, channel, link);
    agent->channel_count--;
    reload_sip_framing_fini(&channel->framing);
    reload_free(channel->closing);
    reload_free(channel);
}

/* The network took it, or we do: who counted on it hears so. */
static void channel_end(struct reload_sip_agent *agent, struct reload_sip_channel *channel)
{
    uint32_t owners[64];
    size_t count = 0;
    struct reload_sip_waiting *waiting;
    STAILQ_FOREACH(waiting, &channel->waiting, link)
    if (count < sizeof owners / sizeof *owners)
        owners[count++] = waiting->owner;
    uint32_t number = channel->number;
    channel_free(agent, channel);
    reload_sip_transactions_lost(agent, number);
    for (size_t i = 0; i < count; i++)
        reload_sip_outcome(agent, owners[i], 0, 503, NULL);
    reload_sip_calls_lost(agent, number);
}

static void close_channel(struct reload_sip_agent *agent, struct reload_sip_channel *channel)
{
    struct reload_sip_action *action =
        reload_sip_act_reserved(agent, RELOAD_SIP_ACTION_CLOSE, channel->closing);
    action->channel = channel->number;
    channel->closing = NULL;
    channel_end(agent, channel);
}

static int take_info(struct reload_sip_channel *channel, const struct reload_sip_channel_info *info)
{
    bool sip = info->application == RELOAD_SIP_APPLICATION_SIP ||
               info->application == RELOAD_SIP_APPLICATION_SIPS;
    if (!sip || !info->node_id.len)
        return RELOAD_E_INVALID;
    channel->route.node_id = info->node_id;
    channel->route.application = info->application;
    channel->datagram = info->datagram;
    channel->user.len = 0;
    if (info->user &&
        reload_sip_aor_read(reload_slice_of(info->user, strlen(info->user)), &channel->user) != 0)
        channel->user.len = 0;
    if (channel->user.len == 0)
        channel->user.text[0] = '\0';
    return 0;
}

int reload_sip_agent_accept(struct reload_sip_agent *agent,
                            const struct reload_sip_channel_info *info, struct reload_time now,
                            uint32_t *number)
{
    reload_sip_enter(agent, now);
    size_t before = agent->channel_count;
    struct reload_sip_channel *channel = channel_new(agent);
    if (!channel)
        return before >= agent->limits.max_channels ? RELOAD_E_LIMIT : RELOAD_E_NOMEM;
    int error = take_info(channel, info);
    if (error != 0) {
        channel_free(agent, channel);
        return error;
    }
    channel->state = RELOAD_SIP_CHANNEL_UP;
    *number = channel->number;
    return 0;
}

static void start_waiting(struct reload_sip_agent *agent, struct reload_sip_channel *channel)
{
    struct reload_sip_waiting *waiting;
    while ((waiting = STAILQ_FIRST(&channel->waiting))) {
        STAILQ_REMOVE_HEAD(&channel->waiting, link);
        channel->waiting_count--;
        reload_sip_set_transport(waiting->request, channel->datagram);
        reload_sip_transaction_start(agent, channel->number, waiting->request, waiting->owner);
        reload_free(waiting);
    }
}

void reload_sip_agent_opened(struct reload_sip_agent *agent, uint32_t number,
                             const struct reload_sip_channel_info *info, struct reload_time now)
{
    struct reload_sip_channel *channel = reload_sip_channel_find(agent, number);
    reload_sip_enter(agent, now);
    if (!channel || channel->state == RELOAD_SIP_CHANNEL_UP)
        return;
    const struct reload_node_id wanted = channel->route.node_id;
    if (take_info(channel, info) != 0 ||
        (wanted.len && !reload_node_id_equal(&wanted, &info->node_id))) {
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_NODE, channel); /* RFC 6940 s6.5.1.13 */
        close_channel(agent, channel);
    } else {
        channel->state = RELOAD_SIP_CHANNEL_UP;
        channel->used_ms = channel->sent_ms = now.monotonic_ms;
        start_waiting(agent, channel);
    }
    reload_sip_settle(agent);
}

static void channel_gone(struct reload_sip_agent *agent, uint32_t number, struct reload_time now)
{
    struct reload_sip_channel *channel = reload_sip_channel_find(agent, number);
    reload_sip_enter(agent, now);
    if (channel)
        channel_end(agent, channel);
    reload_sip_settle(agent);
}

void reload_sip_agent_failed(struct reload_sip_agent *agent, uint32_t channel,
                             struct reload_time now)
{
    channel_gone(agent, channel, now);
}

void reload_sip_agent_closed(struct reload_sip_agent *agent, uint32_t channel,
                             struct reload_time now)
{
    channel_gone(agent, channel, now);
}

/* A message may end the channel, so it is looked up anew for each. */
static void receive_stream(struct reload_sip_agent *agent, uint32_t number,
                           struct reload_slice bytes)
{
    struct reload_sip_channel *channel;
    while (bytes.n && (channel = reload_sip_channel_find(agent, number))) {
        struct reload_slice message;
        int found = reload_sip_framing_next(&channel->framing, &bytes, &message);
        if (found == 0)
            return;
        if (found < 0) {
            reload_sip_refused(agent, RELOAD_SIP_REFUSED_FRAMING, channel);
            close_channel(agent, channel);
            return;
        }
        channel->used_ms = agent->now.monotonic_ms;
        reload_sip_receive(agent, channel, message);
        reload_sip_settle(agent);
    }
}

void reload_sip_agent_received(struct reload_sip_agent *agent, uint32_t number,
                               const uint8_t *bytes, size_t len, struct reload_time now)
{
    struct reload_sip_channel *channel = reload_sip_channel_find(agent, number);
    reload_sip_enter(agent, now);
    if (!channel || channel->state != RELOAD_SIP_CHANNEL_UP)
        return;
    if (channel->datagram) {
        channel->used_ms = now.monotonic_ms;
        reload_sip_receive(agent, channel, reload_slice_of(bytes, len));
    } else {
        receive_stream(agent, number, reload_slice_of(bytes, len));
    }
    reload_sip_settle(agent);
}

/* --- out --- */

static struct reload_sip_channel *open_channel(struct reload_sip_agent *agent,
                                               const struct reload_sip_route *route)
{
    struct reload_sip_channel *channel = channel_new(agent);
    if (!channel)
        return NULL;
    channel->route = *route;
    struct reload_sip_action *action =
        reload_sip_act(agent, RELOAD_SIP_ACTION_OPEN_CHANNEL, 0, route->destinations,
                       route->destinations_len, NULL, NULL);
    if (!action) {
        channel_free(agent, channel);
        return NULL;
    }
    action->channel = channel->number;
    action->node_id = route->node_id;
    action->application = route->application;
    return channel;
}

void reload_sip_channel_prepare(struct reload_sip_agent *agent,
                                const struct reload_sip_route *route)
{
    if (!reload_sip_channel_of(agent, route))
        (void)open_channel(agent, route);
}

static int wait_for(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                    osip_message_t *request, uint32_t owner)
{
    struct reload_sip_waiting *waiting = NULL;
    if (channel->waiting_count >= agent->limits.max_waiting)
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_WAITING, channel);
    else
        waiting = reload_calloc(1, sizeof *waiting);
    if (!waiting)
        return RELOAD_E_LIMIT;
    waiting->request = request;
    waiting->owner = owner;
    STAILQ_INSERT_TAIL(&channel->waiting, waiting, link);
    channel->waiting_count++;
    return 0;
}

void reload_sip_dispatch(struct reload_sip_agent *agent, const struct reload_sip_route *route,
                         osip_message_t *request_take, uint32_t owner)
{
    struct reload_sip_channel *channel = reload_sip_channel_of(agent, route);
    if (request_take && !channel)
        channel = open_channel(agent, route);
    if (request_take && channel && channel->state == RELOAD_SIP_CHANNEL_UP) {
        reload_sip_set_transport(request_take, channel->datagram);
        reload_sip_transaction_start(agent, channel->number, request_take, owner);
        return;
    }
    if (request_take && channel && wait_for(agent, channel, request_take, owner) == 0)
        return;
    osip_message_free(request_take);
    reload_sip_note(agent, owner, 503);
}

void reload_sip_channels_forget(struct reload_sip_agent *agent, uint32_t owner)
{
    struct reload_sip_channel *channel;
    TAILQ_FOREACH(channel, &agent->channels, link)
    {
        struct reload_sip_waiting *waiting = STAILQ_FIRST(&channel->waiting), *next;
        for (; waiting; waiting = next) {
            next = STAILQ_NEXT(waiting, link);
            if (waiting->owner != owner)
                continue;
            STAILQ_REMOVE(&channel->waiting, waiting, reload_sip_waiting, link);
            channel->waiting_count--;
            osip_message_free(waiting->request);
            reload_free(waiting);
        }
    }
}

int reload_sip_channel_send(struct reload_sip_agent *agent, uint32_t number,
                            osip_message_t *message)
{
    struct reload_sip_channel *channel = reload_sip_channel_find(agent, number);
    char *text = NULL;
    size_t len = 0;
    if (!channel || channel->state != RELOAD_SIP_CHANNEL_UP ||
        osip_message_to_str(message, &text, &len) != 0)
        return -1;
    size_t max = channel->datagram ? RELOAD_SIP_DATAGRAM_MAX : RELOAD_SIP_MESSAGE_MAX;
    struct reload_sip_action *action = NULL;
    if (len > max)
        reload_sip_refused(agent, RELOAD_SIP_REFUSED_TOO_LARGE, channel);
    else
        action = reload_sip_act(agent, RELOAD_SIP_ACTION_SEND, 0, text, len, NULL, NULL);
    osip_free(text);
    if (!action)
        return -1;
    action->channel = number;
    channel->used_ms = channel->sent_ms = agent->now.monotonic_ms;
    agent->counters.sent++;
    return 0;
}

/* --- idle --- */

static bool has_dialog(const struct reload_sip_agent *agent,
                       const struct reload_sip_channel *channel)
{
    const struct reload_sip_call *call;
    TAILQ_FOREACH(call, &agent->calls, link)
    {
        if (call->channel == channel->number)
            return true;
        for (size_t i = 0; i < call->fork.count; i++)
            if (leads_to(channel, &call->fork.legs[i].route))
                return true;
    }
    return false;
}

static uint64_t idle_at(const struct reload_sip_agent *agent,
                        const struct reload_sip_channel *channel)
{
    if (channel->state != RELOAD_SIP_CHANNEL_UP || has_dialog(agent, channel))
        return RELOAD_NEVER;
    return channel->used_ms + (uint64_t)agent->limits.idle_s * 1000;
}

/* RFC 7904 s5.2, RFC 5626 s3.5.1: NATs and firewalls on the way shall not forget a stream.
 * Datagrams are ICE's to keep alive. */
static uint64_t keep_alive_at(const struct reload_sip_channel *channel)
{
    bool stream = channel->state == RELOAD_SIP_CHANNEL_UP && !channel->datagram;
    return stream ? channel->sent_ms + RELOAD_SIP_KEEP_ALIVE_MS : RELOAD_NEVER;
}

static void keep_alive(struct reload_sip_agent *agent, struct reload_sip_channel *channel)
{
    struct reload_sip_action *action =
        reload_sip_act(agent, RELOAD_SIP_ACTION_SEND, 0, "\r\n\r\n", 4, NULL, NULL);
    if (action)
        action->channel = channel->number;
    channel->sent_ms = agent->now.monotonic_ms;
}

uint64_t reload_sip_channels_deadline(const struct reload_sip_agent *agent)
{
    const struct reload_sip_channel *channel;
    uint64_t soonest = RELOAD_NEVER;
    TAILQ_FOREACH(channel, &agent->channels, link)
    {
        uint64_t idle = idle_at(agent, channel), keep = keep_alive_at(channel);
        uint64_t at = idle < keep ? idle : keep;
        soonest = at < soonest ? at : soonest;
    }
    return soonest;
}

void reload_sip_channels_tick(struct reload_sip_agent *agent)
{
    struct reload_sip_channel *channel, *next;
    for (channel = TAILQ_FIRST(&agent->channels); channel; channel = next) {
        next = TAILQ_NEXT(channel, link);
        if (idle_at(agent, channel) <= agent->now.monotonic_ms)
            close_channel(agent, channel);
        else if (keep_alive_at(channel) <= agent->now.monotonic_ms)
            keep_alive(agent, channel);
    }
}

void reload_sip_channels_fini(struct reload_sip_agent *agent)
{
    struct reload_sip_channel *channel;
    while ((channel = TAILQ_FIRST(&agent->channels)))
        channel_free(agent, channel);
}
