#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "couple.h"

/* Links that one end does not want: wrong certificates, other nodes than expected, nobody there. */

/* R6940-11.1-25: a certificate that expires, or that a new configuration bars, while it is in use.
 */
static void a_link_whose_far_end_is_no_longer_accepted_is_closed(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) { /* a server looks, then a client */
        couple_open(&alice, &bob, NULL);
        struct host *looking = both ? &host_a : &host_b, *other = both ? &host_b : &host_a;
        struct identity *own = both ? &alice : &bob;
        couple_link();
        reload_links_recheck(looking->links, net_now());
        net_for_ms(20);
        assert_int_equal(looking->count[RELOAD_LINK_DOWN], 0);
        own->trust = &other_ca;
        reload_links_recheck(looking->links, net_now());
        own->trust = &ca;
        assert_true(net_events(looking, RELOAD_LINK_DOWN, 1));
        assert_true(net_events(other, RELOAD_LINK_DOWN, 1));
        assert_non_null(strstr(looking->reason, "its certificate"));
        assert_int_equal(host_stats(looking).failed_certificate, 1);
        (void)couple_close(NULL);
    }
    couple_open(&alice, &bob, NULL);
}

static void assert_never_up(void)
{
    net_for_ms(30);
    assert_int_equal(host_a.count[RELOAD_LINK_UP], 0);
    assert_int_equal(host_b.count[RELOAD_LINK_UP], 0);
    assert_int_equal(host_a.count[RELOAD_LINK_DOWN], 1);
    assert_int_equal(host_b.count[RELOAD_LINK_DOWN], 0); /* it never heard of it */
}

/* R6940-6.5.1.13-3 R6940-6.6.1-1 */
static void a_client_that_the_server_refuses_is_never_up(void **state)
{
    (void)state;
    struct identity *bad[] = { &stranger, &late };
    for (size_t i = 0; i < 2; i++) {
        couple_open(bad[i], &bob, NULL);
        host_dial(&host_a, &host_b.at, NULL);
        assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
        assert_never_up();
        assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error,
                         bad[i] == &late ? RELOAD_E_EXPIRED : RELOAD_E_FORBIDDEN);
        assert_non_null(strstr(host_a.reason, "the far end refused"));
        assert_int_equal(host_stats(&host_b).failed_certificate, 1);
        (void)couple_close(NULL);
    }
    couple_open(&alice, &bob, NULL);
}

/* R6940-6.5.1.13-3 */
static void a_server_that_the_client_refuses_is_never_up(void **state)
{
    (void)state;
    couple_open(&alice, &stranger, NULL);
    host_dial(&host_a, &host_b.at, NULL);
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_never_up();
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_CERTIFICATE);
    assert_non_null(strstr(host_a.reason, "not issued by the test CA"));
    assert_int_equal(host_stats(&host_a).failed_certificate, 1);
    assert_int_equal(host_stats(&host_b).failed_tls, 1);
}

/* R6940-6.5.1.11-1 R6940-6.5.1.13-3 */
static void a_link_to_another_node_than_expected_is_closed(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct reload_node_id wrong = node_id_of(0x77);
    host_dial(&host_a, &host_b.at, &wrong);
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_never_up();
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_CERTIFICATE);
    assert_int_equal(host_stats(&host_a).failed_expected, 1);
    assert_int_equal(host_stats(&host_a).failed_certificate, 0);
}

static void a_refused_connection_is_a_down_event(void **state)
{
    (void)state;
    couple_open(&alice, &bob, NULL);
    struct reload_link_address nobody = host_b.at;
    host_close(&host_b);
    host_open(&host_b, &bob, NULL);
    host_dial(&host_a, &nobody, NULL);
    assert_true(net_events(&host_a, RELOAD_LINK_DOWN, 1));
    assert_int_equal(host_a.last[RELOAD_LINK_DOWN].error, RELOAD_E_IO);
    assert_string_equal(host_a.reason, "cannot connect: Connection refused");
    assert_int_equal(host_stats(&host_a).links, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUPLE(a_link_whose_far_end_is_no_longer_accepted_is_closed),
        COUPLE(a_client_that_the_server_refuses_is_never_up),
        COUPLE(a_server_that_the_client_refuses_is_never_up),
        COUPLE(a_link_to_another_node_than_expected_is_closed),
        COUPLE(a_refused_connection_is_a_down_event),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
