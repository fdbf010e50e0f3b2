/* Ranges of the store that the topology has pushed or forgotten: RFC 6940 s6.4.2.3, s7.4.1.1. */
#include "tests/reload/node/storage_rig.h"

#include "reload/wire/store.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static void push_to(struct rig *rig, struct reload_node_id target, uint32_t cookie)
{
    static const uint8_t zero[16];
    const struct reload_topology_push push = {
        .after = { zero, 16 },
        .up_to = { zero, 16 },
        .target = target,
        .replica_number = 1,
        .cookie = cookie,
    };
    rig->fake.host->push(rig->fake.host->context, &push);
    reload_node_tick(rig->node, rig->now);
    rig_pull(rig);
}

static void push_all(struct rig *rig, uint32_t cookie)
{
    push_to(rig, rig->parties[1].id, cookie);
}

/* R6940-7.4.1.1-24: a range goes out a few requests at a time, with the lifetimes that are left,
 * and its end is told. */
static void a_push_hands_over_every_resource_a_few_at_a_time(void **state)
{
    struct rig rig;
    size_t answered = 0;
    (void)state;
    storage_set_up(&rig, false);
    storage_fill(&rig, 7);
    rig_wait(&rig, 100000);
    push_all(&rig, 5);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 4);
    for (; answered < rig_count(&rig, RELOAD_ACTION_SEND); answered++) {
        assert_int_equal(rig.fake.pushed, 0);
        struct reload_message req = rig_sent(&rig, answered, NULL);
        struct reload_store_req store;
        assert_int_equal(reload_store_req_decode(req.body, &store), 0);
        assert_int_equal(store.replica_number, 1);
        struct reload_reader k = reload_reader_over(store.kind_data);
        struct reload_store_kind_data data;
        assert_true(reload_store_kind_data_next(&k, &data));
        struct reload_reader v = reload_reader_over(data.values);
        struct reload_stored_data stored;
        assert_true(reload_stored_data_next(&v, RELOAD_MODEL_SINGLE, &stored));
        assert_int_equal(stored.lifetime_s, 500);
        static const uint8_t empty[2];
        struct rig_message ans = { .signer = &rig.parties[1],
                                   .code = RELOAD_STORE_ANS,
                                   .body = { empty, 2 },
                                   .transaction_id = req.header.transaction_id };
        rig_receive(&rig, 2, &ans);
    }
    assert_int_equal(answered, 7);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    rig_fini(&rig);
}

static void a_push_to_a_dead_node_ends_with_an_error(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    storage_fill(&rig, 6);
    push_all(&rig, 5);
    rig_run(&rig, 20000);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, RELOAD_E_TIMEOUT);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 4 * 5); /* the rest was not tried */
    rig_fini(&rig);
}

static void an_empty_push_ends_at_once(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    push_all(&rig, 5);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    rig_fini(&rig);
}

static void the_cap_on_pushes_holds(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.fake.owns_everything = true;
    rig.node_config.limits.max_pushes = 2;
    rig_start(&rig);
    for (size_t i = 0; i < 3; i++)
        rig_link(&rig, i);
    storage_fill(&rig, 2);
    for (uint32_t i = 1; i <= 3; i++)
        push_all(&rig, i);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, RELOAD_E_LIMIT);
    rig_fini(&rig);
}

/* R6940-7.4.1.1-26 in a push: newer data over there counts as handed over, and is taken over here.
 */
static void a_push_goes_on_past_newer_data(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    storage_fill(&rig, 1);
    push_all(&rig, 5);
    uint64_t id = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message no = storage_refusal(&rig, 1, id, RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW);
    rig_receive(&rig, 2, &no);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    assert_int_equal(rig_sent(&rig, 1, NULL).message_code, RELOAD_FETCH_REQ);
    rig_fini(&rig);
}

static void push_routed(struct rig *rig)
{
    rig->fake.hop = rig->parties[1].id;
    push_to(rig, (struct reload_node_id){ 0 }, 5);
}

/* R6940-6.4.2.3-2: to the responsible peer of each resource, whoever that is; what this node is
 * responsible for stays. One that does not answer does not keep the others from theirs. */
