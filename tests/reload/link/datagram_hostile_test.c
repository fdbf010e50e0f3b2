#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "couple.h"
#include "raw_client.h"
#include "reload/alloc.h"
#include "reload/frame/frame.h"
#include "reload/link/datagram.h"
#include "reload/link/engine_datagram.h"

/* Bare ports in bad company. */

/* --- floods --- */

static size_t first_hello(uint8_t out[2000])
{
    struct reload_engine_context *context;
    struct reload_engine *engine;
    struct reload_slice hello;
    assert_int_equal(reload_engine_context_new(&pki_ops, &alice, NULL, &context), 0);
    assert_int_equal(
        reload_engine_new_datagram(context, RELOAD_LINK_CLIENT, NULL, 1200, false, &engine), 0);
    assert_int_equal(reload_engine_handshake(engine, net_now()), RELOAD_ENGINE_WANT);
    assert_int_equal(reload_engine_datagram_next(engine, &hello, 1), 1);
    size_t n = hello.n;
    memcpy(out, hello.p, n);
    reload_engine_free(engine);
    reload_engine_context_free(context);
    return n;
}

static uint64_t real_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* R6940-6.6.1-1 */
static void a_hello_flood_leaves_no_state_and_an_honest_link_answers(void **state)
{
    (void)state;
    enum { SOCKETS = 200, SECONDS = 2, RATE = 10000 };
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_dial_datagrams(&bare_port, NULL);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    uint8_t hello[2000];
    size_t hello_len = first_hello(hello);
    int fds[SOCKETS];
    for (int i = 0; i < SOCKETS; i++)
        fds[i] = raw_client_socket(&bare_port);
    unsigned long allocations = 0;
    uint64_t sent = 0, slowest_ms = 0, asked_ms = 0, answered = 0;
    uint64_t start_ms = real_ms(), now_ms = start_ms;
    uint32_t question = 0;
    for (; sent < SECONDS * RATE; now_ms = real_ms()) {
        for (uint64_t due = (now_ms - start_ms + 1) * RATE / 1000; sent < due; sent++) {
            memcpy(hello + 13 + 12 + 2, &sent, sizeof sent); /* each has another random */
            (void)!send(fds[sent % SOCKETS], hello, hello_len, 0);
        }
        if (!asked_ms && host_send(&host_a, id, &question, sizeof question) == 0) {
            question++;
            asked_ms = now_ms;
        }
        net_turn();
        if (asked_ms && host_b.count[RELOAD_LINK_MESSAGE] > answered) {
            answered = host_b.count[RELOAD_LINK_MESSAGE];
            uint64_t took_ms = real_ms() - asked_ms;
            slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
            asked_ms = 0;
        }
    }
    net_for_ms(50);
    struct reload_links_stats stats = host_stats(&host_b);
    printf("%lu hellos, %lu challenged, %lu messages meanwhile, slowest %lu ms\n",
           (unsigned long)sent, (unsigned long)stats.challenged, (unsigned long)answered,
           (unsigned long)slowest_ms);
    assert_int_equal(stats.links, 1);
    assert_int_equal(stats.accepted, 1);
    assert_int_equal(stats.handshaking, 0);
    assert_true(stats.challenged > sent / 2);
    assert_true(answered > 10);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN] + host_b.count[RELOAD_LINK_DOWN], 0);
    /* Nothing is allocated for a hello, and every answer is shorter than its question. */
    net_for_ms(20);
    allocations = reload_alloc_count();
    for (int i = 0; i < SOCKETS; i++) {
        uint8_t answer[2000];
        ssize_t n;
        while ((n = recv(fds[i], answer, sizeof answer, 0)) > 0)
            assert_true((size_t)n < hello_len);
        (void)!send(fds[i], hello, hello_len, 0);
        net_turn();
    }
    assert_int_equal(reload_alloc_count(), allocations);
    for (int i = 0; i < SOCKETS; i++)
        close(fds[i]);
}

static void garbage_of_every_kind_changes_nothing(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    uint8_t hello[2000], bytes[2000];
    size_t n = first_hello(hello);
    int fd = raw_client_socket(&bare_port);
    (void)!send(fd, "", 0, 0);
    for (size_t i = 0; i < n; i++) {
        (void)!send(fd, hello, i, 0);
        net_turn();
    }
    srand(7);
    for (int i = 0; i < 3000; i++) {
        size_t len = (size_t)rand() % sizeof bytes;
        for (size_t j = 0; j < len; j++)
            bytes[j] = (uint8_t)rand();
        bytes[0] = (uint8_t)(20 + rand() % 44);
        (void)!send(fd, bytes, len, 0);
        if (i % 16 == 0)
            net_turn();
    }
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).links, 0);
    assert_true(host_stats(&host_b).strays > 1000);
    close(fd);
    couple_dial_datagrams(&bare_port, NULL);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
}

