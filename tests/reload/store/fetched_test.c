#include "tests/reload/store/fixture.h"

/* The requester's side, RFC 6940 s7.4.1 and s7.4.2.2. */

#define SINGLE     RELOAD_STANDIN_SINGLE_USER
#define DICTIONARY RELOAD_STANDIN_DICTIONARY_USER

static void begin(struct fixture *f, struct reload_fetched *walk, struct reload_slice resource)
{
    *walk = (struct reload_fetched){
        .config = &f->config.config,
        .crypto = f->bob.crypto,
        .resource_id = reload_standin_resource_id,
        .resource = resource,
        .certificates = reload_writer_slice(&f->certificates),
        .now = f->now,
    };
}

static struct reload_slice fill(struct fixture *f)
{
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = {
        item_key(f, DICTIONARY, reload_slice_of("a", 1), "A"),
        item_key(f, DICTIONARY, reload_slice_of("b", 1), "B"),
    };
    assert_int_equal(0, store(f, &f->alice, place, items, 2));
    return place;
}

static void values_come_with_signer_and_user(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    assert_int_equal(2, fetch(f, place, DICTIONARY).count);
    struct reload_fetched walk;
    struct reload_fetched_value v;
    begin(f, &walk, place);
    assert_int_equal(0, reload_fetched_begin(&walk, reload_writer_slice(&f->answer)));
    assert_int_equal(1, reload_fetched_next(&walk, &v));
    assert_true(value_is(&v, "A"));
    assert_true(reload_slice_equal(v.user_name, f->alice.own->user_name));
    assert_true(reload_node_id_equal(&v.signer, &f->alice.own->node_id));
    assert_true(v.storage_time == f->now.unix_ms);
    assert_int_equal(3600, v.lifetime_s);
    assert_int_equal(RELOAD_MODEL_DICTIONARY, v.model);
}

/* R6940-7.4.2.2-6 R6940-7.4.2.2-7 R6940-7.4.2.2-8 R6940-7.4.2.2-9: no bit of an answer can be
 * changed so that a wrong value comes out. */
