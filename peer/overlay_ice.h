#ifndef PEER_OVERLAY_ICE_H
#define PEER_OVERLAY_ICE_H

#include "ice/ice.h"
#include "reload/link/datagram.h"
#include "reload/node/action.h"

/* The ICE channels of an overlay object: what the node gathers, what links and application channels
 * ride on (RFC 6940 s6.5.1.3 to s6.5.1.14). Inside of the overlay object only.
 *
 *   gather()     -> the node hears reload_node_gathered() or open_failed()
 *   connect()    -> user->begin() opens a link of the set on the path that was found, or
 *                   user->failed(); datagrams of that link travel from here on
 *   unlinked()      the link is down: the path is freed once its last datagrams are out
 *   abandon()       before connect(): it is not wanted any longer */

struct reload_overlay;
struct reload_overlay_ice;

/* Datagrams of the far end that may wait until our side has its link: s6.5.1.14. */
#define RELOAD_OVERLAY_ICE_EARLY_MAX 16
/* Where the far end says it has bare UDP ports. */
#define RELOAD_OVERLAY_ICE_BARE_MAX 4

struct reload_overlay_ice_user { /* who asked for a path */
    /* Opens a link of the set: the link's id in *link, or an error, and then the path is freed. The
     * far end's address is in `channel`, with the role, the Node-ID to expect and the path's MTU.
     */
    int (*begin)(struct reload_overlay *overlay, void *context,
                 const struct reload_link_channel *channel, reload_link_id *link);
    /* No path: RELOAD_E_TIMEOUT, RELOAD_E_IO, ... and a sentence. The path is freed afterwards. */
    void (*failed)(struct reload_overlay *overlay, void *context, int error, const char *reason);
};

RELOAD_MUST_USE int reload_overlay_ice_new(struct reload_overlay *overlay, GMainContext *context);
void reload_overlay_ice_free(struct reload_overlay *overlay);

/* RELOAD_ACTION_GATHER in an ICE overlay. */
void reload_overlay_ice_gather(struct reload_overlay *overlay,
                               const struct reload_action_gather *want);
/* What the far end of a gathered path has said; exactly one of begin and failed follows, later.
 * `context` is the user's. RELOAD_E_NOT_FOUND (nothing was gathered under that number), or as
 * reload_ice_channel_set_remote(): then neither follows and the path is freed. */
RELOAD_MUST_USE int reload_overlay_ice_connect(
    struct reload_overlay *overlay, uint32_t attach, const struct reload_node_id *expected,
    bool tls_server, struct reload_slice ufrag, struct reload_slice password,
    struct reload_slice candidates, const struct reload_overlay_ice_user *user, void *context);
/* RELOAD_ACTION_OPEN_LINK of type DTLS_UDP_SR: connect() for an overlay link. */
RELOAD_MUST_USE int reload_overlay_ice_open_link(struct reload_overlay *overlay,
                                                 const struct reload_action_open_link *want);
/* Frees what was gathered under that number; unknown ones are ignored. */
void reload_overlay_ice_abandon(struct reload_overlay *overlay, uint32_t attach);

/* A RELOAD_LINK_DATAGRAM event: sends it over the link's path. */
void reload_overlay_ice_send(struct reload_overlay *overlay, const struct reload_link_event *event);
/* A link that may ride on a path is up, or down. */
void reload_overlay_ice_linked(struct reload_overlay *overlay, reload_link_id link);
void reload_overlay_ice_unlinked(struct reload_overlay *overlay, reload_link_id link);

/* The loop: whether something waits, what it is, and time. */
bool reload_overlay_ice_waits(const struct reload_overlay *overlay);
void reload_overlay_ice_take(struct reload_overlay *overlay);
void reload_overlay_ice_run(struct reload_overlay *overlay);
uint64_t reload_overlay_ice_deadline(const struct reload_overlay *overlay);

#endif
