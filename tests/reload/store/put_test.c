#include "tests/reload/store/fixture.h"

/* Store, RFC 6940 s7.4.1. */

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

static void a_nonexistent_value_with_bytes_is_malformed(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "x");
    struct reload_slice body = store_body(f, &f->alice, place, &i, 1);
    /* resource, replica number, kind_data length, Kind, generation, values length, then StoredData
     */
    size_t exists_at = 17 + 1 + 4 + 4 + 8 + 4 + 16;
    assert_int_equal(1, body.p[exists_at]);
    f->body_bytes[exists_at] = 0;
    assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE, store_bytes(f, &f->alice, body));
}

/* R6940-7-3 R6940-7-4 R6940-13.5.3-1 R6940-7.4.1.1-17 */
static void a_storage_time_that_is_not_newer_is_too_old_whatever_our_clock_says(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "one");
    i.storage_time = 5000000000000u; /* far ahead of this peer */
    assert_int_equal(0, store_one(f, &f->alice, place, i));
    i.value = text("two");
    assert_int_equal(RELOAD_ERROR_DATA_TOO_OLD, store_one(f, &f->alice, place, i));
    i.storage_time--;
    assert_int_equal(RELOAD_ERROR_DATA_TOO_OLD, store_one(f, &f->alice, place, i));
    i.storage_time += 2;
    assert_int_equal(0, store_one(f, &f->alice, place, i));
    assert_int_equal(2, reload_store_counters(f->store)->refused_old);
    i = item_at(f, ARRAY, 0, "a");
    assert_int_equal(0, store_one(f, &f->alice, place, i));
    assert_int_equal(RELOAD_ERROR_DATA_TOO_OLD, store_one(f, &f->alice, place, i));
    i.index = 1; /* another place: nothing to compare with */
    assert_int_equal(0, store_one(f, &f->alice, place, i));
}

/* R6940-7.4.1.1-13 R6940-7.4.1.2-3 R6940-7.4.1.2-4 */
static void a_wrong_generation_counter_is_answered_with_the_right_ones(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = { item(f, SINGLE, "s"), item_at(f, ARRAY, 0, "a") };
    assert_int_equal(0, store(f, &f->alice, place, items, 2));
    advance(f, 1);
    items[0] = item(f, SINGLE, "s2");
    items[1] = item_at(f, ARRAY, 0, "a2");
    assert_int_equal(0, store_one(f, &f->alice, place, items[0])); /* single: 2, array: 1 */
    for (uint64_t wrong = 1; wrong <= 3; wrong += 2) {
        advance(f, 1);
        items[0] = item(f, SINGLE, "s3");
        items[1] = item_at(f, ARRAY, 0, "a3");
        items[0].generation = wrong;
        items[1].generation = 1;
        assert_int_equal(RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW,
                         store(f, &f->alice, place, items, 2));
        assert_int_equal(2, generation_of(f, SINGLE));
        assert_int_equal(1, generation_of(f, ARRAY));
        assert_true(
            value_is(&fetch(f, place, ARRAY).values[0], "a")); /* the whole request failed */
    }
    items[0].generation = 2;
    assert_int_equal(0, store(f, &f->alice, place, items, 2));
    assert_int_equal(3, generation_of(f, SINGLE));
    assert_int_equal(2, generation_of(f, ARRAY));

    struct reload_store_item first = item_key(f, DICTIONARY, text("k"), "v");
    first.generation = 7; /* of something that is not there */
    assert_int_equal(RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW,
                     store_one(f, &f->alice, place, first));
    assert_int_equal(0, generation_of(f, DICTIONARY));
}

