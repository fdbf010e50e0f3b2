#include "tests/certs/asked.h"

#include "reload/wire/security_block.h"

/* Signers, found by what a SignerIdentity says, and their signatures: RFC 6940 s6.3.4. */

/* R6940-6.3.4-14 R6940-6.3.4-15 R6940-6.3.4-24 */
static void a_signer_is_found_by_either_hash_and_then_without_its_certificate(void **state)
{
    (void)state;
    static const uint8_t hashes[] = { RELOAD_HASH_SHA1, RELOAD_HASH_SHA256, RELOAD_HASH_SHA384,
                                      RELOAD_HASH_SHA512 };
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct reload_cert_bytes one = asked_issued(&f, 1, (struct wish){ 0 });
    struct reload_cert_bytes three = asked_issued(&f, 5, (struct wish){ .node_ids = 3 });
    struct reload_slice both[] = { reload_cert_bytes_slice(&one), reload_cert_bytes_slice(&three) };
    struct reload_cert_bytes list = bucket(both, 2);
    struct reload_node_id second = node_id(6);
    for (size_t i = 0; i < COUNT(hashes); i++) {
        struct asked a = asked_of(&f.config);
        struct reload_signer signer;
        struct reload_cert_bytes whole = identity_value(hashes[i], NULL, both[0]);
        struct reload_cert_bytes second_value = identity_value(hashes[i], &second, both[1]);
        struct reload_cert_bytes vague = identity_value(hashes[i], NULL, both[1]);
        assert_int_equal(asked_identify(&a, NULL, RELOAD_SIGNER_CERT_HASH, &whole, &signer),
                         RELOAD_E_CERTIFICATE);
        for (int again = 0; again < 2; again++) {
            const struct reload_cert_bytes *from = again ? NULL : &list;
            assert_int_equal(asked_identify(&a, from, RELOAD_SIGNER_CERT_HASH, &whole, &signer), 0);
            assert_int_equal(signer.node_id.bytes[0], 1);
            assert_int_equal(
                asked_identify(&a, from, RELOAD_SIGNER_CERT_HASH_NODE_ID, &second_value, &signer),
                0);
            assert_int_equal(signer.node_id.bytes[0], 6);
            assert_int_equal(signer.identity->node_id_count, 3);
            /* it does not say which of the three */
            assert_int_equal(asked_identify(&a, from, RELOAD_SIGNER_CERT_HASH, &vague, &signer),
                             RELOAD_E_CERTIFICATE);
        }
        assert_int_equal(reload_trust_counters(a.trust)->checked, 2); /* once each */
        reload_cert_bytes_fini(&whole);
        reload_cert_bytes_fini(&second_value);
        reload_cert_bytes_fini(&vague);
        reload_trust_free(a.trust);
    }
    reload_cert_bytes_fini(&one);
    reload_cert_bytes_fini(&three);
    reload_cert_bytes_fini(&list);
    fixture_fini(&f);
}

static void a_malformed_or_unknown_signer_identity_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    struct asked a = asked_of(&f.config);
    struct reload_cert_bytes der = asked_issued(&f, 1, (struct wish){ 0 });
    struct reload_slice one = reload_cert_bytes_slice(&der);
    struct reload_cert_bytes list = bucket(&one, 1);
    struct reload_cert_bytes value = identity_value(RELOAD_HASH_SHA256, NULL, one);
    struct reload_signer signer;
    for (size_t cut = 0; cut < value.n; cut++) {
        struct reload_cert_bytes part = { value.p, cut };
        assert_int_not_equal(asked_identify(&a, &list, RELOAD_SIGNER_CERT_HASH, &part, &signer), 0);
    }
    for (size_t bit = 0; bit < 8 * value.n; bit++) {
        value.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(asked_identify(&a, &list, RELOAD_SIGNER_CERT_HASH, &value, &signer),
                             0);
        value.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(asked_identify(&a, &list, RELOAD_SIGNER_NONE, &value, &signer),
                     RELOAD_E_UNSUPPORTED);
    assert_int_equal(asked_identify(&a, &list, 9, &value, &signer), RELOAD_E_UNSUPPORTED);
    assert_int_equal(asked_identify(&a, &list, RELOAD_SIGNER_CERT_HASH_NODE_ID, &value, &signer),
                     RELOAD_E_CERTIFICATE);
    value.p[0] = RELOAD_HASH_MD5;
    assert_int_equal(asked_identify(&a, &list, RELOAD_SIGNER_CERT_HASH, &value, &signer),
                     RELOAD_E_UNSUPPORTED);
    value.p[0] = RELOAD_HASH_SHA256;
    for (size_t cut = 0; cut < list.n; cut++) { /* a bucket cut anywhere */
        struct reload_cert_bytes part = { list.p, cut };
        assert_int_equal(asked_identify(&a, &part, RELOAD_SIGNER_CERT_HASH, &value, &signer),
                         RELOAD_E_CERTIFICATE);
    }
    assert_true(reload_trust_counters(a.trust)->unknown > 0);
    reload_cert_bytes_fini(&der);
    reload_cert_bytes_fini(&list);
    reload_cert_bytes_fini(&value);
    reload_trust_free(a.trust);
    fixture_fini(&f);
}

