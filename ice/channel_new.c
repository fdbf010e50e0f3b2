#include "ice/internal.h"

#include "reload/alloc.h"

/* Making a channel: what the host asks is judged first, then told to the library. */

#define GATHER_RETRANSMISSIONS_MAX 2 /* a server that does not answer delays the Attach */
/* When all checks have failed, how much longer the far end's are waited for. It begins its own when
 * it answers; but it may have our answer late: s6.2.1 retransmits. */
#define IDLE_REQUESTER_MS 500
#define IDLE_ANSWERER_MS  10000

static bool all_sendable(const struct reload_link_address *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (reload_ice_address_scope(&addresses[i]) == RELOAD_ICE_SCOPE_BAD)
            return false;
    return true;
}

static int judge(const struct reload_ice *ice, const struct reload_ice_channel_config *config)
{
    if (ice->channel_count == RELOAD_ICE_CHANNELS_MAX ||
        config->turn_server_count > RELOAD_ICE_TURN_SERVERS_MAX ||
        config->local_address_count > RELOAD_ICE_ADDRESSES_MAX)
        return RELOAD_E_LIMIT;
    bool given = config->ufrag.n > 0 || config->password.n > 0;
    if (given &&
        (!reload_ice_is_ice_chars(config->ufrag, RELOAD_ICE_UFRAG_MIN, CREDENTIAL_MAX) ||
         !reload_ice_is_ice_chars(config->password, RELOAD_ICE_PASSWORD_MIN, CREDENTIAL_MAX)))
        return RELOAD_E_INVALID;
    if (config->stun_server &&
        (!all_sendable(config->stun_server, 1) || config->stun_server->port == 0))
        return RELOAD_E_INVALID;
    for (size_t i = 0; i < config->turn_server_count; i++) {
        const struct reload_ice_turn_server *turn = &config->turn_servers[i];
        if (!all_sendable(&turn->address, 1) || turn->address.port == 0 || !turn->user_name ||
            !turn->password)
            return RELOAD_E_INVALID;
    }
    return config->port_min > config->port_max ||
                   !all_sendable(config->local_addresses, config->local_address_count)
               ? RELOAD_E_INVALID
               : 0;
}

/* The address alone, as the library wants its servers. */
static void host_text(const struct reload_link_address *address, char text[NICE_ADDRESS_STRING_LEN])
{
    NiceAddress nice;
    reload_ice_to_nice(address, &nice);
    nice_address_to_string(&nice, text);
}

/* A socket that waits for a TURN answer loses that of the STUN server, and gathering would wait for
 * it in vain; the TURN server shows the same address. */
static bool asks_stun(const struct reload_ice_channel_config *config)
{
    for (size_t i = 0; config->stun_server && i < config->turn_server_count; i++)
        if (config->turn_servers[i].transport == RELOAD_ICE_TURN_UDP &&
            config->turn_servers[i].address.len == config->stun_server->len)
            return false;
    return config->stun_server != NULL;
}

static NiceAgent *new_agent(const struct reload_ice *ice,
                            const struct reload_ice_channel_config *config)
{
    NiceAgent *agent =
        nice_agent_new_full(ice->context, NICE_COMPATIBILITY_RFC5245, NICE_AGENT_OPTION_NONE);
    /* Keepalives that are answered, and no "consent-freshness": that gives a path up after 10 s,
     * which is two lost checks. */
    /* Aggressive nomination (RFC 5245 s8.1.1.2): with the regular one the library waits for every
     * check under way, up to the last retransmission of those that cannot succeed. */
    g_object_set(agent, "controlling-mode", config->role == RELOAD_ICE_CONTROLLING, "upnp", FALSE,
                 "ice-tcp", FALSE, "keepalive-conncheck", TRUE, "stun-pacing-timer",
                 RELOAD_ICE_PACING_MS, "max-connectivity-checks", RELOAD_ICE_CHECKS_MAX,
                 "stun-max-retransmissions", GATHER_RETRANSMISSIONS_MAX, "idle-timeout",
                 config->role == RELOAD_ICE_CONTROLLING ? IDLE_REQUESTER_MS : IDLE_ANSWERER_MS,
                 "force-relay", (gboolean)config->relay_only, NULL);
    if (asks_stun(config)) {
        char text[NICE_ADDRESS_STRING_LEN];
        host_text(config->stun_server, text);
        g_object_set(agent, "stun-server", text, "stun-server-port",
                     (guint)config->stun_server->port, NULL);
    }
    for (size_t i = 0; i < config->local_address_count; i++) {
        NiceAddress nice;
        struct reload_link_address address = config->local_addresses[i];
        address.port = 0;
        reload_ice_to_nice(&address, &nice);
        nice_agent_add_local_address(agent, &nice);
    }
    return agent;
}

