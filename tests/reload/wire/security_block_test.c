#include "check.h"

#include "reload/wire/security_block.h"

#define HASH_32                                                                                    \
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, \
        27, 28, 29, 30, 31, 32

static struct reload_signature decode(struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_signature signature;
    assert_int_equal(reload_signature_decode(&r, &signature), 0);
    assert_int_equal(reload_reader_finish(&r), 0);
    return signature;
}

/* R6940-6.3.4-4 R6940-6.3.4-5 */
static void a_hashed_identity_is_37_bytes_with_sha_256(void **state)
{
    (void)state;
    for (uint8_t type = RELOAD_SIGNER_CERT_HASH; type <= RELOAD_SIGNER_CERT_HASH_NODE_ID; type++) {
        struct reload_slice wire = BYTES(type, 0, 34, 4, 32, HASH_32);
        assert_int_equal(wire.n, 37);
        struct reload_reader r = reload_reader_over(wire);
        struct reload_signer_identity identity;
        assert_int_equal(reload_signer_identity_decode(&r, &identity), 0);
        assert_int_equal(identity.type, type);
        assert_int_equal(identity.hash_algorithm, RELOAD_HASH_SHA256);
        assert_slice_equal(identity.hash, BYTES(HASH_32));
        assert_slice_equal(identity.value, reload_slice_of(wire.p + 3, 34));
        assert_ptr_equal(identity.raw.p, wire.p);
        assert_int_equal(identity.raw.n, 37);
        check_good("SignerIdentity", wire);
        check_length("SignerIdentity", wire, 1, 2);
        check_length("SignerIdentity", wire, 4, 1);
    }
}

/* R6940-6.3.4-5 */
static void the_identity_none_is_empty(void **state)
{
    (void)state;
    check_good("SignerIdentity", BYTES(3, 0, 0));
    check_bad("SignerIdentity", BYTES(3, 0, 1, 0));
    struct reload_reader r = reload_reader_over(BYTES(3, 0, 0));
    struct reload_signer_identity identity;
    assert_int_equal(reload_signer_identity_decode(&r, &identity), 0);
    assert_int_equal(identity.hash.n, 0);
    assert_int_equal(identity.value.n, 0);
    assert_int_equal(identity.raw.n, 3);
}

/* R6940-6.3.4-4 */
static void type_0_is_refused_and_unknown_types_are_kept(void **state)
{
    (void)state;
    check_bad("SignerIdentity", BYTES(0, 0, 0));
    check_good("SignerIdentity", BYTES(9, 0, 2, 7, 7));
    check_good("SignerIdentity", BYTES(255, 0, 0));
    uint8_t buf[8];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_signer_identity_encode(&w, &(struct reload_signer_identity){ 0 }),
                     RELOAD_E_NOSPACE);
}

/* R6940-6.3.4-3 */
static void the_hash_comes_before_the_signature_algorithm(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(4, 1, 1, 0, 4, 4, 2, 0xaa, 0xbb, 0, 3, 's', 'i', 'g');
    struct reload_signature signature = decode(wire);
    assert_int_equal(signature.hash_algorithm, RELOAD_HASH_SHA256);
    assert_int_equal(signature.signature_algorithm, RELOAD_SIGNATURE_RSA);
    assert_int_equal(signature.identity.type, RELOAD_SIGNER_CERT_HASH);
    assert_slice_equal(signature.value, TEXT("sig"));
    assert_false(reload_signature_is_none(&signature));
    check_good("Signature", wire);
    check_length("Signature", wire, 3, 2);
    check_length("Signature", wire, 6, 1);
    check_length("Signature", wire, 9, 2);
}

static void the_signature_of_a_synthesized_value_is_told_by_either_mark(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(0, 0, 3, 0, 0, 0, 0);
    uint8_t buf[8];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    struct reload_signature none = reload_signature_none();
    assert_int_equal(reload_signature_encode(&w, &none), 0);
    assert_slice_equal(reload_writer_slice(&w), wire);
    check_good("Signature", wire);
    struct reload_slice marked[] = { wire, BYTES(4, 1, 3, 0, 0, 0, 0),
                                     BYTES(0, 0, 1, 0, 2, 4, 0, 0, 0),
                                     BYTES(0, 1, 1, 0, 2, 4, 0, 0, 0),
                                     BYTES(4, 0, 1, 0, 2, 4, 0, 0, 0) };
    for (size_t i = 0; i < COUNT(marked); i++) {
        struct reload_signature signature = decode(marked[i]);
        assert_true(reload_signature_is_none(&signature));
    }
}

#define BLOCK 0, 11, 0, 0, 3, 'd', 'e', 'r', 7, 0, 2, 'x', 'y', 4, 3, 3, 0, 0, 0, 1, 's'

/* R6940-6.3.4-1 */
static void a_security_block_is_a_bucket_and_a_signature(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(BLOCK);
    struct reload_security_block block;
    assert_int_equal(reload_security_block_decode(wire, &block), 0);
    struct reload_reader r = reload_reader_over(block.certificates);
    struct reload_certificate certificate;
    assert_true(reload_certificate_next(&r, &certificate));
    assert_int_equal(certificate.type, RELOAD_CERTIFICATE_X509);
    assert_slice_equal(certificate.certificate, TEXT("der"));
    assert_true(reload_certificate_next(&r, &certificate));
    assert_int_equal(certificate.type, 7); /* unknown, and stepped over */
    assert_false(reload_certificate_next(&r, &certificate));
    assert_int_equal(block.signature.signature_algorithm, RELOAD_SIGNATURE_ECDSA);
    assert_slice_equal(block.signature.value, TEXT("s"));
    check_good("SecurityBlock", wire);
    check_good("SecurityBlock", BYTES(0, 0, 0, 0, 3, 0, 0, 0, 0));
    check_good("GenericCertificate", BYTES(0, 0, 3, 'd', 'e', 'r'));
    check_length("GenericCertificate", BYTES(0, 0, 3, 'd', 'e', 'r'), 1, 2);
}

static void a_bucket_that_ends_within_a_certificate_is_refused(void **state)
{
    (void)state;
    check_length("SecurityBlock", BYTES(BLOCK), 0, 2);
    check_length("SecurityBlock", BYTES(BLOCK), 3, 2);
    check_length("SecurityBlock", BYTES(BLOCK), 9, 2);
    check_length("SecurityBlock", BYTES(BLOCK), 18, 2);
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("SecurityBlock", BYTES(BLOCK)) > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hashed_identity_is_37_bytes_with_sha_256),
        cmocka_unit_test(the_identity_none_is_empty),
        cmocka_unit_test(type_0_is_refused_and_unknown_types_are_kept),
        cmocka_unit_test(the_hash_comes_before_the_signature_algorithm),
        cmocka_unit_test(the_signature_of_a_synthesized_value_is_told_by_either_mark),
        cmocka_unit_test(a_security_block_is_a_bucket_and_a_signature),
        cmocka_unit_test(a_bucket_that_ends_within_a_certificate_is_refused),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
