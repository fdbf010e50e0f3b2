#include "peer/control_internal.h"

#include "peer/json.h"
#include "peer/pipe.h"
#include "reload/wire/error.h"

/* connect and listen: channels whose bytes go through a descriptor of the client's. */

struct listener {
    uint16_t application;
    uint64_t client;
    bool once;
};

struct reload_control_channels {
    struct reload_control *control;
    GHashTable *asked;     /* struct reload_channel that is to come up -> its connect call */
    GHashTable *listeners; /* Application-ID -> struct listener */
    GHashTable *piped;     /* struct reload_pipe -> struct piped */
    uint64_t last_number;
};

struct piped {
    struct reload_control_channels *channels;
    uint64_t number;
    uint64_t client; /* may be gone */
};

/* --- what is told of a channel --- */

static json_t *describe(struct reload_channel *channel, uint64_t number)
{
    const struct reload_channel_info *info = reload_channel_info(channel);
    char local[RELOAD_LINK_ADDRESS_TEXT], remote[RELOAD_LINK_ADDRESS_TEXT];
    return json_pack("{s:I,s:b,s:i,s:o,s:b,s:I,s:s,s:s,s:s,s:b}", "channel", (json_int_t)number,
                     "descriptor", 1, "application", info->application, "node_id",
                     reload_json_node_id(&info->node_id), "datagrams", info->datagrams,
                     "longest_datagram", (json_int_t)info->longest_datagram, "protocol",
                     reload_control_protocol_name(info->link_type), "local",
                     reload_link_address_text(&info->local, local), "remote",
                     reload_link_address_text(&info->remote, remote), "relayed", info->relayed);
}

static void pipe_done(void *context, struct reload_pipe *pipe, const struct reload_pipe_end *end)
{
    struct piped *piped = context;
    struct reload_control_channels *c = piped->channels;
    json_t *event = json_pack("{s:s,s:I,s:b,s:s,s:I,s:I,s:I}", "event", "channel_closed", "channel",
                              (json_int_t)piped->number, "ok", end->channel->error == 0, "reason",
                              end->channel->reason, "bytes_in", (json_int_t)end->bytes_in,
                              "bytes_out", (json_int_t)end->bytes_out, "dropped_datagrams",
                              (json_int_t)end->dropped_datagrams);
    reload_control_send(c->control, piped->client, event);
    g_hash_table_remove(c->piped, pipe);
}

/* The open channel becomes a pipe of that client; *descriptor is for it. NULL: no socket for it. */
static json_t *hand_over(struct reload_control_channels *c, struct reload_channel *channel,
                         uint64_t client, int *descriptor)
{
    struct reload_pipe *pipe;
    struct piped *piped = g_new0(struct piped, 1);
    *piped = (struct piped){ c, ++c->last_number, client };
    json_t *told = describe(channel, piped->number);
    if (reload_pipe_new(channel, reload_control_context(c->control), pipe_done, piped, &pipe,
                        descriptor)) {
        g_free(piped);
        json_decref(told);
        reload_channel_close(channel);
        return NULL;
    }
    g_hash_table_insert(c->piped, pipe, piped);
    return told;
}

/* --- connect --- */

static struct reload_control_call *take_call(struct reload_control_channels *c,
                                             struct reload_channel *channel)
{
    gpointer call = NULL;
    g_hash_table_steal_extended(c->asked, channel, NULL, &call);
    return call;
}

static void connected(void *context, struct reload_channel *channel)
{
    struct reload_control_channels *c = context;
    struct reload_control_call *call = take_call(c, channel);
    int descriptor = -1;
    json_t *told = hand_over(c, channel, call->client, &descriptor);
    if (told)
        reload_control_answer_descriptor(call, told, descriptor);
    else
        reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                            "the peer has no descriptor left for the channel");
}

static void not_connected(void *context, struct reload_channel *channel,
                          const struct reload_channel_end *end)
{
    struct reload_control_call *call = take_call(context, channel);
    bool refused = end->error_code == RELOAD_ERROR_NOT_FOUND ||
                   end->error_code == RELOAD_ERROR_FORBIDDEN || end->error == RELOAD_E_CERTIFICATE;
    json_t *body = json_object();
    if (end->error_code) {
        json_object_set_new(body, "error_code", json_integer(end->error_code));
        json_object_set_new(body, "error_name",
                            json_string(reload_error_code_name(end->error_code)));
    }
    reload_control_fail_with(call, refused ? RELOAD_CONTROL_REFUSED : RELOAD_CONTROL_FAILURE, body,
                             "no channel: %s", end->reason);
}

/* False after the call was failed. */
static bool read_application(struct reload_control_call *call, uint16_t *application)
{
    json_int_t number = json_integer_value(json_object_get(call->request, "application"));
    if (number >= 1 && number <= UINT16_MAX) {
        *application = (uint16_t)number;
        return true;
    }
    reload_control_fail(call, RELOAD_CONTROL_USAGE,
                        "\"application\" is an Application-ID, a number from 1 to 65535");
    return false;
}

