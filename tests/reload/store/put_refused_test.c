#include "tests/reload/store/fixture.h"

/* Store, RFC 6940 s7.4.1: what is refused, and leaves everything as it was. */

#define SINGLE     RELOAD_STANDIN_SINGLE_USER
#define ARRAY      RELOAD_STANDIN_ARRAY_USER
#define DICTIONARY RELOAD_STANDIN_DICTIONARY_USER

static struct reload_slice text(const char *s)
{
    return reload_slice_of(s, strlen(s));
}

/* R6940-7.4.1.3-1 */
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
        WITH_FIXTURE(a_generation_counter_at_its_end_does_not_become_zero),
        WITH_FIXTURE(without_room_for_the_answer_nothing_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
