#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"
#include "peer/channel.h"
#include "reload/wire/error.h"

/* Channels of applications between two real nodes: over TLS, DTLS and ICE. */

#define APPLICATION 40000
#define PATIENCE_MS 20000

struct end { /* one end of a channel, and what it was told */
    struct reload_channel *channel;
    bool is_open, has_received, is_writable, has_ended, is_closed;
    size_t received;
    uint8_t last[RELOAD_CHANNEL_DATAGRAM_MAX];
    size_t last_len;
    int error;
    uint16_t error_code;
    char reason[200];
    bool in_callback, close_in_opened, close_in_received;
    bool is_over; /* the far end sends no more, or the channel is closed */
};

static struct pair pair;
static struct end far, near; /* of the node that serves, and of the one that asks */

static void enter(struct end *end)
{
    assert_false(end->in_callback); /* never from inside another call */
    end->in_callback = true;
}

static void opened(void *context, struct reload_channel *channel)
{
    struct end *end = context;
    enter(end);
    assert_false(end->is_open);
    end->channel = channel;
    end->is_open = true;
    if (end->close_in_opened)
        reload_channel_close(channel);
    end->in_callback = false;
}

static void received(void *context, struct reload_channel *channel, struct reload_slice bytes)
{
    struct end *end = context;
    enter(end);
    assert_ptr_equal(end->channel, channel);
    end->has_received = true;
    end->received += bytes.n;
    end->last_len = MIN(bytes.n, sizeof end->last);
    memcpy(end->last, bytes.p, end->last_len);
    if (end->close_in_received)
        reload_channel_close(channel);
    end->in_callback = false;
}

static void writable(void *context, struct reload_channel *channel)
{
    (void)channel;
    ((struct end *)context)->is_writable = true;
}

static void ended(void *context, struct reload_channel *channel)
{
    struct end *end = context;
    end->has_ended = end->is_over = true;
    assert_int_equal(reload_channel_info(channel)->application, APPLICATION);
}

static void closed(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *how)
{
    struct end *end = context;
    enter(end);
    assert_false(end->is_closed);
    end->is_closed = end->is_over = true;
    end->error = how->error;
    end->error_code = how->error_code;
    g_strlcpy(end->reason, how->reason, sizeof end->reason);
    reload_channel_close(channel); /* does no harm */
    end->channel = NULL;
    end->in_callback = false;
}

static const struct reload_channel_events events = { opened, received, writable, ended, closed };

static int open_pair(struct pair_options options)
{
    memset(&near, 0, sizeof near);
    memset(&far, 0, sizeof far);
    pair_open(&pair, &options);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    pair_close(&pair);
    return 0;
}

static void serve(struct pair_node *node)
{
    assert_int_equal(reload_overlay_accept_channels(node->overlay, APPLICATION, &events, &far), 0);
}

static int ask(struct pair_node *from, const struct pair_node *to, struct end *end)
{
    const struct reload_target target = { .id = reload_node_id_slice(&to->files.node_id) };
    return reload_overlay_open_channel(from->overlay, &target, APPLICATION, &events, end,
                                       &end->channel);
}

static void connect_pair(struct pair_node *from, struct pair_node *to)
{
    serve(to);
    assert_int_equal(ask(from, to, &near), 0);
    assert_true(pair_until(&pair, &near.is_open, PATIENCE_MS));
    assert_true(pair_until(&pair, &far.is_open, PATIENCE_MS));
}

static int send_text(struct end *end, const char *text)
{
    return reload_channel_send(end->channel, reload_slice_of(text, strlen(text)));
}

static struct reload_channel_stats stats_of(const struct pair_node *node)
{
    struct reload_channel_stats stats;
    reload_overlay_channel_stats(node->overlay, &stats);
    return stats;
}

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

/* --- over each kind of connection --- */

