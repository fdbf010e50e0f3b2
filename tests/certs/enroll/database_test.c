#include "certs/enroll/database.h"

#include "certs/enroll/users.h"
#include "reload/alloc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW  UINT64_C(1800000000000)
#define DAY  (UINT64_C(24) * 3600 * 1000)
#define HASH "$y$not-a-real-hash"

struct fixture {
    char dir[64], path[96];
    struct reload_enroll_database *db;
};

static struct reload_slice of(const char *text)
{
    return (struct reload_slice){ (const uint8_t *)text, strlen(text) };
}

static void reopen(struct fixture *f)
{
    struct reload_cert_reason reason = { "" };
    reload_enroll_database_close(f->db);
    assert_int_equal(reload_enroll_database_open(f->path, true, &f->db, &reason), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/reload-enroll-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/enroll.db", f->dir);
    reopen(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[100];
    reload_enroll_database_close(f->db);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    int status = system(command);
    free(f);
    return status;
}

static struct reload_enroll_user add(struct fixture *f, const char *name, uint32_t cap)
{
    struct reload_enroll_user user;
    assert_int_equal(reload_enroll_database_add(f->db, name, HASH, cap, NOW), 0);
    assert_int_equal(reload_enroll_database_find(f->db, of(name), &user), 0);
    return user;
}

static int reserve(struct fixture *f, const struct reload_enroll_user *user, uint8_t key,
                   uint32_t node_ids, uint64_t now_ms, struct reload_enroll_reservation *out)
{
    struct reload_enroll_wish wish = { .user = user,
                                       .device = "",
                                       .key_hash = { key },
                                       .node_ids = node_ids,
                                       .node_id_len = 16,
                                       .now_ms = now_ms,
                                       .lifetime_ms = 30 * DAY };
    return reload_enroll_database_reserve(f->db, &wish, out);
}

static void issue(struct fixture *f, const struct reload_enroll_reservation *r)
{
    assert_int_equal(reload_enroll_database_issue(f->db, r, of("a certificate"), NOW), 0);
}

static int exec(struct fixture *f, const char *sql)
{
    sqlite3 *other;
    assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
    int code = sqlite3_exec(other, sql, NULL, NULL, NULL);
    sqlite3_close(other);
    return code;
}

/* R6940-13.3-1 */
static void one_name_is_one_account(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user user = add(f, "alice@a.b", 2), again;
    assert_int_equal(reload_enroll_database_add(f->db, "alice@a.b", HASH, 2, NOW), RELOAD_E_STATE);
    assert_int_equal(reload_enroll_database_add(f->db, "ALICE@a.b", HASH, 2, NOW),
                     RELOAD_E_FORBIDDEN);
    assert_int_equal(reload_enroll_database_find(f->db, of("ALICE@a.b"), &again),
                     RELOAD_E_NOT_FOUND);
    struct reload_slice with_nul = { (const uint8_t *)"alice@a.b\0", 10 };
    assert_int_equal(reload_enroll_database_find(f->db, with_nul, &again), RELOAD_E_NOT_FOUND);
    assert_string_equal(user.hash, HASH);
    assert_int_equal(user.max_node_ids, 2);
    assert_false(user.removed);
}

/* R6940-11.3-12 R6940-13.3-1 */
static void a_removed_account_keeps_its_node_ids_and_comes_back_as_itself(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user user = add(f, "alice@a.b", 2), back;
    struct reload_enroll_reservation first, second;
    assert_int_equal(reserve(f, &user, 1, 2, NOW, &first), 0);
    issue(f, &first);
    assert_int_equal(reload_enroll_database_remove(f->db, "alice@a.b", NOW), 0);
    assert_int_equal(reload_enroll_database_remove(f->db, "alice@a.b", NOW), RELOAD_E_NOT_FOUND);
    assert_int_equal(reload_enroll_database_passwd(f->db, "alice@a.b", HASH, NOW),
                     RELOAD_E_NOT_FOUND);
    assert_int_equal(reload_enroll_database_find(f->db, of("alice@a.b"), &back), 0);
    assert_true(back.removed);
    assert_string_equal(back.hash, "");
    assert_int_equal(back.node_id_count, 2);
    assert_int_equal(reserve(f, &user, 2, 0, NOW, &second), RELOAD_E_NOT_FOUND);
    assert_int_equal(reload_enroll_database_add(f->db, "alice@a.b", "new", 2, NOW), 0);
    assert_int_equal(reload_enroll_database_find(f->db, of("alice@a.b"), &back), 0);
    assert_int_equal(back.id, user.id);
    assert_int_equal(reserve(f, &back, 2, 0, NOW, &second), 0);
    assert_int_equal(second.node_id_count, 2);
    assert_memory_equal(second.node_ids, first.node_ids, 2 * sizeof first.node_ids[0]);
}

/* R6940-11.3-10 R6940-11.3-12 */
static void node_ids_are_random_and_stay_with_their_account(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user alice = add(f, "alice@a.b", 4), bob = add(f, "bob@a.b", 4);
    struct reload_enroll_reservation one, two, all, other;
    assert_int_equal(reserve(f, &alice, 1, 0, NOW, &one), 0);
    issue(f, &one);
    assert_int_equal(one.node_id_count, 1); /* s13.3: at least one */
    assert_int_equal(one.node_ids[0].len, 16);
    assert_int_equal(reserve(f, &alice, 2, 3, NOW, &two), 0);
    issue(f, &two);
    assert_int_equal(two.node_id_count, 3);
    assert_true(reload_node_id_equal(&one.node_ids[0], &two.node_ids[0]));
    reopen(f);
    assert_int_equal(reserve(f, &alice, 3, 0, NOW, &all), 0);
    issue(f, &all);
    assert_int_equal(all.node_id_count, 3);
    assert_memory_equal(all.node_ids, two.node_ids, 3 * sizeof all.node_ids[0]);
    assert_int_equal(reserve(f, &alice, 4, 1, NOW, &one), 0);
    assert_int_equal(one.node_id_count, 1);
    assert_true(reload_node_id_equal(&one.node_ids[0], &two.node_ids[0]));
    assert_int_equal(reserve(f, &bob, 1, 4, NOW, &other), 0);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 3; j++)
            assert_false(reload_node_id_equal(&other.node_ids[i], &all.node_ids[j]));
    /* random in each bit: over 64 ids no bit is always the same */
    uint8_t ones[16] = { 0 }, zeros[16] = { 0 };
    for (int i = 0; i < 64; i++) {
        char name[32];
        snprintf(name, sizeof name, "r%d@a.b", i);
        struct reload_enroll_user user = add(f, name, 1);
        assert_int_equal(reserve(f, &user, 1, 0, NOW, &one), 0);
        for (int b = 0; b < 16; b++) {
            ones[b] |= one.node_ids[0].bytes[b];
            zeros[b] |= (uint8_t)~one.node_ids[0].bytes[b];
        }
    }
    for (int b = 0; b < 16; b++)
        assert_int_equal(ones[b] & zeros[b], 0xff);
}

/* R6940-11.3-18 */
static void an_account_gets_no_more_node_ids_than_its_cap(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user user = add(f, "alice@a.b", 2);
    struct reload_enroll_reservation r;
    struct reload_enroll_census census;
    assert_int_equal(reserve(f, &user, 1, 3, NOW, &r), RELOAD_E_LIMIT);
    assert_int_equal(reserve(f, &user, 1, UINT32_MAX, NOW, &r), RELOAD_E_LIMIT);
    assert_int_equal(reload_enroll_database_census(f->db, &census), 0);
    assert_int_equal(census.node_ids, 0);
    assert_int_equal(census.pending, 0);
    for (uint8_t i = 0; i < 50; i++) { /* Sybil: asking often gives the same two */
        assert_int_equal(reserve(f, &user, i, 2, NOW, &r), 0);
        issue(f, &r);
    }
    assert_int_equal(reload_enroll_database_census(f->db, &census), 0);
    assert_int_equal(census.node_ids, 2);
    assert_int_equal(census.issued, 50);
}

static void an_account_has_so_many_unexpired_certificates(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user user = add(f, "alice@a.b", 2);
    struct reload_enroll_reservation r;
    for (unsigned i = 0; i < RELOAD_ENROLL_CERTIFICATES_MAX; i++) {
        assert_int_equal(reserve(f, &user, (uint8_t)i, 1, NOW, &r), 0);
        if (i + 1 < RELOAD_ENROLL_CERTIFICATES_MAX)
            issue(f, &r);
    }
    struct reload_enroll_reservation last = r, more;
    assert_int_equal(reserve(f, &user, 200, 1, NOW, &more), RELOAD_E_STATE);
    assert_int_equal(reserve(f, &user, RELOAD_ENROLL_CERTIFICATES_MAX - 1, 1, NOW, &r), 0);
    assert_true(r.resumed); /* what had been begun is finished */
    assert_memory_equal(r.serial, last.serial, sizeof r.serial);
    issue(f, &r);
    assert_int_equal(reserve(f, &user, 200, 1, NOW, &more), RELOAD_E_STATE);
    assert_int_equal(reserve(f, &user, 200, 1, NOW + 31 * DAY, &more), 0);
}

static void what_is_pending_is_resumed_with_its_serial_or_never(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user user = add(f, "alice@a.b", 2);
    struct reload_enroll_reservation first, again, other, late;
    assert_int_equal(reserve(f, &user, 1, 1, NOW, &first), 0);
    assert_false(first.resumed);
    reopen(f);
    assert_int_equal(reserve(f, &user, 1, 1, NOW + 5000, &again), 0);
    assert_true(again.resumed);
    assert_memory_equal(again.serial, first.serial, sizeof first.serial);
    assert_int_equal(again.not_before_ms, first.not_before_ms);
    assert_int_equal(again.not_after_ms, first.not_after_ms);
    assert_int_equal(again.node_id_count, 1);
    assert_true(reload_node_id_equal(&again.node_ids[0], &first.node_ids[0]));
    /* another key is another certificate: the old serial is burnt */
    assert_int_equal(reserve(f, &user, 2, 1, NOW + 6000, &other), 0);
    assert_memory_not_equal(other.serial, first.serial, sizeof first.serial);
    assert_int_equal(reload_enroll_database_issue(f->db, &first, of("x"), NOW), RELOAD_E_STATE);
    issue(f, &other);
    assert_int_equal(reload_enroll_database_issue(f->db, &other, of("y"), NOW), RELOAD_E_STATE);
    assert_int_equal(reserve(f, &user, 2, 1, NOW + 7000, &again), 0);
    assert_false(again.resumed); /* issued, hence never used again */
    /* other Node-IDs, or long ago: not the same contents either */
    assert_int_equal(reserve(f, &user, 2, 2, NOW + 8000, &late), 0);
    assert_false(late.resumed);
    assert_int_equal(reserve(f, &user, 2, 2, NOW + 2 * DAY, &again), 0);
    assert_false(again.resumed);
    assert_memory_not_equal(again.serial, late.serial, sizeof late.serial);
}

static void serials_are_positive_and_never_repeat(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_reservation r[60];
    for (unsigned i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof name, "u%u@a.b", i);
        struct reload_enroll_user user = add(f, name, 1);
        assert_int_equal(reserve(f, &user, 1, 1, NOW, &r[i]), 0);
        assert_int_equal(r[i].serial[0] & 0xc0, 0x40);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(r[i].serial, r[j].serial, RELOAD_ENROLL_SERIAL_LEN);
    }
}

