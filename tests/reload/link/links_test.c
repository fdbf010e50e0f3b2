#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "couple.h"
#include "reload/alloc.h"
#include "reload/frame/frame.h"

/* Links in good order: up, messages, acks, close. */

/* R6940-6.6.1-1 R6940-6.5.1.11-1 */
static void an_idle_link_comes_up_at_both_ends(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct reload_node_id bobs = node_id_of(0xbb), alices = node_id_of(0xaa);
    reload_link_id id = host_dial(&host_a, &host_b.at, &bobs);
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    assert_int_equal(leap_ms, 0); /* by word of the server, not by waiting */
    assert_int_equal(host_a.last[RELOAD_LINK_UP].link, id);
    assert_false(host_a.last[RELOAD_LINK_UP].inbound);
    assert_true(host_b.last[RELOAD_LINK_UP].inbound);
    assert_int_equal(host_a.last[RELOAD_LINK_UP].link_type, 4);
    assert_true(reload_link_address_equal(&host_a.last[RELOAD_LINK_UP].address, &host_b.at));
    assert_true(reload_node_id_equal(&host_a.peer.node_ids[0], &bobs));
    assert_true(reload_node_id_equal(&host_b.peer.node_ids[0], &alices));
}

/* R6940-6.6.2-3 R6940-6.6.2-4 R6940-6.6.2-8 */
static void messages_travel_both_ways_and_each_is_acknowledged(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = couple_link();
    struct reload_slice parts[] = { reload_slice_of("RE", 2), reload_slice_of(NULL, 0),
                                    reload_slice_of("LOAD", 4) };
    assert_int_equal(reload_links_send(host_a.links, id, parts, 3, net_now()), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    assert_int_equal(host_b.message_len, 6);
    assert_memory_equal(host_b.message, "RELOAD", 6);
    assert_int_equal(host_b.last[RELOAD_LINK_MESSAGE].link, couple_far_id());
    assert_int_equal(host_send(&host_b, couple_far_id(), "", 0),
                     0); /* an empty message is one too */
    assert_true(net_events(&host_a, RELOAD_LINK_MESSAGE, 1));
    assert_int_equal(host_a.message_len, 0);
    net_for_ms(20);
    assert_int_equal(host_stats(&host_a).sum.acks_in, 1);
    assert_int_equal(host_stats(&host_b).sum.acks_in, 1);
    assert_int_equal(host_stats(&host_a).sum.messages_out, 1);
    assert_int_equal(host_stats(&host_a).sum.messages_in, 1);
    assert_int_equal(host_stats(&host_a).sum.frames_out, 2);
    assert_int_equal(host_stats(&host_a).sum.message_bytes_out, 6);
    assert_int_equal(host_stats(&host_a).sum.bytes_out, host_stats(&host_b).sum.bytes_in);
    struct reload_link_info info = host_info(&host_a, id);
    assert_int_equal(info.unacked, 0);
}

static void numbered(uint8_t *message, uint32_t number)
{
    memcpy(message, &number, 4);
}

static void messages_of_all_sizes_arrive_whole_and_in_order(void **state)
{
    (void)state;
    struct host_options options = { .max_message_size = 65536 };
    couple_open(&alice, &bob, &options);
    reload_link_id id = couple_link();
    static uint8_t message[65536];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 31);
    host_b.numbered = true;
    uint32_t number = 0;
    for (size_t len = 4; len <= sizeof message; len = len < 40000 ? len * 3 / 2 : len + 12768) {
        numbered(message, number++);
        assert_int_equal(host_send(&host_a, id, message, len), 0);
        assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, number));
        assert_int_equal(host_b.message_len, len);
        assert_memory_equal(host_b.message, message, len);
    }
}

