#include "certs/enroll/limiter.h"

#include "reload/alloc.h"

#include <openssl/evp.h>
#include <string.h>

struct entry {
    uint64_t key; /* 0 = free */
    uint64_t last_ms;
    uint64_t blocked_until_ms;
    uint32_t failures;
    uint32_t pauses; /* how often this key ran into its limit without a long calm between */
};

struct reload_enroll_limiter {
    struct reload_enroll_limits limits;
    uint8_t secret[32];
    struct entry table[RELOAD_ENROLL_LIMITER_ROWS][RELOAD_ENROLL_LIMITER_WAYS];
};

enum { KEY_USER = 'u', KEY_OWN_ADDRESS = 'a', KEY_PREFIX = 'p' };

struct reload_enroll_limiter *reload_enroll_limiter_new(const struct reload_enroll_limits *limits,
                                                        const uint8_t secret[32])
{
    struct reload_enroll_limiter *limiter = reload_calloc(1, sizeof *limiter);
    if (!limiter)
        return NULL;
    limiter->limits = *limits;
    memcpy(limiter->secret, secret, sizeof limiter->secret);
    return limiter;
}

void reload_enroll_limiter_free(struct reload_enroll_limiter *limiter)
{
    reload_free(limiter);
}

/* A keyed 63-bit name of (kind, address, user); the lowest bit tells a user's limit from a
 * prefix's. */
static uint64_t key_of(const struct reload_enroll_limiter *limiter, char kind,
                       struct reload_slice address, struct reload_slice user)
{
    uint8_t digest[EVP_MAX_MD_SIZE] = { 0 };
    uint8_t tag[2] = { (uint8_t)kind, (uint8_t)address.n };
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL)) {
        EVP_DigestUpdate(md, limiter->secret, sizeof limiter->secret);
        EVP_DigestUpdate(md, tag, sizeof tag);
        EVP_DigestUpdate(md, address.p, address.n);
        EVP_DigestUpdate(md, user.p, user.n);
        EVP_DigestFinal_ex(md, digest, NULL);
    }
    EVP_MD_CTX_free(md);
    uint64_t key;
    memcpy(&key, digest, sizeof key);
    key |= 2; /* never 0 */
    return kind == KEY_PREFIX ? key | 1 : key & ~UINT64_C(1);
}

static struct reload_slice prefix_of(const struct reload_enroll_address *address)
{
    return (struct reload_slice){ address->bytes, address->len == 4 ? 3 : 7 };
}

static struct entry *find(struct reload_enroll_limiter *limiter, uint64_t key)
{
    struct entry *row = limiter->table[(key >> 8) % RELOAD_ENROLL_LIMITER_ROWS];
    for (size_t i = 0; i < RELOAD_ENROLL_LIMITER_WAYS; i++)
        if (row[i].key == key)
            return &row[i];
    return NULL;
}

static struct entry *find_or_make(struct reload_enroll_limiter *limiter, uint64_t key)
{
    struct entry *found = find(limiter, key);
    if (found)
        return found;
    struct entry *row = limiter->table[(key >> 8) % RELOAD_ENROLL_LIMITER_ROWS];
    struct entry *oldest = row;
    for (size_t i = 1; i < RELOAD_ENROLL_LIMITER_WAYS; i++)
        if (row[i].last_ms < oldest->last_ms)
            oldest = &row[i];
    *oldest = (struct entry){ .key = key };
    return oldest;
}

/* Time until this key may guess again; 0 = now. A calm as long as the pause forgives the count, one
 * as long as the longest pause forgives the doubling. */
static uint64_t wait_ms(const struct reload_enroll_limiter *limiter, struct entry *e,
                        uint64_t now_ms)
{
    if (e->blocked_until_ms > now_ms)
        return e->blocked_until_ms - now_ms;
    uint64_t calm = now_ms - e->last_ms;
    if (e->blocked_until_ms || calm >= limiter->limits.pause_ms) {
        e->failures = 0;
        e->blocked_until_ms = 0;
    }
    if (calm >= 2 * (uint64_t)limiter->limits.pause_max_ms)
        e->pauses = 0;
    return 0;
}

static void charge(const struct reload_enroll_limiter *limiter, struct entry *e, uint64_t now_ms)
{
    const struct reload_enroll_limits *limits = &limiter->limits;
    uint32_t allowed = e->key & 1 ? limits->prefix_failures : limits->user_failures;
    e->last_ms = now_ms;
    if (++e->failures < allowed)
        return;
    uint64_t pause = (uint64_t)limits->pause_ms << (e->pauses < 20 ? e->pauses : 20);
    e->blocked_until_ms = now_ms + (pause < limits->pause_max_ms ? pause : limits->pause_max_ms);
    e->pauses++;
}

int reload_enroll_limiter_take(struct reload_enroll_limiter *limiter, struct reload_slice user,
                               const struct reload_enroll_address *address, bool known,
                               uint64_t now_ms, struct reload_enroll_attempt *attempt,
                               uint64_t *retry_ms)
{
    struct reload_slice whole = { address->bytes, address->len };
    struct reload_slice none = { NULL, 0 };
    *attempt = (struct reload_enroll_attempt){ .count = 0 };
    *retry_ms = 0;
    if (known) {
        attempt->keys[attempt->count++] = key_of(limiter, KEY_OWN_ADDRESS, whole, user);
    } else {
        attempt->keys[attempt->count++] = key_of(limiter, KEY_USER, none, user);
        attempt->keys[attempt->count++] = key_of(limiter, KEY_PREFIX, prefix_of(address), none);
    }
    for (size_t i = 0; i < attempt->count; i++) {
        struct entry *e = find(limiter, attempt->keys[i]);
        uint64_t wait = e ? wait_ms(limiter, e, now_ms) : 0;
        if (wait > *retry_ms)
            *retry_ms = wait;
    }
    if (*retry_ms)
        return RELOAD_E_LIMIT;
    for (size_t i = 0; i < attempt->count; i++)
        charge(limiter, find_or_make(limiter, attempt->keys[i]), now_ms);
    return 0;
}

void reload_enroll_limiter_refund(struct reload_enroll_limiter *limiter,
                                  const struct reload_enroll_attempt *attempt)
{
    for (size_t i = 0; i < attempt->count; i++) {
        struct entry *e = find(limiter, attempt->keys[i]);
        if (!e || e->failures == 0)
            continue;
        e->failures--;
        if (e->blocked_until_ms) { /* this very guess had started the pause */
            e->blocked_until_ms = 0;
            e->pauses -= e->pauses > 0;
        }
    }
}
