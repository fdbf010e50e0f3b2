/* The client against the real server, and against servers that are wrong in one way each. */
#include "fixture.h"

#include "certs/ca.h"
#include "certs/enroll/client.h"
#include "certs/enroll/identity_dir.h"
#include "certs/file.h"
#include "certs/identity.h"
#include "certs/overlay_dir.h"
#include "reload/alloc.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct reload_enroll_outcome out;
static char ca_path[128], identity[128], document_path[128], url[128];

static struct reload_enroll_client_options options_for(struct fixture *f)
{
    fixture_path(f, "ca.pem", ca_path);
    fixture_path(f, "identity", identity);
    fixture_path(f, "overlay.xml", document_path);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/.well-known/reload-config", f->port);
    return (struct reload_enroll_client_options){ .source = url,
                                                  .user = "alice@example.org",
                                                  .password = "correct horse",
                                                  .ca_file = ca_path,
                                                  .identity_dir = identity,
                                                  .timeout_ms = 5000 };
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_make(f, RELOAD_CERT_KEY_EC);
    *state = f;
    return 0;
}

static int setup_started(void **state)
{
    setup(state);
    fixture_start(*state);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    free(*state);
    return 0;
}

static void expect(const struct reload_enroll_client_options *o, enum reload_enroll_result result,
                   int exit_code, const char *words)
{
    enum reload_enroll_result got = reload_enroll_run(o, &out);
    if (got != result || !strstr(out.text, words))
        fail_msg("%s, not %s: %s", reload_enroll_result_text(got),
                 reload_enroll_result_text(result), out.text);
    assert_int_equal(out.result, got);
    assert_int_equal(reload_enroll_exit_code(got), exit_code);
    assert_int_equal(access(o->identity_dir, F_OK) == 0, result == RELOAD_ENROLL_OK);
}

