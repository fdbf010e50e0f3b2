#ifndef RELOAD_MEDIA_FINGERPRINT_H
#define RELOAD_MEDIA_FINGERPRINT_H

#include "reload/error.h"
#include "reload/link/engine_srtp.h"

/* The value of SDP's fingerprint attribute (RFC 8122 s5). */

#define RELOAD_MEDIA_FINGERPRINT_TEXT 104 /* with terminator */

/* "sha-256 4A:AD:...": upper case, as the grammar demands. Returns text. */
const char *reload_media_fingerprint_text(const uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN],
                                          char text[RELOAD_MEDIA_FINGERPRINT_TEXT]);

/* Reads one; the hash's name and the digits in either case. RELOAD_E_UNSUPPORTED for a hash other
 * than SHA-256, which every certificate of a call has at least (RFC 8122 s5.1); RELOAD_E_DECODE. */
RELOAD_MUST_USE int
reload_media_fingerprint_parse(const char *text,
                               uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN]);

#endif