static void one_round_leaves_in_one_record_with_its_acks(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = couple_link();
    uint64_t before = host_stats(&host_a).sum.bytes_out;
    uint8_t message[100] = { 0 };
    host_b.numbered = true;
    for (uint32_t i = 0; i < 100; i++) {
        numbered(message, i);
        assert_int_equal(host_send(&host_a, id, message, sizeof message), 0);
    }
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 100));
    uint64_t bytes = host_stats(&host_a).sum.bytes_out - before;
    assert_in_range(bytes, 100 * 108 + 22, 100 * 108 + 40); /* one record's overhead, not 100 */
    net_for_ms(20);
    assert_int_equal(host_stats(&host_a).sum.acks_in, 100);
    assert_in_range(host_stats(&host_a).sum.bytes_in, 900,
                    900 + 4096); /* the handshake, then one record */
}

/* R6940-6.5.1.13-1 */
static void the_dialler_can_be_the_tls_server(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct reload_link_address any = host_b.at, client_side;
    any.port = 0;
    assert_int_equal(reload_links_listen(host_b.links, &any, RELOAD_LINK_CLIENT, &client_side), 0);
    reload_link_id id;
    assert_int_equal(
        reload_links_dial(host_a.links, &client_side, 1, NULL, RELOAD_LINK_SERVER, net_now(), &id),
        0);
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    assert_int_equal(host_send(&host_a, id, "x", 1), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    struct reload_link_info info = host_info(&host_a, id);
    assert_int_equal(info.role, RELOAD_LINK_SERVER);
}

static void info_and_list_describe_the_links(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = couple_link();
    assert_int_equal(host_send(&host_a, id, "x", 1), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    net_for_ms(10);
    struct reload_link_info info = host_info(&host_a, id);
    struct reload_node_id bobs = node_id_of(0xbb);
    assert_true(reload_node_id_equal(&info.node_id, &bobs));
    assert_true(info.up && !info.inbound && !info.suspect);
    assert_string_equal(info.tls_version, "TLSv1.3");
    assert_int_equal(info.rto_ms, 1000);
    assert_int_equal(info.counters.messages_out, 1);
    reload_link_id ids[2] = { 0 };
    assert_int_equal(reload_links_list(host_a.links, ids, 2), 1);
    assert_int_equal(ids[0], id);
    assert_int_equal(reload_links_list(host_a.links, NULL, 0), 1);
    assert_int_equal(reload_links_info(host_a.links, id + 1, &info), RELOAD_E_NOT_FOUND);
}

static void what_is_sent_just_before_the_close_still_arrives(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id = couple_link();
    assert_int_equal(host_send(&host_a, id, "bye", 3), 0);
    reload_links_close(host_a.links, id, "no longer needed", net_now());
    assert_int_equal(host_send(&host_a, id, "more", 4), RELOAD_E_NOT_FOUND);
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, 0);
    assert_string_equal(host_a.reason, "no longer needed");
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.count[RELOAD_LINK_MESSAGE], 1);
    assert_memory_equal(host_b.message, "bye", 3);
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, 0);
    assert_string_equal(host_b.reason, "closed by the far end");
    net_for_ms(20);
    struct reload_links_stats stats;
    reload_links_stats(host_a.links, &stats);
    assert_int_equal(stats.links, 0);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN], 1);
    reload_links_close(host_a.links, id, "again", net_now());
    reload_links_close(host_a.links, 999, "never was", net_now());
}

static void ids_are_not_used_again(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id last = 0;
    for (size_t i = 1; i <= 5; i++) {
        reload_link_id id = host_dial(&host_a, &host_b.at, NULL);
        assert_true(id > last);
        last = id;
        assert_true(net_events(&host_a, RELOAD_LINK_UP, i));
        reload_links_close(host_a.links, id, "done", net_now());
        assert_true(net_events(&host_b, RELOAD_LINK_DOWN, i));
    }
}