static void check_identity(struct fixture *f, const char *dir)
{
    char path[256], key_path[256];
    struct stat st;
    struct reload_cert_identity *id;
    struct reload_cert_reason reason = { "" };
    snprintf(path, sizeof path, "%s/node.pem", dir);
    snprintf(key_path, sizeof key_path, "%s/node.key", dir);
    assert_int_equal(stat(key_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(reload_cert_identity_load(path, key_path, f->config, &id, &reason), 0);
    assert_int_equal(reload_cert_identity_check(id, f->config, reload_enroll_unix_ms(), &reason),
                     0);
    reload_cert_identity_free(id);
    struct reload_cert_bytes document;
    snprintf(path, sizeof path, "%s/overlay.xml", dir);
    assert_int_equal(reload_cert_file_read(path, &document, &reason), 0);
    assert_int_equal(document.n, f->config->document.n);
    assert_memory_equal(document.p, f->config->document.p, document.n);
    reload_cert_bytes_fini(&document);
}

/* R6940-11.2-1 R6940-11.2-3 R6940-11.2-4 R6940-11.3-1 R6940-11.3-2 R6940-11.3-3 R6940-11.3-5
 * R6940-11.3-6 R6940-11.3-7 R6940-11.3-20 */
static void a_node_enrolls_by_url_and_has_an_identity_that_peers_accept(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_client_options o = options_for(f);
    o.node_ids = 2;
    expect(&o, RELOAD_ENROLL_OK, 0, FIXTURE_OVERLAY);
    assert_int_equal(out.node_id_count, 2);
    assert_string_equal(out.user, "alice@example.org");
    assert_string_equal(out.overlay, FIXTURE_OVERLAY);
    assert_true(out.not_after_ms > reload_enroll_unix_ms());
    assert_false(out.self_signed);
    check_identity(f, identity);
    struct reload_node_id first = out.node_ids[0];
    o.device = "phone"; /* the account has its two Node-IDs, and may have no more */
    o.node_ids = 0;
    assert_int_equal(reload_enroll_run(&o, &out), RELOAD_ENROLL_REFUSED_NODE_IDS);
    o.device = NULL;
    assert_int_equal(reload_enroll_run(&o, &out), RELOAD_ENROLL_OK);
    assert_true(reload_node_id_equal(&first, &out.node_ids[0]));
}

/* R6940-11.2-7 R6940-11.3-12 */
static void a_document_s_file_is_enough_and_renewal_replaces_the_folder(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_client_options o = options_for(f);
    char path[300];
    struct stat st;
    o.source = document_path;
    o.ca_file = NULL; /* the verified document holds the CA */
    expect(&o, RELOAD_ENROLL_OK, 0, "enrolled");
    struct reload_node_id first = out.node_ids[0];
    snprintf(path, sizeof path, "%s/values.db", identity);
    fclose(fopen(path, "w"));
    snprintf(path, sizeof path, "%s/peers.cache", identity);
    fclose(fopen(path, "w"));
    expect(&o, RELOAD_ENROLL_OK, 0, "enrolled");
    assert_true(reload_node_id_equal(&first, &out.node_ids[0]));
    check_identity(f, identity);
    assert_int_not_equal(stat(path, &st), 0); /* the cache is gone, other things moved over */
    snprintf(path, sizeof path, "%s/values.db", identity);
    assert_int_equal(stat(path, &st), 0);
    snprintf(path, sizeof path, "test $(ls -d %s* | wc -l) = 1", identity);
    assert_int_equal(system(path), 0);
}

/* R6940-11.3-18 */
static void each_refusal_is_explained(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_client_options o = options_for(f);
    o.password = "wrong";
    expect(&o, RELOAD_ENROLL_REFUSED_AUTHENTICATION, 4, "password is wrong");
    o = options_for(f);
    o.node_ids = 3;
    expect(&o, RELOAD_ENROLL_REFUSED_NODE_IDS, 4, "fewer");
    o = options_for(f);
    o.user = "nobody@example.org";
    expect(&o, RELOAD_ENROLL_REFUSED_AUTHENTICATION, 4, "failed_authentication");
    o.user = "Not A Name";
    expect(&o, RELOAD_ENROLL_USAGE, 2, "");
    o.user = NULL;
    expect(&o, RELOAD_ENROLL_USAGE, 2, "--user");
    o = options_for(f);
    o.password = "wrong";
    for (int i = 0; i < 5; i++)
        reload_enroll_run(&o, &out);
    expect(&o, RELOAD_ENROLL_REFUSED_FOR_NOW, 4, "wait");
}

/* R6940-11.2-5 R6940-4.1-1: the first document comes over HTTPS or from a file, and signed. */
static void a_document_of_another_overlay_or_without_signature_is_discarded(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_client_options o = options_for(f);
    char path[128];
    o.overlay = "another.example.org";
    expect(&o, RELOAD_ENROLL_DOCUMENT_INVALID, 1, "another.example.org");
    o = options_for(f);
    struct reload_cert_bytes document;
    struct reload_cert_reason reason = { "" };
    assert_int_equal(reload_cert_file_read(document_path, &document, &reason), 0);
    uint8_t *at = memmem(document.p, document.n, "<initial-ttl>", 13);
    assert_non_null(at);
    at[13] = '2';
    o.source = fixture_path(f, "changed.xml", path);
    assert_int_equal(
        reload_cert_file_write(path, reload_cert_bytes_slice(&document), false, &reason), 0);
    expect(&o, RELOAD_ENROLL_DOCUMENT_UNSIGNED, 4, "--unsigned");
    o.allow_unsigned = true;
    expect(&o, RELOAD_ENROLL_OK, 0, "");
    reload_cert_bytes_fini(&document);
    o = options_for(f);
    identity[strlen(identity) - 1] = '2';
    o.source = "no-such-file.xml";
    expect(&o, RELOAD_ENROLL_LOCAL, 1, "no-such-file.xml");
    o.source = "http://127.0.0.1/";
    expect(&o, RELOAD_ENROLL_USAGE, 2, "https://");
    o.source = ca_path;
    expect(&o, RELOAD_ENROLL_DOCUMENT_INVALID, 1, "");
}

/* R6940-11.2-3 */
static void a_server_that_cannot_be_trusted_gets_nothing(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_client_options o = options_for(f);
    char other[128];
    o.ca_file = NULL;
    expect(&o, RELOAD_ENROLL_TLS_UNKNOWN_CA, 4, "--ca");
    /* another CA than the one pinned */
    struct reload_cert_ca *ca;
    struct reload_cert_reason reason = { "" };
    uint64_t now_ms = reload_enroll_unix_ms();
    assert_int_equal(reload_cert_ca_create(RELOAD_CERT_KEY_EC, FIXTURE_OVERLAY, now_ms,
                                           now_ms + 86400000, &ca, &reason),
                     0);
    char other_key[128];
    assert_int_equal(reload_cert_ca_save(ca, fixture_path(f, "other.pem", other),
                                         fixture_path(f, "other.key", other_key), &reason),
                     0);
    reload_cert_ca_free(ca);
    o.ca_file = other;
    expect(&o, RELOAD_ENROLL_TLS_UNKNOWN_CA, 4, "not the one given");
    o = options_for(f);
    snprintf(url, sizeof url, "https://127.0.0.2:%u/.well-known/reload-config", f->port);
    fixture_stop(f);
    f->options.listen = NULL;
    /* listening on 127.0.0.2, a name that its certificate does not have */
    char place[32];
    snprintf(place, sizeof place, "127.0.0.2:%u", f->port);
    f->options.listen = place;
    f->options.listen_fd = -1;
    assert_int_equal(reload_enroll_server_start(&f->options, &f->server, &reason), 0);
    expect(&o, RELOAD_ENROLL_TLS_NAME, 4, "127.0.0.2");
    o.ca_file = "/nonexistent.pem";
    expect(&o, RELOAD_ENROLL_LOCAL, 1, "/nonexistent.pem");
    o.ca_file = document_path;
    expect(&o, RELOAD_ENROLL_LOCAL, 1, "no PEM");
}

static void a_server_that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    struct reload_enroll_client_options o = options_for(f);
    close(f->listen_fd);
    f->listen_fd = -1;
    expect(&o, RELOAD_ENROLL_CONNECT, 1, "127.0.0.1");
    o.source = document_path; /* the document is there, its enrollment server is not */
    expect(&o, RELOAD_ENROLL_CONNECT, 1, "127.0.0.1");
}

/* --- a server of our own making --- */

struct fake {
    pthread_t thread;
    int fd;
    SSL_CTX *context;
    const char *answer; /* what it says to whatever it is asked; NULL: nothing, for ever */
    size_t len;
    atomic_bool stop;
    atomic_int requests;
    char asked[4096];
};

static void *fake_serve(void *closure)
{
    struct fake *k = closure;
    int fd;
    while ((fd = accept(k->fd, NULL, NULL)) >= 0) {
        SSL *ssl = SSL_new(k->context);
        SSL_set_fd(ssl, fd);
        if (!k->stop && SSL_accept(ssl) == 1) {
            int n = SSL_read(ssl, k->asked, sizeof k->asked - 1);
            k->asked[n > 0 ? n : 0] = '\0';
            k->requests += n > 0;
            if (k->answer)
                SSL_write(ssl, k->answer, (int)k->len);
            while (!k->answer && !k->stop)
                usleep(10000);
            SSL_shutdown(ssl);
            char rest[4096];
            shutdown(fd, SHUT_WR);
            while (recv(fd, rest, sizeof rest, 0) > 0)
                ;
        }
        SSL_free(ssl);
        close(fd);
        if (k->stop)
            break;
    }
    return NULL;
}

static void fake_start(struct fixture *f, struct fake *k, const char *answer)
{
    char path[128];
    *k = (struct fake){ .fd = f->listen_fd, .answer = answer, .len = answer ? strlen(answer) : 0 };
    f->listen_fd = -1;
    k->context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(
        SSL_CTX_use_certificate_chain_file(k->context, fixture_path(f, "https.pem", path)), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(k->context, fixture_path(f, "https.key", path),
                                                 SSL_FILETYPE_PEM),
                     1);
    assert_int_equal(pthread_create(&k->thread, NULL, fake_serve, k), 0);
}

static void fake_stop(struct fixture *f, struct fake *k)
{
    k->stop = true;
    int fd = tcp_open(f->port, 1); /* wakes accept() */
    if (fd >= 0)
        close(fd);
    pthread_join(k->thread, NULL);
    close(k->fd);
    SSL_CTX_free(k->context);
}

#define SAYS(status, type, body) "HTTP/1.1 " status "\r\nContent-Type: " type "\r\n\r\n" body

/* R6940-11.3-8 R6940-11.3-19 */
static void answers_that_no_enrollment_server_gives_are_told_apart(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *answer;
        enum reload_enroll_result result;
        int exit_code;
        const char *words;
    } cases[] = {
        { SAYS("403 Forbidden", "text/plain", "some_new_token"), RELOAD_ENROLL_REFUSED_UNKNOWN, 4,
          "some_new_token" },
        { SAYS("403 Forbidden", "text/plain", "\x1b[2Jevil"), RELOAD_ENROLL_REFUSED_UNKNOWN, 4,
          "?[2Jevil" },
        { SAYS("403 Forbidden", "text/plain", ""), RELOAD_ENROLL_REFUSED_UNKNOWN, 4, "operator" },
        { SAYS("403 Forbidden", "text/plain", "username_not_available"),
          RELOAD_ENROLL_REFUSED_USERNAME, 4, "own name" },
        { SAYS("403 Forbidden", "text/plain", "bad_CSR\r\n"), RELOAD_ENROLL_REFUSED_CSR, 4, "key" },
        { SAYS("500 Oops", "text/plain", "x"), RELOAD_ENROLL_HTTP, 1, "500" },
        { SAYS("302 Found\r\nLocation: https://127.0.0.1:1/", "text/plain", ""), RELOAD_ENROLL_HTTP,
          1, "302" },
        { SAYS("200 OK", "text/html", "<html>"), RELOAD_ENROLL_HTTP, 1, "text/html" },
        { SAYS("200 OK", "application/pkix-cert", "not DER"), RELOAD_ENROLL_CERTIFICATE, 4, "" },
        { SAYS("200 OK", "application/pkix-cert", ""), RELOAD_ENROLL_CERTIFICATE, 4, "" },
        { "SSH-2.0-OpenSSH\r\n", RELOAD_ENROLL_HTTP, 1, "" },
    };
    struct fake k;
    struct reload_enroll_client_options o = options_for(f);
    o.source = document_path;
    fake_start(f, &k, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        k.answer = cases[i].answer;
        k.len = strlen(k.answer);
        expect(&o, cases[i].result, cases[i].exit_code, cases[i].words);
    }
    char *huge = malloc(20000);
    memset(huge, 'a', 20000);
    memcpy(huge, SAYS("200 OK", "application/pkix-cert", ""), 56);
    k.answer = huge;
    k.len = 20000;
    expect(&o, RELOAD_ENROLL_ANSWER_TOO_LARGE, 1, "");
    free(huge);
    k.answer = NULL;
    o.timeout_ms = 300;
    expect(&o, RELOAD_ENROLL_TIMEOUT, 1, "127.0.0.1");
    fake_stop(f, &k);
    assert_non_null(strstr(k.asked, "Accept: application/pkix-cert\r\n"));
    assert_non_null(strstr(k.asked, "Content-Type: multipart/form-data"));
}

