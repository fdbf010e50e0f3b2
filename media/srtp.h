#ifndef RELOAD_MEDIA_SRTP_H
#define RELOAD_MEDIA_SRTP_H

#include "media/transport.h"
#include "reload/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SRTP and SRTCP (RFC 3711, RFC 7714) of one stream, both directions, with the keys that a DTLS
 * handshake exported (RFC 5764 s4.2). There is no profile without encryption and none is accepted.
 */

/* Protection profiles by their number in the use_srtp extension, best first. */
enum reload_media_srtp_profile {
    RELOAD_MEDIA_AEAD_AES_256_GCM = 0x0008,
    RELOAD_MEDIA_AEAD_AES_128_GCM = 0x0007,
    RELOAD_MEDIA_AES128_CM_HMAC_SHA1_80 = 0x0001,
};

enum reload_media_dtls_role {
    RELOAD_MEDIA_DTLS_CLIENT,
    RELOAD_MEDIA_DTLS_SERVER,
};

/* What the handshake gives: the exporter's output for "EXTRACTOR-dtls_srtp", which is client key,
 * server key, client salt, server salt. Made only after the far end's certificate matched the
 * fingerprint that the signed signalling carried: media takes the host's word for that. */
struct reload_media_keying {
    enum reload_media_srtp_profile profile;
    enum reload_media_dtls_role role; /* ours: which half we send with */
    const uint8_t *material;          /* borrowed for the call */
    size_t material_len;              /* exactly reload_media_srtp_material_len(profile) */
};

#define RELOAD_MEDIA_SRTP_MATERIAL_MAX 88 /* bytes, the longest of all profiles */
#define RELOAD_MEDIA_SRTP_OVERHEAD_MAX 24 /* bytes that protection adds: tag and SRTCP index */

/* Bytes of keying material that a profile takes; 0 for a profile that is not known. */
size_t reload_media_srtp_material_len(enum reload_media_srtp_profile profile);

struct reload_media_srtp;

/* RELOAD_E_INVALID: unknown profile or wrong length; RELOAD_E_UNSUPPORTED: the library refuses it;
 * RELOAD_E_NOMEM. The material is copied into the library's own key schedule only. */
RELOAD_MUST_USE int reload_media_srtp_new(const struct reload_media_keying *keying,
                                          struct reload_media_srtp **out);
void reload_media_srtp_free(struct reload_media_srtp *srtp); /* NULL is fine */

/* Protects in place an RTP or, if rtcp, an RTCP packet of *len bytes in a buffer of cap bytes.
 * Returns 0 with the new length, RELOAD_E_NOSPACE, or RELOAD_E_INVALID (key used up). */
RELOAD_MUST_USE int reload_media_srtp_protect(struct reload_media_srtp *srtp, bool rtcp,
                                              uint8_t *bytes, size_t *len, size_t cap);

/* Checks and decrypts in place. Returns 0 with the new length; RELOAD_E_TOO_OLD for a packet seen
 * before or older than the replay window (RFC 3711 s3.3.2); RELOAD_E_SIGNATURE for one that does
 * not authenticate; RELOAD_E_DECODE for one that cannot be a packet. */
RELOAD_MUST_USE int reload_media_srtp_unprotect(struct reload_media_srtp *srtp, bool rtcp,
                                                uint8_t *bytes, size_t *len);

#endif