static void assert_text_passes(void)
{
    assert_int_equal(send_text(&near, "from the one that asked"), 0);
    assert_true(pair_until(&pair, &far.has_received, PATIENCE_MS));
    assert_int_equal(far.last_len, 23);
    assert_memory_equal(far.last, "from the one that asked", 23);
    assert_int_equal(send_text(&far, "from the other"), 0);
    assert_true(pair_until(&pair, &near.has_received, PATIENCE_MS));
    assert_memory_equal(near.last, "from the other", 14);
}

/* The connection is one of its own (R7904-5.1-6): the link between the nodes is there before,
 * beside and after it. R6940-6.5.2.2-2 R6940-6.5.1.13-1 */
static void bytes_travel_over_tls_between_nodes_that_know_each_other(void **state)
{
    (void)state;
    open_pair((struct pair_options){ 0 });
    assert_int_equal(links_of(&pair.b).raw, 0);
    connect_pair(&pair.b, &pair.a);
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
    assert_int_equal(send_text(&near, "too late"), RELOAD_E_STATE);
    far.has_received = near.has_received = false;
    assert_int_equal(send_text(&far, "afterwards"), 0);
    assert_true(pair_until(&pair, &near.has_received, PATIENCE_MS));
    reload_channel_end(far.channel);
    assert_true(pair_until(&pair, &far.is_closed, PATIENCE_MS));
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_int_equal(near.error, 0);
    assert_int_equal(far.error, 0);
    assert_true(near.has_ended);
    assert_int_equal(links_of(&pair.b).raw, 0);
    assert_true(links_of(&pair.b).up > 0);
    assert_int_equal(stats_of(&pair.a).opened + stats_of(&pair.b).opened, 2);
    assert_int_equal(stats_of(&pair.a).channels + stats_of(&pair.b).channels, 0);
}

static void the_founder_may_ask_too(void **state)
{
    (void)state;
    open_pair((struct pair_options){ 0 });
    connect_pair(&pair.a, &pair.b);
    assert_is(near.channel, &pair.b);
    assert_text_passes();
}

/* R6940-6.5.1.11-1 */
static void who_listens_nowhere_dials_and_is_waited_for(void **state)
{
    (void)state;
    open_pair((struct pair_options){ .b_is_deaf = true });
    connect_pair(&pair.b, &pair.a);
    assert_is(near.channel, &pair.a);
    assert_is(far.channel, &pair.b);
    assert_text_passes();
}

static void who_listens_nowhere_can_be_asked(void **state)
{
    (void)state;
    open_pair((struct pair_options){ .b_is_deaf = true });
    connect_pair(&pair.a, &pair.b);
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
    open_pair((struct pair_options){ .dtls = true });
    connect_pair(&pair.b, &pair.a);
    assert_int_equal(reload_channel_info(near.channel)->link_type,
                     RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE);
    assert_datagrams();
    assert_int_equal(links_of(&pair.a).raw + links_of(&pair.b).raw, 0);
}

/* R6940-6.5.2.2-2 R6940-6.5.2.2-3 */
static void datagrams_travel_over_ice(void **state)
{
    (void)state;
    open_pair((struct pair_options){ .ice = true });
    connect_pair(&pair.b, &pair.a);
    assert_int_equal(reload_channel_info(near.channel)->link_type, RELOAD_LINK_TYPE_DTLS_UDP_SR);
    assert_datagrams();
}

/* --- refusals and limits --- */