static void the_file_itself_refuses_to_forget(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user user = add(f, "alice@a.b", 2);
    struct reload_enroll_reservation r;
    assert_int_equal(reserve(f, &user, 1, 1, NOW, &r), 0);
    issue(f, &r);
    static const char *const never[] = {
        "DELETE FROM users",
        "UPDATE users SET name = 'bob@a.b'",
        "DELETE FROM node_ids",
        "UPDATE node_ids SET user = 7",
        "DELETE FROM certificates",
        "UPDATE certificates SET der = x'00'",
        "UPDATE certificates SET state = 'pending', der = NULL",
        "DELETE FROM audit",
        "UPDATE audit SET event = 'nothing'",
        "INSERT INTO certificates SELECT id + 1, serial, user, key_hash, node_id_count, state,"
        " reserved_ms, not_before_ms, not_after_ms, issued_ms, der FROM certificates",
        "INSERT INTO node_ids SELECT node_id, user, 5, device FROM node_ids",
        "INSERT INTO users VALUES (9, 'ALICE@a.b', 'alice@a.b', '', 1, 1, NULL)",
    };
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        assert_int_equal(exec(f, never[i]), SQLITE_CONSTRAINT);
}

static void a_gap_in_the_audit_log_is_found(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "u%d@a.b", i);
        add(f, name, 1);
    }
    assert_int_equal(reload_enroll_database_audit_check(f->db), 0);
    assert_int_equal(exec(f, "DROP TRIGGER audit_stays; DROP TRIGGER audit_is_final"), SQLITE_OK);
    assert_int_equal(exec(f, "UPDATE audit SET user = 'x@a.b' WHERE id = 2"), SQLITE_OK);
    assert_int_equal(reload_enroll_database_audit_check(f->db), RELOAD_E_DECODE);
    assert_int_equal(exec(f, "UPDATE audit SET user = 'u1@a.b' WHERE id = 2"), SQLITE_OK);
    assert_int_equal(reload_enroll_database_audit_check(f->db), 0);
    assert_int_equal(exec(f, "DELETE FROM audit WHERE id = 3"), SQLITE_OK);
    assert_int_equal(reload_enroll_database_audit_check(f->db), RELOAD_E_DECODE);
}

