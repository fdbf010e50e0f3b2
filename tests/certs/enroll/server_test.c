/* What the server answers: the document, certificates, and the refusals of RFC 6940 s11.3 and HTTP.
 */
#include "fixture.h"

#include "certs/certificate.h"
#include "certs/enroll/users.h"
#include "certs/file.h"
#include "certs/lint.h"
#include "certs/overlay_dir.h"
#include "certs/trust.h"
#include "reload/alloc.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct reply reply;

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_make(f, RELOAD_CERT_KEY_EC);
    fixture_start(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    free(*state);
    return 0;
}

static void get(struct fixture *f, const char *line)
{
    char request[300];
    snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: x\r\n\r\n", line);
    https(f, 1, request, strlen(request), &reply);
}

/* R6940-11.2-4 R6940-14.1-1 */
static void the_document_is_served_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    get(f, "GET /.well-known/reload-config");
    assert_int_equal(reply.status, 200);
    assert_true(reply_has(&reply, "Content-Type: application/p2p-overlay+xml\r\n"));
    assert_int_equal(reply.body_len, f->config->document.n);
    assert_memory_equal(reply.body, f->config->document.p, reply.body_len);
    get(f, "HEAD /.well-known/reload-config");
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, 0);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_DOCUMENT), 2);
}

/* R6940-11.2-6 */
static void a_new_document_is_published_whole_and_a_broken_one_never(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct reload_cert_reason reason = { "" };
    struct reload_cert_bytes next;
    uint16_t sequence;
    assert_int_equal(
        reload_cert_overlay_sign(f->dir, NULL, reload_enroll_unix_ms(), &sequence, &reason), 0);
    fixture_path(f, "overlay.xml", path);
    assert_int_equal(reload_cert_file_read(path, &next, &reason), 0);
    get(f, "GET /.well-known/reload-config");
    assert_int_equal(reply.body_len, next.n);
    assert_memory_equal(reply.body, next.p, next.n);
    assert_true(next.n != f->config->document.n ||
                memcmp(next.p, f->config->document.p, next.n) != 0);
    /* an editor saves in place: half a document, then one whose signature is gone */
    static const size_t cuts[] = { 0, 100, 2000 };
    for (size_t i = 0; i < 3; i++) {
        FILE *file = fopen(path, "w");
        fwrite(next.p, 1, i < 2 ? cuts[i] : next.n - 20, file);
        fclose(file);
        get(f, "GET /.well-known/reload-config");
        assert_int_equal(reply.body_len, next.n);
        assert_memory_equal(reply.body, next.p, next.n);
    }
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_BAD_DOCUMENT), 3);
    assert_int_equal(unlink(path), 0);
    get(f, "GET /.well-known/reload-config");
    assert_int_equal(reply.body_len, next.n);
    reload_cert_bytes_fini(&next);
}

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

#define FORM "Content-Type: multipart/form-data; boundary=B\r\n"

static void what_http_forbids_gets_its_status(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *request;
        int status;
        const char *header;
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404, "" },
        { "GET /.well-known/reload-config/../x HTTP/1.1\r\nHost: x\r\n\r\n", 404, "" },
        { "GET /enroll HTTP/1.1\r\nHost: x\r\n\r\n", 405, "Allow: POST\r\n" },
        { "DELETE /.well-known/reload-config HTTP/1.1\r\nHost: x\r\n\r\n", 405, "Allow: GET" },
        { "PUT /enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", 405, "" },
        { "POST /other HTTP/1.1\r\nHost: x\r\n" FORM "Content-Length: 2\r\n\r\nab", 404, "" },
        { "POST /enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na=b&c", 415, "" },
        { "POST /enroll HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
          "Content-Length: 5\r\n\r\na=b&c",
          415, "" },
        { "POST /enroll HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data\r\n"
          "Content-Length: 2\r\n\r\nab",
          400, "" },
        { "POST /enroll HTTP/1.1\r\nHost: x\r\n" FORM
          "Accept: text/html\r\nContent-Length: 2\r\n\r\nab",
          406, "" },
        { "POST /enroll HTTP/1.1\r\nHost: x\r\n" FORM "Content-Length: 40000000\r\n\r\n", 413, "" },
        { "POST /enroll HTTP/1.1\r\nHost: x\r\n" FORM "Content-Length: 99999\r\n"
          "Expect: 100-continue\r\n\r\n",
          413, "" },
        { "POST /enroll HTTP/1.1\r\nHost: x\r\n" FORM "Content-Length: 59\r\n\r\n"
          "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nali",
          400, "" },
        { "GET / HTTP/1.1\r\n\r\n", 400, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        https(f, 1, cases[i].request, strlen(cases[i].request), &reply);
        if (reply.status != cases[i].status)
            fail_msg("case %zu: %d", i, reply.status);
        assert_true(reply_has(&reply, cases[i].header));
    }
    static const enum reload_enroll_event seen[] = {
        RELOAD_ENROLL_NOT_FOUND,   RELOAD_ENROLL_BAD_METHOD,     RELOAD_ENROLL_BAD_MEDIA_TYPE,
        RELOAD_ENROLL_BAD_REQUEST, RELOAD_ENROLL_NOT_ACCEPTABLE, RELOAD_ENROLL_TOO_LARGE
    };
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        assert_true(fixture_count(f, seen[i]) > 0);
}

