#ifndef PEER_OVERLAY_STUN_H
#define PEER_OVERLAY_STUN_H

#include "ice/stun.h"
#include "ice/stun_client.h"
#include "ice/stun_servers.h"
#include "peer/overlay.h"

/* STUN of an overlay object (RFC 6940 s6.5.1.4): its bare UDP ports answer Binding requests, and
 * ask others how they are seen. Servers are the bootstrap nodes, and linked peers whose bare port
 * is known: docs/protocol.md says how. */

#define RELOAD_OVERLAY_STUN_REFRESH_MS  120000
#define RELOAD_OVERLAY_STUN_PATIENCE_MS 1500 /* without any answer: UDP is taken as blocked */

struct reload_overlay_stun {
    struct reload_ice_stun_stats answers; /* to others */
    struct reload_ice_stun_client client;
    struct reload_ice_stun_servers servers;
    uint64_t refresh_ms; /* monotonic; RELOAD_NEVER: not begun */
    bool at_home[2];     /* IPv4, IPv6: the last answer showed an address of this machine */
    uint64_t asked_ms;   /* the first question since the last answer; RELOAD_NEVER: none */
};

void reload_overlay_stun_init(struct reload_overlay *overlay);
/* Enters the bootstrap nodes and asks all servers; does nothing the second time. */
void reload_overlay_stun_begin(struct reload_overlay *overlay);
/* A RELOAD_LINK_STUN event: answers a question, takes an answer. */
void reload_overlay_stun_take(struct reload_overlay *overlay,
                              const struct reload_link_event *event);
/* A peer that is linked serves at this bare port, once it has answered there. */
void reload_overlay_stun_linked(struct reload_overlay *overlay, reload_link_id link,
                                const struct reload_link_address *bare);
void reload_overlay_stun_unlinked(struct reload_overlay *overlay, reload_link_id link);
/* Sends what is due, and lets time pass. */
void reload_overlay_stun_run(struct reload_overlay *overlay);
uint64_t reload_overlay_stun_deadline(const struct reload_overlay *overlay);

/* The server for the next channel: NULL when none is known, or when it would add nothing, since
 * this machine is seen at an address of its own. */
const struct reload_link_address *reload_overlay_stun_pick(struct reload_overlay *overlay);
enum reload_overlay_nat reload_overlay_stun_nat(const struct reload_overlay *overlay);

#endif
