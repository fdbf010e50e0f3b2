#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ends.h"

/* What travels over channels between two real nodes: over TLS, DTLS and ICE. */

static struct reload_links_stats links_of(const struct pair_node *node)
{
    struct reload_links_stats stats;
    reload_links_stats(reload_overlay_links(node->overlay), &stats);
    return stats;
}

static void assert_is(struct reload_channel *channel, const struct pair_node *who)
{
    const struct reload_channel_info *info = reload_channel_info(channel);
    const struct reload_own_identity *own = reload_overlay_own(who->overlay);
    assert_true(reload_node_id_equal(&info->node_id, &who->files.node_id));
    assert_true(reload_slice_equal(info->certificate, own->certificate));
}

static void assert_text_passes(void)
{
    assert_int_equal(ends_send_text(&near, "from the one that asked"), 0);
    assert_true(pair_until(&pair, &far.has_received, PATIENCE_MS));
    assert_int_equal(far.last_len, 23);
    assert_memory_equal(far.last, "from the one that asked", 23);
    assert_int_equal(ends_send_text(&far, "from the other"), 0);
    assert_true(pair_until(&pair, &near.has_received, PATIENCE_MS));
    assert_memory_equal(near.last, "from the other", 14);
}

/* The connection is one of its own (R7904-5.1-6): the link between the nodes is there before,
 * beside and after it. R6940-6.5.2.2-2 R6940-6.5.1.13-1 */
static void bytes_travel_over_tls_between_nodes_that_know_each_other(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    assert_int_equal(links_of(&pair.b).raw, 0);
    ends_connect(&pair.b, &pair.a);
    assert_int_equal(links_of(&pair.b).raw, 1);
    assert_true(links_of(&pair.b).up > 1);
    const struct reload_channel_info *info = reload_channel_info(near.channel);
    assert_is(near.channel, &pair.a);
    assert_is(far.channel, &pair.b);
    assert_false(info->accepted || info->datagrams || info->relayed);
    assert_true(reload_channel_info(far.channel)->accepted);
    assert_int_equal(info->link_type, RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE);
    assert_int_equal(info->longest_datagram, 0);
    assert_true(reload_link_address_equal(&info->local, &reload_channel_info(far.channel)->remote));
    assert_text_passes();
    reload_channel_end(near.channel);
    assert_true(pair_until(&pair, &far.has_ended, PATIENCE_MS));
    assert_int_equal(ends_send_text(&near, "too late"), RELOAD_E_STATE);
    far.has_received = near.has_received = false;
    assert_int_equal(ends_send_text(&far, "afterwards"), 0);
    assert_true(pair_until(&pair, &near.has_received, PATIENCE_MS));
    reload_channel_end(far.channel);
    assert_true(pair_until(&pair, &far.is_closed, PATIENCE_MS));
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_int_equal(near.error, 0);
    assert_int_equal(far.error, 0);
    assert_true(near.has_ended);
    assert_int_equal(links_of(&pair.b).raw, 0);
    assert_true(links_of(&pair.b).up > 0);
    assert_int_equal(ends_stats(&pair.a).opened + ends_stats(&pair.b).opened, 2);
    assert_int_equal(ends_stats(&pair.a).channels + ends_stats(&pair.b).channels, 0);
}

static void the_founder_may_ask_too(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    ends_connect(&pair.a, &pair.b);
    assert_is(near.channel, &pair.b);
    assert_text_passes();
}

/* R6940-6.5.1.11-1 */
static void who_listens_nowhere_dials_and_is_waited_for(void **state)
{
    (void)state;
    ends_open((struct pair_options){ .b_is_deaf = true });
    ends_connect(&pair.b, &pair.a);
    assert_is(near.channel, &pair.a);
    assert_is(far.channel, &pair.b);
    assert_text_passes();
}

static void who_listens_nowhere_can_be_asked(void **state)
{
    (void)state;
    ends_open((struct pair_options){ .b_is_deaf = true });
    ends_connect(&pair.a, &pair.b);
    assert_is(near.channel, &pair.b);
    assert_text_passes();
}

