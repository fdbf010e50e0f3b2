#ifndef RELOAD_WIRE_ATTACH_H
#define RELOAD_WIRE_ATTACH_H

#include "reload/wire/candidate.h"

/* Attach (RFC 6940 s6.5.1.1) and AppAttach (s6.5.2). Requests and answers have one form. */

struct reload_attach { /* AttachReqAns */
    struct reload_slice ufrag;
    struct reload_slice password;
    struct reload_slice role;       /* "passive" in requests, "active" in answers */
    struct reload_slice candidates; /* for reload_ice_candidate_next() */
    bool send_update;
};

struct reload_app_attach { /* AppAttachReq, AppAttachAns */
    struct reload_slice ufrag;
    struct reload_slice password;
    uint16_t application; /* Application-ID, s14.5 */
    struct reload_slice role;
    struct reload_slice candidates; /* for reload_ice_candidate_next() */
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified; encode returns 0, or
 * RELOAD_E_NOSPACE. The candidates of a decoded body have been walked to their exact end. */
RELOAD_MUST_USE int reload_attach_decode(struct reload_slice body, struct reload_attach *out);
RELOAD_MUST_USE int reload_attach_encode(struct reload_writer *w,
                                         const struct reload_attach *attach);
RELOAD_MUST_USE int reload_app_attach_decode(struct reload_slice body,
                                             struct reload_app_attach *out);
RELOAD_MUST_USE int reload_app_attach_encode(struct reload_writer *w,
                                             const struct reload_app_attach *attach);

#endif
