#ifndef USAGE_SIP_REASON_H
#define USAGE_SIP_REASON_H

#include "reload/wire/cursor.h"

/* The Reason header field (RFC 3326): why a request, here a BYE, was sent. */

#define RELOAD_SIP_REASON_TEXT 20 /* characters that write() makes at most, and a NUL */

void reload_sip_reason_write(int status, char out[RELOAD_SIP_REASON_TEXT]);
/* The status, 300 to 699, that one value gives as cause; 0: it gives none, or that of another
 * protocol. */
int reload_sip_reason_read(struct reload_slice value);

#endif
