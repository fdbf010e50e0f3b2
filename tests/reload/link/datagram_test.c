#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "couple.h"
#include "reload/frame/frame.h"
#include "reload/link/datagram.h"

/* DTLS links on sockets, in good order: up, messages, acks, time, close. */

/* R6940-6.6.1-1 R6940-6.5.1.11-1 R6940-6.6.6-1 */
static void a_link_comes_up_at_both_ends_and_is_of_its_type(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    struct reload_node_id bobs = node_id_of(0xbb), alices = node_id_of(0xaa);
    reload_link_id id = 0;
    assert_int_equal(
        reload_links_dial_datagrams(host_a.links, &bare_port, 1, &bobs, net_now(), &id), 0);
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_UP].link, id);
    assert_int_equal(host_a.last[RELOAD_LINK_UP].link_type, RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    assert_int_equal(host_b.last[RELOAD_LINK_UP].link_type, RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    assert_false(host_a.last[RELOAD_LINK_UP].inbound);
    assert_true(host_b.last[RELOAD_LINK_UP].inbound);
    assert_true(reload_link_address_equal(&host_a.last[RELOAD_LINK_UP].address, &bare_port));
    assert_true(reload_node_id_equal(&host_a.peer.node_ids[0], &bobs));
    assert_true(reload_node_id_equal(&host_b.peer.node_ids[0], &alices));
    assert_string_equal(host_info(&host_a, id).tls_version, "DTLSv1.2");
    assert_int_equal(host_info(&host_a, id).link_type, RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    assert_true(host_a.last[RELOAD_LINK_UP].mtu > 1100 && host_a.last[RELOAD_LINK_UP].mtu < 1280);
    assert_int_equal(host_stats(&host_b).challenged, 1);
}

/* R6940-6.6.2-3 R6940-6.6.2-4 R6940-6.6.3-2 R6940-6.6.2-8 */
static void messages_travel_both_ways_and_each_is_acknowledged(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_link_datagrams();
    struct reload_slice parts[] = { reload_slice_of("RE", 2), reload_slice_of(NULL, 0),
                                    reload_slice_of("LOAD", 4) };
    assert_int_equal(reload_links_send(host_a.links, id, parts, 3, net_now()), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    assert_int_equal(host_b.message_len, 6);
    assert_memory_equal(host_b.message, "RELOAD", 6);
    assert_int_equal(host_b.last[RELOAD_LINK_MESSAGE].link, couple_far_id());
    assert_int_equal(host_send(&host_b, couple_far_id(), "", 0), 0);
    assert_true(net_events(&host_a, RELOAD_LINK_MESSAGE, 1));
    assert_int_equal(host_a.message_len, 0);
    net_for_ms(20);
    struct reload_link_counters at_a = host_stats(&host_a).sum, at_b = host_stats(&host_b).sum;
    assert_int_equal(at_a.acks_in, 1);
    assert_int_equal(at_b.acks_in, 1);
    assert_int_equal(at_a.messages_out, 1);
    assert_int_equal(at_a.messages_in, 1);
    assert_int_equal(at_a.frames_out, 2);
    assert_int_equal(at_a.message_bytes_out, 6);
    /* The ClientHello without a cookie was nobody's. */
    uint64_t unclaimed = at_a.bytes_out - at_b.bytes_in;
    assert_true(unclaimed > 60 && unclaimed < 400);
    assert_int_equal(host_info(&host_a, id).unacked, 0);
    assert_int_equal(host_info(&host_a, id).queued_messages, 0);
}

static void messages_of_all_sizes_arrive_whole(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 65536 };
    couple_open_datagrams(&alice, &options);
    reload_link_id id = couple_link_datagrams();
    static uint8_t message[RELOAD_LINK_DATAGRAM_MESSAGE_MAX + 1];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 31);
    size_t count = 0;
    for (size_t len = 1; len < sizeof message; len = len * 3 / 2 + 1) {
        message[0]++;
        assert_int_equal(host_send(&host_a, id, message, len), 0);
        assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, ++count));
        assert_int_equal(host_b.message_len, len);
        assert_memory_equal(host_b.message, message, len);
    }
    assert_int_equal(host_send(&host_a, id, message, sizeof message - 1), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, ++count));
    assert_int_equal(host_b.message_len, sizeof message - 1);
    assert_int_equal(host_send(&host_a, id, message, sizeof message), RELOAD_E_INVALID);
}

