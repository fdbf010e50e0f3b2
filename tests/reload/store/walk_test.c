#include "tests/reload/store/fixture.h"

/* Handing data on, RFC 6940 s7.4.1.1 and s10.5. */

#define KIND RELOAD_STANDIN_SINGLE_MULTIPLE

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

/* Ten resources; their ids in order. */
static void fill(struct fixture *f, uint8_t ids[10][16])
{
    for (uint8_t i = 0; i < 10; i++) {
        struct reload_slice place = multiple_place(&f->alice, i)->slice;
        memcpy(ids[i], place.p, 16);
        assert_int_equal(0, store_one(f, &f->alice, place, item(f, KIND, "value")));
    }
    qsort(ids, 10, 16, compare_ids);
}

struct walker {
    uint8_t body[BUFFER], certificates[BUFFER], visited[64][16];
    size_t max_len, requests;
};

static int step(struct fixture *f, struct walker *w, struct reload_slice after,
                struct reload_slice up_to, struct reload_store_cursor *cursor,
                struct reload_writer *body, struct reload_writer *certificates)
{
    struct reload_slice resource;
    *body = reload_writer_of(w->body, sizeof w->body);
    *certificates = reload_writer_of(w->certificates, sizeof w->certificates);
    int more = reload_store_walk(f->store, after, up_to, 2, w->max_len, f->now, cursor, &resource,
                                 body, certificates);
    if (more != 1)
        return more;
    assert_true(w->requests < 64);
    memcpy(w->visited[w->requests++], resource.p, 16);
    struct reload_store_req req;
    assert_int_equal(0, reload_store_req_decode(reload_writer_slice(body), &req));
    assert_true(reload_slice_equal(req.resource, resource));
    assert_int_equal(2, req.replica_number);
    return 1;
}

static size_t walk(struct fixture *f, struct walker *w, struct reload_slice after,
                   struct reload_slice up_to)
{
    struct reload_store_cursor cursor = { 0 };
    struct reload_writer body, certificates;
    w->requests = 0;
    while (step(f, w, after, up_to, &cursor, &body, &certificates) == 1)
        ;
    return w->requests;
}

static void a_walk_covers_its_arc_in_ring_order_across_zero_too(void **state)
{
    struct fixture *f = *state;
    static struct walker w = { .max_len = 4000 };
    uint8_t ids[10][16];
    fill(f, ids);
    for (size_t from = 0; from < 10; from++) {
        for (size_t to = 0; to < 10; to++) {
            size_t expected = from == to ? 10 : (to + 10 - from) % 10;
            assert_int_equal(expected, walk(f, &w, reload_slice_of(ids[from], 16),
                                            reload_slice_of(ids[to], 16)));
            for (size_t i = 0; i < expected; i++)
                assert_memory_equal(ids[(from + 1 + i) % 10], w.visited[i], 16);
        }
    }
    uint8_t before[16], beyond[16];
    memcpy(before, ids[3], 16); /* between two ids: the ends need not be stored */
    before[15]++;
    memcpy(beyond, ids[5], 16);
    beyond[15]++;
    assert_int_equal(2, walk(f, &w, reload_slice_of(before, 16), reload_slice_of(beyond, 16)));
    beyond[15] -= 2;
    assert_int_equal(1, walk(f, &w, reload_slice_of(before, 16), reload_slice_of(beyond, 16)));
    assert_int_equal(10, walk(f, &w, reload_slice_of("", 0), reload_slice_of("", 0)));
}

