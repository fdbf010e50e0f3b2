/* What the server bears: slow clients, and many connections. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct reply reply;

static void expect_address_served_at_once(struct fixture *f, uint8_t from)
{
    static const char get[] = "GET /.well-known/reload-config HTTP/1.1\r\nHost: x\r\n\r\n";
    https(f, from, get, sizeof get - 1, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(reply.took_ms <= 1000);
}

static void expect_served_at_once(struct fixture *f)
{
    expect_address_served_at_once(f, 9);
}

/* Sends a byte every 20 ms and tells when the server hung up. */
static uint64_t drip(struct fixture *f, const char *begin, char byte, uint64_t limit_ms)
{
    struct tls t;
    uint64_t start_ms = reload_enroll_monotonic_ms(), now_ms = start_ms;
    assert_true(tls_open(&t, f->port, 1));
    assert_true(tls_write(&t, begin, strlen(begin)));
    while (now_ms - start_ms < limit_ms && tls_write(&t, &byte, 1)) {
        char c;
        if (recv(t.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            break;
        pause_ms(20);
        now_ms = reload_enroll_monotonic_ms();
    }
    tls_close(&t);
    return now_ms - start_ms;
}

static void a_header_or_body_that_drips_is_cut_at_its_deadline(void **state)
{
    struct fixture *f = *state;
    f->options.connections.header_ms = 400;
    f->options.connections.request_ms = 900;
    fixture_start(f);
    uint64_t took_ms = drip(f, "GET / HTTP/1.1\r\nX: ", 'a', 5000);
    assert_in_range(took_ms, 300, 900);
    took_ms = drip(f,
                   "POST /enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n"
                   "Content-Type: multipart/form-data; boundary=B\r\n\r\n",
                   'a', 5000);
    assert_in_range(took_ms, 800, 1800);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_SLOW), 2);
}

static void silent_and_half_open_connections_are_cut_and_hinder_nobody(void **state)
{
    struct fixture *f = *state;
    int fds[15];
    char c;
    f->options.connections.header_ms = 1000;
    fixture_start(f);
    for (int i = 0; i < 15; i++) { /* some say half a TLS hello, some nothing */
        fds[i] = tcp_open(f->port, 1);
        if (i % 2)
            assert_int_equal(send(fds[i], "\x16\x03\x01\x02\x00\x01", 6, 0), 6);
    }
    expect_served_at_once(f);
    pause_ms(1300);
    for (int i = 0; i < 15; i++) {
        assert_true(recv(fds[i], &c, 1, MSG_DONTWAIT) <= 0);
        close(fds[i]);
    }
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_SLOW), 15);
    for (int i = 0; i < 100 && reload_enroll_server_connections(f->server); i++)
        pause_ms(20);
    assert_int_equal(reload_enroll_server_connections(f->server), 0);
}

static void one_address_has_so_many_connections_and_the_longest_silent_one_goes(void **state)
{
    struct fixture *f = *state;
    int fds[12];
    char c;
    f->options.connections.per_address = 5;
    fixture_start(f);
    for (int i = 0; i < 12; i++)
        fds[i] = tcp_open(f->port, 1);
    expect_served_at_once(f); /* from another address */
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS), 7);
    for (int i = 0; i < 12; i++)
        assert_int_equal(recv(fds[i], &c, 1, MSG_DONTWAIT) == 0, i < 7);
    expect_address_served_at_once(f, 1); /* and whoever shares theirs */
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS), 8);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_SLOW), 0);
    for (int i = 0; i < 12; i++)
        close(fds[i]);
}

static void bodies_that_never_end_keep_nobody_out(void **state)
{
    static const char begin[] = "POST /enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n"
                                "Content-Type: multipart/form-data; boundary=B\r\n\r\n--B";
    struct fixture *f = *state;
    struct tls slow[5];
    f->options.connections.per_address = 5;
    fixture_start(f);
    for (int i = 0; i < 5; i++) {
        assert_true(tls_open(&slow[i], f->port, 1));
        assert_true(tls_write(&slow[i], begin, sizeof begin - 1));
    }
    pause_ms(200); /* their headers are taken in */
    expect_address_served_at_once(f, 1);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS), 1);
    for (int i = 0; i < 5; i++)
        tls_close(&slow[i]);
}

static void when_all_places_are_taken_the_longest_silent_one_goes(void **state)
{
    struct fixture *f = *state;
    int fds[60];
    f->options.connections.total = 20;
    f->options.connections.per_address = 5;
    fixture_start(f);
    for (int i = 0; i < 60; i++)
        fds[i] = tcp_open(f->port, (uint8_t)(20 + i / 4));
    expect_served_at_once(f);
    assert_true(fixture_count(f, RELOAD_ENROLL_TOO_MANY_CONNECTIONS) >= 40);
    assert_true(reload_enroll_server_connections(f->server) <= 20 + 16);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(reply.status, 200);
    for (int i = 0; i < 60; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PREPARED(a_header_or_body_that_drips_is_cut_at_its_deadline),
        PREPARED(silent_and_half_open_connections_are_cut_and_hinder_nobody),
        PREPARED(one_address_has_so_many_connections_and_the_longest_silent_one_goes),
        PREPARED(bodies_that_never_end_keep_nobody_out),
        PREPARED(when_all_places_are_taken_the_longest_silent_one_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
