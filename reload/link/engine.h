#ifndef RELOAD_LINK_ENGINE_H
#define RELOAD_LINK_ENGINE_H

#include "reload/link/buffer.h"
#include "reload/link/identity.h"
#include "reload/link/role.h"
#include "reload/log.h"
#include "reload/time.h"

/* TLS 1.2 and 1.3 with mutual authentication (RFC 6940 s6.5.1.13, s6.6.1, s13.2) as bytes in, bytes
 * out and time: no socket, no clock. One context serves all links of a node. Chains are judged by
 * the identity operations alone; OpenSSL's own path check is never asked. */

struct reload_engine_context;
struct reload_engine;

#define RELOAD_ENGINE_CHAIN_MAX  8           /* certificates of one far end that are looked at */
#define RELOAD_ENGINE_OUTPUT_MAX (32u << 20) /* bytes that wait to be taken off one engine */
#define RELOAD_ENGINE_REASON     160         /* bytes of a reason, terminator included */

/* `identity` and `log` are borrowed and outlive the context; log may be NULL. The environment's
 * SSLKEYLOGFILE is honoured, with a warning line.
 * RELOAD_E_INVALID: own certificate or key unusable, or not a pair (the reason is logged);
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_engine_context_new(const struct reload_link_identity_ops *identity,
                                              void *identity_context, const struct reload_log *log,
                                              struct reload_engine_context **out);
/* After all its engines. NULL is fine. */
void reload_engine_context_free(struct reload_engine_context *context);

/* One association, before its first byte. With `expected` not NULL the handshake fails unless the
 * far end's certificate holds that Node-ID (s6.5.1.11, s6.5.1.13). RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_engine_new(struct reload_engine_context *context,
                                      enum reload_link_role role,
                                      const struct reload_node_id *expected,
                                      struct reload_engine **out);
void reload_engine_free(struct reload_engine *engine); /* NULL is fine */

#define RELOAD_ENGINE_WANT 1 /* not an error: more bytes from the far end are needed */

/* Lends bytes from the far end. They stay in place, unchanged, until handshake() or read() answers
 * RELOAD_ENGINE_WANT, which means all were taken. */
void reload_engine_input(struct reload_engine *engine, struct reload_slice bytes);

/* Bytes for the far end. The caller takes them off the front (reload_buffer_consume) after any call
 * below; also after a failure, for the alert that tells the far end why. */
struct reload_buffer *reload_engine_output(struct reload_engine *engine);

/* Goes on with the handshake. 0: done, peer() tells who is there; RELOAD_ENGINE_WANT; or the end:
 * RELOAD_E_CERTIFICATE, RELOAD_E_EXPIRED, ... (the far end's certificate: missing, or refused by
 * check(), with its error), RELOAD_E_FORBIDDEN (the far end refused us; RELOAD_E_EXPIRED when it
 * said so), RELOAD_E_DECODE (not TLS or no common version or cipher), RELOAD_E_NOMEM. reason() has
 * the sentence. */
RELOAD_MUST_USE int reload_engine_handshake(struct reload_engine *engine, struct reload_time now);
/* Decrypts. 0 with *len > 0 bytes in out; RELOAD_ENGINE_WANT; RELOAD_E_CLOSED (the far end ended
 * the association in order); or an error as above. */
RELOAD_MUST_USE int reload_engine_read(struct reload_engine *engine, uint8_t *out, size_t cap,
                                       size_t *len, struct reload_time now);
/* Encrypts all of it into the output. RELOAD_E_STATE before the handshake is done, RELOAD_E_NOMEM.
 */
RELOAD_MUST_USE int reload_engine_write(struct reload_engine *engine, struct reload_slice plain);
/* From now on each direction ends by itself (TLS only): when the far end has ended its own, read()
 * answers RELOAD_E_CLOSED and writing goes on. */
void reload_engine_halve(struct reload_engine *engine);
/* Ends the own direction: a close_notify alert goes to the output, reading goes on. */
void reload_engine_end(struct reload_engine *engine);
/* Ends the association in order: a close_notify alert goes to the output. */
void reload_engine_close(struct reload_engine *engine);

/* Is it certain that the far end accepted us? At the end of the handshake, but for a TLS 1.3
 * client, which learns it from the first encrypted bytes that follow; see reload/link/links.h. */
bool reload_engine_confirmed(const struct reload_engine *engine);
/* Who is there, after the handshake. Owned by the engine. */
const struct reload_link_peer *reload_engine_peer(const struct reload_engine *engine);
/* Appends the far end's certificate, DER. RELOAD_E_STATE before the handshake is done,
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_engine_certificate(const struct reload_engine *engine,
                                              struct reload_buffer *out);
/* Asks check() once more about the chain that the far end showed: 0, or its error with a sentence.
 * RELOAD_E_STATE before the handshake is done, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_engine_recheck(const struct reload_engine *engine,
                                          struct reload_time now,
                                          char reason[RELOAD_ENGINE_REASON]);
/* Did the handshake fail because the far end's certificate is missing or was refused by check()? */
bool reload_engine_untrusted(const struct reload_engine *engine);
/* Did it fail because the certificate lacks the expected Node-ID? */
bool reload_engine_unexpected(const struct reload_engine *engine);
const char *reload_engine_reason(const struct reload_engine *engine);  /* never NULL */
const char *reload_engine_version(const struct reload_engine *engine); /* "TLSv1.3"; static */

#endif