static void addresses_are_remembered_up_to_a_cap(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user user = add(f, "alice@a.b", 2), bob = add(f, "bob@a.b", 2);
    struct reload_enroll_address a = { 4, { 10, 0, 0, 0 } };
    for (uint8_t i = 0; i < RELOAD_ENROLL_ADDRESSES_MAX + 4; i++) {
        a.bytes[3] = i;
        assert_false(reload_enroll_database_knows(f->db, user.id, &a));
        assert_int_equal(reload_enroll_database_remember(f->db, user.id, &a, NOW + i), 0);
        assert_true(reload_enroll_database_knows(f->db, user.id, &a));
        assert_false(reload_enroll_database_knows(f->db, bob.id, &a));
    }
    for (uint8_t i = 0; i < RELOAD_ENROLL_ADDRESSES_MAX + 4; i++) {
        a.bytes[3] = i;
        assert_int_equal(reload_enroll_database_knows(f->db, user.id, &a), i >= 4);
    }
}

static void a_file_that_is_not_ours_is_refused_with_a_reason(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_database *other;
    struct reload_cert_reason reason = { "" };
    char path[128];
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/none.db", f->dir);
    assert_int_equal(reload_enroll_database_open(path, false, &other, &reason), RELOAD_E_NOT_FOUND);
    assert_non_null(strstr(reason.text, "none.db"));
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database ", file);
    fclose(file);
    assert_int_equal(reload_enroll_database_open(path, true, &other, &reason), RELOAD_E_DECODE);
    assert_null(other);
    assert_int_equal(exec(f, "PRAGMA user_version = 99"), SQLITE_OK);
    assert_int_equal(reload_enroll_database_open(f->path, true, &other, &reason),
                     RELOAD_E_UNSUPPORTED);
    assert_non_null(strstr(reason.text, "newer"));
    assert_int_equal(reload_enroll_database_open("/nonexistent/x", true, &other, &reason),
                     RELOAD_E_NOT_FOUND);
}

