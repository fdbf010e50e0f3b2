#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct reload_link_address loopback(uint16_t port)
{
    return (struct reload_link_address){ .len = 4, .bytes = { 127, 0, 0, 1 }, .port = port };
}

void end_open_with(struct reload_ice *ice, struct end *end,
                   const struct reload_ice_channel_config *config)
{
    struct reload_ice_channel_config c = *config;
    *end = (struct end){ 0 };
    c.user = end;
    assert_int_equal(reload_ice_channel_new(ice, &c, &end->channel), 0);
}

void end_open(struct reload_ice *ice, struct end *end, enum reload_ice_role role)
{
    struct reload_link_address local = loopback(0);
    end_open_with(ice, end,
                  &(struct reload_ice_channel_config){
                      .role = role, .local_addresses = &local, .local_address_count = 1 });
}

struct reload_slice end_candidates(const struct end *end, uint8_t *out, size_t cap)
{
    struct reload_ice_candidate list[RELOAD_ICE_LOCAL_CANDIDATES_MAX];
    struct reload_writer w = reload_writer_of(out, cap);
    size_t count = reload_ice_channel_candidates(end->channel, list, G_N_ELEMENTS(list));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(reload_ice_candidate_encode(&w, &list[i]), 0);
    return reload_writer_slice(&w);
}

int end_introduce(struct end *from, struct end *to)
{
    uint8_t bytes[4096];
    struct reload_slice candidates = end_candidates(from, bytes, sizeof bytes);
    return reload_ice_channel_set_remote(to->channel, reload_ice_channel_ufrag(from->channel),
                                         reload_ice_channel_password(from->channel), candidates);
}

static void take(const struct reload_ice_event *event)
{
    struct end *end = event->user;
    assert_ptr_equal(event->channel, end->channel);
    assert_false(end->failed); /* FAILED is the last one */
    switch (event->type) {
    case RELOAD_ICE_EVENT_GATHERED:
        assert_false(end->gathered);
        end->gathered = true;
        break;
    case RELOAD_ICE_EVENT_CONNECTED:
        assert_true(end->gathered);
        assert_false(end->connected);
        end->connected = true;
        break;
    case RELOAD_ICE_EVENT_DATAGRAM:
        end->datagrams++;
        end->last_len = event->datagram.n;
        assert_true(event->datagram.n <= sizeof end->last);
        memcpy(end->last, event->datagram.p, event->datagram.n);
        break;
    case RELOAD_ICE_EVENT_FAILED:
        end->failed = true;
        end->error = event->error;
        end->reason = event->reason;
        break;
    }
}

void drain(struct reload_ice *ice)
{
    struct reload_ice_event event;
    while (reload_ice_next(ice, &event))
        take(&event);
}

static gboolean ring(gpointer over)
{
    *(bool *)over = true;
    return G_SOURCE_REMOVE;
}

bool run_until(struct reload_ice *ice, const bool *flag, unsigned int timeout_ms)
{
    bool over = false;
    guint timer = g_timeout_add(timeout_ms, ring, &over);
    drain(ice);
    while (!over && !(flag && *flag)) {
        g_main_context_iteration(NULL, TRUE);
        drain(ice);
    }
    if (!over)
        g_source_remove(timer);
    return flag && *flag;
}

void run_for(struct reload_ice *ice, unsigned int ms)
{
    run_until(ice, NULL, ms);
}