/* R6940-7.4.1.1-4 */
static void a_store_that_fails_at_its_last_value_leaves_everything_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item old[] = { item(f, SINGLE, "s"), item_at(f, ARRAY, 1, "a") };
    assert_int_equal(0, store(f, &f->alice, place, old, 2));
    size_t bytes = reload_store_bytes(f->store);
    uint64_t deadline = reload_store_deadline(f->store);

    advance(f, 1);
    struct reload_store_item items[] = {
        item(f, SINGLE, "s2"),
        item_at(f, ARRAY, 1, "a2"),
        item_at(f, ARRAY, RELOAD_ARRAY_LAST, "a3"),
        item_at(f, ARRAY, 1, "a4"), /* again, and not newer than a2 */
        item_key(f, DICTIONARY, text("k"), "v"),
    };
    assert_int_equal(RELOAD_ERROR_DATA_TOO_OLD, store(f, &f->alice, place, items, 5));
    assert_false(f->changed);
    assert_true(f->answer.len > 0); /* a phrase for people */
    assert_int_equal(bytes, reload_store_bytes(f->store));
    assert_true(deadline == reload_store_deadline(f->store));
    assert_int_equal(2, reload_store_value_count(f->store));
    struct got got = fetch(f, place, SINGLE);
    assert_true(value_is(&got.values[0], "s"));
    assert_int_equal(1, got.generation);
    got = fetch(f, place, ARRAY);
    assert_int_equal(2, got.count);
    assert_true(value_is(&got.values[1], "a"));
    assert_int_equal(1, got.generation);
    got = fetch(f, place, DICTIONARY);
    assert_int_equal(0, got.count);
    assert_int_equal(0, got.generation);

    items[3].storage_time++;
    assert_int_equal(0, store(f, &f->alice, place, items, 5)); /* each value in turn */
    got = fetch(f, place, ARRAY);
    assert_int_equal(3, got.count);
    assert_true(value_is(&got.values[1], "a4"));
    assert_true(value_is(&got.values[2], "a3"));
    assert_int_equal(2, got.generation);
}

/* R6940-7.4.1.1-3 */
static void a_kind_that_appears_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
    size_t mark = reload_store_req_begin(&w, place, 0);
    for (int i = 0; i < 2; i++)
        reload_store_kind_end(&w, reload_store_kind_begin(&w, SINGLE, 0));
    reload_store_req_end(&w, mark);
    assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE,
                     store_bytes(f, &f->alice, reload_writer_slice(&w)));
}

/* R6940-7.4.1.1-8 R6940-7.4.1.2-7 R6940-7.4.1.2-8 */
static void unknown_kinds_are_all_named_in_the_refusal(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    for (uint32_t count = 1; count <= 100; count += 33) {
        struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
        size_t mark = reload_store_req_begin(&w, place, 0);
        reload_store_kind_end(&w, reload_store_kind_begin(&w, SINGLE, 0));
        for (uint32_t i = 0; i < count; i++)
            reload_store_kind_end(&w, reload_store_kind_begin(&w, 0xf1000000 + i, 0));
        reload_store_req_end(&w, mark);
        assert_int_equal(RELOAD_ERROR_UNKNOWN_KIND,
                         store_bytes(f, &f->alice, reload_writer_slice(&w)));
        struct reload_slice kinds;
        assert_int_equal(0, reload_unknown_kinds_decode(reload_writer_slice(&f->answer), &kinds));
        assert_int_equal(4 * (count < 63 ? count : 63), kinds.n);
        struct reload_reader r = reload_reader_over(kinds);
        assert_int_equal(0xf1000000, reload_rd_u32(&r));
    }
    assert_int_equal(4, reload_store_counters(f->store)->refused_kind);
}

/* R6940-7.4.1.1-6 */
static void an_original_store_goes_to_the_responsible_peer_only(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    f->context.responsible = false;
    assert_int_equal(RELOAD_ERROR_NOT_FOUND,
                     store_one(f, &f->alice, place, item(f, SINGLE, "one")));
    assert_int_equal(0, reload_store_value_count(f->store));
}

/* R6940-7.4.1.1-9 R6940-6.3.4-10 */
static void a_value_changed_in_any_bit_is_forbidden_or_malformed(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "one");
    struct reload_slice body = store_body(f, &f->alice, place, &i, 1);
    size_t from = 17 + 1 + 4 + 4 + 8 + 4 + 4; /* storage_time */
    for (size_t bit = 8 * from; bit < 8 * body.n; bit++) {
        size_t at = bit / 8;
        if (at >= from + 8 && at < from + 12)
            continue; /* the lifetime is not signed */
        f->body_bytes[at] ^= (uint8_t)(1u << bit % 8);
        uint16_t code = store_bytes(f, &f->alice, body);
        assert_true(code == RELOAD_ERROR_FORBIDDEN || code == RELOAD_ERROR_INVALID_MESSAGE);
        f->body_bytes[at] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(0, reload_store_value_count(f->store));
    assert_int_equal(0, store_bytes(f, &f->alice, body));
}