static void a_huge_document_is_not_swallowed(void **state)
{
    struct fixture *f = *state;
    struct fake k;
    struct reload_enroll_client_options o = options_for(f);
    size_t len = RELOAD_ENROLL_DOCUMENT_MAX + 1000;
    char *huge = malloc(len);
    memset(huge, ' ', len);
    memcpy(huge, "HTTP/1.1 200 OK\r\n\r\n", 19);
    fake_start(f, &k, "");
    k.answer = huge;
    k.len = len;
    expect(&o, RELOAD_ENROLL_ANSWER_TOO_LARGE, 1, "1048576");
    fake_stop(f, &k);
    free(huge);
}

static char *certificate_answer(const char *date, const struct reload_cert_bytes *der, size_t *len)
{
    char *text;
    FILE *file = open_memstream(&text, len);
    fprintf(file, "HTTP/1.1 200 OK\r\n%sContent-Type: application/pkix-cert\r\n\r\n", date);
    fwrite(der->p, 1, der->n, file);
    fclose(file);
    return text;
}

static void issue_for(struct fixture *f, const char *user, uint64_t from_ms, uint64_t to_ms,
                      struct reload_cert_bytes *der)
{
    char pem[128], key[128];
    struct reload_cert_ca *ca;
    struct reload_cert_key *node;
    struct reload_cert_bytes public;
    struct reload_cert_reason reason = { "" };
    uint8_t serial[] = { 1, 2 };
    struct reload_node_id id = { 16, { 1 } };
    assert_int_equal(reload_cert_ca_load(fixture_path(f, "ca.pem", pem),
                                         fixture_path(f, "ca.key", key), &ca, &reason),
                     0);
    assert_int_equal(reload_cert_key_generate(RELOAD_CERT_KEY_EC, &node), 0);
    assert_int_equal(reload_cert_key_public(node, &public), 0);
    struct reload_cert_issue issue = { FIXTURE_OVERLAY,
                                       reload_cert_bytes_slice(&public),
                                       { (const uint8_t *)user, strlen(user) },
                                       &id,
                                       1,
                                       { serial, 2 },
                                       from_ms,
                                       to_ms };
    if (reload_cert_ca_issue(ca, &issue, der, &reason))
        fail_msg("%s", reason.text);
    reload_cert_bytes_fini(&public);
    reload_cert_key_free(node);
    reload_cert_ca_free(ca);
}

