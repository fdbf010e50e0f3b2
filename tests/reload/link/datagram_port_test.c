#include <arpa/inet.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "couple.h"
#include "reload/frame/frame.h"
#include "reload/link/datagram.h"

/* Bare ports and their sockets: many links on one, STUN, addresses, ICMP. */

/* R6940-6.6.3.1-10 */
static void a_port_that_nobody_serves_ends_the_dial_and_the_next_address_is_tried(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    struct reload_link_address closed = bare_port;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in in = { .sin_family = AF_INET };
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof in;
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    closed.port = ntohs(in.sin_port);
    close(fd);
    couple_dial_datagrams(&closed, NULL);
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_IO);
    struct reload_link_address both[] = { closed, bare_port };
    reload_link_id id;
    assert_int_equal(reload_links_dial_datagrams(host_a.links, both, 2, NULL, net_now(), &id), 0);
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    assert_true(host_stats(&host_a).icmp_errors >= 2);
}

/* R6940-6.6.3.1-10 */
static void icmp_ends_links_of_both_kinds_of_socket_that_wait_for_an_ack(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_link_datagrams();
    reload_link_id inbound = couple_far_id();
    net_hosts(&host_b, NULL);
    host_close(&host_a); /* its socket is gone, and says nothing more */
    net_for_ms(20);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    assert_int_equal(host_send(&host_b, inbound, "?", 1), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_IO);
    host_open(&host_a, &alice, NULL);
    net_hosts(&host_a, &host_b);
    id = couple_dial_datagrams(&bare_port, NULL);
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    net_hosts(&host_a, NULL);
    host_close(&host_b);
    assert_int_equal(host_send(&host_a, id, "?", 1), 0);
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_IO);
    host_open(&host_b, &bob, NULL);
}

static void many_links_share_a_bare_port(void **state)
{
    (void)state;
    enum { LINKS = 40 };
    couple_open_datagrams(&alice, NULL);
    reload_link_id ids[LINKS];
    for (int i = 0; i < LINKS; i++) {
        ids[i] = couple_dial_datagrams(&bare_port, NULL);
        assert_true(net_events(&host_a, RELOAD_LINK_UP, (size_t)i + 1));
    }
    assert_true(net_events(&host_b, RELOAD_LINK_UP, LINKS));
    for (int i = 0; i < LINKS; i++)
        assert_int_equal(host_send(&host_a, ids[i], &i, sizeof i), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, LINKS));
    reload_link_id seen[LINKS];
    assert_int_equal(reload_links_list(host_b.links, seen, LINKS), LINKS);
    for (int i = 0; i < LINKS; i++)
        assert_int_equal(host_info(&host_b, seen[i]).counters.messages_in, 1);
}

static int unknown_socket(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(bare_port.port) };
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

/* The kernel hands datagrams of one sender over in one piece: each is still looked at alone. */
static void datagrams_that_the_kernel_joined_are_taken_apart(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    int fd = unknown_socket();
    uint8_t bytes[20 * 30 + 7] = { 0 }; /* 30 of 20 bytes, the last of 7 */
    for (size_t i = 0; i < 30; i += 3)
        bytes[20 * i] = 200; /* every third is nobody's */
    if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &(int){ 20 }, sizeof(int)) < 0)
        skip(); /* a kernel that does not cut */
    assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
    assert_true(net_events(&host_b, RELOAD_LINK_STUN, 21));
    assert_int_equal(host_b.last[RELOAD_LINK_STUN].message.n, 7);
    assert_int_equal(host_stats(&host_b).strays, 10);
    assert_int_equal(send(fd, bytes, 20, 0), 20);
    net_for_ms(5);
    assert_int_equal(host_stats(&host_b).strays, 11);
    close(fd);
}