/* --- who may come in --- */

/* R6940-6.5.1.13-2 R6940-6.5.1.13-3 R6940-6.5.1.11-1 */
static void strangers_expired_and_wrong_certificates_are_refused_and_counted(void **state)
{
    (void)state;
    struct identity *each[] = { &stranger, &late };
    for (int i = 0; i < 2; i++) {
        couple_open_datagrams(each[i], NULL);
        couple_dial_datagrams(&bare_port, NULL);
        assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
        assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, /* an alert told it */
                         each[i] == &late ? RELOAD_E_EXPIRED : RELOAD_E_FORBIDDEN);
        assert_int_equal(host_stats(&host_b).failed_certificate, 1);
        assert_int_equal(host_b.count[RELOAD_LINK_UP] + host_b.count[RELOAD_LINK_DOWN], 0);
        couple_close(NULL);
    }
    couple_open_datagrams(&alice, NULL);
    struct reload_node_id other = node_id_of(0x11);
    couple_dial_datagrams(&bare_port, &other);
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_CERTIFICATE);
    assert_int_equal(host_stats(&host_a).failed_expected, 1);
}

static void handshakes_are_limited_and_the_oldest_makes_room(void **state)
{
    (void)state;
    struct host_options options = { .limits = { .handshakes = 4 } };
    couple_open_datagrams(&alice, &options);
    struct raw_client clients[4];
    for (int i = 0; i < 4; i++) { /* they go as far as the cookie, and no further */
        raw_client_open(&clients[i], &alice, &bare_port);
        for (int j = 0; j < 100 && host_stats(&host_b).accepted <= (unsigned)i; j++) {
            raw_client_turn(&clients[i]);
            if (clients[i].last_len && clients[i].last[13] != 1)
                fail();
            usleep(1000);
        }
        close(clients[i].fd);
        clients[i].fd = raw_client_socket(&bare_port);
    }
    assert_int_equal(host_stats(&host_b).handshaking,
                     2); /* half of the four are for other addresses */
    assert_int_equal(host_stats(&host_b).evicted, 2);
    for (int i = 0; i < 4; i++)
        raw_client_close(&clients[i]);
    couple_dial_datagrams(&bare_port, NULL); /* they keep nobody out */
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    assert_int_equal(leap_ms, 0);
    assert_int_equal(host_stats(&host_b).evicted, 3);
    leap_ms += 11000; /* unfinished handshakes end */
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).failed_timeout, 1);
}

/* A node of the overlay that sends what it likes, linked to B. */
static void hostile_up(struct raw_client *client)
{
    couple_open_datagrams(&alice, NULL);
    raw_client_open(client, &alice, &bare_port);
    assert_true(raw_client_until_up(client));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
}

/* A data frame of one byte. */
static const uint8_t frame_of_x[] = { 128, 0, 0, 0, 0, 0, 0, 1, 'x' };

/* R6940-6.6.1-1 R6940-6.4.2.1-4: nor can a Join, or any other message, be replayed. */
static void a_replayed_datagram_is_dropped(void **state)
{
    (void)state;
    struct raw_client client;
    hostile_up(&client);
    raw_client_write(&client, frame_of_x, sizeof frame_of_x);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    uint64_t frames = host_stats(&host_b).sum.frames_in;
    for (int i = 0; i < 10; i++)
        (void)!send(client.fd, client.last, client.last_len, 0);
    net_for_ms(30);
    assert_int_equal(host_stats(&host_b).sum.frames_in, frames);
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 1);
    raw_client_close(&client);
}

/* R6940-6.6.2-7: on datagrams the next record begins anew, so the link lives on. */
static void records_without_a_frame_are_dropped_and_counted(void **state)
{
    (void)state;
    struct raw_client client;
    hostile_up(&client);
    const uint8_t frame[] = { 128, 0, 0, 0, 9, 0, 0, 3, 'a', 'b', 'c', 'd' };
    for (size_t n = 1; n <= sizeof frame; n++)
        if (n != 11)
            raw_client_write(&client, frame, n);
    for (unsigned type = 0; type < 256; type++) {
        uint8_t other[sizeof frame];
        memcpy(other, frame, sizeof other);
        other[0] = (uint8_t)type;
        raw_client_write(&client, other, 11);
    }
    net_for_ms(20);
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 1);
    assert_int_equal(host_stats(&host_b).bad_frames, 11 + 255);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    raw_client_close(&client);
}

