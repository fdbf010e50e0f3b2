#ifndef RELOAD_WIRE_TURN_SERVER_H
#define RELOAD_WIRE_TURN_SERVER_H

#include "reload/wire/address.h"

/* TurnServer: the value of the TURN-SERVICE Kind (RFC 6940 s9). */

struct reload_turn_server {
    uint8_t iteration;
    struct reload_ip_address_port server_address;
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified; encode returns 0, or
 * RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_turn_server_decode(struct reload_slice value,
                                              struct reload_turn_server *out);
RELOAD_MUST_USE int reload_turn_server_encode(struct reload_writer *w,
                                              const struct reload_turn_server *server);

#endif
