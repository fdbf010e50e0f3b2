#include "tests/reload/store/fixture.h"

/* Store of replicas, RFC 6940 s7.4.1.1, s10.4. */

#define SINGLE RELOAD_STANDIN_SINGLE_USER
#define ARRAY  RELOAD_STANDIN_ARRAY_USER

static struct reload_slice text(const char *s)
{
    return reload_slice_of(s, strlen(s));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_replica_comes_from_a_plausible_node_and_brings_its_generation),
        WITH_FIXTURE(a_replica_without_a_generation_is_refused),
        WITH_FIXTURE(the_same_replica_again_is_a_success_without_effect),
        WITH_FIXTURE(replicas_in_any_order_leave_the_newest_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
