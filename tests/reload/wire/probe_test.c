#include "check.h"

#include "reload/wire/probe.h"

#define ANSWER                                                                                     \
    0, 23, 1, 4, 0x1d, 0xcd, 0x65, 0, 2, 4, 0, 0, 0, 7, 3, 4, 0, 1, 0x51, 0x80, 0x4d, 3, 'x', 'y', \
        'z'

/* R6940-6.4.2.5.1-1 */
static void a_request_lists_types(void **state)
{
    (void)state;
    struct reload_probe_req req;
    assert_int_equal(reload_probe_req_decode(BYTES(3, 1, 2, 3), &req), 0);
    assert_slice_equal(req.requested_info, BYTES(1, 2, 3));
    check_good("ProbeReq", BYTES(3, 1, 2, 3));
    check_good("ProbeReq", BYTES(0));
    check_length("ProbeReq", BYTES(3, 1, 2, 3), 0, 1);
}

/* R6940-6.4.2.5.2-1 R6940-6.4.2.5.2-2 R6940-14.13-1 */
static void an_answer_gives_numbers_and_keeps_unknown_types(void **state)
{
    (void)state;
    struct reload_probe_ans ans;
    assert_int_equal(reload_probe_ans_decode(BYTES(ANSWER), &ans), 0);
    struct reload_reader r = reload_reader_over(ans.probe_info);
    struct reload_probe_information info;
    static const uint32_t numbers[] = { 500000000, 7, 86400 };
    for (uint8_t i = 0; i < COUNT(numbers); i++) {
        assert_true(reload_probe_information_next(&r, &info));
        assert_int_equal(info.type, i + 1);
        assert_int_equal(info.number, numbers[i]);
        assert_int_equal(info.value.n, 4);
    }
    assert_true(reload_probe_information_next(&r, &info));
    assert_int_equal(info.type, 77);
    assert_slice_equal(info.value, TEXT("xyz"));
    assert_false(reload_probe_information_next(&r, &info));
    check_good("ProbeAns", BYTES(ANSWER));
    check_good("ProbeAns", BYTES(0, 0));
    check_length("ProbeAns", BYTES(ANSWER), 0, 2);
    check_length("ProbeAns", BYTES(ANSWER), 3, 1);
}

/* R6940-6.4.2.5.2-1 */
static void a_known_type_has_four_bytes_and_type_0_is_refused(void **state)
{
    (void)state;
    check_good("ProbeInformation", BYTES(3, 4, 0, 0, 0, 1));
    check_good("ProbeInformation", BYTES(4, 0));
    for (uint8_t type = 1; type <= 3; type++) {
        check_bad("ProbeInformation", BYTES(type, 3, 0, 0, 1));
        check_bad("ProbeInformation", BYTES(type, 5, 0, 0, 0, 0, 1));
        check_bad("ProbeInformation", BYTES(type, 0));
    }
    check_bad("ProbeInformation", BYTES(0, 0));
    uint8_t buf[8];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_probe_information_encode(&w, &(struct reload_probe_information){ 0 }),
                     RELOAD_E_NOSPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_lists_types),
        cmocka_unit_test(an_answer_gives_numbers_and_keeps_unknown_types),
        cmocka_unit_test(a_known_type_has_four_bytes_and_type_0_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
