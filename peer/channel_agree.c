#include "peer/overlay_internal.h"
#include "peer/own_addresses.h"
#include "reload/wire/candidate.h"
#include "reload/wire/error.h"

/* What the node and ICE say of channels. Without ICE (RFC 6940 s6.5.1.11) the node that asks opens
 * ports for the one channel, and the one that answers dials them; when the one that asks has no
 * address to listen on, the other way round. */

#define ADDRESSES_MAX RELOAD_LINK_DIAL_MAX
#define CANDIDATE_LEN 64    /* bytes of an encoded one, at most */
#define INVITATION_MS 60000 /* the node gives up long before */

struct reload_gathered {
    uint32_t attach;
    size_t len;
    uint8_t candidates[ADDRESSES_MAX * CANDIDATE_LEN];
};

/* --- candidates --- */

static int offer(struct reload_writer *w, uint8_t link_type,
                 const struct reload_link_address *address, uint32_t place)
{
    const struct reload_ip_address_port where = {
        .type = address->len == 4 ? RELOAD_ADDRESS_IPV4 : RELOAD_ADDRESS_IPV6,
        .port = address->port,
        .address = { address->bytes, address->len },
    };
    return reload_no_ice_candidate_encode(w, link_type, &where, place);
}

/* A port of that type at each address the node listens on; what they are found by goes into w. */
static int open_ports(struct reload_overlay *o, reload_invitation_id invitation, uint8_t link_type,
                      struct reload_writer *w, uint32_t *place)
{
    int error = 0;
    for (size_t i = 0; i < o->listening_count && !error; i++) {
        struct reload_link_address at = o->listening[i], own[ADDRESSES_MAX];
        size_t count = 0;
        at.port = 0;
        error = reload_links_invite_at(o->links, invitation, link_type, &at, &at);
        if (!error)
            reload_own_addresses(&at, own, &count, ADDRESSES_MAX);
        for (size_t j = 0; j < count && !error && *place < ADDRESSES_MAX; j++)
            error = offer(w, link_type, &own[j], (*place)++);
    }
    return error;
}

void reload_channels_gather(struct reload_overlay *o, const struct reload_action_gather *want)
{
    struct reload_gathered *gathered = g_new0(struct reload_gathered, 1);
    struct reload_writer w = reload_writer_of(gathered->candidates, sizeof gathered->candidates);
    reload_invitation_id invitation = 0;
    uint32_t place = 0;
    int error = 0;
    bool direct = want->application_id == RELOAD_ICE_TURN_APPLICATION; /* the answerer waits */
    gathered->attach = want->attach;
    if (o->listening_count && !(direct && want->requester))
        error = reload_links_invite(o->links, INVITATION_MS, o->now, &invitation);
    if (invitation && o->dtls && !direct)
        error = open_ports(o, invitation, RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE, &w, &place);
    if (invitation && !error)
        error = open_ports(o, invitation, RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE, &w, &place);
    if (error) {
        reload_log_write(o->log, RELOAD_LOG_WARNING, "channel", "no port for a channel: %s",
                         reload_error_text(error));
        reload_links_withdraw(o->links, invitation, o->now);
        g_array_append_val(o->failed_attaches, want->attach);
        g_free(gathered);
        return;
    }
    gathered->len = w.len;
    g_queue_push_tail(&o->channels.gathered, gathered);
    if (invitation)
        g_hash_table_insert(o->channels.invitations, GUINT_TO_POINTER(want->attach),
                            GUINT_TO_POINTER(invitation));
}

void reload_channels_take_gathered(struct reload_overlay *o)
{
    struct reload_gathered *gathered = g_queue_pop_head(&o->channels.gathered);
    const struct reload_slice none = { 0 };
    reload_node_gathered(o->node, gathered->attach, none, none,
                         reload_slice_of(gathered->candidates, gathered->len), o->now);
    g_free(gathered);
}

/* The ports that were opened under that number; 0: none. They are the caller's. */
static reload_invitation_id take_invitation(struct reload_overlay *o, uint32_t attach)
{
    gpointer invitation = NULL;
    g_hash_table_steal_extended(o->channels.invitations, GUINT_TO_POINTER(attach), NULL,
                                &invitation);
    return GPOINTER_TO_UINT(invitation);
}

void reload_channels_abandon(struct reload_overlay *o, uint32_t attach)
{
    reload_links_withdraw(o->links, take_invitation(o, attach), o->now);
}

/* --- the agreement --- */

static gboolean has_asked(gpointer id, gpointer value, gpointer request)
{
    const struct reload_channel *channel = value;
    (void)id;
    return channel->state == RELOAD_CHANNEL_ASKING &&
           channel->request == *(const uint64_t *)request;
}

static struct reload_channel *of_request(const struct reload_overlay *o, uint64_t request)
{
    return g_hash_table_find(o->channels.all, has_asked, &request);
}

