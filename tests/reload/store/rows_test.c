#include "reload/alloc.h"
#include "tests/reload/store/fixture.h"

/* Rows out and in again: what a host with a store file sees. */

#define ROWS 200

struct disk { /* what a host would keep, copied */
    struct row {
        struct reload_store_row row;
        uint8_t resource[16], entry[64], data[600], certificate[300];
    } rows[ROWS];
    size_t count, writes;
};

static struct reload_slice copy(struct reload_slice s, uint8_t *to)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return reload_slice_of(to, s.n);
}

static bool same_key(const struct reload_store_row *a, const struct reload_store_row *b)
{
    return a->kind == b->kind && a->is_generation == b->is_generation &&
           reload_slice_equal(a->resource, b->resource) && reload_slice_equal(a->entry, b->entry);
}

static void write_rows(struct fixture *f, struct disk *disk)
{
    struct reload_store_row row;
    while (reload_store_next_row(f->store, &row)) {
        disk->writes++;
        size_t at = 0;
        while (at < disk->count && !same_key(&disk->rows[at].row, &row))
            at++;
        if (row.removed) {
            if (at < disk->count)
                disk->rows[at] = disk->rows[--disk->count];
            for (size_t i = 0; i < disk->count; i++) { /* moved: point to own bytes again */
                struct row *r = &disk->rows[i];
                r->row.resource.p = r->resource;
                r->row.entry.p = r->entry;
                r->row.stored_data.p = r->data;
                r->row.certificate.p = r->certificate;
            }
            continue;
        }
        assert_true(at < ROWS);
        struct row *r = &disk->rows[at];
        if (at == disk->count)
            disk->count++;
        r->row = row;
        r->row.resource = copy(row.resource, r->resource);
        r->row.entry = copy(row.entry, r->entry);
        r->row.stored_data = copy(row.stored_data, r->data);
        r->row.certificate = copy(row.certificate, r->certificate);
    }
}

static void restart(struct fixture *f)
{
    reload_store_free(f->store);
    assert_int_equal(0, reload_store_new(f->peer.crypto, &f->config.config,
                                         reload_standin_resource_id, &f->limits, &f->store));
    reload_store_persist(f->store, true);
}

static size_t load_all(struct fixture *f, const struct disk *disk, int expected)
{
    size_t loaded = 0;
    for (size_t i = disk->count; i > 0; i--) { /* in whatever order */
        int error = reload_store_load(f->store, &disk->rows[i - 1].row, f->now);
        assert_true(error == 0 || error == expected);
        loaded += error == 0;
    }
    return loaded;
}

static void fill(struct fixture *f, struct reload_slice place)
{
    struct reload_store_item items[] = {
        item(f, RELOAD_STANDIN_SINGLE_USER, "s"),
        item_at(f, RELOAD_STANDIN_ARRAY_USER, 2, "a2"),
        item_at(f, RELOAD_STANDIN_ARRAY_USER, RELOAD_ARRAY_LAST, "a3"),
        item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of("k", 1), "d"),
        removed(item_key(f, RELOAD_STANDIN_DICTIONARY_USER, reload_slice_of("l", 1), "")),
    };
    assert_int_equal(0, store(f, &f->alice, place, items, 5));
}

/* What fill() leaves on a disk. */
static struct disk *written(struct fixture *f, struct reload_slice place)
{
    static struct disk disk;
    memset(&disk, 0, sizeof disk);
    reload_store_persist(f->store, true);
    fill(f, place);
    write_rows(f, &disk);
    return &disk;
}

static void what_was_written_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    static struct disk disk;
    memset(&disk, 0, sizeof disk);
    struct reload_slice place = user_place(&f->alice)->slice;
    reload_store_persist(f->store, true);
    fill(f, place);
    advance(f, 1);
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, RELOAD_STANDIN_SINGLE_USER, "s2")));
    write_rows(f, &disk);
    assert_int_equal(5 + 3, disk.count); /* values, and a counter for each Kind */
    restart(f);
    /* The machine was off for 100 s, and its monotonic clock begins anew. */
    f->now = (struct reload_time){ 10, f->now.unix_ms + 100000 };
    assert_int_equal(8, load_all(f, &disk, 0));
    reload_store_tick(f->store, f->now);
    assert_int_equal(5, reload_store_value_count(f->store));
    struct got got = fetch(f, place, RELOAD_STANDIN_SINGLE_USER);
    assert_true(value_is(&got.values[0], "s2"));
    assert_int_equal(2, got.generation);
    assert_int_equal(3500, got.values[0].lifetime_s);
    got = fetch(f, place, RELOAD_STANDIN_ARRAY_USER);
    assert_int_equal(4, got.count);
    assert_true(value_is(&got.values[3], "a3"));
    got = fetch(f, place, RELOAD_STANDIN_DICTIONARY_USER);
    assert_int_equal(2, got.count);
    assert_false(got.values[1].exists);
    struct reload_store_row row;
    assert_false(reload_store_next_row(f->store, &row)); /* it is on the disk already */
}

