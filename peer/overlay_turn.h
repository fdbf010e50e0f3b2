#ifndef PEER_OVERLAY_TURN_H
#define PEER_OVERLAY_TURN_H

#include "ice/turn.h"
#include "ice/turn_grant.h"
#include "ice/turn_search.h"
#include "peer/channel.h"

/* TURN of an overlay object (RFC 6940 s9). A node behind a NAT finds a peer that offers a TURN
 * server, asks it for credentials, and has relayed candidates from then on. A peer that was told of
 * a TURN server stores records of it and hands out credentials for it.
 *
 *   overlay_turn.c        asking
 *   overlay_turn_offer.c  offering
 *
 *     IDLE --behind a NAT--> SEARCHING --found--> ASKING --credentials--> HELD
 *                             ^    |                | none                 | four fifths of
 *                             |    | none           v                      v their lifetime
 *                             +---------------- RESTING               SEARCHING
 *
 *   What is held stays in use while it is valid, whatever is looked for meanwhile. */

#define RELOAD_OVERLAY_TURN_PATIENCE_MS 6000 /* candidates wait that long for a relay */
/* After nothing was found, or it did not work: twice as long each time in a row. */
#define RELOAD_OVERLAY_TURN_REST_MS     30000
#define RELOAD_OVERLAY_TURN_REST_MAX_MS 1800000
#define RELOAD_OVERLAY_TURN_ASK_MS      5000 /* an open channel brings credentials, or never */
#define RELOAD_OVERLAY_TURN_GRANT_S     3600 /* lifetime of credentials */
#define RELOAD_OVERLAY_TURN_RECORD_S    3600 /* lifetime of records; stored anew after half of it */

enum reload_overlay_turn_state {
    RELOAD_OVERLAY_TURN_IDLE,
    RELOAD_OVERLAY_TURN_SEARCHING,
    RELOAD_OVERLAY_TURN_ASKING,
    RELOAD_OVERLAY_TURN_HELD,
    RELOAD_OVERLAY_TURN_RESTING,
};

struct reload_overlay_turn {
    bool over; /* the overlay object is being freed */
    /* asking */
    enum reload_overlay_turn_state state;
    uint64_t deadline_ms; /* of ASKING, HELD and RESTING */
    uint64_t patience_ms; /* when candidates go without a relay; RELOAD_NEVER: nothing began */
    uint64_t rest_ms;     /* how long the next rest is */
    struct reload_ice_turn_search search;
    size_t asked;                   /* place in search.found */
    struct reload_channel *channel; /* ASKING */
    uint8_t bytes[RELOAD_ICE_TURN_GRANT_MAX];
    size_t len;
    struct reload_link_address relay; /* len 0: none */
    struct reload_ice_turn_grant grant;
    uint64_t valid_until_ms; /* monotonic */
    /* offering */
    struct reload_link_address offered; /* len 0: none */
    GBytes *secret;
    uint64_t store_ms; /* when records are due; RELOAD_NEVER: the node has not joined */
    GQueue granted;    /* of struct reload_overlay_turn_granted */
    struct reload_overlay_turn_stats stats;
};

void reload_overlay_turn_init(struct reload_overlay *overlay);
void reload_overlay_turn_fini(struct reload_overlay *overlay); /* before requests are ended */
/* The loop: what is due, and when the next thing is. */
void reload_overlay_turn_run(struct reload_overlay *overlay);
uint64_t reload_overlay_turn_deadline(const struct reload_overlay *overlay);

/* --- overlay_turn.c --- */
/* Whether candidates may be gathered now: with a relay, or because none is to be waited for. */
bool reload_overlay_turn_is_settled(const struct reload_overlay *overlay);
/* The relay for a new channel; false: none. *out borrows what holds until the next turn of the
 * loop. */
bool reload_overlay_turn_pick(const struct reload_overlay *overlay,
                              struct reload_ice_turn_server *out);

/* --- overlay_turn_offer.c --- */
/* `--turn`: RELOAD_E_INVALID with a reason for what others could not use. */
RELOAD_MUST_USE int reload_overlay_turn_offer(struct reload_overlay *overlay,
                                              const struct reload_overlay_options *options,
                                              struct reload_cert_reason *reason);
void reload_overlay_turn_offer_run(struct reload_overlay *overlay);
uint64_t reload_overlay_turn_offer_deadline(const struct reload_overlay *overlay);
void reload_overlay_turn_offer_fini(struct reload_overlay *overlay);

#endif
