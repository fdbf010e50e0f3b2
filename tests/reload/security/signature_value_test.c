/* Signatures of stored values: RFC 6940 s7.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/reload/security/signers.h"

static struct reload_stored_data value_of(enum reload_data_model model, uint32_t index,
                                          const char *key, const char *bytes)
{
    return (struct reload_stored_data){
        .storage_time_ms = 1700000000000,
        .lifetime_s = 60,
        .value = { .model = model,
                   .index = index,
                   .key = { (const uint8_t *)key, strlen(key) },
                   .data = { true, { (const uint8_t *)bytes, strlen(bytes) } } },
    };
}

static const struct reload_slice resource = { (const uint8_t *)"0123456789abcdef", 16 };

static const struct reload_slice no_certificates = { NULL, 0 };

/* R6940-7.1-1 R6940-7.1-2 R6940-6.3.4-10 */
static void a_value_signature_covers_place_time_and_value_and_not_the_lifetime(void **state)
{
    struct signers *p = *state;
    struct reload_signer signer;
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_DICTIONARY, 0, "key", "value");
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.signature.identity.raw = p->a->own->signer_identity;
    struct reload_slice bucket = p->a->own->certificates;
    assert_int_equal(0, reload_value_verify(p->b, resource, 7, &d, bucket, signers_now, &signer));
    assert_true(reload_node_id_equal(&signer.node_id, &p->a->own->node_id));

    d.lifetime_s = 1;
    assert_int_equal(0, reload_value_verify(p->b, resource, 7, &d, bucket, signers_now, &signer));
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 8, &d, bucket, signers_now, &signer));
    struct reload_slice elsewhere = { resource.p, 15 };
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, elsewhere, 7, &d, bucket, signers_now, &signer));
    struct reload_stored_data other = d;
    other.storage_time_ms++;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &other, bucket, signers_now, &signer));
    other = d;
    other.value.data.exists = false;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &other, bucket, signers_now, &signer));
    other = d;
    other.value.key.n--;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &other, bucket, signers_now, &signer));
    other = d;
    other.value.data.value.n--;
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &other, bucket, signers_now, &signer));
}

/* Signs as the programs do that leave the Resource-ID's length out. */
static void sign_raw(const struct reload_crypto *crypto, struct reload_stored_data *d,
                     uint8_t *value)
{
    struct reload_value_signature_input in;
    size_t len;
    assert_int_equal(0, reload_value_sign(crypto, resource, 7, d, value));
    assert_int_equal(0, reload_value_signature_input(&in, RELOAD_RESOURCE_RAW, resource, 7, d,
                                                     crypto->own->signer_identity));
    assert_int_equal(
        0, crypto->ops->sign(crypto->context, in.parts, RELOAD_VALUE_SIGNATURE_PARTS, value, &len));
    d->signature.value = reload_slice_of(value, len);
    d->signature.identity.raw = crypto->own->signer_identity;
}

/* R6940-7.1-1 */
static void a_signature_without_the_resource_ids_length_needs_the_switch(void **state)
{
    struct signers *p = *state;
    struct reload_signer signer;
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_SINGLE, 0, "", "value");
    struct reload_slice bucket = p->a->own->certificates;
    struct reload_crypto tolerant = *p->b;
    tolerant.raw_resource_ids = true;
    sign_raw(p->a, &d, made);
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(p->b, resource, 7, &d, bucket, signers_now, &signer));
    assert_int_equal(0,
                     reload_value_verify(&tolerant, resource, 7, &d, bucket, signers_now, &signer));
    assert_int_equal(RELOAD_E_SIGNATURE,
                     reload_value_verify(&tolerant, resource, 8, &d, bucket, signers_now, &signer));
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.signature.identity.raw = p->a->own->signer_identity;
    assert_int_equal(0,
                     reload_value_verify(&tolerant, resource, 7, &d, bucket, signers_now, &signer));
}

/* R6940-7.1-3 R6940-7.1-5 */
static void a_value_is_unsigned_once_its_certificate_has_ended(void **state)
{
    struct signers *p = *state;
    struct reload_signer signer;
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_SINGLE, 0, "", "value");
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.signature.identity.raw = p->a->own->signer_identity;
    struct reload_time late = { 0, p->a->own->not_after_ms + 1 };
    assert_int_equal(0, reload_value_verify(p->b, resource, 7, &d, p->a->own->certificates,
                                            signers_now, &signer));
    assert_int_equal(RELOAD_E_EXPIRED,
                     reload_value_verify(p->b, resource, 7, &d, no_certificates, late, &signer));
}

/* R6940-7.4.2.2-10 */
static void an_array_value_is_signed_under_index_0_wherever_it_lies(void **state)
{
    struct signers *p = *state;
    struct reload_signer signer;
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_ARRAY, RELOAD_ARRAY_LAST, "", "value");
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.signature.identity.raw = p->a->own->signer_identity;
    for (uint32_t index = 0; index < 5; index++) {
        d.value.index = index;
        assert_int_equal(0, reload_value_verify(p->b, resource, 7, &d, p->a->own->certificates,
                                                signers_now, &signer));
    }
    struct reload_value_signature_input in;
    assert_int_equal(0, reload_value_signature_input(&in, RELOAD_RESOURCE_WITH_LENGTH, resource, 7,
                                                     &d, no_certificates));
    assert_int_equal(in.parts[0].n, 1 + 16 + 4 + 8 + 4);
    assert_memory_equal(in.parts[0].p + 29, "\0\0\0\0", 4);
}

static void a_resource_or_key_too_long_for_its_length_field_is_refused(void **state)
{
    struct signers *p = *state;
    static uint8_t bytes[UINT16_MAX + 1];
    uint8_t made[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = value_of(RELOAD_MODEL_DICTIONARY, 0, "", "value");
    struct reload_slice longest = { bytes, RELOAD_RESOURCE_ID_MAX };
    assert_int_equal(0, reload_value_sign(p->a, longest, 7, &d, made));
    longest.n++;
    assert_int_equal(RELOAD_E_INVALID, reload_value_sign(p->a, longest, 7, &d, made));
    d.value.key = reload_slice_of(bytes, UINT16_MAX);
    assert_int_equal(0, reload_value_sign(p->a, resource, 7, &d, made));
    d.value.key.n++;
    assert_int_equal(RELOAD_E_INVALID, reload_value_sign(p->a, resource, 7, &d, made));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNED(a_value_signature_covers_place_time_and_value_and_not_the_lifetime),
        SIGNED(a_signature_without_the_resource_ids_length_needs_the_switch),
        SIGNED(a_value_is_unsigned_once_its_certificate_has_ended),
        SIGNED(an_array_value_is_signed_under_index_0_wherever_it_lies),
        SIGNED(a_resource_or_key_too_long_for_its_length_field_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
