#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "couple.h"

/* Links and time: acks that do not come, idle links, deadlines. */

/* A link whose far end acknowledges nothing, with one frame on its way: suspect. */
static reload_link_id suspect_link(void)
{
    couple_open(&alice, &bob, NULL);
    reload_link_id id = couple_link();
    host_b.deaf = true;
    assert_int_equal(host_send(&host_a, id, "x", 1), 0);
    net_for_ms(10);
    assert_int_equal(host_a.count[RELOAD_LINK_SUSPECT], 0);
    leap_ms += 1000;
    assert_true(net_events(&host_a, RELOAD_LINK_SUSPECT, 1));
    return id;
}

/* R6940-6.6-4 R6940-6.6-5 R6940-6.6.5-1 R6940-6.6.5-2 */
static void a_link_without_acks_is_suspect_and_recovers_with_them(void **state)
{
    (void)state;
    reload_link_id id = suspect_link();
    struct reload_link_info info = host_info(&host_a, id);
    assert_true(info.suspect && info.up);
    assert_int_equal(info.counters.suspects, 1);
    assert_int_equal(host_send(&host_a, id, "y", 1), 0); /* still a link */
    leap_ms += 29000;
    net_for_ms(10);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN], 0);
    host_b.deaf = false;
    assert_true(net_events(&host_a, RELOAD_LINK_RECOVERED, 1));
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 2);
    leap_ms += 3600 * 1000; /* idle for an hour: nothing is wrong with that */
    net_for_ms(10);
    assert_int_equal(host_a.count[RELOAD_LINK_SUSPECT], 1);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN], 0);
}

/* R6940-6.6.5-5 R6940-6.5.1.11-2 */
static void an_idle_link_sends_nothing_at_all(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    couple_link();
    net_for_ms(10);
    uint64_t before = host_stats(&host_a).sum.bytes_out + host_stats(&host_b).sum.bytes_out;
    for (int hour = 0; hour < 24; hour++) {
        leap_ms += 3600 * 1000;
        net_for_ms(2);
    }
    assert_int_equal(host_stats(&host_a).sum.bytes_out + host_stats(&host_b).sum.bytes_out, before);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN] + host_b.count[RELOAD_LINK_DOWN], 0);
}

/* What the kernel then does cannot be seen on loopback, but that it was asked for can. */
static void tcp_finds_out_within_30_s_that_the_far_end_of_an_idle_link_has_gone(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    couple_link();
    int ends = 0, on, seconds[3];
    socklen_t len = sizeof on;
    struct sockaddr_storage far;
    for (int fd = 3; fd < 256; fd++) {
        socklen_t far_len = sizeof far;
        if (getpeername(fd, (struct sockaddr *)&far, &far_len) < 0 || far.ss_family != AF_INET)
            continue;
        ends++;
        const int names[] = { TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT };
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
        assert_true(on);
        for (int i = 0; i < 3; i++)
            assert_int_equal(getsockopt(fd, IPPROTO_TCP, names[i], &seconds[i], &len), 0);
        assert_true(seconds[0] + seconds[1] * seconds[2] < 30);
    }
    assert_int_equal(ends, 2);
}

static void an_ack_that_waited_while_we_were_busy_counts_before_the_deadline(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = couple_link();
    assert_int_equal(host_send(&host_a, id, "x", 1), 0);
    reload_links_flush(host_a.links, net_now());
    host_a.deaf = true;
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    net_for_ms(10); /* the ack lies in our socket */
    leap_ms += 5000;
    host_a.deaf = false;
    net_for_ms(10);
    assert_int_equal(host_a.count[RELOAD_LINK_SUSPECT], 0);
    struct reload_link_info info = host_info(&host_a, id);
    assert_int_equal(info.unacked, 0);
}

/* R6940-6.6.5-3 */
static void thirty_seconds_without_acks_end_the_link(void **state)
{
    (void)state;
    (void)suspect_link();
    leap_ms += 29900;
    net_for_ms(5);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN], 0);
    leap_ms += 200;
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_TIMEOUT);
    assert_string_equal(host_a.reason, "no acknowledgement came back within 30 s");
}

static void the_deadline_tells_when_time_matters(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    assert_int_equal(reload_links_deadline(host_a.links), RELOAD_NEVER);
    reload_link_id id = couple_link();
    leap_ms += 20000; /* what the handshake armed has gone by */
    net_for_ms(5);
    assert_int_equal(reload_links_deadline(host_a.links), RELOAD_NEVER);
    struct reload_time now = net_now();
    struct reload_slice part = { (const uint8_t *)"x", 1 };
    assert_int_equal(reload_links_send(host_a.links, id, &part, 1, now), 0);
    assert_int_equal(reload_links_deadline(host_a.links), now.monotonic_ms); /* to be written */
    reload_links_flush(host_a.links, now);
    assert_int_equal(reload_links_deadline(host_a.links), now.monotonic_ms + 1000); /* the RTO */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_link_without_acks_is_suspect_and_recovers_with_them),
        COUPLE(an_idle_link_sends_nothing_at_all),
        COUPLE(tcp_finds_out_within_30_s_that_the_far_end_of_an_idle_link_has_gone),
        COUPLE(an_ack_that_waited_while_we_were_busy_counts_before_the_deadline),
        COUPLE(thirty_seconds_without_acks_end_the_link),
        COUPLE(the_deadline_tells_when_time_matters),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
