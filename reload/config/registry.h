#ifndef RELOAD_CONFIG_REGISTRY_H
#define RELOAD_CONFIG_REGISTRY_H

#include "reload/config/config.h"

/* The Kinds registered with IANA that this stack knows (RFC 6940 s14.6, RFC 7904 s9): a document
 * may name them, and their data model and access control are the registered ones whatever it says
 * (s11.1). The limits are our defaults for those a document does not list (the RFC gives none). */

#define RELOAD_KIND_SIP_REGISTRATION    0x1
#define RELOAD_KIND_TURN_SERVICE        0x2
#define RELOAD_KIND_CERTIFICATE_BY_NODE 0x3
#define RELOAD_KIND_CERTIFICATE_BY_USER 0x10

#define RELOAD_KIND_PRIVATE_MIN 0xF0000001u /* s14.6: private use */
#define RELOAD_KIND_PRIVATE_MAX 0xFFFFFFFDu /* 0xFFFFFFFE itself is reserved */

/* All of them; *count is how many. */
const struct reload_kind_config *reload_config_registered_kinds(size_t *count);
/* By Kind-ID or by registered name; NULL when not known. */
const struct reload_kind_config *reload_config_registered_kind(uint32_t id);
const struct reload_kind_config *reload_config_registered_kind_named(const char *name);
/* Those that every node of every overlay has (s8, s9): the three of RFC 6940 itself. */
bool reload_config_kind_is_base(uint32_t id);

#endif
