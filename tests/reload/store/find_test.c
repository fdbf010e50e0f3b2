#include "tests/reload/store/fixture.h"

#include "reload/wire/find.h"

/* Find, RFC 6940 s7.4.4. */

#define KIND RELOAD_STANDIN_SINGLE_MULTIPLE

static uint16_t find(struct fixture *f, struct reload_slice from, const uint32_t *kinds,
                     size_t count, bool responsible, struct reload_find_kind_data *out)
{
    uint8_t list[63 * 4];
    struct reload_writer k = reload_writer_of(list, sizeof list);
    for (size_t i = 0; i < count; i++)
        reload_wr_u32(&k, kinds[i]);
    struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
    const struct reload_find_req req = { from, reload_writer_slice(&k) };
    assert_int_equal(0, reload_find_req_encode(&w, &req));
    f->answer = reload_writer_of(f->answer_bytes, BUFFER);
    uint16_t code = reload_store_handle_find(f->store, reload_writer_slice(&w), responsible, f->now,
                                             &f->answer);
    if (code)
        return code;
    struct reload_find_ans ans;
    assert_int_equal(0, reload_find_ans_decode(reload_writer_slice(&f->answer), &ans));
    struct reload_reader r = reload_reader_over(ans.results);
    size_t n = 0;
    while (reload_find_kind_data_next(&r, &out[n]))
        n++;
    assert_int_equal(count, n);
    return 0;
}

static bool is_zero(struct reload_slice id)
{
    static const uint8_t zero[16];
    return reload_slice_equal(id, reload_slice_of(zero, 16));
}

/* R6940-7.4.4.2-3 R6940-7.4.4.2-5 */
static void the_walk_by_nearest_plus_one_visits_every_resource_once(void **state)
{
    struct fixture *f = *state;
    for (uint8_t i = 0; i < 10; i++)
        assert_int_equal(
            0, store_one(f, &f->alice, multiple_place(&f->alice, i)->slice, item(f, KIND, "x")));
    assert_int_equal(0, store_one(f, &f->alice, user_place(&f->alice)->slice,
                                  item(f, RELOAD_STANDIN_SINGLE_USER, "other Kind")));
    uint8_t at[16] = { 0 }, first[16] = { 0 };
    size_t visited = 0;
    for (;;) {
        struct reload_find_kind_data d;
        uint32_t kind = KIND;
        assert_int_equal(0, find(f, reload_slice_of(at, 16), &kind, 1, true, &d));
        assert_int_equal(KIND, d.kind);
        if (visited && memcmp(d.closest.p, first, 16) == 0)
            break;
        if (!visited)
            memcpy(first, d.closest.p, 16);
        assert_true(visited == 0 || memcmp(d.closest.p, at, 16) >= 0);
        memcpy(at, d.closest.p, 16);
        visited++;
        for (size_t i = 16; i-- > 0 && ++at[i] == 0;) /* plus one */
            ;
    }
    assert_int_equal(10, visited);
}

/* R6940-7.4.4.2-4: whatever is stored of it. */
static void a_kind_that_is_barred_from_find_gets_no_entry(void **state)
{
    static const struct reload_kind_ops ops = { .kind = KIND, .bars_find = true };
    struct fixture *f = *state;
    struct reload_slice place = multiple_place(&f->alice, 2)->slice;
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, KIND, "x")));
    for (size_t i = 0; i < RELOAD_STANDIN_KIND_COUNT; i++)
        if (f->config.kinds[i].id == KIND)
            f->config.kinds[i].ops = &ops;
    const uint8_t kinds[] = { 0xfe,       0, 0, 0, KIND >> 24, KIND >> 16 & 0xff, KIND >> 8 & 0xff,
                              KIND & 0xff };
    struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
    const struct reload_find_req req = { place, reload_slice_of(kinds, sizeof kinds) };
    assert_int_equal(0, reload_find_req_encode(&w, &req));
    f->answer = reload_writer_of(f->answer_bytes, BUFFER);
    assert_int_equal(
        0, reload_store_handle_find(f->store, reload_writer_slice(&w), true, f->now, &f->answer));
    struct reload_find_ans ans;
    struct reload_find_kind_data d;
    assert_int_equal(0, reload_find_ans_decode(reload_writer_slice(&f->answer), &ans));
    struct reload_reader r = reload_reader_over(ans.results);
    assert_true(reload_find_kind_data_next(&r, &d));
    assert_int_equal(0xfe000000, d.kind);
    assert_false(reload_find_kind_data_next(&r, &d));
}

