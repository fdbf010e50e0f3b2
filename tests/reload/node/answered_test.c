/* The duplicate cache: RFC 6940 s6.2.1. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* R6940-6.2.1-9 R6940-6.2.1-10: answered again with the same answer, not applied again, and without
 * a second signature check. */
static void a_repeated_request_gets_the_same_answer_and_is_not_applied_again(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 4711);
    rig_receive(rig, 1, &m);
    uint64_t verified = reload_standin_counters(rig->me.standin)->verifications;
    rig_wait(rig, 14000);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig->fake.handled, 1);
    assert_int_equal(reload_standin_counters(rig->me.standin)->verifications, verified);
    struct reload_message a = rig_sent(rig, 0, NULL), b = rig_sent(rig, 1, NULL);
    assert_true(reload_slice_equal(a.contents, b.contents));
    assert_int_equal(a.header.transaction_id, b.header.transaction_id);
    assert_int_equal(reload_node_counters(rig->node)->duplicates_answered, 1);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_DUPLICATE), 1);
}

/* The answer to a repetition takes the repetition's way back. */
static void a_repetition_over_another_path_is_answered_along_it(void **state)
{
    struct rig *rig = *state;
    reload_link_id link;
    struct rig_message m = rig_update(rig, 2, 4711);
    rig_receive(rig, 1, &m);
    m.via_list = rig_nodes(&rig->parties[2].id, NULL);
    rig_receive(rig, 2, &m);
    struct reload_message b = rig_sent(rig, 1, &link);
    assert_int_equal(link, 2);
    assert_true(reload_slice_equal(b.header.destination_list,
                                   rig_nodes(&rig->parties[1].id, &rig->parties[2].id)));
    assert_int_equal(rig->fake.handled, 1);
}

/* After the maximum request lifetime the entry is gone. */
static void the_cache_forgets_after_the_request_lifetime(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 4711);
    rig_receive(rig, 1, &m);
    rig_run(rig, 15000);
    assert_int_equal(reload_node_deadline(rig->node), RELOAD_NEVER);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig->fake.handled, 2);
}

/* Another node's request under the same transaction_id is another request: it neither gets that
 * answer nor is kept from being handled. */
static void a_transaction_id_means_nothing_without_its_signer(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 4711);
    rig_receive(rig, 1, &m);
    struct rig_message other = rig_update(rig, 1, 4711);
    rig_receive(rig, 2, &other);
    assert_int_equal(rig->fake.handled, 2);
}

/* Knowing a transaction_id is not enough to be sent the answer: forged bytes go through the
 * signature check and fall there. */
static void a_forger_gets_nothing_out_of_the_cache(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 4711);
    rig_receive(rig, 1, &m);
    rig_clear(rig);
    m.bad_signature = true;
    rig_receive(rig, 2, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_SIGNATURE), 1);
}

/* The same transaction of the same signer, encoded and signed anew, is still the same. */
static void a_repetition_that_was_signed_anew_is_recognised(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 4711);
    rig_receive(rig, 1, &m);
    m.body = reload_slice_of("\0\1x", 3);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig->fake.handled, 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 2);
}

static void the_caps_of_the_cache_hold(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.limits.max_answered = 4;
    rig_start(&rig);
    rig_link(&rig, 0);
    for (uint64_t id = 1; id <= 6; id++) {
        struct rig_message m = rig_update(&rig, 0, id);
        rig_receive(&rig, 1, &m);
    }
    assert_int_equal(rig.fake.handled, 6);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 2);
    for (uint64_t id = 6; id >= 3; id--) {
        struct rig_message m = rig_update(&rig, 0, id);
        rig_receive(&rig, 1, &m);
    }
    assert_int_equal(rig.fake.handled, 6); /* the newest four are remembered */
    struct rig_message m = rig_update(&rig, 0, 1);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.handled, 7); /* the oldest are not */
    rig_fini(&rig);

    rig_init(&rig);
    rig.node_config.limits.max_answered_bytes = 500; /* one answer, not two */
    rig_start(&rig);
    rig_link(&rig, 0);
    for (uint64_t id = 1; id <= 5; id++) {
        m = rig_update(&rig, 0, id);
        rig_receive(&rig, 1, &m);
    }
    m = rig_update(&rig, 0, 5);
    rig_receive(&rig, 1, &m);
    m = rig_update(&rig, 0, 1);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.handled, 6);
    assert_true(rig_dropped(&rig, RELOAD_DROP_LIMIT) > 0);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(a_repeated_request_gets_the_same_answer_and_is_not_applied_again),
        RIG(a_repetition_over_another_path_is_answered_along_it),
        RIG(the_cache_forgets_after_the_request_lifetime),
        RIG(a_transaction_id_means_nothing_without_its_signer),
        RIG(a_forger_gets_nothing_out_of_the_cache),
        RIG(a_repetition_that_was_signed_anew_is_recognised),
        cmocka_unit_test(the_caps_of_the_cache_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