/* R6940-11.3-20 */
static void a_certificate_that_is_not_for_us_is_not_taken(void **state)
{
    struct fixture *f = *state;
    struct fake k;
    struct reload_cert_bytes der;
    size_t len;
    uint64_t now_ms = reload_enroll_unix_ms();
    struct reload_enroll_client_options o = options_for(f);
    o.source = document_path;
    fake_start(f, &k, "");
    issue_for(f, "alice@example.org", now_ms - 1000, now_ms + 86400000, &der);
    char *answer = certificate_answer("", &der, &len);
    k.answer = answer;
    k.len = len;
    expect(&o, RELOAD_ENROLL_CERTIFICATE, 4, "another key");
    reload_cert_bytes_fini(&der);
    free(answer);
    /* one that begins tomorrow, by a server that says it is tomorrow: its clock, or ours, is wrong
     */
    issue_for(f, "alice@example.org", now_ms + 80000000, now_ms + 190000000, &der);
    char date[64];
    time_t tomorrow = (time_t)(now_ms / 1000 + 86400);
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&tomorrow));
    answer = certificate_answer(date, &der, &len);
    k.answer = answer;
    k.len = len;
    expect(&o, RELOAD_ENROLL_CERTIFICATE_TIME, 5, "behind");
    reload_cert_bytes_fini(&der);
    free(answer);
    fake_stop(f, &k);
}