static void a_store_cut_at_any_byte_is_malformed(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = { item(f, SINGLE, "one"),
                                         item_key(f, DICTIONARY, text("key"), "two") };
    struct reload_slice body = store_body(f, &f->alice, place, items, 2);
    for (size_t n = 0; n < body.n; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* exactly so many bytes */
        memcpy(cut, body.p, n);
        assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE,
                         store_bytes(f, &f->alice, reload_slice_of(cut, n)));
        free(cut);
    }
    assert_int_equal(0, store_bytes(f, &f->alice, body));
}

/* R6940-7.4.1.1-19 */
static void an_unsigned_value_is_never_stored(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    for (int made_up = 0; made_up < 2; made_up++) {
        struct reload_stored_data data = {
            .storage_time_ms = 1,
            .lifetime_s = 60,
            .value = { .data = { made_up == 0, { (const uint8_t *)"x", made_up == 0 } } },
            .signature = reload_signature_none(),
        };
        struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
        size_t mark = reload_store_req_begin(&w, place, 0);
        size_t kind = reload_store_kind_begin(&w, SINGLE, 0);
        assert_int_equal(0, reload_stored_data_encode(&w, &data));
        reload_store_kind_end(&w, kind);
        reload_store_req_end(&w, mark);
        assert_int_equal(RELOAD_ERROR_FORBIDDEN,
                         store_bytes(f, &f->alice, reload_writer_slice(&w)));
    }
    assert_int_equal(2, reload_store_counters(f->store)->refused_signature);
}

/* R6940-7.3-2 R6940-7.4.1.1-10 R6940-7.4.1.1-11 R6940-13.5.1-1 */
static void value_signer_and_request_signer_both_need_the_right(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    /* Bob writes at alice's. */
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_one(f, &f->bob, place, item(f, SINGLE, "bob")));
    /* Alice's value, in a request of bob's. */
    struct reload_store_item i = item(f, SINGLE, "alice");
    struct reload_slice body = store_body(f, &f->alice, place, &i, 1);
    f->context.certificates = f->alice.own->certificates;
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_bytes(f, &f->bob, body));
    /* Bob's value, in a request of alice's. */
    body = store_body(f, &f->bob, place, &i, 1);
    f->context.certificates = f->bob.own->certificates;
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_bytes(f, &f->alice, body));
    /* Too large as well: what is said is that he may not. */
    static char large[RELOAD_STANDIN_MAX_SIZE + 2];
    memset(large, 'x', sizeof large - 1);
    f->config.kinds[3].max_size = 5000;
    i = item(f, SINGLE, large);
    body = store_body(f, &f->bob, place, &i, 1);
    f->config.kinds[3].max_size = RELOAD_STANDIN_MAX_SIZE;
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_bytes(f, &f->bob, body));
    assert_int_equal(0, reload_store_value_count(f->store));
    assert_int_equal(4, reload_store_counters(f->store)->refused_access);
}

/* R6940-7.4.1.1-18 R6940-7.4.1.2-6 */
static void size_and_count_end_where_the_configuration_says(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    static char large[RELOAD_STANDIN_MAX_SIZE + 2];
    memset(large, 'x', sizeof large - 1);
    struct reload_store_item i = item(f, SINGLE, large);
    f->config.kinds[3].max_size++;
    struct reload_slice body = store_body(f, &f->alice, place, &i, 1);
    f->config.kinds[3].max_size--;
    assert_int_equal(RELOAD_ERROR_DATA_TOO_LARGE, store_bytes(f, &f->alice, body));
    i.value.n--;
    assert_int_equal(0, store_one(f, &f->alice, place, i));

    static const uint32_t far_off[] = { RELOAD_STANDIN_MAX_COUNT, 0x7fffffff, 0xfffffffe };
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(RELOAD_ERROR_DATA_TOO_LARGE,
                         store_one(f, &f->alice, place, item_at(f, ARRAY, far_off[n], "x")));

    char key[] = "k0";
    for (int n = 0; n < RELOAD_STANDIN_MAX_COUNT; n++, key[1]++)
        assert_int_equal(0,
                         store_one(f, &f->alice, place, item_key(f, DICTIONARY, text(key), "x")));
    assert_int_equal(RELOAD_ERROR_DATA_TOO_LARGE,
                     store_one(f, &f->alice, place, item_key(f, DICTIONARY, text(key), "x")));
    /* One removed makes room for one; and removed ones are bounded in their turn. */
    advance(f, 1);
    assert_int_equal(
        0, store_one(f, &f->alice, place, removed(item_key(f, DICTIONARY, text("k0"), ""))));
    assert_int_equal(0, store_one(f, &f->alice, place, item_key(f, DICTIONARY, text(key), "x")));
    int stored = 1;
    for (int n = 0; n < 3 * RELOAD_STANDIN_MAX_COUNT; n++, key[1]++)
        stored +=
            store_one(f, &f->alice, place, removed(item_key(f, DICTIONARY, text(key), ""))) == 0;
    assert_int_equal(RELOAD_STANDIN_MAX_COUNT, stored);
    assert_true(reload_store_counters(f->store)->refused_size > 4);
}

