#include "certs/enroll/database.h"

#include "certs/enroll/sql.h"
#include "reload/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 10000

/* Migration n brings a file from user_version n to n + 1. Never edit one that was released: append.
 */
static const char *const migrations[] = {
    "CREATE TABLE users ("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, folded TEXT NOT NULL UNIQUE,"
    "  hash TEXT NOT NULL, max_node_ids INTEGER NOT NULL CHECK (max_node_ids BETWEEN 1 AND 16),"
    "  created_ms INTEGER NOT NULL, removed_ms INTEGER) STRICT;"
    "CREATE TABLE node_ids ("
    "  node_id BLOB PRIMARY KEY CHECK (length(node_id) BETWEEN 16 AND 20),"
    "  user INTEGER NOT NULL REFERENCES users, position INTEGER NOT NULL,"
    "  UNIQUE (user, position)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE certificates ("
    "  id INTEGER PRIMARY KEY, serial BLOB NOT NULL UNIQUE CHECK (length(serial) = 16),"
    "  user INTEGER NOT NULL REFERENCES users, key_hash BLOB NOT NULL CHECK (length(key_hash) = "
    "32),"
    "  node_id_count INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN "
    "('pending','issued','void')),"
    "  reserved_ms INTEGER NOT NULL, not_before_ms INTEGER NOT NULL, not_after_ms INTEGER NOT NULL,"
    "  issued_ms INTEGER, der BLOB, CHECK ((state = 'issued') = (der IS NOT NULL))) STRICT;"
    "CREATE INDEX certificates_of_user ON certificates (user, state, not_after_ms);"
    "CREATE TABLE addresses ("
    "  user INTEGER NOT NULL REFERENCES users, address BLOB NOT NULL, seen_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (user, address)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE audit ("
    "  id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL, user TEXT NOT NULL,"
    "  detail BLOB NOT NULL, chain BLOB NOT NULL) STRICT;"
    /* What is for ever, is kept so by the file itself. */
    "CREATE TRIGGER users_stay BEFORE DELETE ON users"
    "  BEGIN SELECT RAISE(ABORT, 'accounts are never deleted'); END;"
    "CREATE TRIGGER names_stay BEFORE UPDATE OF id, name, folded ON users"
    "  BEGIN SELECT RAISE(ABORT, 'accounts are never renamed'); END;"
    "CREATE TRIGGER node_ids_stay BEFORE DELETE ON node_ids"
    "  BEGIN SELECT RAISE(ABORT, 'Node-IDs are never given back'); END;"
    "CREATE TRIGGER node_ids_keep_owner BEFORE UPDATE ON node_ids"
    "  BEGIN SELECT RAISE(ABORT, 'Node-IDs never change hands'); END;"
    "CREATE TRIGGER certificates_stay BEFORE DELETE ON certificates"
    "  BEGIN SELECT RAISE(ABORT, 'certificates are never deleted'); END;"
    "CREATE TRIGGER certificates_are_final BEFORE UPDATE ON certificates"
    "  WHEN old.state <> 'pending' OR old.serial <> new.serial OR old.user <> new.user"
    "  BEGIN SELECT RAISE(ABORT, 'certificates do not change'); END;"
    "CREATE TRIGGER audit_stays BEFORE DELETE ON audit"
    "  BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;"
    "CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit"
    "  BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;",
    /* Several devices of one account, each with Node-IDs of its own. */
    "ALTER TABLE node_ids ADD COLUMN device TEXT NOT NULL DEFAULT '';",
};
#define VERSION ((int64_t)(sizeof migrations / sizeof migrations[0]))

static int exec(struct reload_enroll_database *db, const char *text)
{
    return reload_enroll_sql_error(sqlite3_exec(db->sqlite, text, NULL, NULL, NULL));
}

