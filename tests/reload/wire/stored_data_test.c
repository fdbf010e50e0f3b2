#include "check.h"

#include "reload/wire/stored_data.h"

#define TIMES     0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0, 0, 1, 0x51, 0x80
#define ABC       1, 0, 0, 0, 3, 'a', 'b', 'c'
#define SIGNATURE 4, 3, 1, 0, 4, 4, 2, 0xaa, 0xbb, 0, 1, 's'

#define SINGLE     0, 0, 0, 32, TIMES, ABC, SIGNATURE
#define ARRAY      0, 0, 0, 36, TIMES, 0xff, 0xff, 0xff, 0xff, ABC, SIGNATURE
#define DICTIONARY 0, 0, 0, 35, TIMES, 0, 1, 'k', ABC, SIGNATURE

static struct reload_stored_data decode(struct reload_slice wire, enum reload_data_model model)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_stored_data data;
    assert_true(reload_stored_data_next(&r, model, &data));
    assert_false(reload_stored_data_next(&r, model, &data) && r.failed);
    assert_int_equal(reload_reader_finish(&r), 0);
    return data;
}

/* R6940-7-1 R6940-7.2-1 */
static void a_single_value_is_bare(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(SINGLE);
    struct reload_stored_data data = decode(wire, RELOAD_MODEL_SINGLE);
    assert_true(data.storage_time_ms == 1700000000000u);
    assert_int_equal(data.lifetime_s, 86400);
    assert_int_equal(data.value.model, RELOAD_MODEL_SINGLE);
    assert_true(data.value.data.exists);
    assert_slice_equal(data.value.data.value, TEXT("abc"));
    assert_slice_equal(data.value.raw, BYTES(ABC));
    assert_int_equal(data.signature.signature_algorithm, RELOAD_SIGNATURE_ECDSA);
    assert_slice_equal(data.signature.value, TEXT("s"));
    assert_ptr_equal(data.raw.p, wire.p);
    assert_int_equal(data.raw.n, wire.n);
    check_good("StoredData SINGLE", wire);
}

/* R6940-7.2-2 */
static void an_array_entry_has_an_index_and_a_dictionary_entry_a_key(void **state)
{
    (void)state;
    struct reload_stored_data data = decode(BYTES(ARRAY), RELOAD_MODEL_ARRAY);
    assert_int_equal(data.value.index, RELOAD_ARRAY_LAST);
    assert_slice_equal(data.value.raw, BYTES(0xff, 0xff, 0xff, 0xff, ABC));
    check_good("StoredData ARRAY", BYTES(ARRAY));

    data = decode(BYTES(DICTIONARY), RELOAD_MODEL_DICTIONARY);
    assert_slice_equal(data.value.key, TEXT("k"));
    assert_slice_equal(data.value.data.value, TEXT("abc"));
    assert_slice_equal(data.value.raw, BYTES(0, 1, 'k', ABC));
    check_good("StoredData DICTIONARY", BYTES(DICTIONARY));
}

static void lengths_that_are_wrong_are_refused(void **state)
{
    (void)state;
    check_length("StoredData SINGLE", BYTES(SINGLE), 0, 4);
    check_length("StoredData SINGLE", BYTES(SINGLE), 17, 4); /* value */
    check_length("StoredData SINGLE", BYTES(SINGLE), 27, 2); /* identity */
    check_length("StoredData SINGLE", BYTES(SINGLE), 33, 2); /* signature_value */
    check_length("StoredData ARRAY", BYTES(ARRAY), 0, 4);
    check_length("StoredData DICTIONARY", BYTES(DICTIONARY), 0, 4);
    check_length("StoredData DICTIONARY", BYTES(DICTIONARY), 16, 2); /* key */
}

/* R6940-7.2-1 R6940-6.3.1.1-1 */
static void exists_is_a_boolean(void **state)
{
    (void)state;
    check_good("StoredData SINGLE", BYTES(0, 0, 0, 29, TIMES, 0, 0, 0, 0, 0, SIGNATURE));
    check_bad("StoredData SINGLE", BYTES(0, 0, 0, 29, TIMES, 2, 0, 0, 0, 0, SIGNATURE));
}

static void a_value_read_under_another_model_is_refused_here(void **state)
{
    (void)state;
    check_bad("StoredData ARRAY", BYTES(SINGLE));
    check_bad("StoredData DICTIONARY", BYTES(ARRAY));
    check_bad("StoredData SINGLE", BYTES(DICTIONARY));
}

static void values_of_an_unknown_kind_can_be_stepped_over(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(SINGLE, 0, 0, 0, 1, 9);
    struct reload_reader r = reload_reader_over(wire);
    struct reload_slice raw;
    assert_true(reload_stored_data_next_raw(&r, &raw));
    assert_slice_equal(raw, BYTES(SINGLE));
    assert_true(reload_stored_data_next_raw(&r, &raw));
    assert_slice_equal(raw, BYTES(0, 0, 0, 1, 9));
    assert_false(reload_stored_data_next_raw(&r, &raw));
    assert_int_equal(reload_reader_finish(&r), 0);
    r = reload_reader_over(BYTES(0, 0, 0, 2, 9));
    assert_false(reload_stored_data_next_raw(&r, &raw));
    assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
}

static void a_walk_that_meets_a_bad_element_fails_the_reader(void **state)
{
    (void)state;
    struct reload_reader r = reload_reader_over(BYTES(SINGLE, 0, 0, 0, 1, 9));
    struct reload_stored_data data;
    assert_true(reload_stored_data_next(&r, RELOAD_MODEL_SINGLE, &data));
    assert_false(reload_stored_data_next(&r, RELOAD_MODEL_SINGLE, &data));
    assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
}

static void a_synthesized_value_has_no_signature(void **state)
{
    (void)state;
    struct reload_stored_data data = { .signature = reload_signature_none() };
    uint8_t buf[64];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_stored_data_encode(&w, &data), 0);
    assert_slice_equal(reload_writer_slice(&w),
                       BYTES(0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* times */
                             0, 0, 0, 0, 0,                                   /* not there */
                             0, 0, 3, 0, 0, 0, 0));
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("StoredData SINGLE", BYTES(SINGLE)) > 400);
    assert_true(check_mutations("StoredData ARRAY", BYTES(ARRAY)) > 400);
    assert_true(check_mutations("StoredData DICTIONARY", BYTES(DICTIONARY)) > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_value_is_bare),
        cmocka_unit_test(an_array_entry_has_an_index_and_a_dictionary_entry_a_key),
        cmocka_unit_test(lengths_that_are_wrong_are_refused),
        cmocka_unit_test(exists_is_a_boolean),
        cmocka_unit_test(a_value_read_under_another_model_is_refused_here),
        cmocka_unit_test(values_of_an_unknown_kind_can_be_stepped_over),
        cmocka_unit_test(a_walk_that_meets_a_bad_element_fails_the_reader),
        cmocka_unit_test(a_synthesized_value_has_no_signature),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
