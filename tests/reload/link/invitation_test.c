#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "couple.h"
#include "reload/link/raw.h"

/* Ports that let in one connection: whom they wait for, and strangers. */

#define TLS  RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE
#define DTLS RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE

static struct identity carol, mallory;

static int set_up_identities(void **state)
{
    people_set_up(state);
    identity_init(&carol, &ca, &ca, 0xcc, PKI_EC);
    identity_init(&mallory, &other_ca, &ca, 0xaa, PKI_EC); /* alice's Node-ID by another CA */
    return 0;
}

static int tear_down_identities(void **state)
{
    identity_fini(&carol);
    identity_fini(&mallory);
    return people_tear_down(state);
}

static reload_invitation_id invite(void)
{
    reload_invitation_id id = 0;
    assert_int_equal(reload_links_invite(host_b.links, 10000, net_now(), &id), 0);
    return id;
}

static struct reload_link_address open_door(reload_invitation_id id, uint8_t type)
{
    struct reload_link_address any, at = { 0 };
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    assert_int_equal(reload_links_invite_at(host_b.links, id, type, &any, &at), 0);
    return at;
}

static void admit_alice(reload_invitation_id id)
{
    struct reload_node_id alices = node_id_of(0xaa);
    assert_int_equal(reload_links_admit(host_b.links, id, &alices, 10000, net_now()), 0);
}

static reload_link_id knock(struct host *host, uint8_t type, const struct reload_link_address *at)
{
    reload_link_id id = 0;
    assert_int_equal(
        reload_links_dial_raw(host->links, type, at, 1, NULL, RELOAD_LINK_CLIENT, net_now(), &id),
        0);
    return id;
}

static void who_comes_early_waits_until_the_host_knows_whom_it_expects(void **state)
{
    (void)state;
    static const uint8_t types[] = { TLS, DTLS };
    for (size_t i = 0; i < 2; i++) {
        couple_open(&alice, &bob, NULL);
        reload_invitation_id id = invite();
        struct reload_link_address at = open_door(id, types[i]);
        knock(&host_a, types[i], &at);
        net_for_ms(50);
        assert_int_equal(host_a.count[RELOAD_LINK_UP] + host_b.count[RELOAD_LINK_UP], 0);
        assert_int_equal(host_stats(&host_b).accepted + host_stats(&host_b).challenged, 0);
        admit_alice(id);
        assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
        assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
        couple_close(NULL);
    }
}

/* R6940-6.5.1.13-1 R6940-6.5.1.11-1 */
static void only_the_expected_node_gets_in(void **state)
{
    (void)state;
    static const uint8_t types[] = { TLS, DTLS };
    for (size_t i = 0; i < 2; i++) {
        couple_open(&carol, &bob, NULL);
        reload_invitation_id id = invite();
        struct reload_link_address at = open_door(id, types[i]);
        admit_alice(id);
        knock(&host_a, types[i], &at);
        assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
        assert_int_equal(host_stats(&host_b).failed_expected, 1);
        assert_int_equal(host_b.count[RELOAD_LINK_UP] + host_b.count[RELOAD_LINK_DOWN], 0);
        host_close(&host_a);
        host_open(&host_a, &alice, NULL); /* and is still let in after that */
        knock(&host_a, types[i], &at);
        assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
        couple_close(NULL);
    }
}

static void a_foreign_certificate_with_the_right_node_id_is_refused(void **state)
{
    (void)state;
    static const uint8_t types[] = { TLS, DTLS };
    for (size_t i = 0; i < 2; i++) {
        couple_open(&mallory, &bob, NULL);
        reload_invitation_id id = invite();
        struct reload_link_address at = open_door(id, types[i]);
        admit_alice(id);
        knock(&host_a, types[i], &at);
        assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
        assert_int_equal(host_stats(&host_b).failed_certificate, 1);
        assert_int_equal(host_b.count[RELOAD_LINK_UP], 0);
        assert_int_equal(host_stats(&host_b).invitations, 1);
        couple_close(NULL);
    }
}

static void who_dials_demands_its_node_too(void **state)
{
    (void)state;
    static const uint8_t types[] = { TLS, DTLS };
    struct reload_node_id carols = node_id_of(0xcc);
    for (size_t i = 0; i < 2; i++) {
        couple_open(&alice, &bob, NULL);
        reload_invitation_id id = invite();
        struct reload_link_address at = open_door(id, types[i]);
        reload_link_id link = 0;
        admit_alice(id);
        assert_int_equal(reload_links_dial_raw(host_a.links, types[i], &at, 1, &carols,
                                               RELOAD_LINK_CLIENT, net_now(), &link),
                         0);
        assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
        assert_int_equal(host_a.count[RELOAD_LINK_UP], 0);
        couple_close(NULL);
    }
}

