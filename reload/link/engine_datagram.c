#include "reload/link/engine_datagram.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/time.h>

#include "reload/link/engine_internal.h"

#define PATH_LEN_MIN 256
#define UDP_OVERHEAD 28
#define LENGTH_LEN   2 /* before each datagram in the output */
#define FIRST_TIMEOUT_US                                                                           \
    500000u /* RFC 6347 s4.2.4.1 allows less than 1 s; s6.6.3.1 takes 500 ms                       \
             */
#define LAST_TIMEOUT_US 8000000u

#define RECORD_HEADER_LEN 13 /* type, version, epoch, sequence number, length */
#define GCM_LEN_MIN       24 /* explicit nonce and tag */
#define CHACHA_LEN_MIN    16 /* tag */

/* --- OpenSSL reads and writes whole datagrams --- */

static size_t protected_len_min(const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    return cipher && SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305 ? CHACHA_LEN_MIN
                                                                                : GCM_LEN_MIN;
}

/* Whether a protected record is too short to be one. OpenSSL 3.0.20 ends the association at such a
 * record, which anybody can forge, where RFC 6347 s4.1.2.7 wants it dropped. */
static bool has_stunted_record(const SSL *ssl, struct reload_slice datagram)
{
    for (size_t at = 0; datagram.n - at >= RECORD_HEADER_LEN;) {
        const uint8_t *p = datagram.p + at;
        size_t epoch = (size_t)p[3] << 8 | p[4], len = (size_t)p[11] << 8 | p[12];
        if (epoch > 0 && len < protected_len_min(ssl))
            return true;
        if (len > datagram.n - at - RECORD_HEADER_LEN)
            return false;
        at += RECORD_HEADER_LEN + len;
    }
    return false;
}

static int bio_read(BIO *bio, char *out, size_t cap, size_t *len)
{
    struct reload_engine *engine = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    const struct reload_slice datagram = engine->input;
    engine->input = (struct reload_slice){ 0 }; /* of a datagram what does not fit is lost */
    *len = cap < datagram.n ? cap : datagram.n;
    if (has_stunted_record(engine->ssl, datagram))
        *len = 0;
    if (*len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, datagram.p, *len);
    return 1;
}

static int bio_write(BIO *bio, const char *p, size_t n, size_t *written)
{
    struct reload_engine *engine = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *written = 0;
    if (n > UINT16_MAX || n > RELOAD_ENGINE_OUTPUT_MAX - reload_buffer_len(&engine->output)) {
        (void)reload_engine_fail(engine, RELOAD_E_LIMIT, "the far end does not take our datagrams");
        return 0;
    }
    uint8_t *to = reload_buffer_reserve(&engine->output, LENGTH_LEN + n);
    if (!to) {
        (void)reload_engine_fail(engine, RELOAD_E_NOMEM, "no memory");
        return 0;
    }
    to[0] = (uint8_t)(n >> 8);
    to[1] = (uint8_t)n;
    memcpy(to + LENGTH_LEN, p, n);
    reload_buffer_commit(&engine->output, LENGTH_LEN + n);
    *written = n;
    return 1;
}

static uint16_t narrowed(const struct reload_engine *engine)
{
    return engine->path_len < RELOAD_ENGINE_NARROW_LEN ? engine->path_len
                                                       : RELOAD_ENGINE_NARROW_LEN;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    const struct reload_engine *engine = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU: return engine->path_len;
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU: return narrowed(engine); /* after several lost flights */
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: return UDP_OVERHEAD;
    default: return 0;
    }
}

BIO_METHOD *reload_engine_datagram_bio_method(void)
{
    return reload_engine_bio_make("reload datagram engine", bio_read, bio_write, bio_ctrl);
}

/* --- setting up --- */

/* Only ClientHellos whose cookie was accepted already come as far as OpenSSL. */
static int accept_cookie(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
    (void)ssl, (void)cookie, (void)len;
    return 1;
}

static int refuse_to_make_cookies(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
    (void)ssl, (void)cookie, (void)len;
    return 0;
}

bool reload_engine_datagram_harden(SSL_CTX *dtls)
{
    SSL_CTX_set_cookie_verify_cb(dtls, accept_cookie);
    SSL_CTX_set_cookie_generate_cb(dtls, refuse_to_make_cookies);
    return SSL_CTX_set_min_proto_version(dtls, DTLS1_2_VERSION) == 1;
}

