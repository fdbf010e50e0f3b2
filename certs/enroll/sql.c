#include "certs/enroll/sql.h"

#include <stdarg.h>

int reload_enroll_sql_error(int code)
{
    switch (code) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return 0;
    case SQLITE_NOMEM: return RELOAD_E_NOMEM;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return RELOAD_E_DECODE;
    default: return RELOAD_E_IO;
    }
}

static int bind(sqlite3_stmt *statement, int at, char type, va_list *values)
{
    if (type == 'i')
        return sqlite3_bind_int64(statement, at, va_arg(*values, int64_t));
    if (type == 's')
        return sqlite3_bind_text(statement, at, va_arg(*values, const char *), -1, SQLITE_STATIC);
    struct reload_slice s = va_arg(*values, struct reload_slice);
    return sqlite3_bind_blob64(statement, at, s.n ? (const void *)s.p : "", s.n, SQLITE_STATIC);
}

sqlite3_stmt *reload_enroll_sql(struct reload_enroll_database *db, const char *text,
                                const char *types, ...)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->sqlite, text, -1, &statement, NULL);
    va_list values;
    va_start(values, types);
    for (int i = 0; code == SQLITE_OK && types[i]; i++)
        code = bind(statement, i + 1, types[i], &values);
    va_end(values);
    if (code == SQLITE_OK)
        return statement;
    sqlite3_finalize(statement);
    return NULL;
}

int reload_enroll_sql_run(struct reload_enroll_database *db, sqlite3_stmt *statement, int *changes)
{
    if (!statement)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int code = sqlite3_step(statement);
    int error = reload_enroll_sql_error(code);
    if (changes)
        *changes = error ? 0 : sqlite3_changes(db->sqlite);
    sqlite3_finalize(statement);
    return error;
}

int reload_enroll_sql_int(struct reload_enroll_database *db, sqlite3_stmt *statement, int64_t *out)
{
    *out = 0;
    if (!statement)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int code = sqlite3_step(statement);
    int error = code == SQLITE_DONE ? RELOAD_E_NOT_FOUND : reload_enroll_sql_error(code);
    if (!error)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return error;
}

struct reload_slice reload_enroll_sql_blob(sqlite3_stmt *statement, int column)
{
    const uint8_t *p = sqlite3_column_blob(statement, column);
    return (struct reload_slice){ p, (size_t)sqlite3_column_bytes(statement, column) };
}

int reload_enroll_sql_begin(struct reload_enroll_database *db)
{
    return reload_enroll_sql_error(sqlite3_exec(db->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

int reload_enroll_sql_end(struct reload_enroll_database *db, int error)
{
    if (!error)
        error = reload_enroll_sql_error(sqlite3_exec(db->sqlite, "COMMIT", NULL, NULL, NULL));
    if (error && !sqlite3_get_autocommit(db->sqlite))
        sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    return error;
}
