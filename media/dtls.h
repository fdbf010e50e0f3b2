#ifndef RELOAD_MEDIA_DTLS_H
#define RELOAD_MEDIA_DTLS_H

#include "media/srtp.h"
#include "media/transport.h"
#include "reload/link/engine_srtp.h"

/* One DTLS-SRTP association (RFC 5763, RFC 5764) over a media transport: datagrams and time in,
 * datagrams out through the transport, keys at the end. No thread, no socket. */
struct reload_media_dtls;

#define RELOAD_MEDIA_DTLS_WANT 1 /* not an error: more has to come from the far end */

/* A client's hello leaves at once. certificate, ops and context are borrowed and outlive it.
 * fingerprint: of the certificate that the far end has to show. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_media_dtls_new(struct reload_engine_srtp *certificate,
                                          enum reload_media_dtls_role role,
                                          const uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN],
                                          const struct reload_media_transport_ops *ops,
                                          void *context, struct reload_time now,
                                          struct reload_media_dtls **out);
/* Tells the far end, if there are keys (RFC 5764 s5.2 knows no other end). NULL is fine. */
void reload_media_dtls_free(struct reload_media_dtls *dtls);

/* A datagram of the far end. 0: there are keys; RELOAD_MEDIA_DTLS_WANT: not yet; or why there will
 * be none, as of reload_engine_handshake() and reload_engine_srtp_keys(). After the keys came:
 * RELOAD_E_CLOSED when the far end ended the association. */
RELOAD_MUST_USE int reload_media_dtls_receive(struct reload_media_dtls *dtls, const uint8_t *bytes,
                                              size_t len, struct reload_time now);
/* When tick() is due; RELOAD_NEVER. */
uint64_t reload_media_dtls_deadline(const struct reload_media_dtls *dtls, uint64_t now_ms);
RELOAD_MUST_USE int reload_media_dtls_tick(struct reload_media_dtls *dtls, struct reload_time now);

/* RELOAD_E_STATE before there are keys. material is the caller's, wiped by the caller. */
RELOAD_MUST_USE int reload_media_dtls_keying(const struct reload_media_dtls *dtls,
                                             uint8_t material[RELOAD_MEDIA_SRTP_MATERIAL_MAX],
                                             struct reload_media_keying *out);
const char *reload_media_dtls_reason(const struct reload_media_dtls *dtls); /* never NULL */

#endif
