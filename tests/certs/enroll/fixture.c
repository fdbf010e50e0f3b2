#include "fixture.h"

#include "certs/csr.h"
#include "certs/enroll/users.h"
#include "certs/file.h"
#include "certs/overlay_dir.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define BOUNDARY "----a-boundary-of-our-own"

int fixture_listen(uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(fd, 256), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

char *fixture_path(const struct fixture *f, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", f->dir, name);
    return out;
}

static void load_config(struct fixture *f)
{
    char path[128];
    struct reload_cert_bytes document;
    struct reload_cert_reason reason = { "" };
    const struct reload_cert_document_policy strict = { 0 };
    assert_int_equal(
        reload_cert_file_read(fixture_path(f, "overlay.xml", path), &document, &reason), 0);
    int error = reload_cert_document_load(reload_cert_bytes_slice(&document), NULL, &strict,
                                          reload_enroll_unix_ms(), &f->config, &reason);
    if (error)
        fail_msg("%s", reason.text);
    reload_cert_bytes_fini(&document);
}

void fixture_account(const struct fixture *f, const char *name, const char *password, uint32_t cap)
{
    char path[128];
    struct reload_enroll_database *db;
    struct reload_cert_reason reason = { "" };
    assert_int_equal(
        reload_enroll_database_open(fixture_path(f, "enroll.db", path), true, &db, &reason), 0);
    if (reload_enroll_user_add(db, name, password, cap, f->options.password_cost,
                               reload_enroll_unix_ms(), &reason))
        fail_msg("%s", reason.text);
    reload_enroll_database_close(db);
}

void fixture_make(struct fixture *f, enum reload_cert_key_type ca)
{
    char url[64];
    const char *urls[] = { url }, *names[] = { "127.0.0.1", "localhost" };
    struct reload_cert_reason reason = { "" };
    signal(SIGPIPE, SIG_IGN); /* our own hand-made client writes to connections that were cut */
    *f = (struct fixture){ .dir = "/tmp/reload-overlay-XXXXXX" };
    assert_non_null(mkdtemp(f->dir));
    f->listen_fd = fixture_listen(&f->port);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/enroll", f->port);
    struct reload_cert_overlay_options o =
        reload_cert_overlay_options_default(FIXTURE_OVERLAY, reload_enroll_unix_ms());
    o.key = ca;
    o.config.enrollment_servers = urls;
    o.config.enrollment_server_count = 1;
    o.https_names = names;
    o.https_name_count = 2;
    if (reload_cert_overlay_create(f->dir, &o, &reason))
        fail_msg("%s", reason.text);
    f->options = reload_enroll_server_options_default();
    f->options.directory = f->dir;
    f->options.password_cost = 1;
    load_config(f);
    fixture_account(f, "alice@example.org", "correct horse", 2);
    fixture_account(f, "bob@example.org", "battery staple", 2);
}

void fixture_start(struct fixture *f)
{
    struct reload_cert_reason reason = { "" };
    if (f->listen_fd < 0) {
        static char text[32];
        snprintf(text, sizeof text, "127.0.0.1:%u", f->port);
        f->options.listen = text;
    }
    f->options.listen_fd = f->listen_fd;
    f->listen_fd = -1;
    if (reload_enroll_server_start(&f->options, &f->server, &reason))
        fail_msg("%s", reason.text);
    assert_int_equal(reload_enroll_server_port(f->server), f->port);
}

void fixture_stop(struct fixture *f)
{
    reload_enroll_server_stop(f->server);
    f->server = NULL;
}

void fixture_free(struct fixture *f)
{
    char command[100];
    fixture_stop(f);
    if (f->listen_fd >= 0)
        close(f->listen_fd);
    reload_cert_document_free(f->config);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
}

int fixture_prepare(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_make(f, RELOAD_CERT_KEY_EC);
    *state = f;
    return 0;
}

int fixture_serve(void **state)
{
    fixture_prepare(state);
    fixture_start(*state);
    return 0;
}

int fixture_tear_down(void **state)
{
    fixture_free(*state);
    free(*state);
    return 0;
}

void pause_ms(unsigned ms)
{
    nanosleep(&(struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 }, NULL);
}

uint64_t fixture_count(struct fixture *f, enum reload_enroll_event event)
{
    struct reload_enroll_counters counters;
    reload_enroll_server_counters(f->server, &counters);
    return counters.of[event];
}

int tcp_open(uint16_t port, uint8_t from)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in source = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(0x7f000000u + (from ? from : 1)) };
    struct timeval limit = { 20, 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&source, sizeof source), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

bool tls_open(struct tls *t, uint16_t port, uint8_t from)
{
    *t = (struct tls){ .fd = tcp_open(port, from) };
    if (t->fd < 0)
        return false;
    t->context = SSL_CTX_new(TLS_client_method());
    t->ssl = SSL_new(t->context);
    SSL_set_fd(t->ssl, t->fd);
    if (SSL_connect(t->ssl) == 1)
        return true;
    tls_close(t);
    return false;
}

bool tls_write(struct tls *t, const void *data, size_t len)
{
    return len == 0 || SSL_write(t->ssl, data, (int)len) > 0;
}

