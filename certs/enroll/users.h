#ifndef RELOAD_CERTS_ENROLL_USERS_H
#define RELOAD_CERTS_ENROLL_USERS_H

#include "certs/enroll/database.h"

/* What `reload user` does: the account rules, the hash, the database, and a sentence for the
 * operator when something is refused. Errors are those of database.h and password.h, with a reason.
 */

/* cost: of yescrypt, 0 for the default. max_node_ids: 0 for the default. RELOAD_E_INVALID: the name
 * or the password breaks a rule; RELOAD_E_STATE: exists; RELOAD_E_FORBIDDEN: look-alike. */
RELOAD_MUST_USE int reload_enroll_user_add(struct reload_enroll_database *db, const char *name,
                                           const char *password, uint32_t max_node_ids,
                                           unsigned cost, uint64_t now_ms,
                                           struct reload_cert_reason *reason);
/* RELOAD_E_NOT_FOUND, RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_enroll_user_passwd(struct reload_enroll_database *db, const char *name,
                                              const char *password, unsigned cost, uint64_t now_ms,
                                              struct reload_cert_reason *reason);
/* RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_enroll_user_remove(struct reload_enroll_database *db, const char *name,
                                              uint64_t now_ms, struct reload_cert_reason *reason);

/* The account's password from a file's first line ("-": standard input), for --password-file; out
 * is terminated. RELOAD_E_IO, RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_enroll_user_password(const char *path,
                                                char out[RELOAD_ENROLL_PASSWORD_MAX + 1],
                                                struct reload_cert_reason *reason);

#endif
