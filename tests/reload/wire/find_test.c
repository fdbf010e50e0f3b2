#include "check.h"

#include "reload/wire/find.h"

#define REQUEST 2, 'i', 'd', 8, 0, 0, 0, 1, 0, 0, 0, 16
#define ANSWER  0, 12, 0, 0, 0, 1, 2, 'i', 'd', 0, 0, 0, 2, 0

/* R6940-7.4.4.1-1 R6940-6.3.1-1 */
static void a_request_names_kinds(void **state)
{
    (void)state;
    struct reload_find_req req;
    assert_int_equal(reload_find_req_decode(BYTES(REQUEST), &req), 0);
    assert_slice_equal(req.resource, TEXT("id"));
    struct reload_reader r = reload_reader_over(req.kinds);
    uint32_t kind;
    assert_true(reload_kind_id_next(&r, &kind));
    assert_int_equal(kind, 1);
    assert_true(reload_kind_id_next(&r, &kind));
    assert_int_equal(kind, 16);
    assert_false(reload_kind_id_next(&r, &kind));
    check_good("FindReq", BYTES(REQUEST));
    check_good("FindReq", BYTES(0, 0));
    check_length("FindReq", BYTES(REQUEST), 0, 1);
    check_length("FindReq", BYTES(REQUEST), 3, 1);
    check_bad("FindReq", BYTES(0, 5, 0, 0, 0, 1, 0));
    check_bad("FindReq", BYTES(0, 6, 0, 0, 0, 1, 0, 0));
}

/* R6940-7.4.4.1-2 */
static void a_kind_appears_once(void **state)
{
    (void)state;
    struct reload_find_req req = { .kinds = BYTES(0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3) };
    assert_int_equal(reload_find_req_validate(&req), 0);
    req.kinds = BYTES(0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1);
    assert_int_equal(reload_find_req_validate(&req), RELOAD_E_INVALID);
    req.kinds = reload_slice_of(NULL, 0);
    assert_int_equal(reload_find_req_validate(&req), 0);
}

/* R6940-7.4.4.2-1 */
static void an_answer_gives_the_closest_resource_of_each_kind(void **state)
{
    (void)state;
    struct reload_find_ans ans;
    assert_int_equal(reload_find_ans_decode(BYTES(ANSWER), &ans), 0);
    struct reload_reader r = reload_reader_over(ans.results);
    struct reload_find_kind_data data;
    assert_true(reload_find_kind_data_next(&r, &data));
    assert_int_equal(data.kind, 1);
    assert_slice_equal(data.closest, TEXT("id"));
    assert_true(reload_find_kind_data_next(&r, &data));
    assert_int_equal(data.closest.n, 0);
    assert_false(reload_find_kind_data_next(&r, &data));
    check_good("FindAns", BYTES(ANSWER));
    check_good("FindAns", BYTES(0, 0));
    check_length("FindAns", BYTES(ANSWER), 0, 2);
    check_length("FindAns", BYTES(ANSWER), 6, 1);
    check_good("FindKindData", BYTES(0, 0, 0, 2, 1, 9));
    check_length("FindKindData", BYTES(0, 0, 0, 2, 1, 9), 4, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_names_kinds),
        cmocka_unit_test(a_kind_appears_once),
        cmocka_unit_test(an_answer_gives_the_closest_resource_of_each_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
