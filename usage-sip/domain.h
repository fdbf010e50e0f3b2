#ifndef USAGE_SIP_DOMAIN_H
#define USAGE_SIP_DOMAIN_H

#include "reload/store/access.h"

/* Which domains an overlay admits (RFC 7904 s3.3, s3.4): what the configuration document says in
 * its SIP-REGISTRATION Kind.
 *
 *   <sip:domain-restriction enable="true"><sip:pattern>dht\.example\.com</sip:pattern>...
 *
 * No such element: every domain. Not enabled: the overlay's own name. Enabled: domains that a
 * pattern, a POSIX extended regular expression, matches as a whole and without regard to case. The
 * element may be called domain-restrictions, as in the RFC's prose, and `enable` may be missing,
 * which is false. */

#define RELOAD_SIP_NAMESPACE   "urn:ietf:params:xml:ns:p2p:config-base:sip"
#define RELOAD_SIP_PATTERN_MAX 255 /* bytes */

/* Whether the overlay takes registrations for this domain and resolves it. False when the overlay
 * has no Kind SIP-REGISTRATION. */
bool reload_sip_domain_is_hosted(const struct reload_config *config, const char *domain);

/* NULL, or what is wrong with a pattern; a static string. */
const char *reload_sip_pattern_refusal(const char *pattern);

/* The Kind SIP-REGISTRATION: a document with a bad restriction is refused, and besides
 * USER-NODE-MATCH the signer's user name must be an AOR of an admitted domain (s3.3). The storing
 * peer and the fetching node ask it alike. */
extern const struct reload_kind_ops reload_sip_kind_ops;

#endif
