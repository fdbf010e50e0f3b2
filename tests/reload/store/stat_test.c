#include "tests/reload/store/fixture.h"

#include "reload/wire/stat.h"

/* Stat, RFC 6940 s7.4.3. */

static size_t stat_of(struct fixture *f, struct reload_slice place, uint32_t kind,
                      enum reload_data_model model, struct reload_stored_meta_data *out)
{
    struct reload_slice body = fetch_body(f, place, kind, 0);
    f->answer = reload_writer_of(f->answer_bytes, BUFFER);
    assert_int_equal(0, reload_store_handle_stat(f->store, body, f->now, &f->answer));
    struct reload_fetch_ans ans;
    struct reload_fetch_kind_response response;
    assert_int_equal(0, reload_fetch_ans_decode(reload_writer_slice(&f->answer), &ans));
    struct reload_reader kinds = reload_reader_over(ans.kind_responses);
    assert_true(reload_fetch_kind_response_next(&kinds, &response));
    assert_int_equal(kind, response.kind);
    struct reload_reader values = reload_reader_over(response.values);
    size_t count = 0;
    while (reload_stored_meta_data_next(&values, model, &out[count]))
        count++;
    assert_int_equal(0, reload_reader_status(&values));
    assert_false(reload_fetch_kind_response_next(&kinds, &response));
    return count;
}

/* R6940-7.4.3.1-1 R6940-7.4.3.2-1 R6940-7.4.3.2-2 R6940-7.4.3.2-3 R6940-7.4.3.2-4 */
static void metadata_tells_length_and_hash_with_the_length_bytes(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    uint32_t kind = RELOAD_STANDIN_ARRAY_USER;
    struct reload_store_item i = item_at(f, kind, 1, "seven b");
    i.lifetime_s = 50;
    assert_int_equal(0, store_one(f, &f->alice, place, i));
    advance(f, 20000);
    struct reload_stored_meta_data m[8];
    assert_int_equal(2, stat_of(f, place, kind, RELOAD_MODEL_ARRAY, m));
    assert_false(m[0].data.exists);
    assert_int_equal(0, m[0].index);
    assert_int_equal(0, m[0].data.value_length);
    assert_true(m[1].data.exists);
    assert_int_equal(1, m[1].index);
    assert_int_equal(7, m[1].data.value_length);
    assert_int_equal(30, m[1].lifetime_s);
    assert_true(m[1].storage_time_ms == i.storage_time);
    uint8_t hash[RELOAD_DIGEST_MAX];
    size_t len;
    struct reload_slice hashed = { (const uint8_t *)"\0\0\0\7seven b", 11 };
    assert_int_equal(0, f->bob.crypto->ops->digest(f->bob.crypto->context, RELOAD_HASH_SHA256,
                                                   &hashed, 1, hash, &len));
    assert_int_equal(RELOAD_HASH_SHA256, m[1].data.hash_algorithm);
    assert_int_equal(len, m[1].data.hash_value.n);
    assert_memory_equal(hash, m[1].data.hash_value.p, len);
}

static void metadata_lists_single_values_and_all_entries_of_a_dictionary(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = {
        item(f, RELOAD_STANDIN_SINGLE_USER, "s"),
        item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of("k", 1), "one"),
        removed(item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of("l", 1), "")),
    };
    assert_int_equal(0, store(f, &f->alice, place, items, 3));
    struct reload_stored_meta_data m[8];
    assert_int_equal(1, stat_of(f, place, RELOAD_STANDIN_SINGLE_USER, RELOAD_MODEL_SINGLE, m));
    assert_int_equal(1, m[0].data.value_length);
    assert_int_equal(2,
                     stat_of(f, place, RELOAD_STANDIN_DICTIONARY_USER, RELOAD_MODEL_DICTIONARY, m));
    assert_true(reload_slice_equal(m[0].key, reload_slice_of("k", 1)));
    assert_false(m[1].data.exists);
    assert_true(m[1].storage_time_ms > 0); /* removed, not unheard of */
}

/* R6940-7.4.1.2-7 */
static void unknown_kinds_and_cut_requests_are_refused(void **state)
{
    struct fixture *f = *state;
    struct reload_slice body = fetch_body(f, user_place(&f->alice)->slice, 0xfe000000, 0);
    f->answer = reload_writer_of(f->answer_bytes, BUFFER);
    assert_int_equal(RELOAD_ERROR_UNKNOWN_KIND,
                     reload_store_handle_stat(f->store, body, f->now, &f->answer));
    for (size_t n = 0; n < body.n; n++) {
        f->answer = reload_writer_of(f->answer_bytes, BUFFER);
        assert_int_equal(
            RELOAD_ERROR_INVALID_MESSAGE,
            reload_store_handle_stat(f->store, reload_slice_of(body.p, n), f->now, &f->answer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(metadata_tells_length_and_hash_with_the_length_bytes),
        WITH_FIXTURE(metadata_lists_single_values_and_all_entries_of_a_dictionary),
        WITH_FIXTURE(unknown_kinds_and_cut_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
