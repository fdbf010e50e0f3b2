#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ends.h"

/* How channels end, and who hears of it. */

static struct reload_links_stats links_of(const struct pair_node *node)
{
    struct reload_links_stats stats;
    reload_links_stats(reload_overlay_links(node->overlay), &stats);
    return stats;
}

static void a_channel_that_is_not_wanted_any_longer_is_forgotten(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    ends_serve(&pair.a);
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    reload_channel_close(near.channel);
    pair_for_ms(&pair, 500);
    assert_false(near.is_open || near.is_closed || far.is_open);
    assert_int_equal(links_of(&pair.b).invitations, 0);
    assert_int_equal(ends_stats(&pair.b).channels, 0);
    reload_channel_close(NULL);
}

static void a_channel_may_be_closed_in_any_callback(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    ends_serve(&pair.a);
    far.close_in_opened = true;
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.has_ended, PATIENCE_MS));
    reload_channel_close(near.channel);
    memset(&near, 0, sizeof near);
    memset(&far, 0, sizeof far);
    far.close_in_received = true;
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.is_open, PATIENCE_MS));
    for (int i = 0; i < 5; i++) /* of which the first is read */
        assert_int_equal(ends_send_text(&near, "x"), 0);
    assert_true(pair_until(&pair, &far.has_received, PATIENCE_MS));
    assert_true(pair_until(&pair, &near.has_ended, PATIENCE_MS));
    assert_false(far.is_closed);
    assert_int_equal(ends_stats(&pair.a).channels, 0);
}

static void reopen(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *how)
{
    struct end *end = context;
    (void)channel;
    end->is_closed = true;
    end->error = how->error;
    assert_int_equal(ends_ask(&pair.b, &pair.a, &far), RELOAD_E_CLOSED);
}

static void a_node_that_stops_tells_its_channels_and_takes_no_more(void **state)
{
    (void)state;
    const struct reload_channel_events stubborn = { .closed = reopen };
    ends_open((struct pair_options){ 0 });
    ends_connect(&pair.b, &pair.a);
    reload_channel_set_events(near.channel, &stubborn, &near);
    pair_node_free(&pair.b);
    assert_true(near.is_closed);
    assert_int_equal(near.error, RELOAD_E_CLOSED);
    assert_true(pair_until(&pair, &far.is_closed, PATIENCE_MS));
    assert_int_equal(far.error, RELOAD_E_CLOSED); /* it broke off */
}

/* A far end that has ended its bytes may still read, so that is not the end yet; its close is. */
static void a_far_end_that_closes_after_it_has_ended_is_noticed(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    ends_connect(&pair.b, &pair.a);
    reload_channel_end(far.channel);
    assert_true(pair_until(&pair, &near.has_ended, PATIENCE_MS));
    pair_for_ms(&pair, 2 * RELOAD_LINK_LINGER_MS);
    assert_false(near.is_closed);
    assert_int_equal(ends_send_text(&near, "still read"), 0);
    assert_true(pair_until(&pair, &far.has_received, PATIENCE_MS));
    reload_channel_close(far.channel);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS)); /* without a word of its own */
    assert_int_equal(near.error, 0);
    assert_int_equal(links_of(&pair.b).raw, 0);
}

static void a_close_is_noticed_by_who_never_ends(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    ends_connect(&pair.b, &pair.a);
    assert_int_equal(ends_send_text(&far, "last words"), 0);
    reload_channel_close(far.channel);
    assert_true(pair_until(&pair, &near.has_ended, PATIENCE_MS));
    assert_memory_equal(near.last, "last words", 10);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_int_equal(near.error, 0);
}

/* What is closed meanwhile does not take back what it sent. */
static void who_reads_late_gets_everything_before_the_close(void **state)
{
    (void)state;
    static uint8_t piece[10000];
    ends_open((struct pair_options){ 0 });
    ends_connect(&pair.b, &pair.a);
    reload_channel_pause(near.channel, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(reload_channel_send(far.channel, reload_slice_of(piece, sizeof piece)), 0);
    pair_for_ms(&pair, 200);
    reload_channel_close(far.channel);
    pair_for_ms(&pair, 2 * RELOAD_LINK_LINGER_MS);
    assert_false(near.has_ended || near.is_closed);
    reload_channel_pause(near.channel, false);
    assert_true(pair_until(&pair, &near.has_ended, PATIENCE_MS));
    assert_int_equal(near.received, 3 * sizeof piece);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_int_equal(near.error, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_channel_that_is_not_wanted_any_longer_is_forgotten),
        LIVE(a_channel_may_be_closed_in_any_callback),
        LIVE(a_node_that_stops_tells_its_channels_and_takes_no_more),
        LIVE(a_far_end_that_closes_after_it_has_ended_is_noticed),
        LIVE(a_close_is_noticed_by_who_never_ends),
        LIVE(who_reads_late_gets_everything_before_the_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
