#ifndef RELOAD_LINK_ADDRESS_H
#define RELOAD_LINK_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reload/error.h"

/* An IP address and port, as IpAddressPort of RFC 6940 s6.5.1.1 holds them. */

struct reload_link_address {
    uint8_t len;       /* 4: IPv4, 16: IPv6, 0: none */
    uint8_t bytes[16]; /* network order */
    uint16_t port;
};

/* From a literal IPv4 or IPv6 address; no names are looked up. RELOAD_E_INVALID for anything else.
 */
RELOAD_MUST_USE int reload_link_address_parse(const char *literal, uint16_t port,
                                              struct reload_link_address *out);

bool reload_link_address_equal(const struct reload_link_address *a,
                               const struct reload_link_address *b);

#define RELOAD_LINK_ADDRESS_TEXT 56
/* "192.0.2.1:6084" or "[2001:db8::1]:6084"; returns text. */
const char *reload_link_address_text(const struct reload_link_address *address,
                                     char text[RELOAD_LINK_ADDRESS_TEXT]);

#endif
