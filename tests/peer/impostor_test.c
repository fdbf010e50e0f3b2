#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"
#include "peer/overlay_internal.h"
#include "reload/link/links_internal.h"

/* Another node of the overlay at the end of ICE (RFC 6940 s6.5.1.13). `guest` is honest in all that
 * it says through the overlay, its Attaches are signed as they should be and its checks succeed;
 * but from impersonate() on its DTLS shows the certificate of `other`, which is as good. That is
 * what b sees when a node on the way takes over the candidates. */

#define APPLICATION 40000
#define PATIENCE_MS 30000

static const struct pair_options by_ice = { .ice = true };

static struct pair pair;
static struct pair_node guest, other;
static struct reload_engine_context *own_engines; /* of guest */

static void impersonate(bool on)
{
    guest.overlay->links->engines = on ? other.overlay->links->engines : own_engines;
}

static struct reload_links_stats links_of(const struct pair_node *node)
{
    struct reload_links_stats stats;
    reload_links_stats(node->overlay->links, &stats);
    return stats;
}

/* Every link is up, none is being made or lingers. */
static bool is_quiet(const struct pair_node *node)
{
    return links_of(node).links == links_of(node).up;
}

static void assert_quiet(void)
{
    for (int i = 0; i < PATIENCE_MS / 10 && !(is_quiet(&pair.b) && is_quiet(&guest)); i++)
        pair_for_ms(&pair, 10);
    assert_true(is_quiet(&pair.b) && is_quiet(&guest));
}

/* By ICE, not as a bootstrap node. */
static bool is_connected(const struct pair_node *node, const struct pair_node *to)
{
    struct reload_connection rows[16];
    size_t count = reload_node_connections(node->overlay->node, rows, G_N_ELEMENTS(rows));
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || (rows[i].type == RELOAD_LINK_DTLS_UDP_SR &&
                          reload_node_id_equal(&rows[i].node_id, &to->files.node_id));
    return found;
}

static void assert_connected(const struct pair_node *one, const struct pair_node *two)
{
    for (int i = 0; i < PATIENCE_MS / 10; i++)
        if (!is_connected(one, two) || !is_connected(two, one))
            pair_for_ms(&pair, 10);
    assert_true(is_connected(one, two) && is_connected(two, one));
}

static bool is_routed_to(const struct pair_node *node, const struct pair_node *to)
{
    struct reload_topology_entry rows[64];
    size_t count = reload_node_tables(node->overlay->node, rows, G_N_ELEMENTS(rows));
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || reload_node_id_equal(&rows[i].node_id, &to->files.node_id);
    return found;
}

static int open_pair(void **state)
{
    (void)state;
    pair_open(&pair, &by_ice);
    pair_guest(&pair, &by_ice, true, &guest);
    pair_guest(&pair, &by_ice, false, &other);
    assert_connected(&pair.a, &guest);
    assert_connected(&pair.a, &pair.b);
    assert_quiet();
    own_engines = guest.overlay->links->engines;
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    impersonate(false);
    pair_close(&pair);
    return 0;
}

/* --- Attach --- */

struct attempt {
    bool is_done;
    int error;
};

static void attached(void *context, const struct reload_result *result)
{
    *(struct attempt *)context = (struct attempt){ true, result->error };
}

static struct reload_target target_of(const struct pair_node *to)
{
    return (struct reload_target){ .id = reload_node_id_slice(&to->files.node_id) };
}

static int attach(struct pair_node *from, const struct pair_node *to)
{
    struct attempt attempt = { 0 };
    const struct reload_target target = target_of(to);
    assert_int_equal(reload_overlay_attach(from->overlay, &target, attached, &attempt), 0);
    assert_true(pair_until(&pair, &attempt.is_done, PATIENCE_MS));
    return attempt.error;
}

static void an_attach_is_refused_and_an_honest_one_works(struct pair_node *from,
                                                         struct pair_node *to)
{
    uint64_t connected = reload_overlay_ice_view(pair.b.overlay)->connected;
    assert_false(is_connected(&pair.b, &guest));
    impersonate(true);
    assert_int_not_equal(attach(from, to), 0);
    assert_int_equal(reload_overlay_ice_view(pair.b.overlay)->connected, connected + 1);
    assert_quiet();
    assert_int_equal(links_of(&pair.b).failed_expected, 1);
    assert_int_equal(links_of(&pair.b).failed_certificate, 0); /* it is a good one */
    assert_int_equal(links_of(&guest).failed_tls, 1);          /* the alert came back */
    assert_int_equal(guest.state, RELOAD_TOPOLOGY_JOINED);
    const struct pair_node *never[] = { &guest, &other };
    for (size_t i = 0; i < 2; i++) {
        assert_false(is_connected(&pair.b, never[i]));
        assert_false(is_routed_to(&pair.b, never[i]));
    }
    impersonate(false);
    assert_int_equal(attach(from, to), 0);
    assert_connected(&pair.b, &guest);
    assert_int_equal(links_of(&pair.b).failed_expected, 1);
}

