#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ice/turn.h"
#include "ice/turn_grant.h"
#include "pair.h"
#include "peer/channel.h"

/* A peer with a TURN server beside it, and who asks it for credentials (RFC 6940 s9). */

#define PATIENCE_MS 20000

struct asker {
    struct reload_channel *channel;
    bool is_open, has_ended, is_closed;
    uint8_t bytes[2048];
    size_t len;
};

static struct pair pair;

static void opened(void *context, struct reload_channel *channel)
{
    (void)channel;
    ((struct asker *)context)->is_open = true;
}

static void received(void *context, struct reload_channel *channel, struct reload_slice bytes)
{
    struct asker *asker = context;
    (void)channel;
    assert_true(bytes.n <= sizeof asker->bytes - asker->len);
    memcpy(asker->bytes + asker->len, bytes.p, bytes.n);
    asker->len += bytes.n;
}

static void ended(void *context, struct reload_channel *channel)
{
    (void)channel;
    ((struct asker *)context)->has_ended = true;
}

static void closed(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *end)
{
    (void)channel;
    (void)end;
    ((struct asker *)context)->is_closed = true;
}

static void ask(struct asker *asker)
{
    static const struct reload_channel_events events = {
        .opened = opened, .received = received, .ended = ended, .closed = closed
    };
    const struct reload_target target = { .id = reload_node_id_slice(&pair.a.files.node_id) };
    memset(asker, 0, sizeof *asker);
    assert_int_equal(reload_overlay_open_channel(pair.b.overlay, &target,
                                                 RELOAD_ICE_TURN_APPLICATION, &events, asker,
                                                 &asker->channel),
                     0);
}

static struct reload_overlay_turn_view view_of(const struct pair_node *node)
{
    struct reload_overlay_turn_view view;
    reload_overlay_turn_view(node->overlay, &view);
    return view;
}

static uint32_t channels_of(const struct pair_node *node)
{
    struct reload_channel_stats stats;
    reload_overlay_channel_stats(node->overlay, &stats);
    return stats.channels;
}

static int close_pair(void **state)
{
    (void)state;
    pair_close(&pair);
    return 0;
}

/* The user name says who asked and until when; the password is what the TURN server will make of
 * the same. The secret itself does not travel. */
static void credentials_are_made_for_the_node_that_asks(void **state)
{
    (void)state;
    struct asker asker;
    struct reload_ice_turn_grant grant;
    struct reload_ice_turn_credentials wanted;
    struct reload_slice secret = reload_slice_of(PAIR_TURN_SECRET, strlen(PAIR_TURN_SECRET));
    pair_open(&pair, &(struct pair_options){ .ice = true, .turn = true });
    ask(&asker);
    assert_true(pair_until(&pair, &asker.has_ended, PATIENCE_MS));
    const struct reload_channel_info *info = reload_channel_info(asker.channel);
    assert_int_equal(info->link_type, RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE); /* no UDP is needed */
    assert_int_equal(reload_ice_turn_grant_decode(reload_slice_of(asker.bytes, asker.len), &grant),
                     0);
    uint64_t expires_s = strtoull(grant.user_name, NULL, 10);
    assert_int_equal(reload_ice_turn_credentials(secret, &pair.b.files.node_id,
                                                 expires_s - grant.lifetime_s, grant.lifetime_s,
                                                 &wanted),
                     0);
    assert_string_equal(grant.user_name, wanted.user_name);
    assert_string_equal(grant.password, wanted.password);
    assert_null(g_strstr_len((const char *)asker.bytes, (gssize)asker.len, PAIR_TURN_SECRET));
    assert_int_equal(view_of(&pair.a).stats->granted, 1);
    assert_true(view_of(&pair.a).stats->records >= 1);
    assert_null(view_of(&pair.b).relay); /* b has no need of one */
    reload_channel_close(asker.channel);
    pair_for_ms(&pair, 100);
}

