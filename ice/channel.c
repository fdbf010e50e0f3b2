#include "ice/internal.h"

#include "reload/alloc.h"

/* The life of a channel (RFC 6940 s6.5.1.3 to s6.5.1.14).
 *
 *   GATHERING --gathered--> GATHERED --set_remote--> CHECKING --pair--> CONNECTED
 *       |                      |                        |                  |
 *       +----------------------+-- no path, no consent --------------------+--> FAILED
 *
 * With set_remote before "gathered" the second step follows the first at once. */

#define CHECK_RETRANSMISSIONS_MAX 5 /* at 20 % loss one check in 160 is lost, at 10 % in 4000 */

static void enter(struct reload_ice_channel *channel, enum reload_ice_state state)
{
    __atomic_store_n(&channel->state, state,
                     __ATOMIC_RELAXED); /* send() may be on another thread */
}

static void fail(struct reload_ice_channel *channel, int error, const char *reason)
{
    struct reload_ice_stats *stats = &channel->ice->stats;
    if (channel->state == RELOAD_ICE_FAILED)
        return;
    stats->failed++;
    stats->consent_lost += error == RELOAD_E_CLOSED;
    enter(channel, RELOAD_ICE_FAILED);
    (void)!reload_ice_queue(channel, RELOAD_ICE_EVENT_FAILED, error, reason,
                            (struct reload_slice){ NULL, 0 });
}

static void notify(struct reload_ice_channel *channel, enum reload_ice_event_type type)
{
    if (reload_ice_queue(channel, type, 0, NULL, (struct reload_slice){ NULL, 0 }) != 0)
        fail(channel, RELOAD_E_NOMEM, "no memory");
}

/* s14.2 of RFC 8445: one check in 5 ms at most, over all agents. */
static guint pacing_of(const struct reload_ice_channel *channel)
{
    guint checking = 0;
    for (const struct reload_ice_channel *c = channel->ice->channels; c; c = c->next)
        checking += c->state == RELOAD_ICE_CHECKING;
    return MAX(channel->pacing_ms, checking * RELOAD_ICE_PACING_LEAST_MS);
}

static void check(struct reload_ice_channel *channel)
{
    enter(channel, RELOAD_ICE_CHECKING);
    g_object_set(channel->agent, "stun-max-retransmissions", CHECK_RETRANSMISSIONS_MAX,
                 "stun-pacing-timer", pacing_of(channel), NULL);
    if (reload_ice_remote_apply(channel) != 0)
        fail(channel, RELOAD_E_TIMEOUT, "no candidate of the far end can be used");
}

/* --- what the library tells; it must find the channel usable, so nothing is freed here --- */

static void on_gathered(NiceAgent *agent, guint stream, gpointer data)
{
    (void)agent, (void)stream;
    struct reload_ice_channel *channel = data;
    if (channel->state != RELOAD_ICE_GATHERING)
        return;
    reload_ice_local_collect(channel);
    if (channel->candidate_count == 0) {
        fail(channel, RELOAD_E_IO, "no address of this machine can be used");
        return;
    }
    enter(channel, RELOAD_ICE_GATHERED);
    notify(channel, RELOAD_ICE_EVENT_GATHERED);
    if (channel->remote_known && channel->state == RELOAD_ICE_GATHERED)
        check(channel);
}

static void on_pair(struct reload_ice_channel *channel)
{
    if (channel->state != RELOAD_ICE_CHECKING)
        return;
    enter(channel, RELOAD_ICE_CONNECTED);
    channel->ice->stats.connected++;
    notify(channel, RELOAD_ICE_EVENT_CONNECTED);
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer data)
{
    (void)agent, (void)stream, (void)component;
    struct reload_ice_channel *channel = data;
    if (state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY)
        on_pair(channel);
    if (state != NICE_COMPONENT_STATE_FAILED)
        return;
    if (channel->state == RELOAD_ICE_CONNECTED)
        fail(channel, RELOAD_E_CLOSED, "the far end answers no consent checks");
    else if (channel->state == RELOAD_ICE_CHECKING)
        fail(channel, RELOAD_E_TIMEOUT, "no pair of candidates works");
}

/* s6.5.1.14: packets may come at any time, also before the pair is selected here. */
static void on_datagram(NiceAgent *agent, guint stream, guint component, guint len, gchar *bytes,
                        gpointer data)
{
    (void)agent, (void)stream, (void)component;
    struct reload_ice_channel *channel = data;
    struct reload_ice_stats *stats = &channel->ice->stats;
    struct reload_slice datagram = reload_slice_of(bytes, len);
    if (channel->state == RELOAD_ICE_FAILED)
        return;
    if (channel->datagrams == RELOAD_ICE_DATAGRAMS_MAX ||
        reload_ice_queue(channel, RELOAD_ICE_EVENT_DATAGRAM, 0, NULL, datagram) != 0) {
        stats->queue_full++;
        return;
    }
    stats->datagrams_received++;
}

void reload_ice_listen(struct reload_ice_channel *channel)
{
    g_signal_connect(channel->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), channel);
    g_signal_connect(channel->agent, "component-state-changed", G_CALLBACK(on_state), channel);
    nice_agent_attach_recv(channel->agent, channel->stream, COMPONENT, channel->ice->context,
                           on_datagram, channel);
}

/* --- ending one --- */

static void on_closed(GObject *agent, GAsyncResult *result, gpointer data)
{
    (void)result, (void)data;
    g_object_unref(agent);
}

