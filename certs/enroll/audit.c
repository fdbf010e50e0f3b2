/* The audit log: one line for each issue and each act of an operator, chained by hashes, so that a
 * missing or altered line is found. */
#include "certs/enroll/database.h"
#include "certs/enroll/sql.h"

#include <openssl/evp.h>
#include <string.h>

#define CHAIN_LEN 32

/* chain(n) = SHA-256(chain(n-1), id, time, event, user, detail), lengths in front of the texts. */
static int link_of(struct reload_slice previous, int64_t id, int64_t at_ms, const char *event,
                   const char *user, struct reload_slice detail, uint8_t out[CHAIN_LEN])
{
    uint64_t head[5] = { (uint64_t)id, (uint64_t)at_ms, strlen(event), strlen(user), detail.n };
    uint8_t bytes[sizeof head];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(head[i / 8] >> (56 - 8 * (i % 8)));
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
             EVP_DigestUpdate(md, previous.p, previous.n) &&
             EVP_DigestUpdate(md, bytes, sizeof bytes) && EVP_DigestUpdate(md, event, head[2]) &&
             EVP_DigestUpdate(md, user, head[3]) && EVP_DigestUpdate(md, detail.p, detail.n) &&
             EVP_DigestFinal_ex(md, out, NULL);
    EVP_MD_CTX_free(md);
    return ok ? 0 : RELOAD_E_NOMEM;
}

int reload_enroll_audit(struct reload_enroll_database *db, uint64_t now_ms, const char *event,
                        const char *user, struct reload_slice detail)
{
    static const char last[] = "SELECT id, chain FROM audit ORDER BY id DESC LIMIT 1";
    uint8_t chain[CHAIN_LEN];
    sqlite3_stmt *statement = reload_enroll_sql(db, last, "");
    if (!statement)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int code = sqlite3_step(statement);
    int error = reload_enroll_sql_error(code);
    int64_t id = 1;
    struct reload_slice previous = { NULL, 0 };
    if (code == SQLITE_ROW) {
        id = sqlite3_column_int64(statement, 0) + 1;
        previous = reload_enroll_sql_blob(statement, 1);
    }
    if (!error)
        error = link_of(previous, id, (int64_t)now_ms, event, user, detail, chain);
    sqlite3_finalize(statement);
    if (error)
        return error;
    statement = reload_enroll_sql(db, "INSERT INTO audit VALUES (?,?,?,?,?,?)", "iissbb", id,
                                  (int64_t)now_ms, event, user, detail,
                                  ((struct reload_slice){ chain, sizeof chain }));
    return reload_enroll_sql_run(db, statement, NULL);
}

int reload_enroll_database_audit_check(struct reload_enroll_database *db)
{
    uint8_t chain[CHAIN_LEN];
    struct reload_slice previous = { NULL, 0 };
    sqlite3_stmt *rows = reload_enroll_sql(
        db, "SELECT id, at_ms, event, user, detail, chain FROM audit ORDER BY id", "");
    if (!rows)
        return reload_enroll_sql_error(sqlite3_errcode(db->sqlite));
    int error = 0, code = SQLITE_DONE;
    for (int64_t id = 1; !error && (code = sqlite3_step(rows)) == SQLITE_ROW; id++) {
        struct reload_slice stored = reload_enroll_sql_blob(rows, 5);
        error = link_of(
            previous, id, sqlite3_column_int64(rows, 1), (const char *)sqlite3_column_text(rows, 2),
            (const char *)sqlite3_column_text(rows, 3), reload_enroll_sql_blob(rows, 4), chain);
        if (!error && (sqlite3_column_int64(rows, 0) != id || stored.n != CHAIN_LEN ||
                       memcmp(stored.p, chain, CHAIN_LEN) != 0))
            error = RELOAD_E_DECODE;
        previous = (struct reload_slice){ chain, CHAIN_LEN };
    }
    sqlite3_finalize(rows);
    return error ? error : reload_enroll_sql_error(code);
}
