#include "reload/config/registry.h"

static const struct reload_kind_config kinds[] = {
    { .id = RELOAD_KIND_SIP_REGISTRATION, /* RFC 7904 s9.1 */
      .name = "SIP-REGISTRATION",
      .data_model = RELOAD_MODEL_DICTIONARY,
      .access_control = "USER-NODE-MATCH",
      .max_count = 64,
      .max_size = 1024 },
    { .id = RELOAD_KIND_TURN_SERVICE, /* RFC 6940 s9 */
      .name = "TURN-SERVICE",
      .data_model = RELOAD_MODEL_SINGLE,
      .access_control = "NODE-MULTIPLE",
      .max_count = 1,
      .max_size = 64,
      .max_node_multiple = 20 },
    { .id = RELOAD_KIND_CERTIFICATE_BY_NODE, /* RFC 6940 s8 */
      .name = "CERTIFICATE_BY_NODE",
      .data_model = RELOAD_MODEL_ARRAY,
      .access_control = "NODE-MATCH",
      .max_count = 8,
      .max_size = 4096 },
    { .id = RELOAD_KIND_CERTIFICATE_BY_USER,
      .name = "CERTIFICATE_BY_USER",
      .data_model = RELOAD_MODEL_ARRAY,
      .access_control = "USER-MATCH",
      .max_count = 8,
      .max_size = 4096 },
};

const struct reload_kind_config *reload_config_registered_kinds(size_t *count)
{
    *count = sizeof kinds / sizeof *kinds;
    return kinds;
}

const struct reload_kind_config *reload_config_registered_kind(uint32_t id)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].id == id)
            return &kinds[i];
    return NULL;
}

const struct reload_kind_config *reload_config_registered_kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

bool reload_config_kind_is_base(uint32_t id)
{
    return id == RELOAD_KIND_TURN_SERVICE || id == RELOAD_KIND_CERTIFICATE_BY_NODE ||
           id == RELOAD_KIND_CERTIFICATE_BY_USER;
}
