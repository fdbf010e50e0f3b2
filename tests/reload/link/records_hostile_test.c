#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "couple.h"
#include "forge.h"
#include "reload/alloc.h"
#include "reload/frame/frame.h"
#include "reload/link/datagram.h"
#include "reload/link/engine_internal.h"
#include "reload/link/links_internal.h"

/* Records of TLS and DTLS that no link sends: in the clear beside a link, out of turn in a
 * handshake, and by a node of the overlay that has gone bad. */

static reload_link_id honest; /* a is, and linked to b in each test: its id there */
static struct raw_client client;
static struct forge forge;

static int open_hosts(void **state)
{
    (void)state;
    couple_open_datagrams(&alice, NULL);
    honest = couple_link_datagrams();
    raw_client_open(&client, &alice, &bare_port);
    return 0;
}

static int close_hosts(void **state)
{
    raw_client_close(&client);
    return couple_close(state);
}

static void client_up(void)
{
    assert_true(raw_client_until_up(&client));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 2));
}

/* The honest link carries a message; nobody else's did. */
static void assert_honest_link_works(size_t others)
{
    static uint32_t number;
    size_t messages = host_b.count[RELOAD_LINK_MESSAGE];
    assert_int_equal(messages, others);
    number++;
    assert_int_equal(host_send(&host_a, honest, &number, sizeof number), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, messages + 1));
    assert_memory_equal(host_b.message, &number, sizeof number);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN], 0);
}

/* That of the client does. */
static void assert_client_works(uint32_t sequence)
{
    uint8_t frame[RELOAD_FRAME_DATA_HEADER_LEN + 4] = { 0 };
    size_t messages = host_b.count[RELOAD_LINK_MESSAGE];
    reload_frame_data_header(frame, sequence, 4);
    memcpy(frame + RELOAD_FRAME_DATA_HEADER_LEN, &sequence, sizeof sequence);
    forge_sealed(&forge, FORGE_APPLICATION_DATA, frame, sizeof frame);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, messages + 1));
}

/* --- in the clear --- */

static const uint8_t close_notify[] = { 1, 0 }, fatal[] = { 2, 40 };
static const uint8_t hello_request[12] = { 0 };

/* Whoever knows the two addresses can send these (RFC 6347 s4.1.2.7). */
static void records_in_the_clear_do_nothing_to_a_link(void **state)
{
    (void)state;
    uint8_t frame[] = { 128, 0, 0, 0, 0, 0, 0, 1, 'x' };
    client_up();
    for (unsigned type = 0; type < 256; type++)
        for (unsigned epoch = 0; epoch < 3; epoch++) {
            forge_plain(&client, (uint8_t)type, (uint16_t)epoch, 1u << 20, frame, sizeof frame);
            net_turn();
        }
    for (uint16_t epoch = 0; epoch < 3; epoch++) {
        for (uint64_t i = 0; i < 20; i++) {
            forge_plain(&client, FORGE_ALERT, epoch, 1000 + i, close_notify, sizeof close_notify);
            forge_plain(&client, FORGE_ALERT, epoch, 2000 + i, fatal, sizeof fatal);
            forge_plain(&client, FORGE_CHANGE_CIPHER_SPEC, epoch, 3000 + i, "\1", 1);
            forge_plain(&client, FORGE_HANDSHAKE, epoch, 4000 + i, hello_request,
                        sizeof hello_request);
            forge_plain(&client, FORGE_HEARTBEAT, epoch, 5000 + i, "\1\100\0", 3);
            net_turn();
        }
    }
    net_for_ms(20);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    assert_int_equal(host_stats(&host_b).links, 2);
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 0);
    forge_init(&forge, &client);
    assert_client_works(0);
    assert_honest_link_works(1);
}

/* R6940-13.2-1. Who sends it between the two ends can break the handshake, as with any record in
 * the clear; but nothing is taken for a frame, and the next attempt succeeds. */
static void application_data_before_the_handshake_is_over_is_not_heard(void **state)
{
    (void)state;
    const uint8_t frame[] = { 128, 0, 0, 0, 0, 0, 0, 1, 'x' };
    for (uint64_t turn = 0; turn < 200 && client.status != 0; turn++) {
        for (uint16_t epoch = 0; epoch < 2; epoch++)
            forge_plain(&client, FORGE_APPLICATION_DATA, epoch, 500 + turn, frame, sizeof frame);
        raw_client_turn(&client);
    }
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).sum.frames_in, 0);
    assert_honest_link_works(0);
    raw_client_close(&client);
    raw_client_open(&client, &alice, &bare_port);
    size_t ups = host_b.count[RELOAD_LINK_UP];
    assert_true(raw_client_until_up(&client));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, ups + 1));
}

