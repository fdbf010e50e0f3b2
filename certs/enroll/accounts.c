/* Accounts and the addresses they were used from (RFC 6940 s13.3). */
#include "certs/enroll/database.h"
#include "certs/enroll/sql.h"

#include <stdio.h>
#include <string.h>

static const struct reload_slice nothing = { NULL, 0 };

static struct reload_slice address_slice(const struct reload_enroll_address *address)
{
    return (struct reload_slice){ address->bytes, address->len };
}

static void fold(const char *name, char folded[RELOAD_ENROLL_USERNAME_MAX + 1])
{
    size_t n = strnlen(name, RELOAD_ENROLL_USERNAME_MAX);
    reload_enroll_username_fold((struct reload_slice){ (const uint8_t *)name, n },
                                (uint8_t *)folded);
    folded[n] = '\0';
}

/* A look-alike would be taken for the other by people, if not by machines. */
static int refuse_look_alike(struct reload_enroll_database *db, const char *name,
                             const char *folded)
{
    int64_t other;
    int error = reload_enroll_sql_int(
        db,
        reload_enroll_sql(db, "SELECT id FROM users WHERE folded = ? AND name <> ?", "ss", folded,
                          name),
        &other);
    return error == RELOAD_E_NOT_FOUND ? 0 : error ? error : RELOAD_E_FORBIDDEN;
}

static int revive_or_insert(struct reload_enroll_database *db, const char *name, const char *folded,
                            const char *hash, uint32_t max_node_ids, uint64_t now_ms)
{
    static const char revive[] =
        "UPDATE users SET hash = ?, max_node_ids = ?, removed_ms = NULL WHERE name = ?"
        " AND removed_ms IS NOT NULL";
    static const char insert[] = "INSERT INTO users (name, folded, hash, max_node_ids, created_ms)"
                                 " VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING";
    int changes;
    int error = reload_enroll_sql_run(
        db, reload_enroll_sql(db, revive, "sis", hash, (int64_t)max_node_ids, name), &changes);
    if (error || changes)
        return error;
    error = reload_enroll_sql_run(db,
                                  reload_enroll_sql(db, insert, "sssii", name, folded, hash,
                                                    (int64_t)max_node_ids, (int64_t)now_ms),
                                  &changes);
    return error ? error : changes ? 0 : RELOAD_E_STATE;
}

int reload_enroll_database_add(struct reload_enroll_database *db, const char *name,
                               const char *hash, uint32_t max_node_ids, uint64_t now_ms)
{
    char folded[RELOAD_ENROLL_USERNAME_MAX + 1];
    fold(name, folded);
    int error = reload_enroll_sql_begin(db);
    if (error)
        return error;
    error = refuse_look_alike(db, name, folded);
    if (!error)
        error = revive_or_insert(db, name, folded, hash, max_node_ids, now_ms);
    if (!error)
        error = reload_enroll_audit(db, now_ms, "user-add", name, nothing);
    return reload_enroll_sql_end(db, error);
}

#define USER_COLUMNS                                                                               \
    "SELECT id, name, hash, max_node_ids, created_ms, removed_ms IS NOT NULL,"                     \
    " (SELECT count(*) FROM node_ids WHERE user = users.id),"                                      \
    " (SELECT count(*) FROM certificates WHERE user = users.id AND state = 'issued') FROM users"

static void read_user(sqlite3_stmt *row, struct reload_enroll_user *out)
{
    *out = (struct reload_enroll_user){
        .id = sqlite3_column_int64(row, 0),
        .max_node_ids = (uint32_t)sqlite3_column_int64(row, 3),
        .created_ms = (uint64_t)sqlite3_column_int64(row, 4),
        .removed = sqlite3_column_int(row, 5) != 0,
        .node_id_count = (uint32_t)sqlite3_column_int64(row, 6),
        .certificate_count = (uint32_t)sqlite3_column_int64(row, 7),
    };
    snprintf(out->name, sizeof out->name, "%s", (const char *)sqlite3_column_text(row, 1));
    snprintf(out->hash, sizeof out->hash, "%s", (const char *)sqlite3_column_text(row, 2));
}

