#ifndef RELOAD_ICE_STUN_SERVERS_H
#define RELOAD_ICE_STUN_SERVERS_H

#include "ice/address.h"

/* Which peers serve as STUN servers (RFC 6940 s6.5.1.4).
 *
 * Peers are grouped by the reflexive address they show; a group is one IP address, because behind a
 * NAT that maps by destination each server shows another port of the same place. One peer of each
 * group is in use. When its link is lost, it is replaced by another of its group; when the group is
 * empty the other groups remain.
 *
 * Bootstrap nodes are entered as configured: they serve without a link. */

#define RELOAD_ICE_STUN_SERVERS_MAX       64
#define RELOAD_ICE_STUN_SERVERS_GROUP_MAX 8 /* of one group: more would only crowd out others */

struct reload_ice_stun_server {
    uint64_t peer; /* the host's name for the link or the bootstrap node */
    bool configured;
    bool in_use;                        /* the one of its group */
    struct reload_link_address address; /* where it answers: its bare UDP port */
    struct reload_link_address
        reflexive; /* what it shows; len 0 while unknown: a group of its own */
};

struct reload_ice_stun_servers {
    struct reload_ice_stun_server servers[RELOAD_ICE_STUN_SERVERS_MAX];
    size_t count;
    uint64_t turned_away; /* a cap was reached */
    uint64_t replaced;    /* lost while in use, another of the group took over */
    size_t turn;          /* for pick() */
};

/* Enters a configured server, whose reflexive address is learned later. 0, or RELOAD_E_LIMIT. */
RELOAD_MUST_USE int reload_ice_stun_servers_configure(struct reload_ice_stun_servers *servers,
                                                      uint64_t peer,
                                                      const struct reload_link_address *address);
/* Peer `peer`, linked now, showed us `reflexive`. Moves it to that group if it was in another. 0,
 * or RELOAD_E_LIMIT. */
RELOAD_MUST_USE int reload_ice_stun_servers_learn(struct reload_ice_stun_servers *servers,
                                                  uint64_t peer,
                                                  const struct reload_link_address *address,
                                                  const struct reload_link_address *reflexive);
/* The link to the peer is gone: it MUST NOT serve any longer. A configured one stays. */
void reload_ice_stun_servers_lost(struct reload_ice_stun_servers *servers, uint64_t peer);
/* It does not answer: as lost; of a configured one it is not known any longer what it shows. */
void reload_ice_stun_servers_silent(struct reload_ice_stun_servers *servers, uint64_t peer);

/* The servers in use, one of each group: up to cap of them; returns how many there are. */
size_t reload_ice_stun_servers_in_use(const struct reload_ice_stun_servers *servers,
                                      struct reload_link_address *out, size_t cap);
/* The server for the next channel; channels take the groups in turn, since the ICE library asks one
 * server a channel. Only those whose answer is known: one that does not answer would hold up each
 * channel's gathering. NULL when there is none. Valid until the next change. */
const struct reload_ice_stun_server *
reload_ice_stun_servers_pick(struct reload_ice_stun_servers *servers);

#endif
