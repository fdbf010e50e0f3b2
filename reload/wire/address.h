#ifndef RELOAD_WIRE_ADDRESS_H
#define RELOAD_WIRE_ADDRESS_H

#include "reload/wire/cursor.h"

/* IpAddressPort (RFC 6940 s6.3.1.1). */

enum reload_address_type {
    RELOAD_ADDRESS_INVALID = 0,
    RELOAD_ADDRESS_IPV4 = 1,
    RELOAD_ADDRESS_IPV6 = 2,
};

struct reload_ip_address_port {
    uint8_t type;  /* enum reload_address_type, or unknown */
    uint16_t port; /* 0 for unknown types */
    struct reload_slice
        address; /* 4 or 16 bytes in network order; for unknown types all the data */
};

/* Returns 0, or RELOAD_E_DECODE: cut short, type 0, a length that is not 6 (IPv4) or 18 (IPv6).
 * Unknown types are kept, so that they can be stepped over. */
RELOAD_MUST_USE int reload_ip_address_port_decode(struct reload_reader *r,
                                                  struct reload_ip_address_port *out);
/* Returns 0, or RELOAD_E_NOSPACE: also for an address whose length does not fit its type. */
RELOAD_MUST_USE int reload_ip_address_port_encode(struct reload_writer *w,
                                                  const struct reload_ip_address_port *address);

#endif
