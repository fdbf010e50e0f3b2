#ifndef RELOAD_ICE_EXTENSION_H
#define RELOAD_ICE_EXTENSION_H

#include "reload/link/address.h"
#include "reload/wire/candidate.h"

/* What peers tell each other in the extensions of their candidates (RFC 6940 s6.5.1.1): candidate
 * attributes of RFC 5245 s15.1, which whoever does not know their names ignores.
 *
 * "bare-port", decimal: at the address of this host candidate the peer's bare UDP port is open, and
 * answers Binding requests (RFC 6940 s6.5.1.4). */

#define RELOAD_ICE_BARE_PORT "bare-port"

/* Adds an extension to those of the candidate: all of them are written into `room`, where they must
 * stay as long as the candidate. RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_ice_extension_add(struct reload_ice_candidate *candidate,
                                             struct reload_writer *room, const char *name,
                                             struct reload_slice value);
/* The value of the first extension of that name; false: there is none. */
bool reload_ice_extension_find(const struct reload_ice_candidate *candidate, const char *name,
                               struct reload_slice *value);

/* Adds "bare-port" to the host candidates of addresses where one of the bare ports is open; those
 * of a wildcard are open everywhere. What `room` (24 bytes a candidate) cannot hold is not told. */
void reload_ice_bare_port_tell(const struct reload_link_address *bare, size_t bare_count,
                               struct reload_ice_candidate *candidates, size_t count,
                               struct reload_writer *room);
/* The bare ports that a candidate list tells of, up to cap; returns how many. What is no port of an
 * address that can be sent to is ignored. */
size_t reload_ice_bare_port_read(struct reload_slice candidates, struct reload_link_address *out,
                                 size_t cap);

#endif
