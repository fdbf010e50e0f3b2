#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "people.h"
#include "reload/alloc.h"
#include "reload/link/engine.h"

static struct identity rsa_node;

struct end { /* one side of an association in memory */
    struct reload_engine_context *context;
    struct reload_engine *engine;
    struct reload_buffer taken; /* bytes lent to the engine */
    int status;
};

static struct end client, server;

static struct reload_time now(void)
{
    return (struct reload_time){ .monotonic_ms = 1, .unix_ms = (uint64_t)time(NULL) * 1000 };
}

static int set_up_identities(void **state)
{
    people_set_up(state);
    identity_init(&rsa_node, &ca, &ca, 0xee, PKI_RSA);
    return 0;
}

static int tear_down_identities(void **state)
{
    identity_fini(&rsa_node);
    return people_tear_down(state);
}

static void open_end(struct end *end, struct identity *identity, enum reload_link_role role,
                     const struct reload_node_id *expected)
{
    *end = (struct end){ .status = RELOAD_ENGINE_WANT };
    assert_int_equal(reload_engine_context_new(&pki_ops, identity, NULL, &end->context), 0);
    assert_int_equal(reload_engine_new(end->context, role, expected, &end->engine), 0);
}

static void close_end(struct end *end)
{
    reload_engine_free(end->engine);
    reload_engine_context_free(end->context);
    reload_buffer_free(&end->taken);
}

static void open_both(struct identity *c, struct identity *s)
{
    open_end(&client, c, RELOAD_LINK_CLIENT, NULL);
    open_end(&server, s, RELOAD_LINK_SERVER, NULL);
}

static void close_both(void)
{
    close_end(&client);
    close_end(&server);
}

/* Carries at most `step` bytes from one end to the other; true when something moved. */
static bool carry(struct end *from, struct end *to, size_t step)
{
    struct reload_buffer *output = reload_engine_output(from->engine);
    size_t n = reload_buffer_len(output);
    n = n < step ? n : step;
    if (n == 0)
        return false;
    reload_buffer_free(&to->taken);
    assert_int_equal(reload_buffer_append(&to->taken, output->p + output->start, n), 0);
    reload_buffer_consume(output, n);
    reload_engine_input(to->engine, reload_slice_of(to->taken.p, n));
    return true;
}

static void shake(struct end *end)
{
    if (end->status == RELOAD_ENGINE_WANT)
        end->status = reload_engine_handshake(end->engine, now());
    assert_int_equal(ERR_peek_error(), 0);
}

/* Bytes beyond the handshake stay with the receiver's engine until it reads. */
static void run_handshake(size_t step)
{
    shake(&client);
    bool moved = true;
    while (moved) {
        moved = false;
        while (server.status == RELOAD_ENGINE_WANT && carry(&client, &server, step)) {
            shake(&server);
            moved = true;
        }
        while (client.status == RELOAD_ENGINE_WANT && carry(&server, &client, step)) {
            shake(&client);
            moved = true;
        }
    }
}

static int read_all(struct end *end, uint8_t *out, size_t cap, size_t *len)
{
    size_t n;
    int status;
    *len = 0;
    while ((status = reload_engine_read(end->engine, out + *len, cap - *len, &n, now())) == 0)
        *len += n;
    return status;
}

static void assert_talks(struct end *from, struct end *to, size_t step)
{
    static uint8_t message[40000], got[40000 + 1];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 7);
    assert_int_equal(reload_engine_write(from->engine, reload_slice_of(message, sizeof message)),
                     0);
    size_t len = 0;
    while (carry(from, to, step)) {
        size_t n;
        assert_int_equal(read_all(to, got + len, sizeof got - len, &n), RELOAD_ENGINE_WANT);
        len += n;
    }
    assert_int_equal(len, sizeof message);
    assert_memory_equal(got, message, len);
}

static void assert_is(const struct end *end, uint8_t node)
{
    struct reload_node_id id = node_id_of(node);
    const struct reload_link_peer *peer = reload_engine_peer(end->engine);
    assert_int_equal(peer->node_id_count, 1);
    assert_true(reload_node_id_equal(&peer->node_ids[0], &id));
}