void tls_read(struct tls *t, struct reply *reply)
{
    static _Thread_local char all[(1 << 17) + 4096];
    size_t n = 0;
    int got;
    memset(reply, 0, offsetof(struct reply, body));
    reply->body_len = 0;
    while (n < sizeof all - 1 && (got = SSL_read(t->ssl, all + n, (int)(sizeof all - 1 - n))) > 0)
        n += (size_t)got;
    all[n] = '\0';
    char *end = memmem(all, n, "\r\n\r\n", 4);
    if (!end)
        return;
    sscanf(all, "HTTP/1.%*d %d", &reply->status);
    snprintf(reply->head, sizeof reply->head, "%.*s", (int)(end - all + 2), all);
    reply->body_len = n - (size_t)(end - all) - 4;
    memcpy(reply->body, end + 4, reply->body_len);
}

void tls_close(struct tls *t)
{
    SSL_free(t->ssl);
    SSL_CTX_free(t->context);
    if (t->fd >= 0)
        close(t->fd);
    *t = (struct tls){ .fd = -1 };
}

static uint64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void https(struct fixture *f, uint8_t from, const void *request, size_t len, struct reply *reply)
{
    struct tls t;
    uint64_t begin_ms = reload_enroll_monotonic_ms(), begin_cpu_ms = cpu_ms();
    reply->status = 0;
    reply->body_len = 0;
    if (tls_open(&t, f->port, from)) {
        tls_write(&t, request, len);
        tls_read(&t, reply);
        tls_close(&t);
    }
    reply->took_ms = reload_enroll_monotonic_ms() - begin_ms;
    reply->cost_ms = cpu_ms() - begin_cpu_ms;
}

bool reply_has(const struct reply *reply, const char *header_line)
{
    return strcasestr(reply->head, header_line) != NULL;
}

bool reply_is(const struct reply *reply, int status, const char *body)
{
    if (reply->status == status && reply->body_len == strlen(body) &&
        memcmp(reply->body, body, reply->body_len) == 0)
        return true;
    print_error("got %d %.*s\n", reply->status, (int)(reply->body_len < 200 ? reply->body_len : 0),
                (const char *)reply->body);
    return false;
}

uint8_t *post_body(const struct post *p, size_t *len)
{
    char *text;
    FILE *out = open_memstream(&text, len);
    const char *const names[] = { "username", "password", "nodeids", "device" };
    const char *const values[] = { p->user, p->password, p->node_ids, p->device };
    for (size_t i = 0; i < 4; i++)
        if (values[i])
            fprintf(out,
                    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n",
                    names[i], values[i]);
    if (p->csr) {
        fprintf(out,
                "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"csr\"; filename=\"c\"\r\n"
                "Content-Type: %s\r\n\r\n",
                p->csr_type ? p->csr_type : "application/pkcs10");
        fwrite(p->csr, 1, p->csr_len, out);
        fprintf(out, "\r\n");
    }
    fprintf(out, "--" BOUNDARY "--\r\n");
    fclose(out);
    return (uint8_t *)text;
}

void post(struct fixture *f, const struct post *p, struct reply *reply)
{
    size_t body_len, len;
    uint8_t *body = post_body(p, &body_len);
    char *text;
    FILE *out = open_memstream(&text, &len);
    fprintf(out,
            "POST %s HTTP/1.1\r\nHost: " FIXTURE_OVERLAY "\r\nAccept: %s\r\n"
            "Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n"
            "Content-Length: %zu\r\n\r\n",
            p->path ? p->path : "/enroll", p->accept ? p->accept : "application/pkix-cert",
            body_len);
    fwrite(body, 1, body_len, out);
    fclose(out);
    https(f, p->from, text, len, reply);
    free(text);
    free(body);
}

uint8_t *make_csr(const struct reload_cert_key *key, const char *name, size_t *len)
{
    struct reload_cert_bytes der;
    struct reload_cert_reason reason = { "" };
    struct reload_slice s = { (const uint8_t *)name, strlen(name) };
    if (reload_cert_csr_create(key, s, &der, &reason))
        fail_msg("%s", reason.text);
    uint8_t *copy = malloc(der.n);
    memcpy(copy, der.p, der.n);
    *len = der.n;
    reload_cert_bytes_fini(&der);
    return copy;
}

void enroll(struct fixture *f, const char *user, const char *password, const char *node_ids,
            struct reply *reply)
{
    enroll_device(f, user, password, node_ids, NULL, reply);
}

void enroll_device(struct fixture *f, const char *user, const char *password, const char *node_ids,
                   const char *device, struct reply *reply)
{
    struct reload_cert_key *key;
    size_t len;
    assert_int_equal(reload_cert_key_generate(RELOAD_CERT_KEY_EC, &key), 0);
    uint8_t *csr = make_csr(key, user, &len);
    post(f,
         &(struct post){ .user = user,
                         .password = password,
                         .node_ids = node_ids,
                         .device = device,
                         .csr = csr,
                         .csr_len = len },
         reply);
    free(csr);
    reload_cert_key_free(key);
}
