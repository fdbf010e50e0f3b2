#include <stdio.h>

#include "reload/alloc.h"
#include "reload/store/held.h"
#include "tests/reload/store/fixture.h"

/* The store as a whole: limits, configuration, memory, size. */

#define SINGLE   RELOAD_STANDIN_SINGLE_USER
#define MULTIPLE RELOAD_STANDIN_SINGLE_MULTIPLE

static void reopen(struct fixture *f)
{
    reload_store_free(f->store);
    assert_int_equal(0, reload_store_new(f->peer.crypto, &f->config.config,
                                         reload_standin_resource_id, &f->limits, &f->store));
}

static void resources_end_at_their_cap_and_are_counted(void **state)
{
    struct fixture *f = *state;
    f->limits.max_resources = 3;
    reopen(f);
    for (uint8_t i = 0; i < 6; i++)
        assert_int_equal(
            i < 3 ? 0 : RELOAD_ERROR_DATA_TOO_LARGE,
            store_one(f, &f->alice, multiple_place(&f->alice, i)->slice, item(f, MULTIPLE, "x")));
    assert_int_equal(3, reload_store_resource_count(f->store));
    assert_int_equal(3, reload_store_counters(f->store)->refused_full);
    advance(f, 1); /* what is there can still be replaced */
    assert_int_equal(
        0, store_one(f, &f->alice, multiple_place(&f->alice, 1)->slice, item(f, MULTIPLE, "y")));
}

static void bytes_end_at_their_cap_and_a_full_store_still_replaces(void **state)
{
    struct fixture *f = *state;
    f->limits.max_bytes = 5000;
    reopen(f);
    static char text[501];
    memset(text, 'x', sizeof text - 1);
    size_t stored = 0;
    for (uint8_t i = 0; i < 10; i++)
        stored += store_one(f, &f->alice, multiple_place(&f->alice, i)->slice,
                            item(f, MULTIPLE, text)) == 0;
    assert_in_range(stored, 4, 8);
    assert_true(reload_store_bytes(f->store) <= 5000);
    assert_int_equal(10 - stored, reload_store_counters(f->store)->refused_full);
    advance(f, 1);
    assert_int_equal(
        0, store_one(f, &f->alice, multiple_place(&f->alice, 0)->slice, item(f, MULTIPLE, text)));
    assert_int_equal(stored, reload_store_value_count(f->store));
}

/* What a resource and a Kind take counts as well: many small values must not take twice the cap. */
static void the_places_of_values_count_too(void **state)
{
    struct fixture *f = *state;
    size_t before[4] = { 0 };
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(
            0, store_one(f, &f->alice, multiple_place(&f->alice, i)->slice, item(f, MULTIPLE, "")));
        before[i + 1] = reload_store_bytes(f->store);
    }
    size_t one = before[3] - before[2];
    assert_int_equal(one, before[2] - before[1]); /* the first brings the certificate, too */
    struct reload_held_kind *kind =
        reload_held_kind_find(f->store, multiple_place(&f->alice, 2)->slice, MULTIPLE);
    size_t least =
        sizeof *kind + sizeof *kind->resource + sizeof **kind->entries + (*kind->entries)->len;
    assert_in_range(one, least, least + 200);
}

static void lifetimes_end_at_their_cap(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item i = item(f, SINGLE, "x");
    i.lifetime_s = UINT32_MAX;
    assert_int_equal(0, store_one(f, &f->alice, place, i));
    assert_int_equal(f->limits.max_lifetime_s, fetch(f, place, SINGLE).values[0].lifetime_s);
}

/* R6940-11.1-38 R6940-11.1-39 */
static void a_kind_that_left_the_configuration_is_dropped_with_its_data(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = { item_at(f, 0x10, 0, "kept"), item(f, SINGLE, "dropped") };
    assert_int_equal(0, store(f, &f->alice, place, items, 2));
    assert_int_equal(0, store_one(f, &f->alice, multiple_place(&f->alice, 1)->slice,
                                  item(f, MULTIPLE, "dropped")));
    static struct reload_standin_config fewer;
    reload_standin_config_init(&fewer);
    fewer.config.kind_count = 3;
    reload_store_configure(f->store, &fewer.config);
    assert_int_equal(1, reload_store_value_count(f->store));
    assert_int_equal(1, reload_store_resource_count(f->store));
    assert_true(value_is(&fetch(f, place, 0x10).values[0], "kept"));
    assert_int_equal(RELOAD_ERROR_UNKNOWN_KIND, fetch(f, place, SINGLE).code);
    /* A Kind whose values now have another form cannot keep them. */
    fewer.kinds[2].data_model = RELOAD_MODEL_DICTIONARY;
    reload_store_configure(f->store, &fewer.config);
    assert_int_equal(0, reload_store_value_count(f->store));
    assert_int_equal(0, reload_store_bytes(f->store));
}