static void stun_is_handed_out_and_answered_from_the_bare_port(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    int fd = unknown_socket();
    const uint8_t binding[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
    assert_int_equal(send(fd, binding, sizeof binding, 0), sizeof binding);
    assert_true(net_events(&host_b, RELOAD_LINK_STUN, 1));
    const struct reload_link_event *event = &host_b.last[RELOAD_LINK_STUN];
    assert_int_equal(event->message.n, sizeof binding);
    assert_true(reload_link_address_equal(&event->local, &bare_port));
    assert_int_equal(reload_links_send_stun(host_b.links, &event->local, &event->address,
                                            reload_slice_of("answer", 6)),
                     0);
    uint8_t answer[20];
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 6);
    struct reload_link_address other = bare_port;
    other.port ^= 1;
    assert_int_equal(
        reload_links_send_stun(host_b.links, &other, &event->address, reload_slice_of("answer", 6)),
        RELOAD_E_NOT_FOUND);
    for (unsigned first = 4; first < 256; first++) { /* RFC 7983: the rest is nobody's */
        uint8_t stray[30] = { (uint8_t)first };
        assert_int_equal(send(fd, stray, sizeof stray, 0), sizeof stray);
        if (first % 32 == 31)
            net_for_ms(2);
    }
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).strays, 252);
    assert_int_equal(host_stats(&host_b).stun, 1);
    assert_int_equal(recv(fd, answer, sizeof answer, 0), -1); /* and is not answered */
    assert_int_equal(host_stats(&host_b).links, 0);
    close(fd);
}

/* Or the far end would take the answer for somebody else's. */
static void a_port_on_all_addresses_answers_from_the_one_that_was_asked(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    struct reload_link_address any, actual;
    assert_int_equal(reload_link_address_parse("0.0.0.0", 0, &any), 0);
    assert_int_equal(reload_links_listen_datagrams(host_b.links, &any, &actual), 0);
    assert_int_equal(reload_link_address_parse("127.0.0.2", actual.port, &bare_port), 0);
    reload_link_id id = couple_link_datagrams();
    for (int i = 0; i < 20; i++)
        assert_int_equal(host_send(&host_b, couple_far_id(), &i, sizeof i), 0);
    assert_true(net_events(&host_a, RELOAD_LINK_MESSAGE, 20));
    assert_int_equal(host_send(&host_a, id, "x", 1), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(actual.port) };
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    const uint8_t binding[20] = { 0, 1 };
    assert_int_equal(send(fd, binding, sizeof binding, 0), sizeof binding);
    assert_true(net_events(&host_b, RELOAD_LINK_STUN, 1));
    const struct reload_link_event *event = &host_b.last[RELOAD_LINK_STUN];
    assert_int_equal(reload_links_send_stun(host_b.links, &event->local, &event->address,
                                            reload_slice_of("answer", 6)),
                     0);
    uint8_t answer[20];
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 6);
    close(fd);
}

static void ports_and_arguments_have_limits(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    struct reload_link_address any, actual, none = { 0 };
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    assert_int_equal(reload_links_listen_datagrams(host_b.links, &bare_port, &actual), RELOAD_E_IO);
    assert_int_equal(reload_links_listen_datagrams(host_b.links, &none, &actual), RELOAD_E_INVALID);
    for (int i = 1; i < 8; i++)
        assert_int_equal(reload_links_listen_datagrams(host_b.links, &any, &actual), 0);
    assert_int_equal(reload_links_listen_datagrams(host_b.links, &any, &actual), RELOAD_E_LIMIT);
    reload_link_id id;
    assert_int_equal(reload_links_dial_datagrams(host_a.links, &none, 1, NULL, net_now(), &id),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_links_dial_datagrams(host_a.links, &none, 0, NULL, net_now(), &id),
                     RELOAD_E_INVALID);
}

static void ipv6_works_as_well(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    struct reload_link_address any;
    assert_int_equal(reload_link_address_parse("::1", 0, &any), 0);
    if (reload_links_listen_datagrams(host_b.links, &any, &bare_port) == RELOAD_E_IO)
        skip(); /* a machine without IPv6 */
    reload_link_id id = couple_link_datagrams();
    assert_int_equal(host_send(&host_a, id, "six", 3), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_port_that_nobody_serves_ends_the_dial_and_the_next_address_is_tried),
        COUPLE(icmp_ends_links_of_both_kinds_of_socket_that_wait_for_an_ack),
        COUPLE(many_links_share_a_bare_port),
        COUPLE(datagrams_that_the_kernel_joined_are_taken_apart),
        COUPLE(stun_is_handed_out_and_answered_from_the_bare_port),
        COUPLE(a_port_on_all_addresses_answers_from_the_one_that_was_asked),
        COUPLE(ports_and_arguments_have_limits),
        COUPLE(ipv6_works_as_well),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