static void a_file_of_the_first_version_is_brought_up_to_date(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_user user = add(f, "alice@a.b", 2);
    struct reload_enroll_reservation before, after;
    assert_int_equal(reserve(f, &user, 1, 0, NOW, &before), 0);
    issue(f, &before);
    assert_int_equal(exec(f, "ALTER TABLE node_ids DROP COLUMN device; PRAGMA user_version = 1"),
                     SQLITE_OK);
    struct reload_enroll_database *old = f->db;
    struct reload_cert_reason reason = { "" };
    assert_int_equal(reload_enroll_database_open(f->path, false, &f->db, &reason), 0);
    reload_enroll_database_close(old);
    assert_int_equal(reserve(f, &user, 2, 0, NOW, &after), 0);
    assert_true(reload_node_id_equal(&before.node_ids[0], &after.node_ids[0]));
}

static void a_torn_page_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct reload_cert_reason reason = { "" };
    for (int i = 0; i < 200; i++) {
        char name[40];
        snprintf(name, sizeof name, "somebody%d@example.org", i);
        add(f, name, 1);
    }
    reload_enroll_database_close(f->db); /* folds the WAL in */
    f->db = NULL;
    int fd = open(f->path, O_WRONLY);
    char junk[4096];
    memset(junk, 0x5a, sizeof junk);
    assert_int_equal(pwrite(fd, junk, sizeof junk, 3 * 4096), sizeof junk);
    close(fd);
    assert_int_equal(reload_enroll_database_open(f->path, true, &f->db, &reason), RELOAD_E_DECODE);
    assert_non_null(strstr(reason.text, "damaged"));
}

