#include <errno.h>

#include "certs/file.h"
#include "peer/able.h"
#include "peer/overlay_internal.h"

/* What the node wants done. Nothing here calls the node. */

bool reload_overlay_link_address(const struct reload_ip_address_port *from,
                                 struct reload_link_address *to)
{
    if (from->address.n != 4 && from->address.n != 16)
        return false;
    *to = (struct reload_link_address){ .len = (uint8_t)from->address.n, .port = from->port };
    memcpy(to->bytes, from->address.p, from->address.n);
    return true;
}

void reload_overlay_dialled(struct reload_overlay *o, reload_link_id link, uint32_t attach)
{
    struct dial *dial = g_new0(struct dial, 1);
    *dial = (struct dial){ .attach = attach, .bootstrap = attach == 0 };
    g_hash_table_insert(o->dials, GUINT_TO_POINTER(link), dial);
}

bool reload_overlay_is_ice(const struct reload_overlay *o)
{
    return !reload_node_overlay(o->node)->no_ice;
}

/* s6.5.1.11: one of the far end's addresses is dialled. */
static int dial(struct reload_overlay *o, const struct reload_action_open_link *want)
{
    struct reload_link_address addresses[RELOAD_LINK_DIAL_MAX];
    size_t count = 0;
    for (size_t i = 0; i < want->address_count && count < RELOAD_LINK_DIAL_MAX; i++)
        count += reload_overlay_link_address(&want->addresses[i], &addresses[count]);
    reload_link_id link;
    int error =
        want->link_type == RELOAD_LINK_DTLS_UDP_SR_NO_ICE
            ? reload_links_dial_datagrams(o->links, addresses, count, &want->node_id, o->now, &link)
            : reload_links_dial(o->links, addresses, count, &want->node_id,
                                want->tls_server ? RELOAD_LINK_SERVER : RELOAD_LINK_CLIENT, o->now,
                                &link);
    if (error == 0)
        reload_overlay_dialled(o, link, want->attach);
    return error;
}

static void open_link(struct reload_overlay *o, const struct reload_action_open_link *want)
{
    int error = want->link_type == RELOAD_LINK_DTLS_UDP_SR ? reload_overlay_ice_open_link(o, want)
                                                           : dial(o, want);
    if (error)
        g_array_append_val(o->failed_attaches, want->attach);
}

static void gather(struct reload_overlay *o, const struct reload_action_gather *want)
{
    if (want->ice)
        reload_overlay_ice_gather(o, want);
    else
        reload_channels_gather(o, want);
}

static void abandon(struct reload_overlay *o, uint32_t attach)
{
    reload_overlay_ice_abandon(o, attach);
    reload_channels_abandon(o, attach);
}

static void request_done(struct reload_overlay *o, const struct reload_result *result)
{
    if (!reload_channels_refused(o, result))
        reload_overlay_finish_request(o, result);
}

static void persist(struct reload_overlay *o, const struct reload_action_persist *want)
{
    uint64_t token = want->token;
    if (!o->store || reload_store_file_write(o->store, token, want->rows, want->row_count))
        g_array_append_val(o->failed_persists, token);
}

/* A newer document is in force (s6.5.4): the links obey it, and the identity folder keeps it. */
static void config_changed(struct reload_overlay *o, const struct reload_config *config)
{
    reload_links_set_max_message_size(o->links, config->max_message_size);
    if (o->directory && config->document.n) {
        struct reload_cert_reason reason = { "" };
        char *path = g_build_filename(o->directory, RELOAD_IDENTITY_XML, NULL);
        if (reload_cert_file_write(path, config->document, false, &reason))
            reload_log_write(o->log, RELOAD_LOG_WARNING, "config", "%s", reason.text);
        g_free(path);
    }
    reload_log_write(o->log, RELOAD_LOG_INFO, "config", "configuration %u is in force",
                     config->sequence);
    struct reload_cert_reason unable = { "" };
    if (!config->no_ice && o->bare_count == 0 && reload_overlay_open_bare_ports(o, &unable))
        reload_log_write(o->log, RELOAD_LOG_WARNING, "config", "%s", unable.text);
    if (reload_able_check(config, o->role, &unable)) { /* s11.1: a node that cannot meet it exits */
        reload_log_write(o->log, RELOAD_LOG_ERROR, "config", "%s: leaving", unable.text);
        o->unable = true;
    }
    o->recheck_at_ms = 0; /* it may bar nodes, or have other root certificates */
    reload_overlay_note_config(o);
}

static void act(struct reload_overlay *o, const struct reload_action *action)
{
    switch (action->type) {
    case RELOAD_ACTION_SEND: /* a full queue drops; the end-to-end retransmission repeats it */
        (void)!reload_links_send(o->links, action->send.link, action->send.parts,
                                 action->send.part_count, o->now);
        break;
    case RELOAD_ACTION_GATHER: gather(o, &action->gather); break;
    case RELOAD_ACTION_ABANDON: abandon(o, action->abandon.attach); break;
    case RELOAD_ACTION_OPEN_LINK: open_link(o, &action->open_link); break;
    case RELOAD_ACTION_CLOSE_LINK:
        reload_links_close(o->links, action->close_link.link, action->close_link.reason, o->now);
        break;
    case RELOAD_ACTION_WANT_BOOTSTRAP: o->bootstrap_wanted = true; break;
    case RELOAD_ACTION_PERSIST: persist(o, &action->persist); break;
    case RELOAD_ACTION_REQUEST_DONE: request_done(o, &action->result); break;
    case RELOAD_ACTION_APP_CHANNEL: reload_channels_agreed(o, &action->app_channel); break;
    case RELOAD_ACTION_STATE_CHANGED:
        reload_overlay_bootstrap_state(o, action->state_changed.state, action->state_changed.text);
        reload_overlay_note_state(o, action->state_changed.state, action->state_changed.text);
        break;
    case RELOAD_ACTION_CONFIG_CHANGED: config_changed(o, action->config); break;
    case RELOAD_ACTION_LOG:
        reload_log_write(o->log, action->log.level, action->log.area, "%s", action->log.text);
        break;
    }
}

void reload_overlay_drain(struct reload_overlay *o)
{
    struct reload_action action;
    while (reload_node_next(o->node, &action))
        act(o, &action);
}
