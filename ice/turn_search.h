#ifndef RELOAD_ICE_TURN_SEARCH_H
#define RELOAD_ICE_TURN_SEARCH_H

#include "reload/link/address.h"
#include "reload/random.h"
#include "reload/wire/id.h"

/* Finding TURN servers (RFC 6940 s9): a Find for TURN-SERVICE at a random Resource-ID, then a Fetch
 * at the closest one that it named; a new random Resource-ID after an empty result.
 *
 *   FIND --found()--> FETCH --fetched()--> DONE
 *     ^                 |
 *     +--- nothing -----+   until the attempts are used up: GIVEN_UP
 *
 * The host does what `state` asks at `resource` and says how it went. */

#define RELOAD_ICE_TURN_ATTEMPTS_MAX 8
#define RELOAD_ICE_TURN_FOUND_MAX    4

enum reload_ice_turn_search_state {
    RELOAD_ICE_TURN_FIND,
    RELOAD_ICE_TURN_FETCH,
    RELOAD_ICE_TURN_DONE,
    RELOAD_ICE_TURN_GIVEN_UP, /* start again later */
};

struct reload_ice_turn_offer {
    struct reload_node_id node_id; /* who offers it, and hands out credentials */
    struct reload_link_address address;
};

struct reload_ice_turn_search {
    enum reload_ice_turn_search_state state;
    struct reload_random random;
    uint8_t resource[RELOAD_RESOURCE_ID_MAX];
    size_t resource_len, id_len; /* of `resource`; of the overlay's Resource-IDs */
    unsigned int attempts;
    struct reload_ice_turn_offer found[RELOAD_ICE_TURN_FOUND_MAX];
    size_t found_count;
};

/* turn_density 0 means that nobody registers: GIVEN_UP at once. resource_id_len: 1..255. */
void reload_ice_turn_search_start(struct reload_ice_turn_search *search,
                                  const struct reload_random *random, size_t resource_id_len,
                                  unsigned int turn_density);
/* FIND was answered with this closest Resource-ID; empty or all zero means none. */
void reload_ice_turn_search_found(struct reload_ice_turn_search *search,
                                  struct reload_slice closest);
/* FETCH was answered with these offers, already judged by reload_ice_turn_check(). */
void reload_ice_turn_search_fetched(struct reload_ice_turn_search *search,
                                    const struct reload_ice_turn_offer *offers, size_t count);
/* The request failed or was refused. */
void reload_ice_turn_search_failed(struct reload_ice_turn_search *search);

#endif
