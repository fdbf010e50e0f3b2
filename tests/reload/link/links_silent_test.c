#include <netinet/in.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "couple.h"

/* Far ends that fall silent: before the handshake, after it, and at the end. */

static void a_server_that_never_shakes_hands_is_a_down_event(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    host_b.deaf = true; /* the kernel accepts, nobody answers */
    host_dial(&host_a, &host_b.at, NULL);
    net_for_ms(10);
    leap_ms += 10001;
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_TIMEOUT);
    assert_string_equal(host_a.reason, "the TLS handshake did not end in time");
}

/* A bare OpenSSL server that issues no ticket: silent after the handshake. */
static SSL *bare_server(SSL_CTX *tls, int listener)
{
    SSL_CTX_set_num_tickets(tls, 0);
    SSL_CTX_use_certificate(tls, bob.x509);
    SSL_CTX_use_PrivateKey(tls, bob.key);
    int fd = -1;
    for (int i = 0; i < 100 && fd < 0; i++) {
        net_turn();
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    }
    assert_true(fd >= 0);
    SSL *ssl = SSL_new(tls);
    SSL_set_fd(ssl, fd);
    for (int i = 0; i < 200 && !SSL_is_init_finished(ssl); i++) {
        SSL_accept(ssl);
        net_turn();
    }
    assert_true(SSL_is_init_finished(ssl));
    ERR_clear_error();
    return ssl;
}

static void a_silent_tls13_server_counts_as_content_after_half_a_second(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    net_hosts(&host_a, NULL);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_storage at = { .ss_family = AF_INET };
    socklen_t len = sizeof at;
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&at, &len);
    struct reload_link_address to = host_b.at;
    memcpy(&to.port, (char *)&at + 2, 2);
    to.port = (uint16_t)(to.port >> 8 | to.port << 8);
    for (int says = 0; says < 2; says++) {
        SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
        host_dial(&host_a, &to, NULL);
        SSL *ssl = bare_server(tls, listener);
        net_for_ms(20);
        assert_int_equal(host_a.count[RELOAD_LINK_UP], says);
        if (says) /* a frame is as good as time */
            assert_int_equal(SSL_write(ssl, "\x80\0\0\0\0\0\0\1!", 9), 9);
        else
            leap_ms += RELOAD_LINK_CONFIRM_MS;
        assert_true(net_events(&host_a, RELOAD_LINK_UP, (size_t)says + 1));
        close(SSL_get_fd(ssl));
        SSL_free(ssl);
        SSL_CTX_free(tls);
    }
    assert_true(net_events(&host_a, RELOAD_LINK_MESSAGE, 1));
    close(listener);
}

static struct raw raw;

static void a_cut_connection_is_told_from_an_orderly_end(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    couple_raw(&raw);
    for (int i = 0; i < 20; i++)
        raw_turn(&raw); /* unread bytes would make it a reset */
    raw_close(&raw);    /* without close_notify */
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_CLOSED);
    assert_string_equal(host_b.reason, "the far end cut the connection");
    couple_raw(&raw);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 2));
    struct linger reset = { 1, 0 };
    setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    raw_close(&raw);
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 2));
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_IO);
}

static void a_closed_link_does_not_wait_for_a_peer_that_never_ends(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    couple_raw(&raw);
    reload_links_close(host_b.links, host_b.last[RELOAD_LINK_UP].link, "go away", net_now());
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    net_for_ms(10);
    assert_int_equal(host_stats(&host_b).links, 1); /* lingering: the far end has not closed */
    leap_ms += RELOAD_LINK_LINGER_MS;
    net_for_ms(5);
    assert_int_equal(host_stats(&host_b).links, 0);
    raw_close(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_server_that_never_shakes_hands_is_a_down_event),
        COUPLE(a_silent_tls13_server_counts_as_content_after_half_a_second),
        COUPLE(a_cut_connection_is_told_from_an_orderly_end),
        COUPLE(a_closed_link_does_not_wait_for_a_peer_that_never_ends),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