/* R6940-7.4.1.1-5 R6940-7.3-3 R6940-7.4.1.1-14 R6940-7.4.1.1-15 R6940-7.4.1.1-7 R6940-7.4.1.1-12 */
static void a_replica_comes_from_a_plausible_node_and_brings_its_generation(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "one");
    struct reload_slice body = as_replica(f, store_body(f, &f->alice, place, &i, 1), 1, 77);
    f->context.responsible = false;
    f->context.certificates = f->alice.own->certificates;
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_bytes(f, &f->bob, body));
    f->context.replica_plausible = true;
    f->context.certificates = f->alice.own->certificates;
    assert_int_equal(0, store_bytes(f, &f->bob, body)); /* bob may not write, but hand on */
    assert_int_equal(77, generation_of(f, SINGLE));
    assert_int_equal(1, reload_store_counters(f->store)->replicated);

    /* The counter is taken as it comes, lower ones too. */
    advance(f, 1);
    i = item(f, SINGLE, "two");
    body = as_replica(f, store_body(f, &f->alice, place, &i, 1), 2, 5);
    assert_int_equal(0, store_bytes(f, &f->alice, body));
    assert_int_equal(5, fetch(f, place, SINGLE).generation);

    /* The value's signer needs the right all the same. */
    advance(f, 1);
    i = item(f, SINGLE, "three");
    body = as_replica(f, store_body(f, &f->bob, place, &i, 1), 2, 6);
    assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_bytes(f, &f->bob, body));
}

/* R6940-7.4.1.1-16 */
static void a_replica_without_a_generation_is_refused(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "one");
    f->context.replica_plausible = true;
    struct reload_slice body = as_replica(f, store_body(f, &f->alice, place, &i, 1), 1, 0);
    assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE, store_bytes(f, &f->alice, body));
}

static void the_same_replica_again_is_a_success_without_effect(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    f->context.replica_plausible = true;
    struct reload_store_item items[] = { item(f, SINGLE, "one"),
                                         item_at(f, ARRAY, RELOAD_ARRAY_LAST, "two") };
    for (int n = 0; n < 2; n++) {
        struct reload_slice body =
            as_replica(f, store_body(f, &f->alice, place, &items[n], 1), 1, 4);
        assert_int_equal(0, store_bytes(f, &f->alice, body));
        assert_true(f->changed);
        uint64_t deadline = reload_store_deadline(f->store);
        size_t count = reload_store_value_count(f->store);
        advance(f, 5000);
        assert_int_equal(0, store_bytes(f, &f->alice, body));
        assert_false(f->changed);
        assert_true(deadline == reload_store_deadline(f->store)); /* its lifetime goes on */
        assert_int_equal(count, reload_store_value_count(f->store));
    }
    /* Another value of the same time is not the same. */
    items[0].value = text("other");
    struct reload_slice body = as_replica(f, store_body(f, &f->alice, place, &items[0], 1), 1, 4);
    assert_int_equal(RELOAD_ERROR_DATA_TOO_OLD, store_bytes(f, &f->alice, body));
}

/* R6940-7.4.1.1-27: in whatever order the parts of a healed overlay hand it on, the newest stays.
 */
