/* Answers that are wrong in one way each: RFC 6940 s11.3. */
#include "client_fixture.h"
#include "fake_server.h"

#include "certs/ca.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* R6940-11.3-8 R6940-11.3-19 */
static void answers_that_no_enrollment_server_gives_are_told_apart(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    static const struct {
        const char *answer;
        enum reload_enroll_result result;
        int exit_code;
        const char *words;
    } cases[] = {
        { FAKE_SAYS("403 Forbidden", "text/plain", "some_new_token"), RELOAD_ENROLL_REFUSED_UNKNOWN,
          4, "some_new_token" },
        { FAKE_SAYS("403 Forbidden", "text/plain", "\x1b[2Jevil"), RELOAD_ENROLL_REFUSED_UNKNOWN, 4,
          "?[2Jevil" },
        { FAKE_SAYS("403 Forbidden", "text/plain", ""), RELOAD_ENROLL_REFUSED_UNKNOWN, 4,
          "operator" },
        { FAKE_SAYS("403 Forbidden", "text/plain", "username_not_available"),
          RELOAD_ENROLL_REFUSED_USERNAME, 4, "own name" },
        { FAKE_SAYS("403 Forbidden", "text/plain", "bad_CSR\r\n"), RELOAD_ENROLL_REFUSED_CSR, 4,
          "key" },
        { FAKE_SAYS("500 Oops", "text/plain", "x"), RELOAD_ENROLL_HTTP, 1, "500" },
        { FAKE_SAYS("302 Found\r\nLocation: https://127.0.0.1:1/", "text/plain", ""),
          RELOAD_ENROLL_HTTP, 1, "302" },
        { FAKE_SAYS("200 OK", "text/html", "<html>"), RELOAD_ENROLL_HTTP, 1, "text/html" },
        { FAKE_SAYS("200 OK", "application/pkix-cert", "not DER"), RELOAD_ENROLL_CERTIFICATE, 4,
          "" },
        { FAKE_SAYS("200 OK", "application/pkix-cert", ""), RELOAD_ENROLL_CERTIFICATE, 4, "" },
        { "SSH-2.0-OpenSSH\r\n", RELOAD_ENROLL_HTTP, 1, "" },
    };
    struct fake k;
    struct reload_enroll_client_options o = client_options(c);
    o.source = c->document;
    fake_start(f, &k, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        k.answer = cases[i].answer;
        k.len = strlen(k.answer);
        client_expect(c, &o, cases[i].result, cases[i].exit_code, cases[i].words);
    }
    char *huge = malloc(20000);
    memset(huge, 'a', 20000);
    memcpy(huge, FAKE_SAYS("200 OK", "application/pkix-cert", ""), 56);
    k.answer = huge;
    k.len = 20000;
    client_expect(c, &o, RELOAD_ENROLL_ANSWER_TOO_LARGE, 1, "");
    free(huge);
    k.answer = NULL;
    o.timeout_ms = 300;
    client_expect(c, &o, RELOAD_ENROLL_TIMEOUT, 1, "127.0.0.1");
    fake_stop(f, &k);
    assert_non_null(strstr(k.asked, "Accept: application/pkix-cert\r\n"));
    assert_non_null(strstr(k.asked, "Content-Type: multipart/form-data"));
}

static void a_huge_document_is_not_swallowed(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    struct fake k;
    struct reload_enroll_client_options o = client_options(c);
    size_t len = RELOAD_ENROLL_DOCUMENT_MAX + 1000;
    char *huge = malloc(len);
    memset(huge, ' ', len);
    memcpy(huge, "HTTP/1.1 200 OK\r\n\r\n", 19);
    fake_start(f, &k, "");
    k.answer = huge;
    k.len = len;
    client_expect(c, &o, RELOAD_ENROLL_ANSWER_TOO_LARGE, 1, "1048576");
    fake_stop(f, &k);
    free(huge);
}

static char *certificate_answer(const char *date, const struct reload_cert_bytes *der, size_t *len)
{
    char *text;
    FILE *file = open_memstream(&text, len);
    fprintf(file, "HTTP/1.1 200 OK\r\n%sContent-Type: application/pkix-cert\r\n\r\n", date);
    fwrite(der->p, 1, der->n, file);
    fclose(file);
    return text;
}

static void issue_for(struct fixture *f, const char *user, uint64_t from_ms, uint64_t to_ms,
                      struct reload_cert_bytes *der)
{
    char pem[128], key[128];
    struct reload_cert_ca *ca;
    struct reload_cert_key *node;
    struct reload_cert_bytes public;
    struct reload_cert_reason reason = { "" };
    uint8_t serial[] = { 1, 2 };
    struct reload_node_id id = { 16, { 1 } };
    assert_int_equal(reload_cert_ca_load(fixture_path(f, "ca.pem", pem),
                                         fixture_path(f, "ca.key", key), &ca, &reason),
                     0);
    assert_int_equal(reload_cert_key_generate(RELOAD_CERT_KEY_EC, &node), 0);
    assert_int_equal(reload_cert_key_public(node, &public), 0);
    struct reload_cert_issue issue = { FIXTURE_OVERLAY,
                                       reload_cert_bytes_slice(&public),
                                       { (const uint8_t *)user, strlen(user) },
                                       &id,
                                       1,
                                       { serial, 2 },
                                       from_ms,
                                       to_ms };
    if (reload_cert_ca_issue(ca, &issue, der, &reason))
        fail_msg("%s", reason.text);
    reload_cert_bytes_fini(&public);
    reload_cert_key_free(node);
    reload_cert_ca_free(ca);
}

/* R6940-11.3-20 */
static void a_certificate_that_is_not_for_us_is_not_taken(void **state)
{
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    struct fake k;
    struct reload_cert_bytes der;
    size_t len;
    uint64_t now_ms = reload_enroll_unix_ms();
    struct reload_enroll_client_options o = client_options(c);
    o.source = c->document;
    fake_start(f, &k, "");
    issue_for(f, "alice@example.org", now_ms - 1000, now_ms + 86400000, &der);
    char *answer = certificate_answer("", &der, &len);
    k.answer = answer;
    k.len = len;
    client_expect(c, &o, RELOAD_ENROLL_CERTIFICATE, 4, "another key");
    reload_cert_bytes_fini(&der);
    free(answer);
    /* one that begins tomorrow, by a server that says it is tomorrow: its clock, or ours, is wrong
     */
    issue_for(f, "alice@example.org", now_ms + 80000000, now_ms + 190000000, &der);
    char date[64];
    time_t tomorrow = (time_t)(now_ms / 1000 + 86400);
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&tomorrow));
    answer = certificate_answer(date, &der, &len);
    k.answer = answer;
    k.len = len;
    client_expect(c, &o, RELOAD_ENROLL_CERTIFICATE_TIME, 5, "behind");
    reload_cert_bytes_fini(&der);
    free(answer);
    fake_stop(f, &k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_ALONE(answers_that_no_enrollment_server_gives_are_told_apart),
        CLIENT_ALONE(a_huge_document_is_not_swallowed),
        CLIENT_ALONE(a_certificate_that_is_not_for_us_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
