/* Answers that wait until the rows are on the disk. */
#include "tests/reload/node/storage_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* DESIGN s2: StoreAns and replicas wait until the rows are written; a repetition meanwhile is
 * silent. */
static void with_a_disk_the_answer_waits_for_it(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, true);
    struct rig_message m = storage_message(&rig, 0, 1000);
    m.transaction_id = 9;
    rig_receive(&rig, 1, &m);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_PERSIST), 1);
    const struct reload_action_persist *p =
        &rig_action(&rig, RELOAD_ACTION_PERSIST, 0)->action.persist;
    assert_true(p->row_count >= 1);
    reload_node_persisted(rig.node, p->token, true, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_STORE_ANS);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 4); /* from the cache */
    rig_fini(&rig);
}

static void tokens_are_acknowledged_in_bulk_and_in_order(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, true);
    rig.fake.replica_count = 0;
    uint64_t ids[3];
    for (size_t i = 0; i < 3; i++) {
        struct rig_message m = storage_message(&rig, i, 1000);
        ids[i] = rig_receive(&rig, (reload_link_id)(i + 1), &m);
    }
    uint64_t second = rig_action(&rig, RELOAD_ACTION_PERSIST, 1)->action.persist.token;
    reload_node_persisted(rig.node, second, true, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 2);
    assert_int_equal(rig_sent(&rig, 0, NULL).header.transaction_id, ids[0]);
    assert_int_equal(rig_sent(&rig, 1, NULL).header.transaction_id, ids[1]);
    rig_fini(&rig);
}

/* Disk full: the writer is told, and nothing is acknowledged. */
static void what_could_not_be_written_is_not_acknowledged(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, true);
    struct rig_message m = storage_message(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    reload_node_persisted(
        rig.node, rig_action(&rig, RELOAD_ACTION_PERSIST, 0)->action.persist.token, false, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(storage_error_sent(&rig, 0), RELOAD_ERROR_REQUEST_TIMEOUT);
    rig_fini(&rig);
}

/* R6940-6.1.2-14: by another link to the same node, or not at all. */
static void a_held_answer_takes_another_link_to_the_same_node_or_is_dropped(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    storage_set_up(&rig, true);
    rig.fake.replica_count = 0;
    const struct reload_node_link info = { .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
                                           .node_ids = &rig.parties[0].id,
                                           .node_id_count = 1 };
    struct rig_message m = storage_message(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    reload_node_link_up(rig.node, 40, &info, rig.now);
    reload_node_link_down(rig.node, 1, rig.now);
    rig_pull(&rig);
    reload_node_persisted(rig.node, 1, true, rig.now);
    rig_pull(&rig);
    rig_sent(&rig, 0, &link);
    assert_int_equal(link, 40);
    m = storage_message(&rig, 0, 2000);
    rig_receive(&rig, 40, &m);
    reload_node_link_down(rig.node, 40, rig.now);
    rig_pull(&rig);
    rig_clear(&rig);
    reload_node_persisted(rig.node, 2, true, rig.now);
    rig_pull(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_RETURN_GONE), 1);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_disk_the_answer_waits_for_it),
        cmocka_unit_test(tokens_are_acknowledged_in_bulk_and_in_order),
        cmocka_unit_test(what_could_not_be_written_is_not_acknowledged),
        cmocka_unit_test(a_held_answer_takes_another_link_to_the_same_node_or_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