static void the_first_address_that_works_is_taken(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct host c; /* a node, but the wrong one */
    struct identity carol;
    identity_init(&carol, &ca, &ca, 0xcc, PKI_EC);
    host_open(&c, &carol, NULL);
    struct reload_link_address nobody = c.at;
    struct host closed;
    host_open(&closed, &carol, NULL);
    nobody.port = closed.at.port;
    host_close(&closed); /* nobody listens there now */
    struct reload_link_address to[] = { nobody, c.at, host_b.at };
    struct reload_node_id bobs = node_id_of(0xbb);
    reload_link_id id;
    assert_int_equal(
        reload_links_dial(host_a.links, to, 3, &bobs, RELOAD_LINK_CLIENT, net_now(), &id), 0);
    for (int i = 0; i < 1000 && !host_a.count[RELOAD_LINK_UP]; i++) {
        net_hosts(&host_a, &c);
        net_turn();
        net_hosts(&host_a, &host_b);
        net_turn();
    }
    assert_int_equal(host_a.count[RELOAD_LINK_UP], 1);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN], 0);
    assert_int_equal(host_a.last[RELOAD_LINK_UP].link, id);
    assert_true(reload_link_address_equal(&host_a.last[RELOAD_LINK_UP].address, &host_b.at));
    assert_int_equal(c.count[RELOAD_LINK_UP], 0);
    struct reload_links_stats stats;
    reload_links_stats(host_a.links, &stats);
    assert_int_equal(stats.failed_expected, 1);
    host_close(&c);
    identity_fini(&carol);
}

static void two_hundred_links_share_one_epoll(void **state)
{
    (void)state;
    struct host_options options = { .limits = { .inbound_per_address = 300, .handshakes = 300 } };
    couple_open(&alice, &bob, &options);
    reload_link_id ids[200];
    for (size_t i = 0; i < 200; i++)
        ids[i] = host_dial(&host_a, &host_b.at, NULL);
    for (int i = 0; i < 6 && host_a.count[RELOAD_LINK_UP] < 200; i++)
        (void)net_events(&host_a, RELOAD_LINK_UP, 200);
    assert_int_equal(host_a.count[RELOAD_LINK_UP], 200);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 200));
    for (size_t round = 1; round <= 5; round++) {
        for (size_t i = 0; i < 200; i++)
            assert_int_equal(host_send(&host_a, ids[i], "hello", 5), 0);
        assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 200 * round));
    }
    struct reload_links_stats stats;
    reload_links_stats(host_b.links, &stats);
    assert_int_equal(stats.up, 200);
    assert_int_equal(stats.accepted, 200);
    assert_int_equal(reload_links_list(host_b.links, NULL, 0), 200);
    host_close(&host_a);
    host_open(&host_a, &alice, NULL);
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 200));
}

static void links_work_over_ipv6(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct reload_link_address any, at;
    assert_int_equal(reload_link_address_parse("::1", 0, &any), 0);
    if (reload_links_listen(host_b.links, &any, RELOAD_LINK_SERVER, &at) != 0)
        skip(); /* no IPv6 on this machine */
    reload_link_id id = host_dial(&host_a, &at, NULL);
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    assert_int_equal(host_send(&host_a, id, "x", 1), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_MESSAGE, 1));
    char text[RELOAD_LINK_ADDRESS_TEXT];
    assert_ptr_equal(strstr(reload_link_address_text(&at, text), "[::1]:"), text);
}

static void addresses_are_literals(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct reload_link_address address;
    assert_int_equal(reload_link_address_parse("localhost", 1, &address), RELOAD_E_INVALID);
    assert_int_equal(reload_link_address_parse("", 1, &address), RELOAD_E_INVALID);
    assert_int_equal(reload_link_address_parse("192.0.2.300", 1, &address), RELOAD_E_INVALID);
    assert_int_equal(reload_link_address_parse("192.0.2.30", 6084, &address), 0);
    char text[RELOAD_LINK_ADDRESS_TEXT];
    assert_string_equal(reload_link_address_text(&address, text), "192.0.2.30:6084");
}

