#ifndef CERTS_TEXT_H
#define CERTS_TEXT_H

#include "certs/bytes.h"

/* Text that grows while it is written. The error is sticky: check once, at the end. {0} is empty.
 */

struct reload_cert_text {
    uint8_t *p;
    size_t len, cap;
    bool failed;
};

void reload_cert_text_add(struct reload_cert_text *text, struct reload_slice s);
void reload_cert_text_string(struct reload_cert_text *text, const char *s);
void reload_cert_text_format(struct reload_cert_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* up to 255 bytes at a time */
/* As character data or an attribute's value: with & < > " ' written as entities. */
void reload_cert_text_escaped(struct reload_cert_text *text, const char *s);
/* Base64 (RFC 4648) without line breaks. */
void reload_cert_text_base64(struct reload_cert_text *text, struct reload_slice bytes);

/* Hands the bytes over and leaves the text empty. RELOAD_E_NOMEM when anything did not fit. */
RELOAD_MUST_USE int reload_cert_text_take(struct reload_cert_text *text,
                                          struct reload_cert_bytes *out);
void reload_cert_text_fini(struct reload_cert_text *text);

#endif