static void a_changed_value_is_left_out_and_counted(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    assert_int_equal(2, fetch(f, place, DICTIONARY).count);
    size_t kept_one = 0;
    for (size_t bit = 0; bit < 8 * f->answer.len; bit++) {
        f->answer_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct reload_fetched walk;
        struct reload_fetched_value v;
        size_t count = 0;
        begin(f, &walk, place);
        int more = reload_fetched_begin(&walk, reload_slice_of(f->answer_bytes, f->answer.len));
        while (!more && (more = reload_fetched_next(&walk, &v)) == 1) {
            if (v.signer.len) {
                assert_true(value_is(&v, "A") || value_is(&v, "B"));
                assert_true(v.key.p[0] == (value_is(&v, "A") ? 'a' : 'b'));
                assert_true(v.storage_time == f->now.unix_ms);
            }
            count++;
            more = 0;
        }
        if (!more && count == 1 && walk.rejected == 1)
            kept_one++;
        f->answer_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(kept_one > 500); /* the good one of the two is still handed over */
}

/* R6940-5.1-1 R6940-7.1-3 R6940-7.1-4 R6940-7.1-5 R6940-7.4.2.2-7 */
static void values_of_an_expired_certificate_are_left_out(void **state)
{
    struct fixture *f = *state;
    struct reload_node_id id = reload_standin_node_id(20);
    struct reload_standin_certificate c =
        reload_standin_certificate(&f->config.config, &id, "dora@overlay.example");
    c.not_after_ms = f->now.unix_ms + 5000;
    struct writer dora = { .standin = reload_standin_new(&f->config.config, &c, 0) };
    dora.crypto = reload_standin_crypto(dora.standin);
    dora.own = dora.crypto->own;
    struct reload_slice place = user_place(&dora)->slice;
    assert_int_equal(0, store_one(f, &dora, place, item(f, SINGLE, "x")));
    struct got got = fetch(f, place, SINGLE);
    assert_int_equal(1, got.count);
    assert_int_equal(5,
                     got.values[0].lifetime_s); /* R6940-7.1-6: kept no longer than vouched for */
    struct reload_slice answer = reload_writer_slice(&f->answer);
    advance(f, 5001);
    struct reload_fetched walk;
    struct reload_fetched_value v;
    begin(f, &walk, place);
    assert_int_equal(0, reload_fetched_begin(&walk, answer));
    assert_int_equal(0, reload_fetched_next(&walk, &v));
    assert_int_equal(1, walk.rejected);
    assert_int_equal(
        RELOAD_ERROR_FORBIDDEN,
        store_bytes(f, &f->alice,
                    store_body(f, &dora, place,
                               &(struct reload_store_item){ .kind = SINGLE,
                                                            .exists = true,
                                                            .lifetime_s = 9,
                                                            .storage_time = f->now.unix_ms },
                               1)));
    reload_standin_free(dora.standin);
}

/* A storing peer that hands out what its signer had no right to write is not believed. */
static void a_value_by_the_wrong_signer_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "forged");
    struct reload_slice body = store_body(f, &f->bob, place, &i, 1); /* signed well, by bob */
    struct reload_store_req req;
    struct reload_store_kind_data data;
    assert_int_equal(0, reload_store_req_decode(body, &req));
    struct reload_reader kinds = reload_reader_over(req.kind_data);
    assert_true(reload_store_kind_data_next(&kinds, &data));
    f->answer = reload_writer_of(f->answer_bytes, BUFFER);
    size_t mark = reload_fetch_ans_begin(&f->answer);
    size_t kind = reload_fetch_kind_begin(&f->answer, SINGLE, 1);
    reload_wr_bytes(&f->answer, data.values);
    reload_fetch_kind_end(&f->answer, kind);
    reload_fetch_ans_end(&f->answer, mark);
    f->certificates = reload_writer_of(f->certificate_bytes, BUFFER);
    reload_wr_bytes(&f->certificates, f->bob.own->certificates);
    struct reload_fetched walk;
    struct reload_fetched_value v;
    begin(f, &walk, place);
    assert_int_equal(0, reload_fetched_begin(&walk, reload_writer_slice(&f->answer)));
    assert_int_equal(0, reload_fetched_next(&walk, &v));
    assert_int_equal(1, walk.rejected);
}

/* R6940-7.4.2.2-4: only what does not exist may be unsigned. */
static void an_unsigned_value_that_exists_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    for (int exists = 0; exists < 2; exists++) {
        const struct reload_stored_data made_up = {
            .value = { .data = { exists, { NULL, 0 } } },
            .signature = reload_signature_none(),
        };
        f->answer = reload_writer_of(f->answer_bytes, BUFFER);
        size_t mark = reload_fetch_ans_begin(&f->answer);
        size_t kind = reload_fetch_kind_begin(&f->answer, SINGLE, 1);
        assert_int_equal(0, reload_stored_data_encode(&f->answer, &made_up));
        reload_fetch_kind_end(&f->answer, kind);
        reload_fetch_ans_end(&f->answer, mark);
        struct reload_fetched walk;
        struct reload_fetched_value v;
        begin(f, &walk, place);
        assert_int_equal(0, reload_fetched_begin(&walk, reload_writer_slice(&f->answer)));
        assert_int_equal(!exists, reload_fetched_next(&walk, &v));
        assert_int_equal(exists, walk.rejected);
    }
}

static void answers_cut_at_any_byte_are_an_error_or_nothing(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    assert_int_equal(2, fetch(f, place, DICTIONARY).count);
    for (size_t n = 0; n < f->answer.len; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, f->answer_bytes, n);
        struct reload_fetched walk;
        begin(f, &walk, place);
        assert_int_equal(RELOAD_E_DECODE, reload_fetched_begin(&walk, reload_slice_of(cut, n)));
        free(cut);
    }
}