/* --- DNS --- */

struct dns {
    pthread_t thread;
    int fd;
    uint16_t port, target_port;
    int mode; /* 0: SRV; 1: no such name; 2: the target "."; 3: silence */
    int queries;
    bool service_asked; /* _reload-config._tcp */
};

static size_t put_name(uint8_t *p, const char *name)
{
    uint8_t *start = p;
    while (*name) {
        size_t n = strcspn(name, ".");
        *p++ = (uint8_t)n;
        memcpy(p, name, n);
        p += n;
        name += n + (name[n] == '.');
    }
    *p++ = 0;
    return (size_t)(p - start);
}

static size_t put_srv(uint8_t *p, uint16_t priority, uint16_t port, const char *target)
{
    uint8_t *rdata = p + 12;
    static const uint8_t head[] = { 0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 1 };
    memcpy(p, head, sizeof head);
    uint8_t fixed[6] = { (uint8_t)(priority >> 8), (uint8_t)priority, 0, 0,
                         (uint8_t)(port >> 8),     (uint8_t)port };
    memcpy(rdata, fixed, 6);
    size_t n = 6 + put_name(rdata + 6, target);
    p[10] = (uint8_t)(n >> 8);
    p[11] = (uint8_t)n;
    return 12 + n;
}

static size_t dns_answer(struct dns *d, uint8_t *packet, size_t len)
{
    size_t type_at = 12;
    while (packet[type_at])
        type_at += packet[type_at] + 1u;
    static const char service[] = "\x0e_reload-config\x04_tcp";
    uint8_t type = packet[type_at + 2], *p = packet + type_at + 5;
    (void)len;
    if (type == 33 && memcmp(packet + 12, service, sizeof service - 1) == 0)
        d->service_asked = true;
    packet[2] = 0x85;
    packet[3] = 0x80;
    memset(packet + 6, 0, 6);
    if (d->mode == 1) {
        packet[3] = 0x83;
    } else if (type == 33 && d->mode == 2) {
        packet[7] = 1;
        p += put_srv(p, 1, 0, "");
    } else if (type == 33) { /* the worse one first: nobody listens on it */
        packet[7] = 2;
        p += put_srv(p, 20, 1, "spare.example.org");
        p += put_srv(p, 10, d->target_port, "config.example.org");
    } else if (type == 1) {
        static const uint8_t a[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1 };
        packet[7] = 1;
        memcpy(p, a, sizeof a);
        p += sizeof a;
    }
    return (size_t)(p - packet);
}

static void *dns_serve(void *closure)
{
    struct dns *d = closure;
    uint8_t packet[1024];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n;
    while ((n = recvfrom(d->fd, packet, 512, 0, (struct sockaddr *)&from, &len)) > 12) {
        d->queries++;
        if (d->mode != 3)
            sendto(d->fd, packet, dns_answer(d, packet, (size_t)n), 0, (struct sockaddr *)&from,
                   len);
    }
    return NULL;
}

