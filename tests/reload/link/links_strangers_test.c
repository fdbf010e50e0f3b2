#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "couple.h"

/* Whoever comes to a port without being a node: silence, garbage, floods. */

static bool stranger_is_gone(void *arg)
{
    (void)arg;
    return host_stats(&host_b).links == 0;
}

/* R6940-6.5.1.14-1 */
static void a_peer_that_never_shakes_hands_is_dropped_after_ten_seconds(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    int silent = net_connect(&host_b.at), slow = net_connect(&host_b.at);
    net_for_ms(10);
    assert_int_equal(host_stats(&host_b).handshaking, 2);
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03";
    for (int i = 0; i < 8; i++) { /* a byte now and then buys no time */
        assert_int_equal(send(slow, &hello[i], 1, 0), 1);
        leap_ms += 1000; /* the rest to ten seconds is for a machine that is busy */
        net_for_ms(2);
    }
    assert_int_equal(host_stats(&host_b).links, 2);
    leap_ms += 2100;
    net_for_ms(5);
    assert_int_equal(host_stats(&host_b).failed_timeout, 2);
    assert_true(net_until(stranger_is_gone, NULL));
    couple_link(); /* the honest one comes through */
    close(silent);
    close(slow);
}

/* R6940-13.2-1 */
static void garbage_instead_of_tls_is_refused_and_counted(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    static const char *const garbage[] = { "GET / HTTP/1.0\r\n\r\n", "\x80\0\0\0\0\0\0\1!",
                                           "\x16\x03\x01\xff\xff\x01\x00\x00\x00" };
    for (size_t i = 0; i < 3; i++) {
        int fd = net_connect(&host_b.at);
        assert_int_equal(send(fd, garbage[i], 9, 0), 9);
        net_for_ms(10);
        assert_int_equal(host_stats(&host_b).failed_tls, i + 1);
        close(fd);
        assert_true(net_until(stranger_is_gone, NULL));
    }
    assert_int_equal(host_b.count[RELOAD_LINK_UP] + host_b.count[RELOAD_LINK_DOWN], 0);
}

static void limits_on_strangers_hold_and_are_counted(void **state)
{
    (void)state;
    static const struct reload_links_limits limits[] = { { .handshakes = 3 },
                                                         { .inbound_per_address = 3 },
                                                         { .links = 3 } };
    for (size_t i = 0; i < 3; i++) {
        struct host_options options = { .limits = limits[i] };
        couple_open(&alice, &bob, &options);
        int fds[5];
        for (size_t j = 0; j < 5; j++)
            fds[j] = net_connect(&host_b.at);
        net_for_ms(20);
        struct reload_links_stats stats = host_stats(&host_b);
        assert_int_equal(stats.links, 3);
        assert_int_equal(stats.evicted, i < 2 ? 2 : 0);
        assert_int_equal(stats.refused_links, i == 2 ? 2 : 0);
        assert_int_equal(stats.failed_tls, 0);
        if (i == 2) {
            for (size_t j = 0; j < 5; j++)
                close(fds[j]);
            assert_true(net_until(stranger_is_gone, NULL));
        }
        couple_link(); /* silent ones keep nobody out */
        assert_int_equal(host_stats(&host_b).failed_timeout, 0);
        for (size_t j = 0; j < 5 && i < 2; j++)
            close(fds[j]);
        (void)couple_close(NULL);
    }
    struct host_options options = { .limits = { .links = 1 } };
    couple_open(&alice, &bob, &options);
    reload_link_id id = couple_link();
    assert_int_equal(
        reload_links_dial(host_a.links, &host_b.at, 1, NULL, RELOAD_LINK_CLIENT, net_now(), &id),
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
    couple_open(&alice, &bob, &options);
    lines = 0;
    uint64_t start_ms = net_now().monotonic_ms;
    for (int i = 0; i < 60; i++) {
        int fd = net_connect(&host_b.at);
        assert_int_equal(send(fd, "garbage that is no TLS", 22, 0), 22);
        net_turn();
        net_turn();
        close(fd);
    }
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).failed_tls, 60);
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
    couple_open(&alice, &bob, NULL);
    reload_link_id id = couple_link();
    int fds[3];
    for (size_t i = 0; i < 3; i++)
        fds[i] = net_connect(&host_b.at); /* in the backlog */
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)highest_fd();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 20; i++)
        net_turn();
    struct reload_links_stats stats = host_stats(&host_b);
    int sent = host_send(&host_a, id, "still here", 10);
    for (int i = 0; i < 20; i++)
        net_turn();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(stats.refused_descriptors, 3);
    assert_int_equal(stats.links, 1);
    assert_int_equal(sent, 0);
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 1);
    host_dial(&host_a, &host_b.at, NULL);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 2));
    for (size_t i = 0; i < 3; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_peer_that_never_shakes_hands_is_dropped_after_ten_seconds),
        COUPLE(garbage_instead_of_tls_is_refused_and_counted),
        COUPLE(limits_on_strangers_hold_and_are_counted),
        COUPLE(strangers_cannot_flood_the_log),
        COUPLE(without_descriptors_new_links_are_refused_and_old_ones_live),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
