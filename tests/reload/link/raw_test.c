#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "couple.h"
#include "reload/link/raw.h"

/* Connections of applications (AppAttach) in good order: bytes and datagrams, back-pressure, ends.
 */

static struct reload_link_address door;

static reload_invitation_id invite(uint8_t type)
{
    reload_invitation_id id = 0;
    struct reload_link_address any;
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    assert_int_equal(reload_links_invite(host_b.links, 10000, net_now(), &id), 0);
    assert_int_equal(reload_links_invite_at(host_b.links, id, type, &any, &door), 0);
    assert_int_not_equal(door.port, 0);
    return id;
}

static reload_link_id dial(uint8_t type)
{
    struct reload_node_id bobs = node_id_of(0xbb);
    reload_link_id id = 0;
    assert_int_equal(reload_links_dial_raw(host_a.links, type, &door, 1, &bobs, RELOAD_LINK_CLIENT,
                                           net_now(), &id),
                     0);
    return id;
}

static reload_link_id connect_hosts(uint8_t type)
{
    struct reload_node_id alices = node_id_of(0xaa);
    reload_invitation_id invitation = invite(type);
    assert_int_equal(reload_links_admit(host_b.links, invitation, &alices, 10000, net_now()), 0);
    reload_link_id id = dial(type);
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    assert_int_equal(host_b.last[RELOAD_LINK_UP].invitation, invitation);
    return id;
}

static int send_raw(struct host *host, reload_link_id id, const void *p, size_t n)
{
    return reload_links_send_raw(host->links, id, reload_slice_of(p, n), net_now());
}

/* R6940-6.5.1.11-1 R6940-13.2-1 */
static void a_byte_channel_comes_up_and_says_who_is_there(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    struct reload_node_id alices = node_id_of(0xaa), bobs = node_id_of(0xbb);
    const struct reload_link_event *up = &host_b.last[RELOAD_LINK_UP];
    assert_true(up->raw && up->inbound);
    assert_int_equal(up->link_type, RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    assert_int_equal(up->mtu, 0);
    assert_true(reload_link_address_equal(&up->local, &door));
    assert_true(reload_node_id_equal(&host_b.peer.node_ids[0], &alices));
    assert_true(reload_node_id_equal(&host_a.peer.node_ids[0], &bobs));
    assert_true(reload_link_address_equal(&host_a.last[RELOAD_LINK_UP].address, &door));
    assert_int_equal(host_a.last[RELOAD_LINK_UP].invitation, 0);
    struct reload_link_info info = host_info(&host_a, id);
    assert_true(info.raw && info.up);
    assert_int_equal(host_stats(&host_a).raw, 1);
    assert_int_equal(host_stats(&host_b).invitations, 0);
    assert_int_equal(net_connect(&door), -1); /* the port is closed */
}

static void bytes_pass_unchanged_and_without_frames(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    static const uint8_t hello[] = { 0, 128, 129, 0, 0, 0, 0, 255, '\n' };
    assert_int_equal(send_raw(&host_a, id, hello, sizeof hello), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_BYTES, 1));
    assert_int_equal(host_b.message_len, sizeof hello);
    assert_memory_equal(host_b.message, hello, sizeof hello);
    assert_int_equal(send_raw(&host_b, couple_far_id(), "ok", 2), 0);
    assert_true(net_events(&host_a, RELOAD_LINK_BYTES, 1));
    assert_int_equal(host_a.message_len, 2);
    assert_int_equal(host_stats(&host_a).sum.frames_in + host_stats(&host_a).sum.frames_out, 0);
    assert_int_equal(host_stats(&host_b).sum.message_bytes_in, sizeof hello);
}

/* Sends until the queue is full, and again each time there is room. */
static uint64_t pump(size_t total, uint64_t *refusals)
{
    static uint8_t piece[RELOAD_LINK_PIECE_MAX];
    reload_link_id id = host_a.last[RELOAD_LINK_UP].link;
    uint64_t hash = 0;
    size_t sent = 0, room = host_a.count[RELOAD_LINK_WRITABLE];
    while (sent < total) {
        size_t n = 1 + (sent * 7919) % sizeof piece;
        n = n < total - sent ? n : total - sent;
        for (size_t i = 0; i < n; i++)
            piece[i] = (uint8_t)((sent + i) * 31 >> 3);
        int status = send_raw(&host_a, id, piece, n);
        if (status == 0) {
            hash = bytes_hashed(hash, piece, n);
            sent += n;
            continue;
        }
        assert_int_equal(status, RELOAD_E_LIMIT);
        ++*refusals;
        assert_true(net_events(&host_a, RELOAD_LINK_WRITABLE, ++room));
    }
    return hash;
}

