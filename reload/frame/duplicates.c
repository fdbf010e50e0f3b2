#include "reload/frame/duplicates.h"

#include <string.h>

static uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Multiply and fold: a multiplication for two words. */
static uint64_t mixed(uint64_t hash, uint64_t first, uint64_t second)
{
    hash = (hash ^ first) * UINT64_C(0x9e3779b97f4a7c15) + second;
    return hash ^ hash >> 29;
}

static uint64_t mixed_at(uint64_t hash, const uint8_t *p)
{
    return mixed(hash, word_at(p), word_at(p + 8));
}

/* In lanes that do not wait for each other; they have names, as an array of them would live in
 * memory. No key: to make two messages collide one has to know the other's transaction id before it
 * is sent, and the link's far end harms only itself. */
static uint64_t hash_of(const uint8_t *p, size_t len)
{
    uint64_t a = len, b = 1, c = 2, d = 3;
    for (; len >= 64; len -= 64, p += 64) {
        a = mixed_at(a, p);
        b = mixed_at(b, p + 16);
        c = mixed_at(c, p + 32);
        d = mixed_at(d, p + 48);
    }
    for (; len >= 16; len -= 16, p += 16)
        a = mixed_at(a, p);
    for (; len > 0; p++, len--)
        b = mixed(b, *p, 0);
    uint64_t hash = mixed(mixed(mixed(a, b, 0), c, 0), d, 0);
    return hash ^ hash >> 32;
}

bool reload_duplicates_met(struct reload_duplicates *duplicates, const uint8_t *p, size_t len,
                           uint64_t now_ms)
{
    uint64_t hash = hash_of(p, len);
    for (size_t i = 0; i < RELOAD_DUPLICATES_REMEMBERED; i++)
        if (duplicates->recent[i].hash == hash && duplicates->recent[i].len == len &&
            now_ms < duplicates->recent[i].until_ms)
            return true;
    size_t at = duplicates->next++ % RELOAD_DUPLICATES_REMEMBERED;
    duplicates->recent[at].hash = hash;
    duplicates->recent[at].len = len;
    duplicates->recent[at].until_ms = now_ms + RELOAD_DUPLICATES_MS;
    return false;
}
