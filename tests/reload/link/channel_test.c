#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "channel.h"
#include "net.h"
#include "people.h"
#include "reload/link/datagram.h"
#include "reload/link/raw.h"

/* DTLS-UDP-SR on a datagram channel that is not ours: two link sets, and between them a path that
 * loses, delays, reorders and doubles (tests/reload/frame/channel.h), in real time. */

struct side {
    struct reload_links *links;
    reload_link_id link;
    struct channel *out;
    bool server;
    size_t ups, downs, messages, datagrams, narrowings;
    size_t longest; /* datagram */
    int error;
    uint8_t type;
    uint32_t mtu;
    uint8_t seen[4096]; /* messages, by number */
};

static bool raw;             /* what the sides open is an application's */
static struct side one, two; /* `two` sent the Attach request: it is the DTLS server */

static void open_side(struct side *side, struct identity *identity, enum reload_link_role role,
                      const struct channel_options *options, uint64_t seed, uint16_t path_mtu,
                      const struct reload_node_id *expected)
{
    memset(side, 0, sizeof *side);
    struct reload_links_config config = { .identity = &pki_ops,
                                          .identity_context = identity,
                                          .max_message_size = 5000,
                                          .limits = { .handshake_ms = 20000 } };
    assert_int_equal(reload_links_new(&config, &side->links), 0);
    struct reload_link_channel channel = {
        .role = role, .expected = expected, .path_mtu = path_mtu, .rtt_ms = 40, .raw = raw
    };
    assert_int_equal(reload_link_address_parse("192.0.2.1", 6084, &channel.far), 0);
    assert_int_equal(reload_link_address_parse("192.0.2.2", 6084, &channel.local), 0);
    assert_int_equal(reload_links_open_channel(side->links, &channel, net_now(), &side->link), 0);
    side->out = channel_new(options, seed);
}

static void open_sides(const struct channel_options *options, uint64_t seed, uint16_t path_mtu,
                       const struct reload_node_id *expected)
{
    leap_ms = 0;
    open_side(&one, &alice, RELOAD_LINK_CLIENT, options, seed, path_mtu, expected);
    open_side(&two, &bob, RELOAD_LINK_SERVER, options, seed + 1000, path_mtu, NULL);
}

static int close_sides(void **state)
{
    (void)state;
    struct side *sides[] = { &one, &two };
    for (int i = 0; i < 2; i++) {
        reload_links_free(sides[i]->links);
        channel_free(sides[i]->out);
    }
    return 0;
}

static void happened(struct side *side, const struct reload_link_event *event)
{
    assert_int_equal(event->link, side->link);
    if (event->type == RELOAD_LINK_DATAGRAM) {
        side->datagrams++;
        side->longest = event->message.n > side->longest ? event->message.n : side->longest;
        channel_put(side->out, event->message.p, event->message.n, net_now().monotonic_ms);
    } else if (event->type == RELOAD_LINK_UP) {
        side->ups++;
        side->type = event->link_type;
        side->mtu = event->mtu;
    } else if (event->type == RELOAD_LINK_MTU) {
        side->narrowings++;
        side->mtu = event->mtu;
    } else if (event->type == RELOAD_LINK_DOWN) {
        side->downs++;
        side->error = event->error;
    } else if (event->type == RELOAD_LINK_MESSAGE || event->type == RELOAD_LINK_BYTES) {
        uint32_t number;
        memcpy(&number, event->message.p, sizeof number);
        assert_true(number < sizeof side->seen);
        side->seen[number]++;
        side->messages++;
    }
}

static void run_side(struct side *side, struct side *far)
{
    uint8_t datagram[20000];
    size_t n;
    struct reload_time now = net_now();
    while ((n = channel_get(far->out, datagram, sizeof datagram, now.monotonic_ms)))
        reload_links_channel_input(side->links, side->link, reload_slice_of(datagram, n), now);
    reload_links_process(side->links, now);
    struct reload_link_event event;
    while (reload_links_next(side->links, &event))
        happened(side, &event);
}