/* Fragments of a message of 16 MB, and of messages that are far ahead. */
static void a_handshake_message_without_end_is_refused(void **state)
{
    (void)state;
    struct reload_links_stats before = host_stats(&host_b);
    for (int i = 0; i < 2000 && host_stats(&host_b).accepted == before.accepted; i++)
        raw_client_turn(&client);
    unsigned long allocations = reload_alloc_count();
    uint8_t fragment[1200] = { 11, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 4, 0xa4 };
    for (uint64_t i = 0; i < 3000; i++) {
        fragment[5] = (uint8_t)(1 + i % 20); /* message_seq */
        fragment[7] = (uint8_t)(i >> 8);     /* fragment_offset */
        forge_plain(&client, FORGE_HANDSHAKE, 0, 1000 + i, fragment, sizeof fragment);
        if (i % 16 == 0)
            net_turn();
    }
    net_for_ms(20);
    assert_true(reload_alloc_count() - allocations < 100);
    assert_int_equal(host_b.count[RELOAD_LINK_UP], 1);
    leap_ms += 11000;
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).links, 1);
    assert_int_equal(host_stats(&host_b).failed_tls + host_stats(&host_b).failed_timeout, 1);
    assert_honest_link_works(0);
}

/* --- sealed, by a node of the overlay --- */

static void unknown_types_and_empty_records_are_dropped(void **state)
{
    (void)state;
    client_up();
    forge_init(&forge, &client);
    unsigned long allocations = 0;
    for (int i = 0; i < 20000; i++) {
        if (i == 1000) {
            net_for_ms(20);
            allocations = reload_alloc_count();
        }
        forge_sealed(&forge, FORGE_APPLICATION_DATA, "", 0);
        if (i % 16 == 0)
            net_turn();
    }
    net_for_ms(20);
    assert_int_equal(reload_alloc_count(), allocations);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    assert_client_works(0);
    assert_honest_link_works(1);
}

/* What ends the link ends it once, and only it. */
static void assert_ended_by(uint8_t type, const void *p, size_t n, unsigned times, int error)
{
    size_t downs = host_b.count[RELOAD_LINK_DOWN];
    for (unsigned i = 0; i < times; i++) {
        forge_sealed(&forge, type, p, n);
        if (i % 16 == 0)
            net_turn();
    }
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, downs + 1));
    net_for_ms(20);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], downs + 1);
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, error);
    for (int i = 0; i < 1000; i++) /* nobody is there any more */
        forge_sealed(&forge, type, p, n);
    leap_ms += 2 * RELOAD_LINK_LINGER_MS;
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).links, 1);
    assert_honest_link_works(host_b.count[RELOAD_LINK_MESSAGE]);
}

static void begin_sealed(void)
{
    client_up();
    forge_init(&forge, &client);
    assert_client_works(0);
}

static void a_storm_of_close_notify_is_one_end(void **state)
{
    (void)state;
    begin_sealed();
    assert_ended_by(FORGE_ALERT, close_notify, sizeof close_notify, 1000, 0);
}

static void a_storm_of_fatal_alerts_is_one_end(void **state)
{
    (void)state;
    begin_sealed();
    assert_ended_by(FORGE_ALERT, fatal, sizeof fatal, 1000, RELOAD_E_FORBIDDEN);
}

static void a_storm_of_warnings_ends_the_link(void **state)
{
    (void)state;
    static const uint8_t user_canceled[] = { 1, 90 };
    begin_sealed();
    assert_ended_by(FORGE_ALERT, user_canceled, sizeof user_canceled, 1000, RELOAD_E_DECODE);
}

static void an_alert_that_is_none_ends_the_link(void **state)
{
    (void)state;
    begin_sealed();
    assert_ended_by(FORGE_ALERT, "\7\1", 2, 1, RELOAD_E_DECODE);
}

/* R6940-6.6.1-1: each record counts once, whatever its type. */
static void other_content_types_do_no_more_than_end_the_link(void **state)
{
    (void)state;
    const uint8_t bytes[40] = { 1 };
    for (unsigned type = 0; type < 256; type += type < 30 ? 1 : 25) {
        if (type == FORGE_APPLICATION_DATA)
            continue;
        begin_sealed();
        size_t messages = host_b.count[RELOAD_LINK_MESSAGE];
        for (int i = 0; i < 200; i++) {
            forge_sealed(&forge, (uint8_t)type, bytes, sizeof bytes);
            if (i % 16 == 0)
                net_turn();
        }
        net_for_ms(10);
        assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], messages);
        assert_true(host_b.count[RELOAD_LINK_DOWN] <= 1);
        assert_honest_link_works(messages);
        close_hosts(NULL);
        open_hosts(NULL);
    }
}

/* --- renegotiation, key updates --- */

static void renegotiation_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    client_up();
    SSL_clear_options(client.engine->ssl, SSL_OP_NO_RENEGOTIATION);
    size_t in = client.bytes_in, out = client.bytes_out;
    for (int i = 0; i < 50; i++) {
        if (SSL_renegotiate(client.engine->ssl) != 1)
            break;
        (void)SSL_do_handshake(client.engine->ssl);
        raw_client_turn(&client);
        usleep(1000);
    }
    net_for_ms(20);
    assert_true(client.bytes_out > out);
    assert_true(client.bytes_in - in <= client.bytes_out - out);
    assert_int_equal(host_b.count[RELOAD_LINK_UP], 2);
    assert_honest_link_works(0);
}

