#include "virtual.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <time.h>

#include "reload/link/datagram.h"

struct end client, server;
struct reload_time now;

static void open_end(struct end *end, struct identity *identity, enum reload_link_role role)
{
    const struct channel_options path = { .delay_ms = 10 };
    const struct reload_links_config config = { .identity = &pki_ops,
                                                .identity_context = identity,
                                                .max_message_size = 5000 };
    struct reload_link_channel channel = { .role = role, .rtt_ms = 20 };
    *end = (struct end){ .out = channel_new(&path, role) };
    assert_int_equal(reload_links_new(&config, &end->links), 0);
    assert_int_equal(reload_link_address_parse("192.0.2.1", 6084, &channel.far), 0);
    assert_int_equal(reload_link_address_parse("192.0.2.2", 6084, &channel.local), 0);
    assert_int_equal(reload_links_open_channel(end->links, &channel, now, &end->link), 0);
}

void say(struct end *end, size_t len)
{
    static uint8_t message[5000];
    static uint64_t number;
    number++; /* no two are equal */
    assert_true(len >= sizeof number && len <= sizeof message);
    memcpy(message, &number, sizeof number);
    const struct reload_slice part = reload_slice_of(message, len);
    assert_int_equal(reload_links_send(end->links, end->link, &part, 1, now), 0);
}

void obey(struct end *end)
{
    struct rig *rig = end->node;
    for (size_t i = 0; i < rig->action_count; i++) {
        const struct rig_action *a = &rig->actions[i];
        const struct reload_slice part = { a->bytes, a->len };
        if (a->action.type == RELOAD_ACTION_SEND)
            assert_int_equal(reload_links_send(end->links, end->link, &part, 1, now), 0);
    }
    rig_clear(rig);
}

static void tell_node(struct end *end, const struct reload_link_event *event)
{
    struct reload_node *node = end->node->node;
    const reload_link_id link = 1; /* as rig_link() has it */
    end->node->now = now;
    if (event->type == RELOAD_LINK_IDLE)
        reload_node_link_idle(node, link, now);
    else if (event->type == RELOAD_LINK_MTU)
        reload_node_link_mtu(node, link, event->mtu, now);
    else if (event->type == RELOAD_LINK_TOO_LONG)
        reload_node_too_long(node, link, event->message.p, event->message.n, now);
    else if (event->type == RELOAD_LINK_SUSPECT || event->type == RELOAD_LINK_RECOVERED)
        reload_node_link_suspect(node, link, event->type == RELOAD_LINK_SUSPECT, now);
    else if (event->type == RELOAD_LINK_DOWN)
        reload_node_link_down(node, link, now);
    else if (event->type == RELOAD_LINK_RETURNED)
        reload_node_returned(node, event->message.p, event->message.n, now);
    rig_pull(end->node);
    obey(end);
}

static void happened(struct end *end, const struct reload_link_event *event)
{
    end->ups += event->type == RELOAD_LINK_UP;
    end->returned += event->type == RELOAD_LINK_RETURNED;
    end->too_long += event->type == RELOAD_LINK_TOO_LONG;
    end->idles += event->type == RELOAD_LINK_IDLE;
    if (event->type == RELOAD_LINK_DATAGRAM) {
        end->datagrams++;
        channel_put(end->out, event->message.p, event->message.n, now.monotonic_ms);
    } else if (event->type == RELOAD_LINK_MESSAGE) {
        end->messages++;
        end->longest = event->message.n > end->longest ? event->message.n : end->longest;
    } else if (event->type == RELOAD_LINK_MTU) {
        end->narrowings++;
        end->mtu = event->mtu;
    } else if (event->type == RELOAD_LINK_SUSPECT) {
        end->suspects++;
        end->suspect_ms = now.monotonic_ms;
    } else if (event->type == RELOAD_LINK_DOWN) {
        end->downs++;
        end->down_ms = now.monotonic_ms;
    }
    if (event->type == RELOAD_LINK_IDLE && end->talks)
        say(end, 10);
    if (end->node)
        tell_node(end, event);
}

static void run_end(struct end *end, struct end *far)
{
    uint8_t datagram[20000];
    size_t n;
    while ((n = channel_get(far->out, datagram, sizeof datagram, now.monotonic_ms)))
        reload_links_channel_input(end->links, end->link, reload_slice_of(datagram, n), now);
    if (end->node && reload_node_deadline(end->node->node) <= now.monotonic_ms) {
        end->node->now = now;
        reload_node_tick(end->node->node, now);
        rig_pull(end->node);
        obey(end);
    }
    reload_links_process(end->links, now);
    struct reload_link_event event;
    while (reload_links_next(end->links, &event))
        happened(end, &event);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t deadline_of(const struct end *end)
{
    uint64_t at_ms = smaller(reload_links_deadline(end->links), channel_deadline(end->out));
    return end->node ? smaller(at_ms, reload_node_deadline(end->node->node)) : at_ms;
}

void run_for(uint64_t ms)
{
    uint64_t end_ms = now.monotonic_ms + ms;
    for (uint64_t at_ms = now.monotonic_ms; at_ms <= end_ms;
         at_ms = smaller(deadline_of(&client), deadline_of(&server))) {
        if (at_ms > now.monotonic_ms) {
            now.unix_ms += at_ms - now.monotonic_ms;
            now.monotonic_ms = at_ms;
        }
        run_end(&client, &server);
        run_end(&server, &client);
    }
    now.unix_ms += end_ms - now.monotonic_ms;
    now.monotonic_ms = end_ms;
}

int virtual_open(void **state)
{
    (void)state;
    now = (struct reload_time){ 1000000, 1000 * (uint64_t)time(NULL) };
    open_end(&client, &alice, RELOAD_LINK_CLIENT);
    open_end(&server, &bob, RELOAD_LINK_SERVER);
    run_for(SECOND);
    assert_int_equal(client.ups + server.ups, 2);
    say(&client, 10);
    run_for(SECOND);
    return 0;
}

int virtual_close(void **state)
{
    (void)state;
    struct end *ends[] = { &client, &server };
    for (int i = 0; i < 2; i++) {
        reload_links_free(ends[i]->links);
        channel_free(ends[i]->out);
    }
    return 0;
}

void set_path(const struct channel_options *path)
{
    channel_set(client.out, path);
    channel_set(server.out, path);
}

void put_node(struct rig *rig)
{
    rig_init(rig);
    rig->now = now;
    rig_start(rig);
    rig_link(rig, 0);
    rig_clear(rig);
    client.node = rig;
}

void remove_node(struct rig *rig)
{
    client.node = NULL;
    rig_fini(rig);
}