static int count(void *context, const struct reload_enroll_user *user)
{
    (void)user;
    return ++*(int *)context == 2 ? 7 : 0;
}

static void operators_get_a_sentence_for_each_refusal(void **state)
{
    struct fixture *f = *state;
    struct reload_cert_reason reason = { "" };
    struct reload_enroll_user user;
    assert_int_equal(reload_enroll_user_add(f->db, "a@b.c", "secret", 0, 1, NOW, &reason), 0);
    assert_int_equal(reload_enroll_database_find(f->db, of("a@b.c"), &user), 0);
    assert_int_equal(user.max_node_ids, RELOAD_ENROLL_NODE_IDS_DEFAULT);
    assert_int_equal(reload_enroll_password_verify(of("secret"), user.hash), 0);
    assert_int_equal(reload_enroll_user_add(f->db, "a@b.c", "secret", 0, 1, NOW, &reason),
                     RELOAD_E_STATE);
    assert_non_null(strstr(reason.text, "exists"));
    assert_int_equal(reload_enroll_user_add(f->db, "A@b.c", "secret", 0, 1, NOW, &reason),
                     RELOAD_E_FORBIDDEN);
    assert_non_null(strstr(reason.text, "case"));
    assert_int_equal(reload_enroll_user_add(f->db, "a@B.c", "secret", 0, 1, NOW, &reason),
                     RELOAD_E_INVALID);
    assert_non_null(strstr(reason.text, "lower case"));
    assert_int_equal(reload_enroll_user_add(f->db, "x@b.c", "", 0, 1, NOW, &reason),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_enroll_user_add(f->db, "x@b.c", "p", 17, 1, NOW, &reason),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_enroll_user_passwd(f->db, "a@b.c", "other", 1, NOW, &reason), 0);
    assert_int_equal(reload_enroll_database_find(f->db, of("a@b.c"), &user), 0);
    assert_int_equal(reload_enroll_password_verify(of("other"), user.hash), 0);
    assert_int_equal(reload_enroll_user_passwd(f->db, "n@b.c", "other", 1, NOW, &reason),
                     RELOAD_E_NOT_FOUND);
    assert_non_null(strstr(reason.text, "no account"));
    assert_int_equal(reload_enroll_user_remove(f->db, "n@b.c", NOW, &reason), RELOAD_E_NOT_FOUND);
    assert_int_equal(reload_enroll_user_remove(f->db, "a@b.c", NOW, &reason), 0);
    add(f, "b@b.c", 1);
    add(f, "c@b.c", 1);
    int n = 0;
    assert_int_equal(reload_enroll_database_each(f->db, count, &n), 7);
    assert_int_equal(n, 2);
}

static void without_memory_the_database_is_not_opened(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_database *other;
    struct reload_cert_reason reason = { "" };
    reload_alloc_fail_at(1);
    assert_int_equal(reload_enroll_database_open(f->path, false, &other, &reason), RELOAD_E_NOMEM);
    reload_alloc_fail_at(0);
    assert_null(other);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(one_name_is_one_account),
        WITH(a_removed_account_keeps_its_node_ids_and_comes_back_as_itself),
        WITH(node_ids_are_random_and_stay_with_their_account),
        WITH(an_account_gets_no_more_node_ids_than_its_cap),
        WITH(an_account_has_so_many_unexpired_certificates),
        WITH(what_is_pending_is_resumed_with_its_serial_or_never),
        WITH(serials_are_positive_and_never_repeat),
        WITH(the_file_itself_refuses_to_forget),
        WITH(a_gap_in_the_audit_log_is_found),
        WITH(addresses_are_remembered_up_to_a_cap),
        WITH(a_file_that_is_not_ours_is_refused_with_a_reason),
        WITH(a_file_of_the_first_version_is_brought_up_to_date),
        WITH(a_torn_page_is_noticed),
        WITH(operators_get_a_sentence_for_each_refusal),
        WITH(without_memory_the_database_is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
