#include "check.h"

#include "reload/wire/fetch.h"

#define KIND(N) 0, 0, 0, N, 0, 0, 0, 0, 0, 0, 0, 4
#define SINGLE  KIND(2), 0, 0
#define ARRAY   KIND(3), 0, 18, 0, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff
#define KEYS    KIND(1), 0, 7, 0, 5, 0, 1, 'k', 0, 0
#define ALL     KIND(1), 0, 2, 0, 0
#define REQUEST 2, 'i', 'd', 0, 83, SINGLE, ARRAY, KEYS, ALL
#define ANSWER  0, 0, 0, 35, KIND(2), 0, 0, 0, 3, 'x', 'y', 'z', KIND(3), 0, 0, 0, 0

static struct reload_stored_data_specifier decode(struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_stored_data_specifier specifier;
    assert_int_equal(reload_stored_data_specifier_decode(&r, &specifier), 0);
    return specifier;
}

static int open(struct reload_slice wire, enum reload_data_model model)
{
    struct reload_stored_data_specifier specifier = decode(wire);
    struct reload_reader elements;
    return reload_stored_data_specifier_open(&specifier, model, &elements);
}

/* R6940-7.4.2.1-1 R6940-7.4.2.1-2 R6940-7.4.3.1-1 */
static void a_request_is_a_list_of_specifiers(void **state)
{
    (void)state;
    struct reload_fetch_req req;
    assert_int_equal(reload_fetch_req_decode(BYTES(REQUEST), &req), 0);
    assert_slice_equal(req.resource, TEXT("id"));
    struct reload_reader r = reload_reader_over(req.specifiers);
    struct reload_stored_data_specifier specifier;
    static const uint32_t kinds[] = { 2, 3, 1, 1 };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_true(reload_stored_data_specifier_next(&r, &specifier));
        assert_int_equal(specifier.kind, kinds[i]);
        assert_int_equal(specifier.generation, 4);
    }
    assert_false(reload_stored_data_specifier_next(&r, &specifier));
    assert_int_equal(reload_reader_finish(&r), 0);
    check_good("FetchReq", BYTES(REQUEST));
    check_good("FetchReq", BYTES(0, 0, 0));
    check_good("FetchReq", BYTES(0, 0, 15, KIND(9), 0, 1, 7)); /* of a Kind nobody knows */
    check_length("FetchReq", BYTES(REQUEST), 0, 1);
    check_length("FetchReq", BYTES(REQUEST), 3, 2);
    check_length("FetchReq", BYTES(REQUEST), 31, 2);
}

/* R6940-7.4.2.1-3 */
static void ranges_are_pairs_of_unsigned_numbers(void **state)
{
    (void)state;
    struct reload_stored_data_specifier specifier = decode(BYTES(ARRAY));
    struct reload_reader ranges;
    assert_int_equal(reload_stored_data_specifier_open(&specifier, RELOAD_MODEL_ARRAY, &ranges), 0);
    struct reload_array_range range;
    assert_true(reload_array_range_next(&ranges, &range));
    assert_int_equal(range.first, 0);
    assert_int_equal(range.last, 1);
    assert_true(reload_array_range_next(&ranges, &range));
    assert_int_equal(range.first, 5);
    assert_int_equal(range.last, RELOAD_ARRAY_LAST);
    assert_false(reload_array_range_next(&ranges, &range));
}

static void keys_are_opaque_and_none_means_all(void **state)
{
    (void)state;
    struct reload_stored_data_specifier specifier = decode(BYTES(KEYS));
    struct reload_reader keys;
    assert_int_equal(reload_stored_data_specifier_open(&specifier, RELOAD_MODEL_DICTIONARY, &keys),
                     0);
    struct reload_slice key;
    assert_true(reload_dictionary_key_next(&keys, &key));
    assert_slice_equal(key, TEXT("k"));
    assert_true(reload_dictionary_key_next(&keys, &key));
    assert_int_equal(key.n, 0);
    assert_false(reload_dictionary_key_next(&keys, &key));
    specifier = decode(BYTES(ALL));
    assert_int_equal(reload_stored_data_specifier_open(&specifier, RELOAD_MODEL_DICTIONARY, &keys),
                     0);
    assert_false(reload_reader_more(&keys));
}

/* R6940-7.4.2.1-2 R6940-6.3.1-1 */
static void a_specifier_of_another_model_is_refused(void **state)
{
    (void)state;
    assert_int_equal(open(BYTES(SINGLE), RELOAD_MODEL_SINGLE), 0);
    assert_int_equal(open(BYTES(SINGLE), RELOAD_MODEL_ARRAY), RELOAD_E_DECODE);
    assert_int_equal(open(BYTES(SINGLE), RELOAD_MODEL_DICTIONARY), RELOAD_E_DECODE);
    assert_int_equal(open(BYTES(ALL), RELOAD_MODEL_SINGLE), RELOAD_E_DECODE);
    assert_int_equal(open(BYTES(KEYS), RELOAD_MODEL_ARRAY), RELOAD_E_DECODE);
    assert_int_equal(open(BYTES(KIND(3), 0, 6, 0, 4, 0, 0, 0, 0), RELOAD_MODEL_ARRAY),
                     RELOAD_E_DECODE); /* half a range */
    assert_int_equal(open(BYTES(KIND(3), 0, 3, 0, 0, 0), RELOAD_MODEL_ARRAY), RELOAD_E_DECODE);
    assert_int_equal(open(BYTES(KIND(1), 0, 4, 0, 2, 0, 1), RELOAD_MODEL_DICTIONARY),
                     RELOAD_E_DECODE); /* a cut key */
}