/* R6940-6.5.1.13-2 R6940-6.6.1-1 */
static void both_ends_prove_who_they_are_and_talk(void **state)
{
    (void)state;
    struct identity *pairs[][2] = { { &alice, &bob }, { &rsa_node, &bob }, { &alice, &rsa_node } };
    for (size_t i = 0; i < 3; i++) {
        pairs[i][0]->checks = pairs[i][1]->checks = 0;
        open_both(pairs[i][0], pairs[i][1]);
        run_handshake(100000);
        assert_int_equal(client.status, 0);
        assert_int_equal(server.status, 0);
        assert_int_equal(pairs[i][0]->checks, 1);
        assert_int_equal(pairs[i][1]->checks, 1);
        assert_string_equal(reload_engine_version(client.engine), "TLSv1.3");
        assert_talks(&client, &server, 100000);
        assert_talks(&server, &client, 100000);
        close_both();
    }
    open_both(&alice, &bob);
    run_handshake(100000);
    assert_is(&client, 0xbb);
    assert_is(&server, 0xaa);
    struct reload_buffer der = { 0 };
    assert_int_equal(reload_engine_certificate(server.engine, &der), 0);
    assert_int_equal(reload_buffer_len(&der), alice.chain[0].n);
    assert_memory_equal(der.p, alice.chain[0].p, alice.chain[0].n);
    reload_buffer_free(&der);
    close_both();
}

static void bytes_may_come_one_at_a_time(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 7; step += 3) {
        open_both(&alice, &bob);
        run_handshake(step);
        assert_int_equal(client.status, 0);
        assert_int_equal(server.status, 0);
        assert_talks(&client, &server, step);
        close_both();
    }
}

/* R6940-6.5.1.11-1 R6940-6.5.1.13-3 */
static void another_node_than_expected_ends_the_handshake(void **state)
{
    (void)state;
    struct reload_node_id right = node_id_of(0xbb), wrong = node_id_of(0x11);
    for (int i = 0; i < 2; i++) {
        open_end(&client, &alice, RELOAD_LINK_CLIENT, i ? &wrong : &right);
        open_end(&server, &bob, RELOAD_LINK_SERVER, NULL);
        run_handshake(100000);
        assert_int_equal(client.status, i ? RELOAD_E_CERTIFICATE : 0);
        assert_int_equal(reload_engine_unexpected(client.engine), i);
        if (i)
            assert_non_null(strstr(reload_engine_reason(client.engine), "expected node 1111"));
        close_both();
    }
    struct reload_node_id alices = node_id_of(0xaa);
    for (int i = 0; i < 2; i++) { /* the same on the server's side */
        open_end(&client, &alice, RELOAD_LINK_CLIENT, NULL);
        open_end(&server, &bob, RELOAD_LINK_SERVER, i ? &wrong : &alices);
        run_handshake(100000);
        assert_int_equal(server.status, i ? RELOAD_E_CERTIFICATE : 0);
        close_both();
    }
}

static void assert_refused(struct identity *c, struct identity *s, struct end *refuser, int error,
                           const char *word)
{
    open_both(c, s);
    run_handshake(100000);
    assert_int_equal(refuser->status, error);
    assert_true(reload_engine_untrusted(refuser->engine));
    assert_false(reload_engine_unexpected(refuser->engine));
    if (!strstr(reload_engine_reason(refuser->engine), word))
        fail_msg("reason: %s", reload_engine_reason(refuser->engine));
    assert_int_equal(reload_engine_handshake(refuser->engine, now()), error);
    assert_int_equal(reload_engine_write(refuser->engine, reload_slice_of("x", 1)), error);
    close_both();
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
    open_both(&stranger, &bob);
    run_handshake(100000);
    assert_int_equal(client.status, 0); /* it thinks all is well */
    assert_false(reload_engine_confirmed(client.engine));
    assert_int_equal(server.status, RELOAD_E_CERTIFICATE);
    assert_true(carry(&server, &client, 100000)); /* the alert */
    uint8_t out[10];
    size_t n;
    assert_int_equal(reload_engine_read(client.engine, out, sizeof out, &n, now()),
                     RELOAD_E_FORBIDDEN);
    assert_non_null(strstr(reload_engine_reason(client.engine), "the far end refused"));
    assert_false(reload_engine_confirmed(client.engine));
    close_both();
}

