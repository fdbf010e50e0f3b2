#ifndef RELOAD_CERTS_ENROLL_USERNAME_H
#define RELOAD_CERTS_ENROLL_USERNAME_H

#include "reload/wire/cursor.h"

#define RELOAD_ENROLL_USERNAME_MAX 254 /* bytes, RFC 5321 s4.5.3.1 less the brackets */

/* Whether an account may bear this name (RFC 6940 s11.3: only legal characters). The rule is
 * narrow: local@domain in printable ASCII, the local part a dot-atom of at most 64 bytes, the
 * domain of lower-case letters, digits and hyphens without a trailing dot. Names are hashed and
 * compared as bytes, so an upper-case domain would be another name than the one a SIP address leads
 * to. NULL when it may, else a static sentence that says what is wrong. */
const char *reload_enroll_username_problem(struct reload_slice name);

/* The name with ASCII letters lowered, for finding look-alikes; out holds name.n bytes. */
void reload_enroll_username_fold(struct reload_slice name, uint8_t *out);

#endif