static void values_of_a_kind_that_is_not_configured_count_as_left_out(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    assert_int_equal(2, fetch(f, place, DICTIONARY).count);
    f->config.config.kind_count = 3;
    struct reload_fetched walk;
    struct reload_fetched_value v;
    begin(f, &walk, place);
    assert_int_equal(0, reload_fetched_begin(&walk, reload_writer_slice(&f->answer)));
    assert_int_equal(0, reload_fetched_next(&walk, &v));
    assert_int_equal(2, walk.rejected);
}

/* R6940-7.4.2.2-2: one response for each Kind that was asked for. The answer in f->answer, with its
 * response once more, or with one of another Kind that holds a value. */
static struct reload_slice answer_and(struct fixture *f, const uint32_t *another)
{
    struct reload_fetch_ans ans;
    struct reload_fetch_kind_response response;
    assert_int_equal(0, reload_fetch_ans_decode(reload_writer_slice(&f->answer), &ans));
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    assert_true(reload_fetch_kind_response_next(&r, &response));
    struct reload_writer w = reload_writer_of(f->body_bytes, BUFFER);
    size_t mark = reload_fetch_ans_begin(&w);
    assert_int_equal(0, reload_fetch_kind_response_encode(&w, &response));
    if (another)
        response.kind = *another;
    assert_int_equal(0, reload_fetch_kind_response_encode(&w, &response));
    reload_fetch_ans_end(&w, mark);
    return reload_writer_slice(&w);
}

static void an_answer_that_has_a_kind_twice_is_malformed(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = fill(f);
    assert_int_equal(2, fetch(f, place, DICTIONARY).count);
    struct reload_fetched walk;
    begin(f, &walk, place);
    assert_int_equal(RELOAD_E_DECODE, reload_fetched_begin(&walk, answer_and(f, NULL)));
}

static void values_of_a_kind_that_was_not_asked_for_count_as_left_out(void **state)
{
    struct fixture *f = *state;
    const uint32_t other = RELOAD_STANDIN_DICTIONARY_USER_NODE, not_configured = 0xfe000000;
    struct reload_slice place = fill(f);
    struct reload_slice asked = fetch_body(f, place, DICTIONARY, 0);
    struct reload_fetch_req request;
    assert_int_equal(0, reload_fetch_req_decode(asked, &request));
    uint8_t specifiers[64];
    memcpy(specifiers, request.specifiers.p, request.specifiers.n);
    assert_int_equal(2, fetch(f, place, DICTIONARY).count);
    for (int unknown = 0; unknown < 2; unknown++) {
        struct reload_fetched walk;
        struct reload_fetched_value v;
        begin(f, &walk, place);
        walk.asked = reload_slice_of(specifiers, request.specifiers.n);
        assert_int_equal(
            0, reload_fetched_begin(&walk, answer_and(f, unknown ? &not_configured : &other)));
        for (int i = 0; i < 2; i++)
            assert_int_equal(1, reload_fetched_next(&walk, &v));
        assert_int_equal(0, reload_fetched_next(&walk, &v));
        assert_int_equal(2, walk.rejected);
    }
}

static struct reload_fetched_value at(enum reload_data_model model, uint32_t kind, uint32_t index,
                                      const char *key, uint64_t time)
{
    return (struct reload_fetched_value){ .model = model,
                                          .kind = kind,
                                          .index = index,
                                          .key = reload_slice_of(key, strlen(key)),
                                          .storage_time = time };
}