/* R6940-7.4.1.1-24 R6940-7.4.1.1-25 R6940-7.4.1.1-16 R6940-6.3.4-9 */
static void what_is_handed_on_is_accepted_with_less_lifetime_and_the_same_generation(void **state)
{
    struct fixture *f = *state;
    static struct walker w = { .max_len = 4000 };
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = {
        item(f, RELOAD_STANDIN_SINGLE_USER, "s"),
        item_at(f, RELOAD_STANDIN_ARRAY_USER, RELOAD_ARRAY_LAST, "a0"),
        item_at(f, RELOAD_STANDIN_ARRAY_USER, 4, "a4"),
        removed(item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of("k", 1), "")),
    };
    assert_int_equal(0, store(f, &f->alice, place, items, 4));
    advance(f, 1);
    items[0] = item(f, RELOAD_STANDIN_SINGLE_USER, "s2");
    assert_int_equal(0, store_one(f, &f->alice, place, items[0]));
    advance(f, 100999);

    struct reload_store_cursor cursor = { 0 };
    struct reload_writer body, certificates;
    struct reload_slice none = { NULL, 0 };
    assert_int_equal(1, step(f, &w, none, none, &cursor, &body, &certificates));

    /* Another peer, which has never seen alice. */
    struct writer other = writer_new(f, 9, NULL);
    struct reload_store *mine = f->store;
    struct writer peer = f->peer;
    assert_int_equal(0, reload_store_new(other.crypto, &f->config.config,
                                         reload_standin_resource_id, &f->limits, &f->store));
    f->peer = other;
    f->context.responsible = false;
    f->context.replica_plausible = true;
    f->context.certificates = reload_writer_slice(&certificates);
    assert_int_equal(0, store_bytes(f, &peer, reload_writer_slice(&body)));
    struct got got = fetch(f, place, RELOAD_STANDIN_SINGLE_USER);
    assert_true(value_is(&got.values[0], "s2"));
    assert_int_equal(2, got.generation);
    assert_int_equal(3600 - 101, got.values[0].lifetime_s);
    got = fetch(f, place, RELOAD_STANDIN_ARRAY_USER);
    assert_int_equal(5, got.count);
    assert_true(value_is(&got.values[0], "a0"));
    assert_true(value_is(&got.values[4], "a4"));
    got = fetch(f, place, RELOAD_STANDIN_DICTIONARY_USER);
    assert_int_equal(1, got.count);
    assert_int_equal(16, got.values[0].signer.len);          /* the removal is handed on, signed */
    assert_int_equal(4, reload_store_value_count(f->store)); /* gaps are not */

    reload_store_free(f->store);
    reload_standin_free(other.standin);
    f->store = mine;
    f->peer = peer;
}

static void a_resource_too_long_for_one_request_comes_in_several(void **state)
{
    struct fixture *f = *state;
    static struct walker w = { .max_len = 400 };
    struct reload_slice place = user_place(&f->alice)->slice;
    static char text[200];
    memset(text, 'x', sizeof text - 1);
    struct reload_store_item items[16];
    char key[] = "abcdefgh";
    for (uint32_t i = 0; i < 8; i++) {
        items[i] = item_at(f, RELOAD_STANDIN_ARRAY_USER, i, text);
        items[8 + i] =
            item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of(key + i, 1), text);
    }
    assert_int_equal(0, store(f, &f->alice, place, items, 16));
    struct reload_slice none = { NULL, 0 };
    assert_int_equal(16, walk(f, &w, none, none)); /* one value at least, however small max_len */
    w.max_len = 1000;
    size_t few = walk(f, &w, none, none);
    assert_in_range(few, 5, 8);
    w.max_len = 60000;
    assert_int_equal(1, walk(f, &w, none, none));
}

/* A walk in steps neither misses what was there all the time, nor goes on for ever because new
 * values keep coming. */
