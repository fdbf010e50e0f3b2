#include "tests/reload/store/fixture.h"

/* Store, RFC 6940 s7.4.1: what a Store does in each data model. */

#define SINGLE     RELOAD_STANDIN_SINGLE_USER
#define ARRAY      RELOAD_STANDIN_ARRAY_USER
#define DICTIONARY RELOAD_STANDIN_DICTIONARY_USER

static struct reload_slice text(const char *s)
{
    return reload_slice_of(s, strlen(s));
}

/* R6940-7.4.1.1-28 R6940-7.2.1-1 R6940-7.4.1.1-20 R6940-7.4.1.1-22 R6940-7.4.1.1-23 R6940-7.4.1.2-2
 */
static void a_single_value_is_created_and_overwritten_and_counted(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_node_id replicas[] = { reload_standin_node_id(50), reload_standin_node_id(51) };
    f->context.replicas = replicas;
    f->context.replica_count = 2;
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, SINGLE, "one")));
    assert_true(f->changed);
    assert_int_equal(1, generation_of(f, SINGLE));

    struct reload_store_ans ans;
    struct reload_store_kind_response response;
    assert_int_equal(0, reload_store_ans_decode(reload_writer_slice(&f->answer), 16, &ans));
    struct reload_reader list = reload_reader_over(ans.kind_responses);
    assert_true(reload_store_kind_response_next(&list, 16, &response));
    struct reload_reader ids = reload_reader_over(response.replicas);
    struct reload_node_id id;
    for (size_t i = 0; i < 2; i++) {
        assert_true(reload_node_id_next(&ids, 16, &id));
        assert_true(reload_node_id_equal(&id, &replicas[i]));
    }
    assert_false(reload_node_id_next(&ids, 16, &id));

    advance(f, 1);
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, SINGLE, "two")));
    assert_int_equal(2, generation_of(f, SINGLE));
    struct got got = fetch(f, place, SINGLE);
    assert_int_equal(1, got.count);
    assert_true(value_is(&got.values[0], "two"));
    assert_int_equal(2, got.generation);
    assert_int_equal(1, reload_store_value_count(f->store));
    assert_int_equal(2, reload_store_counters(f->store)->stored);
    assert_int_equal(1, reload_store_counters(f->store)->replaced);
}

/* R6940-7.4.1.2-2: the current counter, also of a Kind that the request brings no value for. */
static void a_kind_without_values_is_answered_with_its_counter(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    for (size_t i = 0; i < 2; i++, advance(f, 1))
        assert_int_equal(0, store_one(f, &f->alice, place, item(f, SINGLE, "one")));
    struct reload_writer body = reload_writer_of(f->body_bytes, sizeof f->body_bytes);
    size_t request = reload_store_req_begin(&body, place, 0);
    reload_store_kind_end(&body, reload_store_kind_begin(&body, SINGLE, 0));
    reload_store_kind_end(&body, reload_store_kind_begin(&body, ARRAY, 0));
    reload_store_req_end(&body, request);
    assert_int_equal(0, store_bytes(f, &f->alice, reload_writer_slice(&body)));
    assert_false(f->changed);
    assert_int_equal(2, generation_of(f, SINGLE));
    assert_int_equal(0, generation_of(f, ARRAY));
}

/* R6940-7.4.1.1-29 R6940-7.2.2-1 R6940-7.4.1.3-4 */
static void an_array_is_sparse_and_reads_gaps_as_nonexistent(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    assert_int_equal(0, store_one(f, &f->alice, place, item_at(f, ARRAY, 2, "X")));
    struct got got = fetch(f, place, ARRAY);
    assert_int_equal(3, got.count);
    for (uint32_t i = 0; i < 2; i++) {
        assert_false(got.values[i].exists);
        assert_int_equal(i, got.values[i].index);
        assert_int_equal(0, got.values[i].signer.len);
    }
    assert_true(value_is(&got.values[2], "X"));
    assert_int_equal(2, got.values[2].index);
    assert_int_equal(1, reload_store_value_count(f->store)); /* gaps are not kept */
    advance(f, 1);
    assert_int_equal(0, store_one(f, &f->alice, place, item_at(f, ARRAY, 0, "A")));
    advance(f, 1);
    assert_int_equal(0, store_one(f, &f->alice, place, item_at(f, ARRAY, 2, "Y")));
    got = fetch(f, place, ARRAY);
    assert_int_equal(3, got.count);
    assert_true(value_is(&got.values[0], "A"));
    assert_false(got.values[1].exists);
    assert_true(value_is(&got.values[2], "Y"));
}