static void dns_start(struct dns *d, int mode, uint16_t target_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    *d = (struct dns){ .fd = socket(AF_INET, SOCK_DGRAM, 0),
                       .target_port = target_port,
                       .mode = mode };
    assert_int_equal(bind(d->fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(getsockname(d->fd, (struct sockaddr *)&a, &len), 0);
    d->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&d->thread, NULL, dns_serve, d), 0);
}

static void dns_stop(struct dns *d)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(d->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    sendto(d->fd, "x", 1, 0, (struct sockaddr *)&a, sizeof a); /* too short a query ends it */
    pthread_join(d->thread, NULL);
    close(d->fd);
}

/* R6940-11.2-2 R6940-11.2-3 R6940-14.2-1: the service is reload-config. */
static void a_node_enrolls_by_the_overlay_s_name_alone(void **state)
{
    struct fixture *f = *state;
    struct dns d;
    char servers[32];
    struct reload_enroll_client_options o = options_for(f);
    dns_start(&d, 0, f->port);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", d.port);
    o.source = FIXTURE_OVERLAY;
    o.dns_servers = servers;
    expect(&o, RELOAD_ENROLL_OK, 0, FIXTURE_OVERLAY);
    check_identity(f, identity);
    assert_true(d.queries >= 2 && d.service_asked);
    dns_stop(&d);
    identity[strlen(identity) - 1] = '2';
    /* a server that has the address but not the name: its certificate tells */
    dns_start(&d, 0, f->port);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", d.port);
    o.source = "another.example.org";
    expect(&o, RELOAD_ENROLL_TLS_NAME, 4, "another.example.org");
    dns_stop(&d);
    for (int mode = 1; mode <= 3; mode++) {
        dns_start(&d, mode, f->port);
        snprintf(servers, sizeof servers, "127.0.0.1:%u", d.port);
        o.source = FIXTURE_OVERLAY;
        o.timeout_ms = 700;
        expect(&o, RELOAD_ENROLL_DNS, 1, "_reload-config._tcp." FIXTURE_OVERLAY);
        assert_true(d.queries > 0);
        dns_stop(&d);
    }
    o.dns_servers = "nonsense";
    expect(&o, RELOAD_ENROLL_USAGE, 2, "nonsense");
}

/* Gives the server a certificate for the host of its URL alone. */
static void drop_overlay_name(struct fixture *f)
{
    char pem[128], key_path[128];
    const char *names[] = { "127.0.0.1" };
    uint8_t serial[] = { 3 };
    struct reload_cert_ca *ca;
    struct reload_cert_key *key;
    struct reload_cert_bytes public, der, text;
    struct reload_cert_reason reason = { "" };
    uint64_t now_ms = reload_enroll_unix_ms();
    assert_int_equal(reload_cert_ca_load(fixture_path(f, "ca.pem", pem),
                                         fixture_path(f, "ca.key", key_path), &ca, &reason),
                     0);
    assert_int_equal(reload_cert_key_read(fixture_path(f, "https.key", key_path), &key, &reason),
                     0);
    assert_int_equal(reload_cert_key_public(key, &public), 0);
    struct reload_cert_issue_server issue = {
        reload_cert_bytes_slice(&public), names, 1, { serial, 1 }, now_ms - 1000, now_ms + 86400000
    };
    assert_int_equal(reload_cert_ca_issue_server(ca, &issue, &der, &reason), 0);
    struct reload_slice slice = reload_cert_bytes_slice(&der);
    assert_int_equal(reload_cert_pem(&slice, 1, &text), 0);
    assert_int_equal(reload_cert_file_write(fixture_path(f, "https.pem", pem),
                                            reload_cert_bytes_slice(&text), false, &reason),
                     0);
    reload_cert_bytes_fini(&text);
    reload_cert_bytes_fini(&der);
    reload_cert_bytes_fini(&public);
    reload_cert_key_free(key);
    reload_cert_ca_free(ca);
}

/* R6940-11.3-3 */
static void the_enrollment_server_s_name_is_the_overlay_s_or_its_url_s(void **state)
{
    struct fixture *f = *state;
    struct fake k;
    struct reload_enroll_client_options o = options_for(f);
    o.source = document_path;
    o.strict_name = true;
    drop_overlay_name(f);
    fake_start(f, &k, SAYS("403 Forbidden", "text/plain", "bad_CSR"));
    expect(&o, RELOAD_ENROLL_TLS_NAME, 4, FIXTURE_OVERLAY);
    assert_int_equal(k.requests, 0); /* and no password has left this machine */
    o.strict_name = false;
    expect(&o, RELOAD_ENROLL_REFUSED_CSR, 4, "");
    char host[64];
    snprintf(host, sizeof host, "Host: 127.0.0.1:%u\r\n", f->port);
    fake_stop(f, &k);
    assert_non_null(strstr(k.asked, host));
}

