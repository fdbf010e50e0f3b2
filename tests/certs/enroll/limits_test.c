/* What the server bears: slow clients, many clients, guessers, hostile requests for certificates.
 */
#include "fixture.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct reply reply;

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_make(f, RELOAD_CERT_KEY_EC);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    free(*state);
    return 0;
}

static void pause_ms(unsigned ms)
{
    nanosleep(&(struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 }, NULL);
}

static void expect_address_served_at_once(struct fixture *f, uint8_t from)
{
    static const char get[] = "GET /.well-known/reload-config HTTP/1.1\r\nHost: x\r\n\r\n";
    https(f, from, get, sizeof get - 1, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(reply.took_ms <= 1000);
}

static void expect_served_at_once(struct fixture *f)
{
    expect_address_served_at_once(f, 9);
}

/* --- slow clients --- */

/* Sends a byte every 20 ms and tells when the server hung up. */
static uint64_t drip(struct fixture *f, const char *begin, char byte, uint64_t limit_ms)
{
    struct tls t;
    uint64_t start_ms = reload_enroll_monotonic_ms(), now_ms = start_ms;
    assert_true(tls_open(&t, f->port, 1));
    assert_true(tls_write(&t, begin, strlen(begin)));
    while (now_ms - start_ms < limit_ms && tls_write(&t, &byte, 1)) {
        char c;
        if (recv(t.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            break;
        pause_ms(20);
        now_ms = reload_enroll_monotonic_ms();
    }
    tls_close(&t);
    return now_ms - start_ms;
}

static void a_header_or_body_that_drips_is_cut_at_its_deadline(void **state)
{
    struct fixture *f = *state;
    f->options.connections.header_ms = 400;
    f->options.connections.request_ms = 900;
    fixture_start(f);
    uint64_t took_ms = drip(f, "GET / HTTP/1.1\r\nX: ", 'a', 5000);
    assert_in_range(took_ms, 300, 900);
    took_ms = drip(f,
                   "POST /enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n"
                   "Content-Type: multipart/form-data; boundary=B\r\n\r\n",
                   'a', 5000);
    assert_in_range(took_ms, 800, 1800);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_SLOW), 2);
}

static void silent_and_half_open_connections_are_cut_and_hinder_nobody(void **state)
{
    struct fixture *f = *state;
    int fds[15];
    char c;
    f->options.connections.header_ms = 1000;
    fixture_start(f);
    for (int i = 0; i < 15; i++) { /* some say half a TLS hello, some nothing */
        fds[i] = tcp_open(f->port, 1);
        if (i % 2)
            assert_int_equal(send(fds[i], "\x16\x03\x01\x02\x00\x01", 6, 0), 6);
    }
    expect_served_at_once(f);
    pause_ms(1300);
    for (int i = 0; i < 15; i++) {
        assert_true(recv(fds[i], &c, 1, MSG_DONTWAIT) <= 0);
        close(fds[i]);
    }
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_SLOW), 15);
    for (int i = 0; i < 100 && reload_enroll_server_connections(f->server); i++)
        pause_ms(20);
    assert_int_equal(reload_enroll_server_connections(f->server), 0);
}

/* --- many connections --- */

static void one_address_has_so_many_connections_and_the_longest_silent_one_goes(void **state)
{
    struct fixture *f = *state;
    int fds[12];
    char c;
    f->options.connections.per_address = 5;
    fixture_start(f);
    for (int i = 0; i < 12; i++)
        fds[i] = tcp_open(f->port, 1);
    expect_served_at_once(f); /* from another address */
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS), 7);
    for (int i = 0; i < 12; i++)
        assert_int_equal(recv(fds[i], &c, 1, MSG_DONTWAIT) == 0, i < 7);
    expect_address_served_at_once(f, 1); /* and whoever shares theirs */
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS), 8);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_SLOW), 0);
    for (int i = 0; i < 12; i++)
        close(fds[i]);
}

static void bodies_that_never_end_keep_nobody_out(void **state)
{
    static const char begin[] = "POST /enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n"
                                "Content-Type: multipart/form-data; boundary=B\r\n\r\n--B";
    struct fixture *f = *state;
    struct tls slow[5];
    f->options.connections.per_address = 5;
    fixture_start(f);
    for (int i = 0; i < 5; i++) {
        assert_true(tls_open(&slow[i], f->port, 1));
        assert_true(tls_write(&slow[i], begin, sizeof begin - 1));
    }
    pause_ms(200); /* their headers are taken in */
    expect_address_served_at_once(f, 1);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS), 1);
    for (int i = 0; i < 5; i++)
        tls_close(&slow[i]);
}

