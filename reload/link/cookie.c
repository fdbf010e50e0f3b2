#include "reload/link/cookie.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "reload/alloc.h"

#define COOKIE_LEN           16
#define SECRET_LEN           32
#define RANDOM_LEN           32
#define RECORD_HANDSHAKE     22
#define CLIENT_HELLO         1
#define HELLO_VERIFY         3
#define VERSION_1_0          0xfeff /* RFC 6347 s4.2.1: of every HelloVerifyRequest */
#define VERSION_MAJOR        0xfe
#define HANDSHAKE_HEADER_LEN 12

struct reload_cookie_jar {
    EVP_MAC_CTX *current, *previous; /* keyed; both made once */
    uint64_t rotate_ms;
    bool begun;
};

struct client_hello {
    uint64_t record_sequence;                /* 48 bits */
    struct reload_slice offer, cookie, rest; /* before the cookie, it, and after it */
};

static int new_secret(EVP_MAC_CTX *mac)
{
    uint8_t secret[SECRET_LEN];
    char digest[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end() };
    bool ok = RAND_bytes(secret, sizeof secret) == 1 &&
              EVP_MAC_init(mac, secret, sizeof secret, params) == 1;
    OPENSSL_cleanse(secret, sizeof secret);
    return ok ? 0 : RELOAD_E_NOMEM;
}

int reload_cookie_jar_new(struct reload_cookie_jar **out)
{
    struct reload_cookie_jar *jar = reload_calloc(1, sizeof *jar);
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (jar && hmac) {
        jar->current = EVP_MAC_CTX_new(hmac);
        jar->previous = EVP_MAC_CTX_new(hmac);
    }
    EVP_MAC_free(hmac);
    if (!jar || !jar->current || !jar->previous || new_secret(jar->current) ||
        new_secret(jar->previous)) {
        reload_cookie_jar_free(jar);
        return RELOAD_E_NOMEM;
    }
    *out = jar;
    return 0;
}

void reload_cookie_jar_free(struct reload_cookie_jar *jar)
{
    if (!jar)
        return;
    EVP_MAC_CTX_free(jar->current);
    EVP_MAC_CTX_free(jar->previous);
    reload_free(jar);
}

static void rotate(struct reload_cookie_jar *jar, uint64_t now_ms)
{
    if (jar->begun && now_ms < jar->rotate_ms)
        return;
    if (jar->begun) {
        EVP_MAC_CTX *oldest = jar->previous;
        /* After a quiet time both are too old: the second call replaces the other. */
        jar->previous = jar->current;
        jar->current = oldest;
        (void)new_secret(jar->current); /* on failure the oldest secret serves once more */
        if (now_ms >= jar->rotate_ms + RELOAD_COOKIE_ROTATION_MS)
            (void)new_secret(jar->previous);
    }
    jar->begun = true;
    jar->rotate_ms = now_ms + RELOAD_COOKIE_ROTATION_MS;
}

/* RFC 6347 s4.1, s4.2.2: one record with one unfragmented ClientHello. What its extensions hold is
 * not looked at: it goes into the cookie as it is. */
static bool parse(struct reload_slice datagram, struct client_hello *out)
{
    struct reload_reader r = reload_reader_over(datagram);
    bool ok = reload_rd_u8(&r) == RECORD_HANDSHAKE;
    ok &= reload_rd_u8(&r) == VERSION_MAJOR;
    (void)reload_rd_u8(&r);
    ok &= reload_rd_u16(&r) == 0; /* epoch */
    out->record_sequence = (uint64_t)reload_rd_u16(&r) << 32;
    out->record_sequence |= reload_rd_u32(&r);
    struct reload_reader record = reload_reader_over(reload_rd_bytes(&r, reload_rd_u16(&r)));
    ok &= !r.failed && reload_rd_u8(&record) == CLIENT_HELLO;
    uint32_t len = reload_rd_u24(&record);
    (void)reload_rd_u16(&record); /* message number */
    ok &= reload_rd_u24(&record) == 0 && reload_rd_u24(&record) == len;
    struct reload_slice body = reload_rd_bytes(&record, len);
    if (!ok || record.failed)
        return false;
    struct reload_reader b = reload_reader_over(body);
    ok = reload_rd_u8(&b) == VERSION_MAJOR;
    (void)reload_rd_u8(&b);
    (void)reload_rd_bytes(&b, RANDOM_LEN);
    (void)reload_rd_bytes(&b, reload_rd_u8(&b)); /* session_id */
    out->offer = reload_slice_of(body.p, (size_t)(b.p - body.p));
    out->cookie = reload_rd_bytes(&b, reload_rd_u8(&b));
    out->rest = reload_slice_of(b.p, (size_t)(b.end - b.p));
    (void)reload_rd_bytes(&b, reload_rd_u16(&b)); /* cipher_suites */
    (void)reload_rd_bytes(&b, reload_rd_u8(&b));  /* compression_methods */
    return ok && !b.failed;
}

