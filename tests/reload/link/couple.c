#include "couple.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reload/alloc.h"
#include "reload/link/datagram.h"

struct host host_a, host_b;
struct reload_link_address bare_port;

void couple_open(struct identity *dialler, struct identity *listener,
                 const struct host_options *options)
{
    leap_ms = 0;
    host_open(&host_a, dialler, options);
    host_open(&host_b, listener, options);
    net_hosts(&host_a, &host_b);
}

void couple_open_datagrams(struct identity *dialler, const struct host_options *options)
{
    struct reload_link_address any;
    couple_open(dialler, &bob, options);
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    assert_int_equal(reload_links_listen_datagrams(host_b.links, &any, &bare_port), 0);
    assert_int_not_equal(bare_port.port, 0);
}

int couple_close(void **state)
{
    (void)state;
    reload_alloc_fail_at(0);
    net_hosts(NULL, NULL);
    host_close(&host_a);
    host_close(&host_b);
    return 0;
}

static reload_link_id when_up(reload_link_id id)
{
    assert_true(net_events(&host_a, RELOAD_LINK_UP, 1));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
    return id;
}

reload_link_id couple_link(void)
{
    return when_up(host_dial(&host_a, &host_b.at, NULL));
}

reload_link_id couple_link_datagrams(void)
{
    return when_up(couple_dial_datagrams(&bare_port, NULL));
}

reload_link_id couple_dial_datagrams(const struct reload_link_address *to,
                                     const struct reload_node_id *expected)
{
    reload_link_id id = 0;
    assert_int_equal(reload_links_dial_datagrams(host_a.links, to, 1, expected, net_now(), &id), 0);
    return id;
}

reload_link_id couple_far_id(void)
{
    return host_b.last[RELOAD_LINK_UP].link;
}

void couple_raw(struct raw *raw)
{
    raw_open(raw, &alice, &host_b.at);
    assert_true(raw_until_up(raw));
    assert_true(net_events(&host_b, RELOAD_LINK_UP, 1));
}