/* R6940-8-1 R6940-8-2 R6940-8-3 R6940-8-4 */
static void certificates_are_stored_by_node_and_by_user_and_appended_when_renewed(void **state)
{
    struct fixture *f = *state;
    static const uint32_t kinds[] = { 0x3, 0x10 };
    for (size_t k = 0; k < 2; k++) {
        struct reload_slice place = k ? user_place(&f->alice)->slice : node_place(&f->alice)->slice;
        for (int renewed = 0; renewed < 2; renewed++) {
            struct reload_store_item i = item_at(f, kinds[k], RELOAD_ARRAY_LAST, "");
            i.value = f->alice.own->certificate;
            assert_int_equal(0, store_one(f, &f->alice, place, i));
            assert_int_equal(RELOAD_ERROR_FORBIDDEN, store_one(f, &f->bob, place, i));
        }
        struct got got = fetch(f, place, kinds[k]);
        assert_int_equal(2, got.count);
        assert_true(reload_slice_equal(got.values[1].value, f->alice.own->certificate));
    }
}

/* R6940-6.3.4-9: a certificate stays while a value needs it, and is there once. */
static void certificates_are_shared_and_go_with_their_last_value(void **state)
{
    struct fixture *f = *state;
    size_t one = 0;
    for (uint8_t i = 0; i < 3; i++) {
        struct reload_store_item it = item(f, MULTIPLE, "x");
        it.lifetime_s = 10u * (i + 1);
        assert_int_equal(0, store_one(f, &f->alice, multiple_place(&f->alice, i)->slice, it));
        if (i == 0)
            one = reload_store_bytes(f->store);
    }
    assert_true(reload_store_bytes(f->store) < 3 * one);
    for (int i = 0; i < 3; i++) {
        advance(f, 10000);
        reload_store_tick(f->store, f->now);
    }
    assert_int_equal(0, reload_store_bytes(f->store));
}

/* Every allocation in turn fails: no leak, no change, and the same request succeeds afterwards. */
static void a_store_without_memory_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct reload_store_item items[] = {
        item(f, SINGLE, "s"), item_at(f, RELOAD_STANDIN_ARRAY_USER, 0, "a"),
        item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of("k", 1), "d"),
        item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of("l", 1), "e")
    };
    struct reload_slice body = store_body(f, &f->alice, place, items, 4);
    uint16_t code = 1;
    unsigned long n = 0;
    reload_store_persist(f->store, true);
    while (code) {
        reload_alloc_fail_at(++n);
        code = store_bytes(f, &f->alice, body);
        reload_alloc_fail_at(0);
        if (code) {
            assert_int_equal(RELOAD_ERROR_DATA_TOO_LARGE, code);
            assert_int_equal(0, reload_store_value_count(f->store));
            assert_int_equal(0, reload_store_resource_count(f->store));
            assert_int_equal(0, reload_store_bytes(f->store));
        }
    }
    assert_true(n > 10);
    assert_int_equal(4, reload_store_value_count(f->store));
    assert_int_equal(n - 1, reload_store_counters(f->store)->refused_full);

    struct reload_store *none = NULL;
    reload_alloc_fail_at(1);
    assert_int_equal(RELOAD_E_NOMEM,
                     reload_store_new(f->peer.crypto, &f->config.config, reload_standin_resource_id,
                                      &f->limits, &none));
    reload_alloc_fail_at(0);
}

