#include "check.h"

#include "reload/wire/join.h"

#define REQUEST SIXTEEN(0x11), 0, 2, 'a', 'b'

/* R6940-6.4.2.1-1 */
static void a_join_names_the_joining_peer(void **state)
{
    (void)state;
    struct reload_join_req req;
    assert_int_equal(reload_join_req_decode(BYTES(REQUEST), 16, &req), 0);
    assert_slice_equal(reload_node_id_slice(&req.joining_peer_id), BYTES(SIXTEEN(0x11)));
    assert_slice_equal(req.overlay_specific_data, TEXT("ab"));
    check_good("JoinReq", BYTES(REQUEST));
    check_good("JoinReq", BYTES(SIXTEEN(0x11), 0, 0));
    check_length("JoinReq", BYTES(REQUEST), 16, 2);
    check_good("JoinAns", BYTES(0, 1, 'x'));
    check_good("JoinAns", BYTES(0, 0));
    check_length("JoinAns", BYTES(0, 1, 'x'), 0, 2);
}

/* R6940-6.4.2.2-1 */
static void a_leave_names_the_leaving_peer(void **state)
{
    (void)state;
    struct reload_leave_req req;
    assert_int_equal(reload_leave_req_decode(BYTES(REQUEST), 16, &req), 0);
    assert_slice_equal(reload_node_id_slice(&req.leaving_peer_id), BYTES(SIXTEEN(0x11)));
    assert_slice_equal(req.overlay_specific_data, TEXT("ab"));
    check_good("LeaveReq", BYTES(REQUEST));
    check_length("LeaveReq", BYTES(REQUEST), 16, 2);
}

/* R6940-3-1 */
static void nobody_is_all_zeros(void **state)
{
    (void)state;
    check_bad("JoinReq", BYTES(SIXTEEN(0), 0, 0));
    check_bad("LeaveReq", BYTES(SIXTEEN(0), 0, 0));
}

static void node_ids_of_20_bytes_are_read_as_such(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(SIXTEEN(0x11), 1, 2, 3, 4, 0, 0);
    struct reload_join_req req;
    assert_int_equal(reload_join_req_decode(wire, 20, &req), 0);
    assert_int_equal(req.joining_peer_id.len, 20);
    assert_int_equal(reload_join_req_decode(wire, 16, &req), RELOAD_E_DECODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_join_names_the_joining_peer),
        cmocka_unit_test(a_leave_names_the_leaving_peer),
        cmocka_unit_test(nobody_is_all_zeros),
        cmocka_unit_test(node_ids_of_20_bytes_are_read_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
