#ifndef TESTS_USAGE_SIP_KIND_H
#define TESTS_USAGE_SIP_KIND_H

#include "reload/config/registry.h"
#include "usage-sip/domain.h"

/* The Kind SIP-REGISTRATION of a document with such a restriction, as certs/ reads it. */

#define SIP_ELEMENT(element)                                                                       \
    {                                                                                              \
        RELOAD_PARAMETER_ELEMENT, RELOAD_SIP_NAMESPACE, element, ""                                \
    }
#define SIP_ENABLE(value)                                                                          \
    {                                                                                              \
        RELOAD_PARAMETER_ATTRIBUTE, RELOAD_SIP_NAMESPACE, "enable", value                          \
    }
#define SIP_PATTERN(pattern)                                                                       \
    {                                                                                              \
        RELOAD_PARAMETER_CHILD, RELOAD_SIP_NAMESPACE, "pattern", pattern                           \
    }
#define SIP_PARAMETERS(...)                                                                        \
    ((const struct reload_kind_parameter[]){ __VA_ARGS__ }),                                       \
        sizeof((const struct reload_kind_parameter[]){ __VA_ARGS__ }) /                            \
            sizeof(struct reload_kind_parameter)

static inline struct reload_kind_config sip_kind(const struct reload_kind_parameter *parameters,
                                                 size_t count)
{
    struct reload_kind_config kind = *reload_config_registered_kind(RELOAD_KIND_SIP_REGISTRATION);
    kind.parameters = parameters;
    kind.parameter_count = count;
    kind.ops = &reload_sip_kind_ops;
    return kind;
}

#endif
