#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "reload/alloc.h"
#include "reload/link/cookie.h"

/* What a stranger sends to a bare DTLS port first. Nothing lets him in but his own cookie, sent
 * back from where he was told it with the same hello; nothing is allocated, and no answer is longer
 * than its question. */

#define LARGEST    2000
#define RECORD     13              /* bytes of its header, the length in the last two */
#define BODY       (RECORD + 12)   /* where the ClientHello begins */
#define SESSION    (BODY + 2 + 32) /* the length of its session_id */
#define COOKIE_LEN 16              /* the end of the reply */

static struct reload_cookie_jar *jar;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void put(uint8_t *at, size_t bytes, size_t value)
{
    while (bytes-- > 0) {
        at[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

static enum reload_cookie_verdict judge(uint16_t port, const uint8_t *p, size_t n,
                                        uint8_t reply[RELOAD_COOKIE_REPLY_LEN])
{
    const struct reload_link_address far = { .len = 4, .bytes = { 192, 0, 2, 1 }, .port = port };
    return reload_cookie_judge(jar, &far, reload_slice_of(p, n), 1000, reply);
}

/* The hello once more, with that cookie in place of its own. */
static size_t answer(const uint8_t *hello, size_t size, const uint8_t *cookie, uint8_t *out)
{
    size_t at = SESSION + 1 + hello[SESSION];
    size_t body =
        (size_t)hello[RECORD + 1] << 16 | (size_t)hello[RECORD + 2] << 8 | hello[RECORD + 3];
    size_t rest = BODY + body - (at + 1 + hello[at]);
    must(BODY + body <= size && at + 1 + hello[at] + rest <= size);
    memcpy(out, hello, at);
    out[at] = COOKIE_LEN;
    memcpy(out + at + 1, cookie, COOKIE_LEN);
    memcpy(out + at + 1 + COOKIE_LEN, hello + at + 1 + hello[at], rest);
    size_t n = at + 1 + COOKIE_LEN + rest;
    put(out + RECORD - 2, 2, n - RECORD);
    put(out + RECORD + 1, 3, n - BODY);
    put(out + RECORD + 9, 3, n - BODY);
    return n;
}

static void come_back(const uint8_t *hello, size_t size, const uint8_t *reply)
{
    uint8_t again[LARGEST + COOKIE_LEN], other[RELOAD_COOKIE_REPLY_LEN];
    size_t n = answer(hello, size, reply + RELOAD_COOKIE_REPLY_LEN - COOKIE_LEN, again);
    must(judge(6084, again, n, other) == RELOAD_COOKIE_WELCOME);
    must(judge(6085, again, n, other) == RELOAD_COOKIE_CHALLENGE);
    again[BODY + 2] ^= 1; /* another hello: of another random */
    must(judge(6084, again, n, other) == RELOAD_COOKIE_CHALLENGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t reply[RELOAD_COOKIE_REPLY_LEN];
    if (!jar)
        must(reload_cookie_jar_new(&jar) == 0);
    if (size > LARGEST)
        return 0;
    uint8_t *copy = malloc(size + (size == 0)); /* of exact size */
    must(copy != NULL);
    memcpy(copy, data, size);
    uint64_t allocated = reload_alloc_count();
    enum reload_cookie_verdict verdict = judge(6084, copy, size, reply);
    must(verdict != RELOAD_COOKIE_WELCOME && reload_alloc_count() == allocated);
    if (verdict == RELOAD_COOKIE_CHALLENGE) {
        must(size >= RELOAD_COOKIE_REPLY_LEN);
        come_back(copy, size, reply);
    }
    free(copy);
    return 0;
}