static bool add_stream(struct reload_ice_channel *channel,
                       const struct reload_ice_channel_config *config)
{
    channel->stream = nice_agent_add_stream(channel->agent, 1);
    if (channel->stream == 0)
        return false;
    if (config->port_max > 0)
        nice_agent_set_port_range(channel->agent, channel->stream, COMPONENT, config->port_min,
                                  config->port_max);
    for (size_t i = 0; i < config->turn_server_count; i++) {
        const struct reload_ice_turn_server *turn = &config->turn_servers[i];
        char text[NICE_ADDRESS_STRING_LEN];
        host_text(&turn->address, text);
        if (!nice_agent_set_relay_info(channel->agent, channel->stream, COMPONENT, text,
                                       turn->address.port, turn->user_name, turn->password,
                                       turn->transport == RELOAD_ICE_TURN_TCP
                                           ? NICE_RELAY_TYPE_TURN_TCP
                                           : NICE_RELAY_TYPE_TURN_UDP))
            return false;
    }
    return true;
}

static bool set_credentials(struct reload_ice_channel *channel,
                            const struct reload_ice_channel_config *config)
{
    if (config->ufrag.n > 0) {
        char *ufrag = g_strndup((const char *)config->ufrag.p, config->ufrag.n);
        char *password = g_strndup((const char *)config->password.p, config->password.n);
        gboolean set =
            nice_agent_set_local_credentials(channel->agent, channel->stream, ufrag, password);
        g_free(ufrag);
        g_free(password);
        if (!set)
            return false;
    }
    return nice_agent_get_local_credentials(channel->agent, channel->stream, &channel->ufrag,
                                            &channel->password);
}

static bool start(struct reload_ice_channel *channel,
                  const struct reload_ice_channel_config *config)
{
    channel->agent = new_agent(channel->ice, config);
    if (!add_stream(channel, config) || !set_credentials(channel, config))
        return false;
    reload_ice_listen(channel);
    return nice_agent_gather_candidates(channel->agent, channel->stream);
}

static bool uses_loopback(const struct reload_ice_channel_config *config)
{
    for (size_t i = 0; i < config->local_address_count; i++)
        if (reload_ice_address_scope(&config->local_addresses[i]) == RELOAD_ICE_SCOPE_LOOPBACK)
            return true;
    return false;
}

int reload_ice_channel_new(struct reload_ice *ice, const struct reload_ice_channel_config *config,
                           struct reload_ice_channel **out)
{
    int error = judge(ice, config);
    *out = NULL;
    if (error != 0)
        return error;
    struct reload_ice_channel *channel = reload_calloc(1, sizeof *channel);
    if (!channel)
        return RELOAD_E_NOMEM;
    channel->ice = ice;
    channel->user = config->user;
    channel->pacing_ms = RELOAD_ICE_PACING_MS;
    channel->relays = config->turn_server_count > 0;
    channel->loopback = uses_loopback(config);
    channel->next = ice->channels;
    channel->link = &ice->channels;
    if (channel->next)
        channel->next->link = &channel->next;
    ice->channels = channel;
    ice->channel_count++;
    if (!start(channel, config)) {
        reload_ice_channel_free(channel);
        return RELOAD_E_IO;
    }
    ice->stats.channels++;
    *out = channel;
    return 0;
}