/* R6940-6.3.4-11 */
static void a_signature_verifies_only_over_its_bytes_by_its_key_with_its_algorithms(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, RELOAD_CERT_KEY_EC);
    for (int type = RELOAD_CERT_KEY_EC; type <= RELOAD_CERT_KEY_RSA; type++) {
        struct asked a = asked_of(&f.config);
        struct reload_cert_identity *me =
            new_identity(&f, (enum reload_cert_key_type)type, 1, (struct wish){ 0 });
        const struct reload_own_identity *own = reload_cert_identity_own(me);
        uint8_t out[RELOAD_SIGNATURE_MAX], other_pair = type == RELOAD_CERT_KEY_RSA
                                                            ? RELOAD_SIGNATURE_ECDSA
                                                            : RELOAD_SIGNATURE_RSA;
        struct reload_slice parts[] = { text("one "), text(""), text("message") };
        struct reload_slice joined = text("one message"), changed = text("one massage");
        const struct reload_identity *who;
        size_t len;
        assert_int_equal(reload_cert_identity_sign(me, parts, 3, out, &len), 0);
        assert_int_equal(own->signature_algorithm, type == RELOAD_CERT_KEY_RSA
                                                       ? RELOAD_SIGNATURE_RSA
                                                       : RELOAD_SIGNATURE_ECDSA);
        assert_int_equal(reload_trust_check(a.trust, &own->certificate, 1, NOW_MS, &who, NULL), 0);
        struct reload_slice s = { out, len };
        const uint8_t h = RELOAD_HASH_SHA256, alg = own->signature_algorithm;
        assert_int_equal(reload_trust_verify(a.trust, who, h, alg, &joined, 1, s), 0);
        assert_int_equal(reload_trust_verify(a.trust, who, h, alg, parts, 3, s), 0);
        assert_int_equal(reload_trust_verify(a.trust, who, h, alg, &changed, 1, s),
                         RELOAD_E_SIGNATURE);
        assert_int_equal(reload_trust_verify(a.trust, who, RELOAD_HASH_SHA384, alg, &joined, 1, s),
                         RELOAD_E_SIGNATURE);
        assert_int_equal(reload_trust_verify(a.trust, who, h, alg, &joined, 1, s), 0);
        static const uint8_t refused[] = {
            RELOAD_HASH_NONE, RELOAD_HASH_MD5, RELOAD_HASH_SHA1, RELOAD_HASH_SHA224, 7, 255
        };
        for (size_t i = 0; i < COUNT(refused); i++)
            assert_int_equal(reload_trust_verify(a.trust, who, refused[i], alg, &joined, 1, s),
                             RELOAD_E_UNSUPPORTED);
        assert_int_equal(reload_trust_verify(a.trust, who, h, other_pair, &joined, 1, s),
                         RELOAD_E_UNSUPPORTED);
        assert_int_equal(
            reload_trust_verify(a.trust, who, h, RELOAD_SIGNATURE_ANONYMOUS, &joined, 1, s),
            RELOAD_E_UNSUPPORTED);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(reload_trust_verify(a.trust, who, h, alg, &joined, 1, s),
                             RELOAD_E_SIGNATURE);
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(
                reload_trust_verify(a.trust, who, h, alg, &joined, 1, reload_slice_of(out, cut)),
                RELOAD_E_SIGNATURE);
        assert_int_equal(
            reload_trust_verify(a.trust, who, h, alg, &joined, 1, (struct reload_slice){ 0 }),
            RELOAD_E_SIGNATURE);
        assert_true(reload_trust_counters(a.trust)->forged >= 8 * len);
        reload_cert_identity_free(me);
        reload_trust_free(a.trust);
    }
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signer_is_found_by_either_hash_and_then_without_its_certificate),
        cmocka_unit_test(a_malformed_or_unknown_signer_identity_is_refused),
        cmocka_unit_test(a_signature_verifies_only_over_its_bytes_by_its_key_with_its_algorithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
