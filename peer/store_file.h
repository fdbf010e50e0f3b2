#ifndef PEER_STORE_FILE_H
#define PEER_STORE_FILE_H

#include "certs/reason.h"
#include "reload/store/store.h"

/* Stored values on disk: one SQLite file in WAL mode with synchronous=FULL, so that what was
 * acknowledged survives a power cut. Rows are collected while the main loop runs and written by a
 * worker thread, one transaction for all that wait (group commit); the loop is never blocked by the
 * disk.
 *
 * When the disk is full or read-only a write fails, is counted, and its token comes back as not ok:
 * the core then does not acknowledge the Store. Later writes are tried again. */

struct reload_store_file;

struct reload_store_file_stats {
    uint64_t written, removed; /* rows on disk since the start */
    uint64_t commits, failed_commits;
    uint64_t loaded, damaged; /* at start; damaged: unreadable rows, dropped */
};

#define RELOAD_STORE_FILE_VERSION 2
#define RELOAD_STORE_FILE_QUEUE_MAX                                                                \
    65536 /* rows waiting; more are refused until some are written */

/* Opens or makes the file (mode 0600). RELOAD_E_IO, RELOAD_E_DECODE (no file of ours, or damaged
 * beyond reading), RELOAD_E_UNSUPPORTED (written by a newer version), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_store_file_open(const char *path, struct reload_store_file **out,
                                           struct reload_cert_reason *reason);
/* Writes what still waits, then closes. NULL is fine. */
void reload_store_file_close(struct reload_store_file *file);

/* Hands every row to `take`, whose error (not 0) means that the row is useless: it is deleted from
 * the file and counted as damaged. RELOAD_E_IO. */
RELOAD_MUST_USE int reload_store_file_load(struct reload_store_file *file,
                                           int (*take)(void *context,
                                                       const struct reload_store_row *row),
                                           void *context);

/* Queues rows (copied) under a token. RELOAD_E_LIMIT, RELOAD_E_NOMEM: the token will not come back.
 */
RELOAD_MUST_USE int reload_store_file_write(struct reload_store_file *file, uint64_t token,
                                            const struct reload_store_row *rows, size_t count);
/* Readable when tokens have come back. */
int reload_store_file_fd(const struct reload_store_file *file);
/* The next token that is done; false when there is none for now. */
bool reload_store_file_next(struct reload_store_file *file, uint64_t *token, bool *ok);

void reload_store_file_stats(struct reload_store_file *file, struct reload_store_file_stats *out);

#endif
