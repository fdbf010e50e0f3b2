#ifndef RELOAD_ICE_STUN_H
#define RELOAD_ICE_STUN_H

#include "ice/address.h"
#include "reload/wire/cursor.h"

/* STUN (RFC 5389) on the bare UDP port of a peer: other nodes learn from it the address they are
 * seen at (RFC 6940 s6.5.1.4). Pure functions: a datagram in, at most one datagram out. No state is
 * kept for a stranger. */

/* The first byte decides between STUN (0..3), DTLS (20..63) and the rest (RFC 7983 s7). */
bool reload_ice_stun_is(struct reload_slice datagram);

/* The most an answer can be longer than its request. A Binding request of 20 bytes is answered by
 * 32 (IPv4) or 44 (IPv6); FINGERPRINT is added only to answer one, SOFTWARE never. */
#define RELOAD_ICE_STUN_GROWTH_MAX 36
#define RELOAD_ICE_STUN_ANSWER_MAX 512

struct reload_ice_stun_stats {
    uint64_t answered;  /* Binding requests that got an address */
    uint64_t refused;   /* Binding requests with an attribute that must be understood and is not:
                           answered 420 (RFC 5389 s7.3.1), or dropped if that would grow too much */
    uint64_t malformed; /* dropped: no STUN, cut short, a wrong FINGERPRINT */
    uint64_t other;     /* dropped: not a Binding request */
};

/* What to answer to a datagram from `from`. Returns 0 with *len bytes in out (at least
 * RELOAD_ICE_STUN_ANSWER_MAX of room), or without an answer (*len is 0, a counter tells why):
 * RELOAD_E_DECODE (malformed), RELOAD_E_UNSUPPORTED (not for a server, or refused in silence),
 * RELOAD_E_NOSPACE (out is too small). */
RELOAD_MUST_USE int reload_ice_stun_answer(struct reload_ice_stun_stats *stats,
                                           struct reload_slice datagram,
                                           const struct reload_link_address *from, uint8_t *out,
                                           size_t cap, size_t *len);

#endif