static void what_goes_from_the_store_goes_from_the_disk(void **state)
{
    struct fixture *f = *state;
    static struct disk disk;
    memset(&disk, 0, sizeof disk);
    struct reload_slice place = user_place(&f->alice)->slice;
    reload_store_persist(f->store, true);
    for (int round = 0; round < 3; round++) {
        fill(f, place);
        if (round == 0)
            write_rows(f, &disk);
        switch (round) {
        case 0: advance(f, 3600 * 1000); break;
        case 1: reload_store_forget(f->store, place, place); break; /* never written in between */
        case 2: f->config.config.kind_count = 3; break;
        }
        reload_store_configure(f->store, &f->config.config);
        reload_store_tick(f->store, f->now);
        write_rows(f, &disk);
        assert_int_equal(0, disk.count);
        advance(f, 1);
    }
    assert_int_equal(0, reload_store_bytes(f->store));
}

static void a_replaced_value_leaves_one_row(void **state)
{
    struct fixture *f = *state;
    static struct disk disk;
    memset(&disk, 0, sizeof disk);
    struct reload_slice place = user_place(&f->alice)->slice;
    reload_store_persist(f->store, true);
    for (int i = 0; i < 4; i++) {
        advance(f, 1);
        assert_int_equal(0, store_one(f, &f->alice, place,
                                      item(f, RELOAD_STANDIN_SINGLE_USER, i % 2 ? "odd" : "even")));
        if (i % 2)
            write_rows(f, &disk);
    }
    assert_int_equal(2, disk.count);
    assert_int_equal(4, disk.writes); /* what was replaced before it was taken is not written */
    restart(f);
    assert_int_equal(2, load_all(f, &disk, 0));
    assert_true(value_is(&fetch(f, place, RELOAD_STANDIN_SINGLE_USER).values[0], "odd"));
}

static void nothing_is_queued_unless_the_host_wants_it(void **state)
{
    struct fixture *f = *state;
    struct reload_store_row row;
    fill(f, user_place(&f->alice)->slice);
    assert_false(reload_store_next_row(f->store, &row));
    reload_store_persist(f->store, true);
    /* A store that is refused writes nothing either. */
    assert_int_equal(
        RELOAD_ERROR_FORBIDDEN,
        store_one(f, &f->bob, user_place(&f->alice)->slice,
                  item_key(f, RELOAD_STANDIN_DICTIONARY_USER_NODE, reload_slice_of("k", 1), "x")));
    struct reload_store_item late[] = {
        item_at(f, RELOAD_STANDIN_ARRAY_NODE, 0, "new"),
        item_at(f, RELOAD_STANDIN_ARRAY_NODE, 0xfffffffe, "refused"),
    };
    assert_int_equal(RELOAD_ERROR_DATA_TOO_LARGE,
                     store(f, &f->alice, node_place(&f->alice)->slice, late, 2));
    assert_false(reload_store_next_row(f->store, &row));
}