/* RFC 5246 s7.2.2: TLS 1.2 still has it, and its answer is a warning. OpenSSL's client takes that
 * for the end, so each one is a link that ends, and no handshake. */
static void renegotiation_on_a_stream_ends_no_other_link(void **state)
{
    (void)state;
    for (size_t i = 1; i <= 5; i++) {
        struct raw raw;
        raw_prepare(&raw, &alice, net_connect(&host_b.at));
        must(SSL_set_max_proto_version(raw.engine->ssl, TLS1_2_VERSION) == 1);
        assert_true(raw_until_up(&raw));
        assert_int_equal(SSL_version(raw.engine->ssl), TLS1_2_VERSION);
        uint8_t frame[RELOAD_FRAME_DATA_HEADER_LEN];
        reload_frame_data_header(frame, 0, 0);
        raw_write(&raw, frame, sizeof frame);
        assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, i));
        SSL_clear_options(raw.engine->ssl, SSL_OP_NO_RENEGOTIATION);
        must(SSL_renegotiate(raw.engine->ssl) == 1);
        (void)SSL_do_handshake(raw.engine->ssl);
        for (int turns = 0; turns < 200 && SSL_in_init(raw.engine->ssl) && !raw.ended; turns++) {
            raw_turn(&raw);
            (void)SSL_do_handshake(raw.engine->ssl);
        }
        assert_int_equal(host_b.count[RELOAD_LINK_UP], 1 + i);
        assert_int_equal(SSL_num_renegotiations(raw.engine->ssl), 1); /* begun by the client */
        raw_close(&raw);
        assert_true(net_events(&host_b, RELOAD_LINK_DOWN, i));
    }
    assert_honest_link_works(5);
}

/* RFC 8446 s4.6.3: each of them wants an answer. With a frame among them now and then they are no
 * flood for OpenSSL. */
static void key_updates_whose_answers_nobody_reads_end_the_link(void **state)
{
    (void)state;
    struct raw raw;
    raw_open_on(&raw, &alice, net_connect_with(&host_b.at, 4096));
    assert_true(raw_until_up(&raw));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 2));
    reload_link_id id = host_b.last[RELOAD_LINK_UP].link;
    const struct reload_link *far = reload_links_find(host_b.links, id);
    assert_int_equal(setsockopt(far->fd, SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int)), 0);
    size_t largest = 0;
    struct reload_link_info info;
    uint8_t frame[RELOAD_FRAME_DATA_HEADER_LEN];
    for (uint32_t i = 0; i < 1500 && host_b.count[RELOAD_LINK_DOWN] == 0; i++) {
        for (int j = 0; j < 30; j++) {
            must(SSL_key_update(raw.engine->ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
            (void)SSL_do_handshake(raw.engine->ssl);
        }
        reload_frame_data_header(frame, i, 0);
        raw_write(&raw, frame, sizeof frame);
        net_turn();
        if (reload_links_info(host_b.links, id, &info) == 0 && info.queued_bytes > largest)
            largest = info.queued_bytes;
    }
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 1);
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_LIMIT);
    assert_int_equal(host_stats(&host_b).failed_unread, 1);
    assert_in_range(largest, 1, 200000);
    assert_honest_link_works(host_b.count[RELOAD_LINK_MESSAGE]);
    raw_close(&raw);
}

static void a_flood_of_key_updates_costs_no_memory(void **state)
{
    (void)state;
    struct raw raw;
    raw_open(&raw, &alice, &host_b.at);
    assert_true(raw_until_up(&raw));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 2));
    net_for_ms(20);
    unsigned long allocations = reload_alloc_count();
    for (int i = 0; i < 3000; i++) {
        must(SSL_key_update(raw.engine->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
        (void)SSL_do_handshake(raw.engine->ssl);
        raw_turn(&raw);
    }
    net_for_ms(20);
    assert_true(reload_alloc_count() - allocations < 3000 + 100); /* those of the one that sends */
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    uint8_t frame[RELOAD_FRAME_DATA_HEADER_LEN];
    reload_frame_data_header(frame, 0, 0);
    raw_write(&raw, frame, sizeof frame);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    assert_honest_link_works(1);
    raw_close(&raw);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_hosts, close_hosts)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_in_the_clear_do_nothing_to_a_link),
        TEST(application_data_before_the_handshake_is_over_is_not_heard),
        TEST(a_handshake_message_without_end_is_refused),
        TEST(unknown_types_and_empty_records_are_dropped),
        TEST(a_storm_of_close_notify_is_one_end),
        TEST(a_storm_of_fatal_alerts_is_one_end),
        TEST(a_storm_of_warnings_ends_the_link),
        TEST(an_alert_that_is_none_ends_the_link),
        TEST(other_content_types_do_no_more_than_end_the_link),
        TEST(renegotiation_is_refused_and_changes_nothing),
        TEST(renegotiation_on_a_stream_ends_no_other_link),
        TEST(key_updates_whose_answers_nobody_reads_end_the_link),
        TEST(a_flood_of_key_updates_costs_no_memory),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
