#ifndef TESTS_USAGE_SIP_CHECK_H
#define TESTS_USAGE_SIP_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reload/wire/cursor.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(...)                                                                                 \
    reload_slice_of((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline struct reload_slice text(const char *s)
{
    return reload_slice_of(s, strlen(s));
}

static inline void assert_slice_equal(struct reload_slice a, struct reload_slice b)
{
    assert_int_equal(a.n, b.n);
    if (a.n)
        assert_memory_equal(a.p, b.p, a.n);
}

/* Gives `try` the input itself, every cut of it, and every small damage (each bit flipped, each
 * byte 0 or 0xff, removed, one inserted), each in a heap block of exactly its size. Returns how
 * many. */
size_t check_damaged(struct reload_slice input, void (*try)(struct reload_slice damaged));

#endif
