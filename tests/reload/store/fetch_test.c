#include "tests/reload/store/fixture.h"

#include "reload/wire/security_block.h"

/* Fetch, RFC 6940 s7.4.2. */

#define SINGLE     RELOAD_STANDIN_SINGLE_USER
#define ARRAY      RELOAD_STANDIN_ARRAY_USER
#define DICTIONARY RELOAD_STANDIN_DICTIONARY_USER

static struct reload_slice text(const char *s)
{
    return reload_slice_of(s, strlen(s));
}

static struct reload_slice fill(struct fixture *f)
{
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = {
        item(f, SINGLE, "single"),
        item_at(f, ARRAY, 1, "one"),
        item_at(f, ARRAY, 3, "three"),
        item_key(f, DICTIONARY, text("a"), "A"),
        item_key(f, DICTIONARY, text("b"), "B"),
    };
    assert_int_equal(0, store(f, &f->alice, place, items, 5));
    return place;
}

struct range {
    uint32_t first, last;
};

static struct got fetch_ranges(struct fixture *f, struct reload_slice place,
                               const struct range *ranges, size_t count)
{
    struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
    size_t mark = reload_fetch_req_begin(&w, place);
    struct reload_specifier_mark s = reload_specifier_begin(&w, ARRAY, 0, RELOAD_MODEL_ARRAY);
    for (size_t i = 0; i < count; i++)
        reload_wr_array_range(&w, (struct reload_array_range){ ranges[i].first, ranges[i].last });
    reload_specifier_end(&w, s, RELOAD_MODEL_ARRAY);
    reload_fetch_req_end(&w, mark);
    return fetch_bytes(f, place, reload_writer_slice(&w));
}

/* R6940-7.4.2.1-3 R6940-7.4.2.1-6 R6940-7.4.2.2-3 R6940-7.4.2.2-4 */
static void ranges_select_indices_and_end_with_the_array(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    static const struct {
        struct range ranges[2];
        size_t count, expected;
        uint32_t first_index;
    } rows[] = {
        { { { 0, 0xffffffff } }, 1, 4, 0 }, /* na, one, na, three */
        { { { 0, 0 } }, 1, 1, 0 },
        { { { 1, 1 } }, 1, 1, 1 },
        { { { 0xffffffff, 0xffffffff } }, 1, 1, 3 }, /* the final element */
        { { { 2, 0xfffffffe } }, 1, 2, 2 },          /* no 2^32 made-up values */
        { { { 4, 9 } }, 1, 0, 0 },                   /* beyond the end */
        { { { 0, 1 }, { 3, 3 } }, 2, 3, 0 },
        { { { 3, 3 }, { 0, 1 } }, 2, 3, 3 },
        { { { 0, 0 } }, 0, 0, 0 }, /* no ranges, no values */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct got got = fetch_ranges(f, place, rows[i].ranges, rows[i].count);
        assert_int_equal(0, got.code);
        assert_int_equal(rows[i].expected, got.count);
        assert_int_equal(0, got.rejected);
        if (got.count)
            assert_int_equal(rows[i].first_index, got.values[0].index);
        for (size_t v = 0; v < got.count; v++)
            assert_int_equal(got.values[v].exists, got.values[v].index % 2 == 1);
    }
    struct got got = fetch_ranges(f, node_place(&f->alice)->slice, rows[0].ranges, 1);
    assert_int_equal(0, got.count); /* an array that is not there has no elements */
}

/* R6940-7.4.2.1-5 R6940-7.4.2.1-7 */
static void ranges_out_of_order_or_overlapping_are_refused(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    static const struct range bad[][2] = {
        { { 2, 1 }, { 5, 6 } },          { { 0xffffffff, 0 }, { 5, 6 } }, { { 0, 3 }, { 3, 4 } },
        { { 0, 0xffffffff }, { 1, 1 } }, { { 1, 1 }, { 1, 1 } },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE, fetch_ranges(f, place, bad[i], 2).code);
}

