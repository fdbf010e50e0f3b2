#include "reload/link/engine.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

#include "reload/alloc.h"
#include "reload/link/engine_internal.h"

int reload_engine_fail(struct reload_engine *engine, int error, const char *format, ...)
{
    if (engine->error)
        return engine->error;
    engine->error = error;
    va_list args;
    va_start(args, format);
    vsnprintf(engine->reason, sizeof engine->reason, format, args);
    va_end(args);
    return error;
}

/* A TLS 1.3 client learns from the first encrypted message after the handshake that the server took
 * its certificate. Frames are seen by read(); session tickets and key updates only here. */
static void watch_messages(int sent, int version, int content_type, const void *p, size_t n,
                           SSL *ssl, void *arg)
{
    (void)version, (void)ssl;
    struct reload_engine *engine = arg;
    if (sent || content_type != SSL3_RT_HANDSHAKE || n == 0 || !engine->done)
        return;
    uint8_t type = *(const uint8_t *)p;
    if (type == SSL3_MT_NEWSESSION_TICKET || type == SSL3_MT_KEY_UPDATE)
        engine->confirmed = true;
}

static int attach_ssl(struct reload_engine *engine, SSL_CTX *tls, BIO_METHOD *bio_method,
                      enum reload_link_role role)
{
    engine->ssl = SSL_new(tls);
    BIO *bio = BIO_new(bio_method);
    if (!engine->ssl || !bio) {
        BIO_free(bio);
        return RELOAD_E_NOMEM;
    }
    BIO_set_data(bio, engine);
    SSL_set_bio(engine->ssl, bio, bio);
    SSL_set_app_data(engine->ssl, engine);
    if (role == RELOAD_LINK_SERVER)
        SSL_set_accept_state(engine->ssl);
    else
        SSL_set_connect_state(engine->ssl);
    return 0;
}

int reload_engine_create(struct reload_engine_context *context, SSL_CTX *tls,
                         BIO_METHOD *bio_method, enum reload_link_role role,
                         const struct reload_node_id *expected, struct reload_engine **out)
{
    struct reload_engine *engine = reload_calloc(1, sizeof *engine);
    if (!engine)
        return RELOAD_E_NOMEM;
    engine->context = context;
    if (expected)
        engine->expected = *expected;
    int status = attach_ssl(engine, tls, bio_method, role);
    if (status) {
        ERR_clear_error();
        reload_engine_free(engine);
        return status;
    }
    *out = engine;
    return 0;
}

int reload_engine_new(struct reload_engine_context *context, enum reload_link_role role,
                      const struct reload_node_id *expected, struct reload_engine **out)
{
    int status =
        reload_engine_create(context, context->tls, context->bio_method, role, expected, out);
    if (status)
        return status;
    SSL_set_msg_callback((*out)->ssl, watch_messages);
    SSL_set_msg_callback_arg((*out)->ssl, *out);
    return 0;
}

void reload_engine_free(struct reload_engine *engine)
{
    if (!engine)
        return;
    SSL_free(engine->ssl);
    reload_buffer_free(&engine->output);
    reload_free(engine);
}

void reload_engine_input(struct reload_engine *engine, struct reload_slice bytes)
{
    engine->input = bytes;
}

struct reload_buffer *reload_engine_output(struct reload_engine *engine)
{
    return &engine->output;
}

static const char *reason_text(unsigned long code)
{
    const char *text = ERR_reason_error_string(code);
    return text ? text : "unknown";
}

static int explain(struct reload_engine *engine)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_REASON(code);
    if (engine->error) /* the verifier or the output knows better */
        return engine->error;
    if (reason == ERR_R_MALLOC_FAILURE)
        return reload_engine_fail(engine, RELOAD_E_NOMEM, "TLS: no memory");
    if (ERR_GET_LIB(code) != ERR_LIB_SSL)
        return reload_engine_fail(engine, RELOAD_E_DECODE, "TLS: %s", reason_text(code));
    engine->untrusted = reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
    if (engine->untrusted)
        return reload_engine_fail(engine, RELOAD_E_CERTIFICATE, "the far end has no certificate");
    if (reason >= SSL_AD_REASON_OFFSET) /* an alert of the far end */
        return reload_engine_fail(
            engine,
            reason == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED ? RELOAD_E_EXPIRED : RELOAD_E_FORBIDDEN,
            "the far end refused: %s", reason_text(code));
    return reload_engine_fail(engine, RELOAD_E_DECODE, "TLS: %s", reason_text(code));
}

/* What others left in OpenSSL's error queue would be taken for the next call's. To look is much
 * cheaper than to clear. */
static void forget_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