static void one_is_let_in_and_all_other_ports_close(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_invitation_id id = invite();
    struct reload_link_address first = open_door(id, TLS), second = open_door(id, TLS),
                               third = open_door(id, DTLS);
    admit_alice(id);
    int idle = net_connect(&second); /* never says a word */
    knock(&host_a, TLS, &first);
    knock(&host_a, TLS, &second);
    knock(&host_a, DTLS, &third);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 2));
    net_for_ms(50);
    assert_int_equal(host_b.count[RELOAD_LINK_UP], 1);
    assert_int_equal(host_stats(&host_b).raw, 1);
    assert_int_equal(host_stats(&host_b).invitations, 0);
    assert_int_equal(net_connect(&first), -1);
    assert_int_equal(net_connect(&second), -1);
    uint8_t byte;
    assert_int_equal(read(idle, &byte, 1), 0); /* closed */
    close(idle);
}

static void a_second_handshake_on_a_taken_datagram_port_gets_no_answer(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_invitation_id id = invite();
    struct reload_link_address at = open_door(id, DTLS);
    admit_alice(id);
    reload_link_id link = knock(&host_a, DTLS, &at);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    uint64_t challenged = host_stats(&host_b).challenged;
    knock(&host_a, DTLS, &at);
    net_for_ms(50);
    assert_int_equal(host_stats(&host_b).challenged, challenged);
    assert_true(host_stats(&host_b).strays > 0);
    assert_int_equal(
        reload_links_send_raw(host_a.links, link, reload_slice_of("still", 5), net_now()), 0);
    assert_true(net_events(&host_b, RELOAD_LINK_BYTES, 1));
    assert_int_equal(host_b.message_len, 5);
}

static void a_flood_of_silent_connections_does_not_keep_the_guest_out(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_invitation_id id = invite();
    struct reload_link_address at = open_door(id, TLS);
    admit_alice(id);
    int silent[100];
    for (size_t i = 0; i < 100; i++) {
        silent[i] = net_connect(&at);
        assert_true(silent[i] >= 0);
        net_turn();
    }
    net_for_ms(20);
    struct reload_links_stats s = host_stats(&host_b);
    assert_int_equal(s.handshaking, RELOAD_LINK_GUESTS_MAX);
    assert_int_equal(s.evicted, 100 - RELOAD_LINK_GUESTS_MAX);
    knock(&host_a, TLS, &at);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    assert_int_equal(leap_ms, 0);
    for (size_t i = 0; i < 100; i++)
        close(silent[i]);
}

static void a_slow_handshake_ends_and_the_door_stays_open(void **state)
{
    (void)state;
    struct host_options options = { .limits = { .handshake_ms = 1000 } };
    couple_open(&alice, &bob, &options);
    reload_invitation_id id = invite();
    struct reload_link_address at = open_door(id, TLS);
    admit_alice(id);
    int slow = net_connect(&at);
    assert_int_equal(write(slow, "\x16\x03\x01", 3), 3);
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).handshaking, 1);
    leap_ms = 1100;
    net_for_ms(20);
    assert_int_equal(host_stats(&host_b).handshaking, 0);
    assert_int_equal(host_stats(&host_b).failed_timeout, 1);
    knock(&host_a, TLS, &at);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    close(slow);
}

static void what_is_no_handshake_ends_that_connection_alone(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_invitation_id id = invite();
    struct reload_link_address at = open_door(id, TLS), datagrams = open_door(id, DTLS);
    admit_alice(id);
    uint8_t noise[300];
    for (unsigned seed = 1; seed <= 40; seed++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)(seed * 2654435761u >> (i % 24)) ^ (uint8_t)(i * seed);
        int fd = net_connect(&at);
        assert_true(write(fd, noise, sizeof noise) > 0);
        net_turn();
        close(fd);
    }
    net_for_ms(50);
    assert_int_equal(host_b.count[RELOAD_LINK_UP] + host_b.count[RELOAD_LINK_DOWN], 0);
    assert_int_equal(host_stats(&host_b).handshaking, 0);
    assert_int_equal(host_stats(&host_b).failed_tls, 40);
    knock(&host_a, DTLS, &datagrams);
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
}

