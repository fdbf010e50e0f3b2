#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reload/alloc.h"
#include "reload/link/engine_internal.h"

#define AREA "tls"

static int refuse(struct reload_engine_context *context, const char *what)
{
    const char *detail = ERR_reason_error_string(ERR_peek_last_error());
    reload_log_write(context->log, RELOAD_LOG_ERROR, AREA, "%s%s%s", what, detail ? ": " : "",
                     detail ? detail : "");
    ERR_clear_error();
    return RELOAD_E_INVALID;
}

static void write_key_log(const SSL *ssl, const char *line)
{
    const struct reload_engine *engine = SSL_get_app_data(ssl);
    char text[512];
    int n = snprintf(text, sizeof text, "%s\n", line);
    if (n <= 0 || (size_t)n >= sizeof text)
        return;
    /* One write per line: several processes may share the file. */
    if (write(engine->context->key_log_fd, text, (size_t)n) != n)
        reload_log_write(engine->context->log, RELOAD_LOG_ERROR, AREA, "key log: %s",
                         strerror(errno));
}

static void open_key_log(struct reload_engine_context *context)
{
    const char *path = getenv("SSLKEYLOGFILE");
    if (!path || !*path)
        return;
    context->key_log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (context->key_log_fd < 0) {
        reload_log_write(context->log, RELOAD_LOG_ERROR, AREA,
                         "SSLKEYLOGFILE: cannot open %s: %s; keys are not logged", path,
                         strerror(errno));
        return;
    }
    reload_log_write(context->log, RELOAD_LOG_WARNING, AREA,
                     "SSLKEYLOGFILE is set: the secrets of every link go to %s; whoever reads it "
                     "reads the links",
                     path);
    SSL_CTX_set_keylog_callback(context->tls, write_key_log);
    SSL_CTX_set_keylog_callback(context->dtls, write_key_log);
}

static int use_certificate(struct reload_engine_context *context, SSL_CTX *tls,
                           struct reload_slice der, bool own)
{
    const unsigned char *p = der.p;
    X509 *x509 = d2i_X509(NULL, &p, (long)der.n);
    if (!x509 || p != der.p + der.n) {
        X509_free(x509);
        return refuse(context, "a certificate of the own chain does not parse");
    }
    int ok = own ? SSL_CTX_use_certificate(tls, x509) : (int)SSL_CTX_add1_chain_cert(tls, x509);
    X509_free(x509);
    return ok == 1 ? 0 : refuse(context, "TLS cannot use a certificate of the own chain");
}

static int use_key(struct reload_engine_context *context, SSL_CTX *tls, struct reload_slice der)
{
    const unsigned char *p = der.p;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
    if (!key)
        return refuse(context, "the own private key does not parse");
    int ok = SSL_CTX_use_PrivateKey(tls, key) == 1 && SSL_CTX_check_private_key(tls) == 1;
    EVP_PKEY_free(key);
    return ok ? 0 : refuse(context, "the own private key does not belong to the own certificate");
}

static int use_own_identity(struct reload_engine_context *context, SSL_CTX *tls)
{
    const struct reload_slice *chain = NULL;
    size_t count = 0;
    struct reload_slice key = { 0 };
    context->identity->own(context->identity_context, &chain, &count, &key);
    if (count == 0)
        return refuse(context, "there is no own certificate");
    for (size_t i = 0; i < count; i++) {
        int status = use_certificate(context, tls, chain[i], i == 0);
        if (status)
            return status;
    }
    return use_key(context, tls, key);
}

/* AES-128 before AES-256 in both versions, as RFC 9325 s4.2 lists them: it is the faster by a third
 * and its keys are as strong as the curves that they come from. */
#define CIPHERS_TLS13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define CIPHERS_TLS12                                                                              \
    "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM+AES128:DHE+AESGCM:DHE+CHACHA20"

/* Resumption is off in every form: each link proves both certificates anew (s6.5.1.13), and an idle
 * link must be small. */
static int harden(SSL_CTX *tls)
{
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_max_cert_list(tls, 32 * 1024);
    SSL_CTX_set_dh_auto(tls, 1);
    return SSL_CTX_set_num_tickets(tls, 0) == 1 &&
           SSL_CTX_set_ciphersuites(tls, CIPHERS_TLS13) == 1 &&
           SSL_CTX_set_cipher_list(tls, CIPHERS_TLS12) == 1 &&
           SSL_CTX_set1_groups_list(tls, "X25519:P-256:P-384") == 1;
}

/* What TLS and DTLS have in common. */
static int prepare(struct reload_engine_context *context, SSL_CTX *tls)
{
    /* R6940-6.5.1.13-2: the server asks for a certificate, and takes none for a no. */
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(tls, reload_engine_verify, NULL);
    return use_own_identity(context, tls);
}

static int make_tls(struct reload_engine_context *context)
{
    context->tls = SSL_CTX_new(TLS_method());
    context->bio_method = reload_engine_bio_method();
    if (!context->tls || !context->bio_method)
        return RELOAD_E_NOMEM;
    if (!harden(context->tls) || SSL_CTX_set_min_proto_version(context->tls, TLS1_2_VERSION) != 1)
        return refuse(context, "TLS cannot be set up");
    return prepare(context, context->tls);
}

static int make_dtls(struct reload_engine_context *context)
{
    context->dtls = SSL_CTX_new(DTLS_method());
    context->datagram_bio_method = reload_engine_datagram_bio_method();
    if (!context->dtls || !context->datagram_bio_method)
        return RELOAD_E_NOMEM;
    if (!harden(context->dtls) || !reload_engine_datagram_harden(context->dtls))
        return refuse(context, "DTLS cannot be set up");
    return prepare(context, context->dtls);
}

int reload_engine_context_new(const struct reload_link_identity_ops *identity,
                              void *identity_context, const struct reload_log *log,
                              struct reload_engine_context **out)
{
    struct reload_engine_context *context = reload_calloc(1, sizeof *context);
    if (!context)
        return RELOAD_E_NOMEM;
    context->identity = identity;
    context->identity_context = identity_context;
    context->log = log;
    context->key_log_fd = -1;
    ERR_clear_error();
    int status = make_tls(context);
    if (!status)
        status = make_dtls(context);
    if (status) {
        ERR_clear_error();
        reload_engine_context_free(context);
        return status;
    }
    open_key_log(context);
    *out = context;
    return 0;
}

void reload_engine_context_free(struct reload_engine_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->tls);
    SSL_CTX_free(context->dtls);
    BIO_meth_free(context->bio_method);
    BIO_meth_free(context->datagram_bio_method);
    if (context->key_log_fd >= 0)
        close(context->key_log_fd);
    reload_free(context);
}