/* --- other documents --- */

static void write_document(struct fixture *f, const char *name, char path[128],
                           void (*change)(struct reload_config *))
{
    struct reload_config config = *f->config;
    struct reload_cert_bytes xml, signed_xml;
    struct reload_cert_identity *signer;
    struct reload_cert_reason reason = { "" };
    char pem[128], key[128];
    change(&config);
    assert_int_equal(reload_cert_document_write(&config, &xml), 0);
    assert_int_equal(reload_cert_identity_load(fixture_path(f, "signer.pem", pem),
                                               fixture_path(f, "signer.key", key), NULL, &signer,
                                               &reason),
                     0);
    if (reload_cert_document_sign(reload_cert_bytes_slice(&xml), NULL, RELOAD_SEQUENCE_ANY, signer,
                                  signer, &signed_xml, &reason))
        fail_msg("%s", reason.text);
    fixture_path(f, name, path);
    assert_int_equal(
        reload_cert_file_write(path, reload_cert_bytes_slice(&signed_xml), false, &reason), 0);
    reload_cert_bytes_fini(&xml);
    reload_cert_bytes_fini(&signed_xml);
    reload_cert_identity_free(signer);
}

static void to_self_signed(struct reload_config *config)
{
    config->enrollment_server_count = 0;
    config->self_signed_permitted = true;
    config->self_signed_digest = RELOAD_HASH_SHA256;
}

static void to_nobody(struct reload_config *config)
{
    config->enrollment_server_count = 0;
}

static void to_expired(struct reload_config *config)
{
    config->expiration_ms = reload_enroll_unix_ms() - 5000;
}

static const char *two_servers[] = { "https://127.0.0.1:1/enroll", NULL };

static void to_two_servers(struct reload_config *config)
{
    two_servers[1] = config->enrollment_servers[0];
    config->enrollment_servers = two_servers;
    config->enrollment_server_count = 2;
}

/* R6940-11.3.1-1 R6940-11.3.1-2 R6940-11.3.1-3 R6940-11.3.1-4 */
static void where_self_signed_is_permitted_a_node_makes_its_own(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct reload_enroll_client_options o = options_for(f);
    write_document(f, "self.xml", path, to_self_signed);
    o.source = path;
    o.password = NULL;
    o.node_ids = 3;
    expect(&o, RELOAD_ENROLL_OK, 0, "self-signed");
    assert_true(out.self_signed);
    assert_int_equal(out.node_id_count, 3);
    o.user = NULL;
    o.node_ids = 0;
    expect(&o, RELOAD_ENROLL_OK, 0, "self-signed");
    assert_int_equal(out.node_id_count, 1);
    assert_string_equal(out.user, "");
}

static void without_memory_nothing_is_written(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct reload_enroll_client_options o = options_for(f);
    write_document(f, "self.xml", path, to_self_signed);
    o.source = path;
    unsigned long n = 0;
    enum reload_enroll_result result;
    do {
        reload_alloc_fail_at(++n);
        result = reload_enroll_run(&o, &out);
        reload_alloc_fail_at(0);
        assert_true(out.text[0] != '\0');
        assert_int_equal(access(identity, F_OK) == 0, result == RELOAD_ENROLL_OK);
    } while (result && n < 5000);
    assert_int_equal(result, RELOAD_ENROLL_OK);
    assert_true(n > 10);
    char command[200];
    snprintf(command, sizeof command, "test $(ls -d %s* | wc -l) = 1", identity);
    assert_int_equal(system(command), 0);
}

static void other_documents_lead_to_other_ends(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct reload_enroll_client_options o = options_for(f);
    o.source = path;
    write_document(f, "d.xml", path, to_nobody);
    expect(&o, RELOAD_ENROLL_DOCUMENT_INVALID, 1, "no enrollment server");
    write_document(f, "d.xml", path, to_expired);
    expect(&o, RELOAD_ENROLL_DOCUMENT_EXPIRED, 5, "operator");
    write_document(f, "d.xml", path, to_two_servers); /* the first one is down */
    expect(&o, RELOAD_ENROLL_OK, 0, "");
}