bool reload_channels_refused(struct reload_overlay *o, const struct reload_result *result)
{
    struct reload_channel *channel = of_request(o, result->request);
    if (!channel)
        return false;
    if (result->error_code == RELOAD_ERROR_NOT_FOUND)
        reload_channel_finish(channel, RELOAD_E_NOT_FOUND, result->error_code,
                              "the far node does not serve this application");
    else if (result->error_code)
        reload_channel_finish(channel, result->error, result->error_code,
                              reload_error_code_name(result->error_code));
    else
        reload_channel_finish(channel, result->error, 0, reload_error_text(result->error));
    return true;
}

static struct reload_channel *incoming(struct reload_overlay *o, uint16_t application)
{
    const struct reload_acceptor *acceptor =
        g_hash_table_lookup(o->channels.acceptors, GUINT_TO_POINTER(application));
    struct reload_channel *channel = acceptor ? reload_channel_new(o, application) : NULL;
    if (!channel)
        return NULL;
    o->channels.stats.accepted++;
    channel->info.accepted = true;
    reload_channel_set_events(channel, &acceptor->events, acceptor->context);
    return channel;
}

static bool has_too_many(const struct reload_overlay *o, const struct reload_node_id *node_id)
{
    size_t count = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, o->channels.all);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        count +=
            reload_node_id_equal(&((const struct reload_channel *)value)->info.node_id, node_id);
    return count > RELOAD_CHANNELS_PER_NODE_MAX;
}

/* --- who connects --- */

static int begin_ice(struct reload_overlay *o, void *id, const struct reload_link_channel *path,
                     reload_link_id *link)
{
    struct reload_channel *channel = reload_channel_find(o, (uint64_t)GPOINTER_TO_SIZE(id));
    struct reload_link_channel raw = *path;
    raw.raw = true;
    if (!channel)
        return RELOAD_E_CLOSED;
    int error = reload_links_open_channel(o->links, &raw, o->now, link);
    if (!error)
        reload_channel_set_link(channel, *link);
    return error;
}

static void ice_failed(struct reload_overlay *o, void *id, int error, const char *reason)
{
    struct reload_channel *channel = reload_channel_find(o, (uint64_t)GPOINTER_TO_SIZE(id));
    if (!channel)
        return;
    channel->attach = 0; /* ICE frees it */
    reload_channel_finish(channel, error, 0, reason);
}

static int connect_by_ice(struct reload_channel *channel,
                          const struct reload_action_app_channel *agreed)
{
    static const struct reload_overlay_ice_user user = { begin_ice, ice_failed };
    channel->attach = agreed->attach;
    int error = reload_overlay_ice_connect(
        channel->overlay, agreed->attach, &agreed->node_id, agreed->tls_server, agreed->ufrag,
        agreed->password, agreed->candidates, &user, GSIZE_TO_POINTER((gsize)channel->id));
    if (error)
        channel->attach = 0;
    return error;
}

static int dial(struct reload_channel *channel, const struct reload_action_app_channel *agreed)
{
    struct reload_overlay *o = channel->overlay;
    struct reload_link_address addresses[RELOAD_LINK_DIAL_MAX];
    size_t count = 0;
    for (size_t i = 0; i < agreed->address_count && count < RELOAD_LINK_DIAL_MAX; i++)
        count += reload_overlay_link_address(&agreed->addresses[i], &addresses[count]);
    reload_link_id link = 0;
    int error = reload_links_dial_raw(
        o->links, agreed->link_type, addresses, count, &agreed->node_id,
        agreed->tls_server ? RELOAD_LINK_SERVER : RELOAD_LINK_CLIENT, o->now, &link);
    reload_channel_set_link(channel, link);
    return error;
}

static int bring_about(struct reload_channel *channel,
                       const struct reload_action_app_channel *agreed,
                       reload_invitation_id invitation)
{
    struct reload_overlay *o = channel->overlay;
    reload_channel_enter(channel, RELOAD_CHANNEL_OPENING);
    if (has_too_many(o, &channel->info.node_id)) {
        o->channels.stats.refused_per_node++;
        reload_links_withdraw(o->links, invitation, o->now);
        return RELOAD_E_LIMIT;
    }
    if (agreed->link_type == RELOAD_LINK_TYPE_DTLS_UDP_SR)
        return connect_by_ice(channel, agreed);
    if (agreed->address_count == 0) {
        channel->invitation = invitation;
        return reload_links_admit(o->links, invitation, &agreed->node_id,
                                  RELOAD_CHANNEL_OPEN_MS + 1000, o->now);
    }
    reload_links_withdraw(o->links, invitation, o->now);
    return dial(channel, agreed);
}

void reload_channels_agreed(struct reload_overlay *o,
                            const struct reload_action_app_channel *agreed)
{
    reload_invitation_id invitation = take_invitation(o, agreed->attach);
    struct reload_channel *channel =
        agreed->request ? of_request(o, agreed->request) : incoming(o, agreed->application);
    if (!channel) { /* it is not wanted any longer */
        reload_links_withdraw(o->links, invitation, o->now);
        reload_overlay_ice_abandon(o, agreed->attach);
        return;
    }
    channel->info.node_id = agreed->node_id;
    int error = bring_about(channel, agreed, invitation);
    if (error)
        reload_channel_finish(channel, error, 0,
                              error == RELOAD_E_LIMIT ? "too many channels with this node"
                                                      : reload_error_text(error));
}