/* What a call that did not succeed means. Leaves OpenSSL's error queue empty. */
static int outcome(struct reload_engine *engine, int result)
{
    int status = RELOAD_ENGINE_WANT;
    switch (SSL_get_error(engine->ssl, result)) {
    case SSL_ERROR_WANT_READ: break;
    case SSL_ERROR_ZERO_RETURN:
        if (engine->halved) {
            status = RELOAD_E_CLOSED;
            break;
        }
        status = reload_engine_fail(engine, RELOAD_E_CLOSED, "closed by the far end");
        break;
    default: status = explain(engine);
    }
    forget_errors();
    return status;
}

/* Says at once, with a message that every TLS 1.3 client takes, that the client is accepted: it may
 * be waiting for that, and the overlay may have nothing to say for a long while. */
static void confirm_client(struct reload_engine *engine)
{
    if (SSL_key_update(engine->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
        (void)SSL_do_handshake(engine->ssl);
    ERR_clear_error();
}

int reload_engine_handshake(struct reload_engine *engine, struct reload_time now)
{
    if (engine->error)
        return engine->error;
    engine->now = now;
    ERR_clear_error();
    int result = engine->listening ? reload_engine_datagram_listen(engine) : 1;
    if (result == 1)
        result = SSL_do_handshake(engine->ssl);
    if (result != 1)
        return outcome(engine, result);
    if (engine->done)
        return 0;
    engine->done = true;
    bool tls13 = SSL_version(engine->ssl) == TLS1_3_VERSION;
    engine->confirmed = !tls13 || SSL_is_server(engine->ssl);
    if (tls13 && SSL_is_server(engine->ssl))
        confirm_client(engine);
    return 0;
}

/* OpenSSL takes its buffers itself again for TLS only. */
static int wake(struct reload_engine *engine)
{
    if (engine->resting && SSL_alloc_buffers(engine->ssl) != 1)
        return reload_engine_fail(engine, RELOAD_E_NOMEM, "no memory");
    engine->resting = false;
    return 0;
}

int reload_engine_read(struct reload_engine *engine, uint8_t *out, size_t cap, size_t *len,
                       struct reload_time now)
{
    *len = 0;
    if (engine->error)
        return engine->error;
    if (!engine->done)
        return RELOAD_E_STATE;
    if (engine->input.n == 0 && !SSL_has_pending(engine->ssl))
        return RELOAD_ENGINE_WANT; /* OpenSSL would take a 16 KB buffer to find that out */
    engine->now = now;
    forget_errors();
    int status = wake(engine);
    if (status)
        return status;
    int result = SSL_read_ex(engine->ssl, out, cap, len);
    if (result != 1)
        return outcome(engine, result);
    engine->confirmed = true;
    return 0;
}

int reload_engine_write(struct reload_engine *engine, struct reload_slice plain)
{
    if (engine->error)
        return engine->error;
    if (!engine->done)
        return RELOAD_E_STATE;
    if (plain.n == 0)
        return 0;
    size_t written;
    forget_errors();
    int status = wake(engine);
    if (status)
        return status;
    int result = SSL_write_ex(engine->ssl, plain.p, plain.n, &written);
    return result == 1 ? 0 : outcome(engine, result);
}

void reload_engine_halve(struct reload_engine *engine)
{
    engine->halved = true;
}

void reload_engine_end(struct reload_engine *engine)
{
    if (!engine->done || engine->error)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(engine->ssl); /* sends; the answer comes when the far end has said all */
    ERR_clear_error();
}

void reload_engine_close(struct reload_engine *engine)
{
    if (!engine->done || (engine->error && engine->error != RELOAD_E_CLOSED))
        return;
    ERR_clear_error();
    if (wake(engine))
        return;
    (void)SSL_shutdown(engine->ssl); /* sends; the answer is not awaited */
    ERR_clear_error();
    (void)reload_engine_fail(engine, RELOAD_E_CLOSED, "closed by this node");
}

bool reload_engine_confirmed(const struct reload_engine *engine)
{
    return engine->confirmed;
}

const struct reload_link_peer *reload_engine_peer(const struct reload_engine *engine)
{
    return &engine->peer;
}

int reload_engine_certificate(const struct reload_engine *engine, struct reload_buffer *out)
{
    X509 *x509 = engine->done ? SSL_get0_peer_certificate(engine->ssl) : NULL;
    int n = x509 ? i2d_X509(x509, NULL) : 0;
    if (n <= 0)
        return RELOAD_E_STATE;
    unsigned char *p = reload_buffer_reserve(out, (size_t)n);
    if (!p)
        return RELOAD_E_NOMEM;
    i2d_X509(x509, &p);
    reload_buffer_commit(out, (size_t)n);
    return 0;
}

bool reload_engine_untrusted(const struct reload_engine *engine)
{
    return engine->untrusted;
}

bool reload_engine_unexpected(const struct reload_engine *engine)
{
    return engine->unexpected;
}

const char *reload_engine_reason(const struct reload_engine *engine)
{
    return engine->reason;
}

const char *reload_engine_version(const struct reload_engine *engine)
{
    return SSL_get_version(engine->ssl);
}
