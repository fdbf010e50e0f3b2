#ifndef CERTS_URI_H
#define CERTS_URI_H

#include "reload/wire/id.h"

/* The reload URI (RFC 6940 s14.15): reload://<hex Destination List>@<overlay>/[<hex specifier>]. */

#define RELOAD_CERT_URI_LIST_MAX      512 /* bytes of a Destination List, decoded */
#define RELOAD_CERT_URI_SPECIFIER_MAX 512 /* bytes of a StoredDataSpecifier, decoded */
#define RELOAD_CERT_URI_OVERLAY_MAX   255 /* characters of an overlay name */
#define RELOAD_CERT_URI_TEXT_MAX                                                                   \
    (9 + 2 * RELOAD_CERT_URI_LIST_MAX + 1 + RELOAD_CERT_URI_OVERLAY_MAX + 1 +                      \
     2 * RELOAD_CERT_URI_SPECIFIER_MAX + 1) /* the longest URI, with its NUL */

struct reload_cert_uri {
    uint8_t destination_list[RELOAD_CERT_URI_LIST_MAX]; /* wire bytes, no outer length */
    size_t destination_list_len;
    char overlay[RELOAD_CERT_URI_OVERLAY_MAX + 1]; /* as written, terminated */
    uint8_t specifier[RELOAD_CERT_URI_SPECIFIER_MAX];
    size_t specifier_len; /* 0: the URI addresses the peer */
};

/* Reads a URI. The scheme and the hexadecimal digits may be in either case; the final slash, which
 * s14.15 requires, may be missing when there is no specifier. The Destination List is not looked
 * into. RELOAD_E_DECODE (not a reload URI), RELOAD_E_LIMIT (longer than the maxima above). */
RELOAD_MUST_USE int reload_cert_uri_parse(struct reload_slice text, struct reload_cert_uri *out);

/* The Node-ID of a URI whose Destination List is a single entry of type node (s11.3) of 16 to 20
 * bytes. `bare` also takes the Node-ID's own bytes with no Destination around them, as some older
 * programs write: a compatibility switch, off by default.
 * RELOAD_E_DECODE (another list, or a Node-ID of all zeros or all ones). */
RELOAD_MUST_USE int reload_cert_uri_node_id(const struct reload_cert_uri *uri, bool bare,
                                            struct reload_node_id *out);

/* Writes the URI with lower-case digits and its slash, terminated. RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_cert_uri_print(const struct reload_cert_uri *uri, char *out, size_t cap);

/* The URI of a node, as a certificate carries it. RELOAD_E_NOSPACE; RELOAD_E_INVALID when the
 * overlay's name is not a reg-name of 1..255 characters. */
RELOAD_MUST_USE int reload_cert_uri_print_node(const struct reload_node_id *id, const char *overlay,
                                               char *out, size_t cap);

/* Overlay names are reg-names: equal without regard to ASCII case. */
bool reload_cert_overlay_name_equal(const char *a, const char *b);

#endif