/* An agent with TURN allocations gives them back first, on its own, in the main context. */
static void close_agent(struct reload_ice_channel *channel)
{
    NiceAgent *agent = channel->agent;
    if (!agent)
        return;
    g_signal_handlers_disconnect_by_data(agent, channel);
    if (channel->stream != 0)
        nice_agent_attach_recv(agent, channel->stream, COMPONENT, channel->ice->context, NULL,
                               NULL);
    if (channel->relays) {
        nice_agent_close_async(agent, on_closed, NULL);
        return;
    }
    if (channel->stream != 0)
        nice_agent_remove_stream(agent, channel->stream);
    g_object_unref(agent);
}

void reload_ice_channel_free(struct reload_ice_channel *channel)
{
    if (!channel)
        return;
    close_agent(channel);
    reload_ice_unqueue(channel);
    *channel->link = channel->next;
    if (channel->next)
        channel->next->link = channel->link;
    channel->ice->channel_count--;
    for (GSList *at = channel->remote; at; at = at->next)
        nice_candidate_free(at->data);
    g_slist_free(channel->remote);
    g_free(channel->ufrag);
    g_free(channel->password);
    reload_free(channel);
}

/* --- using one --- */

enum reload_ice_state reload_ice_channel_state(const struct reload_ice_channel *channel)
{
    return channel->state;
}

struct reload_slice reload_ice_channel_ufrag(const struct reload_ice_channel *channel)
{
    return reload_slice_of(channel->ufrag, strlen(channel->ufrag));
}

struct reload_slice reload_ice_channel_password(const struct reload_ice_channel *channel)
{
    return reload_slice_of(channel->password, strlen(channel->password));
}

static bool set_remote_credentials(struct reload_ice_channel *channel, struct reload_slice ufrag,
                                   struct reload_slice password)
{
    char *u = g_strndup((const char *)ufrag.p, ufrag.n);
    char *p = g_strndup((const char *)password.p, password.n);
    gboolean set = nice_agent_set_remote_credentials(channel->agent, channel->stream, u, p);
    g_free(u);
    g_free(p);
    return set;
}

int reload_ice_channel_set_remote(struct reload_ice_channel *channel, struct reload_slice ufrag,
                                  struct reload_slice password, struct reload_slice candidates)
{
    if (channel->remote_known || channel->state == RELOAD_ICE_FAILED)
        return RELOAD_E_STATE; /* s6.5.1.12 */
    if (!reload_ice_is_ice_chars(ufrag, RELOAD_ICE_UFRAG_MIN, CREDENTIAL_MAX) ||
        !reload_ice_is_ice_chars(password, RELOAD_ICE_PASSWORD_MIN, CREDENTIAL_MAX))
        return RELOAD_E_INVALID;
    int error = reload_ice_remote_read(channel, candidates);
    if (error != 0)
        return error;
    if (!set_remote_credentials(channel, ufrag, password))
        return RELOAD_E_NOMEM;
    channel->remote_known = true;
    if (channel->state == RELOAD_ICE_GATHERED)
        check(channel);
    return 0;
}

void reload_ice_channel_pace(struct reload_ice_channel *channel, unsigned int ms)
{
    channel->pacing_ms = ms;
}

static void count(uint64_t *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

int reload_ice_channel_send(struct reload_ice_channel *channel, struct reload_slice datagram)
{
    struct reload_ice_stats *stats = &channel->ice->stats;
    if (datagram.n > RELOAD_ICE_DATAGRAM_LEN_MAX)
        return RELOAD_E_NOSPACE;
    if (datagram.n == 0)
        return RELOAD_E_INVALID;
    if (__atomic_load_n(&channel->state, __ATOMIC_RELAXED) != RELOAD_ICE_CONNECTED) {
        count(&stats->send_failed);
        return RELOAD_E_STATE;
    }
    int sent = nice_agent_send(channel->agent, channel->stream, COMPONENT, (guint)datagram.n,
                               (const gchar *)datagram.p);
    count(sent == (int)datagram.n ? &stats->datagrams_sent : &stats->send_failed);
    return sent == (int)datagram.n ? 0 : RELOAD_E_IO;
}

static enum reload_ice_pair_type pair_type(NiceCandidateType type)
{
    switch (type) {
    case NICE_CANDIDATE_TYPE_HOST: return RELOAD_ICE_HOST;
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE: return RELOAD_ICE_SRFLX;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE: return RELOAD_ICE_PRFLX;
    case NICE_CANDIDATE_TYPE_RELAYED: break;
    }
    return RELOAD_ICE_RELAY;
}

const char *reload_ice_pair_type_text(enum reload_ice_pair_type type)
{
    static const char *const names[] = { "host", "srflx", "prflx", "relay" };
    return names[type];
}

int reload_ice_channel_pair(const struct reload_ice_channel *channel, struct reload_ice_pair *out)
{
    NiceCandidate *local = NULL, *remote = NULL;
    if (channel->state != RELOAD_ICE_CONNECTED ||
        !nice_agent_get_selected_pair(channel->agent, channel->stream, COMPONENT, &local, &remote))
        return RELOAD_E_STATE;
    *out = (struct reload_ice_pair){
        .local_type = pair_type(local->type),
        .remote_type = pair_type(remote->type),
        .local = reload_ice_from_nice(&local->addr),
        .remote = reload_ice_from_nice(&remote->addr),
    };
    out->relayed = out->local_type == RELOAD_ICE_RELAY || out->remote_type == RELOAD_ICE_RELAY;
    return 0;
}
