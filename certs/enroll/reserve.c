/* Reserve durably, sign, store durably, and only then answer (RFC 6940 s11.3, s13.3). Serials are
 * random rather than counted: a counter that comes back from an old backup repeats itself, a random
 * number of 127 bits does not, and nobody can predict the next certificate's first bytes. */
#include "certs/certificate.h"
#include "certs/enroll/database.h"
#include "certs/enroll/sql.h"

#include <openssl/rand.h>
#include <string.h>

#define RESUME_MAX_MS                                                                              \
    (24 * 3600 * 1000LL) /* an older pending row has lost too much of its validity */

static struct reload_slice serial_slice(const struct reload_enroll_reservation *r)
{
    return (struct reload_slice){ r->serial, sizeof r->serial };
}

static int count_of(struct reload_enroll_database *db, const char *query, int64_t user,
                    int64_t more, int64_t *out)
{
    return reload_enroll_sql_int(db, reload_enroll_sql(db, query, "ii", user, more), out);
}

/* Those of the device in the order they were given, so the first n are the same ones each time. */
static int owned(struct reload_enroll_database *db, const struct reload_enroll_wish *wish,
                 struct reload_enroll_reservation *out)
{
    sqlite3_stmt *rows = reload_enroll_sql(
        db, "SELECT node_id FROM node_ids WHERE user = ? AND device = ? ORDER BY position LIMIT ?",
        "isi", wish->user->id, wish->device, (int64_t)RELOAD_ENROLL_NODE_IDS_MAX);
    if (!rows)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int code;
    out->node_id_count = 0;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW)
        out->node_ids[out->node_id_count++] = reload_node_id_from(reload_enroll_sql_blob(rows, 0));
    sqlite3_finalize(rows);
    return reload_enroll_sql_error(code);
}

/* Chosen by the server, random, and never one that somebody has or had (s11.3). */
static int add_node_id(struct reload_enroll_database *db, const struct reload_enroll_wish *wish,
                       int64_t position, struct reload_enroll_reservation *out)
{
    uint8_t bytes[RELOAD_NODE_ID_MAX];
    struct reload_slice id = { bytes, wish->node_id_len };
    struct reload_node_id *slot = &out->node_ids[out->node_id_count];
    if (RAND_priv_bytes(bytes, (int)wish->node_id_len) != 1)
        return RELOAD_E_IO;
    *slot = reload_node_id_from(id);
    if (reload_node_id_is_wildcard(slot))
        return RELOAD_E_IO; /* all ones is the wildcard (s3), all zeros invalid: 2^-128 each */
    static const char row[] =
        "INSERT INTO node_ids (node_id, user, position, device) VALUES (?,?,?,?)";
    int error = reload_enroll_sql_run(
        db, reload_enroll_sql(db, row, "biis", id, wish->user->id, position, wish->device), NULL);
    out->node_id_count += !error;
    return error;
}

static int choose_node_ids(struct reload_enroll_database *db, const struct reload_enroll_wish *wish,
                           struct reload_enroll_reservation *out)
{
    static const char all[] = "SELECT count(*) FROM node_ids WHERE user = ? AND ?";
    int64_t total = 0; /* of all the account's devices: its cap is for them together */
    int error = owned(db, wish, out);
    if (!error)
        error = count_of(db, all, wish->user->id, 1, &total);
    if (error)
        return error;
    size_t wanted = wish->node_ids ? wish->node_ids : out->node_id_count;
    if (wanted == 0)
        wanted = 1; /* s13.3: each user gets at least one */
    size_t more = wanted > out->node_id_count ? wanted - out->node_id_count : 0;
    if (more > 0 && (size_t)total + more > wish->user->max_node_ids)
        return RELOAD_E_LIMIT;
    if (wanted > RELOAD_ENROLL_NODE_IDS_MAX)
        return RELOAD_E_LIMIT;
    while (!error && out->node_id_count < wanted)
        error = add_node_id(db, wish, total++, out);
    out->node_id_count = wanted;
    return error;
}

/* Takes up the row that an interrupted run left, if it is for the same contents. */
static int resume(struct reload_enroll_database *db, const struct reload_enroll_wish *wish,
                  struct reload_enroll_reservation *out)
{
    static const char query[] =
        "SELECT serial, not_before_ms, not_after_ms FROM certificates WHERE user = ?"
        " AND state = 'pending' AND key_hash = ? AND node_id_count = ? AND reserved_ms BETWEEN ? "
        "AND ?";
    int64_t now = (int64_t)wish->now_ms;
    sqlite3_stmt *row =
        reload_enroll_sql(db, query, "ibiii", wish->user->id,
                          (struct reload_slice){ wish->key_hash, sizeof wish->key_hash },
                          (int64_t)out->node_id_count, now - RESUME_MAX_MS, now);
    if (!row)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        memcpy(out->serial, reload_enroll_sql_blob(row, 0).p, sizeof out->serial);
        out->not_before_ms = (uint64_t)sqlite3_column_int64(row, 1);
        out->not_after_ms = (uint64_t)sqlite3_column_int64(row, 2);
        out->resumed = true;
    }
    sqlite3_finalize(row);
    return reload_enroll_sql_error(code);
}

