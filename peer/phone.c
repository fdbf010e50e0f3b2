#include "peer/loop_timer.h"
#include "peer/phone_internal.h"

/* The phone: life, time, and what the agent wants. */

struct reload_phone_errand {
    reload_phone_done *done;
    void *context;
};

/* --- what happens --- */

static void tell_message(struct reload_phone *phone, const struct reload_sip_action *action)
{
    const struct reload_phone_message message = {
        .from = action->user,
        .node_id = action->node_id,
        .content_type = action->content_type,
        .text = reload_slice_of(action->bytes, action->len),
    };
    reload_log_write(phone->log, RELOAD_LOG_INFO, "sip", "a message from %s", action->user);
    if (phone->events.message)
        phone->events.message(phone->events_context, &message);
}

static void errand_done(struct reload_phone *phone, uint32_t id, int status)
{
    const struct reload_phone_errand *errand =
        g_hash_table_lookup(phone->errands, GUINT_TO_POINTER(id));
    if (!errand)
        return;
    struct reload_phone_errand copy = *errand;
    g_hash_table_remove(phone->errands, GUINT_TO_POINTER(id));
    copy.done(copy.context, status);
}

static void act(struct reload_phone *phone, const struct reload_sip_action *action)
{
    switch (action->type) {
    case RELOAD_SIP_ACTION_OPEN_CHANNEL: reload_phone_open_channel(phone, action); break;
    case RELOAD_SIP_ACTION_SEND: reload_phone_send(phone, action); break;
    case RELOAD_SIP_ACTION_CLOSE: reload_phone_close_channel(phone, action->channel); break;
    case RELOAD_SIP_ACTION_LOOKUP: reload_phone_look_up(phone, action); break;
    case RELOAD_SIP_ACTION_MESSAGE: tell_message(phone, action); break;
    case RELOAD_SIP_ACTION_ERRAND_DONE: errand_done(phone, action->id, action->status); break;
    case RELOAD_SIP_ACTION_CALL_INCOMING:
    case RELOAD_SIP_ACTION_CALL_STATE:
    case RELOAD_SIP_ACTION_CALL_MEDIA:
    case RELOAD_SIP_ACTION_CALL_MOVED:
    case RELOAD_SIP_ACTION_CALL_CHANGE:
    case RELOAD_SIP_ACTION_CALL_CUT: reload_phone_call_act(phone, action); break;
    }
}

/* --- time --- */

static gboolean timer_fired(void *context)
{
    struct reload_phone *phone = context;
    reload_sip_agent_tick(phone->agent, reload_overlay_now());
    reload_phone_settle(phone);
    return G_SOURCE_REMOVE; /* settle has set another */
}

void reload_phone_settle(struct reload_phone *phone)
{
    struct reload_sip_action action;
    if (phone->acting) /* whoever acts finds what is new, too */
        return;
    phone->acting = true;
    while (reload_sip_agent_next(phone->agent, &action))
        act(phone, &action);
    phone->acting = false;
    reload_loop_timer_set(&phone->timer, phone->context, reload_sip_agent_deadline(phone->agent),
                          timer_fired, phone);
}

/* --- messages --- */

int reload_phone_message(struct reload_phone *phone, const char *to, const char *content_type,
                         struct reload_slice text, reload_phone_done *done, void *done_context)
{
    uint32_t id;
    int error = reload_sip_agent_message(phone->agent, to, content_type, (const char *)text.p,
                                         text.n, reload_overlay_now(), &id);
    if (error)
        return error;
    struct reload_phone_errand *errand = g_new(struct reload_phone_errand, 1);
    *errand = (struct reload_phone_errand){ done, done_context };
    g_hash_table_insert(phone->errands, GUINT_TO_POINTER(id), errand);
    reload_phone_settle(phone);
    return 0;
}

/* --- life --- */

static struct reload_sip_agent_config agent_config(const struct reload_phone *phone,
                                                   const char *user)
{
    return (struct reload_sip_agent_config){
        .overlay = reload_overlay_config(phone->overlay)->instance_name,
        .self = reload_overlay_own(phone->overlay)->node_id,
        .user = user,
        .random = reload_overlay_random(phone->overlay),
        .log = phone->log,
    };
}

int reload_phone_new(struct reload_overlay *overlay, struct reload_sip_node *node,
                     GMainContext *context, const struct reload_log *log, struct reload_phone **out)
{
    const struct reload_sip_registrar *registrar = reload_sip_node_registrar(node);
    if (!registrar)
        return RELOAD_E_UNSUPPORTED;
    struct reload_phone *phone = g_new0(struct reload_phone, 1);
    phone->overlay = overlay;
    phone->node = node;
    phone->context = context;
    phone->log = log;
    phone->channels = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    phone->lookups = g_hash_table_new(NULL, NULL);
    phone->errands = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    const struct reload_sip_agent_config config = agent_config(phone, registrar->aor.text);
    int error = reload_sip_agent_new(&config, reload_overlay_now(), &phone->agent);
    if (!error)
        error = reload_phone_calls_init(phone);
    if (!error)
        error = reload_phone_serve(phone);
    if (error)
        reload_phone_free(phone);
    else
        *out = phone;
    return error;
}

static void end_errands(struct reload_phone *phone)
{
    GHashTableIter iter;
    gpointer value;
    while (g_hash_table_iter_init(&iter, phone->errands),
           g_hash_table_iter_next(&iter, NULL, &value)) {
        struct reload_phone_errand errand = *(const struct reload_phone_errand *)value;
        g_hash_table_iter_remove(&iter);
        errand.done(errand.context, 503);
    }
    g_hash_table_unref(phone->errands);
}

void reload_phone_free(struct reload_phone *phone)
{
    if (!phone)
        return;
    reload_loop_timer_drop(&phone->timer);
    reload_phone_channels_fini(phone);
    reload_phone_lookups_fini(phone);
    end_errands(phone);
    reload_phone_calls_fini(phone);
    reload_sip_agent_free(phone->agent);
    g_free(phone);
}

void reload_phone_set_events(struct reload_phone *phone, const struct reload_phone_events *events,
                             void *context)
{
    static const struct reload_phone_events none;
    phone->events = events ? *events : none;
    phone->events_context = context;
}

const struct reload_sip_agent *reload_phone_agent(const struct reload_phone *phone)
{
    return phone->agent;
}