static void when_all_places_are_taken_the_longest_silent_one_goes(void **state)
{
    struct fixture *f = *state;
    int fds[60];
    f->options.connections.total = 20;
    f->options.connections.per_address = 5;
    fixture_start(f);
    for (int i = 0; i < 60; i++)
        fds[i] = tcp_open(f->port, (uint8_t)(20 + i / 4));
    expect_served_at_once(f);
    assert_true(fixture_count(f, RELOAD_ENROLL_TOO_MANY_CONNECTIONS) >= 40);
    assert_true(reload_enroll_server_connections(f->server) <= 20 + 16);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(reply.status, 200);
    for (int i = 0; i < 60; i++)
        close(fds[i]);
}

/* --- guesses --- */

static void try(struct fixture *f, const char *user, const char *password, uint8_t from)
{
    post(f,
         &(struct post){ .user = user,
                         .password = password,
                         .csr = (const uint8_t *)"x",
                         .csr_len = 1,
                         .from = from },
         &reply);
}

static void guessing_is_stopped_but_not_the_owner(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply); /* from 127.0.0.1 */
    assert_int_equal(reply.status, 200);
    for (int i = 0; i < 5; i++) {
        try(f, "alice@example.org", "guess", 2);
        assert_true(reply_is(&reply, 403, "failed_authentication"));
    }
    for (int i = 0; i < 20; i++) {
        try(f, "alice@example.org", i ? "guess" : "correct horse", 3);
        assert_true(reply_is(&reply, 429, "too_many_attempts"));
        assert_true(reply_has(&reply, "Retry-After: "));
    }
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(reply.status, 200);
    fixture_stop(f); /* the address is known for good */
    fixture_start(f);
    for (int i = 0; i < 6; i++)
        try(f, "alice@example.org", "guess", 2);
    assert_int_equal(reply.status, 429);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(reply.status, 200);
    enroll(f, "bob@example.org", "battery staple", NULL, &reply);
    assert_int_equal(reply.status, 200);
}

static void one_prefix_guesses_no_more_than_twenty_names(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    unsigned answered = 0;
    for (unsigned i = 0; i < 60; i++) {
        char name[40];
        snprintf(name, sizeof name, "user%u@example.org", i);
        try(f, name, "guess", (uint8_t)(1 + i));
        answered += reply.status == 403;
    }
    assert_int_equal(answered, 20);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_TOO_MANY_ATTEMPTS), 40);
}

static uint64_t fastest_us(struct fixture *f, const char *user, unsigned tries)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < tries; i++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        try(f, user, "guess", 1);
        clock_gettime(CLOCK_MONOTONIC, &b);
        assert_true(reply_is(&reply, 403, "failed_authentication"));
        uint64_t us = (uint64_t)((b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
        if (us < best)
            best = us;
    }
    return best;
}

static void an_unknown_name_takes_the_time_of_a_known_one(void **state)
{
    struct fixture *f = *state;
    f->options.guesses.user_failures = f->options.guesses.prefix_failures = 1000;
    f->options.password_cost = 5;
    fixture_account(f, "carol@example.org", "secret", 2);
    fixture_start(f);
    fastest_us(f, "carol@example.org", 2); /* warm */
    uint64_t known = fastest_us(f, "carol@example.org", 12);
    uint64_t unknown = fastest_us(f, "dave@example.org", 12);
    uint64_t impossible = fastest_us(f, "Not A Name", 12);
    assert_in_range(unknown, known * 3 / 4, known * 4 / 3);
    assert_in_range(impossible, known * 3 / 4, known * 4 / 3);
}

static void *enroll_one(void *closure)
{
    struct fixture *f = ((void **)closure)[0];
    struct reply *mine = calloc(1, sizeof *mine);
    enroll(f, ((void **)closure)[1], "right", "2", mine);
    intptr_t status = mine->status;
    free(mine);
    return (void *)status;
}

static void many_nodes_with_right_passwords_enroll_at_once(void **state)
{
    enum { MANY = 16 };
    struct fixture *f = *state;
    char names[MANY][40];
    void *arguments[MANY][2], *status;
    pthread_t threads[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "node%d@example.org", i);
        fixture_account(f, names[i], "right", 2);
    }
    fixture_start(f);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            arguments[i][0] = f;
            arguments[i][1] = names[i];
            assert_int_equal(pthread_create(&threads[i], NULL, enroll_one, arguments[i]), 0);
        }
        for (int i = 0; i < MANY; i++) {
            pthread_join(threads[i], &status);
            assert_int_equal((intptr_t)status, 200);
        }
    }
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_ISSUED), 3 * MANY);
}

