#include "check.h"

#include "reload/wire/turn_server.h"

#define SERVER 3, 1, 6, 192, 0, 2, 1, 0x0d, 0x96

/* R6940-9-6 */
static void a_turn_server_has_its_iteration_and_address(void **state)
{
    (void)state;
    struct reload_turn_server server;
    assert_int_equal(reload_turn_server_decode(BYTES(SERVER), &server), 0);
    assert_int_equal(server.iteration, 3);
    assert_slice_equal(server.server_address.address, BYTES(192, 0, 2, 1));
    assert_int_equal(server.server_address.port, 3478);
    check_good("TurnServer", BYTES(SERVER));
    check_length("TurnServer", BYTES(SERVER), 2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_server_has_its_iteration_and_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
