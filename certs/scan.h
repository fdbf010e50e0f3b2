#ifndef CERTS_SCAN_H
#define CERTS_SCAN_H

#include "reload/wire/cursor.h"

/* Where elements lie in the bytes of an XML document. libxml2 says what a document means, but not
 * which bytes were signed (RFC 6940 s11.1: "treated as a binary blob"). This walks over comments,
 * CDATA sections, processing instructions and quoted attribute values; on a document that libxml2
 * found well-formed and without a DTD it sees the same elements. */

struct reload_cert_element {
    struct reload_slice whole;   /* from "<" of the start tag to ">" of the end tag */
    struct reload_slice tag;     /* the start tag, "<" to ">" */
    struct reload_slice name;    /* as written, with its prefix */
    struct reload_slice content; /* between the tags; empty for "<a/>" */
};

/* The next child element in `content`, from offset *at on, which moves behind it. 0;
 * RELOAD_E_NOT_FOUND at the end; RELOAD_E_DECODE for a DTD or anything that is no XML. */
RELOAD_MUST_USE int reload_cert_scan_child(struct reload_slice content, size_t *at,
                                           struct reload_cert_element *out);
/* The n-th child element, from 0. Errors as above. */
RELOAD_MUST_USE int reload_cert_scan_nth(struct reload_slice content, size_t n,
                                         struct reload_cert_element *out);
/* The name without its prefix. */
bool reload_cert_scan_is(const struct reload_cert_element *element, const char *local_name);
/* The value of an attribute, between its quotes; RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_cert_scan_attribute(const struct reload_cert_element *element,
                                               const char *name, struct reload_slice *value);
/* Elements in the whole document, or RELOAD_E_DECODE / RELOAD_E_LIMIT beyond `max`. */
RELOAD_MUST_USE int reload_cert_scan_count(struct reload_slice document, size_t max);

#endif
