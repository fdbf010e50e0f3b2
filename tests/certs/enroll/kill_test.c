/* Nothing is lost and nothing repeats when the server is killed (RFC 6940 s11.3, s13.3). A child
 * process serves; it dies by SIGKILL at a chosen step towards durability or at a random moment;
 * this process keeps an outside ledger of what clients hold, and in the end compares. */
#include "fixture.h"

#include "certs/certificate.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define KILLS      200
#define USERS      40
#define STEPS      5 /* of one enrollment */
#define PER_RUN    8 /* enrollments at most between two kills */
#define LEDGER_MAX (KILLS * PER_RUN + USERS)

/* --- dying at the n-th durable step --- */

static unsigned steps_left; /* 0: never */

static void reload_enroll_fault_at(unsigned n)
{
    steps_left = n;
}

void reload_enroll_durable_step(const char *step)
{
    (void)step;
    if (steps_left && --steps_left == 0)
        raise(SIGKILL);
}

static void die_after_us(long us)
{
    timer_t timer;
    struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
    struct itimerspec when = { .it_value = { us / 1000000, us % 1000000 * 1000 } };
    if (timer_create(CLOCK_MONOTONIC, &how, &timer) || timer_settime(timer, 0, &when, NULL))
        _exit(3);
}

/* --- the ledger --- */

struct held {
    int user;
    uint8_t *der;
    size_t len;
};
static struct held ledger[LEDGER_MAX];
static size_t held_count;

static char names[USERS][40];
static uint8_t *csrs[USERS][2]; /* two keys each */
static size_t csr_lens[USERS][2];
static uint8_t key_hashes[USERS][2][32];
static struct reply reply;

/* Head and body leave the server one after the other, and it may die in between: a client holds
 * only what its Content-Length says is whole. */
static bool reply_is_whole(void)
{
    const char *length = strcasestr(reply.head, "\nContent-Length:");
    return length && strtoul(length + strlen("\nContent-Length:"), NULL, 10) == reply.body_len;
}

static bool ask(struct fixture *f, int user, int key)
{
    post(f,
         &(struct post){ .user = names[user],
                         .password = "right",
                         .csr = csrs[user][key],
                         .csr_len = csr_lens[user][key],
                         .node_ids = user % 2 ? "2" : NULL },
         &reply);
    if (reply.status != 200 || !reply_is_whole())
        return false;
    assert_true(held_count < LEDGER_MAX);
    uint8_t *copy = malloc(reply.body_len);
    memcpy(copy, reply.body, reply.body_len);
    ledger[held_count++] = (struct held){ user, copy, reply.body_len };
    return true;
}

/* --- one life of the server --- */

static pid_t serve(struct fixture *f, unsigned fault, long us)
{
    f->listen_fd = fixture_listen(&f->port);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (us)
            die_after_us(us);
        reload_enroll_fault_at(fault);
        fixture_start(f);
        for (;;)
            pause();
    }
    close(f->listen_fd);
    f->listen_fd = -1;
    return child;
}

static void one_life(struct fixture *f, unsigned fault, long us)
{
    int status;
    pid_t child = serve(f, fault, us);
    for (int i = 0; i < PER_RUN; i++)
        if (!ask(f, rand() % USERS, rand() % 8 == 0))
            break;
    if (waitpid(child, &status, WNOHANG) == 0) { /* it outlived the requests */
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* --- the comparison --- */

static sqlite3 *open_file(struct fixture *f)
{
    char path[128];
    sqlite3 *db;
    assert_int_equal(sqlite3_open(fixture_path(f, "enroll.db", path), &db), SQLITE_OK);
    return db;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

static void every_held_certificate_is_in_the_database(sqlite3 *db)
{
    sqlite3_stmt *s;
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT count(*) FROM certificates c JOIN users u ON u.id = "
                           "c.user WHERE der = ? AND state = 'issued' AND name = ?",
                           -1, &s, NULL),
        SQLITE_OK);
    for (size_t i = 0; i < held_count; i++) {
        sqlite3_bind_blob(s, 1, ledger[i].der, (int)ledger[i].len, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, names[ledger[i].user], -1, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(s, 0), 1);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
}

struct facts { /* of one held certificate */
    uint8_t serial[20];
    int serial_len;
    size_t count;
    struct reload_node_id ids[RELOAD_CERT_NODE_IDS_MAX];
};

static struct facts read_facts(const struct held *h)
{
    struct facts facts = { .count = 0 };
    struct reload_cert *certificate;
    struct reload_cert_reason reason = { "" };
    assert_int_equal(
        reload_cert_parse((struct reload_slice){ h->der, h->len }, false, &certificate, &reason),
        0);
    const struct reload_identity *identity = reload_cert_content(certificate);
    facts.count = identity->node_id_count;
    memcpy(facts.ids, identity->node_ids, facts.count * sizeof facts.ids[0]);
    reload_cert_free(certificate);
    const uint8_t *p = h->der;
    X509 *x = d2i_X509(NULL, &p, (long)h->len);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    facts.serial_len = ASN1_STRING_length(serial);
    memcpy(facts.serial, ASN1_STRING_get0_data(serial), (size_t)facts.serial_len);
    X509_free(x);
    return facts;
}

static bool share_a_node_id(const struct facts *a, const struct facts *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (reload_node_id_equal(&a->ids[i], &b->ids[j]))
                return true;
    return false;
}

static void no_serial_repeats_and_each_node_id_has_one_user(void)
{
    struct facts *facts = calloc(held_count, sizeof *facts);
    for (size_t i = 0; i < held_count; i++)
        facts[i] = read_facts(&ledger[i]);
    for (size_t i = 0; i < held_count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(facts[i].serial_len == facts[j].serial_len &&
                         memcmp(facts[i].serial, facts[j].serial, (size_t)facts[i].serial_len) ==
                             0);
            bool same_user = ledger[i].user == ledger[j].user;
            assert_int_equal(share_a_node_id(&facts[i], &facts[j]), same_user);
        }
    }
    free(facts);
}

/* What an interrupted run left pending is issued to the same user, with its serial. */
static unsigned resume_what_is_pending(struct fixture *f, sqlite3 *db)
{
    sqlite3_stmt *s;
    unsigned resumed = 0;
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT name, serial, key_hash FROM certificates c JOIN users"
                           " u ON u.id = c.user WHERE state = 'pending'",
                           -1, &s, NULL),
        SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        int user = 0;
        while (strcmp(names[user], (const char *)sqlite3_column_text(s, 0)) != 0)
            user++;
        int key = memcmp(sqlite3_column_blob(s, 2), key_hashes[user][0], 32) != 0;
        uint8_t serial[RELOAD_ENROLL_SERIAL_LEN];
        memcpy(serial, sqlite3_column_blob(s, 1), sizeof serial);
        assert_true(ask(f, user, key));
        struct facts facts = read_facts(&ledger[held_count - 1]);
        assert_int_equal(facts.serial_len, sizeof serial);
        assert_memory_equal(facts.serial, serial, sizeof serial);
        resumed++;
    }
    sqlite3_finalize(s);
    return resumed;
}