static void replicas_in_any_order_leave_the_newest_value(void **state)
{
    struct fixture *f = *state;
    static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                     { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    static const char *const texts[] = { "oldest", "older", "newest" };
    struct reload_slice place = user_place(&f->alice)->slice;
    f->context.replica_plausible = true;
    for (size_t o = 0; o < 6; o++) {
        for (size_t i = 0; i < 3; i++) {
            struct reload_store_item it = item(f, SINGLE, texts[orders[o][i]]);
            it.storage_time = 1000 + (uint64_t)orders[o][i];
            struct reload_slice body = store_body(f, &f->alice, place, &it, 1);
            bool newer = i == 0 || orders[o][i] > orders[o][i - 1];
            if (i == 2)
                newer = orders[o][2] == 2;
            assert_int_equal(newer ? 0 : RELOAD_ERROR_DATA_TOO_OLD,
                             store_bytes(f, &f->alice, as_replica(f, body, 1, 3)));
        }
        assert_true(value_is(&fetch(f, place, SINGLE).values[0], "newest"));
        reload_store_forget(f->store, place, place);
    }
}

static void a_generation_counter_at_its_end_does_not_become_zero(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    f->context.replica_plausible = true;
    struct reload_store_item i = item(f, SINGLE, "one");
    struct reload_slice body = as_replica(f, store_body(f, &f->alice, place, &i, 1), 1, UINT64_MAX);
    assert_int_equal(0, store_bytes(f, &f->alice, body));
    advance(f, 1);
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, SINGLE, "two")));
    assert_true(generation_of(f, SINGLE) >= 1);
}

/* An answer that has no room must not leave the values behind. */
static void without_room_for_the_answer_nothing_is_stored(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "one");
    struct reload_slice body = store_body(f, &f->alice, place, &i, 1);
    for (f->answer.cap = 1; f->answer.cap < 16; f->answer.cap++) {
        assert_int_equal(RELOAD_ERROR_RESPONSE_TOO_LARGE, store_bytes(f, &f->alice, body));
        assert_int_equal(0, f->answer.failed);
        assert_int_equal(0, reload_store_value_count(f->store));
    }
    f->answer.cap = 2 + 4 + 8 + 2;
    assert_int_equal(0, store_bytes(f, &f->alice, body));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_single_value_is_created_and_overwritten_and_counted),
        WITH_FIXTURE(an_array_is_sparse_and_reads_gaps_as_nonexistent),
        WITH_FIXTURE(an_append_lands_at_the_end_and_shows_its_real_index),
        WITH_FIXTURE(an_array_without_room_at_its_end_takes_an_append_in_its_first_gap),
        WITH_FIXTURE(a_dictionary_keeps_one_value_for_each_key),
        WITH_FIXTURE(a_removed_value_is_a_signed_value_that_does_not_exist),
        WITH_FIXTURE(a_nonexistent_value_with_bytes_is_malformed),
        WITH_FIXTURE(a_storage_time_that_is_not_newer_is_too_old_whatever_our_clock_says),
        WITH_FIXTURE(a_wrong_generation_counter_is_answered_with_the_right_ones),
        WITH_FIXTURE(a_store_that_fails_at_its_last_value_leaves_everything_as_it_was),
        WITH_FIXTURE(a_kind_that_appears_twice_is_refused),
        WITH_FIXTURE(unknown_kinds_are_all_named_in_the_refusal),
        WITH_FIXTURE(an_original_store_goes_to_the_responsible_peer_only),
        WITH_FIXTURE(a_value_changed_in_any_bit_is_forbidden_or_malformed),
        WITH_FIXTURE(a_store_cut_at_any_byte_is_malformed),
        WITH_FIXTURE(an_unsigned_value_is_never_stored),
        WITH_FIXTURE(value_signer_and_request_signer_both_need_the_right),
        WITH_FIXTURE(size_and_count_end_where_the_configuration_says),
        WITH_FIXTURE(a_replica_comes_from_a_plausible_node_and_brings_its_generation),
        WITH_FIXTURE(a_replica_without_a_generation_is_refused),
        WITH_FIXTURE(the_same_replica_again_is_a_success_without_effect),
        WITH_FIXTURE(replicas_in_any_order_leave_the_newest_value),
        WITH_FIXTURE(a_generation_counter_at_its_end_does_not_become_zero),
        WITH_FIXTURE(without_room_for_the_answer_nothing_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
