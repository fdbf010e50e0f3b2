#include "check.h"

#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/store_file.h"

static char folder[64], path[80];

static int set_up(void **state)
{
    (void)state;
    memcpy(folder, "/tmp/reload-store-XXXXXX", 25);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store", folder);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    char file[100];
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
    rmdir(folder);
    return 0;
}

static struct reload_store_file *open_file(void)
{
    struct reload_store_file *file;
    struct reload_cert_reason reason = { "" };
    if (reload_store_file_open(path, &file, &reason))
        fail_msg("%s", reason.text);
    return file;
}

static struct reload_store_row row(const char *resource, const char *entry, const char *data)
{
    return (struct reload_store_row){
        .resource = reload_slice_of(resource, strlen(resource)),
        .kind = 0xf0000001,
        .entry = reload_slice_of(entry, strlen(entry)),
        .generation = UINT64_MAX - 1,
        .expires_ms = 1700000000000,
        .stored_data = reload_slice_of(data, strlen(data)),
        .certificate = TEXT("DER\0of the signer"),
        .issuers = TEXT("\0\0\3DER"),
    };
}

/* Writes rows under a token and waits for it. */
static bool write_rows(struct reload_store_file *file, uint64_t token,
                       const struct reload_store_row *rows, size_t count)
{
    uint64_t back;
    bool ok;
    struct pollfd fd = { .fd = reload_store_file_fd(file), .events = POLLIN };
    assert_int_equal(reload_store_file_write(file, token, rows, count), 0);
    assert_int_equal(poll(&fd, 1, 20000), 1);
    assert_true(reload_store_file_next(file, &back, &ok));
    assert_int_equal(back, token);
    return ok;
}

struct taken {
    size_t count, refuse_from, issuers_len;
    char data[10][200];
    struct reload_store_row last;
};

static int take(void *context, const struct reload_store_row *r)
{
    struct taken *taken = context;
    if (taken->count >= taken->refuse_from)
        return RELOAD_E_SIGNATURE;
    snprintf(taken->data[taken->count % 10], 200, "%.*s", (int)r->stored_data.n,
             (const char *)r->stored_data.p);
    assert_true(reload_slice_equal(r->certificate, TEXT("DER\0of the signer")));
    taken->last = *r;
    taken->issuers_len = r->issuers.n;
    taken->count++;
    return 0;
}

static struct taken load(struct reload_store_file *file)
{
    struct taken taken = { .refuse_from = SIZE_MAX };
    assert_int_equal(reload_store_file_load(file, take, &taken), 0);
    return taken;
}

static void what_was_acknowledged_is_there_after_a_restart(void **state)
{
    (void)state;
    struct reload_store_file *file = open_file();
    struct reload_store_row rows[] = { row("r1", "", "one"), row("r1", "k", "two") };
    struct stat status;
    assert_int_equal(load(file).count, 0);
    assert_true(write_rows(file, 7, rows, 2));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    reload_store_file_close(file);

    file = open_file();
    struct taken taken = load(file);
    assert_int_equal(taken.count, 2);
    assert_string_equal(taken.data[0], "one");
    assert_int_equal(taken.last.kind, 0xf0000001);
    assert_true(taken.last.generation == UINT64_MAX - 1);
    assert_int_equal(taken.last.expires_ms, 1700000000000);
    reload_store_file_close(file);
}

static void a_file_of_version_1_is_read_and_written(void **state)
{
    (void)state;
    static const char old[] =
        "CREATE TABLE stored(id INTEGER PRIMARY KEY, resource BLOB NOT NULL, kind INTEGER NOT NULL,"
        " is_generation INTEGER NOT NULL, entry BLOB NOT NULL, generation INTEGER NOT NULL,"
        " expires_ms INTEGER NOT NULL, stored_data BLOB NOT NULL, certificate BLOB NOT NULL,"
        " UNIQUE(resource, kind, is_generation, entry)) STRICT;"
        "INSERT INTO stored VALUES(1, x'7231', 1, 0, x'', 1, 1, x'31',"
        " CAST('DER' || char(0) || 'of the signer' AS BLOB));"
        "PRAGMA user_version=1;";
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, old, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
    struct reload_store_file *file = open_file();
    struct taken taken = load(file);
    assert_int_equal(taken.count, 1);
    assert_string_equal(taken.data[0], "1");
    assert_int_equal(taken.issuers_len, 0);
    struct reload_store_row next = row("r2", "", "two");
    assert_true(write_rows(file, 1, &next, 1));
    reload_store_file_close(file);
    file = open_file();
    assert_int_equal(load(file).count, 2);
    assert_int_equal(load(file).issuers_len, next.issuers.n);
    reload_store_file_close(file);
}

static void a_newer_row_replaces_and_a_removed_one_is_gone(void **state)
{
    (void)state;
    struct reload_store_file *file = open_file();
    struct reload_store_row rows[] = { row("r1", "a", "old"), row("r1", "b", "stays") };
    assert_true(write_rows(file, 1, rows, 2));
    struct reload_store_row later[] = { row("r1", "a", "new"), row("r1", "b", "") };
    later[1].removed = true;
    assert_true(write_rows(file, 2, later, 2));
    reload_store_file_close(file);
    file = open_file();
    struct taken taken = load(file);
    assert_int_equal(taken.count, 1);
    assert_string_equal(taken.data[0], "new");
    reload_store_file_close(file);
}