static void acks_that_lie_do_no_harm(void **state)
{
    (void)state;
    struct raw_client client;
    hostile_up(&client);
    srand(3);
    for (int i = 0; i < 2000; i++) {
        uint8_t ack[9] = { 129 };
        for (int j = 1; j < 9; j++)
            ack[j] = (uint8_t)(rand() % 3 ? rand() : 0);
        raw_client_write(&client, ack, sizeof ack);
        if (i % 50 == 0)
            (void)host_send(&host_b, host_b.last[RELOAD_LINK_UP].link, &i, sizeof i);
    }
    net_for_ms(20);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    raw_client_close(&client);
}

/* RFC 6347 s4.2.8 */
static void a_far_end_that_begins_anew_on_its_address_replaces_its_old_link(void **state)
{
    (void)state;
    struct raw_client client;
    hostile_up(&client);
    reload_link_id old = host_b.last[RELOAD_LINK_UP].link;
    reload_engine_free(client.engine); /* without a word */
    raw_client_engine(&client);
    assert_true(raw_client_until_up(&client));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 2));
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].link, old);
    assert_int_equal(host_stats(&host_b).replaced, 1);
    raw_client_write(&client, frame_of_x, sizeof frame_of_x);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    assert_int_not_equal(host_b.last[RELOAD_LINK_MESSAGE].link, old);
    raw_client_close(&client);
}

static void a_hello_that_is_not_followed_by_a_handshake_leaves_the_old_link_alone(void **state)
{
    (void)state;
    struct raw_client client;
    hostile_up(&client);
    struct reload_engine *good = client.engine;
    raw_client_engine(&client);
    for (int i = 0; i < 100 && host_stats(&host_b).accepted < 2; i++) { /* up to its cookie */
        raw_client_turn(&client);
        usleep(1000);
    }
    assert_int_equal(host_stats(&host_b).accepted, 2);
    reload_engine_free(client.engine);
    client.engine = good;
    client.status = 0;
    uint8_t bytes[2000];
    while (recv(client.fd, bytes, sizeof bytes, 0) > 0)
        ;
    raw_client_write(&client, frame_of_x, sizeof frame_of_x);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    leap_ms += 11000;
    net_for_ms(20);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    assert_int_equal(host_stats(&host_b).links, 1);
    raw_client_close(&client);
}

/* At every allocation of a link's life memory runs out: calls fail or the link goes down, nothing
 * crashes, and the next link works. */
static void running_out_of_memory_ends_links_in_order(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 60; n++) {
        couple_open_datagrams(&alice, NULL);
        reload_alloc_fail_at(n);
        reload_link_id id = 0;
        int status = reload_links_dial_datagrams(host_a.links, &bare_port, 1, NULL, net_now(), &id);
        for (int i = 0; i < 30; i++)
            net_turn();
        if (status == 0)
            (void)host_send(&host_a, id, "x", 1);
        for (int i = 0; i < 10; i++)
            net_turn();
        reload_alloc_fail_at(0);
        size_t ups = host_b.count[RELOAD_LINK_UP];
        couple_dial_datagrams(&bare_port, NULL);
        assert_true(net_events(&host_b, RELOAD_LINK_UP, ups + 1));
        couple_close(NULL);
    }
    couple_open_datagrams(&alice, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_hello_flood_leaves_no_state_and_an_honest_link_answers),
        COUPLE(garbage_of_every_kind_changes_nothing),
        COUPLE(strangers_expired_and_wrong_certificates_are_refused_and_counted),
        COUPLE(handshakes_are_limited_and_the_oldest_makes_room),
        COUPLE(a_replayed_datagram_is_dropped),
        COUPLE(records_without_a_frame_are_dropped_and_counted),
        COUPLE(acks_that_lie_do_no_harm),
        COUPLE(a_far_end_that_begins_anew_on_its_address_replaces_its_old_link),
        COUPLE(a_hello_that_is_not_followed_by_a_handshake_leaves_the_old_link_alone),
        COUPLE(running_out_of_memory_ends_links_in_order),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
