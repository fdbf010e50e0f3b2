#include "check.h"

#include "reload/wire/stat.h"

#define TIMES 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 60
#define META  1, 0, 0, 0, 5, 4, 2, 0xcd, 0x42

#define SINGLE     0, 0, 0, 21, TIMES, META
#define ARRAY      0, 0, 0, 25, TIMES, 0, 0, 0, 7, META
#define DICTIONARY 0, 0, 0, 24, TIMES, 0, 1, 'k', META

static struct reload_stored_meta_data decode(struct reload_slice wire, enum reload_data_model model)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_stored_meta_data data;
    assert_true(reload_stored_meta_data_next(&r, model, &data));
    assert_int_equal(reload_reader_finish(&r), 0);
    return data;
}

/* R6940-7.4.3.2-2 R6940-7.4.3.2-3 */
static void meta_data_parallels_stored_data(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(SINGLE);
    struct reload_stored_meta_data data = decode(wire, RELOAD_MODEL_SINGLE);
    assert_int_equal(data.storage_time_ms, 5);
    assert_int_equal(data.lifetime_s, 60);
    assert_true(data.data.exists);
    assert_int_equal(data.data.value_length, 5);
    assert_int_equal(data.data.hash_algorithm, RELOAD_HASH_SHA256);
    assert_slice_equal(data.data.hash_value, BYTES(0xcd, 0x42));
    assert_int_equal(data.raw.n, wire.n);
    assert_int_equal(decode(BYTES(ARRAY), RELOAD_MODEL_ARRAY).index, 7);
    assert_slice_equal(decode(BYTES(DICTIONARY), RELOAD_MODEL_DICTIONARY).key, TEXT("k"));
    check_good("StoredMetaData SINGLE", wire);
    check_good("StoredMetaData ARRAY", BYTES(ARRAY));
    check_good("StoredMetaData DICTIONARY", BYTES(DICTIONARY));
}

static void lengths_that_are_wrong_are_refused(void **state)
{
    (void)state;
    check_length("StoredMetaData SINGLE", BYTES(SINGLE), 0, 4);
    check_length("StoredMetaData SINGLE", BYTES(SINGLE), 22, 1);
    check_length("StoredMetaData ARRAY", BYTES(ARRAY), 0, 4);
    check_length("StoredMetaData DICTIONARY", BYTES(DICTIONARY), 0, 4);
    check_length("StoredMetaData DICTIONARY", BYTES(DICTIONARY), 16, 2);
    check_bad("StoredMetaData SINGLE", BYTES(0, 0, 0, 19, TIMES, 2, 0, 0, 0, 5, 4, 0));
}

/* R6940-7.4.3.2-1 */
static void an_answer_holds_them_by_kind(void **state)
{
    (void)state;
    struct reload_slice wire =
        BYTES(0, 0, 0, 70, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 54, ARRAY, SINGLE);
    struct reload_fetch_ans ans;
    assert_int_equal(reload_fetch_ans_decode(wire, &ans), 0);
    struct reload_reader kinds = reload_reader_over(ans.kind_responses);
    struct reload_fetch_kind_response response;
    assert_true(reload_fetch_kind_response_next(&kinds, &response));
    struct reload_reader values = reload_reader_over(response.values);
    struct reload_stored_meta_data data;
    assert_true(reload_stored_meta_data_next(&values, RELOAD_MODEL_ARRAY, &data));
    assert_false(reload_stored_meta_data_next(&values, RELOAD_MODEL_ARRAY, &data));
    assert_int_equal(reload_reader_status(&values), RELOAD_E_DECODE); /* SINGLE is no ARRAY */
    check_good("StatAns", wire);
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("StoredMetaData SINGLE", BYTES(SINGLE)) > 300);
    assert_true(check_mutations("StoredMetaData ARRAY", BYTES(ARRAY)) > 300);
    assert_true(check_mutations("StoredMetaData DICTIONARY", BYTES(DICTIONARY)) > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meta_data_parallels_stored_data),
        cmocka_unit_test(lengths_that_are_wrong_are_refused),
        cmocka_unit_test(an_answer_holds_them_by_kind),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