/* A disk is not trusted more than a peer: every row is verified again. */
static void rows_that_do_not_verify_are_left_out(void **state)
{
    struct fixture *f = *state;
    static struct disk disk;
    memset(&disk, 0, sizeof disk);
    struct reload_slice place = user_place(&f->alice)->slice;
    reload_store_persist(f->store, true);
    assert_int_equal(0, store_one(f, &f->alice, place, item(f, RELOAD_STANDIN_SINGLE_USER, "s")));
    write_rows(f, &disk);
    struct row *value = &disk.rows[disk.rows[0].row.is_generation ? 1 : 0];
    restart(f);

    struct reload_store_row bad = value->row;
    bad.kind = 0xfe000000;
    assert_int_equal(RELOAD_E_NOT_FOUND, reload_store_load(f->store, &bad, f->now));
    bad = value->row;
    bad.kind = RELOAD_STANDIN_SINGLE_NODE;
    assert_int_equal(RELOAD_E_SIGNATURE, reload_store_load(f->store, &bad, f->now));
    bad = value->row;
    bad.resource = node_place(&f->alice)->slice;
    assert_int_equal(RELOAD_E_SIGNATURE, reload_store_load(f->store, &bad, f->now));
    bad = value->row;
    bad.expires_ms = f->now.unix_ms;
    assert_int_equal(RELOAD_E_EXPIRED, reload_store_load(f->store, &bad, f->now));
    bad = value->row;
    bad.stored_data.n--;
    assert_int_equal(RELOAD_E_DECODE, reload_store_load(f->store, &bad, f->now));
    for (size_t bit = 0; bit < 8 * value->row.stored_data.n; bit++) {
        if (bit / 8 >= 12 && bit / 8 < 16)
            continue; /* the lifetime, which expires_ms overrides */
        value->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(0, reload_store_load(f->store, &value->row, f->now));
        value->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    f->peer.crypto->ops->configure(f->peer.crypto->context, &f->config.config);
    bad = value->row;
    bad.certificate = f->bob.own->certificate;
    assert_int_equal(RELOAD_E_CERTIFICATE, reload_store_load(f->store, &bad, f->now));
    assert_int_equal(0, reload_store_value_count(f->store));
    assert_int_equal(0, reload_store_load(f->store, &value->row, f->now));
}

static void limits_hold_for_rows_too(void **state)
{
    struct fixture *f = *state;
    struct reload_slice place = user_place(&f->alice)->slice;
    struct disk *disk = written(f, place);
    f->limits.max_bytes = 1000;
    restart(f);
    load_all(f, disk, RELOAD_E_LIMIT);
    assert_in_range(reload_store_value_count(f->store), 1, 4);
    assert_true(reload_store_bytes(f->store) <= 1000);
    f->limits.max_resources = 0;
    restart(f);
    load_all(f, disk, RELOAD_E_LIMIT);
    assert_int_equal(0, reload_store_value_count(f->store));
}

static void a_row_without_memory_is_left_out_whole(void **state)
{
    struct fixture *f = *state;
    struct disk *disk = written(f, user_place(&f->alice)->slice);
    for (size_t i = 0; i < disk->count; i++) {
        int error = RELOAD_E_NOMEM;
        for (unsigned long n = 1; error; n++) {
            restart(f);
            reload_alloc_fail_at(n);
            error = reload_store_load(f->store, &disk->rows[i].row, f->now);
            reload_alloc_fail_at(0);
            assert_true(error == 0 || error == RELOAD_E_NOMEM);
            if (error) {
                assert_int_equal(0, reload_store_resource_count(f->store));
                assert_int_equal(0, reload_store_bytes(f->store));
            }
        }
    }
}

/* A counter whose values all expired while the machine was off does not stay. */
static void counters_without_values_are_dropped_at_the_first_tick(void **state)
{
    struct fixture *f = *state;
    struct disk *disk = written(f, user_place(&f->alice)->slice);
    restart(f);
    advance(f, 86400 * 1000);
    assert_int_equal(3, load_all(f, disk, RELOAD_E_EXPIRED));
    assert_int_equal(1, reload_store_resource_count(f->store));
    assert_true(reload_store_deadline(f->store) == 0);
    reload_store_tick(f->store, f->now);
    assert_int_equal(0, reload_store_resource_count(f->store));
    assert_true(reload_store_deadline(f->store) == RELOAD_NEVER);
    write_rows(f, disk);
    for (size_t i = 0; i < disk->count; i++)
        assert_false(disk->rows[i].row.is_generation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(what_was_written_comes_back_as_it_was),
        WITH_FIXTURE(what_goes_from_the_store_goes_from_the_disk),
        WITH_FIXTURE(a_replaced_value_leaves_one_row),
        WITH_FIXTURE(nothing_is_queued_unless_the_host_wants_it),
        WITH_FIXTURE(rows_that_do_not_verify_are_left_out),
        WITH_FIXTURE(limits_hold_for_rows_too),
        WITH_FIXTURE(a_row_without_memory_is_left_out_whole),
        WITH_FIXTURE(counters_without_values_are_dropped_at_the_first_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
