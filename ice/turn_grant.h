#ifndef RELOAD_ICE_TURN_GRANT_H
#define RELOAD_ICE_TURN_GRANT_H

#include "reload/wire/cursor.h"

/* Credentials for a TURN server as the peer that offers it (RFC 6940 s9) hands them out: what
 * travels over a channel of RELOAD_ICE_TURN_APPLICATION, from the peer that was asked to the node
 * that asked. docs/protocol.md describes both.
 *
 *     struct {
 *       uint8   version;               -- 1
 *       opaque  user_name<1..2^8-1>;   -- printable ASCII, as the password
 *       opaque  password<1..2^8-1>;
 *       uint32  lifetime;              -- s from now, at least 1
 *     } TurnGrant;                                                                             */

#define RELOAD_ICE_TURN_APPLICATION 61478 /* of the private range of s14.5 */
#define RELOAD_ICE_TURN_GRANT_MAX   517   /* bytes */

struct reload_ice_turn_grant {
    char user_name[256], password[256];
    uint32_t lifetime_s;
};

/* RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_ice_turn_grant_encode(struct reload_writer *w,
                                                 const struct reload_ice_turn_grant *grant);
/* The whole of a channel's bytes. RELOAD_E_DECODE for anything but what is written above. */
RELOAD_MUST_USE int reload_ice_turn_grant_decode(struct reload_slice bytes,
                                                 struct reload_ice_turn_grant *out);

#endif
