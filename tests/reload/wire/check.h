#ifndef RELOAD_TESTS_WIRE_CHECK_H
#define RELOAD_TESTS_WIRE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recode.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A slice over a list of byte values. */
#define BYTES(...)                                                                                 \
    reload_slice_of((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define TEXT(string) reload_slice_of(string, sizeof(string) - 1)
/* Sixteen equal bytes, for Node-IDs and Resource-IDs in lists of byte values. */
#define SIXTEEN(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x

static inline void assert_slice_equal(struct reload_slice a, struct reload_slice b)
{
    assert_int_equal(a.n, b.n);
    if (a.n != 0)
        assert_memory_equal(a.p, b.p, a.n);
}

/* `wire` is one well-formed structure: it round trips; it fits a buffer of exactly its size and no
 * smaller one; cut at any byte, or with a byte more, it is refused. */
void check_good(const char *structure, struct reload_slice wire);
/* `wire` is refused with RELOAD_E_DECODE. */
void check_bad(const char *structure, struct reload_slice wire);
/* The length field of `width` bytes at offset `at` of a well-formed structure: one less, one more,
 * zero and the maximum are each refused. */
void check_length(const char *structure, struct reload_slice wire, size_t at, size_t width);
/* Each bit flipped, each byte 0 and 0xff, each byte removed, a byte inserted everywhere, cut at
 * both ends: refused, or encoded back to the very same bytes. Returns how many variants were tried.
 */
size_t check_mutations(const char *structure, struct reload_slice wire);

#endif