static void a_body_past_its_cap_is_413_also_in_chunks(void **state)
{
    struct fixture *f = *state;
    size_t n = RELOAD_ENROLL_BODY_MAX + 1;
    size_t cap = n + 500;
    char *request = malloc(cap);
    int head = snprintf(
        request, cap, "POST /enroll HTTP/1.1\r\nHost: x\r\n" FORM "Content-Length: %zu\r\n\r\n", n);
    memset(request + head, 'a', n);
    https(f, 1, request, (size_t)head + n, &reply);
    assert_true(reply_is(&reply, 413, "too_large"));
    head = snprintf(
        request, cap,
        "POST /enroll HTTP/1.1\r\nHost: x\r\n" FORM "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", n);
    memset(request + head, 'a', n);
    memcpy(request + head + n, "\r\n0\r\n\r\n", 7);
    https(f, 1, request, (size_t)head + n + 7, &reply);
    assert_true(reply_is(&reply, 413, "too_large"));
    free(request);
    uint8_t *huge = calloc(1, 1 << 20); /* a CSR of 1 MiB */
    post(f,
         &(struct post){ .user = "alice@example.org",
                         .password = "correct horse",
                         .csr = huge,
                         .csr_len = 1 << 20 },
         &reply);
    assert_true(reply.status == 413 || reply.status == 0);
    post(f,
         &(struct post){ .user = "alice@example.org",
                         .password = "correct horse",
                         .csr = huge,
                         .csr_len = 20000 },
         &reply);
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    free(huge);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply); /* and it is alive */
    assert_int_equal(reply.status, 200);
}

static void a_field_that_comes_twice_is_400(void **state)
{
    static const char body[] =
        "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nalice@example.org\r\n"
        "--B\r\nContent-Disposition: form-data; "
        "name=\"username\"\r\n\r\nbob@example.org\r\n--B--\r\n";
    char request[600];
    int n = snprintf(request, sizeof request,
                     "POST /enroll HTTP/1.1\r\nHost: x\r\n" FORM "Content-Length: %zu\r\n\r\n%s",
                     sizeof body - 1, body);
    https(*state, 1, request, (size_t)n, &reply);
    assert_true(reply_is(&reply, 400, "bad_request"));
}

/* R6940-11.3-7 */
static void a_csr_of_another_type_is_no_csr(void **state)
{
    struct fixture *f = *state;
    struct reload_cert_key *key;
    size_t len;
    assert_int_equal(reload_cert_key_generate(RELOAD_CERT_KEY_EC, &key), 0);
    uint8_t *csr = make_csr(key, "", &len);
    struct post p = { .user = "alice@example.org",
                      .password = "correct horse",
                      .csr = csr,
                      .csr_len = len,
                      .csr_type = "text/plain" };
    post(f, &p, &reply);
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    p.csr_type = "application/pkcs10; x=y";
    p.path = "/.well-known/reload-config"; /* the other door */
    post(f, &p, &reply);
    assert_int_equal(reply.status, 200);
    for (size_t cut = 0; cut < len; cut += 7) {
        p.csr_len = cut;
        post(f, &p, &reply);
        assert_true(reply_is(&reply, 403, "bad_CSR"));
    }
    free(csr);
    reload_cert_key_free(key);
}

