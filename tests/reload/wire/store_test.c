#include "check.h"

#include "reload/wire/store.h"

#define DATA                                                                                       \
    0, 0, 0, 27, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 60, 1, 0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 3, 0, 0, \
        0, 0
#define KIND_X   0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 31, DATA
#define KIND_Y   0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 107, 0, 0, 0, 0
#define REQUEST  4, '1', '2', '3', '4', 0, 0, 0, 0, 63, KIND_X, KIND_Y
#define RESPONSE 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 6, 0, 32, SIXTEEN(2), SIXTEEN(3)
#define ANSWER   0, 60, RESPONSE, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0

/* R6940-7.4.1.1-1 R6940-7.4.1.1-2 */
static void a_request_holds_kinds_and_they_hold_values(void **state)
{
    (void)state;
    struct reload_store_req req;
    assert_int_equal(reload_store_req_decode(BYTES(REQUEST), &req), 0);
    assert_slice_equal(req.resource, TEXT("1234"));
    assert_int_equal(req.replica_number, 0);
    struct reload_reader kinds = reload_reader_over(req.kind_data);
    struct reload_store_kind_data kind;
    assert_true(reload_store_kind_data_next(&kinds, &kind));
    assert_int_equal(kind.kind, 2);
    assert_int_equal(kind.generation_counter, 99);
    struct reload_reader values = reload_reader_over(kind.values);
    struct reload_stored_data data;
    assert_true(reload_stored_data_next(&values, RELOAD_MODEL_SINGLE, &data));
    assert_slice_equal(data.value.data.value, TEXT("abc"));
    assert_false(reload_stored_data_next(&values, RELOAD_MODEL_SINGLE, &data));
    assert_true(reload_store_kind_data_next(&kinds, &kind));
    assert_int_equal(kind.generation_counter, 107);
    assert_int_equal(kind.values.n, 0);
    assert_false(reload_store_kind_data_next(&kinds, &kind));
    assert_int_equal(reload_reader_finish(&kinds), 0);
    check_good("StoreReq", BYTES(REQUEST));
    check_good("StoreReq", BYTES(0, 7, 0, 0, 0, 0));
}

static void lengths_that_are_wrong_are_refused(void **state)
{
    (void)state;
    check_length("StoreReq", BYTES(REQUEST), 0, 1);
    check_length("StoreReq", BYTES(REQUEST), 6, 4);
    check_length("StoreReq", BYTES(REQUEST), 22, 4); /* values of X */
    check_length("StoreReq", BYTES(REQUEST), 69, 4); /* values of Y */
    check_length("StoreAns", BYTES(ANSWER), 0, 2);
    check_length("StoreAns", BYTES(ANSWER), 14, 2);
    check_length("StoreAns", BYTES(ANSWER), 60, 2);
}

static void decoded_structures_encode_back_whole(void **state)
{
    (void)state;
    uint8_t buf[128];
    struct reload_store_req req;
    assert_int_equal(reload_store_req_decode(BYTES(REQUEST), &req), 0);
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_store_req_encode(&w, &req), 0);
    assert_slice_equal(reload_writer_slice(&w), BYTES(REQUEST));

    struct reload_reader r = reload_reader_over(req.kind_data);
    struct reload_store_kind_data kind;
    assert_true(reload_store_kind_data_next(&r, &kind));
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_store_kind_data_encode(&w, &kind), 0);
    assert_slice_equal(reload_writer_slice(&w), BYTES(KIND_X));

    struct reload_store_ans ans;
    assert_int_equal(reload_store_ans_decode(BYTES(ANSWER), 16, &ans), 0);
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_store_ans_encode(&w, &ans), 0);
    assert_slice_equal(reload_writer_slice(&w), BYTES(ANSWER));
}

/* R6940-7.4.1.2-1 */
static void an_answer_gives_counters_and_replicas(void **state)
{
    (void)state;
    struct reload_store_ans ans;
    assert_int_equal(reload_store_ans_decode(BYTES(ANSWER), 16, &ans), 0);
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    struct reload_store_kind_response response;
    assert_true(reload_store_kind_response_next(&r, 16, &response));
    assert_int_equal(response.kind, 2);
    assert_int_equal(response.generation_counter, 6);
    assert_slice_equal(response.replicas, BYTES(SIXTEEN(2), SIXTEEN(3)));
    assert_true(reload_store_kind_response_next(&r, 16, &response));
    assert_int_equal(response.replicas.n, 0);
    assert_false(reload_store_kind_response_next(&r, 16, &response));
    check_good("StoreAns", BYTES(ANSWER));
    check_good("StoreAns", BYTES(0, 0));
}

/* R6940-6.3.1-1 */
static void replicas_are_whole_node_ids(void **state)
{
    (void)state;
    check_bad("StoreAns", BYTES(0, 31, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 6, 0, 17, SIXTEEN(2), 3));
    check_bad("StoreAns", BYTES(0, 30, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 6, 0, 16, SIXTEEN(0)));
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("StoreReq", BYTES(REQUEST)) > 800);
    assert_true(check_mutations("StoreAns", BYTES(ANSWER)) > 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_holds_kinds_and_they_hold_values),
        cmocka_unit_test(lengths_that_are_wrong_are_refused),
        cmocka_unit_test(decoded_structures_encode_back_whole),
        cmocka_unit_test(an_answer_gives_counters_and_replicas),
        cmocka_unit_test(replicas_are_whole_node_ids),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