/* R6940-7.4.1.1-30 R6940-7.4.1.1-21 R6940-8-3 */
static void an_append_lands_at_the_end_and_shows_its_real_index(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    assert_int_equal(0, store_one(f, &f->alice, place, item_at(f, ARRAY, 3, "three")));
    struct reload_store_item two[] = { item_at(f, ARRAY, RELOAD_ARRAY_LAST, "four"),
                                       item_at(f, ARRAY, RELOAD_ARRAY_LAST, "five") };
    assert_int_equal(0, store(f, &f->alice, place, two, 2));
    struct got got = fetch(f, place, ARRAY);
    assert_int_equal(6, got.count);
    assert_true(value_is(&got.values[4], "four"));
    assert_int_equal(4, got.values[4].index);
    assert_true(value_is(&got.values[5], "five"));
    assert_int_equal(5, got.values[5].index);
    assert_int_equal(0, got.rejected); /* signed under index 0, so still good */
}

static void an_array_without_room_at_its_end_takes_an_append_in_its_first_gap(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item_at(f, ARRAY, RELOAD_STANDIN_MAX_COUNT - 1, "last");
    assert_int_equal(0, store_one(f, &f->alice, place, i));
    assert_int_equal(0, store_one(f, &f->alice, place, item_at(f, ARRAY, 0, "first")));
    for (uint32_t n = 1; n < RELOAD_STANDIN_MAX_COUNT - 1; n++)
        assert_int_equal(
            0, store_one(f, &f->alice, place, item_at(f, ARRAY, RELOAD_ARRAY_LAST, "more")));
    assert_int_equal(RELOAD_ERROR_DATA_TOO_LARGE,
                     store_one(f, &f->alice, place, item_at(f, ARRAY, RELOAD_ARRAY_LAST, "more")));
    assert_int_equal(RELOAD_STANDIN_MAX_COUNT, fetch(f, place, ARRAY).count);
}

/* R6940-7.4.1.1-31 R6940-7.2.3-1 */
static void a_dictionary_keeps_one_value_for_each_key(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = { item_key(f, DICTIONARY, text("b"), "B"),
                                         item_key(f, DICTIONARY, text("a"), "A"),
                                         item_key(f, DICTIONARY, text(""), "empty"),
                                         item_key(f, DICTIONARY, text("ab"), "AB") };
    assert_int_equal(0, store(f, &f->alice, place, items, 4));
    advance(f, 1);
    assert_int_equal(0, store_one(f, &f->alice, place, item_key(f, DICTIONARY, text("a"), "A2")));
    struct got got = fetch(f, place, DICTIONARY);
    assert_int_equal(4, got.count);
    static const char *const values[] = { "empty", "A2", "AB", "B" };
    for (size_t i = 0; i < 4; i++)
        assert_true(value_is(&got.values[i], values[i]));
}

/* R6940-7.4.1.3-1 R6940-7.4.1.3-3 R6940-7.4.2.2-5 */
static void a_removed_value_is_a_signed_value_that_does_not_exist(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, SINGLE, "one")));
    advance(f, 1);
    struct reload_store_item gone = removed(item(f, SINGLE, ""));
    gone.lifetime_s = 10;
    assert_int_equal(0, store_one(f, &f->alice, place, gone));
    struct got got = fetch(f, place, SINGLE);
    assert_int_equal(1, got.count);
    assert_false(got.values[0].exists);
    assert_true(reload_node_id_equal(&got.values[0].signer, &f->alice.own->node_id));
    assert_int_equal(1, reload_store_counters(f->store)->removed);
    advance(f, 10000);
    reload_store_tick(f->store, f->now);
    got = fetch(f, place, SINGLE);
    assert_int_equal(0, got.values[0].signer.len); /* aged out, like any value */
    assert_int_equal(0, reload_store_resource_count(f->store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_single_value_is_created_and_overwritten_and_counted),
        WITH_FIXTURE(a_kind_without_values_is_answered_with_its_counter),
        WITH_FIXTURE(an_array_is_sparse_and_reads_gaps_as_nonexistent),
        WITH_FIXTURE(an_append_lands_at_the_end_and_shows_its_real_index),
        WITH_FIXTURE(an_array_without_room_at_its_end_takes_an_append_in_its_first_gap),
        WITH_FIXTURE(a_dictionary_keeps_one_value_for_each_key),
        WITH_FIXTURE(a_removed_value_is_a_signed_value_that_does_not_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
