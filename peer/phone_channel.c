#include "peer/phone_internal.h"

#include "certs/certificate.h"

/* The agent's connections: channels of AppAttach to the applications 5060 and 5061 (RFC 7904 s5.1),
 * in both directions. */

struct reload_phone_channel {
    struct reload_phone *phone;
    uint32_t number; /* the agent's */
    struct reload_channel *channel;
    bool open;
};

static const uint16_t applications[] = { RELOAD_SIP_APPLICATION_SIP, RELOAD_SIP_APPLICATION_SIPS };

static void forget(struct reload_phone_channel *c)
{
    g_hash_table_remove(c->phone->channels, GUINT_TO_POINTER(c->number));
}

/* What the handshake proved, with the certificate's user name copied into `user`. */
static struct reload_sip_channel_info describe(const struct reload_channel_info *info,
                                               char user[RELOAD_CERT_USER_NAME_MAX + 1])
{
    struct reload_cert_reason reason;
    struct reload_cert *certificate;
    user[0] = '\0';
    if (reload_cert_parse(info->certificate, true, &certificate, &reason) == 0) {
        struct reload_slice name = reload_cert_content(certificate)->user_name;
        if (name.n)
            memcpy(user, name.p, name.n);
        user[name.n] = '\0';
        reload_cert_free(certificate);
    }
    return (struct reload_sip_channel_info){
        .node_id = info->node_id,
        .user = user[0] ? user : NULL,
        .application = info->application,
        .datagram = info->datagrams,
    };
}

/* --- what happens --- */

static void opened(void *context, struct reload_channel *channel)
{
    struct reload_phone_channel *c = context;
    struct reload_phone *phone = c->phone;
    char user[RELOAD_CERT_USER_NAME_MAX + 1];
    const struct reload_sip_channel_info info = describe(reload_channel_info(channel), user);
    c->open = true;
    reload_sip_agent_opened(phone->agent, c->number, &info, reload_overlay_now());
    reload_phone_settle(phone);
}

static void received(void *context, struct reload_channel *channel, struct reload_slice bytes)
{
    const struct reload_phone_channel *c = context;
    struct reload_phone *phone = c->phone;
    (void)channel;
    reload_sip_agent_received(phone->agent, c->number, bytes.p, bytes.n, reload_overlay_now());
    reload_phone_settle(phone);
}

/* The channel is gone, or of no more use. */
static void lost(struct reload_phone_channel *c)
{
    struct reload_phone *phone = c->phone;
    uint32_t number = c->number;
    bool open = c->open;
    forget(c);
    if (open)
        reload_sip_agent_closed(phone->agent, number, reload_overlay_now());
    else
        reload_sip_agent_failed(phone->agent, number, reload_overlay_now());
    reload_phone_settle(phone);
}

/* SIP has no use for one direction alone. */
static void ended(void *context, struct reload_channel *channel)
{
    reload_channel_close(channel);
    lost(context);
}

static void closed(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *end)
{
    struct reload_phone_channel *c = context;
    (void)channel;
    if (!c->open)
        reload_log_write(c->phone->log, RELOAD_LOG_INFO, "sip", "no channel to a SIP node: %s",
                         end->reason);
    lost(c);
}

static const struct reload_channel_events channel_events = {
    .opened = opened,
    .received = received,
    .ended = ended,
    .closed = closed,
};

static struct reload_phone_channel *add(struct reload_phone *phone, uint32_t number)
{
    struct reload_phone_channel *c = g_new0(struct reload_phone_channel, 1);
    c->phone = phone;
    c->number = number;
    g_hash_table_insert(phone->channels, GUINT_TO_POINTER(number), c);
    return c;
}

static void accepted(void *context, struct reload_channel *channel)
{
    struct reload_phone *phone = context;
    char user[RELOAD_CERT_USER_NAME_MAX + 1];
    const struct reload_sip_channel_info info = describe(reload_channel_info(channel), user);
    uint32_t number;
    if (reload_sip_agent_accept(phone->agent, &info, reload_overlay_now(), &number)) {
        reload_channel_close(channel);
        return;
    }
    struct reload_phone_channel *c = add(phone, number);
    c->channel = channel;
    c->open = true;
    reload_channel_set_events(channel, &channel_events, c);
    reload_phone_settle(phone);
}

int reload_phone_serve(struct reload_phone *phone)
{
    static const struct reload_channel_events events = { .opened = accepted };
    int error = 0;
    for (; phone->served < G_N_ELEMENTS(applications) && !error; phone->served += !error)
        error = reload_overlay_accept_channels(phone->overlay, applications[phone->served], &events,
                                               phone);
    return error;
}

/* --- what the agent wants --- */

void reload_phone_open_channel(struct reload_phone *phone, const struct reload_sip_action *action)
{
    const struct reload_target target = { .list = reload_slice_of(action->bytes, action->len) };
    struct reload_phone_channel *c = add(phone, action->channel);
    if (reload_overlay_open_channel(phone->overlay, &target, action->application, &channel_events,
                                    c, &c->channel))
        lost(c);
}

/* A channel whose far end does not read is of no use either. */
void reload_phone_send(struct reload_phone *phone, const struct reload_sip_action *action)
{
    struct reload_phone_channel *c =
        g_hash_table_lookup(phone->channels, GUINT_TO_POINTER(action->channel));
    if (!c || reload_channel_send(c->channel, reload_slice_of(action->bytes, action->len)) == 0)
        return;
    reload_channel_close(c->channel);
    lost(c);
}

void reload_phone_close_channel(struct reload_phone *phone, uint32_t number)
{
    struct reload_phone_channel *c = g_hash_table_lookup(phone->channels, GUINT_TO_POINTER(number));
    if (!c)
        return;
    reload_channel_close(c->channel);
    forget(c);
}

void reload_phone_channels_fini(struct reload_phone *phone)
{
    GHashTableIter iter;
    gpointer c;
    for (size_t i = 0; i < phone->served; i++)
        reload_overlay_refuse_channels(phone->overlay, applications[i]);
    g_hash_table_iter_init(&iter, phone->channels);
    while (g_hash_table_iter_next(&iter, NULL, &c))
        reload_channel_close(((struct reload_phone_channel *)c)->channel);
    g_hash_table_unref(phone->channels);
}