/* R6940-6.5.2.2-4 */
static void an_application_that_nobody_serves_is_refused_as_not_found(void **state)
{
    (void)state;
    open_pair((struct pair_options){ 0 });
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_int_equal(near.error_code, RELOAD_ERROR_NOT_FOUND);
    assert_non_null(strstr(near.reason, "does not serve"));
    assert_false(near.is_open);
    assert_int_equal(links_of(&pair.b).invitations, 0);
    serve(&pair.a);
    assert_int_equal(reload_overlay_accept_channels(pair.a.overlay, APPLICATION, &events, &far),
                     RELOAD_E_STATE);
    assert_int_equal(reload_overlay_accept_channels(pair.a.overlay, 0, &events, &far),
                     RELOAD_E_INVALID);
    reload_overlay_refuse_channels(pair.a.overlay, APPLICATION);
    reload_overlay_refuse_channels(pair.a.overlay, APPLICATION);
    memset(&near, 0, sizeof near);
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
    assert_int_equal(near.error_code, RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(stats_of(&pair.b).failed, 2);
}

/* Its context may be gone by then. */
static void who_serves_no_more_hears_of_no_channel_that_was_on_its_way(void **state)
{
    (void)state;
    open_pair((struct pair_options){ 0 });
    serve(&pair.a);
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    for (unsigned i = 0; i < PATIENCE_MS && stats_of(&pair.a).accepted == 0; i++)
        pair_for_ms(&pair, 1);
    assert_int_equal(stats_of(&pair.a).channels, 1);
    if (far.is_open) /* a busy machine: it was told in the same turn */
        skip();
    reload_overlay_refuse_channels(pair.a.overlay, APPLICATION);
    assert_int_equal(stats_of(&pair.a).channels, 0);
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
    open_pair((struct pair_options){ 0 });
    assert_int_equal(
        reload_overlay_accept_channels(pair.a.overlay, APPLICATION, &counting, &accepted), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(many); i++)
        assert_int_equal(ask(&pair.b, &pair.a, &many[i]), 0);
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
    assert_int_equal(stats_of(&pair.a).refused_per_node + stats_of(&pair.b).refused_per_node > 0,
                     true);
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
    open_pair((struct pair_options){ 0 });
    for (size_t i = 0; i < RELOAD_CHANNELS_MAX; i++)
        assert_int_equal(ask(&pair.b, &pair.a, &many[i]), 0);
    assert_int_equal(ask(&pair.b, &pair.a, &near), RELOAD_E_LIMIT);
    assert_int_equal(stats_of(&pair.b).refused_full, 1);
    for (size_t i = 0; i < RELOAD_CHANNELS_MAX; i++)
        assert_true(pair_until(&pair, &many[i].is_closed, PATIENCE_MS)); /* nobody serves it */
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS));
}

static void a_far_node_that_falls_asleep_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    open_pair((struct pair_options){ 0 });
    serve(&pair.a);
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    for (int i = 0; i < 100000 && stats_of(&pair.a).accepted == 0; i++)
        pair_turn(&pair);
    pair.a.asleep = true; /* it has answered, and begun to dial */
    assert_true(pair_until(&pair, &near.is_closed, RELOAD_CHANNEL_OPEN_MS + 5000));
    assert_int_equal(near.error, RELOAD_E_TIMEOUT);
    assert_int_equal(stats_of(&pair.b).timed_out, 1);
    assert_int_equal(links_of(&pair.b).invitations, 0);
    pair.a.asleep = false;
}

/* --- ends --- */

static void a_channel_that_is_not_wanted_any_longer_is_forgotten(void **state)
{
    (void)state;
    open_pair((struct pair_options){ 0 });
    serve(&pair.a);
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    reload_channel_close(near.channel);
    pair_for_ms(&pair, 500);
    assert_false(near.is_open || near.is_closed || far.is_open);
    assert_int_equal(links_of(&pair.b).invitations, 0);
    assert_int_equal(stats_of(&pair.b).channels, 0);
    reload_channel_close(NULL);
}

static void a_channel_may_be_closed_in_any_callback(void **state)
{
    (void)state;
    open_pair((struct pair_options){ 0 });
    serve(&pair.a);
    far.close_in_opened = true;
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.has_ended, PATIENCE_MS));
    reload_channel_close(near.channel);
    memset(&near, 0, sizeof near);
    memset(&far, 0, sizeof far);
    far.close_in_received = true;
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    assert_true(pair_until(&pair, &near.is_open, PATIENCE_MS));
    for (int i = 0; i < 5; i++) /* of which the first is read */
        assert_int_equal(send_text(&near, "x"), 0);
    assert_true(pair_until(&pair, &far.has_received, PATIENCE_MS));
    assert_true(pair_until(&pair, &near.has_ended, PATIENCE_MS));
    assert_false(far.is_closed);
    assert_int_equal(stats_of(&pair.a).channels, 0);
}