static void a_push_without_a_target_goes_to_the_owner_of_each_resource(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    storage_fill(&rig, 6);
    push_routed(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    rig.fake.owns_everything = false;
    rig.fake.owns_resource = true;
    memcpy(rig.fake.owned_resource, storage_home_of(&rig.parties[2]).p, 16);
    push_routed(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 4);
    for (size_t i = 0; i < 4; i++) {
        struct reload_message m = rig_sent(&rig, i, NULL);
        struct reload_store_req req;
        assert_int_equal(reload_store_req_decode(m.body, &req), 0);
        assert_true(reload_slice_equal(m.header.destination_list,
                                       rig_resource(req.resource.p, req.resource.n)));
        assert_memory_not_equal(req.resource.p, rig.fake.owned_resource, 16);
    }
    rig_run(&rig, 40000);
    assert_int_equal(rig.fake.pushed, 2);
    assert_int_equal(rig.fake.pushed_error, RELOAD_E_TIMEOUT);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 5 * 5); /* each was tried */
    rig_fini(&rig);
}

/* Two entries of one dictionary. */
static void fill_dictionary(struct rig *rig)
{
    struct rig_message m = storage_keys(rig, "ab", 1000);
    rig->fake.replica_count = 0;
    rig_receive(rig, 1, &m);
    assert_int_equal(storage_values(rig), 2);
    rig_clear(rig);
}

/* R6940-7.4.1.1-26 R6940-7.4.1.1-27: one of two values is old news over there, the other is not. A
 * Store fails as a whole, so each goes once more by itself. */
static void values_refused_together_are_pushed_one_by_one(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    fill_dictionary(&rig);
    push_all(&rig, 5);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    uint64_t id = rig_sent(&rig, 0, NULL).header.transaction_id;
    struct rig_message no = storage_refusal(&rig, 1, id, RELOAD_ERROR_DATA_TOO_OLD);
    rig_clear(&rig);
    rig_receive(&rig, 2, &no);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_FETCH_REQ);
    assert_int_equal(rig.fake.pushed, 0);
    for (size_t i = 1; i < 3; i++) {
        struct reload_message m = rig_sent(&rig, i, NULL);
        struct reload_store_req req;
        struct reload_store_kind_data data;
        struct reload_stored_data stored;
        assert_int_equal(reload_store_req_decode(m.body, &req), 0);
        struct reload_reader k = reload_reader_over(req.kind_data);
        assert_true(reload_store_kind_data_next(&k, &data));
        struct reload_reader v = reload_reader_over(data.values);
        assert_true(reload_stored_data_next(&v, RELOAD_MODEL_DICTIONARY, &stored));
        assert_false(reload_reader_more(&v));
    }
    for (size_t i = 1; i < 3; i++) { /* refused again: then that is that */
        no = storage_refusal(&rig, 1, rig_sent(&rig, i, NULL).header.transaction_id,
                             RELOAD_ERROR_DATA_TOO_OLD);
        rig_receive(&rig, 2, &no);
    }
    assert_int_equal(rig.fake.pushed, 1);
    assert_int_equal(rig.fake.pushed_error, 0);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    rig_fini(&rig);
}

static void the_topology_can_have_a_range_forgotten(void **state)
{
    struct rig rig;
    static const uint8_t zero[16];
    (void)state;
    storage_set_up(&rig, false);
    storage_fill(&rig, 3);
    struct reload_slice everything = { zero, 16 };
    rig.fake.host->forget(rig.fake.host->context, everything, everything);
    assert_int_equal(storage_values(&rig), 0);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_hands_over_every_resource_a_few_at_a_time),
        cmocka_unit_test(a_push_to_a_dead_node_ends_with_an_error),
        cmocka_unit_test(an_empty_push_ends_at_once),
        cmocka_unit_test(the_cap_on_pushes_holds),
        cmocka_unit_test(a_push_goes_on_past_newer_data),
        cmocka_unit_test(a_push_without_a_target_goes_to_the_owner_of_each_resource),
        cmocka_unit_test(values_refused_together_are_pushed_one_by_one),
        cmocka_unit_test(the_topology_can_have_a_range_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
