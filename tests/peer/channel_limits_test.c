#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ends.h"
#include "reload/wire/error.h"

/* Channels that do not come about: nobody serves them, there are too many, the far end sleeps. */

static struct reload_links_stats links_of(const struct pair_node *node)
{
    struct reload_links_stats stats;
    reload_links_stats(reload_overlay_links(node->overlay), &stats);
    return stats;
}

/* R6940-6.5.2.2-4 */
static void an_application_that_nobody_serves_is_refused_as_not_found(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_int_equal(near.error_code, RELOAD_ERROR_NOT_FOUND);
    assert_non_null(strstr(near.reason, "does not serve"));
    assert_false(near.is_open);
    assert_int_equal(links_of(&pair.b).invitations, 0);
    ends_serve(&pair.a);
    assert_int_equal(
        reload_overlay_accept_channels(pair.a.overlay, APPLICATION, &ends_events, &far),
        RELOAD_E_STATE);
    assert_int_equal(reload_overlay_accept_channels(pair.a.overlay, 0, &ends_events, &far),
                     RELOAD_E_INVALID);
    reload_overlay_refuse_channels(pair.a.overlay, APPLICATION);
    reload_overlay_refuse_channels(pair.a.overlay, APPLICATION);
    memset(&near, 0, sizeof near);
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_int_equal(near.error_code, RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(ends_stats(&pair.b).failed, 2);
}

/* Its context may be gone by then. */
static void who_serves_no_more_hears_of_no_channel_that_was_on_its_way(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    ends_serve(&pair.a);
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    for (unsigned i = 0; i < PATIENCE_MS && ends_stats(&pair.a).accepted == 0; i++)
        pair_for_ms(&pair, 1);
    assert_int_equal(ends_stats(&pair.a).channels, 1);
    if (far.is_open) /* a busy machine: it was told in the same turn */
        skip();
    reload_overlay_refuse_channels(pair.a.overlay, APPLICATION);
    assert_int_equal(ends_stats(&pair.a).channels, 0);
    assert_true(pair_until(&pair, &near.is_over, 2 * PATIENCE_MS));
    if (near.has_ended) /* it was up before the far end closed it, and might have gone on sending */
        reload_channel_end(near.channel);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_false(far.is_open);
}

static void count_opened(void *context, struct reload_channel *channel)
{
    (void)channel;
    ++*(size_t *)context;
}

static void channels_with_one_node_are_limited_and_counted(void **state)
{
    (void)state;
    const struct reload_channel_events counting = { .opened = count_opened };
    static struct end many[RELOAD_CHANNELS_PER_NODE_MAX + 1];
    size_t accepted = 0, is_open = 0, is_closed = 0;
    memset(many, 0, sizeof many);
    ends_open((struct pair_options){ 0 });
    assert_int_equal(
        reload_overlay_accept_channels(pair.a.overlay, APPLICATION, &counting, &accepted), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(many); i++)
        assert_int_equal(ends_ask(&pair.b, &pair.a, &many[i]), 0);
    for (int i = 0; i < 30000 && is_open + is_closed < G_N_ELEMENTS(many); i++) {
        pair_turn(&pair);
        is_open = is_closed = 0;
        for (size_t j = 0; j < G_N_ELEMENTS(many); j++) {
            is_open += many[j].is_open;
            is_closed += many[j].is_closed;
        }
    }
    assert_int_equal(is_open, RELOAD_CHANNELS_PER_NODE_MAX);
    assert_int_equal(is_closed, 1);
    assert_int_equal(
        ends_stats(&pair.a).refused_per_node + ends_stats(&pair.b).refused_per_node > 0, true);
    for (size_t i = 0; i < G_N_ELEMENTS(many); i++)
        if (many[i].is_closed)
            assert_int_equal(many[i].error, RELOAD_E_LIMIT);
    for (size_t i = 0; i < G_N_ELEMENTS(many); i++)
        reload_channel_close(many[i].channel);
    pair_for_ms(&pair, 200);
    assert_int_equal(links_of(&pair.b).raw, 0);
}

static void channels_in_all_are_limited_and_counted(void **state)
{
    (void)state;
    static struct end many[RELOAD_CHANNELS_MAX];
    memset(many, 0, sizeof many);
    ends_open((struct pair_options){ 0 });
    for (size_t i = 0; i < RELOAD_CHANNELS_MAX; i++)
        assert_int_equal(ends_ask(&pair.b, &pair.a, &many[i]), 0);
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), RELOAD_E_LIMIT);
    assert_int_equal(ends_stats(&pair.b).refused_full, 1);
    for (size_t i = 0; i < RELOAD_CHANNELS_MAX; i++)
        assert_true(pair_until(&pair, &many[i].is_closed, PATIENCE_MS)); /* nobody serves it */
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
}

static void a_far_node_that_falls_asleep_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    ends_open((struct pair_options){ 0 });
    ends_serve(&pair.a);
    assert_int_equal(ends_ask(&pair.b, &pair.a, &near), 0);
    for (int i = 0; i < 100000 && ends_stats(&pair.a).accepted == 0; i++)
        pair_turn(&pair);
    pair.a.asleep = true; /* it has answered, and begun to dial */
    assert_true(pair_until(&pair, &near.is_closed, RELOAD_CHANNEL_OPEN_MS + 5000));
    assert_int_equal(near.error, RELOAD_E_TIMEOUT);
    assert_int_equal(ends_stats(&pair.b).timed_out, 1);
    assert_int_equal(links_of(&pair.b).invitations, 0);
    pair.a.asleep = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_application_that_nobody_serves_is_refused_as_not_found),
        LIVE(who_serves_no_more_hears_of_no_channel_that_was_on_its_way),
        LIVE(channels_with_one_node_are_limited_and_counted),
        LIVE(channels_in_all_are_limited_and_counted),
        LIVE(a_far_node_that_falls_asleep_is_not_waited_for_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
