#include "reload/store/expiry.h"

#include "reload/alloc.h"
#include "tests/reload/store/fixture.h"

#define ITEMS 500

static void the_first_to_expire_is_first_whatever_was_added_and_removed(void **state)
{
    (void)state;
    static struct reload_expiry_item items[ITEMS];
    static bool in[ITEMS];
    struct reload_expiry heap = { 0 };
    struct reload_standin_random source;
    struct reload_random random = reload_standin_random(&source, 3);
    for (int step = 0; step < 20000; step++) {
        size_t i = (size_t)(reload_random_u64(&random) % ITEMS);
        if (in[i]) {
            reload_expiry_remove(&heap, &items[i]);
        } else {
            items[i].at_ms = reload_random_u64(&random) % 1000;
            assert_int_equal(0, reload_expiry_add(&heap, &items[i]));
        }
        in[i] = !in[i];
        uint64_t least = UINT64_MAX;
        for (size_t j = 0; j < ITEMS; j++)
            if (in[j] && items[j].at_ms < least)
                least = items[j].at_ms;
        const struct reload_expiry_item *first = reload_expiry_first(&heap);
        assert_true(first ? first->at_ms == least : least == UINT64_MAX);
    }
    reload_expiry_fini(&heap);
}

static void without_memory_nothing_is_added(void **state)
{
    (void)state;
    struct reload_expiry heap = { 0 };
    struct reload_expiry_item item = { .at_ms = 1 };
    reload_alloc_fail_at(1);
    assert_int_equal(RELOAD_E_NOMEM, reload_expiry_add(&heap, &item));
    reload_alloc_fail_at(0);
    assert_null(reload_expiry_first(&heap));
    reload_expiry_fini(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_to_expire_is_first_whatever_was_added_and_removed),
        cmocka_unit_test(without_memory_nothing_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
