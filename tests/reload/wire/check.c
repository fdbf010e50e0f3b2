#include "check.h"

#include <stdlib.h>

/* Decodes from a heap block of exactly the input's size, so that a sanitizer sees any read beyond
 * it, and encodes into a block of exactly `cap` bytes. */
static int recode(recode_function *function, struct reload_slice wire, size_t cap, bool *same)
{
    uint8_t *in = malloc(wire.n != 0 ? wire.n : 1);
    uint8_t *out = malloc(cap != 0 ? cap : 1);
    assert_non_null(in);
    assert_non_null(out);
    if (wire.n != 0)
        memcpy(in, wire.p, wire.n);
    struct reload_writer w = reload_writer_of(out, cap);
    int error = function(reload_slice_of(in, wire.n), &w);
    *same = error == 0 && reload_slice_equal(reload_writer_slice(&w), wire);
    free(in);
    free(out);
    return error;
}

static recode_function *function_of(const char *structure)
{
    recode_function *function = recoder_named(structure);
    if (function == NULL)
        fail_msg("no structure is called %s", structure);
    return function;
}

void check_good(const char *structure, struct reload_slice wire)
{
    recode_function *function = function_of(structure);
    bool same;
    assert_int_equal(recode(function, wire, wire.n, &same), 0);
    assert_true(same);
    for (size_t cap = 0; cap < wire.n; cap++)
        assert_int_equal(recode(function, wire, cap, &same), RELOAD_E_NOSPACE);
    for (size_t n = 0; n < wire.n; n++)
        check_bad(structure, reload_slice_of(wire.p, n));
    uint8_t *longer = malloc(wire.n + 1);
    assert_non_null(longer);
    if (wire.n != 0)
        memcpy(longer, wire.p, wire.n);
    longer[wire.n] = 0;
    check_bad(structure, reload_slice_of(longer, wire.n + 1));
    free(longer);
}

void check_bad(const char *structure, struct reload_slice wire)
{
    bool same;
    int error = recode(function_of(structure), wire, wire.n, &same);
    if (error != RELOAD_E_DECODE)
        fail_msg("%s of %zu bytes gives %d", structure, wire.n, error);
}

static uint64_t get(const uint8_t *p, size_t width)
{
    uint64_t v = 0;
    for (size_t i = 0; i < width; i++)
        v = v << 8 | p[i];
    return v;
}

static void set(uint8_t *p, size_t width, uint64_t v)
{
    for (size_t i = width; i > 0; i--, v >>= 8)
        p[i - 1] = (uint8_t)v;
}

void check_length(const char *structure, struct reload_slice wire, size_t at, size_t width)
{
    assert_true(at + width <= wire.n);
    uint8_t *copy = malloc(wire.n);
    assert_non_null(copy);
    const uint64_t maximum = ((uint64_t)1 << 8 * width) - 1;
    const uint64_t right = get(wire.p + at, width);
    const uint64_t wrong[] = { right - 1, right + 1, 0, maximum };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if ((wrong[i] & maximum) == right)
            continue;
        memcpy(copy, wire.p, wire.n);
        set(copy + at, width, wrong[i]);
        check_bad(structure, reload_slice_of(copy, wire.n));
    }
    free(copy);
}

static void check_mutation(recode_function *function, struct reload_slice wire)
{
    bool same;
    int error = recode(function, wire, wire.n, &same);
    if (error != RELOAD_E_DECODE && !(error == 0 && same))
        fail_msg("a variant of %zu bytes decodes and then gives %d", wire.n, error);
}

size_t check_mutations(const char *structure, struct reload_slice wire)
{
    recode_function *function = function_of(structure);
    uint8_t *copy = malloc(wire.n + 1);
    assert_non_null(copy);
    size_t tried = 0;
    for (size_t i = 0; i < wire.n; i++) {
        memcpy(copy, wire.p, wire.n);
        for (int bit = 0; bit < 8; bit++, tried++) {
            copy[i] = (uint8_t)(wire.p[i] ^ 1 << bit);
            check_mutation(function, reload_slice_of(copy, wire.n));
        }
        for (int byte = 0; byte < 256; byte += 255, tried++) {
            copy[i] = (uint8_t)byte;
            check_mutation(function, reload_slice_of(copy, wire.n));
        }
        memmove(copy + i, wire.p + i + 1, wire.n - i - 1);
        check_mutation(function, reload_slice_of(copy, wire.n - 1));
        check_mutation(function, reload_slice_of(wire.p, i));
        check_mutation(function, reload_slice_of(wire.p + i, wire.n - i));
        tried += 3;
    }
    for (size_t i = 0; i <= wire.n; i++, tried++) {
        if (i != 0)
            memcpy(copy, wire.p, i);
        copy[i] = 1;
        if (i != wire.n)
            memcpy(copy + i + 1, wire.p + i, wire.n - i);
        check_mutation(function, reload_slice_of(copy, wire.n + 1));
    }
    free(copy);
    return tried;
}
