#ifndef USAGE_SIP_REASON_H
#define USAGE_SIP_REASON_H

#include "reload/wire/cursor.h"

/* The Reason header field (RFC 3326): why a request, here a BYE or a CANCEL, was sent. */

#define RELOAD_SIP_REASON_TEXT 20 /* characters that write() makes at most, and a NUL */

void reload_sip_reason_write(int status, char out[RELOAD_SIP_REASON_TEXT]);
/* The status that one value gives as cause: 200 (another device has answered) to 699; 0: it gives
 * none, or that of another protocol. */
int reload_sip_reason_read(struct reload_slice value);

#endif
