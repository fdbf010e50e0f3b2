#ifndef RELOAD_LINK_ENGINE_SRTP_H
#define RELOAD_LINK_ENGINE_SRTP_H

#include "reload/link/engine_datagram.h"

/* DTLS-SRTP (RFC 5763, RFC 5764) on the engine of reload/link/engine_datagram.h: a handshake that
 * agrees on a protection profile and exports the keys of SRTP. Whom it is with is told by the
 * SHA-256 fingerprint of the far end's certificate, which the signalling carried: no chain, name or
 * lifetime is looked at (RFC 5763 s5). */

#define RELOAD_ENGINE_FINGERPRINT_LEN 32
#define RELOAD_ENGINE_SRTP_KEYS_MAX   88 /* bytes of keying material, of any profile offered */

/* Own certificate and key, and how handshakes with them are made. Serves any number of calls. */
struct reload_engine_srtp;

/* With an identity its own() gives certificate and key, borrowed as by reload_engine_context_new().
 * Without (NULL) a P-256 key and a certificate that says nothing about anyone are made, good for 30
 * days around `now`. RELOAD_E_INVALID: identity unusable; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_engine_srtp_new(const struct reload_link_identity_ops *identity,
                                           void *identity_context, const struct reload_log *log,
                                           struct reload_time now, struct reload_engine_srtp **out);
void reload_engine_srtp_free(struct reload_engine_srtp *srtp); /* after its engines; NULL is fine */

/* SHA-256 of the own certificate: what the signalling shall carry (RFC 8122 s5). */
void reload_engine_srtp_fingerprint(const struct reload_engine_srtp *srtp,
                                    uint8_t out[RELOAD_ENGINE_FINGERPRINT_LEN]);

/* One handshake, with the far end whose certificate has this fingerprint; any other ends it with
 * RELOAD_E_CERTIFICATE. Further calls are those of the datagram engine; lost flights are repeated
 * after 100 ms at first, because the path is known to work and people wait. An end of the handshake
 * without a profile in common fails reload_engine_srtp_keys(), not the handshake.
 * RELOAD_E_INVALID (path_len), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int
reload_engine_srtp_open(struct reload_engine_srtp *srtp, enum reload_link_role role,
                        const uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN], uint16_t path_len,
                        struct reload_engine **out);

/* After the handshake: the profile by its number in use_srtp (RFC 5764 s4.1.2, RFC 7714 s14.2) and
 * the exporter's output (RFC 5764 s4.2): client key, server key, client salt, server salt.
 * RELOAD_E_STATE: the handshake is not done; RELOAD_E_UNSUPPORTED: the far end did not offer or
 * take use_srtp; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_engine_srtp_keys(const struct reload_engine *engine, uint16_t *profile,
                                            uint8_t out[RELOAD_ENGINE_SRTP_KEYS_MAX], size_t *len);

#endif