static void a_full_queue_refuses_and_tells_when_there_is_room(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    uint64_t refusals = 0, hash = pump(20 << 20, &refusals);
    for (int i = 0; i < 20000 && host_b.bytes_len < 20 << 20; i++)
        net_turn();
    assert_int_equal(host_b.bytes_len, 20 << 20);
    assert_true(host_b.bytes_hash == hash);
    assert_true(refusals > 0);
    assert_int_equal(host_stats(&host_a).sum.queue_drops, refusals);
}

static void a_reader_that_pauses_stops_the_writer_and_loses_nothing(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    static uint8_t piece[RELOAD_LINK_PIECE_MAX];
    reload_links_pause_raw(host_b.links, couple_far_id(), true, net_now());
    size_t sent = 0;
    for (int quiet = 0; quiet < 50; net_turn())
        if (send_raw(&host_a, id, piece, sizeof piece) == 0)
            sent += sizeof piece, quiet = 0;
        else
            quiet++;
    assert_true(host_b.bytes_len < 64 * 1024);
    assert_true(sent < 64u << 20); /* sockets and one queue, no more */
    reload_links_pause_raw(host_b.links, couple_far_id(), false, net_now());
    for (int i = 0; i < 20000 && host_b.bytes_len < sent; i++)
        net_turn();
    assert_int_equal(host_b.bytes_len, sent);
    assert_true(net_events(&host_a, RELOAD_LINK_WRITABLE, 1));
}

static void each_direction_ends_by_itself_and_after_its_last_byte(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    uint64_t refusals = 0;
    pump(4 << 20, &refusals);
    reload_links_end_raw(host_a.links, id, net_now());
    assert_int_equal(send_raw(&host_a, id, "x", 1), RELOAD_E_STATE);
    assert_true(net_events(&host_b, RELOAD_LINK_ENDED, 1));
    assert_int_equal(host_b.bytes_len, 4 << 20);
    net_for_ms(30);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN] + host_b.count[RELOAD_LINK_DOWN], 0);
    assert_int_equal(send_raw(&host_b, couple_far_id(), "late", 4),
                     0); /* the other half still works */
    reload_links_end_raw(host_b.links, couple_far_id(), net_now());
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_memory_equal(host_a.message, "late", 4);
    assert_int_equal(host_a.count[RELOAD_LINK_ENDED], 1);
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, 0);
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, 0);
    assert_int_equal(leap_ms, 0);
}

static void a_close_ends_both_directions(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    assert_int_equal(send_raw(&host_a, id, "last", 4), 0);
    reload_links_close(host_a.links, id, "enough", net_now());
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_ENDED, 1));
    assert_int_equal(host_b.message_len, 4);
    reload_links_end_raw(host_b.links, couple_far_id(), net_now());
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, 0);
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, 0);
    assert_int_equal(send_raw(&host_a, id, "x", 1), RELOAD_E_NOT_FOUND);
}

static void the_end_of_a_process_is_not_the_end_of_the_bytes(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    reload_links_free(host_a.links); /* no close_notify: as if killed */
    host_a.links = NULL;
    net_hosts(&host_b, NULL);
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_CLOSED);
    assert_int_equal(host_b.count[RELOAD_LINK_ENDED], 0);
}

static void a_far_end_that_breaks_is_noticed_while_paused(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    reload_links_pause_raw(host_b.links, couple_far_id(), true, net_now());
    assert_int_equal(send_raw(&host_b, couple_far_id(), "unread", 6), 0);
    reload_links_pause_raw(host_a.links, id, true, net_now());
    net_for_ms(20);
    reload_links_free(host_a.links); /* with unread input TCP resets */
    host_a.links = NULL;
    net_hosts(&host_b, NULL);
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_CLOSED);
}

static void frames_and_raw_bytes_do_not_mix(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct reload_node_id bobs = node_id_of(0xbb);
    reload_link_id id = 0;
    assert_int_equal(reload_links_dial_raw(host_a.links, 99, &host_b.at, 1, &bobs,
                                           RELOAD_LINK_SERVER, net_now(), &id),
                     RELOAD_E_INVALID);
    /* An overlay listener serves frames: raw bytes are none, and are refused as such. */
    assert_int_equal(reload_links_dial_raw(host_a.links, RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE,
                                           &host_b.at, 1, &bobs, RELOAD_LINK_CLIENT, net_now(),
                                           &id),
                     0);
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    assert_int_equal(send_raw(&host_a, id, "INVITE sip:", 11), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_stats(&host_b).failed_framing, 1);
    assert_int_equal(host_send(&host_a, id, "x", 1),
                     RELOAD_E_NOT_FOUND); /* nor frames on raw links */
}

