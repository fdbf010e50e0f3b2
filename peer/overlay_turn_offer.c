#include "ice/address.h"
#include "peer/overlay_internal.h"
#include "reload/config/registry.h"

/* The TURN server beside this peer: records of it (RFC 6940 s9), and credentials for it. */

#define RETRY_MS 30000 /* after a record could not be stored */
#define LAST_MS  10000 /* the asker closes the channel; one that does not is cut off */

struct reload_overlay_turn_granted { /* a channel that has its credentials */
    struct reload_channel *channel;
    uint64_t deadline_ms;
};

/* --- whether --- */

static bool listens_on_loopback(const struct reload_overlay *o)
{
    for (size_t i = 0; i < o->listening_count; i++)
        if (reload_ice_address_scope(&o->listening[i]) == RELOAD_ICE_SCOPE_LOOPBACK)
            return true;
    return false;
}

/* How others see this peer; NULL: nobody has told. */
static const struct reload_link_address *seen(const struct reload_overlay *o)
{
    const struct reload_ice_stun_servers *s = &o->stun.servers;
    for (size_t i = 0; i < s->count; i++)
        if (s->servers[i].reflexive.len == o->turn.offered.len)
            return &s->servers[i].reflexive;
    return NULL;
}

static enum reload_ice_turn_fitness fitness(const struct reload_overlay *o)
{
    const struct reload_link_address *server = &o->turn.offered;
    bool at_home = reload_ice_address_scope(server) == RELOAD_ICE_SCOPE_LOOPBACK &&
                   listens_on_loopback(o) && server->port != 0;
    return at_home ? RELOAD_ICE_TURN_FIT : reload_ice_turn_fitness(server, seen(o));
}

static const char *objection(const struct reload_overlay *o,
                             const struct reload_overlay_options *options)
{
    if (o->files.config->no_ice)
        return "this overlay does without ICE";
    if (options->role != RELOAD_ROLE_PEER || o->listening_count == 0)
        return "only a peer that listens can hand out credentials";
    if (options->turn_secret.n == 0)
        return "the secret is empty";
    switch (fitness(o)) {
    case RELOAD_ICE_TURN_UNUSABLE: return "nobody else can send there";
    case RELOAD_ICE_TURN_PRIVATE: return "a private address (RFC 6940 section 9)";
    case RELOAD_ICE_TURN_FIT:
    case RELOAD_ICE_TURN_UNKNOWN:
    case RELOAD_ICE_TURN_TRANSLATED: break;
    }
    return NULL;
}

/* --- credentials --- */

static int write_grant(const struct reload_overlay *o, const struct reload_node_id *node_id,
                       struct reload_writer *w)
{
    struct reload_ice_turn_credentials c;
    struct reload_ice_turn_grant grant = { .lifetime_s = RELOAD_OVERLAY_TURN_GRANT_S };
    gsize len;
    const uint8_t *secret = g_bytes_get_data(o->turn.secret, &len);
    int error = reload_ice_turn_credentials(reload_slice_of(secret, len), node_id,
                                            o->now.unix_ms / 1000, grant.lifetime_s, &c);
    if (error)
        return error;
    g_strlcpy(grant.user_name, c.user_name, sizeof grant.user_name);
    g_strlcpy(grant.password, c.password, sizeof grant.password);
    return reload_ice_turn_grant_encode(w, &grant);
}

static void opened(void *context, struct reload_channel *channel)
{
    struct reload_overlay *o = context;
    uint8_t buffer[RELOAD_ICE_TURN_GRANT_MAX];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    int error = write_grant(o, &reload_channel_info(channel)->node_id, &w);
    if (!error)
        error = reload_channel_send(channel, reload_writer_slice(&w));
    if (error) {
        reload_channel_close(channel);
        return;
    }
    reload_channel_end(channel);
    o->turn.stats.granted++;
    struct reload_overlay_turn_granted *granted = g_new(struct reload_overlay_turn_granted, 1);
    *granted = (struct reload_overlay_turn_granted){ channel, o->now.monotonic_ms + LAST_MS };
    g_queue_push_tail(&o->turn.granted, granted);
}

static void closed(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *end)
{
    GQueue *all = &((struct reload_overlay *)context)->turn.granted;
    (void)end;
    for (GList *at = all->head; at; at = at->next)
        if (((struct reload_overlay_turn_granted *)at->data)->channel == channel) {
            g_free(at->data);
            g_queue_delete_link(all, at);
            return;
        }
}

