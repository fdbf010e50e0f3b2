#ifndef USAGE_SIP_CANDIDATE_H
#define USAGE_SIP_CANDIDATE_H

#include "usage-sip/sdp.h"

/* Addresses and candidate attributes as text (RFC 8839 s5.1, RFC 8866 s5.7). */

#define RELOAD_SIP_ADDRESS_TEXT   46 /* with the NUL */
#define RELOAD_SIP_CANDIDATE_TEXT 224

/* RELOAD_E_INVALID when it is no numeric address. The port is not touched. */
RELOAD_MUST_USE int reload_sip_address_read(const char *text, struct reload_sip_address *out);
/* Returns text; empty for no address. */
const char *reload_sip_address_text(const struct reload_sip_address *address,
                                    char text[RELOAD_SIP_ADDRESS_TEXT]);

/* Reads the value of a=candidate. RELOAD_E_UNSUPPORTED for another transport, another component, a
 * host name or an unknown type: such a candidate is left out; RELOAD_E_DECODE when malformed. */
RELOAD_MUST_USE int reload_sip_candidate_read(const char *value, struct reload_sip_candidate *out);
/* Writes that value. RELOAD_E_INVALID: no address, or no foundation. */
RELOAD_MUST_USE int reload_sip_candidate_write(const struct reload_sip_candidate *candidate,
                                               char text[RELOAD_SIP_CANDIDATE_TEXT]);

#endif