static bool make(EVP_MAC_CTX *mac, const struct reload_link_address *far,
                 const struct client_hello *hello, uint8_t cookie[COOKIE_LEN])
{
    uint8_t full[EVP_MAX_MD_SIZE];
    uint8_t where[] = { far->len, (uint8_t)(far->port >> 8), (uint8_t)far->port };
    size_t n = 0;
    bool ok = EVP_MAC_init(mac, NULL, 0, NULL) == 1 && EVP_MAC_update(mac, where, 3) == 1 &&
              EVP_MAC_update(mac, far->bytes, far->len) == 1 &&
              EVP_MAC_update(mac, hello->offer.p, hello->offer.n) == 1 &&
              EVP_MAC_update(mac, hello->rest.p, hello->rest.n) == 1 &&
              EVP_MAC_final(mac, full, &n, sizeof full) == 1;
    memcpy(cookie, full, COOKIE_LEN);
    return ok && n >= COOKIE_LEN;
}

static bool is_good(EVP_MAC_CTX *mac, const struct reload_link_address *far,
                    const struct client_hello *hello)
{
    uint8_t expected[COOKIE_LEN];
    return hello->cookie.n == COOKIE_LEN && make(mac, far, hello, expected) &&
           CRYPTO_memcmp(expected, hello->cookie.p, COOKIE_LEN) == 0;
}

/* RFC 6347 s4.2.1; the record number is the ClientHello's. */
static void write_reply(uint8_t reply[RELOAD_COOKIE_REPLY_LEN], const struct client_hello *hello,
                        const uint8_t cookie[COOKIE_LEN])
{
    const uint32_t len = 2 + 1 + COOKIE_LEN;
    struct reload_writer w = reload_writer_of(reply, RELOAD_COOKIE_REPLY_LEN);
    reload_wr_u8(&w, RECORD_HANDSHAKE);
    reload_wr_u16(&w, VERSION_1_0);
    reload_wr_u16(&w, 0);
    reload_wr_u16(&w, (uint16_t)(hello->record_sequence >> 32));
    reload_wr_u32(&w, (uint32_t)hello->record_sequence);
    reload_wr_u16(&w, (uint16_t)(HANDSHAKE_HEADER_LEN + len));
    reload_wr_u8(&w, HELLO_VERIFY);
    reload_wr_u24(&w, len);
    reload_wr_u16(&w, 0);
    reload_wr_u24(&w, 0);
    reload_wr_u24(&w, len);
    reload_wr_u16(&w, VERSION_1_0);
    reload_wr_u8(&w, COOKIE_LEN);
    reload_wr_bytes(&w, reload_slice_of(cookie, COOKIE_LEN));
}

enum reload_cookie_verdict reload_cookie_judge(struct reload_cookie_jar *jar,
                                               const struct reload_link_address *far,
                                               struct reload_slice datagram, uint64_t now_ms,
                                               uint8_t reply[RELOAD_COOKIE_REPLY_LEN])
{
    struct client_hello hello;
    uint8_t cookie[COOKIE_LEN];
    if (!parse(datagram, &hello))
        return RELOAD_COOKIE_DROP;
    rotate(jar, now_ms);
    if (is_good(jar->current, far, &hello) || is_good(jar->previous, far, &hello))
        return RELOAD_COOKIE_WELCOME;
    if (!make(jar->current, far, &hello, cookie))
        return RELOAD_COOKIE_DROP;
    write_reply(reply, &hello, cookie);
    return RELOAD_COOKIE_CHALLENGE;
}
