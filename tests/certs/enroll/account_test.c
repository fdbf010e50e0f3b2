/* Accounts get certificates: RFC 6940 s11.3. */
#include "fixture.h"

#include "certs/certificate.h"
#include "certs/enroll/users.h"
#include "certs/lint.h"
#include "certs/trust.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct reply reply;

/* The names of a certificate as another reader, OpenSSL's own, sees them. */
static size_t names_of(X509 *x, size_t *uris, size_t *mails, size_t *others)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    size_t n = (size_t)sk_GENERAL_NAME_num(names);
    *uris = *mails = *others = 0;
    for (size_t i = 0; i < n; i++) {
        int type = sk_GENERAL_NAME_value(names, (int)i)->type;
        *(type == GEN_URI ? uris : type == GEN_EMAIL ? mails : others) += 1;
    }
    GENERAL_NAMES_free(names);
    return n;
}

/* R6940-11.3-4 R6940-11.3-7 R6940-11.3-8 R6940-11.3-9 R6940-11.3-11 R6940-11.3-13 R6940-11.3-15
 * R6940-11.3-16 R6940-11.3-17 R6940-11.3-20 R6940-13.3-2 */
static void an_account_gets_a_certificate_in_the_profile_of_the_rfc(void **state)
{
    struct fixture *f = *state;
    struct reload_trust *trust;
    struct reload_cert_reason reason = { "" };
    const struct reload_identity *identity;
    size_t uris, mails, others;
    enroll(f, "alice@example.org", "correct horse", "2", &reply);
    assert_int_equal(reply.status, 200);
    assert_true(reply_has(&reply, "Content-Type: application/pkix-cert\r\n"));
    struct reload_slice der = { reply.body, reply.body_len };
    assert_int_equal(reload_trust_new(f->config, false, &trust, &reason), 0);
    if (reload_trust_check(trust, &der, 1, reload_enroll_unix_ms(), &identity, &reason))
        fail_msg("%s", reason.text);
    struct reload_cert_lint lint = { FIXTURE_OVERLAY, identity->node_ids, 2, identity->user_name };
    assert_int_equal(reload_cert_lint(der, &lint, &reason), 0);
    assert_int_equal(identity->user_name.n, strlen("alice@example.org"));
    assert_memory_equal(identity->user_name.p, "alice@example.org", identity->user_name.n);
    assert_int_equal(identity->node_id_count, 2);
    uint64_t life_ms = identity->not_after_ms - reload_enroll_unix_ms();
    assert_true(life_ms / 1000 <= RELOAD_ENROLL_LIFETIME_DEFAULT_S);
    assert_true(life_ms / 1000 > RELOAD_ENROLL_LIFETIME_DEFAULT_S - 60);
    /* a clock that is half an hour behind takes it, too */
    assert_true(identity->not_before_ms + 1800000 <= reload_enroll_unix_ms());
    const uint8_t *p = reply.body;
    X509 *x = d2i_X509(NULL, &p, (long)reply.body_len);
    assert_ptr_equal(p, reply.body + reply.body_len);
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(x)), 0);
    assert_int_equal(names_of(x, &uris, &mails, &others), 3);
    assert_int_equal(uris, 2);
    assert_int_equal(mails, 1);
    assert_int_equal(X509_check_ca(x), 0);
    X509_free(x);
    reload_trust_free(trust);
}

static size_t node_ids_of(struct reload_node_id out[RELOAD_CERT_NODE_IDS_MAX])
{
    struct reload_cert *certificate;
    struct reload_cert_reason reason = { "" };
    assert_int_equal(reply.status, 200);
    assert_int_equal(reload_cert_parse((struct reload_slice){ reply.body, reply.body_len }, false,
                                       &certificate, &reason),
                     0);
    const struct reload_identity *identity = reload_cert_content(certificate);
    size_t n = identity->node_id_count;
    memcpy(out, identity->node_ids, n * sizeof *out);
    reload_cert_free(certificate);
    return n;
}

/* R6940-11.3-6 R6940-11.3-12 */
static void a_returning_account_gets_the_same_node_ids(void **state)
{
    struct fixture *f = *state;
    struct reload_node_id first[RELOAD_CERT_NODE_IDS_MAX], again[RELOAD_CERT_NODE_IDS_MAX];
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(node_ids_of(first), 1);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(node_ids_of(again), 1);
    assert_memory_equal(first, again, sizeof first[0]);
    enroll(f, "alice@example.org", "correct horse", "2", &reply);
    assert_int_equal(node_ids_of(again), 2);
    assert_memory_equal(first, again, sizeof first[0]);
    fixture_stop(f); /* also after a restart, of course */
    fixture_start(f);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(node_ids_of(first), 2);
    assert_memory_equal(first, again, 2 * sizeof first[0]);
    enroll(f, "bob@example.org", "battery staple", "2", &reply);
    assert_int_equal(node_ids_of(again), 2);
    for (size_t i = 0; i < 4; i++)
        assert_false(reload_node_id_equal(&first[i / 2], &again[i % 2]));
}

