#ifndef RELOAD_ICE_ADDRESS_H
#define RELOAD_ICE_ADDRESS_H

#include <sys/socket.h>

#include "reload/link/address.h"
#include "reload/wire/address.h"

/* Addresses as ICE, STUN and TURN judge them: struct reload_link_address, its wire form
 * (IpAddressPort, RFC 6940 s6.5.1.1) and the system's. */

enum reload_ice_scope {
    RELOAD_ICE_SCOPE_BAD,      /* nothing can be sent there: no address, any, multicast, broadcast,
                                  reserved, an IPv4 address dressed as IPv6 */
    RELOAD_ICE_SCOPE_LOOPBACK, /* this machine */
    RELOAD_ICE_SCOPE_LINK_LOCAL, /* 169.254/16, fe80::/10: means nothing on another link */
    RELOAD_ICE_SCOPE_PRIVATE,    /* RFC 1918, 100.64/10 (RFC 6598), fc00::/7 (RFC 4193) */
    RELOAD_ICE_SCOPE_PUBLIC,
};

/* Looks at the address alone, not at the port. */
enum reload_ice_scope reload_ice_address_scope(const struct reload_link_address *address);
/* The same IP address; ports may differ. */
bool reload_ice_address_same_host(const struct reload_link_address *a,
                                  const struct reload_link_address *b);

/* The wire form borrows the bytes of `address`. */
struct reload_ip_address_port reload_ice_address_to_wire(const struct reload_link_address *address);
/* Returns 0, or RELOAD_E_UNSUPPORTED for an address type other than IPv4 and IPv6. */
RELOAD_MUST_USE int reload_ice_address_from_wire(const struct reload_ip_address_port *wire,
                                                 struct reload_link_address *out);

/* Returns the length of the socket address written; 0 when there is no address. */
socklen_t reload_ice_address_to_socket(const struct reload_link_address *address,
                                       struct sockaddr_storage *out);
/* An address of another family gives the empty address (len 0). */
struct reload_link_address reload_ice_address_from_socket(const struct sockaddr *socket_address);

#endif
