#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "engine_ends.h"
#include "reload/alloc.h"

/* Two TLS engines that hand each other bytes, without a network. */

/* R6940-6.5.1.13-2 R6940-6.6.1-1 */
static void both_ends_prove_who_they_are_and_talk(void **state)
{
    (void)state;
    struct identity *pairs[][2] = { { &alice, &bob }, { &rsa_node, &bob }, { &alice, &rsa_node } };
    for (size_t i = 0; i < 3; i++) {
        pairs[i][0]->checks = pairs[i][1]->checks = 0;
        ends_open(pairs[i][0], pairs[i][1]);
        ends_handshake(100000);
        assert_int_equal(client.status, 0);
        assert_int_equal(server.status, 0);
        assert_int_equal(pairs[i][0]->checks, 1);
        assert_int_equal(pairs[i][1]->checks, 1);
        assert_string_equal(reload_engine_version(client.engine), "TLSv1.3");
        assert_talks(&client, &server, 100000);
        assert_talks(&server, &client, 100000);
        ends_close();
    }
    ends_open(&alice, &bob);
    ends_handshake(100000);
    assert_is(&client, 0xbb);
    assert_is(&server, 0xaa);
    struct reload_buffer der = { 0 };
    assert_int_equal(reload_engine_certificate(server.engine, &der), 0);
    assert_int_equal(reload_buffer_len(&der), alice.chain[0].n);
    assert_memory_equal(der.p, alice.chain[0].p, alice.chain[0].n);
    reload_buffer_free(&der);
    ends_close();
}

static void bytes_may_come_one_at_a_time(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 7; step += 3) {
        ends_open(&alice, &bob);
        ends_handshake(step);
        assert_int_equal(client.status, 0);
        assert_int_equal(server.status, 0);
        assert_talks(&client, &server, step);
        ends_close();
    }
}

/* R6940-6.5.1.11-1 R6940-6.5.1.13-3 */
static void another_node_than_expected_ends_the_handshake(void **state)
{
    (void)state;
    struct reload_node_id right = node_id_of(0xbb), wrong = node_id_of(0x11);
    for (int i = 0; i < 2; i++) {
        ends_open_one(&client, &alice, RELOAD_LINK_CLIENT, i ? &wrong : &right);
        ends_open_one(&server, &bob, RELOAD_LINK_SERVER, NULL);
        ends_handshake(100000);
        assert_int_equal(client.status, i ? RELOAD_E_CERTIFICATE : 0);
        assert_int_equal(reload_engine_unexpected(client.engine), i);
        if (i)
            assert_non_null(strstr(reload_engine_reason(client.engine), "expected node 1111"));
        ends_close();
    }
    struct reload_node_id alices = node_id_of(0xaa);
    for (int i = 0; i < 2; i++) { /* the same on the server's side */
        ends_open_one(&client, &alice, RELOAD_LINK_CLIENT, NULL);
        ends_open_one(&server, &bob, RELOAD_LINK_SERVER, i ? &wrong : &alices);
        ends_handshake(100000);
        assert_int_equal(server.status, i ? RELOAD_E_CERTIFICATE : 0);
        ends_close();
    }
}

static void assert_refused(struct identity *c, struct identity *s, struct end *refuser, int error,
                           const char *word)
{
    ends_open(c, s);
    ends_handshake(100000);
    assert_int_equal(refuser->status, error);
    assert_true(reload_engine_untrusted(refuser->engine));
    assert_false(reload_engine_unexpected(refuser->engine));
    if (!strstr(reload_engine_reason(refuser->engine), word))
        fail_msg("reason: %s", reload_engine_reason(refuser->engine));
    assert_int_equal(reload_engine_handshake(refuser->engine, ends_now()), error);
    assert_int_equal(reload_engine_write(refuser->engine, reload_slice_of("x", 1)), error);
    ends_close();
}

/* R6940-6.5.1.13-3 */
static void certificates_that_the_identity_refuses_end_the_handshake_with_its_reason(void **state)
{
    (void)state;
    assert_refused(&stranger, &bob, &server, RELOAD_E_CERTIFICATE, "not issued by");
    assert_refused(&alice, &stranger, &client, RELOAD_E_CERTIFICATE, "not issued by");
    assert_refused(&late, &bob, &server, RELOAD_E_EXPIRED, "expired");
    assert_refused(&alice, &late, &client, RELOAD_E_EXPIRED, "expired");
}

/* A TLS 1.3 client has finished before its certificate is judged. */
static void a_client_refused_late_was_never_confirmed(void **state)
{
    (void)state;
    ends_open(&stranger, &bob);
    ends_handshake(100000);
    assert_int_equal(client.status, 0); /* it thinks all is well */
    assert_false(reload_engine_confirmed(client.engine));
    assert_int_equal(server.status, RELOAD_E_CERTIFICATE);
    assert_true(ends_carry(&server, &client, 100000)); /* the alert */
    uint8_t out[10];
    size_t n;
    assert_int_equal(reload_engine_read(client.engine, out, sizeof out, &n, ends_now()),
                     RELOAD_E_FORBIDDEN);
    assert_non_null(strstr(reload_engine_reason(client.engine), "the far end refused"));
    assert_false(reload_engine_confirmed(client.engine));
    ends_close();
}