/* R6940-11.3-12, for each device of an account by itself; the account's cap is for all of them. */
static void each_device_of_an_account_has_node_ids_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct reload_node_id desk[RELOAD_CERT_NODE_IDS_MAX], phone[RELOAD_CERT_NODE_IDS_MAX],
        again[RELOAD_CERT_NODE_IDS_MAX];
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(node_ids_of(desk), 1);
    enroll_device(f, "alice@example.org", "correct horse", NULL, "phone", &reply);
    assert_int_equal(node_ids_of(phone), 1);
    assert_false(reload_node_id_equal(&desk[0], &phone[0]));
    enroll_device(f, "alice@example.org", "correct horse", NULL, "phone", &reply);
    assert_int_equal(node_ids_of(again), 1);
    assert_true(reload_node_id_equal(&again[0], &phone[0]));
    enroll_device(f, "alice@example.org", "correct horse", NULL, "", &reply);
    assert_int_equal(node_ids_of(again), 1);
    assert_true(reload_node_id_equal(&again[0], &desk[0]));
    enroll_device(f, "alice@example.org", "correct horse", NULL, "tablet", &reply); /* cap: 2 */
    assert_true(reply_is(&reply, 403, "Node-IDs_not_available"));
    static const char *const bad[] = { "a phone", "phone\xc3\xa9", "'; DROP TABLE users",
                                       "123456789012345678901234567890123" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enroll_device(f, "alice@example.org", "correct horse", NULL, bad[i], &reply);
        assert_true(reply_is(&reply, 403, "Node-IDs_not_available"));
    }
}

/* R6940-11.3-18 */
static void each_refusal_is_403_with_its_token_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *user, *password, *node_ids, *token;
    } cases[] = {
        { "alice@example.org", "wrong", NULL, "failed_authentication" },
        { "alice@example.org", "correct horse ", NULL, "failed_authentication" },
        { "alice@example.org", "", NULL, "failed_authentication" },
        { "alice@example.org", "correct horse", "3", "Node-IDs_not_available" },
        { "alice@example.org", "correct horse", "0", "Node-IDs_not_available" },
        { "alice@example.org", "correct horse", "-1", "Node-IDs_not_available" },
        { "alice@example.org", "correct horse", "two", "Node-IDs_not_available" },
        { "alice@example.org", "correct horse", "", "Node-IDs_not_available" },
        { "alice@example.org", "correct horse", "99999999999999999999", "Node-IDs_not_available" },
        { "bob@example.org", "correct horse", NULL, "failed_authentication" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enroll(f, cases[i].user, cases[i].password, cases[i].node_ids, &reply);
        assert_true(reply_is(&reply, 403, cases[i].token));
        assert_true(reply_has(&reply, "Content-Type: text/plain\r\n"));
    }
    struct reload_cert_key *key;
    size_t len;
    assert_int_equal(reload_cert_key_generate(RELOAD_CERT_KEY_EC, &key), 0);
    uint8_t *csr = make_csr(key, "bob@example.org", &len);
    struct post p = {
        .user = "alice@example.org", .password = "correct horse", .csr = csr, .csr_len = len
    };
    post(f, &p, &reply);
    assert_true(reply_is(&reply, 403, "username_not_available"));
    p.csr = NULL;
    post(f, &p, &reply);
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    p.csr = csr;
    p.user = NULL;
    post(f, &p, &reply);
    assert_true(reply_is(&reply, 403, "failed_authentication"));
    free(csr);
    /* a CSR without a name: the account's own is issued */
    csr = make_csr(key, "", &len);
    p = (struct post){
        .user = "alice@example.org", .password = "correct horse", .csr = csr, .csr_len = len
    };
    post(f, &p, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(memmem(reply.body, reply.body_len, "alice@example.org", 17));
    free(csr);
    reload_cert_key_free(key);
}

/* R6940-11.3-5 */
static void look_alikes_of_an_account_are_not_that_account(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = { "Alice@example.org", "alice@EXAMPLE.ORG",
                                         "alice@example.org.", "alice@example.org ",
                                         "\xd0\xb0lice@example.org" };
    f->options.guesses.prefix_failures = 1000;
    fixture_stop(f);
    fixture_start(f);
    struct reload_cert_key *key;
    size_t len;
    assert_int_equal(reload_cert_key_generate(RELOAD_CERT_KEY_EC, &key), 0);
    uint8_t *csr = make_csr(key, "", &len);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        post(f,
             &(struct post){
                 .user = names[i], .password = "correct horse", .csr = csr, .csr_len = len },
             &reply);
        assert_true(reply_is(&reply, 403, "failed_authentication"));
    }
    free(csr);
    reload_cert_key_free(key);
}

static void a_removed_account_and_a_changed_password_count_at_once(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct reload_enroll_database *db;
    struct reload_cert_reason reason = { "" };
    fixture_path(f, "enroll.db", path);
    assert_int_equal(reload_enroll_database_open(path, false, &db, &reason), 0);
    assert_int_equal(reload_enroll_user_remove(db, "bob@example.org", 1, &reason), 0);
    assert_int_equal(reload_enroll_user_passwd(db, "alice@example.org", "new", 1, 1, &reason), 0);
    reload_enroll_database_close(db);
    enroll(f, "bob@example.org", "battery staple", NULL, &reply);
    assert_true(reply_is(&reply, 403, "failed_authentication"));
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_true(reply_is(&reply, 403, "failed_authentication"));
    enroll(f, "alice@example.org", "new", NULL, &reply);
    assert_int_equal(reply.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(an_account_gets_a_certificate_in_the_profile_of_the_rfc),
        SERVED(a_returning_account_gets_the_same_node_ids),
        SERVED(each_device_of_an_account_has_node_ids_of_its_own),
        SERVED(each_refusal_is_403_with_its_token_and_nothing_else),
        SERVED(look_alikes_of_an_account_are_not_that_account),
        SERVED(a_removed_account_and_a_changed_password_count_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
