#include "peer/able.h"

#include <sys/resource.h>

#include "topology/chord/chord.h"
#include "usage-sip/domain.h"

const struct reload_topology_ops *reload_able_topology(const struct reload_config *config)
{
    static const struct reload_topology_ops *const all[] = { &reload_chord_ops };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i]->name, config->topology_plugin) == 0)
            return all[i];
    return NULL;
}

struct reload_cert_document_policy reload_able_policy(void)
{
    static const struct reload_kind_ops *const kinds[] = { &reload_sip_kind_ops };
    static const char *const extensions[] = { RELOAD_SIP_NAMESPACE };
    return (struct reload_cert_document_policy){
        .extensions = extensions,
        .extension_count = sizeof extensions / sizeof extensions[0],
        .kind_ops = kinds,
        .kind_ops_count = sizeof kinds / sizeof kinds[0],
    };
}

static bool links_suit(const struct reload_config *config)
{
    for (size_t i = 0; i < config->overlay_link_protocol_count; i++)
        if (strcmp(config->overlay_link_protocols[i], "TLS") == 0)
            return true;
    return false;
}

int reload_able_check(const struct reload_config *config, enum reload_role role,
                      struct reload_cert_reason *reason)
{
    if (!reload_able_topology(config))
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                  "the overlay's topology-plugin %s is not one this program has",
                                  config->topology_plugin);
    if (!links_suit(config))
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                  "the overlay's overlay-link-protocol leaves TLS out, and this "
                                  "program has no other");
    if (config->shared_secret)
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                  "the overlay admits nodes by a shared-secret, which this program "
                                  "cannot do; certificates alone would not be let in");
    if (role != RELOAD_ROLE_PEER && !config->clients_permitted)
        return reload_cert_refuse(reason, RELOAD_E_FORBIDDEN,
                                  "the overlay permits no clients; join it as a peer");
    return 0;
}

int reload_able_descriptors(struct reload_cert_reason *reason)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= RELOAD_ABLE_DESCRIPTORS)
        return 0;
    return reload_cert_refuse(
        reason, RELOAD_E_LIMIT,
        "links by ICE need descriptors: this process may open %llu, and needs "
        "%d. Raise the limit: ulimit -n %d",
        (unsigned long long)limit.rlim_cur, RELOAD_ABLE_DESCRIPTORS, RELOAD_ABLE_DESCRIPTORS);
}