/* R6940-7.4.2.1-8 R6940-7.4.2.2-4 */
static void keys_select_entries_and_none_is_all(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    assert_int_equal(2, fetch(f, place, DICTIONARY).count);
    struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
    size_t mark = reload_fetch_req_begin(&w, place);
    struct reload_specifier_mark s =
        reload_specifier_begin(&w, DICTIONARY, 0, RELOAD_MODEL_DICTIONARY);
    reload_wr_dictionary_key(&w, text("b"));
    reload_wr_dictionary_key(&w, text("nobody"));
    reload_specifier_end(&w, s, RELOAD_MODEL_DICTIONARY);
    reload_fetch_req_end(&w, mark);
    struct got got = fetch_bytes(f, place, reload_writer_slice(&w));
    assert_int_equal(2, got.count);
    assert_true(value_is(&got.values[0], "B"));
    assert_false(got.values[1].exists);
    assert_true(reload_slice_equal(got.values[1].key, text("nobody")));
}

/* R6940-7.4.2.1-9 */
static void who_has_the_generation_gets_no_values(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    struct got got = fetch_bytes(f, place, fetch_body(f, place, SINGLE, 1));
    assert_int_equal(0, got.count);
    assert_int_equal(1, got.generation);
    got = fetch_bytes(f, place, fetch_body(f, place, SINGLE, 2));
    assert_int_equal(1, got.count);
    /* 0 is no generation: what was never stored is still said not to exist. */
    struct reload_slice elsewhere = user_place(&f->bob)->slice;
    got = fetch_bytes(f, elsewhere, fetch_body(f, elsewhere, SINGLE, 0));
    assert_int_equal(1, got.count);
    assert_false(got.values[0].exists);
}

/* R6940-7.4.2.2-2 */
static void there_is_one_response_for_each_kind_asked(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    for (int twice = 0; twice < 2; twice++) {
        struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
        size_t mark = reload_fetch_req_begin(&w, place);
        uint32_t kinds[] = { SINGLE, RELOAD_STANDIN_SINGLE_NODE, twice ? SINGLE : 0x2 };
        for (size_t i = 0; i < 3; i++)
            reload_specifier_end(&w, reload_specifier_begin(&w, kinds[i], 0, RELOAD_MODEL_SINGLE),
                                 RELOAD_MODEL_SINGLE);
        reload_fetch_req_end(&w, mark);
        struct got got = fetch_bytes(f, place, reload_writer_slice(&w));
        assert_int_equal(twice ? RELOAD_ERROR_INVALID_MESSAGE : 0, got.code);
        if (twice)
            continue;
        assert_int_equal(3, got.count);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(kinds[i], got.values[i].kind);
    }
}

/* R6940-7.4.2.1-4 R6940-7.4.1.2-7 R6940-7.4.1.2-8 */
static void unknown_kinds_fail_the_whole_fetch_and_are_named(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    struct got got = fetch(f, place, 0xfe000000);
    assert_int_equal(RELOAD_ERROR_UNKNOWN_KIND, got.code);
    struct reload_slice kinds;
    assert_int_equal(0, reload_unknown_kinds_decode(reload_writer_slice(&f->answer), &kinds));
    assert_int_equal(4, kinds.n);
    assert_memory_equal(kinds.p, "\xfe\0\0\0", 4);
}

/* R6940-6.3.4-9 R6940-6.3.4-6 */
static void the_certificates_of_the_signers_come_with_it_each_once(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    assert_int_equal(2, fetch(f, place, DICTIONARY).count);
    struct reload_reader r = reload_reader_over(reload_writer_slice(&f->certificates));
    struct reload_certificate c;
    assert_true(reload_certificate_next(&r, &c));
    assert_true(reload_slice_equal(c.certificate, f->alice.own->certificate));
    assert_false(reload_certificate_next(&r, &c));
}

/* R6940-7-7 */
static void the_lifetime_counts_down_and_an_expired_value_is_gone(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "one");
    i.lifetime_s = 100;
    assert_int_equal(0, store_one(f, &f->alice, place, i));
    assert_int_equal(100, fetch(f, place, SINGLE).values[0].lifetime_s);
    advance(f, 40500);
    assert_int_equal(59, fetch(f, place, SINGLE).values[0].lifetime_s);
    assert_true(reload_store_deadline(f->store) == f->now.monotonic_ms + 59500);
    advance(f, 59499);
    assert_true(fetch(f, place, SINGLE).values[0].exists);
    advance(f, 1);
    assert_false(fetch(f, place, SINGLE).values[0].exists); /* before any tick */
    reload_store_tick(f->store, f->now);
    assert_int_equal(0, reload_store_resource_count(f->store));
    assert_int_equal(1, reload_store_counters(f->store)->expired);
    assert_true(reload_store_deadline(f->store) == RELOAD_NEVER);
}

