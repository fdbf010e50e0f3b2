/* The server and its document: RFC 6940 s11.2, and folders that are not right. */
#include "fixture.h"

#include "certs/certificate.h"
#include "certs/enroll/users.h"
#include "certs/file.h"
#include "certs/lint.h"
#include "certs/overlay_dir.h"
#include "reload/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct reply reply;

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
    const struct CMUnitTest tests[] = {
        SERVED(the_document_is_served_byte_for_byte),
        SERVED(a_new_document_is_published_whole_and_a_broken_one_never),
        SERVED(without_memory_no_server_starts),
        SERVED(a_folder_that_is_not_right_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
