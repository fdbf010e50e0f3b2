#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pair.h"
#include "peer/channel.h"

/* What an open channel says of its path when ICE takes a better one (RFC 5245 s8.1.1.2). The linker
 * puts the function below between the channels and ICE (--wrap). */

#define APPLICATION 40000
#define PATIENCE_MS 30000

static struct pair pair;
static bool is_relayed;

int __wrap_reload_overlay_link_pair(const struct reload_overlay *overlay, reload_link_id link,
                                    struct reload_ice_pair *out);
int __real_reload_overlay_link_pair(const struct reload_overlay *overlay, reload_link_id link,
                                    struct reload_ice_pair *out);

int __wrap_reload_overlay_link_pair(const struct reload_overlay *overlay, reload_link_id link,
                                    struct reload_ice_pair *out)
{
    int error = __real_reload_overlay_link_pair(overlay, link, out);
    if (error == 0 && is_relayed) {
        out->relayed = true;
        out->remote_type = RELOAD_ICE_RELAY;
        assert_int_equal(reload_link_address_parse("192.0.2.1", 3478, &out->remote), 0);
    }
    return error;
}

static void opened(void *context, struct reload_channel *channel)
{
    (void)channel;
    *(bool *)context = true;
}

static void closed(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *end)
{
    (void)end;
    (void)reload_channel_info(channel); /* good until this returns */
    *(bool *)context = true;
}

static struct reload_channel *open_channel(bool ice, bool *is_open, bool *is_served)
{
    static const struct reload_channel_events near = { .opened = opened };
    static const struct reload_channel_events far = { .opened = opened, .closed = closed };
    const struct pair_options options = { .ice = ice };
    struct reload_channel *channel = NULL;
    pair_open(&pair, &options);
    const struct reload_target target = { .id = reload_node_id_slice(&pair.a.files.node_id) };
    assert_int_equal(reload_overlay_accept_channels(pair.a.overlay, APPLICATION, &far, is_served),
                     0);
    assert_int_equal(
        reload_overlay_open_channel(pair.b.overlay, &target, APPLICATION, &near, is_open, &channel),
        0);
    assert_true(pair_until(&pair, is_open, PATIENCE_MS));
    assert_true(pair_until(&pair, is_served, PATIENCE_MS));
    return channel;
}

static int close_pair(void **state)
{
    (void)state;
    pair_close(&pair);
    return 0;
}

static void a_relayed_channel_that_becomes_direct_says_so(void **state)
{
    (void)state;
    static bool is_open, is_served;
    is_relayed = true;
    struct reload_channel *channel = open_channel(true, &is_open, &is_served);
    const struct reload_channel_info *info = reload_channel_info(channel);
    assert_true(info->relayed);
    assert_int_equal(info->remote.port, 3478);
    is_relayed = false;
    assert_ptr_equal(reload_channel_info(channel), info);
    assert_false(info->relayed);
    assert_int_equal(info->remote.bytes[0], 127);
    assert_int_not_equal(info->remote.port, 3478);
    is_served = false;
    reload_channel_close(channel);
    assert_true(pair_until(&pair, &is_served, PATIENCE_MS));
}

static void a_channel_without_ice_keeps_its_addresses(void **state)
{
    (void)state;
    static bool is_open, is_served;
    struct reload_channel *channel = open_channel(false, &is_open, &is_served);
    const struct reload_link_address remote = reload_channel_info(channel)->remote;
    assert_int_not_equal(remote.port, 0);
    assert_true(reload_link_address_equal(&reload_channel_info(channel)->remote, &remote));
    assert_false(reload_channel_info(channel)->relayed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_relayed_channel_that_becomes_direct_says_so, close_pair),
        cmocka_unit_test_teardown(a_channel_without_ice_keeps_its_addresses, close_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
