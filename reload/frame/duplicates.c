#include "reload/frame/duplicates.h"

#include <string.h>

#define LANES 4

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* Multiply and fold, eight bytes at a time, in lanes that do not wait for each other. No key: to
 * make two messages collide one has to know the other's transaction id before it is sent, and the
 * link's far end harms only itself. */
static uint64_t hash_of(const uint8_t *p, size_t len)
{
    uint64_t lanes[LANES] = { len, 1, 2, 3 }, word, hash = 0;
    for (; len >= LANES * sizeof word; len -= LANES * sizeof word)
        for (size_t i = 0; i < LANES; i++, p += sizeof word) {
            memcpy(&word, p, sizeof word);
            lanes[i] = mixed(lanes[i], word);
        }
    for (size_t i = 0; i < LANES; i++)
        hash = mixed(hash, lanes[i]);
    for (; len > 0; p++, len--)
        hash = mixed(hash, *p);
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
