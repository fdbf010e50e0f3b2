#include "peer/control_internal.h"

#include "peer/json.h"

/* Looking in: status. */

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
    COUNTER(returned);
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

static json_t *ice_counters(const struct reload_overlay *overlay)
{
    const struct reload_ice_stats *s = reload_overlay_ice_view(overlay);
    json_t *json = json_object();
#define COUNTER(name) json_object_set_new(json, #name, reload_json_u64(s->name))
    COUNTER(channels);
    COUNTER(connected);
    COUNTER(failed);
    COUNTER(consent_lost);
    COUNTER(queue_full);
    COUNTER(candidates_taken);
    COUNTER(candidates_over);
    COUNTER(candidates_refused);
    COUNTER(candidates_unknown);
#undef COUNTER
    return json;
}

static json_t *stun_servers(const struct reload_ice_stun_servers *servers)
{
    json_t *array = json_array();
    for (size_t i = 0; i < servers->count; i++) {
        const struct reload_ice_stun_server *s = &servers->servers[i];
        char at[RELOAD_LINK_ADDRESS_TEXT], seen[RELOAD_LINK_ADDRESS_TEXT];
        json_array_append_new(
            array,
            json_pack("{s:s,s:s?,s:b,s:b}", "address", reload_link_address_text(&s->address, at),
                      "sees",
                      s->reflexive.len ? reload_link_address_text(&s->reflexive, seen) : NULL,
                      "in_use", s->in_use, "configured", s->configured));
    }
    return array;
}

static json_t *stun_counters(const struct reload_overlay *overlay)
{
    struct reload_overlay_stun_view s;
    reload_overlay_stun_view(overlay, &s);
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:o}", "answered",
                     (json_int_t)s.to_others->answered, "refused", (json_int_t)s.to_others->refused,
                     "malformed", (json_int_t)s.to_others->malformed, "other",
                     (json_int_t)s.to_others->other, "answers", (json_int_t)s.own->answers,
                     "answers_forged", (json_int_t)s.own->forged, "answers_malformed",
                     (json_int_t)s.own->malformed, "timeouts", (json_int_t)s.own->timeouts, "nat",
                     reload_overlay_nat_text(s.nat), "servers", stun_servers(s.servers));
}

static json_t *turn_state(const struct reload_overlay *overlay)
{
    struct reload_overlay_turn_view t;
    char offered[RELOAD_LINK_ADDRESS_TEXT], relay[RELOAD_LINK_ADDRESS_TEXT];
    reload_overlay_turn_view(overlay, &t);
    return json_pack("{s:s?,s:s?,s:I,s:I,s:I}", "offered",
                     t.offered ? reload_link_address_text(t.offered, offered) : NULL, "relay",
                     t.relay ? reload_link_address_text(t.relay, relay) : NULL, "granted",
                     (json_int_t)t.stats->granted, "records", (json_int_t)t.stats->records,
                     "failed", (json_int_t)t.stats->failed);
}

static json_t *link_counters(const struct reload_links *links)
{
    struct reload_links_stats s;
    reload_links_stats(links, &s);
    uint64_t refused = s.refused_links + s.refused_per_address + s.refused_descriptors;
    json_t *json = json_pack("{s:i,s:i}", "up", s.up, "handshaking", s.handshaking);
    json_object_set_new(json, "refused", reload_json_u64(refused));
    json_object_set_new(json, "queue_drops", reload_json_u64(s.sum.queue_drops));
#define COUNTER(name) json_object_set_new(json, #name, reload_json_u64(s.name))
    COUNTER(accepted);
    COUNTER(dialled);
    COUNTER(evicted);
    COUNTER(failed_certificate);
    COUNTER(failed_expected);
    COUNTER(failed_timeout);
    COUNTER(failed_tls);
    COUNTER(failed_framing);
    COUNTER(failed_unread);
    COUNTER(failed_dead);
    COUNTER(challenged);
    COUNTER(strays);
    COUNTER(bad_frames);
    COUNTER(icmp_errors);
#undef COUNTER
    return json;
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
    json_object_set_new(json, "ice", ice_counters(overlay));
    json_object_set_new(json, "stun", stun_counters(overlay));
    json_object_set_new(json, "turn", turn_state(overlay));
    json_object_set_new(json, "messages", message_counters(reload_node_counters(node)));
    reload_control_answer(call, json);
}
