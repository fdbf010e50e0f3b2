#ifndef PEER_OWN_ADDRESSES_H
#define PEER_OWN_ADDRESSES_H

#include "reload/link/address.h"

/* Under which addresses of this machine others may find a node, asked anew each time, since
 * interfaces come and go. */

/* Those of one listener, with its port: the address itself, or for a wildcard those of the
 * interfaces of its family. Link-local IPv6 ones are left out; loopback ones are in only on a
 * machine that has no others. Adds to out[*count], at most up to cap, what is not there yet. */
void reload_own_addresses(const struct reload_link_address *listen, struct reload_link_address *out,
                          size_t *count, size_t cap);
/* Every address of an interface, loopback included: is it one of this machine's? Ports are not
 * looked at. */
bool reload_own_addresses_have(const struct reload_link_address *address);

#endif