static unsigned int next_timeout_us(SSL *ssl, unsigned int before_us)
{
    (void)ssl;
    if (before_us == 0)
        return FIRST_TIMEOUT_US;
    return before_us < LAST_TIMEOUT_US / 2 ? before_us * 2 : LAST_TIMEOUT_US;
}

int reload_engine_new_datagram(struct reload_engine_context *context, enum reload_link_role role,
                               const struct reload_node_id *expected, uint16_t path_len,
                               bool cookie_shown, struct reload_engine **out)
{
    if (path_len < PATH_LEN_MIN)
        return RELOAD_E_INVALID;
    int status = reload_engine_create(context, context->dtls, context->datagram_bio_method, role,
                                      expected, out);
    if (status)
        return status;
    (*out)->datagrams = true;
    (*out)->path_len = path_len;
    (*out)->listening = cookie_shown;
    SSL_clear_mode((*out)->ssl, SSL_MODE_RELEASE_BUFFERS); /* not after each record */
    DTLS_set_timer_cb((*out)->ssl, next_timeout_us);
    return 0;
}

/* A ClientHello with a cookie has message number 1; OpenSSL takes that as a beginning only here. */
int reload_engine_datagram_listen(struct reload_engine *engine)
{
    BIO_ADDR *unused = BIO_ADDR_new();
    if (!unused)
        return -1;
    int result = DTLSv1_listen(engine->ssl, unused);
    BIO_ADDR_free(unused);
    engine->listening = result != 1;
    return result;
}

/* --- datagrams out --- */

size_t reload_engine_datagram_next(const struct reload_engine *engine, struct reload_slice *out,
                                   size_t cap)
{
    const struct reload_buffer *output = &engine->output;
    size_t count = 0;
    for (size_t at = output->start; at < output->end && count < cap; count++) {
        const uint8_t *p = output->p + at;
        out[count] = reload_slice_of(p + LENGTH_LEN, (size_t)p[0] << 8 | p[1]);
        at += LENGTH_LEN + out[count].n;
    }
    return count;
}

void reload_engine_datagram_sent(struct reload_engine *engine, size_t count)
{
    struct reload_buffer *output = &engine->output;
    struct reload_slice datagram;
    while (count-- > 0 && reload_engine_datagram_next(engine, &datagram, 1))
        output->start += LENGTH_LEN + datagram.n;
    if (output->start == output->end)
        output->start = output->end = 0; /* its memory serves until the engine rests */
}

void reload_engine_datagram_rest(struct reload_engine *engine)
{
    if (reload_buffer_len(&engine->output) > 0)
        return;
    reload_buffer_free(&engine->output);
    if (engine->done && !engine->resting)
        engine->resting = SSL_free_buffers(engine->ssl) == 1;
}

/* --- time --- */

uint64_t reload_engine_datagram_deadline(const struct reload_engine *engine, uint64_t now_ms)
{
    struct timeval left;
    if (engine->error || DTLSv1_get_timeout(engine->ssl, &left) != 1)
        return RELOAD_NEVER;
    /* Rounded up: to come a moment early would find nothing to do. */
    return now_ms + (uint64_t)left.tv_sec * 1000 + ((uint64_t)left.tv_usec + 999) / 1000;
}

int reload_engine_datagram_tick(struct reload_engine *engine, struct reload_time now)
{
    if (engine->error)
        return engine->error;
    engine->now = now;
    ERR_clear_error();
    long result = DTLSv1_handle_timeout(engine->ssl);
    ERR_clear_error();
    if (result < 0)
        return reload_engine_fail(engine, RELOAD_E_TIMEOUT,
                                  "the far end does not answer the DTLS handshake");
    return RELOAD_ENGINE_WANT;
}

void reload_engine_datagram_narrow(struct reload_engine *engine)
{
    engine->path_len = narrowed(engine);
    SSL_set_mtu(engine->ssl, engine->path_len);
}

size_t reload_engine_datagram_room(const struct reload_engine *engine)
{
    return engine->done ? DTLS_get_data_mtu(engine->ssl) : 0;
}