static void changes_between_two_steps_hide_no_value(void **state)
{
    struct fixture *f = *state;
    static struct walker w = { .max_len = 1 };
    struct reload_slice place = user_place(&f->alice)->slice;
    char key[] = "abcdefgh";
    for (size_t i = 0; i < 8; i++) {
        struct reload_store_item it =
            item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of(key + i, 1), key + i);
        it.lifetime_s = i < 3 ? 10 : 1000; /* a, b and c go first */
        assert_int_equal(0, store_one(f, &f->alice, place, it));
    }
    struct reload_store_cursor cursor = { 0 };
    struct reload_writer body, certificates;
    struct reload_slice none = { NULL, 0 };
    for (int i = 0; i < 3; i++)
        assert_int_equal(1, step(f, &w, none, none, &cursor, &body, &certificates));
    advance(f, 10000);
    reload_store_tick(f->store, f->now);
    assert_int_equal(5, reload_store_value_count(f->store));
    bool seen[8] = { false };
    while (step(f, &w, none, none, &cursor, &body, &certificates) == 1) {
        struct reload_store_req req;
        struct reload_store_kind_data data;
        struct reload_stored_data v;
        assert_int_equal(0, reload_store_req_decode(reload_writer_slice(&body), &req));
        struct reload_reader kinds = reload_reader_over(req.kind_data);
        assert_true(reload_store_kind_data_next(&kinds, &data));
        struct reload_reader values = reload_reader_over(data.values);
        assert_true(reload_stored_data_next(&values, RELOAD_MODEL_DICTIONARY, &v));
        seen[v.value.key.p[0] - 'a'] = true;
    }
    for (size_t i = 3; i < 8; i++)
        assert_true(seen[i]);
}

static void a_resource_that_goes_between_two_steps_ends_no_walk(void **state)
{
    struct fixture *f = *state;
    static struct walker w = { .max_len = 4000 };
    uint8_t ids[10][16];
    fill(f, ids);
    struct reload_store_cursor cursor = { 0 };
    struct reload_writer body, certificates;
    struct reload_slice none = { NULL, 0 };
    for (int i = 0; i < 4; i++)
        assert_int_equal(1, step(f, &w, none, none, &cursor, &body, &certificates));
    reload_store_forget(f->store, reload_slice_of(ids[2], 16), reload_slice_of(ids[5], 16));
    assert_int_equal(7, reload_store_resource_count(f->store));
    while (step(f, &w, none, none, &cursor, &body, &certificates) == 1)
        ;
    assert_int_equal(8, w.requests);
    assert_memory_equal(ids[6], w.visited[4], 16);
}

static void expired_values_are_not_handed_on(void **state)
{
    struct fixture *f = *state;
    static struct walker w = { .max_len = 4000 };
    uint8_t ids[10][16];
    fill(f, ids);
    advance(f, 3600 * 1000);
    assert_int_equal(0, walk(f, &w, reload_slice_of("", 0), reload_slice_of("", 0)));
}

static void too_small_a_buffer_is_said(void **state)
{
    struct fixture *f = *state;
    uint8_t ids[10][16], bytes[40];
    fill(f, ids);
    struct reload_store_cursor cursor = { 0 };
    struct reload_slice resource, none = { NULL, 0 };
    struct reload_writer body = reload_writer_of(bytes, sizeof bytes);
    struct reload_writer certificates = reload_writer_of(f->certificate_bytes, BUFFER);
    assert_int_equal(RELOAD_E_NOSPACE, reload_store_walk(f->store, none, none, 1, 4000, f->now,
                                                         &cursor, &resource, &body, &certificates));
}

