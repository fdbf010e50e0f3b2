#ifndef CERTS_FILE_H
#define CERTS_FILE_H

#include <stdbool.h>

#include "certs/bytes.h"
#include "certs/reason.h"

/* Files of certificates, keys and documents. Every failure leaves a reason with the path in it. */

#define RELOAD_CERT_FILE_MAX (1u << 20) /* bytes; a longer file is refused */

/* Reads a whole regular file. RELOAD_E_NOT_FOUND, RELOAD_E_IO, RELOAD_E_LIMIT, RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_cert_file_read(const char *path, struct reload_cert_bytes *out,
                                          struct reload_cert_reason *reason);
/* The same for a private key: RELOAD_E_FORBIDDEN when group or others have any right to the file
 * (a mode wider than 0600). */
RELOAD_MUST_USE int reload_cert_file_read_secret(const char *path, struct reload_cert_bytes *out,
                                                 struct reload_cert_reason *reason);
/* Replaces a file at once or not at all: temporary file in the same folder, fsync, rename, fsync of
 * the folder. `secret` gives mode 0600, else 0644. RELOAD_E_IO. */
RELOAD_MUST_USE int reload_cert_file_write(const char *path, struct reload_slice content,
                                           bool secret, struct reload_cert_reason *reason);
/* "DIR/NAME" in a new string (free with reload_free()), or NULL without memory. */
char *reload_cert_file_path(const char *directory, const char *name);

#endif