void reload_control_connect(struct reload_control_call *call)
{
    static const struct reload_channel_events events = { .opened = connected,
                                                         .closed = not_connected };
    struct reload_control_channels *c = reload_control_channels(call->control);
    const char *node = json_string_value(json_object_get(call->request, "node"));
    struct reload_channel *channel;
    struct reload_node_id id;
    uint16_t application;
    if (!read_application(call, &application))
        return;
    if (!node || reload_node_id_read(node, &id)) {
        reload_control_fail(call, RELOAD_CONTROL_USAGE,
                            "\"node\" must be a Node-ID in hexadecimal");
        return;
    }
    const struct reload_target target = { .id = reload_node_id_slice(&id) };
    int error = reload_overlay_open_channel(reload_control_overlay(call->control), &target,
                                            application, &events, c, &channel);
    if (error)
        reload_control_fail_error(call, error);
    else
        g_hash_table_insert(c->asked, channel, call);
}

/* --- listen --- */

static void listen_no_more(struct reload_control_channels *c, uint16_t application)
{
    if (g_hash_table_remove(c->listeners, GUINT_TO_POINTER(application)))
        reload_overlay_refuse_channels(reload_control_overlay(c->control), application);
}

static void accepted(void *context, struct reload_channel *channel)
{
    struct reload_control_channels *c = context;
    uint16_t application = reload_channel_info(channel)->application;
    const struct listener *listener =
        g_hash_table_lookup(c->listeners, GUINT_TO_POINTER(application));
    uint64_t client = listener->client;
    int descriptor = -1;
    if (listener->once)
        listen_no_more(c, application);
    json_t *told = hand_over(c, channel, client, &descriptor);
    if (!told)
        return;
    json_object_set_new(told, "event", json_string("channel"));
    reload_control_send_descriptor(c->control, client, told, descriptor);
}

void reload_control_accept(struct reload_control_call *call)
{
    static const struct reload_channel_events events = { .opened = accepted };
    struct reload_control_channels *c = reload_control_channels(call->control);
    uint16_t application;
    if (!read_application(call, &application))
        return;
    int error = reload_overlay_accept_channels(reload_control_overlay(call->control), application,
                                               &events, c);
    if (error == RELOAD_E_STATE) {
        reload_control_fail(call, RELOAD_CONTROL_FAILURE, "this peer serves application %u already",
                            application);
        return;
    }
    if (error) {
        reload_control_fail_error(call, error);
        return;
    }
    struct listener *listener = g_new0(struct listener, 1);
    *listener = (struct listener){ application, call->client,
                                   json_is_true(json_object_get(call->request, "once")) };
    g_hash_table_insert(c->listeners, GUINT_TO_POINTER(application), listener);
    reload_control_answer(call, json_pack("{s:i}", "application", application));
}

/* --- life --- */

struct reload_control_channels *reload_control_channels_new(struct reload_control *control)
{
    struct reload_control_channels *c = g_new0(struct reload_control_channels, 1);
    c->control = control;
    c->asked = g_hash_table_new(NULL, NULL);
    c->listeners = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    c->piped = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return c;
}

static struct reload_channel *asked_by(const struct reload_control_channels *c, uint64_t client)
{
    GHashTableIter iter;
    gpointer channel, call;
    g_hash_table_iter_init(&iter, c->asked);
    while (g_hash_table_iter_next(&iter, &channel, &call))
        if (((const struct reload_control_call *)call)->client == client)
            return channel;
    return NULL;
}

static const struct listener *listener_of(const struct reload_control_channels *c, uint64_t client)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, c->listeners);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((const struct listener *)value)->client == client)
            return value;
    return NULL;
}

void reload_control_channels_client_gone(struct reload_control_channels *c, uint64_t client)
{
    struct reload_channel *channel;
    const struct listener *listener;
    while ((channel = asked_by(c, client))) {
        reload_control_fail_error(take_call(c, channel), RELOAD_E_CLOSED);
        reload_channel_close(channel);
    }
    while ((listener = listener_of(c, client)))
        listen_no_more(c, listener->application);
}

void reload_control_channels_free(struct reload_control_channels *c)
{
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, c->asked);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        g_hash_table_iter_steal(&iter);
        reload_channel_close(key);
        reload_control_fail_error(value, RELOAD_E_CLOSED);
    }
    g_hash_table_iter_init(&iter, c->listeners);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        reload_overlay_refuse_channels(reload_control_overlay(c->control),
                                       (uint16_t)GPOINTER_TO_UINT(key));
    g_hash_table_iter_init(&iter, c->piped);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        reload_pipe_free(key);
    g_hash_table_unref(c->asked);
    g_hash_table_unref(c->listeners);
    g_hash_table_unref(c->piped);
    g_free(c);
}
