#include "check.h"

#include "reload/wire/ping.h"

/* R6940-6.5.3.1-1 */
static void a_request_is_padding(void **state)
{
    (void)state;
    struct reload_ping_req req;
    assert_int_equal(reload_ping_req_decode(BYTES(0, 2, 7, 8), &req), 0);
    assert_slice_equal(req.padding, BYTES(7, 8));
    check_good("PingReq", BYTES(0, 2, 7, 8));
    check_good("PingReq", BYTES(0, 0));
    check_length("PingReq", BYTES(0, 2, 7, 8), 0, 2);
}

static void padding_reaches_65535_bytes(void **state)
{
    (void)state;
    static uint8_t padding[65536], buf[65540];
    struct reload_ping_req req = { reload_slice_of(padding, 65535) };
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_ping_req_encode(&w, &req), 0);
    assert_int_equal(reload_ping_req_decode(reload_writer_slice(&w), &req), 0);
    assert_int_equal(req.padding.n, 65535);
    req.padding = reload_slice_of(padding, 65536);
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_ping_req_encode(&w, &req), RELOAD_E_NOSPACE);
}

/* R6940-6.5.3.2-1 */
static void an_answer_is_two_64_bit_numbers(void **state)
{
    (void)state;
    struct reload_slice wire =
        BYTES(0xa1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x7b);
    struct reload_ping_ans ans;
    assert_int_equal(reload_ping_ans_decode(wire, &ans), 0);
    assert_true(ans.response_id == 0xa102030405060708u);
    assert_true(ans.time_ms == 1700000000123u);
    check_good("PingAns", wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_padding),
        cmocka_unit_test(padding_reaches_65535_bytes),
        cmocka_unit_test(an_answer_is_two_64_bit_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