static void many_tokens_share_a_commit_and_all_come_back(void **state)
{
    (void)state;
    struct reload_store_file *file = open_file();
    struct reload_store_file_stats stats;
    size_t back = 0;
    for (uint64_t token = 1; token <= 500; token++) {
        char name[20];
        snprintf(name, sizeof name, "r%llu", (unsigned long long)token);
        struct reload_store_row one = row(name, "", "data");
        assert_int_equal(reload_store_file_write(file, token, &one, 1), 0);
    }
    while (back < 500) {
        struct pollfd fd = { .fd = reload_store_file_fd(file), .events = POLLIN };
        uint64_t token;
        bool ok;
        assert_int_equal(poll(&fd, 1, 20000), 1);
        while (reload_store_file_next(file, &token, &ok)) {
            assert_true(ok);
            back++;
        }
    }
    reload_store_file_stats(file, &stats);
    assert_int_equal(stats.written, 500);
    assert_true(stats.commits < 500); /* group commit */
    reload_store_file_close(file);
}

static void rows_still_waiting_are_written_when_the_file_is_closed(void **state)
{
    (void)state;
    struct reload_store_file *file = open_file();
    struct reload_store_row one = row("r", "", "late");
    assert_int_equal(reload_store_file_write(file, 1, &one, 1), 0);
    reload_store_file_close(file);
    file = open_file();
    assert_int_equal(load(file).count, 1);
    reload_store_file_close(file);
}

static void rows_the_core_refuses_are_dropped_and_counted(void **state)
{
    (void)state;
    struct reload_store_file *file = open_file();
    struct reload_store_row rows[] = { row("a", "", "good"), row("b", "", "forged"),
                                       row("c", "", "forged too") };
    struct reload_store_file_stats stats;
    assert_true(write_rows(file, 1, rows, 3));
    reload_store_file_close(file);
    file = open_file();
    struct taken taken = { .refuse_from = 1 };
    assert_int_equal(reload_store_file_load(file, take, &taken), 0);
    reload_store_file_stats(file, &stats);
    assert_int_equal(stats.loaded, 1);
    assert_int_equal(stats.damaged, 2);
    reload_store_file_close(file);
    file = open_file();
    assert_int_equal(load(file).count, 1);
    reload_store_file_close(file);
}

static void when_the_disk_is_full_nothing_is_acknowledged_and_later_writes_work(void **state)
{
    (void)state;
    struct reload_store_file *file = open_file();
    struct reload_store_row small = row("small", "", "fits");
    struct rlimit limit, old;
    struct reload_store_file_stats stats;
    char *large = malloc(300001);
    memset(large, 'x', 300000);
    large[300000] = '\0';
    struct reload_store_row big = row("big", "", large);
    assert_true(write_rows(file, 1, &small, 1));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 100000; /* of any file this process writes */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_false(write_rows(file, 2, &big, 1));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(write_rows(file, 3, &big, 1));
    reload_store_file_stats(file, &stats);
    assert_int_equal(stats.failed_commits, 1);
    reload_store_file_close(file);
    file = open_file();
    assert_int_equal(load(file).count, 2);
    reload_store_file_close(file);
    free(large);
}

static void the_queue_has_a_limit(void **state)
{
    (void)state;
    struct reload_store_file *file = open_file();
    size_t count = RELOAD_STORE_FILE_QUEUE_MAX + 1;
    struct reload_store_row *rows = calloc(count, sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = row("r", "", "d");
    assert_int_equal(reload_store_file_write(file, 1, rows, count), RELOAD_E_LIMIT);
    assert_true(write_rows(file, 2, rows, 1));
    reload_store_file_close(file);
    free(rows);
}

static void spoil(const char *bytes, long at)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    fputs(bytes, f);
    fclose(f);
}

static void a_file_that_is_not_ours_or_newer_is_refused_with_a_reason(void **state)
{
    (void)state;
    struct reload_store_file *file = open_file();
    struct reload_cert_reason reason = { "" };
    reload_store_file_close(file);
    spoil("this is no database", 0);
    assert_int_equal(reload_store_file_open(path, &file, &reason), RELOAD_E_DECODE);
    assert_non_null(strstr(reason.text, path));
    unlink(path);
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
    assert_int_equal(reload_store_file_open(path, &file, &reason), RELOAD_E_UNSUPPORTED);
    assert_int_equal(reload_store_file_open("/nonexistent/store", &file, &reason), RELOAD_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_acknowledged_is_there_after_a_restart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_of_version_1_is_read_and_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_row_replaces_and_a_removed_one_is_gone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_tokens_share_a_commit_and_all_come_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rows_still_waiting_are_written_when_the_file_is_closed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_the_core_refuses_are_dropped_and_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            when_the_disk_is_full_nothing_is_acknowledged_and_later_writes_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_queue_has_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_ours_or_newer_is_refused_with_a_reason,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
