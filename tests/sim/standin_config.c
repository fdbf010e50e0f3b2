#include "tests/sim/standin.h"

/* One Kind for each cell of data model and policy that RFC 6940 s7.3 allows. */
static const struct {
    uint32_t id;
    enum reload_data_model model;
    const char *policy;
} kinds[RELOAD_STANDIN_KIND_COUNT] = {
    { 0x2, RELOAD_MODEL_SINGLE, "NODE-MULTIPLE" }, /* TURN-SERVICE */
    { 0x3, RELOAD_MODEL_ARRAY, "NODE-MATCH" },     /* CERTIFICATE_BY_NODE */
    { 0x10, RELOAD_MODEL_ARRAY, "USER-MATCH" },    /* CERTIFICATE_BY_USER */
    { RELOAD_STANDIN_SINGLE_USER, RELOAD_MODEL_SINGLE, "USER-MATCH" },
    { RELOAD_STANDIN_SINGLE_NODE, RELOAD_MODEL_SINGLE, "NODE-MATCH" },
    { RELOAD_STANDIN_SINGLE_MULTIPLE, RELOAD_MODEL_SINGLE, "NODE-MULTIPLE" },
    { RELOAD_STANDIN_ARRAY_USER, RELOAD_MODEL_ARRAY, "USER-MATCH" },
    { RELOAD_STANDIN_ARRAY_NODE, RELOAD_MODEL_ARRAY, "NODE-MATCH" },
    { RELOAD_STANDIN_ARRAY_MULTIPLE, RELOAD_MODEL_ARRAY, "NODE-MULTIPLE" },
    { RELOAD_STANDIN_DICTIONARY_USER, RELOAD_MODEL_DICTIONARY, "USER-MATCH" },
    { RELOAD_STANDIN_DICTIONARY_NODE, RELOAD_MODEL_DICTIONARY, "NODE-MATCH" },
    { RELOAD_STANDIN_DICTIONARY_USER_NODE, RELOAD_MODEL_DICTIONARY, "USER-NODE-MATCH" },
    { RELOAD_STANDIN_DICTIONARY_MULTIPLE, RELOAD_MODEL_DICTIONARY, "NODE-MULTIPLE" },
};

static const char *const link_protocols[] = { "TLS" };

void reload_standin_config_init(struct reload_standin_config *out)
{
    *out = (struct reload_standin_config){ .config = {
                                               .instance_name = RELOAD_STANDIN_OVERLAY,
                                               .overlay = 0x5eed0001,
                                               .sequence = 1,
                                               .expiration_ms = RELOAD_NEVER,
                                               .topology_plugin = "CHORD-RELOAD",
                                               .node_id_length = 16,
                                               .self_signed_digest = RELOAD_HASH_SHA1,
                                               .clients_permitted = true,
                                               .no_ice = true,
                                               .turn_density = 1,
                                               .max_message_size = 5000,
                                               .initial_ttl = 100,
                                               .overlay_reliability_timer_ms = 3000,
                                               .chord_reactive = true,
                                               .chord_update_interval_s = 600,
                                               .chord_ping_interval_s = 3600,
                                               .overlay_link_protocols = link_protocols,
                                               .overlay_link_protocol_count = 1,
                                           } };
    for (size_t i = 0; i < RELOAD_STANDIN_KIND_COUNT; i++) {
        struct reload_kind_config *kind = &out->kinds[i];
        kind->id = kinds[i].id;
        kind->data_model = kinds[i].model;
        strncpy(kind->access_control, kinds[i].policy, sizeof kind->access_control - 1);
        kind->max_count = RELOAD_STANDIN_MAX_COUNT;
        kind->max_size = RELOAD_STANDIN_MAX_SIZE;
        if (strcmp(kinds[i].policy, "NODE-MULTIPLE") == 0)
            kind->max_node_multiple = RELOAD_STANDIN_MAX_MULTIPLE;
    }
    out->config.kinds = out->kinds;
    out->config.kind_count = RELOAD_STANDIN_KIND_COUNT;
    out->config.bad_nodes = out->bad_nodes;
}