static void a_thousand_messages_each_way_arrive_once(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_link_datagrams();
    uint32_t sent_a = 0, sent_b = 0;
    uint8_t message[1000] = { 0 };
    while (sent_a < 1000 || sent_b < 1000) {
        memcpy(message, &sent_a, 4);
        while (sent_a < 1000 && host_send(&host_a, id, message, sizeof message) == 0)
            memcpy(message, (sent_a++, &sent_a), 4);
        memcpy(message, &sent_b, 4);
        while (sent_b < 1000 && host_send(&host_b, couple_far_id(), message, sizeof message) == 0)
            memcpy(message, (sent_b++, &sent_b), 4);
        net_turn();
    }
    assert_true(net_events(&host_a, RELOAD_LINK_MESSAGE, 1000));
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1000));
    net_for_ms(50);
    assert_int_equal(host_a.count[RELOAD_LINK_MESSAGE], 1000);
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 1000);
    assert_int_equal(host_info(&host_a, id).queued_messages, 0);
}

/* R6940-6.6.2-4: one ack for what came at one time, whose mask names all of it. */
static void messages_that_come_together_are_acknowledged_together(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_link_datagrams();
    host_b.deaf = true;
    for (uint8_t i = 0; i < 4; i++)
        assert_int_equal(host_send(&host_a, id, &i, 1), 0);
    net_for_ms(5);
    assert_int_equal(host_info(&host_a, id).unacked, 4);
    host_b.deaf = false;
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 4));
    net_for_ms(20);
    assert_int_equal(host_info(&host_a, id).unacked, 0);
    assert_int_equal(host_stats(&host_a).sum.acks_in, 1);
    assert_int_equal(host_stats(&host_a).sum.retransmissions, 0);
}

static void small_paths_carry_what_their_mtu_tells_in_one_packet(void **state)
{
    (void)state;
    const uint16_t mtus[] = { 576, 1280 };
    for (size_t i = 0; i < 2; i++) {
        struct host_options options = { .path_mtu = mtus[i] };
        couple_open_datagrams(&alice, &options);
        reload_link_id id = couple_link_datagrams();
        uint32_t mtu = host_a.last[RELOAD_LINK_UP].mtu;
        assert_true(mtu >= mtus[i] - 100u && mtu < mtus[i] - 28u);
        static const uint8_t message[2000];
        uint64_t before = host_info(&host_a, id).counters.bytes_out;
        assert_int_equal(host_send(&host_a, id, message, mtu), 0);
        assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
        assert_true(host_info(&host_a, id).counters.bytes_out - before <= mtus[i] - 28u);
        couple_close(NULL);
    }
    couple_open_datagrams(&alice, NULL);
}

/* R6940-6.6.3.1-1 */
static void stop_and_wait_can_be_chosen_and_talks_to_a_window(void **state)
{
    (void)state;
    struct host_options options = { .stop_and_wait = true };
    leap_ms = 0;
    host_open(&host_a, &alice, &options);
    host_open(&host_b, &bob, NULL);
    struct reload_link_address any;
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    assert_int_equal(reload_links_listen_datagrams(host_b.links, &any, &bare_port), 0);
    net_hosts(&host_a, &host_b);
    reload_link_id id = couple_link_datagrams();
    for (uint8_t i = 0; i < 10; i++) {
        assert_int_equal(host_send(&host_a, id, &i, 1), 0);
        assert_int_equal(host_send(&host_b, couple_far_id(), &i, 1), 0);
    }
    assert_true(net_events(&host_a, RELOAD_LINK_MESSAGE, 10));
    assert_true(host_info(&host_a, id).unacked <= 1);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 10));
}

static void closing_waits_for_acks_and_tells_the_far_end(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_link_datagrams();
    for (int i = 0; i < 50; i++)
        assert_int_equal(host_send(&host_a, id, &i, sizeof i), 0);
    reload_links_close(host_a.links, id, "done", net_now());
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 50);
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, 0);
    assert_string_equal(host_a.reason, "done");
    assert_string_equal(host_b.reason, "closed by the far end");
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, 0);
    net_for_ms(20);
    assert_int_equal(host_stats(&host_a).links, 0);
    assert_int_equal(host_stats(&host_b).links, 0);
}