static void of_two_values_for_one_place_the_newer_one_is_kept(void **state)
{
    (void)state;
    struct reload_fetched_value values[] = {
        at(RELOAD_MODEL_DICTIONARY, 3, 0, "b", 1),  at(RELOAD_MODEL_SINGLE, 1, 0, "", 4),
        at(RELOAD_MODEL_ARRAY, 2, 7, "", 1),        at(RELOAD_MODEL_SINGLE, 1, 9, "x", 5),
        at(RELOAD_MODEL_DICTIONARY, 3, 0, "", 1),   at(RELOAD_MODEL_ARRAY, 2, 6, "", 2),
        at(RELOAD_MODEL_DICTIONARY, 3, 1, "b", 1),  at(RELOAD_MODEL_ARRAY, 2, 7, "", 0),
        at(RELOAD_MODEL_DICTIONARY, 3, 0, "bc", 1),
    };
    static const struct {
        uint32_t kind, index;
        const char *key;
        uint64_t time;
    } kept[] = {
        { 1, 9, "x", 5 }, { 2, 6, "", 2 },  { 2, 7, "", 1 },
        { 3, 0, "", 1 },  { 3, 0, "b", 1 }, { 3, 0, "bc", 1 },
    };
    assert_int_equal(6, reload_fetched_unique(values, sizeof values / sizeof values[0]));
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(kept[i].kind, values[i].kind);
        assert_int_equal(kept[i].time, values[i].storage_time);
        assert_true(kept[i].kind != 2 || kept[i].index == values[i].index);
        assert_true(
            reload_slice_equal(values[i].key, reload_slice_of(kept[i].key, strlen(kept[i].key))));
    }
    assert_int_equal(0, reload_fetched_unique(NULL, 0));
}

/* --- what is sent --- */

static int encode(struct fixture *f, const struct reload_store_item *items, size_t count,
                  size_t cap)
{
    struct reload_writer w = reload_writer_of(f->body_bytes, cap);
    return reload_store_request_encode(f->alice.crypto, &f->config.config,
                                       user_place(&f->alice)->slice, items, count, &w);
}

static void items_that_make_no_request_are_refused(void **state)
{
    struct fixture *f = *state;
    struct reload_store_item a = item(f, SINGLE, "a"), b = item_key(f, DICTIONARY, a.value, "b");
    struct reload_store_item apart[] = { a, b, a };
    assert_int_equal(RELOAD_E_INVALID, encode(f, apart, 3, BUFFER));
    struct reload_store_item generations[] = { b, b };
    generations[1].generation = 4;
    assert_int_equal(RELOAD_E_INVALID, encode(f, generations, 2, BUFFER));
    a.kind = 0xfe000000;
    assert_int_equal(RELOAD_E_NOT_FOUND, encode(f, &a, 1, BUFFER));
    a.kind = SINGLE;
    a.exists = false;
    assert_int_equal(RELOAD_E_INVALID, encode(f, &a, 1, BUFFER));
    static char large[RELOAD_STANDIN_MAX_SIZE + 2];
    memset(large, 'x', sizeof large - 1);
    a = item(f, SINGLE, large);
    assert_int_equal(RELOAD_E_LIMIT, encode(f, &a, 1, BUFFER));
    a.value.n--;
    assert_int_equal(0, encode(f, &a, 1, BUFFER));
    for (size_t cap = 0; cap < 1000; cap += 7)
        assert_int_equal(RELOAD_E_NOSPACE, encode(f, &a, 1, cap));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(values_come_with_signer_and_user),
        WITH_FIXTURE(a_changed_value_is_left_out_and_counted),
        WITH_FIXTURE(values_of_an_expired_certificate_are_left_out),
        WITH_FIXTURE(a_value_by_the_wrong_signer_is_left_out),
        WITH_FIXTURE(an_unsigned_value_that_exists_is_left_out),
        WITH_FIXTURE(answers_cut_at_any_byte_are_an_error_or_nothing),
        WITH_FIXTURE(values_of_a_kind_that_is_not_configured_count_as_left_out),
        WITH_FIXTURE(an_answer_that_has_a_kind_twice_is_malformed),
        WITH_FIXTURE(values_of_a_kind_that_was_not_asked_for_count_as_left_out),
        cmocka_unit_test(of_two_values_for_one_place_the_newer_one_is_kept),
        WITH_FIXTURE(items_that_make_no_request_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