static int migrate(struct reload_enroll_database *db, struct reload_cert_reason *reason)
{
    int64_t version;
    int error = reload_enroll_sql_begin(db);
    if (error)
        return error;
    error = reload_enroll_sql_int(db, reload_enroll_sql(db, "PRAGMA user_version", ""), &version);
    if (!error && version > VERSION)
        error = reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                   "the enrollment database was written by a newer version of this "
                                   "program (schema %d); use that version",
                                   (int)version);
    for (int64_t v = version; !error && v < VERSION; v++) {
        char bump[40];
        snprintf(bump, sizeof bump, "PRAGMA user_version = %d", (int)v + 1);
        error = exec(db, migrations[v]);
        if (!error)
            error = exec(db, bump);
    }
    return reload_enroll_sql_end(db, error);
}

/* The first page tells whether it is a database of ours, the quick check whether it is whole. */
static int set_up(struct reload_enroll_database *db, struct reload_cert_reason *reason)
{
    sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    sqlite3_extended_result_codes(db->sqlite, 0);
    int error = exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                         "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;");
    if (!error)
        error = migrate(db, reason);
    if (error)
        return error;
    sqlite3_stmt *check = reload_enroll_sql(db, "PRAGMA quick_check(1)", "");
    if (!check || sqlite3_step(check) != SQLITE_ROW ||
        strcmp((const char *)sqlite3_column_text(check, 0), "ok") != 0)
        error = RELOAD_E_DECODE;
    sqlite3_finalize(check);
    return error;
}

/* SQLite makes files by the umask; password hashes want 0600. The WAL inherits it. */
static int touch(const char *path, bool create)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
    if (fd < 0)
        return errno == ENOENT ? RELOAD_E_NOT_FOUND : RELOAD_E_IO;
    close(fd);
    return 0;
}

int reload_enroll_database_open(const char *path, bool create, struct reload_enroll_database **out,
                                struct reload_cert_reason *reason)
{
    *out = NULL;
    int error = touch(path, create);
    if (error)
        return reload_cert_refuse(reason, error, "the enrollment database %s cannot be opened: %s",
                                  path, strerror(errno));
    struct reload_enroll_database *db = reload_calloc(1, sizeof *db);
    if (!db)
        return RELOAD_E_NOMEM;
    struct reload_cert_reason inner = { "" };
    int code =
        sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    error = reload_enroll_sql_error(code);
    if (!error)
        error = set_up(db, &inner);
    if (!error) {
        *out = db;
        return 0;
    }
    if (inner.text[0])
        reload_cert_refuse(reason, error, "%s", inner.text);
    else if (error == RELOAD_E_DECODE)
        reload_cert_refuse(reason, error,
                           "%s is damaged or not an enrollment database; restore it from a backup",
                           path);
    else
        reload_cert_refuse(reason, error, "the enrollment database %s cannot be used: %s", path,
                           db->sqlite ? sqlite3_errmsg(db->sqlite) : "out of memory");
    reload_enroll_database_close(db);
    return error;
}

void reload_enroll_database_close(struct reload_enroll_database *db)
{
    if (db)
        sqlite3_close(db->sqlite);
    reload_free(db);
}

const char *reload_enroll_database_text(const struct reload_enroll_database *db)
{
    return sqlite3_errmsg(db->sqlite);
}

int reload_enroll_database_census(struct reload_enroll_database *db,
                                  struct reload_enroll_census *out)
{
    static const char *const counts[] = {
        "SELECT count(*) FROM users WHERE removed_ms IS NULL",
        "SELECT count(*) FROM users WHERE removed_ms IS NOT NULL",
        "SELECT count(*) FROM node_ids",
        "SELECT count(*) FROM certificates WHERE state = 'issued'",
        "SELECT count(*) FROM certificates WHERE state = 'pending'",
        "SELECT count(*) FROM certificates WHERE state = 'void'",
    };
    uint64_t *const fields[] = { &out->users,  &out->removed, &out->node_ids,
                                 &out->issued, &out->pending, &out->void_rows };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        int64_t n;
        int error = reload_enroll_sql_int(db, reload_enroll_sql(db, counts[i], ""), &n);
        if (error)
            return error;
        *fields[i] = (uint64_t)n;
    }
    return 0;
}