/* R6940-6.6.3.1-12 R6940-6.6.3.1-13 R6940-6.6.3.1-11 */
static void a_far_end_that_falls_silent_is_suspect_then_down(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_link_datagrams();
    host_b.deaf = true;
    assert_int_equal(host_send(&host_a, id, "?", 1), 0);
    for (int i = 0; i < 4; i++) {
        net_for_ms(5);
        leap_ms += 500u << i;
    }
    assert_true(net_events(&host_a, RELOAD_LINK_SUSPECT, 1));
    assert_int_equal(host_info(&host_a, id).suspect, true);
    host_b.deaf = false;
    assert_true(net_events(&host_a, RELOAD_LINK_RECOVERED, 1));
    net_for_ms(20);
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 1); /* of five transmissions */
    assert_int_equal(host_stats(&host_b).sum.repeated, 4);
    host_b.deaf = true;
    assert_int_equal(host_send(&host_a, id, "!", 1), 0);
    for (int i = 0; i < 8; i++) {
        net_for_ms(5);
        leap_ms += 70000; /* no RTO is longer than 60 s */
    }
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_TIMEOUT);
    assert_int_equal(host_stats(&host_a).failed_dead, 1);
}

/* What the far end may have missed is the owner's again, what it has acknowledged is not. */
static void a_link_that_fails_gives_back_what_was_not_acknowledged(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_link_datagrams();
    assert_int_equal(host_send(&host_a, id, "arrives", 7), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    net_for_ms(20); /* its ack */
    net_hosts(&host_a, NULL);
    host_close(&host_b);
    assert_int_equal(host_send(&host_a, id, "one", 3), 0);
    assert_int_equal(host_send(&host_a, id, "two", 3), 0);
    assert_true(net_events(&host_a, RELOAD_LINK_RETURNED, 2));
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN], 1);
    assert_int_equal(host_a.message_len, 3);
    assert_memory_equal(host_a.message, "two", 3);
    net_for_ms(20);
    assert_int_equal(host_a.count[RELOAD_LINK_RETURNED], 2);
    host_open(&host_b, &bob, NULL);
}

/* An end in order is not a failure: it waits for the acks. */
static void a_link_that_is_closed_gives_nothing_back(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    reload_link_id id = couple_link_datagrams();
    assert_int_equal(host_send(&host_a, id, "last words", 10), 0);
    reload_links_close(host_a.links, id, "done", net_now());
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    net_for_ms(50);
    assert_int_equal(host_a.count[RELOAD_LINK_RETURNED], 0);
}

/* R6940-6.6-1 */
static void a_message_above_max_message_size_is_shown_and_the_link_closed(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 500 };
    host_open(&host_b, &bob, &options);
    host_open(&host_a, &alice, NULL);
    leap_ms = 0;
    struct reload_link_address any;
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    assert_int_equal(reload_links_listen_datagrams(host_b.links, &any, &bare_port), 0);
    net_hosts(&host_a, &host_b);
    reload_link_id id = couple_link_datagrams();
    uint8_t message[501] = "head";
    assert_int_equal(host_send(&host_a, id, message, 501), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_OVERSIZE, 1));
    assert_int_equal(host_b.message_len, 500);
    assert_int_equal(host_send(&host_b, couple_far_id(), "too large", 9),
                     0); /* the answer still gets out */
    assert_true(net_events(&host_a, RELOAD_LINK_MESSAGE, 1));
    leap_ms += RELOAD_LINK_LINGER_MS;
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
}

static void a_full_queue_lets_its_owner_wait(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, &(struct host_options){ .stop_and_wait = true });
    reload_link_id id = couple_link_datagrams();
    host_b.deaf = true;
    size_t taken = 0;
    while (host_send(&host_a, id, "message", 7) == 0)
        taken++;
    assert_true(taken >= 256);
    net_turn(); /* one is under way now */
    while (host_send(&host_a, id, "message", 7) == 0)
        ;
    net_turn();
    assert_int_equal(host_send(&host_a, id, "message", 7), RELOAD_E_LIMIT);
    assert_true(reload_links_deadline(host_a.links) >
                net_now().monotonic_ms); /* until an ack or RTO */
    host_b.deaf = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_link_comes_up_at_both_ends_and_is_of_its_type),
        COUPLE(messages_travel_both_ways_and_each_is_acknowledged),
        COUPLE(messages_of_all_sizes_arrive_whole),
        COUPLE(a_thousand_messages_each_way_arrive_once),
        COUPLE(messages_that_come_together_are_acknowledged_together),
        COUPLE(small_paths_carry_what_their_mtu_tells_in_one_packet),
        COUPLE(stop_and_wait_can_be_chosen_and_talks_to_a_window),
        COUPLE(closing_waits_for_acks_and_tells_the_far_end),
        COUPLE(a_far_end_that_falls_silent_is_suspect_then_down),
        COUPLE(a_link_that_fails_gives_back_what_was_not_acknowledged),
        COUPLE(a_link_that_is_closed_gives_nothing_back),
        COUPLE(a_message_above_max_message_size_is_shown_and_the_link_closed),
        COUPLE(a_full_queue_lets_its_owner_wait),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
