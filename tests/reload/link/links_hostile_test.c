#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "people.h"
#include "reload/frame/frame.h"

/* Links in bad company: wrong certificates, silence, garbage, floods, slow readers. */

static struct host a, b;
static struct raw raw;

static void open_hosts(struct identity *dialler, struct identity *listener,
                       const struct host_options *options)
{
    leap_ms = 0;
    host_open(&a, dialler, options);
    host_open(&b, listener, options);
    net_hosts(&a, &b);
}

static int close_hosts(void **state)
{
    (void)state;
    net_hosts(NULL, NULL);
    host_close(&a);
    host_close(&b);
    return 0;
}

static struct reload_links_stats stats_of(struct host *host)
{
    struct reload_links_stats stats;
    reload_links_stats(host->links, &stats);
    return stats;
}

static reload_link_id link_up(void)
{
    reload_link_id id = host_dial(&a, &b.at, NULL);
    assert_true(net_events(&a, RELOAD_LINK_UP, 1));
    assert_true(net_events(&b, RELOAD_LINK_UP, 1));
    return id;
}

static void assert_never_up(void)
{
    net_for_ms(30);
    assert_int_equal(a.count[RELOAD_LINK_UP], 0);
    assert_int_equal(b.count[RELOAD_LINK_UP], 0);
    assert_int_equal(a.count[RELOAD_LINK_DOWN], 1);
    assert_int_equal(b.count[RELOAD_LINK_DOWN], 0); /* it never heard of it */
}

/* R6940-11.1-25: a certificate that expires, or that a new configuration bars, while it is in use.
 */
static void a_link_whose_far_end_is_no_longer_accepted_is_closed(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) { /* a server looks, then a client */
        open_hosts(&alice, &bob, NULL);
        struct host *looking = both ? &a : &b, *other = both ? &b : &a;
        struct identity *own = both ? &alice : &bob;
        link_up();
        reload_links_recheck(looking->links, net_now());
        net_for_ms(20);
        assert_int_equal(looking->count[RELOAD_LINK_DOWN], 0);
        own->trust = &other_ca;
        reload_links_recheck(looking->links, net_now());
        own->trust = &ca;
        assert_true(net_events(looking, RELOAD_LINK_DOWN, 1));
        assert_true(net_events(other, RELOAD_LINK_DOWN, 1));
        assert_non_null(strstr(looking->reason, "its certificate"));
        assert_int_equal(stats_of(looking).failed_certificate, 1);
        (void)close_hosts(NULL);
    }
    open_hosts(&alice, &bob, NULL);
}

/* R6940-6.5.1.13-3 R6940-6.6.1-1 */
static void a_client_that_the_server_refuses_is_never_up(void **state)
{
    (void)state;
    struct identity *bad[] = { &stranger, &late };
    for (size_t i = 0; i < 2; i++) {
        open_hosts(bad[i], &bob, NULL);
        host_dial(&a, &b.at, NULL);
        assert_true(net_events(&a, RELOAD_LINK_DOWN, 1));
        assert_never_up();
        assert_int_equal(a.last[RELOAD_LINK_DOWN].error,
                         bad[i] == &late ? RELOAD_E_EXPIRED : RELOAD_E_FORBIDDEN);
        assert_non_null(strstr(a.reason, "the far end refused"));
        assert_int_equal(stats_of(&b).failed_certificate, 1);
        (void)close_hosts(NULL);
    }
    open_hosts(&alice, &bob, NULL);
}

/* R6940-6.5.1.13-3 */
static void a_server_that_the_client_refuses_is_never_up(void **state)
{
    (void)state;
    open_hosts(&alice, &stranger, NULL);
    host_dial(&a, &b.at, NULL);
    assert_true(net_events(&a, RELOAD_LINK_DOWN, 1));
    assert_never_up();
    assert_int_equal(a.last[RELOAD_LINK_DOWN].error, RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(a.reason, "not issued by the test CA"));
    assert_int_equal(stats_of(&a).failed_certificate, 1);
    assert_int_equal(stats_of(&b).failed_tls, 1);
}

