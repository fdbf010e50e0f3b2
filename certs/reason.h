#ifndef CERTS_REASON_H
#define CERTS_REASON_H

#include "reload/error.h"

/* Why something was refused: one English sentence that names the thing, what is wrong with it and,
 * where a person can act, what to do. Bytes outside printable ASCII are shown as "?". */

#define RELOAD_CERT_REASON_MAX 320

struct reload_cert_reason {
    char text[RELOAD_CERT_REASON_MAX]; /* always terminated; empty when nothing was refused */
};

/* Writes the sentence and returns `error`, so that a caller can say `return
 * reload_cert_refuse(...)`. `reason` may be NULL. */
int reload_cert_refuse(struct reload_cert_reason *reason, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* RELOAD_E_NOMEM, with that for a reason. */
int reload_cert_no_memory(struct reload_cert_reason *reason);

#endif
