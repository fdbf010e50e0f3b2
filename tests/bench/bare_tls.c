#include "bare_tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

struct end {
    int fd;
    SSL *ssl;
};

static SSL_CTX *context(const SSL_METHOD *method, int version, const char *certificate,
                        const char *key, const char *ca)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    BENCH_CHECK(ctx && SSL_CTX_set_min_proto_version(ctx, version));
    BENCH_CHECK(SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1);
    BENCH_CHECK(SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1);
    BENCH_CHECK(SSL_CTX_load_verify_locations(ctx, ca, NULL) == 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    return ctx;
}

static struct end end_of(SSL_CTX *ctx, int fd)
{
    int on = 1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct end end = { fd, SSL_new(ctx) };
    BENCH_CHECK(end.ssl && SSL_set_fd(end.ssl, fd) == 1);
    return end;
}

static void end_close(struct end *end)
{
    SSL_shutdown(end->ssl);
    SSL_free(end->ssl);
    close(end->fd);
}

static void exchange(struct end *from, struct end *to)
{
    char byte = 'x';
    BENCH_CHECK(SSL_write(from->ssl, &byte, 1) == 1);
    while (SSL_read(to->ssl, &byte, 1) != 1)
        BENCH_CHECK(SSL_get_error(to->ssl, -1) == SSL_ERROR_WANT_READ);
}

static void shake_hands(struct end *client, struct end *server)
{
    SSL_set_connect_state(client->ssl);
    SSL_set_accept_state(server->ssl);
    while (!SSL_is_init_finished(client->ssl) || !SSL_is_init_finished(server->ssl)) {
        struct end *ends[] = { client, server };
        for (int i = 0; i < 2; i++) {
            int done = SSL_do_handshake(ends[i]->ssl);
            BENCH_CHECK(done == 1 || SSL_get_error(ends[i]->ssl, done) == SSL_ERROR_WANT_READ);
        }
    }
    exchange(server, client);
    exchange(client, server);
    end_close(client);
    end_close(server);
}

static void handshake(SSL_CTX *ctx, int listener, const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    BENCH_CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0);
    int accepted = accept(listener, NULL, NULL);
    BENCH_CHECK(accepted >= 0);
    struct end client = end_of(ctx, fd), server = end_of(ctx, accepted);
    shake_hands(&client, &server);
}

double bench_bare_handshake_ns(const char *certificate, const char *key, const char *ca,
                               unsigned handshakes)
{
    SSL_CTX *ctx = context(TLS_method(), TLS1_3_VERSION, certificate, key, ca);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    BENCH_CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                listen(listener, 16) == 0 &&
                getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    handshake(ctx, listener, &address); /* warms caches and tables up */
    uint64_t start = bench_cpu_ns();
    for (unsigned i = 0; i < handshakes; i++)
        handshake(ctx, listener, &address);
    double each = (double)(bench_cpu_ns() - start) / handshakes;
    close(listener);
    SSL_CTX_free(ctx);
    return each;
}

/* --- DTLS --- */

static int bound_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof *address;
    *address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    BENCH_CHECK(fd >= 0 && bind(fd, (struct sockaddr *)address, len) == 0 &&
                getsockname(fd, (struct sockaddr *)address, &len) == 0);
    return fd;
}

static struct end datagram_end(SSL_CTX *ctx, int fd, struct sockaddr_in *far)
{
    struct end end = { fd, SSL_new(ctx) };
    BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    BENCH_CHECK(end.ssl && bio && connect(fd, (struct sockaddr *)far, sizeof *far) == 0);
    BIO_ctrl_set_connected(bio, far);
    SSL_set_bio(end.ssl, bio, bio);
    return end;
}

static void datagram_handshake(SSL_CTX *ctx)
{
    struct sockaddr_in one, two;
    int first = bound_socket(&one), second = bound_socket(&two);
    struct end client = datagram_end(ctx, first, &two), server = datagram_end(ctx, second, &one);
    shake_hands(&client, &server);
}

double bench_bare_datagram_handshake_ns(const char *certificate, const char *key, const char *ca,
                                        unsigned handshakes)
{
    SSL_CTX *ctx = context(DTLS_method(), DTLS1_2_VERSION, certificate, key, ca);
    datagram_handshake(ctx);
    uint64_t start = bench_cpu_ns();
    for (unsigned i = 0; i < handshakes; i++)
        datagram_handshake(ctx);
    double each = (double)(bench_cpu_ns() - start) / handshakes;
    SSL_CTX_free(ctx);
    return each;
}

struct bench_crypto_cost bench_bare_crypto(const char *key_path, unsigned rounds)
{
    FILE *file = fopen(key_path, "r");
    BENCH_CHECK(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    BENCH_CHECK(key && ctx);
    uint8_t text[600] = { 0 }, signature[512];
    size_t len = 0;
    struct bench_crypto_cost cost;
    uint64_t start = bench_cpu_ns();
    for (unsigned i = 0; i < rounds; i++) {
        text[0] = (uint8_t)i;
        len = sizeof signature;
        BENCH_CHECK(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestSign(ctx, signature, &len, text, sizeof text) == 1);
    }
    cost.sign_ns = (double)(bench_cpu_ns() - start) / rounds;
    start = bench_cpu_ns();
    for (unsigned i = 0; i < rounds; i++)
        BENCH_CHECK(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestVerify(ctx, signature, len, text, sizeof text) == 1);
    cost.verify_ns = (double)(bench_cpu_ns() - start) / rounds;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return cost;
}