/* A request in the middle of a decision gets its answer; one that only waits gets 503 or the end.
 */
static void stopping_finishes_what_was_begun(void **state)
{
    enum { MANY = 8 };
    struct fixture *f = *state;
    f->options.password_cost = 5;
    f->options.workers = 1;
    char names[MANY][40];
    void *arguments[MANY][2], *status;
    pthread_t threads[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "node%d@example.org", i);
        fixture_account(f, names[i], "right", 2);
    }
    fixture_start(f);
    for (int i = 0; i < MANY; i++) {
        arguments[i][0] = f;
        arguments[i][1] = names[i];
        assert_int_equal(pthread_create(&threads[i], NULL, enroll_one, arguments[i]), 0);
    }
    while (fixture_count(f, RELOAD_ENROLL_ISSUED) == 0)
        pause_ms(1);
    uint64_t start_ms = reload_enroll_monotonic_ms();
    fixture_stop(f);
    assert_true(reload_enroll_monotonic_ms() - start_ms < 2000);
    unsigned served = 0;
    for (int i = 0; i < MANY; i++) {
        pthread_join(threads[i], &status);
        intptr_t s = (intptr_t)status;
        assert_true(s == 200 || s == 503 || s == 0);
        served += s == 200;
    }
    assert_true(served >= 1);
}

/* --- hostile certificate requests --- */

static EVP_PKEY *odd_key(int which)
{
    switch (which) {
    case 0: return EVP_RSA_gen(512);
    case 1: return EVP_RSA_gen(1024);
    case 2: return EVP_EC_gen("secp256k1");
    case 3: return EVP_EC_gen("brainpoolP256r1");
    case 4: return EVP_EC_gen("P-192");
    case 5: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    default: return EVP_EC_gen("P-256");
    }
}

static uint8_t *der_of(X509_REQ *request, size_t *len)
{
    uint8_t *der = NULL;
    int n = i2d_X509_REQ(request, &der);
    assert_true(n > 0);
    *len = (size_t)n;
    return der;
}

static X509_REQ *request_for(EVP_PKEY *key)
{
    X509_REQ *request = X509_REQ_new();
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    return request;
}

static void sign_it(X509_REQ *request, EVP_PKEY *key)
{
    bool digestless = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    assert_true(X509_REQ_sign(request, key, digestless ? NULL : EVP_sha256()) > 0);
}

static void send_csr(struct fixture *f, const uint8_t *der, size_t len)
{
    post(f,
         &(struct post){
             .user = "alice@example.org", .password = "correct horse", .csr = der, .csr_len = len },
         &reply);
}

static void keys_that_are_weak_or_strange_are_bad_csr(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    for (int which = 0; which <= 5; which++) {
        EVP_PKEY *key = odd_key(which);
        if (!key)
            continue; /* this OpenSSL does not have the curve */
        X509_REQ *request = request_for(key);
        size_t len;
        sign_it(request, key);
        uint8_t *der = der_of(request, &len);
        send_csr(f, der, len);
        assert_true(reply_is(&reply, 403, "bad_CSR"));
        OPENSSL_free(der);
        X509_REQ_free(request);
        EVP_PKEY_free(key);
    }
}

/* A public key of 16384 bits costs its checker much, unless its size is looked at first. */
static void a_huge_key_is_refused_in_no_time(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    EVP_PKEY *signer = EVP_EC_gen("P-256"), *huge = NULL;
    BIGNUM *n = BN_new(), *e = BN_new();
    BN_rand(n, 16384, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    BN_rand(e, 16380, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &huge, EVP_PKEY_PUBLIC_KEY, params), 1);
    X509_REQ *request = request_for(huge);
    size_t len;
    sign_it(request, signer);
    uint8_t *der = der_of(request, &len);
    send_csr(f, der, len);
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    assert_true(reply.took_ms < 500);
    OPENSSL_free(der);
    X509_REQ_free(request);
    EVP_PKEY_free(signer);
    EVP_PKEY_free(huge);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
}

