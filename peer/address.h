#ifndef PEER_ADDRESS_H
#define PEER_ADDRESS_H

#include "reload/link/address.h"

/* From "192.0.2.1:6084", "192.0.2.1", "[2001:db8::1]:6084" or "2001:db8::1"; default_port where
 * none is given. No names are looked up. RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_address_read(const char *text, uint16_t default_port,
                                        struct reload_link_address *out);
/* Splits "HOST:PORT", "[V6]:PORT" or "HOST" in place: *host is NUL-terminated inside text. The host
 * may be a name. RELOAD_E_INVALID for an empty host or a port that is none. */
RELOAD_MUST_USE int reload_address_split(char *text, uint16_t default_port, char **host,
                                         uint16_t *port);

#endif
