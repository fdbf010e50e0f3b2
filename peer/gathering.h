#ifndef PEER_GATHERING_H
#define PEER_GATHERING_H

#include "ice/ice.h"
#include "peer/overlay.h"

/* The candidates of one ICE channel, of a link or of a call's media: from the addresses of an
 * overlay object, with the STUN and TURN servers it has at that time.
 *
 *     start() -> the channel says GATHERED -> is_done(): they are complete, or
 *                start() again: the TURN server did not answer, and is not asked any more */

struct reload_gathering {
    struct reload_overlay *overlay;
    struct reload_ice *ice;
    enum reload_ice_role role;
    void *user;                         /* of the channel's events */
    struct reload_ice_channel *channel; /* NULL: not started; whoever holds this frees it */
    bool relays;                        /* a TURN server was asked */
};

/* In place of the channel of before. Errors of reload_ice_channel_new(): then there is none. */
RELOAD_MUST_USE int reload_gathering_start(struct reload_gathering *gathering);
/* Whether what was GATHERED can be told. When not, the overlay knows that its TURN server has
 * failed. */
bool reload_gathering_is_done(struct reload_gathering *gathering);

#endif
