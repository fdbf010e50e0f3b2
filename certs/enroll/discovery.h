#ifndef RELOAD_CERTS_ENROLL_DISCOVERY_H
#define RELOAD_CERTS_ENROLL_DISCOVERY_H

#include "certs/reason.h"

#include <stddef.h>
#include <stdint.h>

/* Finding the configuration server of an overlay by DNS (RFC 6940 s11.2): the SRV record
 * _reload-config._tcp.<overlay name>, and the addresses of its targets. */

#define RELOAD_ENROLL_TARGETS_MAX 8 /* SRV targets, and addresses of each, that are looked at */

struct reload_enroll_target {
    char host[256];   /* the SRV target's name, for messages */
    char address[48]; /* IPv4 literal, or IPv6 literal in brackets */
    uint16_t port;
};

/* Targets in the order to try them: by priority, and at random by weight (RFC 2782). servers:
 * "ADDR:PORT,.." or NULL for the system's. RELOAD_E_NOT_FOUND: no such record, or it says there is
 * no such service; RELOAD_E_TIMEOUT; RELOAD_E_IO: DNS failed; RELOAD_E_INVALID: name or servers. */
RELOAD_MUST_USE int
reload_enroll_discover(const char *overlay, const char *servers, uint32_t timeout_ms,
                       struct reload_enroll_target out[RELOAD_ENROLL_TARGETS_MAX], size_t *count,
                       struct reload_cert_reason *reason);

#endif
