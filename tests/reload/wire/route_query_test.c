#include "check.h"

#include "reload/wire/route_query.h"

#define NODE 1, 1, 16, SIXTEEN(0x22), 0, 1, 'z'

/* R6940-6.4.2.4.1-1 */
static void a_query_holds_one_destination_of_any_type(void **state)
{
    (void)state;
    struct reload_route_query_req req;
    assert_int_equal(reload_route_query_req_decode(BYTES(NODE), 16, &req), 0);
    assert_true(req.send_update);
    assert_int_equal(req.destination.type, RELOAD_DEST_NODE);
    assert_slice_equal(req.destination.id, BYTES(SIXTEEN(0x22)));
    assert_slice_equal(req.overlay_specific_data, TEXT("z"));
    check_good("RouteQueryReq", BYTES(NODE));
    check_good("RouteQueryReq", BYTES(0, 2, 3, 2, 7, 7, 0, 0));
    check_good("RouteQueryReq", BYTES(0, 0x90, 1, 0, 0));
    check_length("RouteQueryReq", BYTES(NODE), 2, 1);
    check_length("RouteQueryReq", BYTES(NODE), 19, 2);
}

/* R6940-6.4.2.4.1-2 */
static void send_update_is_true_or_false(void **state)
{
    (void)state;
    check_bad("RouteQueryReq", BYTES(2, 0x90, 1, 0, 0));
    check_bad("RouteQueryReq", BYTES(255, 0x90, 1, 0, 0));
}

static void every_mutation_is_refused_or_kept(void **state)
{
    (void)state;
    assert_true(check_mutations("RouteQueryReq", BYTES(NODE)) > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_holds_one_destination_of_any_type),
        cmocka_unit_test(send_update_is_true_or_false),
        cmocka_unit_test(every_mutation_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
