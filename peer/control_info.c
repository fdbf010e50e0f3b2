#include "peer/control_internal.h"

#include "peer/json.h"

/* Looking in: status and links. */

#define CONNECTIONS_MAX 1024

const char *reload_state_name(enum reload_topology_state state)
{
    switch (state) {
    case RELOAD_TOPOLOGY_IDLE: return "idle";
    case RELOAD_TOPOLOGY_JOINING: return "joining";
    case RELOAD_TOPOLOGY_JOINED: return "joined";
    case RELOAD_TOPOLOGY_LEAVING: return "leaving";
    case RELOAD_TOPOLOGY_LEFT: return "left";
    }
    return "unknown";
}

const char *reload_role_name(enum reload_role role)
{
    switch (role) {
    case RELOAD_ROLE_PEER: return "peer";
    case RELOAD_ROLE_CLIENT: return "client";
    case RELOAD_ROLE_CLIENT_ANY: return "client-any";
    }
    return "unknown";
}

static json_t *addresses(const struct reload_overlay *overlay)
{
    size_t count;
    const struct reload_link_address *list = reload_overlay_listening(overlay, &count);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        char text[RELOAD_LINK_ADDRESS_TEXT];
        json_array_append_new(array, json_string(reload_link_address_text(&list[i], text)));
    }
    return array;
}

static json_t *message_counters(const struct reload_node_counters *c)
{
    json_t *json = json_object();
#define COUNTER(name) json_object_set_new(json, #name, reload_json_u64(c->name))
    COUNTER(received);
    COUNTER(received_bytes);
    COUNTER(sent);
    COUNTER(sent_bytes);
    COUNTER(forwarded);
    COUNTER(delivered);
    COUNTER(answered);
    COUNTER(requested);
    COUNTER(retransmitted);
    COUNTER(timed_out);
    COUNTER(duplicates_answered);
    COUNTER(errors_sent);
    COUNTER(errors_received);
#undef COUNTER
    json_t *dropped = json_object();
    for (int reason = 0; reason < RELOAD_DROP_COUNT; reason++)
        if (c->dropped[reason])
            json_object_set_new(dropped, reload_drop_text((enum reload_drop_reason)reason),
                                reload_json_u64(c->dropped[reason]));
    json_object_set_new(json, "dropped", dropped);
    return json;
}

static json_t *store_counters(const struct reload_store *store)
{
    const struct reload_store_counters *c = reload_store_counters(store);
    json_t *json = json_object();
    json_object_set_new(json, "resources", reload_json_u64(reload_store_resource_count(store)));
    json_object_set_new(json, "values", reload_json_u64(reload_store_value_count(store)));
    json_object_set_new(json, "bytes", reload_json_u64(reload_store_bytes(store)));
#define COUNTER(name) json_object_set_new(json, #name, reload_json_u64(c->name))
    COUNTER(stored);
    COUNTER(replicated);
    COUNTER(replaced);
    COUNTER(removed);
    COUNTER(expired);
    COUNTER(fetched);
    COUNTER(refused_signature);
    COUNTER(refused_access);
    COUNTER(refused_old);
    COUNTER(refused_generation);
    COUNTER(refused_size);
    COUNTER(refused_kind);
    COUNTER(refused_full);
#undef COUNTER
    return json;
}

static json_t *file_counters(const struct reload_overlay *overlay)
{
    struct reload_store_file_stats s;
    if (!reload_overlay_store_stats(overlay, &s))
        return json_null();
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "written", (json_int_t)s.written, "removed",
                     (json_int_t)s.removed, "commits", (json_int_t)s.commits, "failed_commits",
                     (json_int_t)s.failed_commits, "loaded", (json_int_t)s.loaded, "damaged",
                     (json_int_t)s.damaged);
}