static void a_listener_cannot_take_an_address_in_use(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct reload_link_address actual;
    assert_int_equal(reload_links_listen(host_a.links, &host_b.at, RELOAD_LINK_SERVER, &actual),
                     RELOAD_E_IO);
    struct reload_link_address any = host_b.at;
    any.port = 0;
    for (int i = 1; i < 8; i++)
        assert_int_equal(reload_links_listen(host_a.links, &any, RELOAD_LINK_SERVER, &actual), 0);
    assert_int_equal(reload_links_listen(host_a.links, &any, RELOAD_LINK_SERVER, &actual),
                     RELOAD_E_LIMIT);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_link_id id;
    struct reload_link_address none = { 0 }, many[RELOAD_LINK_DIAL_MAX + 1];
    for (size_t i = 0; i <= RELOAD_LINK_DIAL_MAX; i++)
        many[i] = host_b.at;
    struct reload_links *links = host_a.links;
    assert_int_equal(reload_links_dial(links, &none, 1, NULL, RELOAD_LINK_CLIENT, net_now(), &id),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_links_dial(links, many, 0, NULL, RELOAD_LINK_CLIENT, net_now(), &id),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_links_dial(links, many, RELOAD_LINK_DIAL_MAX + 1, NULL,
                                       RELOAD_LINK_CLIENT, net_now(), &id),
                     RELOAD_E_INVALID);
    assert_int_equal(host_send(&host_a, 77, "x", 1), RELOAD_E_NOT_FOUND);
    id = host_dial(&host_a, &host_b.at, NULL);
    assert_int_equal(host_send(&host_a, id, "x", 1), RELOAD_E_STATE); /* R6940-13.2-1 */
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    struct reload_slice huge[2] = { { host_a.message, RELOAD_FRAME_MESSAGE_MAX },
                                    { host_a.message, 1 } };
    assert_int_equal(reload_links_send(links, id, huge, 2, net_now()), RELOAD_E_INVALID);
    struct reload_links_config config = { .identity = &pki_ops, .identity_context = &alice };
    assert_int_equal(reload_links_new(&config, &links), RELOAD_E_INVALID);
}

/* Every request for memory in the life of a link fails once, and all later ones with it. */
static void without_memory_links_fail_and_nothing_leaks(void **state)
{
    (void)state;
    bool done = false;
    for (unsigned long n = 1; !done && n < 200; n++) {
        couple_open(&alice, &bob, NULL);
        reload_link_id id = 0;
        reload_alloc_fail_at(n);
        int status = reload_links_dial(host_a.links, &host_b.at, 1, NULL, RELOAD_LINK_CLIENT,
                                       net_now(), &id);
        for (int i = 0; status == 0 && i < 30; i++)
            net_turn();
        if (status == 0 && host_a.count[RELOAD_LINK_UP])
            status = host_send(&host_a, id, "x", 1);
        for (int i = 0; i < 10; i++)
            net_turn();
        reload_alloc_fail_at(0);
        done = host_b.count[RELOAD_LINK_MESSAGE] == 1;
        if (!done)
            assert_true(status == RELOAD_E_NOMEM || host_a.count[RELOAD_LINK_DOWN] == 1 ||
                        host_a.count[RELOAD_LINK_UP] == 1);
        if (!done)
            (void)couple_close(NULL);
    }
    assert_true(done);
    struct reload_links *links = NULL;
    struct reload_links_config config = { .identity = &pki_ops,
                                          .identity_context = &alice,
                                          .max_message_size = 1 };
    for (unsigned long n = 1; !links; n++) {
        reload_alloc_fail_at(n);
        int status = reload_links_new(&config, &links);
        reload_alloc_fail_at(0);
        assert_int_equal(status, links ? 0 : RELOAD_E_NOMEM);
    }
    reload_links_free(links);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(an_idle_link_comes_up_at_both_ends),
        COUPLE(messages_travel_both_ways_and_each_is_acknowledged),
        COUPLE(messages_of_all_sizes_arrive_whole_and_in_order),
        COUPLE(one_round_leaves_in_one_record_with_its_acks),
        COUPLE(the_dialler_can_be_the_tls_server),
        COUPLE(info_and_list_describe_the_links),
        COUPLE(what_is_sent_just_before_the_close_still_arrives),
        COUPLE(ids_are_not_used_again),
        COUPLE(the_first_address_that_works_is_taken),
        COUPLE(two_hundred_links_share_one_epoll),
        COUPLE(links_work_over_ipv6),
        COUPLE(addresses_are_literals),
        COUPLE(a_listener_cannot_take_an_address_in_use),
        COUPLE(wrong_arguments_are_refused),
        COUPLE(without_memory_links_fail_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