/* R6940-7.4.4.2-3 R6940-7.4.4.2-5 */
static void each_kind_has_its_own_closest_resource_and_unknown_ones_have_zero(void **state)
{
    struct fixture *f = *state;
    struct reload_slice a = user_place(&f->alice)->slice, b = multiple_place(&f->alice, 2)->slice;
    assert_int_equal(0, store_one(f, &f->alice, a, item(f, RELOAD_STANDIN_SINGLE_USER, "x")));
    assert_int_equal(0, store_one(f, &f->alice, b, item(f, KIND, "x")));
    uint32_t kinds[] = { KIND, RELOAD_STANDIN_ARRAY_NODE, 0xfe000000, RELOAD_STANDIN_SINGLE_USER };
    struct reload_find_kind_data d[4];
    assert_int_equal(0, find(f, a, kinds, 4, true, d));
    assert_true(reload_slice_equal(d[0].closest, b));
    assert_true(is_zero(d[1].closest));
    assert_true(is_zero(d[2].closest));
    assert_true(reload_slice_equal(d[3].closest, a)); /* itself is closest */
}

static void an_expired_value_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = multiple_place(&f->alice, 2)->slice;
    uint32_t kind = KIND;
    struct reload_find_kind_data d;
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, KIND, "x")));
    advance(f, 3600 * 1000);
    assert_int_equal(0, find(f, place, &kind, 1, true, &d));
    assert_true(is_zero(d.closest));
}

/* R6940-7.4.4.2-2 R6940-7.4.4.1-2 */
static void not_responsible_is_not_found_and_a_kind_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    uint32_t kinds[] = { KIND, KIND };
    assert_int_equal(RELOAD_ERROR_NOT_FOUND, find(f, place, kinds, 1, false, NULL));
    assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE, find(f, place, kinds, 2, true, NULL));
}

static void a_find_cut_at_any_byte_is_malformed_and_a_small_buffer_is_said(void **state)
{
    struct fixture *f = *state;
    struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
    const struct reload_find_req req = { user_place(&f->alice)->slice,
                                         { (const uint8_t *)"\0\0\0\2\0\0\0\3", 8 } };
    assert_int_equal(0, reload_find_req_encode(&w, &req));
    for (size_t n = 0; n < w.len; n++) {
        f->answer = reload_writer_of(f->answer_bytes, BUFFER);
        assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE,
                         reload_store_handle_find(f->store, reload_slice_of(w.buf, n), true, f->now,
                                                  &f->answer));
    }
    for (size_t cap = 0; cap < 2 + 2 * (4 + 17); cap++) {
        f->answer = reload_writer_of(f->answer_bytes, cap);
        assert_int_equal(
            RELOAD_ERROR_RESPONSE_TOO_LARGE,
            reload_store_handle_find(f->store, reload_writer_slice(&w), true, f->now, &f->answer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(the_walk_by_nearest_plus_one_visits_every_resource_once),
        WITH_FIXTURE(a_kind_that_is_barred_from_find_gets_no_entry),
        WITH_FIXTURE(each_kind_has_its_own_closest_resource_and_unknown_ones_have_zero),
        WITH_FIXTURE(an_expired_value_is_not_found),
        WITH_FIXTURE(not_responsible_is_not_found_and_a_kind_twice_is_refused),
        WITH_FIXTURE(a_find_cut_at_any_byte_is_malformed_and_a_small_buffer_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
