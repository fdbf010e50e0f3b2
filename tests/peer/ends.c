#include "ends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct pair pair;
struct end far, near;

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

const struct reload_channel_events ends_events = { opened, received, writable, ended, closed };

int ends_open(struct pair_options options)
{
    memset(&near, 0, sizeof near);
    memset(&far, 0, sizeof far);
    pair_open(&pair, &options);
    return 0;
}

int ends_close(void **state)
{
    (void)state;
    pair_close(&pair);
    return 0;
}

void ends_serve(struct pair_node *node)
{
    assert_int_equal(reload_overlay_accept_channels(node->overlay, APPLICATION, &ends_events, &far),
                     0);
}

int ends_ask(struct pair_node *from, const struct pair_node *to, struct end *end)
{
    const struct reload_target target = { .id = reload_node_id_slice(&to->files.node_id) };
    return reload_overlay_open_channel(from->overlay, &target, APPLICATION, &ends_events, end,
                                       &end->channel);
}

void ends_connect(struct pair_node *from, struct pair_node *to)
{
    ends_serve(to);
    assert_int_equal(ends_ask(from, to, &near), 0);
    assert_true(pair_until(&pair, &near.is_open, PATIENCE_MS));
    assert_true(pair_until(&pair, &far.is_open, PATIENCE_MS));
}

int ends_send_text(struct end *end, const char *text)
{
    return reload_channel_send(end->channel, reload_slice_of(text, strlen(text)));
}

struct reload_channel_stats ends_stats(const struct pair_node *node)
{
    struct reload_channel_stats stats;
    reload_overlay_channel_stats(node->overlay, &stats);
    return stats;
}