static void our_server_tells_a_tls13_client_at_once_that_it_is_accepted(void **state)
{
    (void)state;
    open_both(&alice, &bob);
    run_handshake(100000);
    assert_true(reload_engine_confirmed(server.engine));
    assert_false(reload_engine_confirmed(client.engine));
    assert_true(carry(&server, &client, 100000)); /* nothing but the KeyUpdate */
    uint8_t out[10];
    size_t n;
    assert_int_equal(reload_engine_read(client.engine, out, sizeof out, &n, now()),
                     RELOAD_ENGINE_WANT);
    assert_int_equal(n, 0);
    assert_true(reload_engine_confirmed(client.engine));
    assert_talks(&server, &client, 100000);
    assert_talks(&client, &server, 100000);
    close_both();
}

/* --- a bare OpenSSL end, for what our own engine does not do --- */

static SSL_CTX *bare_context(const struct identity *identity)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_method());
    if (identity) {
        SSL_CTX_use_certificate(tls, identity->x509);
        SSL_CTX_use_PrivateKey(tls, identity->key);
    }
    return tls;
}

/* Runs a bare end against ours until nothing moves; returns the status of ours. */
static int run_bare(SSL *bare, struct end *ours)
{
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_bio(bare, in, out);
    struct reload_buffer *output = reload_engine_output(ours->engine);
    shake(ours);
    for (bool moved = true; moved;) {
        moved = false;
        SSL_do_handshake(bare);
        ERR_clear_error();
        char bytes[16384];
        int n = BIO_read(out, bytes, sizeof bytes);
        if (n > 0 && ours->status == RELOAD_ENGINE_WANT) {
            reload_engine_input(ours->engine, reload_slice_of(bytes, (size_t)n));
            shake(ours);
            moved = true;
        }
        if (reload_buffer_len(output)) {
            BIO_write(in, output->p + output->start, (int)reload_buffer_len(output));
            reload_buffer_consume(output, reload_buffer_len(output));
            moved = true;
        }
    }
    return ours->status;
}

/* R6940-6.5.1.13-2 */
static void a_client_without_certificate_is_refused(void **state)
{
    (void)state;
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX *tls = bare_context(NULL);
        SSL_CTX_set_max_proto_version(tls, versions[i]);
        SSL *bare = SSL_new(tls);
        SSL_set_connect_state(bare);
        open_end(&server, &bob, RELOAD_LINK_SERVER, NULL);
        assert_int_equal(run_bare(bare, &server), RELOAD_E_CERTIFICATE);
        assert_true(reload_engine_untrusted(server.engine));
        assert_string_equal(reload_engine_reason(server.engine), "the far end has no certificate");
        close_end(&server);
        SSL_free(bare);
        SSL_CTX_free(tls);
    }
}

static void tls_1_2_works_and_confirms_at_once_and_1_1_does_not(void **state)
{
    (void)state;
    static const int versions[] = { TLS1_2_VERSION, TLS1_1_VERSION };
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX *tls = bare_context(&alice);
        SSL_CTX_set_security_level(tls, 0);
        SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(tls, versions[i]);
        SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
        SSL *bare = SSL_new(tls);
        SSL_set_accept_state(bare);
        SSL_set_verify(bare, SSL_VERIFY_NONE, NULL);
        open_end(&client, &bob, RELOAD_LINK_CLIENT, NULL);
        assert_int_equal(run_bare(bare, &client), i ? RELOAD_E_FORBIDDEN : 0);
        assert_int_equal(reload_engine_confirmed(client.engine), i == 0);
        close_end(&client);
        SSL_free(bare);
        SSL_CTX_free(tls);
    }
}

static void renegotiation_and_resumption_are_not_offered(void **state)
{
    (void)state;
    SSL_CTX *tls = bare_context(&alice);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT);
    SSL *bare = SSL_new(tls);
    SSL_set_connect_state(bare);
    open_end(&server, &bob, RELOAD_LINK_SERVER, NULL);
    assert_int_equal(run_bare(bare, &server), 0);
    char byte;
    SSL_read(bare, &byte, 1); /* takes in whatever followed the handshake */
    ERR_clear_error();
    assert_false(SSL_SESSION_is_resumable(SSL_get0_session(bare)));
    close_end(&server);
    SSL_free(bare);
    SSL_CTX_free(tls);
}