/* R6940-6.5.1.13-3 */
static void who_attaches_refuses_another_node_at_the_end_of_ice(void **state)
{
    (void)state;
    an_attach_is_refused_and_an_honest_one_works(&pair.b, &guest);
}

static void who_is_attached_to_refuses_another_node_at_the_end_of_ice(void **state)
{
    (void)state;
    an_attach_is_refused_and_an_honest_one_works(&guest, &pair.b);
}

/* --- AppAttach --- */

struct end {
    bool is_open, is_closed;
    int error;
};

static void opened(void *context, struct reload_channel *channel)
{
    (void)channel;
    ((struct end *)context)->is_open = true;
}

static void closed(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *how)
{
    struct end *end = context;
    (void)channel;
    end->is_closed = true;
    end->error = how->error;
}

static const struct reload_channel_events events = { .opened = opened, .closed = closed };

static struct reload_channel *ask(struct pair_node *from, const struct pair_node *to,
                                  struct end *near)
{
    struct reload_channel *channel;
    const struct reload_target target = target_of(to);
    *near = (struct end){ 0 };
    assert_int_equal(
        reload_overlay_open_channel(from->overlay, &target, APPLICATION, &events, near, &channel),
        0);
    return channel;
}

static uint32_t channels_of(const struct pair_node *node)
{
    struct reload_channel_stats stats;
    reload_overlay_channel_stats(node->overlay, &stats);
    return stats.channels;
}

/* The error that the one that asked is told. */
static int a_channel_is_refused_and_an_honest_one_opens(struct pair_node *from,
                                                        struct pair_node *to)
{
    static struct end near, far; /* told at the end of the pair */
    struct reload_channel_stats stats;
    far = (struct end){ 0 };
    assert_int_equal(reload_overlay_accept_channels(to->overlay, APPLICATION, &events, &far), 0);
    impersonate(true);
    (void)ask(from, to, &near);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    int error = near.error;
    assert_quiet();
    assert_false(near.is_open || far.is_open);
    assert_int_equal(links_of(&pair.b).failed_expected, 1);
    assert_int_equal(links_of(&pair.b).raw + links_of(&guest).raw, 0);
    assert_int_equal(channels_of(&pair.b) + channels_of(&guest), 0);
    reload_overlay_channel_stats(pair.b.overlay, &stats);
    assert_int_equal(stats.failed, 1);
    impersonate(false);
    struct reload_channel *channel = ask(from, to, &near);
    assert_true(pair_until(&pair, &near.is_open, PATIENCE_MS));
    assert_true(pair_until(&pair, &far.is_open, PATIENCE_MS));
    assert_true(reload_node_id_equal(&reload_channel_info(channel)->node_id, &to->files.node_id));
    assert_false(is_connected(&pair.b, &guest)); /* a channel is no link */
    return error;
}

static void who_asks_for_a_channel_refuses_another_node_at_the_end_of_ice(void **state)
{
    (void)state;
    assert_int_equal(a_channel_is_refused_and_an_honest_one_opens(&pair.b, &guest),
                     RELOAD_E_CERTIFICATE);
}

static void who_serves_channels_refuses_another_node_at_the_end_of_ice(void **state)
{
    (void)state;
    assert_int_equal(a_channel_is_refused_and_an_honest_one_opens(&guest, &pair.b),
                     RELOAD_E_FORBIDDEN);
}

int main(void)
{
#define LIVE(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)
    const struct CMUnitTest tests[] = {
        LIVE(who_attaches_refuses_another_node_at_the_end_of_ice),
        LIVE(who_is_attached_to_refuses_another_node_at_the_end_of_ice),
        LIVE(who_asks_for_a_channel_refuses_another_node_at_the_end_of_ice),
        LIVE(who_serves_channels_refuses_another_node_at_the_end_of_ice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
