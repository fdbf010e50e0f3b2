/* The hash table. */
#include "reload/node/table.h"

#include "reload/alloc.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdbool.h>
#include <stdlib.h>

#define VALUES 500

static int values[VALUES];

static bool holds(const struct reload_table *table, uint64_t hash, const void *value)
{
    size_t place = 0;
    void *found;
    while ((found = reload_table_next(table, hash, &place)))
        if (found == value)
            return true;
    return false;
}

/* Against a plain list, in thousands of random steps, with hashes that collide a lot. */
static void what_went_in_and_not_out_again_is_found(void **state)
{
    struct reload_table table = { 0 };
    bool in[VALUES] = { false };
    size_t count = 0;
    unsigned random = 1;
    (void)state;
    for (int step = 0; step < 20000; step++) {
        random = random * 1103515245u + 12345u;
        size_t i = random >> 8 & 511;
        if (i >= VALUES)
            continue;
        uint64_t hash = i % 37 * 16; /* few homes, all in the same corner */
        if (in[i]) {
            reload_table_remove(&table, hash, &values[i]);
            count--;
        } else {
            assert_int_equal(reload_table_insert(&table, hash, &values[i]), 0);
            count++;
        }
        in[i] = !in[i];
        assert_int_equal(table.count, count);
        if (step % 50 == 0)
            for (size_t k = 0; k < VALUES; k++)
                assert_int_equal(holds(&table, k % 37 * 16, &values[k]), in[k]);
    }
    reload_table_fini(&table);
}

static void an_empty_table_holds_nothing(void **state)
{
    struct reload_table table = { 0 };
    (void)state;
    assert_false(holds(&table, 7, &values[0]));
    reload_table_remove(&table, 7, &values[0]);
    assert_int_equal(table.count, 0);
    reload_table_fini(&table);
}

static void without_memory_the_table_stays_as_it_was(void **state)
{
    struct reload_table table = { 0 };
    (void)state;
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(reload_table_insert(&table, i, &values[i]), 0);
    reload_alloc_fail_at(1);
    assert_int_equal(reload_table_insert(&table, 12, &values[12]), RELOAD_E_NOMEM);
    reload_alloc_fail_at(0);
    assert_int_equal(table.count, 12);
    for (size_t i = 0; i < 12; i++)
        assert_true(holds(&table, i, &values[i]));
    assert_false(holds(&table, 12, &values[12]));
    reload_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_in_and_not_out_again_is_found),
        cmocka_unit_test(an_empty_table_holds_nothing),
        cmocka_unit_test(without_memory_the_table_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
