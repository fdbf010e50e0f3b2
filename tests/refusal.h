#ifndef RELOAD_TESTS_REFUSAL_H
#define RELOAD_TESTS_REFUSAL_H

#include "reload/alloc.h"

/* Doing something again and again, each request for memory refused in turn. Include behind cmocka's
 * headers. */

typedef void refusal(unsigned long n); /* reload_alloc_fail_only() or reload_alloc_fail_at() */

/* run: does it once, in one of its variants, and calls refuse(n) where memory becomes short and
 * refuse(0) where there is enough again; true when it needed fewer than n requests in between. */
static inline void refuse_each(refusal *refuse,
                               bool (*run)(refusal *refuse, unsigned long n, bool variant),
                               bool variant, unsigned long at_least)
{
    unsigned long n = 1;
    while (!run(refuse, n, variant))
        n++;
    print_message("%lu allocations\n", n - 1);
    assert_true(n > at_least);
}

#endif
