#ifndef RELOAD_CERTS_ENROLL_PASSWORD_H
#define RELOAD_CERTS_ENROLL_PASSWORD_H

#include "reload/error.h"
#include "reload/wire/cursor.h"

#define RELOAD_ENROLL_PASSWORD_MAX 511 /* bytes; what crypt(5) takes */
#define RELOAD_ENROLL_HASH_MAX     384 /* bytes of a stored hash with its NUL */

#define RELOAD_ENROLL_COST_DEFAULT 8 /* yescrypt: about 0.1 s and 64 MiB a guess */
#define RELOAD_ENROLL_COST_MIN     1
#define RELOAD_ENROLL_COST_MAX     11

/* Passwords are UTF-8 strings compared as bytes (RFC 6940 s11.3): nothing is normalised or trimmed.
 * All functions are safe from any thread and take the time that their cost says. */

/* NULL when it can be a password, else a static sentence. */
const char *reload_enroll_password_problem(struct reload_slice password);

/* yescrypt with a fresh salt. Returns 0, RELOAD_E_INVALID (problem() tells, or a cost outside
 * MIN..MAX), RELOAD_E_NOMEM or RELOAD_E_IO (no randomness). */
RELOAD_MUST_USE int reload_enroll_password_hash(struct reload_slice password, unsigned cost,
                                                char out[RELOAD_ENROLL_HASH_MAX]);

/* Whether the password belongs to the hash. Runs the whole hash for every password, also for one
 * that cannot be right, so that time tells nothing. RELOAD_E_FORBIDDEN: wrong; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_enroll_password_verify(struct reload_slice password, const char *hash);

/* Reads the first line of a file ("-" is standard input) into out (a terminated string) without its
 * line end. RELOAD_E_IO with errno, or RELOAD_E_INVALID: empty, too long, or not UTF-8. */
RELOAD_MUST_USE int reload_enroll_password_read(const char *path,
                                                char out[RELOAD_ENROLL_PASSWORD_MAX + 1]);

#endif
