#include "reload/config/config.h"

struct reload_config reload_config_defaults(void)
{
    static const char *const link_protocols[] = { "TLS" };
    return (struct reload_config){
        .expiration_ms = RELOAD_NEVER,
        .topology_plugin = "CHORD-RELOAD",
        .node_id_length = 16,
        .self_signed_digest = RELOAD_HASH_SHA1,
        .clients_permitted = true,
        .turn_density = 1,
        .max_message_size = 5000,
        .initial_ttl = 100,
        .overlay_reliability_timer_ms = 3000,
        .chord_reactive = true,
        .chord_update_interval_s = 600, /* s10.7.4: "roughly every ten minutes" */
        .chord_ping_interval_s = 3600,  /* s10.7.4.2 */
        .overlay_link_protocols = link_protocols,
        .overlay_link_protocol_count = 1,
    };
}

int reload_config_sequence_compare(uint16_t a, uint16_t b)
{
    /* s6.3.2.1: modulo 65535, because 65535 itself never is a document's number. */
    const uint32_t modulus = RELOAD_SEQUENCE_ANY;
    uint32_t ahead = ((uint32_t)a + modulus - (uint32_t)b % modulus) % modulus;
    if (ahead == 0)
        return 0;
    return ahead <= modulus / 2 ? 1 : -1;
}

const struct reload_kind_config *reload_config_kind(const struct reload_config *config, uint32_t id)
{
    for (size_t i = 0; i < config->kind_count; i++)
        if (config->kinds[i].id == id)
            return &config->kinds[i];
    return NULL;
}

bool reload_config_is_signer(const struct reload_node_id *signers, size_t count,
                             const struct reload_node_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (reload_node_id_equal(&signers[i], id))
            return true;
    return false;
}

bool reload_config_is_bad_node(const struct reload_config *config, const struct reload_node_id *id)
{
    return reload_config_is_signer(config->bad_nodes, config->bad_node_count, id);
}
