#ifndef RELOAD_LINK_ENGINE_INTERNAL_H
#define RELOAD_LINK_ENGINE_INTERNAL_H

#include <openssl/ssl.h>

#include "reload/link/engine.h"

/* What the files of the engine share; nobody else includes this. */

struct reload_engine_context {
    const struct reload_link_identity_ops *identity;
    void *identity_context;
    const struct reload_log *log;
    SSL_CTX *tls;
    BIO_METHOD *bio_method;
    int key_log_fd; /* -1: no key log */
};

struct reload_engine {
    struct reload_engine_context *context;
    SSL *ssl;
    struct reload_slice input; /* lent by the caller */
    struct reload_buffer output;
    struct reload_time now;         /* of the call in progress: certificates are judged at it */
    struct reload_node_id expected; /* len 0: anyone */
    struct reload_link_peer peer;
    int error; /* the first failure; it stays */
    bool done, confirmed, untrusted, unexpected;
    char reason[RELOAD_ENGINE_REASON];
};

/* Remembers the first failure and its sentence; returns its error. */
int reload_engine_fail(struct reload_engine *engine, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* SSL_CTX_set_cert_verify_callback: asks the identity operations. */
int reload_engine_verify(X509_STORE_CTX *store, void *unused);

/* The BIO between OpenSSL and the engine's input and output. NULL without memory. */
BIO_METHOD *reload_engine_bio_method(void);

#endif