static void a_csr_that_its_key_did_not_sign_is_bad_csr(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    EVP_PKEY *key = odd_key(9), *other = odd_key(9);
    X509_REQ *request = request_for(key);
    size_t len;
    sign_it(request, other); /* somebody else's public key: no proof of possession */
    X509_REQ_set_pubkey(request, key);
    uint8_t *der = der_of(request, &len);
    send_csr(f, der, len);
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    OPENSSL_free(der);
    sign_it(request, key);
    der = der_of(request, &len);
    send_csr(f, der, len);
    assert_int_equal(reply.status, 200);
    der[len - 1] ^= 1;
    send_csr(f, der, len);
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    OPENSSL_free(der);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void push_extension(STACK_OF(X509_EXTENSION) * list, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    sk_X509_EXTENSION_push(list, extension);
}

static void send_with_names(struct fixture *f, const char *names)
{
    EVP_PKEY *key = odd_key(9);
    X509_REQ *request = request_for(key);
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    size_t len;
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                               (const unsigned char *)"root of all", -1, -1, 0);
    push_extension(list, NID_basic_constraints, "critical,CA:TRUE");
    push_extension(list, NID_key_usage, "keyCertSign,cRLSign");
    push_extension(list, NID_subject_alt_name, names);
    assert_int_equal(X509_REQ_add_extensions(request, list), 1);
    sign_it(request, key);
    uint8_t *der = der_of(request, &len);
    send_csr(f, der, len);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    OPENSSL_free(der);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
}

/* R6940-11.3-10 R6940-11.3-15 R6940-11.3-16 */
static void nothing_is_copied_from_a_csr_but_its_key(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    send_with_names(f, "DNS:evil.example,IP:10.0.0.1,email:alice@example.org,"
                       "URI:reload://011000000000000000000000000000000001@overlay.example.org/");
    assert_int_equal(reply.status, 200);
    const uint8_t *p = reply.body;
    X509 *x = d2i_X509(NULL, &p, (long)reply.body_len);
    assert_non_null(x);
    assert_int_equal(X509_check_ca(x), 0);
    assert_int_equal(X509_get_key_usage(x) & (KU_KEY_CERT_SIGN | KU_CRL_SIGN), 0);
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(x)), 0);
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 2);
    GENERAL_NAMES_free(names);
    X509_free(x);
    static const char *const foreign[] = { "evil.example", "root of all",
                                           "011000000000000000000000000000000001" };
    for (size_t i = 0; i < 3; i++)
        assert_null(memmem(reply.body, reply.body_len, foreign[i], strlen(foreign[i])));
}

/* R6940-11.3-14 R6940-11.3-18 */
static void another_name_than_the_account_s_own_is_not_available(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {
        "email:bob@example.org",
        "email:Alice@example.org",
        "email:alice@example.org.",
        "email:alice@EXAMPLE.org",
        "email:alice@example.org,email:bob@example.org",
    };
    fixture_start(f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        send_with_names(f, names[i]);
        assert_true(reply_is(&reply, 403, "username_not_available"));
    }
}

static void send_with_attributes(struct fixture *f, int count)
{
    EVP_PKEY *key = odd_key(9);
    X509_REQ *request = request_for(key);
    for (int i = 0; i < count; i++) {
        char oid[40];
        snprintf(oid, sizeof oid, "1.3.6.1.4.1.99999.%d", 1000 + i);
        assert_int_equal(
            X509_REQ_add1_attr_by_txt(request, oid, MBSTRING_ASC, (const unsigned char *)"x", 1),
            1);
    }
    size_t len;
    sign_it(request, key);
    uint8_t *der = der_of(request, &len);
    send_csr(f, der, len);
    OPENSSL_free(der);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
}

static void a_csr_full_of_attributes_is_done_with_quickly(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    send_with_attributes(f, 300); /* they mean nothing to us */
    assert_int_equal(reply.status, 200);
    assert_true(reply.took_ms < 500);
    send_with_attributes(f, 1200); /* past the cap of a CSR */
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    assert_true(reply.took_ms < 500);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(a_header_or_body_that_drips_is_cut_at_its_deadline),
        WITH(silent_and_half_open_connections_are_cut_and_hinder_nobody),
        WITH(one_address_has_so_many_connections_and_the_longest_silent_one_goes),
        WITH(bodies_that_never_end_keep_nobody_out),
        WITH(when_all_places_are_taken_the_longest_silent_one_goes),
        WITH(guessing_is_stopped_but_not_the_owner),
        WITH(one_prefix_guesses_no_more_than_twenty_names),
        WITH(an_unknown_name_takes_the_time_of_a_known_one),
        WITH(many_nodes_with_right_passwords_enroll_at_once),
        WITH(stopping_finishes_what_was_begun),
        WITH(keys_that_are_weak_or_strange_are_bad_csr),
        WITH(a_huge_key_is_refused_in_no_time),
        WITH(a_csr_that_its_key_did_not_sign_is_bad_csr),
        WITH(nothing_is_copied_from_a_csr_but_its_key),
        WITH(another_name_than_the_account_s_own_is_not_available),
        WITH(a_csr_full_of_attributes_is_done_with_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
