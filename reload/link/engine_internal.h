#ifndef RELOAD_LINK_ENGINE_INTERNAL_H
#define RELOAD_LINK_ENGINE_INTERNAL_H

#include <openssl/ssl.h>

#include "reload/link/engine.h"
#include "reload/link/engine_srtp.h"

/* What the files of the engine share; nobody else includes this. */

struct reload_engine_context {
    const struct reload_link_identity_ops *identity;
    void *identity_context;
    const struct reload_log *log;
    SSL_CTX *tls, *dtls;
    BIO_METHOD *bio_method, *datagram_bio_method;
    int key_log_fd; /* -1: no key log */
};

struct reload_engine {
    struct reload_engine_context *context;
    SSL *ssl;
    struct reload_slice input; /* lent by the caller */
    struct reload_buffer output;
    struct reload_time now;         /* of the call in progress: certificates are judged at it */
    struct reload_node_id expected; /* len 0: anyone */
    bool by_fingerprint;            /* DTLS-SRTP: the far end is known by this and nothing else */
    uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN];
    struct reload_link_peer peer;
    int error; /* the first failure; it stays */
    bool done, confirmed, untrusted, unexpected;
    bool datagrams;    /* DTLS: input is one datagram, output a row of them with their lengths */
    bool halved;       /* a direction ends by itself */
    bool listening;    /* DTLS server whose ClientHello showed a cookie: it is yet to be taken */
    bool resting;      /* DTLS: OpenSSL holds no buffers */
    uint16_t path_len; /* DTLS: bytes of one datagram */
    char reason[RELOAD_ENGINE_REASON];
};

/* Remembers the first failure and its sentence; returns its error. */
int reload_engine_fail(struct reload_engine *engine, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* SSL_CTX_set_cert_verify_callback: asks the identity operations. */
int reload_engine_verify(X509_STORE_CTX *store, void *unused);

/* The BIO between OpenSSL and the engine's input and output. NULL without memory. */
BIO_METHOD *reload_engine_bio_method(void);
/* The same for datagrams. */
BIO_METHOD *reload_engine_datagram_bio_method(void);
/* A BIO of an engine with these ways to read, write and be asked. NULL without memory. */
BIO_METHOD *reload_engine_bio_make(const char *name, int (*read)(BIO *, char *, size_t, size_t *),
                                   int (*write)(BIO *, const char *, size_t, size_t *),
                                   long (*ctrl)(BIO *, int, long, void *));

/* An engine on this context and BIO; see reload_engine_new(). */
RELOAD_MUST_USE int reload_engine_create(struct reload_engine_context *context, SSL_CTX *tls,
                                         BIO_METHOD *bio_method, enum reload_link_role role,
                                         const struct reload_node_id *expected,
                                         struct reload_engine **out);

/* engine_datagram.c */
bool reload_engine_datagram_harden(SSL_CTX *dtls);
/* The ClientHello with its cookie: 1 taken, otherwise as SSL_do_handshake() answers. */
int reload_engine_datagram_listen(struct reload_engine *engine);

/* engine_srtp.c: is it the certificate that was signalled? */
RELOAD_MUST_USE int reload_engine_srtp_check(struct reload_engine *engine, X509_STORE_CTX *store);

#endif