static void an_rsa_overlay_gets_rsa_keys_unless_told(void **state)
{
    struct fixture rsa;
    char key_path[256];
    struct reload_cert_key *key;
    struct reload_cert_reason reason = { "" };
    (void)state;
    fixture_make(&rsa, RELOAD_CERT_KEY_RSA);
    fixture_start(&rsa);
    struct reload_enroll_client_options o = options_for(&rsa);
    for (int told = 0; told < 2; told++) {
        o.key_given = told;
        o.key = RELOAD_CERT_KEY_EC;
        if (reload_enroll_run(&o, &out))
            fail_msg("%s", out.text);
        snprintf(key_path, sizeof key_path, "%s/node.key", identity);
        assert_int_equal(reload_cert_key_read(key_path, &key, &reason), 0);
        assert_int_equal(reload_cert_key_type(key),
                         told ? RELOAD_CERT_KEY_EC : RELOAD_CERT_KEY_RSA);
        reload_cert_key_free(key);
    }
    fixture_free(&rsa);
}

/* R6940-11.2-6 */
static void the_document_is_refetched_when_there_is_a_newer_one(void **state)
{
    struct fixture *f = *state;
    struct reload_config *next;
    struct reload_cert_reason reason = { "" };
    uint16_t sequence;
    char path[256];
    struct reload_enroll_client_options o = options_for(f);
    expect(&o, RELOAD_ENROLL_OK, 0, "");
    assert_int_equal(reload_enroll_refetch(&o, f->config, &next, &out), RELOAD_ENROLL_UNCHANGED);
    assert_null(next);
    assert_int_equal(
        reload_cert_overlay_sign(f->dir, NULL, reload_enroll_unix_ms(), &sequence, &reason), 0);
    assert_int_equal(reload_enroll_refetch(&o, f->config, &next, &out), RELOAD_ENROLL_OK);
    assert_int_equal(next->sequence, sequence);
    struct reload_cert_bytes kept;
    snprintf(path, sizeof path, "%s/overlay.xml", identity);
    assert_int_equal(reload_cert_file_read(path, &kept, &reason), 0);
    assert_int_equal(kept.n, next->document.n);
    assert_memory_equal(kept.p, next->document.p, kept.n);
    reload_cert_bytes_fini(&kept);
    reload_cert_document_free(next);
}

static void the_refetch_comes_well_before_the_expiration(void **state)
{
    struct reload_config config = { .expiration_ms = RELOAD_NEVER };
    (void)state;
    assert_true(reload_enroll_refetch_at_ms(&config, 5, 7) == RELOAD_NEVER);
    config.expiration_ms = 3000000;
    for (uint64_t random = 0; random < 5000000; random += 777777) {
        uint64_t at_ms = reload_enroll_refetch_at_ms(&config, 0, random);
        assert_in_range(at_ms, 1000000, 1999999);
    }
    assert_int_equal(reload_enroll_refetch_at_ms(&config, 3000000, 1), 3000000);
    assert_int_equal(reload_enroll_refetch_at_ms(&config, 4000000, 1), 4000000);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup_started, teardown)
#define ALONE(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        SERVED(a_node_enrolls_by_url_and_has_an_identity_that_peers_accept),
        SERVED(a_document_s_file_is_enough_and_renewal_replaces_the_folder),
        SERVED(each_refusal_is_explained),
        SERVED(a_document_of_another_overlay_or_without_signature_is_discarded),
        SERVED(a_server_that_cannot_be_trusted_gets_nothing),
        ALONE(a_server_that_is_not_there_is_named),
        ALONE(answers_that_no_enrollment_server_gives_are_told_apart),
        ALONE(a_huge_document_is_not_swallowed),
        ALONE(a_certificate_that_is_not_for_us_is_not_taken),
        SERVED(a_node_enrolls_by_the_overlay_s_name_alone),
        ALONE(the_enrollment_server_s_name_is_the_overlay_s_or_its_url_s),
        ALONE(without_memory_nothing_is_written),
        ALONE(where_self_signed_is_permitted_a_node_makes_its_own),
        SERVED(other_documents_lead_to_other_ends),
        cmocka_unit_test(an_rsa_overlay_gets_rsa_keys_unless_told),
        SERVED(the_document_is_refetched_when_there_is_a_newer_one),
        cmocka_unit_test(the_refetch_comes_well_before_the_expiration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