/* R6940-6.5.1.11-1 R6940-6.5.1.13-3 */
static void a_link_to_another_node_than_expected_is_closed(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    struct reload_node_id wrong = node_id_of(0x77);
    host_dial(&a, &b.at, &wrong);
    assert_true(net_events(&a, RELOAD_LINK_DOWN, 1));
    assert_never_up();
    assert_int_equal(a.last[RELOAD_LINK_DOWN].error, RELOAD_E_CERTIFICATE);
    assert_int_equal(stats_of(&a).failed_expected, 1);
    assert_int_equal(stats_of(&a).failed_certificate, 0);
}

static void a_refused_connection_is_a_down_event(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    struct reload_link_address nobody = b.at;
    host_close(&b);
    host_open(&b, &bob, NULL);
    host_dial(&a, &nobody, NULL);
    assert_true(net_events(&a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(a.last[RELOAD_LINK_DOWN].error, RELOAD_E_IO);
    assert_string_equal(a.reason, "cannot connect: Connection refused");
    assert_int_equal(stats_of(&a).links, 0);
}

/* --- silence --- */

static bool stranger_is_gone(void *arg)
{
    (void)arg;
    return stats_of(&b).links == 0;
}

/* R6940-6.5.1.14-1 */
static void a_peer_that_never_shakes_hands_is_dropped_after_ten_seconds(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    int silent = net_connect(&b.at), slow = net_connect(&b.at);
    net_for_ms(10);
    assert_int_equal(stats_of(&b).handshaking, 2);
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03";
    for (int i = 0; i < 8; i++) { /* a byte now and then buys no time */
        assert_int_equal(send(slow, &hello[i], 1, 0), 1);
        leap_ms += 1000; /* the rest to ten seconds is for a machine that is busy */
        net_for_ms(2);
    }
    assert_int_equal(stats_of(&b).links, 2);
    leap_ms += 2100;
    net_for_ms(5);
    assert_int_equal(stats_of(&b).failed_timeout, 2);
    assert_true(net_until(stranger_is_gone, NULL));
    link_up(); /* the honest one comes through */
    close(silent);
    close(slow);
}

static void a_server_that_never_shakes_hands_is_a_down_event(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    b.deaf = true; /* the kernel accepts, nobody answers */
    host_dial(&a, &b.at, NULL);
    net_for_ms(10);
    leap_ms += 10001;
    assert_true(net_events(&a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(a.last[RELOAD_LINK_DOWN].error, RELOAD_E_TIMEOUT);
    assert_string_equal(a.reason, "the TLS handshake did not end in time");
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
    open_hosts(&alice, &bob, NULL);
    net_hosts(&a, NULL);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_storage at = { .ss_family = AF_INET };
    socklen_t len = sizeof at;
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&at, &len);
    struct reload_link_address to = b.at;
    memcpy(&to.port, (char *)&at + 2, 2);
    to.port = (uint16_t)(to.port >> 8 | to.port << 8);
    for (int says = 0; says < 2; says++) {
        SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
        host_dial(&a, &to, NULL);
        SSL *ssl = bare_server(tls, listener);
        net_for_ms(20);
        assert_int_equal(a.count[RELOAD_LINK_UP], says);
        if (says) /* a frame is as good as time */
            assert_int_equal(SSL_write(ssl, "\x80\0\0\0\0\0\0\1!", 9), 9);
        else
            leap_ms += RELOAD_LINK_CONFIRM_MS;
        assert_true(net_events(&a, RELOAD_LINK_UP, (size_t)says + 1));
        close(SSL_get_fd(ssl));
        SSL_free(ssl);
        SSL_CTX_free(tls);
    }
    assert_true(net_events(&a, RELOAD_LINK_MESSAGE, 1));
    close(listener);
}

/* --- garbage --- */

/* R6940-13.2-1 */
static void garbage_instead_of_tls_is_refused_and_counted(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    static const char *const garbage[] = { "GET / HTTP/1.0\r\n\r\n", "\x80\0\0\0\0\0\0\1!",
                                           "\x16\x03\x01\xff\xff\x01\x00\x00\x00" };
    for (size_t i = 0; i < 3; i++) {
        int fd = net_connect(&b.at);
        assert_int_equal(send(fd, garbage[i], 9, 0), 9);
        net_for_ms(10);
        assert_int_equal(stats_of(&b).failed_tls, i + 1);
        close(fd);
        assert_true(net_until(stranger_is_gone, NULL));
    }
    assert_int_equal(b.count[RELOAD_LINK_UP] + b.count[RELOAD_LINK_DOWN], 0);
}

static void open_raw(struct identity *identity)
{
    raw_open(&raw, identity, &b.at);
    assert_true(raw_until_up(&raw));
    assert_true(net_events(&b, RELOAD_LINK_UP, 1));
}

static size_t data_frame(uint8_t *at, uint32_t sequence, size_t len)
{
    reload_frame_data_header(at, sequence, len);
    memset(at + RELOAD_FRAME_DATA_HEADER_LEN, (int)sequence, len);
    return RELOAD_FRAME_DATA_HEADER_LEN + len;
}

/* R6940-6.6.2-7 */
static void an_unknown_frame_type_closes_the_link(void **state)
{
    (void)state;
    static const uint8_t types[] = { 0, 1, 127, 130, 255 };
    for (size_t i = 0; i < sizeof types; i++) {
        open_hosts(&alice, &bob, NULL);
        open_raw(&alice);
        uint8_t wire[32];
        size_t n = data_frame(wire, 0, 3);
        wire[n] = types[i];
        raw_write(&raw, wire, n + 1);
        assert_true(net_events(&b, RELOAD_LINK_DOWN, 1));
        assert_int_equal(b.count[RELOAD_LINK_MESSAGE], 1);
        assert_int_equal(b.last[RELOAD_LINK_DOWN].error, RELOAD_E_DECODE);
        assert_int_equal(stats_of(&b).failed_framing, 1);
        raw_close(&raw);
        (void)close_hosts(NULL);
    }
    open_hosts(&alice, &bob, NULL);
}

/* R6940-6.6.2-8 R6940-6.6.2-4 */
static void frames_may_be_cut_over_records_anywhere(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    open_raw(&alice);
    uint8_t wire[64];
    size_t n = data_frame(wire, 0, 5);
    n += data_frame(wire + n, 1, 0);
    n += data_frame(wire + n, 2, 20);
    size_t messages = 0;
    for (size_t cut = 1; cut < n; cut++) {
        raw_write(&raw, wire, cut);
        net_turn();
        raw_write(&raw, wire + cut, n - cut);
        messages += 3;
        assert_true(net_events(&b, RELOAD_LINK_MESSAGE, messages));
        assert_int_equal(b.message_len, 20);
        assert_int_equal(b.message[19], 2);
    }
    for (int i = 0; i < 50; i++)
        raw_turn(&raw);
    assert_int_equal(raw.got_len, messages * RELOAD_FRAME_ACK_LEN);
    raw_close(&raw);
}

/* R6940-6.6.2-4 R6940-6.6.2-6 */
static void each_frame_gets_the_ack_it_deserves(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    open_raw(&alice);
    uint8_t wire[64];
    size_t n = data_frame(wire, 7, 1);
    n += data_frame(wire + n, 9, 1);
    n += data_frame(wire + n, 8, 1);
    raw_write(&raw, wire, n);
    for (int i = 0; i < 500 && raw.got_len < 27; i++)
        raw_turn(&raw);
    static const uint8_t acks[] = { 0x81, 0, 0, 0, 7,    0, 0, 0, 0, 0x81, 0, 0, 0, 9,
                                    0,    0, 0, 4, 0x81, 0, 0, 0, 8, 0,    0, 0, 2 };
    assert_int_equal(raw.got_len, sizeof acks);
    assert_memory_equal(raw.got, acks, sizeof acks);
    raw_close(&raw);
}

static void acks_out_of_the_blue_change_nothing(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    open_raw(&alice);
    static const uint32_t sequences[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
    for (size_t i = 0; i < 5; i++) {
        uint8_t wire[RELOAD_FRAME_ACK_LEN];
        struct reload_writer w = reload_writer_of(wire, sizeof wire);
        struct reload_frame ack = { .type = RELOAD_FRAME_ACK,
                                    .sequence = sequences[i],
                                    .received = 0xffffffff };
        assert_int_equal(reload_frame_encode(&w, &ack), 0);
        raw_write(&raw, wire, sizeof wire);
    }
    net_for_ms(10);
    struct reload_link_info info;
    assert_int_equal(reload_links_info(b.links, b.last[RELOAD_LINK_UP].link, &info), 0);
    assert_int_equal(info.counters.acks_in, 5);
    assert_int_equal(info.rtt_ms, 0);
    assert_int_equal(info.unacked, 0);
    raw_close(&raw);
}

/* --- too large --- */

/* R6940-6.6-1 R6940-6.6-2 */
static void an_oversize_message_can_be_answered_before_it_has_arrived_and_closed(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 1000 };
    open_hosts(&alice, &bob, &options);
    open_raw(&alice);
    static uint8_t wire[2000];
    reload_frame_data_header(wire, 0, RELOAD_FRAME_MESSAGE_MAX);
    memset(wire + RELOAD_FRAME_DATA_HEADER_LEN, 0x5a, sizeof wire - RELOAD_FRAME_DATA_HEADER_LEN);
    raw_write(&raw, wire, sizeof wire);
    assert_true(net_events(&b, RELOAD_LINK_OVERSIZE, 1));
    assert_int_equal(b.message_len, 1000);
    assert_memory_equal(b.message, wire + RELOAD_FRAME_DATA_HEADER_LEN, 1000);
    reload_link_id id = b.last[RELOAD_LINK_OVERSIZE].link;
    assert_int_equal(host_send(&b, id, "too large", 9), 0);
    reload_links_close(b.links, id, "message too large", net_now());
    assert_true(net_events(&b, RELOAD_LINK_DOWN, 1));
    for (int i = 0; i < 100 && !raw.ended; i++) {
        if (raw.status == 0)
            raw_write(&raw, wire, sizeof wire); /* it goes on and on, and still gets the answer */
        raw_turn(&raw);
    }
    assert_int_equal(raw.got_len, RELOAD_FRAME_DATA_HEADER_LEN + 9);
    assert_memory_equal(raw.got + RELOAD_FRAME_DATA_HEADER_LEN, "too large", 9);
    assert_int_equal(stats_of(&b).sum.oversize, 1);
    assert_int_equal(b.count[RELOAD_LINK_MESSAGE], 0);
    raw_close(&raw);
}

static void an_oversize_link_left_alone_closes_itself(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 10 };
    open_hosts(&alice, &bob, &options);
    reload_link_id id = link_up();
    reload_links_set_max_message_size(a.links, 1000);
    assert_int_equal(host_send(&a, id, "0123456789", 10), 0);
    assert_true(net_events(&b, RELOAD_LINK_MESSAGE, 1));
    assert_int_equal(host_send(&a, id, "0123456789+", 11), 0);
    assert_true(net_events(&b, RELOAD_LINK_OVERSIZE, 1));
    assert_int_equal(b.count[RELOAD_LINK_DOWN], 0);
    leap_ms += RELOAD_LINK_LINGER_MS;
    assert_true(net_events(&b, RELOAD_LINK_DOWN, 1));
    assert_true(net_events(&a, RELOAD_LINK_DOWN, 1));
}

/* --- ends --- */

static void a_cut_connection_is_told_from_an_orderly_end(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    open_raw(&alice);
    for (int i = 0; i < 20; i++)
        raw_turn(&raw); /* unread bytes would make it a reset */
    raw_close(&raw);    /* without close_notify */
    assert_true(net_events(&b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(b.last[RELOAD_LINK_DOWN].error, RELOAD_E_CLOSED);
    assert_string_equal(b.reason, "the far end cut the connection");
    open_raw(&alice);
    assert_true(net_events(&b, RELOAD_LINK_UP, 2));
    struct linger reset = { 1, 0 };
    setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    raw_close(&raw);
    assert_true(net_events(&b, RELOAD_LINK_DOWN, 2));
    assert_int_equal(b.last[RELOAD_LINK_DOWN].error, RELOAD_E_IO);
}

static void a_closed_link_does_not_wait_for_a_peer_that_never_ends(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    open_raw(&alice);
    reload_links_close(b.links, b.last[RELOAD_LINK_UP].link, "go away", net_now());
    assert_true(net_events(&b, RELOAD_LINK_DOWN, 1));
    net_for_ms(10);
    assert_int_equal(stats_of(&b).links, 1); /* lingering: the far end has not closed */
    leap_ms += RELOAD_LINK_LINGER_MS;
    net_for_ms(5);
    assert_int_equal(stats_of(&b).links, 0);
    raw_close(&raw);
}

/* --- floods --- */

static void a_slow_reader_fills_a_bounded_queue_and_loses_nothing_that_was_taken(void **state)
{
    (void)state;
    struct host_options options = { .limits = { .queue_bytes = 100000, .queue_messages = 50 } };
    open_hosts(&alice, &bob, &options);
    reload_link_id id = link_up();
    b.deaf = true;
    b.numbered = true;
    static uint8_t message[4000];
    uint32_t taken = 0;
    int status = 0;
    while (status == 0 && taken < 100000) {
        memcpy(message, &taken, 4);
        status = host_send(&a, id, message, sizeof message);
        taken += status == 0;
        net_turn();
    }
    assert_int_equal(status, RELOAD_E_LIMIT);
    struct reload_link_info info;
    assert_int_equal(reload_links_info(a.links, id, &info), 0);
    assert_true(info.queued_bytes <= 100000 + 4096);
    assert_true(info.queued_messages <= 50);
    assert_int_equal(info.counters.queue_drops, 1);
    assert_int_equal(host_send(&a, id, message, 4),
                     info.queued_messages == 50 ? RELOAD_E_LIMIT : 0);
    taken += info.queued_messages < 50;
    b.deaf = false;
    b.numbered = info.queued_messages == 50;
    for (int i = 0; i < 10 && b.count[RELOAD_LINK_MESSAGE] < taken; i++)
        (void)net_events(&b, RELOAD_LINK_MESSAGE, taken);
    assert_int_equal(b.count[RELOAD_LINK_MESSAGE], taken);
    net_for_ms(20);
    assert_int_equal(reload_links_info(a.links, id, &info), 0);
    assert_int_equal(info.queued_bytes, 0);
    assert_int_equal(info.queued_messages, 0);
    assert_int_equal(info.unacked, 0);
    assert_int_equal(host_send(&a, id, "ok", 2), 0);
}

static struct reload_link_info info_of(struct host *host, reload_link_id id)
{
    struct reload_link_info info;
    assert_int_equal(reload_links_info(host->links, id, &info), 0);
    return info;
}

static void the_queue_is_bounded_in_messages_and_empty_once_all_is_written(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 66000, .limits = { .queue_messages = 50 } };
    open_hosts(&alice, &bob, &options);
    reload_link_id id = link_up();
    b.deaf = true;
    static const uint8_t large[66000];
    size_t taken = 0;
    while (info_of(&a, id).queued_bytes == 0) { /* each is written at once, until one is not */
        assert_int_equal(host_send(&a, id, large, sizeof large), 0);
        taken++;
    }
    assert_int_equal(info_of(&a, id).queued_messages, 1);
    b.deaf = false;
    assert_true(net_events(&b, RELOAD_LINK_MESSAGE, taken));
    assert_int_equal(info_of(&a, id).queued_messages, 0);
    b.deaf = true;
    while (info_of(&a, id).queued_bytes == 0)
        assert_int_equal(host_send(&a, id, large, sizeof large), 0);
    for (int i = 1; i < 50; i++)
        assert_int_equal(host_send(&a, id, "x", 1), 0);
    assert_int_equal(host_send(&a, id, "x", 1), RELOAD_E_LIMIT);
    assert_int_equal(info_of(&a, id).queued_messages, 50);
}

/* A peer that sends and sends and never reads our acks: they must not pile up. */
static void acks_that_nobody_reads_do_not_pile_up(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    open_raw(&alice);
    int small = 4096;
    setsockopt(raw.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    static uint8_t frames[8 * 2000];
    uint32_t sequence = 0;
    struct reload_buffer *output = reload_engine_output(raw.engine);
    size_t largest = 0;
    for (int i = 0; i < 3000; i++) {
        for (size_t at = 0; at < sizeof frames; at += 8)
            reload_frame_data_header(frames + at, sequence++, 0);
        if (reload_buffer_len(output) == 0)
            raw_write(&raw, frames, sizeof frames);
        while (reload_buffer_len(output) > 0) {
            ssize_t n = send(raw.fd, output->p + output->start, reload_buffer_len(output),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n <= 0)
                break;
            reload_buffer_consume(output, (size_t)n);
        }
        net_turn();
        struct reload_link_info info;
        assert_int_equal(reload_links_info(b.links, b.last[RELOAD_LINK_UP].link, &info), 0);
        largest = info.queued_bytes > largest ? info.queued_bytes : largest;
    }
    assert_true(b.count[RELOAD_LINK_MESSAGE] > 1000000);
    assert_true(largest > 0); /* it did block */
    assert_in_range(largest, 1, 512 * 1024);
    raw_close(&raw);
}

static void limits_on_strangers_hold_and_are_counted(void **state)
{
    (void)state;
    static const struct reload_links_limits limits[] = { { .handshakes = 3 },
                                                         { .inbound_per_address = 3 },
                                                         { .links = 3 } };
    for (size_t i = 0; i < 3; i++) {
        struct host_options options = { .limits = limits[i] };
        open_hosts(&alice, &bob, &options);
        int fds[5];
        for (size_t j = 0; j < 5; j++)
            fds[j] = net_connect(&b.at);
        net_for_ms(20);
        struct reload_links_stats stats = stats_of(&b);
        assert_int_equal(stats.links, 3);
        assert_int_equal(stats.evicted, i < 2 ? 2 : 0);
        assert_int_equal(stats.refused_links, i == 2 ? 2 : 0);
        assert_int_equal(stats.failed_tls, 0);
        if (i == 2) {
            for (size_t j = 0; j < 5; j++)
                close(fds[j]);
            assert_true(net_until(stranger_is_gone, NULL));
        }
        link_up(); /* silent ones keep nobody out */
        assert_int_equal(stats_of(&b).failed_timeout, 0);
        for (size_t j = 0; j < 5 && i < 2; j++)
            close(fds[j]);
        (void)close_hosts(NULL);
    }
    struct host_options options = { .limits = { .links = 1 } };
    open_hosts(&alice, &bob, &options);
    reload_link_id id = link_up();
    assert_int_equal(reload_links_dial(a.links, &b.at, 1, NULL, RELOAD_LINK_CLIENT, net_now(), &id),
                     RELOAD_E_LIMIT);
}

static unsigned lines;

static void count_line(void *context, enum reload_log_level level, const char *area,
                       const char *text)
{
    (void)context, (void)area, (void)text;
    lines += level == RELOAD_LOG_WARNING;
}

static void strangers_cannot_flood_the_log(void **state)
{
    (void)state;
    struct reload_log log = { count_line, NULL, RELOAD_LOG_WARNING };
    struct host_options options = { .log = &log };
    open_hosts(&alice, &bob, &options);
    lines = 0;
    uint64_t start_ms = net_now().monotonic_ms;
    for (int i = 0; i < 60; i++) {
        int fd = net_connect(&b.at);
        assert_int_equal(send(fd, "garbage that is no TLS", 22, 0), 22);
        net_turn();
        net_turn();
        close(fd);
    }
    net_for_ms(20);
    assert_int_equal(stats_of(&b).failed_tls, 60);
    uint64_t seconds = (net_now().monotonic_ms - start_ms) / 1000 + 2; /* begun ones */
    assert_in_range(lines, 1, 11 * seconds); /* the eleventh tells of those left out */
}

static int highest_fd(void)
{
    int fd = open("/dev/null", O_RDONLY);
    close(fd);
    return fd;
}

static void without_descriptors_new_links_are_refused_and_old_ones_live(void **state)
{
    (void)state;
    open_hosts(&alice, &bob, NULL);
    reload_link_id id = link_up();
    int fds[3];
    for (size_t i = 0; i < 3; i++)
        fds[i] = net_connect(&b.at); /* in the backlog */
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)highest_fd();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 20; i++)
        net_turn();
    struct reload_links_stats stats = stats_of(&b);
    int sent = host_send(&a, id, "still here", 10);
    for (int i = 0; i < 20; i++)
        net_turn();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(stats.refused_descriptors, 3);
    assert_int_equal(stats.links, 1);
    assert_int_equal(sent, 0);
    assert_int_equal(b.count[RELOAD_LINK_MESSAGE], 1);
    host_dial(&a, &b.at, NULL);
    assert_true(net_events(&b, RELOAD_LINK_UP, 2));
    for (size_t i = 0; i < 3; i++)
        close(fds[i]);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_hosts)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_link_whose_far_end_is_no_longer_accepted_is_closed),
        TEST(a_client_that_the_server_refuses_is_never_up),
        TEST(a_server_that_the_client_refuses_is_never_up),
        TEST(a_link_to_another_node_than_expected_is_closed),
        TEST(a_refused_connection_is_a_down_event),
        TEST(a_peer_that_never_shakes_hands_is_dropped_after_ten_seconds),
        TEST(a_server_that_never_shakes_hands_is_a_down_event),
        TEST(a_silent_tls13_server_counts_as_content_after_half_a_second),
        TEST(garbage_instead_of_tls_is_refused_and_counted),
        TEST(an_unknown_frame_type_closes_the_link),
        TEST(frames_may_be_cut_over_records_anywhere),
        TEST(each_frame_gets_the_ack_it_deserves),
        TEST(acks_out_of_the_blue_change_nothing),
        TEST(an_oversize_message_can_be_answered_before_it_has_arrived_and_closed),
        TEST(an_oversize_link_left_alone_closes_itself),
        TEST(a_cut_connection_is_told_from_an_orderly_end),
        TEST(a_closed_link_does_not_wait_for_a_peer_that_never_ends),
        TEST(a_slow_reader_fills_a_bounded_queue_and_loses_nothing_that_was_taken),
        TEST(the_queue_is_bounded_in_messages_and_empty_once_all_is_written),
        TEST(acks_that_nobody_reads_do_not_pile_up),
        TEST(limits_on_strangers_hold_and_are_counted),
        TEST(strangers_cannot_flood_the_log),
        TEST(without_descriptors_new_links_are_refused_and_old_ones_live),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
