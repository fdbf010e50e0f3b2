#ifndef USAGE_SIP_RECORD_H
#define USAGE_SIP_RECORD_H

#include "reload/wire/destination.h"

/* SipRegistration, the value of the Kind SIP-REGISTRATION (RFC 7904 s3.2). */

enum reload_sip_registration_type {
    RELOAD_SIP_REGISTRATION_URI = 1,   /* "to contact me, dereference this" */
    RELOAD_SIP_REGISTRATION_ROUTE = 2, /* "to contact me, form a connection with this node" */
};

#define RELOAD_SIP_DESTINATION_LIST_MIN 3 /* bytes, s3.2 */

struct reload_sip_registration {
    uint8_t type;                         /* as above, or one that this code does not know */
    struct reload_slice uri;              /* URI: an address of record, or any URI */
    struct reload_slice contact_prefs;    /* ROUTE: see contact_prefs.h */
    struct reload_slice destination_list; /* ROUTE: for reload_destination_next() */
    struct reload_slice data;             /* of an unknown type: what is behind the length */
};

/* Reads a whole value. Slices point into it. Returns 0, or RELOAD_E_DECODE with *out unspecified:
 * cut short, bytes left over, lengths that disagree, a destination list that is shorter than 3
 * bytes or has a malformed entry. An unknown type is no error: the type can be extended. */
RELOAD_MUST_USE int reload_sip_registration_decode(struct reload_slice value, size_t node_id_len,
                                                   struct reload_sip_registration *out);
/* Writes one. RELOAD_E_NOSPACE: the buffer or a 16-bit length is too small; RELOAD_E_INVALID: a
 * destination list below 3 bytes. */
RELOAD_MUST_USE int
reload_sip_registration_encode(struct reload_writer *w,
                               const struct reload_sip_registration *registration);

#endif