int reload_enroll_database_find(struct reload_enroll_database *db, struct reload_slice name,
                                struct reload_enroll_user *out)
{
    if (name.n == 0 || name.n > RELOAD_ENROLL_USERNAME_MAX || memchr(name.p, 0, name.n))
        return RELOAD_E_NOT_FOUND;
    char text[RELOAD_ENROLL_USERNAME_MAX + 1];
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    sqlite3_stmt *row = reload_enroll_sql(db, USER_COLUMNS " WHERE name = ?", "s", text);
    if (!row)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int code = sqlite3_step(row);
    int error = code == SQLITE_DONE ? RELOAD_E_NOT_FOUND : reload_enroll_sql_error(code);
    if (!error)
        read_user(row, out);
    sqlite3_finalize(row);
    return error;
}

int reload_enroll_database_each(struct reload_enroll_database *db,
                                int (*each)(void *context, const struct reload_enroll_user *user),
                                void *context)
{
    sqlite3_stmt *row = reload_enroll_sql(db, USER_COLUMNS " ORDER BY name", "");
    if (!row)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int answer = 0, code = SQLITE_DONE;
    while (!answer && (code = sqlite3_step(row)) == SQLITE_ROW) {
        struct reload_enroll_user user;
        read_user(row, &user);
        answer = each(context, &user);
    }
    sqlite3_finalize(row);
    return answer ? answer : reload_enroll_sql_error(code);
}

/* One change to one living account, and its line in the audit log. Takes the statement. */
static int change(struct reload_enroll_database *db, sqlite3_stmt *statement, const char *event,
                  const char *name, uint64_t now_ms)
{
    int changes;
    int error = reload_enroll_sql_run(db, statement, &changes);
    if (error)
        return error;
    return changes ? reload_enroll_audit(db, now_ms, event, name, nothing) : RELOAD_E_NOT_FOUND;
}

int reload_enroll_database_passwd(struct reload_enroll_database *db, const char *name,
                                  const char *hash, uint64_t now_ms)
{
    static const char update[] = "UPDATE users SET hash = ? WHERE name = ? AND removed_ms IS NULL";
    int error = reload_enroll_sql_begin(db);
    if (error)
        return error;
    error =
        change(db, reload_enroll_sql(db, update, "ss", hash, name), "user-passwd", name, now_ms);
    return reload_enroll_sql_end(db, error);
}

int reload_enroll_database_remove(struct reload_enroll_database *db, const char *name,
                                  uint64_t now_ms)
{
    static const char update[] =
        "UPDATE users SET hash = '', removed_ms = ? WHERE name = ? AND removed_ms IS NULL";
    int error = reload_enroll_sql_begin(db);
    if (error)
        return error;
    error = change(db, reload_enroll_sql(db, update, "is", (int64_t)now_ms, name), "user-remove",
                   name, now_ms);
    return reload_enroll_sql_end(db, error);
}

bool reload_enroll_database_knows(struct reload_enroll_database *db, int64_t user,
                                  const struct reload_enroll_address *address)
{
    int64_t seen;
    sqlite3_stmt *statement =
        reload_enroll_sql(db, "SELECT seen_ms FROM addresses WHERE user = ? AND address = ?", "ib",
                          user, address_slice(address));
    return reload_enroll_sql_int(db, statement, &seen) == 0;
}

int reload_enroll_database_remember(struct reload_enroll_database *db, int64_t user,
                                    const struct reload_enroll_address *address, uint64_t now_ms)
{
    static const char upsert[] = "INSERT INTO addresses VALUES (?,?,?)"
                                 " ON CONFLICT DO UPDATE SET seen_ms = excluded.seen_ms";
    static const char trim[] = "DELETE FROM addresses WHERE user = ?1 AND address NOT IN"
                               " (SELECT address FROM addresses WHERE user = ?1"
                               "  ORDER BY seen_ms DESC, address LIMIT ?2)";
    int error = reload_enroll_sql_begin(db);
    if (error)
        return error;
    error = reload_enroll_sql_run(
        db, reload_enroll_sql(db, upsert, "ibi", user, address_slice(address), (int64_t)now_ms),
        NULL);
    if (!error)
        error = reload_enroll_sql_run(
            db, reload_enroll_sql(db, trim, "ii", user, (int64_t)RELOAD_ENROLL_ADDRESSES_MAX),
            NULL);
    return reload_enroll_sql_end(db, error);
}