/* R6940-13.2-1 */
static void bytes_that_are_not_tls_end_it(void **state)
{
    (void)state;
    static const char *const garbage[] = { "GET / HTTP/1.1\r\n\r\n",
                                           "\x80\x00\x00\x00\x00\x00\x00\x00",
                                           "\x16\x03\x01\xff\xff\xff\xff\xff" };
    for (size_t i = 0; i < 3; i++) {
        open_end(&server, &bob, RELOAD_LINK_SERVER, NULL);
        reload_engine_input(server.engine, reload_slice_of(garbage[i], 8));
        shake(&server);
        assert_int_equal(server.status, RELOAD_E_DECODE);
        assert_true(reload_engine_reason(server.engine)[0] != '\0');
        close_end(&server);
    }
}

static void a_flipped_bit_anywhere_in_a_record_ends_it(void **state)
{
    (void)state;
    open_both(&alice, &bob);
    run_handshake(100000);
    assert_int_equal(reload_engine_write(client.engine, reload_slice_of("hello", 5)), 0);
    struct reload_buffer *output = reload_engine_output(client.engine);
    size_t n = reload_buffer_len(output);
    uint8_t record[128];
    assert_true(n <= sizeof record);
    memcpy(record, output->p + output->start, n);
    close_both();
    for (size_t i = 5; i < n; i++) { /* past the record header */
        open_both(&alice, &bob);
        run_handshake(100000);
        assert_int_equal(reload_engine_write(client.engine, reload_slice_of("hello", 5)), 0);
        output = reload_engine_output(client.engine);
        output->p[output->start + i] ^= 1;
        assert_true(carry(&client, &server, 1000));
        uint8_t out[10];
        size_t len;
        assert_int_equal(reload_engine_read(server.engine, out, sizeof out, &len, now()),
                         RELOAD_E_DECODE);
        assert_int_equal(len, 0);
        close_both();
    }
}

static void an_orderly_end_is_told_from_a_broken_one(void **state)
{
    (void)state;
    open_both(&alice, &bob);
    run_handshake(100000);
    reload_engine_close(client.engine);
    assert_true(carry(&client, &server, 1000));
    uint8_t out[10];
    size_t len;
    assert_int_equal(reload_engine_read(server.engine, out, sizeof out, &len, now()),
                     RELOAD_E_CLOSED);
    assert_int_equal(reload_engine_write(client.engine, reload_slice_of("x", 1)), RELOAD_E_CLOSED);
    close_both();
}

static void nothing_is_encrypted_before_the_handshake_is_done(void **state)
{
    (void)state;
    open_both(&alice, &bob);
    uint8_t out[10];
    size_t len;
    struct reload_buffer der = { 0 };
    assert_int_equal(reload_engine_write(client.engine, reload_slice_of("x", 1)), RELOAD_E_STATE);
    assert_int_equal(reload_engine_read(client.engine, out, sizeof out, &len, now()),
                     RELOAD_E_STATE);
    assert_int_equal(reload_engine_certificate(client.engine, &der), RELOAD_E_STATE);
    close_both();
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
    open_end(&client, &alice, RELOAD_LINK_CLIENT, NULL);
    run_handshake(100000);
    assert_int_equal(server.status, 0);
    close_both();
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
            status = reload_engine_handshake(engine, now());
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
        cmocka_unit_test(a_client_without_certificate_is_refused),
        cmocka_unit_test(tls_1_2_works_and_confirms_at_once_and_1_1_does_not),
        cmocka_unit_test(renegotiation_and_resumption_are_not_offered),
        cmocka_unit_test(bytes_that_are_not_tls_end_it),
        cmocka_unit_test(a_flipped_bit_anywhere_in_a_record_ends_it),
        cmocka_unit_test(an_orderly_end_is_told_from_a_broken_one),
        cmocka_unit_test(nothing_is_encrypted_before_the_handshake_is_done),
        cmocka_unit_test(the_key_log_is_written_with_a_warning_and_readable_by_nobody_else),
        cmocka_unit_test(an_unusable_identity_is_refused_at_the_start),
        cmocka_unit_test(without_memory_it_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, set_up_identities, tear_down_identities);
}
