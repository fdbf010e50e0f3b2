#include "peer/control_internal.h"

#include "peer/json.h"

/* links: one row of the Connection Table each, with what the link below it knows. */

#define CONNECTIONS_MAX 1024

const char *reload_control_protocol_name(uint8_t link_type)
{
    switch (link_type) {
    case RELOAD_LINK_TYPE_DTLS_UDP_SR: return "DTLS-UDP-SR";
    case RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE: return "DTLS-UDP-SR-NO-ICE";
    case RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE: return "TLS-TCP-FH-NO-ICE";
    default: return "unknown";
    }
}

static json_t *end_object(const char *type, const struct reload_link_address *address)
{
    char text[RELOAD_LINK_ADDRESS_TEXT];
    return json_pack("{s:s?,s:s?}", "type", type, "address",
                     address->len ? reload_link_address_text(address, text) : NULL);
}

/* Both ends; those of a link by ICE are its pair of candidates (s6.5.1.10), which may have changed
 * since the link came up. */
static void add_ends(json_t *json, const struct reload_overlay *overlay,
                     const struct reload_link_info *info)
{
    struct reload_ice_pair pair = { .local = info->local, .remote = info->address };
    char text[RELOAD_LINK_ADDRESS_TEXT];
    bool ice = reload_overlay_link_pair(overlay, info->link, &pair) == 0;
    const char *local = ice ? reload_ice_pair_type_text(pair.local_type) : NULL;
    const char *remote = ice ? reload_ice_pair_type_text(pair.remote_type) : NULL;
    json_object_set_new(json, "relayed", json_boolean(ice && pair.relayed));
    json_object_set_new(json, "local", end_object(local, &pair.local));
    json_object_set_new(json, "remote", end_object(remote, &pair.remote));
    json_object_set_new(json, "address", json_string(reload_link_address_text(&pair.remote, text)));
}

static json_t *link_object(const struct reload_overlay *overlay, const struct reload_connection *c)
{
    struct reload_link_info info;
    json_t *json = json_object();
    json_object_set_new(json, "node_id", reload_json_node_id(&c->node_id));
    json_object_set_new(json, "inbound", json_boolean(c->inbound));
    json_object_set_new(json, "routable", json_boolean(c->routable));
    json_object_set_new(json, "suspect", json_boolean(c->suspect));
    json_object_set_new(
        json, "up_s", reload_json_u64((reload_overlay_now().monotonic_ms - c->up_since_ms) / 1000));
    json_object_set_new(json, "messages_in", reload_json_u64(c->received));
    json_object_set_new(json, "messages_out", reload_json_u64(c->sent));
    if (reload_links_info(reload_overlay_links(overlay), c->link, &info))
        return json;
    json_object_set_new(json, "protocol",
                        json_string(reload_control_protocol_name(info.link_type)));
    json_object_set_new(json, "tls", json_string(info.tls_version ? info.tls_version : ""));
    json_object_set_new(json, "tls_role",
                        json_string(info.role == RELOAD_LINK_SERVER ? "server" : "client"));
    json_object_set_new(json, "rtt_ms", json_integer(info.rtt_ms));
    json_object_set_new(json, "rto_ms", json_integer(info.rto_ms));
    json_object_set_new(json, "queued_bytes", json_integer(info.queued_bytes));
    json_object_set_new(json, "bytes_in", reload_json_u64(info.counters.bytes_in));
    json_object_set_new(json, "bytes_out", reload_json_u64(info.counters.bytes_out));
    json_object_set_new(json, "retransmissions", reload_json_u64(info.counters.retransmissions));
    add_ends(json, overlay, &info);
    return json;
}

void reload_control_links(struct reload_control_call *call)
{
    const struct reload_overlay *overlay = reload_control_overlay(call->control);
    struct reload_connection *all = g_new0(struct reload_connection, CONNECTIONS_MAX);
    size_t count = reload_node_connections(reload_overlay_node(overlay), all, CONNECTIONS_MAX);
    json_t *array = json_array();
    for (size_t i = 0; i < MIN(count, CONNECTIONS_MAX); i++)
        json_array_append_new(array, link_object(overlay, &all[i]));
    g_free(all);
    reload_control_answer(call, json_pack("{s:o}", "links", array));
}
