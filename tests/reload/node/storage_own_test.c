/* The node's own Stores and Fetches: RFC 6940 s7, s7.4.1.2, s7.4.2.2. */
#include "tests/reload/node/storage_rig.h"

#include "reload/wire/fetch.h"
#include "reload/wire/store.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static uint64_t store_own(struct rig *rig)
{
    uint64_t request;
    const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                            .exists = true,
                                            .value = reload_slice_of("mine", 4),
                                            .lifetime_s = 600 };
    assert_int_equal(
        reload_node_store(rig->node, storage_home_of(&rig->me), &item, 1, rig->now, &request), 0);
    rig_pull(rig);
    return request;
}

/* R6940-7.4.1.1-17 at the writer: the clock goes back an hour, and the next store is newer all the
 * same. */
static void own_stores_are_always_newer_than_the_last(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    store_own(&rig);
    assert_int_equal(storage_last_result(&rig)->error, 0);
    rig.now.unix_ms -= 3600000;
    rig.now.monotonic_ms += 10;
    store_own(&rig);
    assert_int_equal(storage_last_result(&rig)->error, 0);
    store_own(&rig);
    assert_int_equal(storage_last_result(&rig)->error, 0);
    assert_int_equal(storage_values(&rig), 1);
    rig_fini(&rig);
}

/* Asks for the USER-MATCH value there. */
static void ask_for(struct rig *rig, struct reload_slice resource)
{
    uint8_t body[256];
    uint64_t request;
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, resource);
    struct reload_specifier_mark s =
        reload_specifier_begin(&w, RELOAD_STANDIN_SINGLE_USER, 0, RELOAD_MODEL_SINGLE);
    reload_specifier_end(&w, s, RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    assert_int_equal(
        reload_node_fetch(rig->node, resource, reload_writer_slice(&w), rig->now, &request), 0);
}

static struct reload_fetched_value fetch_own(struct rig *rig)
{
    struct reload_action action;
    struct reload_fetched_value value = { 0 };
    ask_for(rig, storage_home_of(&rig->me));
    while (reload_node_next(rig->node, &action))
        if (action.type == RELOAD_ACTION_REQUEST_DONE && action.result.value_count == 1)
            value = action.result.values[0];
    return value;
}

/* R6940-7-2 R6940-7-5: by the clock of day, whatever the monotonic one says. R6940-7-6: the clock
 * is behind what is stored, so that is fetched and its time plus one taken. */
static void storage_time_is_the_time_of_day_and_one_more_than_a_newer_value_has(void **state)
{
    struct rig rig;
    uint64_t request;
    (void)state;
    storage_set_up(&rig, false);
    struct reload_slice resource = storage_home_of(&rig.me);
    rig.now.unix_ms = 1394000000123; /* in 2014 */
    store_own(&rig);
    assert_int_equal(storage_last_result(&rig)->error, 0);
    assert_true(fetch_own(&rig).storage_time == 1394000000123);
    struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                      .exists = true,
                                      .value = reload_slice_of("late", 4),
                                      .lifetime_s = 600,
                                      .storage_time = 1394000000123 };
    for (uint64_t more = 0; more <= 1; more++) {
        item.storage_time = fetch_own(&rig).storage_time + more;
        assert_int_equal(reload_node_store(rig.node, resource, &item, 1, rig.now, &request), 0);
        rig_pull(&rig);
        assert_int_equal(storage_last_result(&rig)->error_code,
                         more ? 0 : RELOAD_ERROR_DATA_TOO_OLD);
    }
    assert_true(fetch_own(&rig).storage_time == 1394000000124);
    rig_fini(&rig);
}

/* R6940-4.2.2-1: what a client does needs no topology plug-in but for its Resource-IDs; none is
 * linked into this program. */
static void a_client_stores_and_fetches_through_its_peer(void **state)
{
    struct rig rig;
    reload_link_id link;
    struct reload_signer signer;
    struct reload_store_req req;
    (void)state;
    rig_init(&rig);
    rig.node_config.role = RELOAD_ROLE_CLIENT;
    rig.fake.hop = rig.parties[0].id;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_clear(&rig);
    store_own(&rig);
    struct reload_message store = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(store.message_code, RELOAD_STORE_REQ);
    assert_int_equal(reload_store_req_decode(store.body, &req), 0);
    assert_true(reload_slice_equal(req.resource, storage_home_of(&rig.me)));
    assert_int_equal(reload_message_verify(rig.parties[0].crypto, &store, rig.now, &signer), 0);
    assert_true(reload_node_id_equal(&signer.node_id, &rig.me.id));
    rig_clear(&rig);
    ask_for(&rig, storage_home_of(&rig.parties[0]));
    rig_pull(&rig);
    struct reload_message fetch = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 1);
    assert_int_equal(fetch.message_code, RELOAD_FETCH_REQ);
    struct rig_message ans = { .signer = &rig.parties[0],
                               .code = RELOAD_FETCH_ANS,
                               .body = storage_newer_values(&rig, 5000),
                               .transaction_id = fetch.header.transaction_id };
    rig_receive(&rig, 1, &ans);
    assert_int_equal(storage_last_result(&rig)->error, 0);
    assert_int_equal(storage_last_result(&rig)->value_count, 1);
    rig_fini(&rig);
}

