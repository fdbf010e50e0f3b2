#include "peer/store_file.h"

#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000

struct batch { /* the rows of one token, copied */
    uint64_t token;
    GPtrArray *rows; /* of struct reload_store_row, each with its bytes behind it */
    bool ok;
};

struct reload_store_file {
    sqlite3 *sqlite; /* the worker's, once it runs */
    sqlite3_stmt *put, *remove;
    char *path;
    int done_fd;
    pthread_t worker;
    bool working;          /* not before the first write: load needs the file alone */
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t wake;
    GQueue waiting, done; /* of struct batch */
    size_t waiting_rows;
    bool closing;
    struct reload_store_file_stats stats;
};

static const char schema[] =
    "CREATE TABLE stored(id INTEGER PRIMARY KEY, resource BLOB NOT NULL, kind INTEGER NOT NULL,"
    " is_generation INTEGER NOT NULL, entry BLOB NOT NULL, generation INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL, stored_data BLOB NOT NULL, certificate BLOB NOT NULL,"
    " UNIQUE(resource, kind, is_generation, entry)) STRICT;";

/* Version 1 knew no certificates between a value's and a root-cert. */
static const char issuers[] = "ALTER TABLE stored ADD COLUMN issuers BLOB NOT NULL DEFAULT x'';"
                              "PRAGMA user_version=2;";

/* --- rows in memory --- */

static void append(uint8_t **at, struct reload_slice *slice)
{
    if (slice->n)
        memcpy(*at, slice->p, slice->n);
    slice->p = *at;
    *at += slice->n;
}

static struct reload_store_row *copy_row(const struct reload_store_row *row)
{
    size_t bytes =
        row->resource.n + row->entry.n + row->stored_data.n + row->certificate.n + row->issuers.n;
    struct reload_store_row *copy = g_try_malloc(sizeof *copy + bytes);
    if (!copy)
        return NULL;
    *copy = *row;
    uint8_t *at = (uint8_t *)(copy + 1);
    append(&at, &copy->resource);
    append(&at, &copy->entry);
    append(&at, &copy->stored_data);
    append(&at, &copy->certificate);
    append(&at, &copy->issuers);
    return copy;
}

static void free_batch(void *p)
{
    struct batch *batch = p;
    g_ptr_array_unref(batch->rows);
    g_free(batch);
}

/* --- the file --- */

static int refuse(struct reload_store_file *file, int error, struct reload_cert_reason *reason)
{
    return reload_cert_refuse(reason, error, "%s: %s", file->path,
                              file->sqlite ? sqlite3_errmsg(file->sqlite) : "out of memory");
}

static int exec(struct reload_store_file *file, const char *sql)
{
    return sqlite3_exec(file->sqlite, sql, NULL, NULL, NULL);
}

