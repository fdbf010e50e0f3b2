#include "reload/node/hash.h"

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void round_once(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    round_once(v);
    round_once(v);
    v[0] ^= word;
}

static uint64_t little_endian(const uint8_t *p, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)p[i] << (8 * i);
    return word;
}

uint64_t reload_hash(const struct reload_hash_key *key, struct reload_slice bytes)
{
    uint64_t v[4] = { key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
                      key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u };
    size_t whole = bytes.n / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        absorb(v, little_endian(bytes.p + i, 8));
    uint64_t last = whole < bytes.n ? little_endian(bytes.p + whole, bytes.n - whole) : 0;
    absorb(v, last | (uint64_t)bytes.n << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        round_once(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t reload_hash_u64(const struct reload_hash_key *key, uint64_t number)
{
    uint8_t b[8];
    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)(number >> (8 * i));
    return reload_hash(key, reload_slice_of(b, sizeof b));
}