static void reopen(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *how)
{
    struct end *end = context;
    (void)channel;
    end->is_closed = true;
    end->error = how->error;
    assert_int_equal(ask(&pair.b, &pair.a, &far), RELOAD_E_CLOSED);
}

static void a_node_that_stops_tells_its_channels_and_takes_no_more(void **state)
{
    (void)state;
    const struct reload_channel_events stubborn = { .closed = reopen };
    open_pair((struct pair_options){ 0 });
    connect_pair(&pair.b, &pair.a);
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
    open_pair((struct pair_options){ 0 });
    connect_pair(&pair.b, &pair.a);
    reload_channel_end(far.channel);
    assert_true(pair_until(&pair, &near.has_ended, PATIENCE_MS));
    pair_for_ms(&pair, 2 * RELOAD_LINK_LINGER_MS);
    assert_false(near.is_closed);
    assert_int_equal(send_text(&near, "still read"), 0);
    assert_true(pair_until(&pair, &far.has_received, PATIENCE_MS));
    reload_channel_close(far.channel);
    assert_true(pair_until(&pair, &near.is_closed, PATIENCE_MS)); /* without a word of its own */
    assert_int_equal(near.error, 0);
    assert_int_equal(links_of(&pair.b).raw, 0);
}

static void a_close_is_noticed_by_who_never_ends(void **state)
{
    (void)state;
    open_pair((struct pair_options){ 0 });
    connect_pair(&pair.b, &pair.a);
    assert_int_equal(send_text(&far, "last words"), 0);
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
    open_pair((struct pair_options){ 0 });
    connect_pair(&pair.b, &pair.a);
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

/* --- back-pressure --- */

static void a_slow_reader_is_waited_for(void **state)
{
    (void)state;
    static uint8_t piece[RELOAD_CHANNEL_PIECE_MAX];
    size_t sent = 0;
    int error = 0;
    open_pair((struct pair_options){ 0 });
    connect_pair(&pair.b, &pair.a);
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
    open_pair((struct pair_options){ .dtls = true });
    serve(&pair.a);
    assert_int_equal(ask(&pair.b, &pair.a, &near), 0);
    assert_int_equal(send_text(&near, "early"), RELOAD_E_STATE);
    reload_channel_end(near.channel); /* nor is there anything to end */
    assert_true(pair_until(&pair, &near.is_open, PATIENCE_MS));
    assert_int_equal(reload_channel_send(near.channel, reload_slice_of(piece, sizeof piece)),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_channel_send(near.channel, reload_slice_of(piece, 0)),
                     RELOAD_E_INVALID);
}

int main(void)
{
#define LIVE(test) cmocka_unit_test_teardown(test, close_pair)
    const struct CMUnitTest tests[] = {
        LIVE(bytes_travel_over_tls_between_nodes_that_know_each_other),
        LIVE(the_founder_may_ask_too),
        LIVE(who_listens_nowhere_dials_and_is_waited_for),
        LIVE(who_listens_nowhere_can_be_asked),
        LIVE(datagrams_travel_over_dtls_where_both_prefer_it),
        LIVE(datagrams_travel_over_ice),
        LIVE(an_application_that_nobody_serves_is_refused_as_not_found),
        LIVE(who_serves_no_more_hears_of_no_channel_that_was_on_its_way),
        LIVE(channels_with_one_node_are_limited_and_counted),
        LIVE(channels_in_all_are_limited_and_counted),
        LIVE(a_far_node_that_falls_asleep_is_not_waited_for_for_ever),
        LIVE(a_channel_that_is_not_wanted_any_longer_is_forgotten),
        LIVE(a_channel_may_be_closed_in_any_callback),
        LIVE(a_node_that_stops_tells_its_channels_and_takes_no_more),
        LIVE(a_far_end_that_closes_after_it_has_ended_is_noticed),
        LIVE(a_close_is_noticed_by_who_never_ends),
        LIVE(who_reads_late_gets_everything_before_the_close),
        LIVE(a_slow_reader_is_waited_for),
        LIVE(what_is_too_long_or_comes_too_early_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