static void assert_datagrams(void)
{
    const struct reload_channel_info *info = reload_channel_info(near.channel);
    uint8_t datagram[3000] = { 7 };
    assert_true(info->datagrams);
    assert_in_range(info->longest_datagram, 1000, 1280);
    assert_is(near.channel, &pair.a);
    assert_is(far.channel, &pair.b);
    assert_text_passes();
    far.has_received = false;
    assert_int_equal(reload_channel_send(near.channel, reload_slice_of(datagram, sizeof datagram)),
                     0);
    assert_true(pair_until(&pair, &far.has_received, PATIENCE_MS));
    assert_int_equal(far.last_len, sizeof datagram);
    reload_channel_end(near.channel);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_true(pair_until(&pair, &far.is_closed, PATIENCE_MS));
    assert_int_equal(near.error, 0);
    assert_int_equal(far.error, 0);
}

static void datagrams_travel_over_dtls_where_both_prefer_it(void **state)
{
    (void)state;
    ends_open((struct pair_options){ .dtls = true });
    ends_connect(&pair.b, &pair.a);
    assert_int_equal(reload_channel_info(near.channel)->link_type,
                     RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    assert_datagrams();
    assert_int_equal(links_of(&pair.a).raw + links_of(&pair.b).raw, 0);
}

/* R6940-6.5.2.2-2 R6940-6.5.2.2-3 */
static void datagrams_travel_over_ice(void **state)
{
    (void)state;
    ends_open((struct pair_options){ .ice = true });
    ends_connect(&pair.b, &pair.a);
    assert_int_equal(reload_channel_info(near.channel)->link_type, RELOAD_LINK_TYPE_DTLS_UDP_SR);
    assert_datagrams();
}

static void a_slow_reader_is_waited_for(void **state)
{
    (void)state;
    static uint8_t piece[RELOAD_CHANNEL_PIECE_MAX];
    size_t sent = 0;
    int error = 0;
    ends_open((struct pair_options){ 0 });
    ends_connect(&pair.b, &pair.a);
    reload_channel_pause(far.channel, true);
    for (int quiet = 0; quiet < 500; pair_turn(&pair)) {
        error = reload_channel_send(near.channel, reload_slice_of(piece, sizeof piece));
        sent += error ? 0 : sizeof piece;
        quiet = error ? quiet + 1 : 0;
    }
    assert_int_equal(error, RELOAD_E_LIMIT);
    assert_true(far.received < 128 * 1024);
    near.is_writable = false;
    reload_channel_pause(far.channel, false);
    assert_true(pair_until(&pair, &near.is_writable, PATIENCE_MS));
    reload_channel_end(near.channel);
    assert_true(pair_until(&pair, &far.has_ended, PATIENCE_MS));
    assert_int_equal(far.received, sent);
    assert_int_equal(reload_channel_send(far.channel, reload_slice_of(piece, sizeof piece)), 0);
}

static void what_is_too_long_or_comes_too_early_is_refused(void **state)
{
    (void)state;
    static uint8_t piece[RELOAD_CHANNEL_PIECE_MAX + 1];
    ends_open((struct pair_options){ .dtls = true });
    ends_serve(&pair.a);
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    assert_int_equal(ends_send_text(&near, "early"), RELOAD_E_STATE);
    reload_channel_end(near.channel); /* nor is there anything to end */
    assert_true(pair_until(&pair, &near.is_open, PATIENCE_MS));
    assert_int_equal(reload_channel_send(near.channel, reload_slice_of(piece, sizeof piece)),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_channel_send(near.channel, reload_slice_of(piece, 0)),
                     RELOAD_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(bytes_travel_over_tls_between_nodes_that_know_each_other),
        LIVE(the_founder_may_ask_too),
        LIVE(who_listens_nowhere_dials_and_is_waited_for),
        LIVE(who_listens_nowhere_can_be_asked),
        LIVE(datagrams_travel_over_dtls_where_both_prefer_it),
        LIVE(datagrams_travel_over_ice),
        LIVE(a_slow_reader_is_waited_for),
        LIVE(what_is_too_long_or_comes_too_early_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
