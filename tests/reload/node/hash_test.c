/* SipHash-2-4, by the vectors its authors published. */
#include "reload/node/hash.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static void the_hash_is_siphash_2_4(void **state)
{
    static const uint64_t expected[] = { 0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
                                         0x85676696d7fb7e2d };
    const struct reload_hash_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    uint8_t bytes[16];
    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        bytes[i] = i;
    for (size_t n = 0; n < 4; n++)
        assert_true(reload_hash(&key, reload_slice_of(bytes, n)) == expected[n]);
    /* 15 bytes 00..0e: the example of the paper. */
    assert_true(reload_hash(&key, reload_slice_of(bytes, 15)) == 0xa129ca6149be45e5);
    assert_true(reload_hash_u64(&key, 0x0706050403020100) ==
                reload_hash(&key, reload_slice_of(bytes, 8)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_hash_is_siphash_2_4) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
