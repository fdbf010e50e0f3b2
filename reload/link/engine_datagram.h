#ifndef RELOAD_LINK_ENGINE_DATAGRAM_H
#define RELOAD_LINK_ENGINE_DATAGRAM_H

#include "reload/link/engine.h"

/* DTLS 1.2 (RFC 6347) on the engine of reload/link/engine.h: the same handle and the same calls,
 * with datagrams instead of a stream. What is lent by reload_engine_input() is one datagram; one
 * read() gives what one record held; one write() makes one record and one datagram, of at most
 * RELOAD_ENGINE_RECORD_MAX bytes of plaintext; what goes out is taken by the calls below and not
 * from reload_engine_output().
 *
 * Damaged, forged and replayed records are dropped without a trace, as RFC 6347 s4.1.2.7 tells:
 * OpenSSL's replay protection is always on and has no switch.
 *
 * OpenSSL's handshake timer is the one clock that an engine reads: deadlines are told in the
 * caller's time, but whether one has come OpenSSL asks the system. */

#define RELOAD_ENGINE_RECORD_MAX 16384
#define RELOAD_ENGINE_RECORD_MIN 29  /* bytes that a record adds to its plaintext, at least */
#define RELOAD_ENGINE_NARROW_LEN 548 /* of an IPv4 path of 576 bytes, which all have (RFC 1122) */

/* path_len: bytes of one datagram that the path carries, without IP and UDP headers, 256 at least;
 * handshake messages are cut to it. A server that answers on a port where anyone may send gets only
 * engines for ClientHellos whose cookie was accepted (reload/link/cookie.h): cookie_shown; the
 * first input must then be that ClientHello. RELOAD_E_NOMEM, RELOAD_E_INVALID (path_len). */
RELOAD_MUST_USE int reload_engine_new_datagram(struct reload_engine_context *context,
                                               enum reload_link_role role,
                                               const struct reload_node_id *expected,
                                               uint16_t path_len, bool cookie_shown,
                                               struct reload_engine **out);

/* The next datagrams for the far end, up to cap of them; returns how many. They stay, and their
 * bytes are good, until reload_engine_datagram_sent() or any other call of this engine. */
size_t reload_engine_datagram_next(const struct reload_engine *engine, struct reload_slice *out,
                                   size_t cap);
/* Takes the first `count` of them off. */
void reload_engine_datagram_sent(struct reload_engine *engine, size_t count);

/* A burst is over: gives back the memory that sending and receiving took, so that an idle link
 * holds none. Without effect while something waits to be sent. */
void reload_engine_datagram_rest(struct reload_engine *engine);

/* When tick() should run, in the time that now_ms is of; RELOAD_NEVER once the handshake is done.
 */
uint64_t reload_engine_datagram_deadline(const struct reload_engine *engine, uint64_t now_ms);
/* Repeats the last flight of the handshake if its time has come. Results as of
 * reload_engine_handshake(), RELOAD_ENGINE_WANT when all is well. */
RELOAD_MUST_USE int reload_engine_datagram_tick(struct reload_engine *engine,
                                                struct reload_time now);

/* The path carries datagrams of RELOAD_ENGINE_NARROW_LEN bytes only. */
void reload_engine_datagram_narrow(struct reload_engine *engine);
/* Bytes of plaintext that one datagram of path_len takes; 0 before the handshake is done. */
size_t reload_engine_datagram_room(const struct reload_engine *engine);

#endif
