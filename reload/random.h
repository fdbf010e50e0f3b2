#ifndef RELOAD_RANDOM_H
#define RELOAD_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* An injected generator: cryptographic in the program, seeded in tests. */
struct reload_random {
    void (*fill)(void *context, uint8_t *out, size_t len); /* cannot fail */
    void *context;
};

static inline uint64_t reload_random_u64(const struct reload_random *random)
{
    uint8_t b[8];
    random->fill(random->context, b, sizeof b);
    uint64_t n = 0;
    for (int i = 0; i < 8; i++)
        n = n << 8 | b[i];
    return n;
}

#endif
