/* Replicas, sent and received: RFC 6940 s7.4.1.1, s10.4. */
#include "tests/reload/node/storage_rig.h"

#include "reload/wire/store.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* R6940-10.4-1 R6940-10.4-2 R6940-7.4.1.1-5 R6940-7.4.1.1-16 R6940-7.4.1.2-2: the answer names the
 * replica holders and goes out first; each holder gets the value by its Node-ID, under its own
 * number. */
static void a_store_is_answered_and_then_replicated(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    struct rig_message m = storage_message(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    assert_int_equal(storage_values(&rig), 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    struct reload_message ans = rig_sent(&rig, 0, NULL);
    assert_int_equal(ans.message_code, RELOAD_STORE_ANS);
    struct reload_store_ans body;
    assert_int_equal(reload_store_ans_decode(ans.body, 16, &body), 0);
    struct reload_reader r = reload_reader_over(body.kind_responses);
    struct reload_store_kind_response kind;
    assert_true(reload_store_kind_response_next(&r, 16, &kind));
    assert_int_equal(kind.replicas.n, 32);
    for (size_t i = 0; i < 2; i++) {
        struct reload_message copy = rig_sent(&rig, i + 1, NULL);
        struct reload_store_req req;
        assert_int_equal(copy.message_code, RELOAD_STORE_REQ);
        assert_true(reload_slice_equal(copy.header.destination_list,
                                       rig_nodes(&rig.parties[i + 1].id, NULL)));
        assert_int_equal(reload_store_req_decode(copy.body, &req), 0);
        assert_int_equal(req.replica_number, i + 1);
        struct reload_reader k = reload_reader_over(req.kind_data);
        struct reload_store_kind_data data;
        assert_true(reload_store_kind_data_next(&k, &data));
        assert_true(data.generation_counter >= 1);
        /* What verifies the value travels with it (R6940-6.3.4-8). */
        struct reload_signer signer;
        assert_int_equal(reload_message_verify(rig.parties[1].crypto, &copy, rig.now, &signer), 0);
        struct reload_reader v = reload_reader_over(data.values);
        struct reload_stored_data stored;
        assert_true(reload_stored_data_next(&v, RELOAD_MODEL_SINGLE, &stored));
        assert_int_equal(reload_value_verify(rig.parties[1].crypto, req.resource, data.kind,
                                             &stored, copy.security.certificates, rig.now, &signer),
                         0);
    }
    rig_fini(&rig);
}

/* How many values a replica Store holds, of one Kind, and with which generation counter. */
static size_t values_in(const struct reload_message *copy, uint32_t kind, uint64_t *generation)
{
    struct reload_store_req req;
    struct reload_store_kind_data data;
    struct reload_stored_data stored;
    size_t count = 0;
    assert_int_equal(reload_store_req_decode(copy->body, &req), 0);
    struct reload_reader kinds = reload_reader_over(req.kind_data);
    while (reload_store_kind_data_next(&kinds, &data)) {
        assert_int_equal(data.kind, kind);
        *generation = data.generation_counter;
        struct reload_reader r = reload_reader_over(data.values);
        while (reload_stored_data_next(&r, RELOAD_MODEL_DICTIONARY, &stored))
            count++;
    }
    return count;
}

/* R6940-10.4-1 R6940-7.4.1.1-12: replicas get what the Store changed, under the counter of now; not
 * all that is stored there. With a disk as well, when two Stores wait for it. */
static void replicas_get_what_changed_and_no_more(void **state)
{
    (void)state;
    for (int disk = 0; disk < 2; disk++) {
        struct rig rig;
        uint64_t generation = 0;
        storage_set_up(&rig, disk);
        struct rig_message m = storage_message(&rig, 0, 1000); /* another Kind, same resource */
        rig_receive(&rig, 1, &m);
        m = storage_keys(&rig, "abc", 1000);
        rig_receive(&rig, 1, &m);
        if (disk)
            reload_node_persisted(rig.node, 2, true, rig.now);
        rig_pull(&rig);
        rig_clear(&rig);
        m = storage_keys(&rig, "bd", 2000);
        rig_receive(&rig, 1, &m);
        m = storage_keys(&rig, "e", 3000);
        rig_receive(&rig, 1, &m);
        if (disk)
            reload_node_persisted(rig.node, 4, true, rig.now);
        rig_pull(&rig);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 6);
        for (size_t i = 0; i < 2; i++) {
            struct reload_message copy = rig_sent(&rig, 1 + i, NULL);
            assert_int_equal(values_in(&copy, RELOAD_STANDIN_DICTIONARY_USER, &generation), 2);
            assert_int_equal(generation, disk ? 3 : 2);
            copy = rig_sent(&rig, 4 + i, NULL);
            assert_int_equal(values_in(&copy, RELOAD_STANDIN_DICTIONARY_USER, &generation), 1);
            assert_int_equal(generation, 3);
        }
        rig_fini(&rig);
    }
}

/* What a holder does not take is sent once more after a second; then the topology hears of it. */
static void a_replica_that_is_not_taken_is_sent_once_more(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    storage_set_up(&rig, false);
    struct rig_message m = storage_message(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    for (unsigned i = 0; i < 2; i++) {
        struct reload_message copy = rig_sent(&rig, i == 0 ? 2 : 0, &link);
        struct reload_store_req req;
        assert_int_equal(link, 3);
        assert_int_equal(reload_store_req_decode(copy.body, &req), 0);
        assert_int_equal(req.replica_number, 2);
        struct rig_message no =
            storage_refusal(&rig, 2, copy.header.transaction_id, RELOAD_ERROR_FORBIDDEN);
        rig_receive(&rig, 3, &no);
        assert_int_equal(rig.fake.replica_failures, i);
        rig_clear(&rig);
        rig_run(&rig, 900);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
        rig_run(&rig, 200);
        assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), i == 0);
    }
    assert_true(reload_node_id_equal(&rig.fake.last_node, &rig.parties[2].id));
    rig_fini(&rig);

    /* One that is no holder any more is left alone. */
    storage_set_up(&rig, false);
    rig_receive(&rig, 1, &m);
    rig.fake.replica_count = 1;
    reload_node_link_down(rig.node, 3, rig.now);
    rig_run(&rig, 40000);
    assert_int_equal(rig.fake.replica_failures, 1); /* of the other, which stays silent */
    rig_fini(&rig);
}

