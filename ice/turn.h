#ifndef RELOAD_ICE_TURN_H
#define RELOAD_ICE_TURN_H

#include "ice/address.h"
#include "reload/store/access.h"
#include "reload/wire/id.h"

/* The TURN server usage (RFC 6940 s9): who registers, where, with what, and whom to believe. Pure
 * functions; the storing and fetching is the node's. */

#define RELOAD_ICE_TURN_DENSITY_MAX 20 /* NODE-MULTIPLE of TURN-SERVICE allows no more */

enum reload_ice_turn_fitness {
    RELOAD_ICE_TURN_FIT,
    RELOAD_ICE_TURN_UNKNOWN,    /* nobody has told how the address is seen from outside */
    RELOAD_ICE_TURN_PRIVATE,    /* RFC 1918 and its kin */
    RELOAD_ICE_TURN_TRANSLATED, /* seen at another IP address: behind a NAT */
    RELOAD_ICE_TURN_UNUSABLE,   /* loopback, link-local, multicast, none, no port */
};

/* Whether a peer at `own` should offer TURN, given how others see its bare port (NULL: not known).
 * s9: SHOULD NOT for the cases named above; SHOULD otherwise. */
enum reload_ice_turn_fitness reload_ice_turn_fitness(const struct reload_link_address *own,
                                                     const struct reload_link_address *reflexive);

/* How many records to store: turn-density, at most RELOAD_ICE_TURN_DENSITY_MAX; 0 disables. */
unsigned int reload_ice_turn_records(unsigned int turn_density);
/* The Resource Name of record d = 1..records, to be hashed by the topology: Node-ID || d, d being
 * one byte as in TurnServer.iteration. Returns its length. */
size_t reload_ice_turn_name(const struct reload_node_id *node_id, uint8_t d,
                            uint8_t out[RELOAD_NODE_ID_MAX + 1]);
/* The value of record d. Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_ice_turn_value(struct reload_writer *w, uint8_t d,
                                          const struct reload_link_address *server);
/* Judges a fetched value by the signer that the node has verified: 0 with the server's address;
 * RELOAD_E_DECODE; RELOAD_E_FORBIDDEN (its iteration is not 1..20, or the Resource-ID is not that
 * of this signer and iteration); RELOAD_E_INVALID (nobody can send there). */
RELOAD_MUST_USE int reload_ice_turn_check(struct reload_slice value, struct reload_slice resource,
                                          const struct reload_node_id *signer,
                                          const struct reload_crypto *crypto,
                                          reload_resource_id_function *resource_id,
                                          struct reload_link_address *out);

/* Time-limited credentials of the shared-secret scheme that coturn knows as `use-auth-secret`: the
 * user name is "EXPIRY:USER" (Unix seconds), the password base64(HMAC-SHA1(secret, user name)). The
 * secret never leaves the peer that offers the server. */
#define RELOAD_ICE_TURN_USER_NAME_MAX 128
#define RELOAD_ICE_TURN_PASSWORD_LEN  28

struct reload_ice_turn_credentials {
    char user_name[RELOAD_ICE_TURN_USER_NAME_MAX];
    char password[RELOAD_ICE_TURN_PASSWORD_LEN + 1];
    uint64_t expires_s; /* Unix time */
};

/* RELOAD_E_INVALID for an empty secret; RELOAD_E_NOMEM. The user is the asking node. */
RELOAD_MUST_USE int reload_ice_turn_credentials(struct reload_slice secret,
                                                const struct reload_node_id *user, uint64_t now_s,
                                                uint64_t lifetime_s,
                                                struct reload_ice_turn_credentials *out);

#endif
