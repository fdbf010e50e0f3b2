/* Stores that are refused or come again: RFC 6940 s7.4.1.1, s6.2.1. */
#include "tests/reload/node/storage_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* R6940-7.4.1.1-6 */
static void an_original_store_is_refused_where_nobody_is_responsible(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    rig.fake.owns_everything = false;
    struct rig_message m = storage_message(&rig, 0, 1000);
    m.destination_list = rig_nodes(&rig.me.id, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(storage_error_sent(&rig, 0), RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(storage_values(&rig), 0);
    rig_fini(&rig);
}

/* R6940-6.2.1-10: with the second answer out of the cache, not Error_Data_Too_Old. */
static void a_repeated_store_is_not_stored_again(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    struct rig_message m = storage_message(&rig, 0, 1000);
    m.transaction_id = 9;
    rig_receive(&rig, 1, &m);
    rig_clear(&rig);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_STORE_ANS);
    m.transaction_id = 10;
    rig_receive(&rig, 1, &m);
    assert_int_equal(storage_error_sent(&rig, 1), RELOAD_ERROR_DATA_TOO_OLD);
    rig_fini(&rig);
}

static void a_malformed_store_is_an_invalid_message(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    static const uint16_t codes[] = { RELOAD_STORE_REQ, RELOAD_FETCH_REQ, RELOAD_STAT_REQ,
                                      RELOAD_FIND_REQ };
    for (size_t i = 0; i < 4; i++) {
        struct rig_message m = storage_message(&rig, 0, 1000);
        m.code = codes[i];
        m.body = reload_slice_of("\20abc", 4);
        rig_receive(&rig, 1, &m);
        assert_int_equal(storage_error_sent(&rig, i), RELOAD_ERROR_INVALID_MESSAGE);
    }
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_original_store_is_refused_where_nobody_is_responsible),
        cmocka_unit_test(a_repeated_store_is_not_stored_again),
        cmocka_unit_test(a_malformed_store_is_an_invalid_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
