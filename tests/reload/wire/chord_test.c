#include "check.h"

#include "reload/wire/chord.h"

#define ONE   0, 16, SIXTEEN(1)
#define TWO   0, 32, SIXTEEN(2), SIXTEEN(3)
#define EMPTY 0, 0

static struct reload_chord_update decode(struct reload_slice wire)
{
    struct reload_chord_update update;
    assert_int_equal(reload_chord_update_decode(wire, 16, &update), 0);
    return update;
}

/* R6940-10.7-1 R6940-10.7-2 */
static void an_update_carries_the_lists_of_its_type(void **state)
{
    (void)state;
    struct reload_chord_update update = decode(BYTES(0, 0, 0x0e, 0x10, 1));
    assert_int_equal(update.uptime_s, 3600);
    assert_int_equal(update.type, RELOAD_CHORD_UPDATE_PEER_READY);
    assert_int_equal(update.predecessors.n + update.successors.n + update.fingers.n, 0);

    update = decode(BYTES(0, 0, 0, 1, 2, ONE, TWO));
    assert_int_equal(update.type, RELOAD_CHORD_UPDATE_NEIGHBORS);
    assert_slice_equal(update.predecessors, BYTES(SIXTEEN(1)));
    assert_slice_equal(update.successors, BYTES(SIXTEEN(2), SIXTEEN(3)));
    assert_int_equal(update.fingers.n, 0);

    update = decode(BYTES(0, 0, 0, 1, 3, ONE, EMPTY, TWO));
    assert_int_equal(update.type, RELOAD_CHORD_UPDATE_FULL);
    assert_int_equal(update.successors.n, 0);
    assert_slice_equal(update.fingers, BYTES(SIXTEEN(2), SIXTEEN(3)));

    check_good("ChordUpdate", BYTES(0, 0, 0x0e, 0x10, 1));
    check_good("ChordUpdate", BYTES(0, 0, 0, 1, 2, ONE, TWO));
    check_good("ChordUpdate", BYTES(0, 0, 0, 1, 2, EMPTY, EMPTY));
    check_good("ChordUpdate", BYTES(0, 0, 0, 1, 3, ONE, EMPTY, TWO));
}

static void lists_of_other_than_whole_node_ids_are_refused(void **state)
{
    (void)state;
    struct reload_slice neighbors = BYTES(0, 0, 0, 1, 2, ONE, TWO);
    check_length("ChordUpdate", neighbors, 5, 2);
    check_length("ChordUpdate", neighbors, 23, 2);
    check_bad("ChordUpdate", BYTES(0, 0, 0, 1, 2, 0, 15, SIXTEEN(1), 0, 0));
    check_bad("ChordUpdate", BYTES(0, 0, 0, 1, 2, 0, 16, SIXTEEN(0), 0, 0));
}

/* R6940-10.7-1 R6940-6.3.1.1-8 */
static void an_update_of_another_type_is_refused(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++)
        if (type < 1 || type > 3)
            check_bad("ChordUpdate", BYTES(0, 0, 0, 1, (uint8_t)type));
    uint8_t buf[64];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    struct reload_chord_update update = { .type = 4 };
    assert_int_equal(reload_chord_update_encode(&w, &update), RELOAD_E_NOSPACE);
}

/* R6940-10.9-3 */
static void a_leave_carries_the_neighbors_of_its_side(void **state)
{
    (void)state;
    struct reload_chord_leave leave;
    assert_int_equal(reload_chord_leave_decode(BYTES(1, TWO), 16, &leave), 0);
    assert_int_equal(leave.type, RELOAD_CHORD_LEAVE_FROM_SUCC);
    assert_slice_equal(leave.neighbors, BYTES(SIXTEEN(2), SIXTEEN(3)));
    check_good("ChordLeaveData", BYTES(1, TWO));
    check_good("ChordLeaveData", BYTES(2, EMPTY));
    check_bad("ChordLeaveData", BYTES(0, EMPTY));
    check_bad("ChordLeaveData", BYTES(3, EMPTY));
    check_length("ChordLeaveData", BYTES(1, TWO), 1, 2);
    uint8_t buf[64];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    leave.type = 0;
    assert_int_equal(reload_chord_leave_encode(&w, &leave), RELOAD_E_NOSPACE);
}

/* R6940-10.8-1 */
static void a_route_query_answer_is_one_node_id(void **state)
{
    (void)state;
    struct reload_chord_route_query_ans ans;
    assert_int_equal(reload_chord_route_query_ans_decode(BYTES(SIXTEEN(9)), 16, &ans), 0);
    assert_int_equal(ans.next_peer.bytes[0], 9);
    check_good("ChordRouteQueryAns", BYTES(SIXTEEN(9)));
    check_bad("ChordRouteQueryAns", BYTES(SIXTEEN(0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_carries_the_lists_of_its_type),
        cmocka_unit_test(lists_of_other_than_whole_node_ids_are_refused),
        cmocka_unit_test(an_update_of_another_type_is_refused),
        cmocka_unit_test(a_leave_carries_the_neighbors_of_its_side),
        cmocka_unit_test(a_route_query_answer_is_one_node_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