static int start_error(struct fixture *f, struct reload_cert_reason *reason)
{
    struct reload_enroll_server *other = NULL;
    struct reload_enroll_server_options options = f->options;
    options.listen_fd = -1;
    options.listen = "127.0.0.1:0";
    int error = reload_enroll_server_start(&options, &other, reason);
    reload_enroll_server_stop(other);
    return error;
}

static void a_folder_that_is_not_right_is_refused_whole(void **state)
{
    struct fixture *f = *state;
    struct reload_cert_reason reason = { "" };
    char path[128], moved[128];
    assert_int_equal(start_error(f, &reason), RELOAD_E_STATE);
    assert_non_null(strstr(reason.text, "another enrollment server"));
    fixture_stop(f);
    assert_int_equal(start_error(f, &reason), 0);
    static const char *const files[] = { "overlay.xml", "ca.pem", "ca.key", "https.pem",
                                         "https.key" };
    for (size_t i = 0; i < 5; i++) {
        fixture_path(f, files[i], path);
        fixture_path(f, "moved", moved);
        assert_int_equal(rename(path, moved), 0);
        reason.text[0] = '\0';
        assert_int_not_equal(start_error(f, &reason), 0);
        assert_non_null(strstr(reason.text, files[i]));
        assert_int_equal(rename(moved, path), 0);
    }
    fixture_path(f, "https.key", path);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(start_error(f, &reason), RELOAD_E_FORBIDDEN);
    assert_int_equal(chmod(path, 0600), 0);
    fixture_path(f, "ca.key", moved); /* the CA's key is not the HTTPS server's */
    char command[600];
    snprintf(command, sizeof command, "cp -p %s %s.kept && cp -p %s %s", path, path, moved, path);
    assert_int_equal(system(command), 0);
    reason.text[0] = '\0';
    assert_int_equal(start_error(f, &reason), RELOAD_E_IO);
    assert_non_null(strstr(reason.text, "https.key"));
    snprintf(command, sizeof command, "mv %s.kept %s", path, path);
    assert_int_equal(system(command), 0);
    static const char *const places[] = {
        "", "127.0.0.1", ":80", "127.0.0.1:x", "127.0.0.1:123456", "::1:80", "[::1:80"
    };
    struct reload_enroll_server *s;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        f->options.listen_fd = -1;
        f->options.listen = places[i];
        assert_int_equal(reload_enroll_server_start(&f->options, &s, &reason), RELOAD_E_INVALID);
    }
    assert_int_equal(start_error(f, &reason), 0);
}

static void without_memory_no_server_starts(void **state)
{
    struct fixture *f = *state;
    struct reload_cert_reason reason = { "" };
    fixture_stop(f);
    unsigned long n = 0;
    int error;
    do {
        reload_alloc_fail_at(++n);
        struct reload_enroll_server_options options = f->options;
        struct reload_enroll_server *server = NULL;
        options.listen_fd = -1;
        options.listen = "127.0.0.1:0";
        error = reload_enroll_server_start(&options, &server, &reason);
        reload_alloc_fail_at(0);
        assert_int_equal(error == 0, server != NULL);
        reload_enroll_server_stop(server);
    } while (error && n < 5000);
    assert_int_equal(error, 0);
    assert_true(n > 10);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(the_document_is_served_byte_for_byte),
        WITH(a_new_document_is_published_whole_and_a_broken_one_never),
        WITH(an_account_gets_a_certificate_in_the_profile_of_the_rfc),
        WITH(a_returning_account_gets_the_same_node_ids),
        WITH(each_device_of_an_account_has_node_ids_of_its_own),
        WITH(each_refusal_is_403_with_its_token_and_nothing_else),
        WITH(look_alikes_of_an_account_are_not_that_account),
        WITH(a_removed_account_and_a_changed_password_count_at_once),
        WITH(what_http_forbids_gets_its_status),
        WITH(a_body_past_its_cap_is_413_also_in_chunks),
        WITH(a_field_that_comes_twice_is_400),
        WITH(a_csr_of_another_type_is_no_csr),
        WITH(without_memory_no_server_starts),
        WITH(a_folder_that_is_not_right_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
