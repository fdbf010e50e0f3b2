/* What HTTP and its forms demand: RFC 6940 s11.3. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct reply reply;

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

/* RFC 2045 s5.1: the names of parameters are in any case. */
static void the_boundarys_name_is_read_in_any_case(void **state)
{
    static const char *const names[] = { "boundary", "Boundary", "BOUNDARY" };
    static const char body[] =
        "--Bb\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nalice@example.org\r\n"
        "--Bb--\r\n";
    for (size_t i = 0; i < 3; i++) {
        char request[600];
        int n = snprintf(request, sizeof request,
                         "POST /enroll HTTP/1.1\r\nHost: x\r\n"
                         "Content-Type: Multipart/Form-Data; x=y; %s=\"Bb\"\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         names[i], sizeof body - 1, body);
        https(*state, 1, request, (size_t)n, &reply);
        assert_int_equal(reply.status, 403); /* read as far as to miss the password */
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(what_http_forbids_gets_its_status),
        SERVED(a_body_past_its_cap_is_413_also_in_chunks),
        SERVED(a_field_that_comes_twice_is_400),
        SERVED(the_boundarys_name_is_read_in_any_case),
        SERVED(a_csr_of_another_type_is_no_csr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