/* Random stores, removals, expiries and forgets, each value compared with a plain table. */
static void the_store_agrees_with_a_table_over_many_random_changes(void **state)
{
    struct fixture *f = *state;
    struct reload_standin_random source;
    struct reload_random random = reload_standin_random(&source, 11);
    struct { /* what should be at index i of the array, at the j-th place */
        uint64_t ends_ms, generation;
        char text[16];
        bool there, exists;
    } table[4][RELOAD_STANDIN_MAX_COUNT] = { 0 };
    uint32_t kind = RELOAD_STANDIN_ARRAY_MULTIPLE;
    for (int step = 0; step < 3000; step++) {
        size_t p = (size_t)(reload_random_u64(&random) % 4);
        uint32_t i = (uint32_t)(reload_random_u64(&random) % RELOAD_STANDIN_MAX_COUNT);
        struct reload_slice place = multiple_place(&f->alice, (uint8_t)p)->slice;
        advance(f, 1 + reload_random_u64(&random) % 3000);
        if (step % 50 == 49) {
            reload_store_forget(f->store, place, place); /* everything */
            memset(table, 0, sizeof table);
        }
        struct reload_store_item it = item_at(f, kind, i, "");
        snprintf(table[p][i].text, sizeof table[p][i].text, "%d", step);
        it.value = reload_slice_of(table[p][i].text, strlen(table[p][i].text));
        it.lifetime_s = 1 + (uint32_t)(reload_random_u64(&random) % 60);
        table[p][i].exists = reload_random_u64(&random) % 4 > 0;
        if (!table[p][i].exists)
            it = removed(it);
        assert_int_equal(0, store_one(f, &f->alice, place, it));
        table[p][i].there = true;
        table[p][i].ends_ms = f->now.monotonic_ms + it.lifetime_s * 1000u;
        if (step % 3 == 0)
            reload_store_tick(f->store, f->now);

        struct got got = fetch(f, place, kind);
        size_t length = 0;
        for (uint32_t j = 0; j < RELOAD_STANDIN_MAX_COUNT; j++)
            if (table[p][j].there && f->now.monotonic_ms < table[p][j].ends_ms)
                length = j + 1;
        assert_int_equal(length, got.count);
        for (uint32_t j = 0; j < length; j++) {
            bool live = table[p][j].there && f->now.monotonic_ms < table[p][j].ends_ms;
            assert_int_equal(live ? 16 : 0, got.values[j].signer.len);
            assert_int_equal(live && table[p][j].exists, got.values[j].exists);
            if (got.values[j].exists)
                assert_true(value_is(&got.values[j], table[p][j].text));
        }
    }
}

/* 100 000 resources: a hundred times as many as 1000 must not cost ten thousand times as much. */
static void a_hundred_thousand_resources_are_stored_and_walked(void **state)
{
    struct fixture *f = *state;
    f->limits = (struct reload_store_limits){ 1u << 30, 100000, 86400 };
    reopen(f);
    f->context.replica_plausible = true;
    for (size_t k = 0; k < RELOAD_STANDIN_KIND_COUNT; k++)
        if (f->config.kinds[k].id == MULTIPLE)
            f->config.kinds[k].max_node_multiple = 255;
    struct writer writers[400];
    size_t stored = 0;
    for (size_t n = 0; n < 400; n++) {
        writers[n] = writer_new(f, 1000 + n, NULL);
        for (unsigned i = 0; i < 250; i++)
            stored += store_one(f, &writers[n], multiple_place(&writers[n], (uint8_t)i)->slice,
                                item(f, MULTIPLE, "v")) == 0;
    }
    assert_int_equal(100000, stored);
    assert_int_equal(100000, reload_store_resource_count(f->store));
    assert_int_equal(
        RELOAD_ERROR_DATA_TOO_LARGE,
        store_one(f, &f->alice, multiple_place(&f->alice, 0)->slice, item(f, MULTIPLE, "v")));
    struct reload_store_cursor cursor = { 0 };
    struct reload_slice resource, none = { NULL, 0 };
    uint8_t before[16] = { 0 };
    size_t walked = 0;
    for (;;) {
        struct reload_writer body = reload_writer_of(f->body_bytes, BUFFER);
        struct reload_writer certificates = reload_writer_of(f->certificate_bytes, BUFFER);
        int more = reload_store_walk(f->store, none, none, 1, 4000, f->now, &cursor, &resource,
                                     &body, &certificates);
        if (more != 1)
            break;
        assert_true(memcmp(resource.p, before, 16) > 0);
        memcpy(before, resource.p, 16);
        walked++;
    }
    assert_int_equal(100000, walked);
    advance(f, 86400 * 1000);
    reload_store_tick(f->store, f->now);
    assert_int_equal(0, reload_store_bytes(f->store));
    for (size_t n = 0; n < 400; n++)
        reload_standin_free(writers[n].standin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(resources_end_at_their_cap_and_are_counted),
        WITH_FIXTURE(bytes_end_at_their_cap_and_a_full_store_still_replaces),
        WITH_FIXTURE(the_places_of_values_count_too),
        WITH_FIXTURE(lifetimes_end_at_their_cap),
        WITH_FIXTURE(a_kind_that_left_the_configuration_is_dropped_with_its_data),
        WITH_FIXTURE(certificates_are_stored_by_node_and_by_user_and_appended_when_renewed),
        WITH_FIXTURE(certificates_are_shared_and_go_with_their_last_value),
        WITH_FIXTURE(a_store_without_memory_changes_nothing),
        WITH_FIXTURE(the_store_agrees_with_a_table_over_many_random_changes),
        WITH_FIXTURE(a_hundred_thousand_resources_are_stored_and_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