/* R6940-7.4.2.2-7 R6940-7.4.2.2-9: what does not verify is left out and counted. */
static void forged_values_in_a_fetch_are_left_out_and_counted(void **state)
{
    struct rig rig;
    uint8_t forged[4096];
    (void)state;
    storage_set_up(&rig, false);
    rig.fake.owns_everything = false;
    rig.fake.hop = rig.parties[1].id;
    struct reload_slice resource = storage_home_of(&rig.parties[0]);
    struct rig_message hello = { .signer = &rig.parties[0],
                                 .code = RELOAD_PING_REQ,
                                 .body = rig_ping };
    rig_receive(&rig, 1, &hello); /* whose certificate is then known */
    for (int forge = 0; forge < 2; forge++) {
        rig_clear(&rig);
        ask_for(&rig, resource);
        rig_pull(&rig);
        struct reload_slice values_body = storage_newer_values(&rig, 5000);
        memcpy(forged, values_body.p, values_body.n);
        if (forge)
            forged[4 + 12 + 4 + 4 + 8 + 4 + 1 + 4] ^= 1; /* the value's first byte */
        struct rig_message ans = { .signer = &rig.parties[1],
                                   .code = RELOAD_FETCH_ANS,
                                   .body = { forged, values_body.n },
                                   .transaction_id =
                                       rig_sent(&rig, 0, NULL).header.transaction_id };
        rig_receive(&rig, 2, &ans);
        assert_int_equal(storage_last_result(&rig)->error, 0);
        assert_int_equal(storage_last_result(&rig)->value_count, forge ? 0 : 1);
        assert_int_equal(storage_last_result(&rig)->rejected, forge ? 1 : 0);
    }
    rig_fini(&rig);
}

/* The StoreAns that comes with Error_Generation_Counter_Too_Low. */
static struct rig_message too_low(const struct rig *rig, uint64_t id, bool damaged)
{
    static uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    reload_wr_u16(&w, RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW);
    size_t info = reload_wr_open16(&w);
    size_t mark = reload_store_ans_begin(&w);
    const struct reload_store_kind_response kind = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                                     .generation_counter = 42 };
    assert_int_equal(reload_store_kind_response_encode(&w, &kind), 0);
    reload_store_ans_end(&w, mark);
    w.len -= damaged;
    reload_wr_close16(&w, info);
    return (struct rig_message){ .signer = &rig->parties[1],
                                 .code = RELOAD_ERROR,
                                 .body = reload_writer_slice(&w),
                                 .transaction_id = id };
}

/* R6940-7.4.1.2-5: an application's Store whose generation counter was too low: the data that is
 * there is fetched and handed over with the error, and without it when it cannot be had. */
static void the_newer_data_comes_with_a_store_refused_as_too_low(void **state)
{
    (void)state;
    for (int run = 0; run < 3; run++) {
        struct rig rig;
        uint64_t request;
        storage_set_up(&rig, false);
        rig.fake.owns_everything = false;
        rig.fake.hop = rig.parties[1].id;
        struct reload_slice resource = storage_home_of(&rig.parties[0]);
        const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                                .generation = 7,
                                                .exists = true,
                                                .value = reload_slice_of("mine", 4),
                                                .lifetime_s = 600 };
        assert_int_equal(reload_node_store(rig.node, resource, &item, 1, rig.now, &request), 0);
        rig_pull(&rig);
        struct rig_message m =
            too_low(&rig, rig_sent(&rig, 0, NULL).header.transaction_id, run == 2);
        rig_clear(&rig);
        rig_receive(&rig, 2, &m);
        if (run < 2) {
            assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 0);
            struct reload_message fetch = rig_sent(&rig, 0, NULL);
            assert_int_equal(fetch.message_code, RELOAD_FETCH_REQ);
            assert_true(reload_slice_equal(fetch.header.destination_list,
                                           rig_resource(resource.p, resource.n)));
            m = run == 0
                    ? (struct rig_message){ .signer =
                                                &rig.parties[0], /* whose certificate it needs */
                                            .code = RELOAD_FETCH_ANS,
                                            .body = storage_newer_values(&rig, 9000),
                                            .transaction_id = fetch.header.transaction_id }
                    : storage_refusal(&rig, 1, fetch.header.transaction_id, RELOAD_ERROR_NOT_FOUND);
            rig_receive(&rig, run == 0 ? 1 : 2, &m);
        }
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_REQUEST_DONE), 1);
        const struct reload_result *r =
            &rig_action(&rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result;
        assert_int_equal(r->request, request);
        assert_int_equal(r->code, RELOAD_STORE_REQ);
        assert_int_equal(r->error, RELOAD_E_FORBIDDEN);
        assert_int_equal(r->error_code, RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW);
        assert_int_equal(r->value_count, run == 0 ? 1 : 0);
        struct reload_store_ans info;
        if (run < 2)
            assert_int_equal(reload_store_ans_decode(r->body, 16, &info), 0);
        if (run == 0) {
            assert_int_equal(r->values[0].storage_time, 9000);
            assert_int_equal(r->values[0].generation, 42);
        }
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newer_data_comes_with_a_store_refused_as_too_low),
        cmocka_unit_test(own_stores_are_always_newer_than_the_last),
        cmocka_unit_test(storage_time_is_the_time_of_day_and_one_more_than_a_newer_value_has),
        cmocka_unit_test(a_client_stores_and_fetches_through_its_peer),
        cmocka_unit_test(forged_values_in_a_fetch_are_left_out_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