static int validate(const struct reload_array_range *ranges, size_t count)
{
    static uint8_t buf[8 * 1024];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    for (size_t i = 0; i < count; i++)
        reload_wr_array_range(&w, ranges[i]);
    assert_int_equal(reload_writer_status(&w), 0);
    return reload_array_ranges_validate(reload_reader_over(reload_writer_slice(&w)));
}

/* R6940-7.4.2.1-5 R6940-7.4.2.1-6 R6940-7.4.2.1-7 */
static void ranges_run_forward_and_do_not_overlap(void **state)
{
    (void)state;
    static const struct {
        int result;
        size_t count;
        struct reload_array_range ranges[3];
    } cases[] = {
        { 0, 0, { { 0, 0 } } },
        { 0, 1, { { 0, 0xffffffff } } },
        { 0, 3, { { 0, 1 }, { 2, 2 }, { 5, 0xffffffff } } },
        { 0, 3, { { 5, 0xffffffff }, { 0, 1 }, { 2, 3 } } },
        { RELOAD_E_INVALID, 1, { { 2, 1 } } },
        { RELOAD_E_INVALID, 2, { { 0, 1 }, { 1, 2 } } },
        { RELOAD_E_INVALID, 3, { { 9, 9 }, { 0, 5 }, { 3, 4 } } },
        { RELOAD_E_INVALID, 2, { { 0, 0xffffffff }, { 0xffffffff, 0xffffffff } } },
        { RELOAD_E_INVALID, 2, { { 5, 6 }, { 4, 5 } } },
        { RELOAD_E_INVALID, 3, { { 0, 1 }, { 2, 2 }, { 2, 3 } } },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(validate(cases[i].ranges, cases[i].count), cases[i].result);
}

static void only_so_many_ranges_may_come_out_of_order(void **state)
{
    (void)state;
    static struct reload_array_range ranges[1024];
    for (uint32_t i = 0; i < COUNT(ranges); i++)
        ranges[i] = (struct reload_array_range){ i, i };
    assert_int_equal(validate(ranges, COUNT(ranges)), 0);
    for (uint32_t i = 0; i < COUNT(ranges); i++)
        ranges[i] = (struct reload_array_range){ 5000 - i, 5000 - i };
    assert_int_equal(validate(ranges, RELOAD_UNORDERED_RANGES_MAX), 0);
    assert_int_equal(validate(ranges, RELOAD_UNORDERED_RANGES_MAX + 1), RELOAD_E_LIMIT);
}

/* R6940-7.4.2.2-1 R6940-7.4.3.2-1 */
static void an_answer_is_a_list_of_kinds(void **state)
{
    (void)state;
    struct reload_fetch_ans ans;
    assert_int_equal(reload_fetch_ans_decode(BYTES(ANSWER), &ans), 0);
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    struct reload_fetch_kind_response response;
    assert_true(reload_fetch_kind_response_next(&r, &response));
    assert_int_equal(response.kind, 2);
    assert_int_equal(response.generation, 4);
    assert_slice_equal(response.values, TEXT("xyz"));
    assert_true(reload_fetch_kind_response_next(&r, &response));
    assert_int_equal(response.kind, 3);
    assert_false(reload_fetch_kind_response_next(&r, &response));
    check_good("FetchAns", BYTES(ANSWER));
    check_good("StatAns", BYTES(ANSWER));
    check_good("FetchAns", BYTES(0, 0, 0, 0));
    check_length("FetchAns", BYTES(ANSWER), 0, 4);
    check_length("FetchAns", BYTES(ANSWER), 16, 4);
}

static void decoded_structures_encode_back_whole(void **state)
{
    (void)state;
    uint8_t buf[128];
    struct reload_fetch_req req;
    assert_int_equal(reload_fetch_req_decode(BYTES(REQUEST), &req), 0);
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_fetch_req_encode(&w, &req), 0);
    assert_slice_equal(reload_writer_slice(&w), BYTES(REQUEST));

    struct reload_fetch_ans ans;
    assert_int_equal(reload_fetch_ans_decode(BYTES(ANSWER), &ans), 0);
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_fetch_ans_encode(&w, &ans), 0);
    assert_slice_equal(reload_writer_slice(&w), BYTES(ANSWER));

    struct reload_reader r = reload_reader_over(ans.kind_responses);
    struct reload_fetch_kind_response response;
    assert_true(reload_fetch_kind_response_next(&r, &response));
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_fetch_kind_response_encode(&w, &response), 0);
    assert_slice_equal(reload_writer_slice(&w), BYTES(KIND(2), 0, 0, 0, 3, 'x', 'y', 'z'));
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("FetchReq", BYTES(REQUEST)) > 900);
    assert_true(check_mutations("FetchAns", BYTES(ANSWER)) > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_a_list_of_specifiers),
        cmocka_unit_test(ranges_are_pairs_of_unsigned_numbers),
        cmocka_unit_test(keys_are_opaque_and_none_means_all),
        cmocka_unit_test(a_specifier_of_another_model_is_refused),
        cmocka_unit_test(ranges_run_forward_and_do_not_overlap),
        cmocka_unit_test(only_so_many_ranges_may_come_out_of_order),
        cmocka_unit_test(an_answer_is_a_list_of_kinds),
        cmocka_unit_test(decoded_structures_encode_back_whole),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