static int insert(struct reload_enroll_database *db, const struct reload_enroll_wish *wish,
                  struct reload_enroll_reservation *out)
{
    static const char burn[] =
        "UPDATE certificates SET state = 'void' WHERE user = ? AND state = 'pending'";
    static const char row[] =
        "INSERT INTO certificates (serial, user, key_hash, node_id_count, state, reserved_ms,"
        " not_before_ms, not_after_ms) VALUES (?,?,?,?,'pending',?,?,?)";
    int error = reload_enroll_sql_run(db, reload_enroll_sql(db, burn, "i", wish->user->id), NULL);
    if (error)
        return error;
    if (RAND_bytes(out->serial, sizeof out->serial) != 1)
        return RELOAD_E_IO;
    out->serial[0] = (uint8_t)((out->serial[0] & 0x7f) | 0x40); /* positive, always 16 bytes */
    out->not_before_ms = reload_cert_valid_from_ms(wish->now_ms);
    out->not_after_ms = wish->now_ms + wish->lifetime_ms;
    return reload_enroll_sql_run(
        db,
        reload_enroll_sql(db, row, "bibiiii", serial_slice(out), wish->user->id,
                          (struct reload_slice){ wish->key_hash, sizeof wish->key_hash },
                          (int64_t)out->node_id_count, (int64_t)wish->now_ms,
                          (int64_t)out->not_before_ms, (int64_t)out->not_after_ms),
        NULL);
}

/* The account may have been closed, or have had its fill, since its password was checked. */
static int check_account(struct reload_enroll_database *db, const struct reload_enroll_wish *wish)
{
    static const char living[] =
        "SELECT count(*) FROM users WHERE id = ? AND ? AND removed_ms IS NULL";
    /* Void rows count too: each is a serial that was used up. */
    static const char unexpired[] =
        "SELECT count(*) FROM certificates WHERE user = ? AND not_after_ms > ?";
    int64_t n;
    int error = count_of(db, living, wish->user->id, 1, &n);
    if (error || n == 0)
        return error ? error : RELOAD_E_NOT_FOUND;
    error = count_of(db, unexpired, wish->user->id, (int64_t)wish->now_ms, &n);
    if (error)
        return error;
    return n >= RELOAD_ENROLL_CERTIFICATES_MAX ? RELOAD_E_STATE : 0;
}

static int reserve(struct reload_enroll_database *db, const struct reload_enroll_wish *wish,
                   struct reload_enroll_reservation *out)
{
    int error = check_account(db, wish);
    bool full = error == RELOAD_E_STATE;
    if (full) /* what is pending may be finished all the same */
        error = 0;
    if (!error)
        error = choose_node_ids(db, wish, out);
    if (!error)
        error = resume(db, wish, out);
    if (error || out->resumed)
        return error;
    return full ? RELOAD_E_STATE : insert(db, wish, out);
}

int reload_enroll_database_reserve(struct reload_enroll_database *db,
                                   const struct reload_enroll_wish *wish,
                                   struct reload_enroll_reservation *out)
{
    *out = (struct reload_enroll_reservation){ .node_id_count = 0 };
    int error = reload_enroll_sql_begin(db);
    if (error)
        return error;
    error = reserve(db, wish, out);
    if (!error && reload_enroll_durable_step)
        reload_enroll_durable_step("reserve");
    error = reload_enroll_sql_end(db, error);
    if (!error && reload_enroll_durable_step)
        reload_enroll_durable_step("reserved");
    return error;
}

static int store(struct reload_enroll_database *db, const struct reload_enroll_reservation *r,
                 struct reload_slice der, uint64_t now_ms)
{
    static const char update[] = "UPDATE certificates SET state = 'issued', der = ?, issued_ms = ?"
                                 " WHERE serial = ? AND state = 'pending'";
    static const char name_of[] = "SELECT name FROM users JOIN certificates ON users.id = user"
                                  " WHERE serial = ?";
    int changes;
    int error = reload_enroll_sql_run(
        db, reload_enroll_sql(db, update, "bib", der, (int64_t)now_ms, serial_slice(r)), &changes);
    if (error || !changes)
        return error ? error : RELOAD_E_STATE;
    sqlite3_stmt *user = reload_enroll_sql(db, name_of, "b", serial_slice(r));
    if (!user || sqlite3_step(user) != SQLITE_ROW)
        error = RELOAD_E_IO;
    else
        error = reload_enroll_audit(db, now_ms, "issue", (const char *)sqlite3_column_text(user, 0),
                                    serial_slice(r));
    sqlite3_finalize(user);
    return error;
}

int reload_enroll_database_issue(struct reload_enroll_database *db,
                                 const struct reload_enroll_reservation *r, struct reload_slice der,
                                 uint64_t now_ms)
{
    if (reload_enroll_durable_step)
        reload_enroll_durable_step("signed");
    int error = reload_enroll_sql_begin(db);
    if (error)
        return error;
    error = reload_enroll_sql_end(db, store(db, r, der, now_ms));
    if (!error && reload_enroll_durable_step)
        reload_enroll_durable_step("issued");
    return error;
}

int reload_enroll_database_certificates(struct reload_enroll_database *db,
                                        int (*each)(void *context, const char *user,
                                                    const char *state, struct reload_slice serial,
                                                    struct reload_slice der),
                                        void *context)
{
    sqlite3_stmt *rows = reload_enroll_sql(
        db,
        "SELECT users.name, state, serial, der FROM certificates JOIN users ON users.id = user"
        " ORDER BY certificates.id",
        "");
    if (!rows)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int answer = 0, code = SQLITE_DONE;
    while (!answer && (code = sqlite3_step(rows)) == SQLITE_ROW)
        answer = each(context, (const char *)sqlite3_column_text(rows, 0),
                      (const char *)sqlite3_column_text(rows, 1), reload_enroll_sql_blob(rows, 2),
                      reload_enroll_sql_blob(rows, 3));
    sqlite3_finalize(rows);
    return answer ? answer : reload_enroll_sql_error(code);
}