static bool until(const size_t *count, size_t wanted)
{
    uint64_t end_ms = net_now().monotonic_ms + 60000;
    while (*count < wanted && net_now().monotonic_ms < end_ms) {
        run_side(&one, &two);
        run_side(&two, &one);
        struct timespec half_ms = { .tv_nsec = 500000 };
        nanosleep(&half_ms, NULL);
    }
    return *count >= wanted;
}

static int send_number(struct side *side, uint32_t number, size_t len)
{
    uint8_t message[5000] = { 0 };
    memcpy(message, &number, sizeof number);
    struct reload_slice part = reload_slice_of(message, len);
    return reload_links_send(side->links, side->link, &part, 1, net_now());
}

/* The channel itself, with its checks and keepalives (s6.6.4), is its owner's. */
static void a_link_comes_up_on_a_channel_and_carries_messages(void **state)
{
    (void)state;
    const struct channel_options good = { .delay_ms = 1 };
    struct reload_node_id bobs = node_id_of(0xbb);
    open_sides(&good, 1, 0, &bobs);
    assert_true(until(&one.ups, 1) && until(&two.ups, 1));
    assert_int_equal(one.type, RELOAD_LINK_TYPE_DTLS_UDP_SR);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(send_number(&one, i, 4 + i), 0);
        assert_int_equal(send_number(&two, i, 4 + i), 0);
    }
    assert_true(until(&one.messages, 100) && until(&two.messages, 100));
    reload_links_close(one.links, one.link, "done", net_now());
    assert_true(until(&one.downs, 1) && until(&two.downs, 1));
    assert_int_equal(two.error, 0);
}

/* R6940-6.6.3.1-6 */
static void the_round_trip_of_ice_is_the_first_measurement(void **state)
{
    (void)state;
    const struct channel_options good = { .delay_ms = 1 };
    open_sides(&good, 1, 0, NULL);
    struct reload_link_info info;
    assert_int_equal(reload_links_info(one.links, one.link, &info), 0);
    assert_int_equal(info.rtt_ms, 40);
    assert_int_equal(info.rto_ms, 120);
}

static void another_node_at_the_end_of_the_channel_is_refused_and_told(void **state)
{
    (void)state;
    const struct channel_options good = { .delay_ms = 1 };
    struct reload_node_id other = node_id_of(0x11);
    open_sides(&good, 1, 0, &other);
    assert_true(until(&one.downs, 1));
    assert_int_equal(one.error, RELOAD_E_CERTIFICATE);
    assert_true(until(&two.downs, 1)); /* the alert got through */
    assert_int_equal(one.ups + two.ups, 0);
}

static void a_lost_channel_ends_its_link(void **state)
{
    (void)state;
    const struct channel_options good = { .delay_ms = 1 };
    open_sides(&good, 1, 0, NULL);
    assert_true(until(&one.ups, 1) && until(&two.ups, 1));
    reload_links_channel_lost(one.links, one.link, "consent expired", net_now());
    assert_true(until(&one.downs, 1));
    assert_int_equal(one.error, RELOAD_E_CLOSED);
    assert_int_equal(send_number(&one, 0, 4), RELOAD_E_NOT_FOUND);
    reload_links_channel_input(one.links, one.link, reload_slice_of("\x16", 1), net_now());
}

/* R6940-6.5.1.13-1 */
static void an_application_gets_its_datagrams_over_a_channel(void **state)
{
    (void)state;
    const struct channel_options lossy = { .delay_ms = 1, .loss_permille = 100 };
    struct reload_node_id bobs = node_id_of(0xbb);
    raw = true;
    open_sides(&lossy, 3, 0, &bobs);
    raw = false;
    assert_true(until(&one.ups, 1) && until(&two.ups, 1));
    assert_int_equal(one.type, RELOAD_LINK_TYPE_DTLS_UDP_SR);
    uint8_t datagram[1000] = { 0 };
    for (uint32_t i = 0; i < 200; i++) {
        memcpy(datagram, &i, sizeof i);
        int status = reload_links_send_raw(one.links, one.link,
                                           reload_slice_of(datagram, sizeof datagram), net_now());
        assert_int_equal(status, 0);
    }
    assert_true(until(&two.messages, 140));
    for (int i = 0; i < 200; i++)
        assert_true(two.seen[i] <= 1);
    assert_true(two.messages < 200); /* what is lost stays lost */
    reload_links_close(one.links, one.link, "done", net_now());
    assert_true(until(&one.downs, 1));
}

