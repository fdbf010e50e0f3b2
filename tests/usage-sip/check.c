#include "check.h"

#include <stdlib.h>

static void try_copy(void (*try)(struct reload_slice), struct reload_slice bytes)
{
    uint8_t *exact = malloc(bytes.n ? bytes.n : 1);
    assert_non_null(exact);
    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    try(reload_slice_of(exact, bytes.n));
    free(exact);
}

static size_t damage_byte(struct reload_slice in, uint8_t *copy, size_t i,
                          void (*try)(struct reload_slice))
{
    memcpy(copy, in.p, in.n);
    for (int bit = 0; bit < 8; bit++) {
        copy[i] = (uint8_t)(in.p[i] ^ 1 << bit);
        try_copy(try, reload_slice_of(copy, in.n));
    }
    for (int byte = 0; byte < 256; byte += 255) {
        copy[i] = (uint8_t)byte;
        try_copy(try, reload_slice_of(copy, in.n));
    }
    memmove(copy + i, in.p + i + 1, in.n - i - 1);
    try_copy(try, reload_slice_of(copy, in.n - 1));
    memcpy(copy, in.p, i);
    copy[i] = 1;
    memcpy(copy + i + 1, in.p + i, in.n - i);
    try_copy(try, reload_slice_of(copy, in.n + 1));
    return 12;
}

size_t check_damaged(struct reload_slice in, void (*try)(struct reload_slice damaged))
{
    uint8_t *copy = malloc(in.n + 1);
    size_t tried = 1;
    assert_non_null(copy);
    try_copy(try, in);
    for (size_t i = 0; i < in.n; i++) {
        try_copy(try, reload_slice_of(in.p, i));
        try_copy(try, reload_slice_of(in.p + i, in.n - i));
        tried += 2 + damage_byte(in, copy, i, try);
    }
    free(copy);
    return tried;
}
