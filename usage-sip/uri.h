#ifndef USAGE_SIP_URI_H
#define USAGE_SIP_URI_H

#include "reload/wire/cursor.h"

/* A SIP URI (RFC 3261 s19.1.1) or an address of record without a scheme (RFC 7904 s2), cut into its
 * parts and nothing more: "sip:alice@dht.example.com:5060;transport=tcp?subject=x". */

struct reload_sip_uri { /* slices of the text; empty when the part is not there */
    struct reload_slice scheme;
    struct reload_slice user; /* still with its percent escapes */
    struct reload_slice host;
    struct reload_slice parameters; /* from the first ";" on, without it and without headers */
};

/* Cuts `text`, between optional spaces, at its scheme, "@", port, parameters and headers.
 * RELOAD_E_UNSUPPORTED when the scheme is neither sip nor sips (tel:, https: ...): then only
 * out->scheme is set. RELOAD_E_INVALID when there is no user or no host, a password, or a port that
 * is none. */
RELOAD_MUST_USE int reload_sip_uri_split(struct reload_slice text, struct reload_sip_uri *out);

/* Whether it asks for a secured connection (RFC 3261 s19.1). */
bool reload_sip_uri_is_secure(const struct reload_sip_uri *uri);

/* The value of a parameter; names are compared without regard to case. False when it is not there;
 * *value is empty when it has none (";lr"). */
bool reload_sip_uri_parameter(const struct reload_sip_uri *uri, const char *name,
                              struct reload_slice *value);

#endif