/* R6940-10.4-3 R6940-10.4-4 R6940-10.4-5 R6940-7.4.1.1-7 R6940-7.4.1.1-12 */
static void a_replica_is_kept_when_plausible_and_not_passed_on(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    struct rig_message hello = { .signer = &rig.parties[0],
                                 .code = RELOAD_PING_REQ,
                                 .body = rig_ping };
    rig_receive(&rig, 1, &hello); /* so that the value's certificate is known */
    rig_clear(&rig);
    struct rig_message m = storage_message(&rig, 0, 1000);
    m.body = storage_body(&rig, &rig.parties[0], 1000, 1, 7);
    m.destination_list = rig_nodes(&rig.me.id, NULL);
    m.signer = &rig.parties[1];
    rig_receive(&rig, 2, &m);
    assert_int_equal(storage_error_sent(&rig, 0), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(storage_values(&rig), 0);
    rig.fake.replica_plausible = true;
    rig.fake.owns_everything = false;
    rig_clear(&rig);
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_STORE_ANS);
    assert_int_equal(storage_values(&rig), 1);
    /* R6940-10.7.3-5: but the one who owns what was handed over has replicas to make of it. */
    rig.fake.owns_everything = true;
    rig_clear(&rig);
    m.transaction_id = 77;
    m.body = storage_body(&rig, &rig.parties[0], 2000, 1, 8);
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 3);
    assert_int_equal(rig_sent(&rig, 2, NULL).message_code, RELOAD_STORE_REQ);
    rig_clear(&rig);
    m.transaction_id = 78; /* nothing new: nothing to pass on */
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    rig_fini(&rig);
}

/* R6940-7.4.1.1-26: a replica refused as too old: the newer data is fetched there and replaces
 * ours. */
static void newer_data_of_a_replica_holder_is_taken_over(void **state)
{
    struct rig rig;
    (void)state;
    storage_set_up(&rig, false);
    struct rig_message m = storage_message(&rig, 0, 1000);
    rig_receive(&rig, 1, &m);
    uint64_t id = rig_sent(&rig, 1, NULL).header.transaction_id;
    rig_clear(&rig);
    struct rig_message no = storage_refusal(&rig, 1, id, RELOAD_ERROR_DATA_TOO_OLD);
    rig_receive(&rig, 2, &no);
    struct reload_message fetch = rig_sent(&rig, 0, NULL);
    assert_int_equal(fetch.message_code, RELOAD_FETCH_REQ);
    assert_true(
        reload_slice_equal(fetch.header.destination_list, rig_nodes(&rig.parties[1].id, NULL)));
    struct rig_message ans = { .signer = &rig.parties[1],
                               .code = RELOAD_FETCH_ANS,
                               .body = storage_newer_values(&rig, 5000),
                               .transaction_id = fetch.header.transaction_id };
    rig_clear(&rig);
    rig_receive(&rig, 2, &ans);
    assert_int_equal(storage_values(&rig), 1);
    assert_true(rig_count(&rig, RELOAD_ACTION_SEND) > 0); /* the other holder gets it, too */
    rig_clear(&rig);
    m = storage_message(&rig, 0, 4999); /* older than what was taken over */
    rig_receive(&rig, 1, &m);
    assert_int_equal(storage_error_sent(&rig, 0), RELOAD_ERROR_DATA_TOO_OLD);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_is_answered_and_then_replicated),
        cmocka_unit_test(replicas_get_what_changed_and_no_more),
        cmocka_unit_test(a_replica_that_is_not_taken_is_sent_once_more),
        cmocka_unit_test(a_replica_is_kept_when_plausible_and_not_passed_on),
        cmocka_unit_test(newer_data_of_a_replica_holder_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