/* A wall clock that jumps moves no lifetime. */
static void lifetimes_run_on_the_monotonic_clock(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, SINGLE, "one")));
    f->now.unix_ms += 86400000;
    reload_store_tick(f->store, f->now);
    assert_int_equal(3600, fetch(f, place, SINGLE).values[0].lifetime_s);
}

static void a_fetch_cut_at_any_byte_is_malformed(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    uint8_t copy[200];
    struct reload_slice body = fetch_body(f, place, ARRAY, 0);
    memcpy(copy, body.p, body.n);
    for (size_t n = 0; n < body.n; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, copy, n);
        assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE,
                         fetch_bytes(f, place, reload_slice_of(cut, n)).code);
        free(cut);
    }
}

/* A specifier in another model's form. */
static void a_specifier_that_does_not_fit_the_model_is_refused(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    static const struct {
        uint32_t kind;
        enum reload_data_model written_as;
    } rows[] = { { SINGLE, RELOAD_MODEL_ARRAY }, { ARRAY, RELOAD_MODEL_SINGLE } };
    for (size_t i = 0; i < 2; i++) {
        struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
        size_t mark = reload_fetch_req_begin(&w, place);
        reload_specifier_end(&w, reload_specifier_begin(&w, rows[i].kind, 0, rows[i].written_as),
                             rows[i].written_as);
        reload_fetch_req_end(&w, mark);
        assert_int_equal(RELOAD_ERROR_INVALID_MESSAGE,
                         fetch_bytes(f, place, reload_writer_slice(&w)).code);
    }
}

static void an_answer_that_does_not_fit_is_said_to_be_too_large(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    struct reload_slice body = fetch_body(f, place, DICTIONARY, 0);
    assert_int_equal(2, fetch_bytes(f, place, body).count);
    size_t need = f->answer.len, need_certificates = f->certificates.len;
    for (size_t cap = 0; cap < need; cap++) {
        f->answer = reload_writer_of(f->answer_bytes, cap);
        f->certificates = reload_writer_of(f->certificate_bytes, need_certificates);
        assert_int_equal(
            RELOAD_ERROR_RESPONSE_TOO_LARGE,
            reload_store_handle_fetch(f->store, body, f->now, &f->answer, &f->certificates));
        assert_int_equal(0, f->certificates.len);
    }
    f->answer = reload_writer_of(f->answer_bytes, need);
    f->certificates = reload_writer_of(f->certificate_bytes, need_certificates - 1);
    assert_int_equal(
        RELOAD_ERROR_RESPONSE_TOO_LARGE,
        reload_store_handle_fetch(f->store, body, f->now, &f->answer, &f->certificates));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(ranges_select_indices_and_end_with_the_array),
        WITH_FIXTURE(ranges_out_of_order_or_overlapping_are_refused),
        WITH_FIXTURE(keys_select_entries_and_none_is_all),
        WITH_FIXTURE(who_has_the_generation_gets_no_values),
        WITH_FIXTURE(there_is_one_response_for_each_kind_asked),
        WITH_FIXTURE(unknown_kinds_fail_the_whole_fetch_and_are_named),
        WITH_FIXTURE(the_certificates_of_the_signers_come_with_it_each_once),
        WITH_FIXTURE(the_lifetime_counts_down_and_an_expired_value_is_gone),
        WITH_FIXTURE(lifetimes_run_on_the_monotonic_clock),
        WITH_FIXTURE(a_fetch_cut_at_any_byte_is_malformed),
        WITH_FIXTURE(a_specifier_that_does_not_fit_the_model_is_refused),
        WITH_FIXTURE(an_answer_that_does_not_fit_is_said_to_be_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
