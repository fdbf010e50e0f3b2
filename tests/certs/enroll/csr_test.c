/* Hostile requests for certificates. */
#include "fixture.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct reply reply;

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

/* As that key signs it. */
static void send_signed(struct fixture *f, X509_REQ *request, EVP_PKEY *signer)
{
    size_t len;
    sign_it(request, signer);
    uint8_t *der = der_of(request, &len);
    send_csr(f, der, len);
    OPENSSL_free(der);
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
        send_signed(f, request, key);
        assert_true(reply_is(&reply, 403, "bad_CSR"));
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
    send_signed(f, request, signer);
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    assert_true(reply.cost_ms < 500);
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
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                               (const unsigned char *)"root of all", -1, -1, 0);
    push_extension(list, NID_basic_constraints, "critical,CA:TRUE");
    push_extension(list, NID_key_usage, "keyCertSign,cRLSign");
    push_extension(list, NID_subject_alt_name, names);
    assert_int_equal(X509_REQ_add_extensions(request, list), 1);
    send_signed(f, request, key);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
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
    send_signed(f, request, key);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
}

static void a_csr_full_of_attributes_is_done_with_quickly(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    send_with_attributes(f, 300); /* they mean nothing to us */
    assert_int_equal(reply.status, 200);
    assert_true(reply.cost_ms < 500);
    send_with_attributes(f, 1200); /* past the cap of a CSR */
    assert_true(reply_is(&reply, 403, "bad_CSR"));
    assert_true(reply.cost_ms < 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PREPARED(keys_that_are_weak_or_strange_are_bad_csr),
        PREPARED(a_huge_key_is_refused_in_no_time),
        PREPARED(a_csr_that_its_key_did_not_sign_is_bad_csr),
        PREPARED(nothing_is_copied_from_a_csr_but_its_key),
        PREPARED(another_name_than_the_account_s_own_is_not_available),
        PREPARED(a_csr_full_of_attributes_is_done_with_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