static void our_server_tells_a_tls13_client_at_once_that_it_is_accepted(void **state)
{
    (void)state;
    ends_open(&alice, &bob);
    ends_handshake(100000);
    assert_true(reload_engine_confirmed(server.engine));
    assert_false(reload_engine_confirmed(client.engine));
    assert_true(ends_carry(&server, &client, 100000)); /* nothing but the KeyUpdate */
    uint8_t out[10];
    size_t n;
    assert_int_equal(reload_engine_read(client.engine, out, sizeof out, &n, ends_now()),
                     RELOAD_ENGINE_WANT);
    assert_int_equal(n, 0);
    assert_true(reload_engine_confirmed(client.engine));
    assert_talks(&server, &client, 100000);
    assert_talks(&client, &server, 100000);
    ends_close();
}

static unsigned warnings;

static void count_warning(void *context, enum reload_log_level level, const char *area,
                          const char *text)
{
    (void)area;
    const char *path = context;
    warnings += level == RELOAD_LOG_WARNING && strstr(text, path);
}

static void the_key_log_is_written_with_a_warning_and_readable_by_nobody_else(void **state)
{
    (void)state;
    char path[] = "/tmp/reload_key_log_XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    close(fd);
    setenv("SSLKEYLOGFILE", path, 1);
    struct reload_log log = { count_warning, path, RELOAD_LOG_WARNING };
    warnings = 0;
    server = (struct end){ .status = RELOAD_ENGINE_WANT };
    assert_int_equal(reload_engine_context_new(&pki_ops, &bob, &log, &server.context), 0);
    unsetenv("SSLKEYLOGFILE");
    assert_int_equal(warnings, 1);
    assert_int_equal(reload_engine_new(server.context, RELOAD_LINK_SERVER, NULL, &server.engine),
                     0);
    ends_open_one(&client, &alice, RELOAD_LINK_CLIENT, NULL);
    ends_handshake(100000);
    assert_int_equal(server.status, 0);
    ends_close();
    struct stat stat_buf;
    assert_int_equal(stat(path, &stat_buf), 0);
    assert_int_equal(stat_buf.st_mode & 0777, 0600);
    char text[4096] = "";
    FILE *file = fopen(path, "r");
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    unlink(path);
    assert_true(n > 0);
    assert_non_null(strstr(text, "CLIENT_TRAFFIC_SECRET_0 "));
    assert_non_null(strstr(text, "SERVER_TRAFFIC_SECRET_0 "));
}

static void an_unusable_identity_is_refused_at_the_start(void **state)
{
    (void)state;
    struct reload_engine_context *context = NULL;
    struct identity broken = alice;
    broken.chain[0].n = 0;
    assert_int_equal(reload_engine_context_new(&pki_ops, &broken, NULL, &context),
                     RELOAD_E_INVALID);
    broken = alice;
    broken.private_key = bob.private_key;
    assert_int_equal(reload_engine_context_new(&pki_ops, &broken, NULL, &context),
                     RELOAD_E_INVALID);
    broken = alice;
    broken.private_key.n = 10;
    assert_int_equal(reload_engine_context_new(&pki_ops, &broken, NULL, &context),
                     RELOAD_E_INVALID);
    broken = alice;
    broken.chain[0].n -= 1;
    assert_int_equal(reload_engine_context_new(&pki_ops, &broken, NULL, &context),
                     RELOAD_E_INVALID);
    assert_null(context);
    assert_int_equal(ERR_peek_error(), 0);
}

static void without_memory_it_fails_and_leaks_nothing(void **state)
{
    (void)state;
    bool failed = true;
    for (unsigned long n = 1; failed && n < 1000; n++) {
        struct reload_engine_context *context = NULL;
        struct reload_engine *engine = NULL;
        reload_alloc_fail_at(n);
        int status = reload_engine_context_new(&pki_ops, &alice, NULL, &context);
        if (status == 0)
            status = reload_engine_new(context, RELOAD_LINK_CLIENT, NULL, &engine);
        if (status == 0)
            status = reload_engine_handshake(engine, ends_now());
        reload_alloc_fail_at(0);
        failed = status != RELOAD_ENGINE_WANT;
        if (failed)
            assert_int_equal(status, RELOAD_E_NOMEM);
        reload_engine_free(engine);
        reload_engine_context_free(context);
        assert_int_equal(ERR_peek_error(), 0);
    }
    assert_false(failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_prove_who_they_are_and_talk),
        cmocka_unit_test(bytes_may_come_one_at_a_time),
        cmocka_unit_test(another_node_than_expected_ends_the_handshake),
        cmocka_unit_test(certificates_that_the_identity_refuses_end_the_handshake_with_its_reason),
        cmocka_unit_test(a_client_refused_late_was_never_confirmed),
        cmocka_unit_test(our_server_tells_a_tls13_client_at_once_that_it_is_accepted),
        cmocka_unit_test(the_key_log_is_written_with_a_warning_and_readable_by_nobody_else),
        cmocka_unit_test(an_unusable_identity_is_refused_at_the_start),
        cmocka_unit_test(without_memory_it_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, ends_set_up, ends_tear_down);
}