static void nobody_comes_and_the_host_is_told(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_invitation_id id = invite();
    struct reload_link_address at = open_door(id, TLS);
    open_door(id, DTLS);
    int early = net_connect(&at);
    leap_ms = 10001;
    assert_true(net_events(&host_b, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].link, 0);
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].invitation, id);
    assert_int_equal(host_b.last[RELOAD_LINK_DOWN].error, RELOAD_E_TIMEOUT);
    assert_int_equal(host_stats(&host_b).expired_invitations, 1);
    struct reload_node_id alices = node_id_of(0xaa);
    assert_int_equal(reload_links_admit(host_b.links, id, &alices, 1, net_now()),
                     RELOAD_E_NOT_FOUND);
    assert_int_equal(net_connect(&at), -1);
    close(early);
}

static void a_withdrawn_invitation_is_silent(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_invitation_id id = invite();
    struct reload_link_address at = open_door(id, TLS);
    open_door(id, DTLS);
    admit_alice(id);
    struct reload_node_id alices = node_id_of(0xaa);
    struct reload_link_address more;
    assert_int_equal(reload_links_admit(host_b.links, id, &alices, 1, net_now()), RELOAD_E_STATE);
    assert_int_equal(reload_links_invite_at(host_b.links, id, TLS, &at, &more), RELOAD_E_STATE);
    int waiting = net_connect(&at);
    net_for_ms(20);
    reload_links_withdraw(host_b.links, id, net_now());
    reload_links_withdraw(host_b.links, id, net_now()); /* is unknown by now */
    assert_int_equal(net_connect(&at), -1);
    leap_ms = 20000;
    net_for_ms(20);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0);
    assert_int_equal(host_stats(&host_b).links, 0);
    close(waiting);
}

static void invitations_and_their_ports_are_limited_and_refusals_counted(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    reload_invitation_id id = 0, last = 0;
    struct reload_link_address any, at;
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    for (size_t i = 0; i < RELOAD_LINK_INVITATIONS_MAX; i++)
        assert_int_equal(reload_links_invite(host_b.links, 10000, net_now(), &id), 0);
    assert_int_equal(reload_links_invite(host_b.links, 10000, net_now(), &last), RELOAD_E_LIMIT);
    assert_int_equal(host_stats(&host_b).refused_invitations, 1);
    for (size_t i = 0; i < RELOAD_LINK_DOORS_MAX; i++) {
        assert_int_equal(reload_links_invite_at(host_b.links, id, TLS, &any, &at), 0);
        assert_int_equal(reload_links_invite_at(host_b.links, id, DTLS, &any, &at), 0);
    }
    assert_int_equal(reload_links_invite_at(host_b.links, id, TLS, &any, &at), RELOAD_E_LIMIT);
    assert_int_equal(reload_links_invite_at(host_b.links, id, DTLS, &any, &at), RELOAD_E_LIMIT);
    assert_int_equal(host_stats(&host_b).refused_invitations, 3);
    assert_int_equal(reload_links_invite_at(host_b.links, id, 1, &any, &at), RELOAD_E_INVALID);
    assert_int_equal(reload_links_invite_at(host_b.links, id + 1, TLS, &any, &at),
                     RELOAD_E_NOT_FOUND);
    reload_links_withdraw(host_b.links, id, net_now());
    id = invite();
    open_door(id, TLS);
    open_door(id, DTLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_early_waits_until_the_host_knows_whom_it_expects),
        cmocka_unit_test(only_the_expected_node_gets_in),
        cmocka_unit_test(a_foreign_certificate_with_the_right_node_id_is_refused),
        cmocka_unit_test(who_dials_demands_its_node_too),
        COUPLE(one_is_let_in_and_all_other_ports_close),
        COUPLE(a_second_handshake_on_a_taken_datagram_port_gets_no_answer),
        COUPLE(a_flood_of_silent_connections_does_not_keep_the_guest_out),
        COUPLE(a_slow_handshake_ends_and_the_door_stays_open),
        COUPLE(what_is_no_handshake_ends_that_connection_alone),
        COUPLE(nobody_comes_and_the_host_is_told),
        COUPLE(a_withdrawn_invitation_is_silent),
        COUPLE(invitations_and_their_ports_are_limited_and_refusals_counted),
    };
    return cmocka_run_group_tests(tests, set_up_identities, tear_down_identities);
}