static json_t *link_counters(const struct reload_links *links)
{
    struct reload_links_stats s;
    reload_links_stats(links, &s);
    return json_pack("{s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "up", s.up, "handshaking",
                     s.handshaking, "accepted", (json_int_t)s.accepted, "dialled",
                     (json_int_t)s.dialled, "refused",
                     (json_int_t)(s.refused_links + s.refused_handshakes + s.refused_per_address +
                                  s.refused_descriptors),
                     "failed_certificate", (json_int_t)s.failed_certificate, "failed_timeout",
                     (json_int_t)s.failed_timeout, "failed_tls", (json_int_t)s.failed_tls,
                     "failed_framing", (json_int_t)s.failed_framing, "failed_dead",
                     (json_int_t)s.failed_dead, "queue_drops", (json_int_t)s.sum.queue_drops);
}

void reload_control_status(struct reload_control_call *call)
{
    const struct reload_overlay *overlay = reload_control_overlay(call->control);
    const struct reload_node *node = reload_overlay_node(overlay);
    const struct reload_config *config = reload_overlay_config(overlay);
    const struct reload_own_identity *own = reload_overlay_own(overlay);
    json_t *json = json_object();
    json_object_set_new(json, "overlay", json_string(config->instance_name));
    json_object_set_new(json, "node_id", reload_json_node_id(&own->node_id));
    json_object_set_new(json, "user", reload_json_text(own->user_name));
    json_object_set_new(json, "role", json_string(reload_role_name(reload_overlay_role(overlay))));
    json_object_set_new(json, "state", json_string(reload_state_name(reload_node_state(node))));
    json_object_set_new(json, "listen", addresses(overlay));
    json_object_set_new(json, "configuration_sequence", json_integer(config->sequence));
    if (config->expiration_ms != RELOAD_NEVER)
        json_object_set_new(json, "configuration_expires_ms",
                            reload_json_u64(config->expiration_ms));
    json_object_set_new(json, "certificate_expires_ms", reload_json_u64(own->not_after_ms));
    json_object_set_new(json, "responsible_ppb", json_integer(reload_node_responsible_ppb(node)));
    json_object_set_new(json, "store", store_counters(reload_node_store_view(node)));
    json_object_set_new(json, "store_file", file_counters(overlay));
    json_object_set_new(json, "links", link_counters(reload_overlay_links(overlay)));
    json_object_set_new(json, "messages", message_counters(reload_node_counters(node)));
    reload_control_answer(call, json);
}

/* OverlayLinkType, RFC 6940 s6.5.1.1. */
static const char *protocol_name(uint8_t link_type)
{
    switch (link_type) {
    case RELOAD_LINK_TYPE_DTLS_UDP_SR: return "DTLS-UDP-SR";
    case RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE: return "DTLS-UDP-SR-NO-ICE";
    case RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE: return "TLS-TCP-FH-NO-ICE";
    default: return "unknown";
    }
}

static json_t *link_object(const struct reload_overlay *overlay, const struct reload_connection *c)
{
    struct reload_link_info info;
    char text[RELOAD_LINK_ADDRESS_TEXT];
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
    json_object_set_new(json, "address",
                        json_string(reload_link_address_text(&info.address, text)));
    json_object_set_new(json, "protocol", json_string(protocol_name(info.link_type)));
    json_object_set_new(json, "tls", json_string(info.tls_version ? info.tls_version : ""));
    json_object_set_new(json, "tls_role",
                        json_string(info.role == RELOAD_LINK_SERVER ? "server" : "client"));
    json_object_set_new(json, "rtt_ms", json_integer(info.rtt_ms));
    json_object_set_new(json, "rto_ms", json_integer(info.rto_ms));
    json_object_set_new(json, "queued_bytes", json_integer(info.queued_bytes));
    json_object_set_new(json, "bytes_in", reload_json_u64(info.counters.bytes_in));
    json_object_set_new(json, "bytes_out", reload_json_u64(info.counters.bytes_out));
    json_object_set_new(json, "retransmissions", reload_json_u64(info.counters.retransmissions));
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
