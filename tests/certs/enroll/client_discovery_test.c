/* An overlay's name is enough: RFC 6940 s11.2, with a DNS server of our own making. */
#include "client_fixture.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

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
    struct client_fixture *c = *state;
    struct fixture *f = &c->fixture;
    struct dns d;
    char servers[32];
    struct reload_enroll_client_options o = client_options(c);
    dns_start(&d, 0, f->port);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", d.port);
    o.source = FIXTURE_OVERLAY;
    o.dns_servers = servers;
    client_expect(c, &o, RELOAD_ENROLL_OK, 0, FIXTURE_OVERLAY);
    client_check_identity(c);
    assert_true(d.queries >= 2 && d.service_asked);
    dns_stop(&d);
    c->identity[strlen(c->identity) - 1] = '2';
    /* a server that has the address but not the name: its certificate tells */
    dns_start(&d, 0, f->port);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", d.port);
    o.source = "another.example.org";
    client_expect(c, &o, RELOAD_ENROLL_TLS_NAME, 4, "another.example.org");
    dns_stop(&d);
    for (int mode = 1; mode <= 3; mode++) {
        dns_start(&d, mode, f->port);
        snprintf(servers, sizeof servers, "127.0.0.1:%u", d.port);
        o.source = FIXTURE_OVERLAY;
        o.timeout_ms = 700;
        client_expect(c, &o, RELOAD_ENROLL_DNS, 1, "_reload-config._tcp." FIXTURE_OVERLAY);
        assert_true(d.queries > 0);
        dns_stop(&d);
    }
    o.dns_servers = "nonsense";
    client_expect(c, &o, RELOAD_ENROLL_USAGE, 2, "nonsense");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_SERVED(a_node_enrolls_by_the_overlay_s_name_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
