#ifndef USAGE_SIP_HEAD_H
#define USAGE_SIP_HEAD_H

#include "reload/wire/cursor.h"

/* The head of a SIP message as lines of text (RFC 3261 s7, s25.1): where it ends, which header
 * fields it has. libosip2 parses what they mean, but it forgives much that a receiver has to
 * refuse, and says nothing of a message's length; that is looked at here. */

#define RELOAD_SIP_MESSAGE_MAX 65536 /* bytes of one message */
#define RELOAD_SIP_HEAD_MAX    16384 /* bytes of start line and header fields */
#define RELOAD_SIP_HEADERS_MAX 256   /* header fields of one message */

struct reload_sip_field {
    struct reload_slice name;  /* as written: long or compact */
    struct reload_slice value; /* without spaces around it; folds are still in it */
};

/* Bytes up to and with the empty line; 0 when there is none (yet). */
size_t reload_sip_head_len(struct reload_slice bytes);

/* Takes the start line off a head. False when there is none. */
bool reload_sip_start_line(struct reload_slice *head, struct reload_slice *line);
/* Takes the next header field, with its continuation lines. False at the end of the head and at a
 * line that is none; then head->n is not 0. */
bool reload_sip_field_next(struct reload_slice *head, struct reload_sip_field *out);
/* By its long name, in any case; the compact form is the same field (s7.3.3). */
bool reload_sip_field_is(const struct reload_sip_field *field, const char *long_name);

/* Whether a head keeps to the grammar where libosip2 does not look: start line, characters, fields
 * that may come once, separators, display names, scalar ranges, dates. 0, or RELOAD_E_INVALID;
 * RELOAD_E_UNSUPPORTED for another version of SIP; RELOAD_E_LIMIT for too many fields. */
RELOAD_MUST_USE int reload_sip_head_check(struct reload_slice head);

/* The value of Content-Length. RELOAD_E_NOT_FOUND: not there; RELOAD_E_DECODE: no number, or there
 * twice. */
RELOAD_MUST_USE int reload_sip_content_length(struct reload_slice head, size_t *out);

#endif
