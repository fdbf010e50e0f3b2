#ifndef TESTS_CERTS_ENROLL_FIXTURE_H
#define TESTS_CERTS_ENROLL_FIXTURE_H

#include "certs/enroll/database.h"
#include "certs/enroll/server.h"
#include "certs/key.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* An overlay in a temporary folder with its server on a loopback port that the system chose, two
 * accounts, and a hand-made HTTPS client, so that requests can be wrong in every way. */

#define FIXTURE_OVERLAY "overlay.example.org"

struct fixture {
    char dir[64];
    int listen_fd; /* -1 once a server has it */
    uint16_t port;
    struct reload_enroll_server_options options;
    struct reload_enroll_server *server;
    struct reload_config *config;
};

/* A test whose state is a fixture that was made, or started too. */
#define PREPARED(test) cmocka_unit_test_setup_teardown(test, fixture_prepare, fixture_tear_down)
#define SERVED(test)   cmocka_unit_test_setup_teardown(test, fixture_serve, fixture_tear_down)
int fixture_prepare(void **state);
int fixture_serve(void **state);
int fixture_tear_down(void **state);
void pause_ms(unsigned ms);

void fixture_make(struct fixture *f, enum reload_cert_key_type ca); /* folder, accounts, port */
void fixture_start(struct fixture *f);
void fixture_stop(struct fixture *f);
void fixture_free(struct fixture *f); /* removes the folder */
char *fixture_path(const struct fixture *f, const char *name, char out[128]);
void fixture_account(const struct fixture *f, const char *name, const char *password, uint32_t cap);
uint64_t fixture_count(struct fixture *f, enum reload_enroll_event event);
/* A listening socket on 127.0.0.1, port 0. */
int fixture_listen(uint16_t *port);

struct reply {
    int status; /* 0: the connection ended without an answer */
    char head[4096];
    uint8_t body[1 << 17];
    size_t body_len;
    uint64_t took_ms;
    uint64_t cost_ms; /* CPU time of both ends, whatever else the machine does */
};

/* A TLS connection, from 127.0.0.`from`; NULL when it is refused or cut. */
struct tls {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};
bool tls_open(struct tls *t, uint16_t port, uint8_t from);
int tcp_open(uint16_t port, uint8_t from);
bool tls_write(struct tls *t, const void *data, size_t len);
void tls_read(struct tls *t, struct reply *reply); /* until the end */
void tls_close(struct tls *t);
/* One request, whole. */
void https(struct fixture *f, uint8_t from, const void *request, size_t len, struct reply *reply);
bool reply_has(const struct reply *reply, const char *header_line);
bool reply_is(const struct reply *reply, int status, const char *body);

struct post { /* NULL fields are left out */
    const char *path, *user, *password, *node_ids, *csr_type, *accept, *device;
    const uint8_t *csr;
    size_t csr_len;
    uint8_t from; /* last byte of the source address; 0: 1 */
};
void post(struct fixture *f, const struct post *p, struct reply *reply);
/* The body of such a request, heap; *type gets the Content-Type's value. */
uint8_t *post_body(const struct post *p, size_t *len);

/* A CSR by our own maker, heap DER. */
uint8_t *make_csr(const struct reload_cert_key *key, const char *name, size_t *len);
/* Enrolls with a fresh key; the certificate's DER is in reply->body. */
void enroll(struct fixture *f, const char *user, const char *password, const char *node_ids,
            struct reply *reply);
void enroll_device(struct fixture *f, const char *user, const char *password, const char *node_ids,
                   const char *device, struct reply *reply);

#endif