/* R6940-10.4-1: what a Store changed, and nothing that came before or after it. */
static void a_walk_of_changes_brings_what_came_between_two_numbers(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice, a = reload_slice_of("a", 1);
    uint8_t bytes[BUFFER];
    const uint32_t kind = RELOAD_STANDIN_DICTIONARY_USER;
    assert_int_equal(0, store_one(f, &f->alice, place, item_key(f, kind, a, "old")));
    struct reload_store_changes changes = { .after = reload_store_serial(f->store) };
    advance(f, 1000);
    const struct reload_store_item items[] = {
        item_key(f, kind, a, "new"),
        item_key(f, kind, reload_slice_of("b", 1), "new"),
        item_key(f, kind, reload_slice_of("c", 1), "new"),
    };
    assert_int_equal(0, store(f, &f->alice, place, items, 3));
    changes.up_to = reload_store_serial(f->store);
    assert_int_equal(3, changes.up_to - changes.after);
    advance(f, 1000);
    assert_int_equal(
        0, store_one(f, &f->alice, place, item_key(f, kind, reload_slice_of("d", 1), "later")));
    assert_int_equal(
        0, store_one(f, &f->alice, place, item_key(f, kind, reload_slice_of("c", 1), "later")));
    for (size_t max_len = 1; max_len <= 60000; max_len += 59999) { /* one a request, or all */
        struct reload_store_cursor cursor = { 0 };
        size_t requests = 0, values = 0;
        for (;;) {
            struct reload_writer body = reload_writer_of(bytes, sizeof bytes);
            struct reload_writer certificates = reload_writer_of(f->certificate_bytes, BUFFER);
            int more = reload_store_walk_changes(f->store, place, changes, 1, max_len, f->now,
                                                 &cursor, &body, &certificates);
            if (more != 1) {
                assert_int_equal(0, more);
                assert_int_equal(0, body.len);
                break;
            }
            requests++;
            struct reload_store_req req;
            struct reload_store_kind_data data;
            struct reload_stored_data stored;
            assert_int_equal(0, reload_store_req_decode(reload_writer_slice(&body), &req));
            struct reload_reader kinds = reload_reader_over(req.kind_data);
            assert_true(reload_store_kind_data_next(&kinds, &data));
            assert_int_equal(4, data.generation_counter);
            struct reload_reader r = reload_reader_over(data.values);
            while (reload_stored_data_next(&r, RELOAD_MODEL_DICTIONARY, &stored))
                values++;
        }
        assert_int_equal(2, values); /* a and b; c was replaced since */
        assert_int_equal(max_len == 1 ? 2 : 1, requests);
    }
    struct reload_store_cursor cursor = { 0 };
    struct reload_writer body = reload_writer_of(bytes, sizeof bytes);
    struct reload_writer certificates = reload_writer_of(f->certificate_bytes, BUFFER);
    assert_int_equal(0, reload_store_walk_changes(f->store, node_place(&f->alice)->slice, changes,
                                                  1, 4000, f->now, &cursor, &body, &certificates));
}

static void forgetting_drops_the_arc_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    uint8_t ids[10][16];
    static struct walker w = { .max_len = 4000 };
    fill(f, ids);
    reload_store_forget(f->store, reload_slice_of(ids[7], 16), reload_slice_of(ids[1], 16));
    assert_int_equal(6, reload_store_resource_count(f->store)); /* 8, 9, 0 and 1 are gone */
    assert_int_equal(6, walk(f, &w, reload_slice_of("", 0), reload_slice_of("", 0)));
    assert_memory_equal(ids[2], w.visited[0], 16);
    assert_memory_equal(ids[7], w.visited[5], 16);
    reload_store_forget(f->store, reload_slice_of(ids[4], 16), reload_slice_of(ids[4], 16));
    assert_int_equal(0, reload_store_resource_count(f->store));
    assert_int_equal(0, reload_store_bytes(f->store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_walk_covers_its_arc_in_ring_order_across_zero_too),
        WITH_FIXTURE(what_is_handed_on_is_accepted_with_less_lifetime_and_the_same_generation),
        WITH_FIXTURE(a_resource_too_long_for_one_request_comes_in_several),
        WITH_FIXTURE(changes_between_two_steps_hide_no_value),
        WITH_FIXTURE(a_resource_that_goes_between_two_steps_ends_no_walk),
        WITH_FIXTURE(expired_values_are_not_handed_on),
        WITH_FIXTURE(too_small_a_buffer_is_said),
        WITH_FIXTURE(a_walk_of_changes_brings_what_came_between_two_numbers),
        WITH_FIXTURE(forgetting_drops_the_arc_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