static void what_is_not_dtls_or_too_much_is_dropped(void **state)
{
    (void)state;
    const struct channel_options good = { .delay_ms = 1 };
    open_sides(&good, 1, 0, NULL);
    static uint8_t datagram[2000];
    struct reload_links_stats stats;
    for (unsigned first = 0; first < 256; first++) {
        datagram[0] = (uint8_t)first;
        reload_links_channel_input(one.links, one.link, reload_slice_of(datagram, 100), net_now());
    }
    reload_links_channel_input(one.links, one.link, reload_slice_of(datagram, 0), net_now());
    reload_links_stats(one.links, &stats);
    assert_int_equal(stats.strays, 256 - 44 + 1);
    datagram[0] = 23;
    for (int i = 0; i < 1000; i++)
        reload_links_channel_input(one.links, one.link, reload_slice_of(datagram, 2000), net_now());
    reload_links_stats(one.links, &stats);
    assert_true(stats.strays >= 213 + 1000 - RELOAD_LINK_CHANNEL_BYTES / 2000);
    assert_true(until(&one.ups, 1)); /* none of it disturbs the handshake */
}

/* R6940-6.6.3-2 */
static void bad_channels_are_mastered(void **state)
{
    (void)state;
    const unsigned losses[] = { 50, 100, 200 };
    for (size_t i = 0; i < 3; i++) {
        const struct channel_options bad = { .loss_permille = losses[i],
                                             .delay_ms = 20,
                                             .jitter_ms = 10,
                                             .reorder_permille = 100,
                                             .duplicate_permille = 20 };
        open_sides(&bad, 10 * i, i == 1 ? 576 : 1280, NULL);
        assert_true(until(&one.ups, 1) && until(&two.ups, 1));
        for (uint32_t n = 0; n < 200; n++) {
            while (send_number(&one, n, 300) == RELOAD_E_LIMIT)
                until(&one.messages, one.messages + 1);
            while (send_number(&two, n, 300) == RELOAD_E_LIMIT)
                until(&two.messages, two.messages + 1);
        }
        assert_true(until(&one.messages, 199) && until(&two.messages, 199));
        for (uint32_t n = 0; n < 200; n++)
            assert_true(one.seen[n] <= 1 && two.seen[n] <= 1); /* nothing twice */
        assert_int_equal(one.downs + two.downs, 0);
        if (i == 1)
            assert_true(one.longest <= 576 - 28 && two.longest <= 576 - 28);
        close_sides(NULL);
    }
    const struct channel_options good = { .delay_ms = 1 };
    open_sides(&good, 1, 0, NULL);
}

/* Also the datagrams of a handshake are too long there; repeated, they are shorter. */
static void a_link_works_on_a_path_that_drops_long_datagrams(void **state)
{
    (void)state;
    const struct channel_options narrow = { .delay_ms = 1, .largest = 576 - 28 };
    open_sides(&narrow, 1, 0, NULL);
    assert_true(until(&one.ups, 1) && until(&two.ups, 1));
    assert_int_equal(send_number(&one, 0, 1000), 0);
    assert_int_equal(send_number(&two, 0, 1000), 0);
    assert_true(until(&one.narrowings, 1) && until(&two.narrowings, 1));
    for (uint32_t n = 1; n < 10; n++) {
        assert_int_equal(send_number(&one, n, one.mtu), 0);
        assert_int_equal(send_number(&two, n, two.mtu), 0);
    }
    assert_true(until(&one.messages, 9) && until(&two.messages, 9));
    assert_int_equal(one.downs + two.downs, 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, close_sides)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_link_comes_up_on_a_channel_and_carries_messages),
        TEST(the_round_trip_of_ice_is_the_first_measurement),
        TEST(another_node_at_the_end_of_the_channel_is_refused_and_told),
        TEST(a_lost_channel_ends_its_link),
        TEST(an_application_gets_its_datagrams_over_a_channel),
        TEST(what_is_not_dtls_or_too_much_is_dropped),
        TEST(a_link_works_on_a_path_that_drops_long_datagrams),
        TEST(bad_channels_are_mastered),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
