#ifndef USAGE_SIP_CONTACT_PREFS_H
#define USAGE_SIP_CONTACT_PREFS_H

#include "reload/wire/cursor.h"

/* The contact_prefs of a registration (RFC 7904 s3.2): a feature set predicate in the syntax of RFC
 * 2533 with the feature tags of RFC 3840. Of it only the scheme that a callee asks for matters
 * here: "(sip.schemes=SIPS)". */

enum reload_sip_scheme {
    RELOAD_SIP_SCHEME_ANY,
    RELOAD_SIP_SCHEME_SIP,
    RELOAD_SIP_SCHEME_SIPS,
};

#define RELOAD_SIP_PREFS_DEPTH_MAX 16 /* parentheses in parentheses */

/* What the text demands: looked for alone and inside (& ...), as alternatives and negations demand
 * nothing. ANY when it says nothing, contradicts itself, is nested too deep, or is no predicate. */
enum reload_sip_scheme reload_sip_contact_prefs_scheme(struct reload_slice text);

/* The predicate for a scheme; "" for ANY. */
const char *reload_sip_contact_prefs_text(enum reload_sip_scheme scheme);

#endif
