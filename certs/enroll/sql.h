#ifndef RELOAD_CERTS_ENROLL_SQL_H
#define RELOAD_CERTS_ENROLL_SQL_H

#include "reload/error.h"
#include "reload/wire/cursor.h"

#include <sqlite3.h>

/* The few lines of SQLite that the database's files share. Private to certs/enroll. */

struct reload_enroll_database {
    sqlite3 *sqlite;
};

int reload_enroll_sql_error(int code); /* SQLite's result code as ours */

/* Prepares a statement and binds its values: one letter each, 'i' int64_t, 's' const char *,
 * 'b' struct reload_slice. NULL when SQLite refuses. Values must outlive the statement. */
sqlite3_stmt *reload_enroll_sql(struct reload_enroll_database *db, const char *text,
                                const char *types, ...);
/* Runs a statement that gives no rows, finalising it. *changes may be NULL. NULL statement is fine.
 */
RELOAD_MUST_USE int reload_enroll_sql_run(struct reload_enroll_database *db,
                                          sqlite3_stmt *statement, int *changes);
/* Runs a statement for its first column of its first row. RELOAD_E_NOT_FOUND when there is none. */
RELOAD_MUST_USE int reload_enroll_sql_int(struct reload_enroll_database *db,
                                          sqlite3_stmt *statement, int64_t *out);
struct reload_slice reload_enroll_sql_blob(sqlite3_stmt *statement, int column);

RELOAD_MUST_USE int reload_enroll_sql_begin(struct reload_enroll_database *db);
/* Commits when error is 0, else rolls back; returns the error that decided. */
RELOAD_MUST_USE int reload_enroll_sql_end(struct reload_enroll_database *db, int error);

/* Appends a line to the audit log, inside the caller's transaction. */
RELOAD_MUST_USE int reload_enroll_audit(struct reload_enroll_database *db, uint64_t now_ms,
                                        const char *event, const char *user,
                                        struct reload_slice detail);

#endif