static void datagrams_keep_their_bounds_both_ways(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    assert_int_equal(host_b.last[RELOAD_LINK_UP].link_type, RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    assert_in_range(host_a.last[RELOAD_LINK_UP].mtu, 1100, 1280);
    assert_int_equal(host_a.last[RELOAD_LINK_UP].mtu, host_b.last[RELOAD_LINK_UP].mtu);
    static uint8_t datagram[RELOAD_LINK_RAW_DATAGRAM_MAX + 1];
    static const size_t lengths[] = { 1, 700, 1200, 5000, RELOAD_LINK_RAW_DATAGRAM_MAX };
    for (size_t i = 0; i < 5; i++) {
        memset(datagram, (int)i + 1, sizeof datagram);
        assert_int_equal(send_raw(&host_a, id, datagram, lengths[i]), 0);
        assert_true(net_events(&host_b, RELOAD_LINK_BYTES, i + 1));
        assert_int_equal(host_b.message_len, lengths[i]);
        assert_memory_equal(host_b.message, datagram, lengths[i]);
        assert_int_equal(send_raw(&host_b, couple_far_id(), datagram, lengths[i]), 0);
        assert_true(net_events(&host_a, RELOAD_LINK_BYTES, i + 1));
        assert_int_equal(host_a.message_len, lengths[i]);
    }
    assert_int_equal(send_raw(&host_a, id, datagram, sizeof datagram), RELOAD_E_INVALID);
    assert_int_equal(send_raw(&host_a, id, datagram, 0), RELOAD_E_INVALID);
    assert_int_equal(host_stats(&host_a).sum.frames_out, 0);
}

static void a_datagram_channel_closes_as_a_whole(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    assert_int_equal(send_raw(&host_a, id, "bye", 3), 0);
    reload_links_end_raw(host_a.links, id, net_now());
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_memory_equal(host_b.message, "bye", 3);
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, 0);
    net_for_ms(20);
    struct reload_link_address again;
    reload_invitation_id next = 0;
    assert_int_equal(reload_links_invite(host_b.links, 10000, net_now(), &next), 0);
    assert_int_equal(reload_links_invite_at(host_b.links, next, RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE,
                                            &door, &again),
                     0); /* the port is free again */
}

static void datagrams_for_a_paused_reader_are_dropped_and_counted(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    reload_links_pause_raw(host_b.links, couple_far_id(), true, net_now());
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_raw(&host_a, id, "x", 1), 0);
    for (int i = 0; i < 2000 && host_stats(&host_b).dropped_datagrams < 3; i++)
        net_turn();
    assert_int_equal(host_stats(&host_b).dropped_datagrams, 3);
    reload_links_pause_raw(host_b.links, couple_far_id(), false, net_now());
    assert_int_equal(send_raw(&host_a, id, "heard", 5), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_BYTES, 1));
    assert_int_equal(host_b.count[RELOAD_LINK_BYTES], 1);
    assert_memory_equal(host_b.message, "heard", 5);
}

static void a_datagram_to_a_dead_process_brings_the_channel_down(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    connect_hosts(RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    reload_links_free(host_a.links);
    host_a.links = NULL;
    net_hosts(&host_b, NULL);
    assert_int_equal(send_raw(&host_b, couple_far_id(), "anybody?", 8), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_IO);
}

static void nothing_of_an_application_is_captured(void **state)
{
    (void)state;
    char path[] = "/tmp/reload_raw_XXXXXX";
    close(mkstemp(path));
    struct host_options options = { 0 };
    assert_int_equal(reload_pcap_open(path, &options.pcap), 0);
    struct stat empty, after;
    reload_pcap_flush(options.pcap);
    assert_int_equal(stat(path, &empty), 0);
    couple_open(&alice, &bob, &options);
    reload_link_id id = connect_hosts(RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    assert_int_equal(send_raw(&host_a, id, "private", 7), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_BYTES, 1));
    reload_pcap_flush(options.pcap);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(empty.st_size, after.st_size);
    couple_close(NULL);
    reload_pcap_close(options.pcap);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_byte_channel_comes_up_and_says_who_is_there),
        COUPLE(bytes_pass_unchanged_and_without_frames),
        COUPLE(a_full_queue_refuses_and_tells_when_there_is_room),
        COUPLE(a_reader_that_pauses_stops_the_writer_and_loses_nothing),
        COUPLE(each_direction_ends_by_itself_and_after_its_last_byte),
        COUPLE(a_close_ends_both_directions),
        COUPLE(the_end_of_a_process_is_not_the_end_of_the_bytes),
        COUPLE(a_far_end_that_breaks_is_noticed_while_paused),
        COUPLE(frames_and_raw_bytes_do_not_mix),
        COUPLE(datagrams_keep_their_bounds_both_ways),
        COUPLE(a_datagram_channel_closes_as_a_whole),
        COUPLE(datagrams_for_a_paused_reader_are_dropped_and_counted),
        COUPLE(a_datagram_to_a_dead_process_brings_the_channel_down),
        cmocka_unit_test(nothing_of_an_application_is_captured),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
