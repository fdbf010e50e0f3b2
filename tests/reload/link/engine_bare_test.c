#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "engine_ends.h"

/* TLS engines and what is not one of ours: OpenSSL by itself, and bytes that are not TLS. */

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
    ends_shake(ours);
    for (bool moved = true; moved;) {
        moved = false;
        SSL_do_handshake(bare);
        ERR_clear_error();
        char bytes[16384];
        int n = BIO_read(out, bytes, sizeof bytes);
        if (n > 0 && ours->status == RELOAD_ENGINE_WANT) {
            reload_engine_input(ours->engine, reload_slice_of(bytes, (size_t)n));
            ends_shake(ours);
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
        ends_open_one(&server, &bob, RELOAD_LINK_SERVER, NULL);
        assert_int_equal(run_bare(bare, &server), RELOAD_E_CERTIFICATE);
        assert_true(reload_engine_untrusted(server.engine));
        assert_string_equal(reload_engine_reason(server.engine), "the far end has no certificate");
        ends_close_one(&server);
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
        ends_open_one(&client, &bob, RELOAD_LINK_CLIENT, NULL);
        assert_int_equal(run_bare(bare, &client), i ? RELOAD_E_FORBIDDEN : 0);
        assert_int_equal(reload_engine_confirmed(client.engine), i == 0);
        ends_close_one(&client);
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
    ends_open_one(&server, &bob, RELOAD_LINK_SERVER, NULL);
    assert_int_equal(run_bare(bare, &server), 0);
    char byte;
    SSL_read(bare, &byte, 1); /* takes in whatever followed the handshake */
    ERR_clear_error();
    assert_false(SSL_SESSION_is_resumable(SSL_get0_session(bare)));
    ends_close_one(&server);
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
        ends_open_one(&server, &bob, RELOAD_LINK_SERVER, NULL);
        reload_engine_input(server.engine, reload_slice_of(garbage[i], 8));
        ends_shake(&server);
        assert_int_equal(server.status, RELOAD_E_DECODE);
        assert_true(reload_engine_reason(server.engine)[0] != '\0');
        ends_close_one(&server);
    }
}

static void a_flipped_bit_anywhere_in_a_record_ends_it(void **state)
{
    (void)state;
    ends_open(&alice, &bob);
    ends_handshake(100000);
    assert_int_equal(reload_engine_write(client.engine, reload_slice_of("hello", 5)), 0);
    struct reload_buffer *output = reload_engine_output(client.engine);
    size_t n = reload_buffer_len(output);
    uint8_t record[128];
    assert_true(n <= sizeof record);
    memcpy(record, output->p + output->start, n);
    ends_close();
    for (size_t i = 5; i < n; i++) { /* past the record header */
        ends_open(&alice, &bob);
        ends_handshake(100000);
        assert_int_equal(reload_engine_write(client.engine, reload_slice_of("hello", 5)), 0);
        output = reload_engine_output(client.engine);
        output->p[output->start + i] ^= 1;
        assert_true(ends_carry(&client, &server, 1000));
        uint8_t out[10];
        size_t len;
        assert_int_equal(reload_engine_read(server.engine, out, sizeof out, &len, ends_now()),
                         RELOAD_E_DECODE);
        assert_int_equal(len, 0);
        ends_close();
    }
}

static void an_orderly_end_is_told_from_a_broken_one(void **state)
{
    (void)state;
    ends_open(&alice, &bob);
    ends_handshake(100000);
    reload_engine_close(client.engine);
    assert_true(ends_carry(&client, &server, 1000));
    uint8_t out[10];
    size_t len;
    assert_int_equal(reload_engine_read(server.engine, out, sizeof out, &len, ends_now()),
                     RELOAD_E_CLOSED);
    assert_int_equal(reload_engine_write(client.engine, reload_slice_of("x", 1)), RELOAD_E_CLOSED);
    ends_close();
}

static void nothing_is_encrypted_before_the_handshake_is_done(void **state)
{
    (void)state;
    ends_open(&alice, &bob);
    uint8_t out[10];
    size_t len;
    struct reload_buffer der = { 0 };
    assert_int_equal(reload_engine_write(client.engine, reload_slice_of("x", 1)), RELOAD_E_STATE);
    assert_int_equal(reload_engine_read(client.engine, out, sizeof out, &len, ends_now()),
                     RELOAD_E_STATE);
    assert_int_equal(reload_engine_certificate(client.engine, &der), RELOAD_E_STATE);
    ends_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_without_certificate_is_refused),
        cmocka_unit_test(tls_1_2_works_and_confirms_at_once_and_1_1_does_not),
        cmocka_unit_test(renegotiation_and_resumption_are_not_offered),
        cmocka_unit_test(bytes_that_are_not_tls_end_it),
        cmocka_unit_test(a_flipped_bit_anywhere_in_a_record_ends_it),
        cmocka_unit_test(an_orderly_end_is_told_from_a_broken_one),
        cmocka_unit_test(nothing_is_encrypted_before_the_handshake_is_done),
    };
    return cmocka_run_group_tests(tests, ends_set_up, ends_tear_down);
}