static void cut_off(struct reload_overlay *o)
{
    struct reload_overlay_turn_granted *oldest;
    while ((oldest = g_queue_peek_head(&o->turn.granted)) &&
           oldest->deadline_ms <= o->now.monotonic_ms) {
        reload_channel_close(oldest->channel);
        g_free(g_queue_pop_head(&o->turn.granted));
    }
}

int reload_overlay_turn_offer(struct reload_overlay *o,
                              const struct reload_overlay_options *options,
                              struct reload_cert_reason *reason)
{
    static const struct reload_channel_events events = { .opened = opened, .closed = closed };
    char address[RELOAD_LINK_ADDRESS_TEXT];
    if (!options->turn)
        return 0;
    o->turn.offered = *options->turn;
    const char *why = objection(o, options);
    if (why)
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "TURN server %s: %s",
                                  reload_link_address_text(options->turn, address), why);
    o->turn.secret = g_bytes_new(options->turn_secret.p, options->turn_secret.n);
    int error = reload_overlay_accept_channels(o, RELOAD_ICE_TURN_APPLICATION, &events, o);
    return error ? reload_cert_refuse(reason, error, "credentials cannot be handed out: %s",
                                      reload_error_text(error))
                 : 0;
}

/* --- records --- */

static void stored(void *context, const struct reload_result *result)
{
    struct reload_overlay *o = context;
    if (o->turn.over)
        return;
    if (!result->error) {
        o->turn.stats.records++;
        return;
    }
    reload_log_write(o->log, RELOAD_LOG_WARNING, "turn", "a record could not be stored: %s",
                     reload_error_text(result->error));
    o->turn.store_ms = MIN(o->turn.store_ms, o->now.monotonic_ms + RETRY_MS);
}

static int store(struct reload_overlay *o, uint8_t d)
{
    uint8_t name[RELOAD_NODE_ID_MAX + 1], id[RELOAD_RESOURCE_ID_MAX], value[32];
    size_t id_len;
    struct reload_writer w = reload_writer_of(value, sizeof value);
    size_t name_len = reload_ice_turn_name(&o->crypto.own->node_id, d, name);
    int error = reload_overlay_resource_id(o, reload_slice_of(name, name_len), id, &id_len);
    if (!error)
        error = reload_ice_turn_value(&w, d, &o->turn.offered);
    const struct reload_store_item item = { .kind = RELOAD_KIND_TURN_SERVICE,
                                            .exists = true,
                                            .value = reload_writer_slice(&w),
                                            .lifetime_s = RELOAD_OVERLAY_TURN_RECORD_S };
    return error ? error
                 : reload_overlay_store(o, reload_slice_of(id, id_len), &item, 1, stored, o);
}

/* s9: turn-density of them, and none while this peer is seen at another address. */
static void store_all(struct reload_overlay *o)
{
    unsigned int records = reload_ice_turn_records(reload_node_overlay(o->node)->turn_density);
    o->turn.store_ms = o->now.monotonic_ms + RELOAD_OVERLAY_TURN_RECORD_S * UINT64_C(500);
    if (fitness(o) == RELOAD_ICE_TURN_TRANSLATED) {
        reload_log_write(o->log, RELOAD_LOG_WARNING, "turn",
                         "others see this peer at another address than its TURN server's: it is "
                         "not offered");
        o->turn.store_ms = o->now.monotonic_ms + RETRY_MS;
        return;
    }
    for (unsigned int d = 1; d <= records; d++)
        if (store(o, (uint8_t)d) != 0)
            o->turn.store_ms = o->now.monotonic_ms + RETRY_MS;
}

/* --- the loop --- */

void reload_overlay_turn_offer_run(struct reload_overlay *o)
{
    if (o->turn.offered.len == 0)
        return;
    cut_off(o);
    if (reload_node_state(o->node) != RELOAD_TOPOLOGY_JOINED)
        o->turn.store_ms = RELOAD_NEVER;
    else if (o->turn.store_ms == RELOAD_NEVER || o->turn.store_ms <= o->now.monotonic_ms)
        store_all(o);
}

uint64_t reload_overlay_turn_offer_deadline(const struct reload_overlay *o)
{
    const struct reload_overlay_turn_granted *oldest =
        g_queue_peek_head((GQueue *)&o->turn.granted);
    return MIN(o->turn.store_ms, oldest ? oldest->deadline_ms : RELOAD_NEVER);
}

void reload_overlay_turn_offer_fini(struct reload_overlay *o)
{
    g_queue_clear_full(&o->turn.granted, g_free);
    g_clear_pointer(&o->turn.secret, g_bytes_unref);
}