static void one_that_does_not_hang_up_is_cut_off(void **state)
{
    (void)state;
    struct asker asker;
    pair_open(&pair, &(struct pair_options){ .ice = true, .turn = true });
    ask(&asker);
    assert_true(pair_until(&pair, &asker.has_ended, PATIENCE_MS));
    assert_int_equal(channels_of(&pair.a), 1);
    for (int i = 0; i < 200 && channels_of(&pair.a) > 0; i++)
        pair_for_ms(&pair, 200);
    assert_int_equal(channels_of(&pair.a), 0);
    reload_channel_close(asker.channel);
}

static void channels_that_are_open_do_not_outlive_the_peer(void **state)
{
    (void)state;
    struct asker asker;
    pair_open(&pair, &(struct pair_options){ .ice = true, .turn = true });
    ask(&asker);
    assert_true(pair_until(&pair, &asker.has_ended, PATIENCE_MS));
    pair_node_free(&pair.a);
    pair_node_free(&pair.b);
    assert_true(asker.is_closed);
}

static void a_peer_without_a_turn_server_serves_nobody(void **state)
{
    (void)state;
    struct asker asker;
    pair_open(&pair, &(struct pair_options){ .ice = true });
    ask(&asker);
    assert_true(pair_until(&pair, &asker.is_closed, PATIENCE_MS));
    assert_false(asker.is_open);
    assert_null(view_of(&pair.a).offered);
}

/* --- what is refused at start --- */

static char *refusal(const char *turn, uint16_t port, const char *secret, bool listens)
{
    struct reload_overlay *overlay = NULL;
    struct reload_cert_reason reason = { "" };
    struct reload_link_address listen, server;
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &listen), 0);
    assert_int_equal(reload_link_address_parse(turn, port, &server), 0);
    const struct reload_overlay_options options = {
        .config = pair.files.document,
        .certificate = pair.a.files.certificate,
        .key = pair.a.files.key,
        .listen = &listen,
        .listen_count = listens,
        .role = listens ? RELOAD_ROLE_PEER : RELOAD_ROLE_CLIENT,
        .turn = &server,
        .turn_secret = reload_slice_of(secret, strlen(secret)),
        .context = pair.a.context,
    };
    int error = reload_overlay_new(&options, &overlay, &reason);
    reload_overlay_free(overlay);
    assert_int_equal(error == 0 ? RELOAD_E_INVALID : error, RELOAD_E_INVALID);
    return error == 0 ? g_strdup("taken") : g_strdup(reason.text);
}

static void expect_refusal(const char *why, char *got)
{
    if (!strstr(got, why))
        fail_msg("\"%s\" is not in \"%s\"", why, got);
    g_free(got);
}

/* R6940-9-2 */
static void what_others_could_not_use_is_refused_at_start(void **state)
{
    (void)state;
    pair_open(&pair, &(struct pair_options){ .ice = true });
    expect_refusal("taken", refusal("203.0.113.1", 3478, "x", true));
    expect_refusal("taken", refusal("127.0.0.1", 3478, "x", true)); /* where it listens, too */
    expect_refusal("private", refusal("192.168.1.1", 3478, "x", true));
    expect_refusal("nobody else", refusal("224.0.0.1", 3478, "x", true));
    expect_refusal("nobody else", refusal("203.0.113.1", 0, "x", true));
    expect_refusal("secret", refusal("203.0.113.1", 3478, "", true));
    expect_refusal("listens", refusal("203.0.113.1", 3478, "x", false));
    pair_close(&pair);
    pair_open(&pair, &(struct pair_options){ 0 });
    expect_refusal("without ICE", refusal("203.0.113.1", 3478, "x", true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(credentials_are_made_for_the_node_that_asks, close_pair),
        cmocka_unit_test_teardown(one_that_does_not_hang_up_is_cut_off, close_pair),
        cmocka_unit_test_teardown(channels_that_are_open_do_not_outlive_the_peer, close_pair),
        cmocka_unit_test_teardown(a_peer_without_a_turn_server_serves_nobody, close_pair),
        cmocka_unit_test_teardown(what_others_could_not_use_is_refused_at_start, close_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