static int user_version(struct reload_store_file *file, int *version)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(file->sqlite, "PRAGMA user_version", -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *version = sqlite3_column_int(statement, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code;
}

static int prepare(struct reload_store_file *file)
{
    static const char put[] =
        "INSERT INTO stored(resource, kind, is_generation, entry, generation, expires_ms,"
        " stored_data, certificate, issuers) VALUES(?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT(resource, kind, is_generation, entry) DO UPDATE SET"
        " generation=excluded.generation, expires_ms=excluded.expires_ms,"
        " stored_data=excluded.stored_data, certificate=excluded.certificate,"
        " issuers=excluded.issuers";
    static const char drop[] =
        "DELETE FROM stored WHERE resource=? AND kind=? AND is_generation=? AND entry=?";
    int code = sqlite3_prepare_v2(file->sqlite, put, -1, &file->put, NULL);
    return code ? code : sqlite3_prepare_v2(file->sqlite, drop, -1, &file->remove, NULL);
}

static int open_file(struct reload_store_file *file, struct reload_cert_reason *reason)
{
    int version = 0;
    int fd =
        open(file->path, O_CREAT | O_RDWR | O_CLOEXEC, 0600); /* SQLite would take the umask's */
    if (fd < 0)
        return reload_cert_refuse(reason, RELOAD_E_IO, "%s: %s", file->path, g_strerror(errno));
    close(fd);
    if (sqlite3_open_v2(file->path, &file->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX,
                        NULL))
        return refuse(file, RELOAD_E_IO, reason);
    sqlite3_busy_timeout(file->sqlite, BUSY_MS);
    if (user_version(file, &version))
        return reload_cert_refuse(reason, RELOAD_E_DECODE,
                                  "%s: %s. Move it away to start with an empty store", file->path,
                                  sqlite3_errmsg(file->sqlite));
    if (version > RELOAD_STORE_FILE_VERSION)
        return reload_cert_refuse(reason, RELOAD_E_UNSUPPORTED,
                                  "%s: written by a newer version of this program", file->path);
    if (exec(file, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;") ||
        (version < 1 && exec(file, schema)) || (version < 2 && exec(file, issuers)) ||
        prepare(file))
        return refuse(file, RELOAD_E_DECODE, reason);
    return 0;
}

static void bind(sqlite3_stmt *statement, int at, struct reload_slice bytes)
{
    sqlite3_bind_blob64(statement, at, bytes.n ? (const void *)bytes.p : "", bytes.n,
                        SQLITE_STATIC);
}

static bool write_row(struct reload_store_file *file, const struct reload_store_row *row)
{
    sqlite3_stmt *s = row->removed ? file->remove : file->put;
    bind(s, 1, row->resource);
    sqlite3_bind_int64(s, 2, row->kind);
    sqlite3_bind_int(s, 3, row->is_generation);
    bind(s, 4, row->entry);
    if (!row->removed) {
        sqlite3_bind_int64(s, 5, (sqlite3_int64)row->generation);
        sqlite3_bind_int64(s, 6, (sqlite3_int64)row->expires_ms);
        bind(s, 7, row->stored_data);
        bind(s, 8, row->certificate);
        bind(s, 9, row->issuers);
    }
    bool ok = sqlite3_step(s) == SQLITE_DONE;
    sqlite3_reset(s);
    return ok;
}

/* --- the worker --- */

/* All of the queue in one transaction: group commit. */
static bool commit(struct reload_store_file *file, GQueue *batches,
                   struct reload_store_file_stats *stats)
{
    if (exec(file, "BEGIN IMMEDIATE"))
        return false;
    for (GList *item = batches->head; item; item = item->next) {
        const struct batch *batch = item->data;
        for (guint i = 0; i < batch->rows->len; i++) {
            const struct reload_store_row *row = g_ptr_array_index(batch->rows, i);
            if (!write_row(file, row)) {
                exec(file, "ROLLBACK");
                return false;
            }
            *(row->removed ? &stats->removed : &stats->written) += 1;
        }
    }
    if (exec(file, "COMMIT") == SQLITE_OK)
        return true;
    exec(file, "ROLLBACK");
    return false;
}

static void report(struct reload_store_file *file, GQueue *batches, bool ok,
                   const struct reload_store_file_stats *stats)
{
    struct batch *batch;
    pthread_mutex_lock(&file->mutex);
    if (ok) {
        file->stats.written += stats->written;
        file->stats.removed += stats->removed;
        file->stats.commits++;
    } else {
        file->stats.failed_commits++;
    }
    while ((batch = g_queue_pop_head(batches))) {
        batch->ok = ok;
        file->waiting_rows -= batch->rows->len;
        g_queue_push_tail(&file->done, batch);
    }
    eventfd_write(file->done_fd, 1);
    pthread_mutex_unlock(&file->mutex);
}

static void *work(void *context)
{
    struct reload_store_file *file = context;
    for (;;) {
        pthread_mutex_lock(&file->mutex);
        while (g_queue_is_empty(&file->waiting) && !file->closing)
            pthread_cond_wait(&file->wake, &file->mutex);
        GQueue batches = file->waiting;
        g_queue_init(&file->waiting);
        pthread_mutex_unlock(&file->mutex);
        if (g_queue_is_empty(&batches))
            return NULL;
        struct reload_store_file_stats stats = { 0 };
        bool ok = commit(file, &batches, &stats);
        report(file, &batches, ok, &stats);
    }
}

/* --- the public functions --- */

int reload_store_file_open(const char *path, struct reload_store_file **out,
                           struct reload_cert_reason *reason)
{
    struct reload_store_file *file = g_new0(struct reload_store_file, 1);
    file->path = g_strdup(path);
    file->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&file->mutex, NULL);
    pthread_cond_init(&file->wake, NULL);
    g_queue_init(&file->waiting);
    g_queue_init(&file->done);
    int error = file->done_fd < 0 ? RELOAD_E_IO : open_file(file, reason);
    if (error) {
        reload_store_file_close(file);
        return error;
    }
    *out = file;
    return 0;
}

void reload_store_file_close(struct reload_store_file *file)
{
    if (!file)
        return;
    if (file->working) {
        pthread_mutex_lock(&file->mutex);
        file->closing = true;
        pthread_cond_signal(&file->wake);
        pthread_mutex_unlock(&file->mutex);
        pthread_join(file->worker, NULL);
    }
    g_queue_clear_full(&file->waiting, free_batch);
    g_queue_clear_full(&file->done, free_batch);
    sqlite3_finalize(file->put);
    sqlite3_finalize(file->remove);
    sqlite3_close(file->sqlite);
    if (file->done_fd >= 0)
        close(file->done_fd);
    pthread_mutex_destroy(&file->mutex);
    pthread_cond_destroy(&file->wake);
    g_free(file->path);
    g_free(file);
}

static struct reload_slice column(sqlite3_stmt *statement, int at)
{
    const void *bytes = sqlite3_column_blob(statement, at);
    return reload_slice_of(bytes, (size_t)sqlite3_column_bytes(statement, at));
}

static void drop_damaged(struct reload_store_file *file, const GArray *ids)
{
    for (guint i = 0; i < ids->len; i++) {
        char *sql = sqlite3_mprintf("DELETE FROM stored WHERE id=%lld",
                                    (long long)g_array_index(ids, sqlite3_int64, i));
        if (sql)
            exec(file, sql);
        sqlite3_free(sql);
    }
    file->stats.damaged += ids->len;
}

int reload_store_file_load(struct reload_store_file *file,
                           int (*take)(void *context, const struct reload_store_row *row),
                           void *context)
{
    sqlite3_stmt *s;
    int code = sqlite3_prepare_v2(
        file->sqlite,
        "SELECT id, resource, kind, is_generation, entry, generation, expires_ms, stored_data,"
        " certificate, issuers FROM stored ORDER BY is_generation, id",
        -1, &s, NULL);
    GArray *damaged = g_array_new(FALSE, FALSE, sizeof(sqlite3_int64));
    while (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        sqlite3_int64 id = sqlite3_column_int64(s, 0);
        struct reload_store_row row = {
            .resource = column(s, 1),
            .kind = (uint32_t)sqlite3_column_int64(s, 2),
            .is_generation = sqlite3_column_int(s, 3),
            .entry = column(s, 4),
            .generation = (uint64_t)sqlite3_column_int64(s, 5),
            .expires_ms = (uint64_t)sqlite3_column_int64(s, 6),
            .stored_data = column(s, 7),
            .certificate = column(s, 8),
            .issuers = column(s, 9),
        };
        if (take(context, &row))
            g_array_append_val(damaged, id);
        else
            file->stats.loaded++;
        code = SQLITE_OK;
    }
    sqlite3_finalize(s);
    drop_damaged(file, damaged);
    g_array_unref(damaged);
    return code == SQLITE_DONE ? 0 : RELOAD_E_IO;
}

static struct batch *make_batch(uint64_t token, const struct reload_store_row *rows, size_t count)
{
    struct batch *batch = g_new0(struct batch, 1);
    batch->token = token;
    batch->rows = g_ptr_array_new_full((guint)count, g_free);
    for (size_t i = 0; i < count; i++) {
        struct reload_store_row *copy = copy_row(&rows[i]);
        if (!copy) {
            free_batch(batch);
            return NULL;
        }
        g_ptr_array_add(batch->rows, copy);
    }
    return batch;
}

int reload_store_file_write(struct reload_store_file *file, uint64_t token,
                            const struct reload_store_row *rows, size_t count)
{
    if (!file->working && pthread_create(&file->worker, NULL, work, file))
        return RELOAD_E_NOMEM;
    file->working = true;
    struct batch *batch = make_batch(token, rows, count);
    if (!batch)
        return RELOAD_E_NOMEM;
    pthread_mutex_lock(&file->mutex);
    bool full = file->waiting_rows + count > RELOAD_STORE_FILE_QUEUE_MAX;
    if (!full) {
        g_queue_push_tail(&file->waiting, batch);
        file->waiting_rows += count;
        pthread_cond_signal(&file->wake);
    }
    pthread_mutex_unlock(&file->mutex);
    if (full) {
        free_batch(batch);
        return RELOAD_E_LIMIT;
    }
    return 0;
}

int reload_store_file_fd(const struct reload_store_file *file)
{
    return file->done_fd;
}

bool reload_store_file_next(struct reload_store_file *file, uint64_t *token, bool *ok)
{
    eventfd_t count;
    pthread_mutex_lock(&file->mutex);
    struct batch *batch = g_queue_pop_head(&file->done);
    if (g_queue_is_empty(&file->done))
        eventfd_read(file->done_fd, &count); /* under the lock: a later report sets it again */
    pthread_mutex_unlock(&file->mutex);
    if (!batch)
        return false;
    *token = batch->token;
    *ok = batch->ok;
    free_batch(batch);
    return true;
}

void reload_store_file_stats(struct reload_store_file *file, struct reload_store_file_stats *out)
{
    pthread_mutex_lock(&file->mutex);
    *out = file->stats;
    pthread_mutex_unlock(&file->mutex);
}