static void make_users(struct fixture *f)
{
    for (int i = 0; i < USERS; i++) {
        snprintf(names[i], sizeof names[i], "user%d@example.org", i);
        fixture_account(f, names[i], "right", 2);
        for (int k = 0; k < 2; k++) {
            struct reload_cert_key *key;
            struct reload_cert_bytes public;
            assert_int_equal(reload_cert_key_generate(RELOAD_CERT_KEY_EC, &key), 0);
            assert_int_equal(reload_cert_key_public(key, &public), 0);
            EVP_Digest(public.p, public.n, key_hashes[i][k], NULL, EVP_sha256(), NULL);
            csrs[i][k] = make_csr(key, names[i], &csr_lens[i][k]);
            reload_cert_bytes_fini(&public);
            reload_cert_key_free(key);
        }
    }
}

static void forget_all(void)
{
    for (int i = 0; i < USERS; i++)
        for (int k = 0; k < 2; k++)
            free(csrs[i][k]);
    for (size_t i = 0; i < held_count; i++)
        free(ledger[i].der);
    held_count = 0;
}

/* R6940-11.3-12 R6940-13.3-1 */
static void two_hundred_kills_lose_nothing_and_repeat_nothing(void **state)
{
    struct fixture f;
    unsigned seed = (unsigned)time(NULL);
    (void)state;
    print_message("seed %u\n", seed);
    srand(seed);
    fixture_make(&f, RELOAD_CERT_KEY_EC);
    close(f.listen_fd);
    make_users(&f);
    for (unsigned i = 0; i < KILLS; i++) {
        if (i % 2)
            one_life(&f, i / 2 % (2 * STEPS) + 1, 0); /* each exact point, many times */
        else
            one_life(&f, 0, 20000 + rand() % 150000);
    }
    size_t held_before = held_count;
    assert_true(held_before > KILLS / 4);
    sqlite3 *db = open_file(&f);
    int64_t pending = number(db, "SELECT count(*) FROM certificates WHERE state = 'pending'");
    assert_true(pending > 0); /* else the kills hit nothing */
    pid_t child = serve(&f, 0, 0);
    assert_int_equal(resume_what_is_pending(&f, db), pending);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    every_held_certificate_is_in_the_database(db);
    no_serial_repeats_and_each_node_id_has_one_user();
    assert_int_equal(number(db, "SELECT count(*) FROM certificates WHERE state = 'pending'"), 0);
    assert_int_equal(number(db, "SELECT count(*) = count(DISTINCT serial) FROM certificates"), 1);
    print_message("%zu certificates held, %lld issued, %lld pending were resumed, %lld void\n",
                  held_count,
                  (long long)number(db, "SELECT count(*) FROM certificates WHERE state = 'issued'"),
                  (long long)pending,
                  (long long)number(db, "SELECT count(*) FROM certificates WHERE state = 'void'"));
    sqlite3_close(db);
    char path[128];
    struct reload_enroll_database *ours;
    struct reload_cert_reason reason = { "" };
    assert_int_equal(
        reload_enroll_database_open(fixture_path(&f, "enroll.db", path), false, &ours, &reason), 0);
    assert_int_equal(reload_enroll_database_audit_check(ours), 0);
    reload_enroll_database_close(ours);
    forget_all();
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hundred_kills_lose_nothing_and_repeat_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
