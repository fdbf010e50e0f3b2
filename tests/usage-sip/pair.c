#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static void fill(void *context, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)draw(context);
}

static struct reload_node_id node_of(uint8_t n)
{
    struct reload_node_id id = { .len = 16 };
    memset(id.bytes, n, 16);
    return id;
}

static void open_agent(struct world *world, size_t i)
{
    static const char *const users[] = { "alice@example.org", "bob@example.org", "bob@example.org",
                                         "carol@example.org" };
    struct agent *agent = &world->agents[i];
    agent->node = node_of((uint8_t)(i + 1));
    agent->seed = i + 1;
    agent->registered = true;
    (void)snprintf(agent->user, sizeof agent->user, "%s", users[i]);
    const struct reload_sip_agent_config config = {
        .overlay = "example.org",
        .self = agent->node,
        .user = agent->user,
        .display = "A \"quoted\" name",
        .random = { fill, &agent->seed },
    };
    assert_int_equal(reload_sip_agent_new(&config, world->now, &agent->sip), 0);
}

void world_open(struct world *world, size_t count, bool datagram)
{
    *world = (struct world){ .count = count, .datagram = datagram, .delay_ms = 5, .seed = 7 };
    world->now = (struct reload_time){ 1000, 1700000000000 };
    for (size_t i = 0; i < count; i++)
        open_agent(world, i);
}

void world_close(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        reload_sip_agent_free(world->agents[i].sip);
    for (size_t i = 0; i < world->flying_count; i++)
        free(world->flying[i].bytes);
}

/* --- the network --- */

static void fly(struct world *world, size_t wire_at, size_t end, const uint8_t *bytes, size_t len)
{
    struct wire *wire = &world->wires[wire_at];
    uint64_t at = world->now.monotonic_ms + world->delay_ms;
    if (world->jitter_ms)
        at += draw(&world->seed) % world->jitter_ms;
    if (!wire->datagram && at < wire->last_ms[end])
        at = wire->last_ms[end];
    wire->last_ms[end] = at;
    if (wire->datagram) {
        world->datagrams++;
        if (draw(&world->seed) % 100 < world->loss_percent) {
            world->lost++;
            return;
        }
    }
    assert_true(world->flying_count < FLYING_MAX);
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    world->flying[world->flying_count++] = (struct flying){ at, wire_at, 1 - end, copy, len };
}

static void send(struct world *world, size_t from, const struct reload_sip_action *action)
{
    for (size_t i = 0; i < world->wire_count; i++) {
        struct wire *wire = &world->wires[i];
        for (size_t end = 0; end < 2; end++) {
            if (!wire->up || wire->agent[end] != from || wire->number[end] != action->channel)
                continue;
            size_t step = !wire->datagram && world->chunk ? world->chunk : action->len;
            for (size_t at = 0; at < action->len; at += step)
                fly(world, i, end, action->bytes + at,
                    action->len - at < step ? action->len - at : step);
        }
    }
}

static void open_wire(struct world *world, size_t from, const struct reload_sip_action *action)
{
    size_t to = (size_t)action->node_id.bytes[0] - 1;
    struct agent *caller = &world->agents[from];
    if (to >= world->count || world->agents[to].deaf || world->wire_count == CHANNELS) {
        reload_sip_agent_failed(caller->sip, action->channel, world->now);
        return;
    }
    if (world->agents[to].slow) {
        world->late = *action;
        world->late_from = from;
        return;
    }
    struct wire *wire = &world->wires[world->wire_count++];
    struct reload_sip_channel_info info = { .application = action->application,
                                            .datagram = world->datagram };
    *wire = (struct wire){ .agent = { from, to }, .datagram = world->datagram, .up = true };
    wire->number[0] = action->channel;
    info.node_id = caller->node;
    info.user = caller->user;
    if (reload_sip_agent_accept(world->agents[to].sip, &info, world->now, &wire->number[1]) != 0) {
        world->wire_count--;
        reload_sip_agent_failed(caller->sip, action->channel, world->now);
        return;
    }
    info.node_id = world->agents[to].node;
    info.user = world->agents[to].user;
    reload_sip_agent_opened(caller->sip, action->channel, &info, world->now);
}

void world_admit(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        world->agents[i].slow = false;
    open_wire(world, world->late_from, &world->late);
}

static void target_of(const struct agent *caller, const char *user,
                      const struct reload_node_id *node, struct reload_sip_target *out)
{
    uint8_t buffer[RELOAD_NODE_ID_MAX + 2];
    struct reload_sip_aor aor;
    struct reload_writer list = reload_writer_of(buffer, sizeof buffer);
    const struct reload_destination entry = reload_destination_node(node);
    assert_int_equal(reload_sip_aor_read(reload_slice_of(user, strlen(user)), &aor), 0);
    assert_int_equal(reload_destination_encode(&list, &entry), 0);
    assert_int_equal(reload_sip_target_set(out, &aor, reload_writer_slice(&list),
                                           RELOAD_SIP_SCHEME_ANY, &caller->node),
                     0);
}

static void look_up(struct world *world, size_t from, const struct reload_sip_action *action)
{
    struct reload_sip_target targets[AGENTS_MAX] = { 0 };
    size_t count = 0;
    bool stale = world->stale && !action->fresh, cached = stale;
    for (size_t i = 0; i < world->count; i++)
        if (world->agents[i].registered && strcmp(world->agents[i].user, action->user) == 0) {
            cached = cached || (world->agents[i].news && !action->fresh);
            if (world->agents[i].news && !action->fresh)
                continue;
            const struct reload_node_id node = stale ? node_of(99) : world->agents[i].node;
            target_of(&world->agents[from], action->user, &node, &targets[count++]);
        }
    reload_sip_agent_targets(world->agents[from].sip, action->id, targets, count, cached,
                             world->now);
}

static void close_wire(struct world *world, size_t from, const struct reload_sip_action *action)
{
    for (size_t i = 0; i < world->wire_count; i++)
        for (size_t end = 0; end < 2; end++) {
            struct wire *wire = &world->wires[i];
            if (!wire->up || wire->agent[end] != from || wire->number[end] != action->channel)
                continue;
            wire->up = false;
            reload_sip_agent_closed(world->agents[wire->agent[1 - end]].sip, wire->number[1 - end],
                                    world->now);
        }
}

static void keep(struct agent *agent, const struct reload_sip_action *action)
{
    assert_true(agent->event_count < EVENTS_MAX);
    struct event *event = &agent->events[agent->event_count++];
    *event = (struct event){
        .type = action->type,
        .id = action->id,
        .state = action->state,
        .status = action->status,
        .cause = action->cause,
        .dtls_client = action->dtls_client,
        .controlling = action->ice_controlling,
        .send = action->send,
        .receive = action->receive,
        .fresh = action->fresh,
        .event_payload = action->event_payload,
        .has_media = action->media != NULL,
    };
    if (action->media)
        event->media = *action->media;
    if (action->user)
        (void)snprintf(event->user, sizeof event->user, "%s", action->user);
    if (action->content_type)
        (void)snprintf(event->content_type, sizeof event->content_type, "%s", action->content_type);
    if (action->type == RELOAD_SIP_ACTION_MESSAGE)
        memcpy(event->text, action->bytes, action->len);
}

static bool pull(struct world *world, size_t i)
{
    struct reload_sip_action action;
    if (!world->agents[i].sip || !reload_sip_agent_next(world->agents[i].sip, &action))
        return false;
    switch (action.type) {
    case RELOAD_SIP_ACTION_SEND: send(world, i, &action); break;
    case RELOAD_SIP_ACTION_OPEN_CHANNEL: open_wire(world, i, &action); break;
    case RELOAD_SIP_ACTION_CLOSE:
        keep(&world->agents[i], &action);
        close_wire(world, i, &action);
        break;
    case RELOAD_SIP_ACTION_LOOKUP:
        keep(&world->agents[i], &action);
        look_up(world, i, &action);
        break;
    default: keep(&world->agents[i], &action);
    }
    return true;
}

static bool deliver(struct world *world)
{
    for (size_t i = 0; i < world->flying_count; i++) {
        struct flying flying = world->flying[i];
        if (flying.at_ms > world->now.monotonic_ms)
            continue;
        memmove(&world->flying[i], &world->flying[i + 1],
                (world->flying_count - i - 1) * sizeof flying);
        world->flying_count--;
        const struct wire *wire = &world->wires[flying.wire];
        if (wire->up)
            reload_sip_agent_received(world->agents[wire->agent[flying.to]].sip,
                                      wire->number[flying.to], flying.bytes, flying.len,
                                      world->now);
        free(flying.bytes);
        return true;
    }
    return false;
}

static void settle(struct world *world)
{
    bool busy = true;
    while (busy) {
        busy = false;
        for (size_t i = 0; i < world->count; i++)
            while (pull(world, i))
                busy = true;
        busy = deliver(world) || busy;
    }
}

static uint64_t next_time(const struct world *world, uint64_t until)
{
    uint64_t at = until;
    for (size_t i = 0; i < world->flying_count; i++)
        at = world->flying[i].at_ms < at ? world->flying[i].at_ms : at;
    for (size_t i = 0; i < world->count; i++) {
        uint64_t deadline = reload_sip_agent_deadline(world->agents[i].sip);
        at = deadline < at ? deadline : at;
    }
    return at;
}

void world_run(struct world *world, uint64_t ms)
{
    uint64_t until = world->now.monotonic_ms + ms;
    unsigned stuck = 0;
    for (;;) {
        settle(world);
        uint64_t at = next_time(world, until);
        if (at >= until)
            break;
        stuck = at > world->now.monotonic_ms ? 0 : stuck + 1;
        assert_true(stuck < 100); /* a deadline that a tick does not move */
        if (at > world->now.monotonic_ms) {
            world->now.unix_ms += at - world->now.monotonic_ms;
            world->now.monotonic_ms = at;
        }
        for (size_t i = 0; i < world->count; i++)
            if (reload_sip_agent_deadline(world->agents[i].sip) <= world->now.monotonic_ms)
                reload_sip_agent_tick(world->agents[i].sip, world->now);
    }
    world->now.unix_ms += until - world->now.monotonic_ms;
    world->now.monotonic_ms = until;
}

/* --- looking --- */

struct event *last(struct agent *agent, enum reload_sip_action_type type)
{
    for (size_t i = agent->event_count; i-- > 0;)
        if (agent->events[i].type == type)
            return &agent->events[i];
    return NULL;
}

size_t count_of(const struct agent *agent, enum reload_sip_action_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < agent->event_count; i++)
        count += agent->events[i].type == type;
    return count;
}

enum reload_sip_call_state state_of(struct agent *agent)
{
    struct event *event = last(agent, RELOAD_SIP_ACTION_CALL_STATE);
    assert_non_null(event);
    return event->state;
}

struct reload_sip_media media_of(uint8_t last_octet)
{
    struct reload_sip_media media = {
        .address = { .len = 4, .bytes = { 192, 0, 2, last_octet }, .port = 40000 },
        .ice_ufrag = "abcd",
        .ice_pwd = "0123456789012345678901",
        .hash = RELOAD_SIP_SHA256,
        .fingerprint_len = 32,
        .fec = true,
        .ptime_ms = 20,
        .candidate_count = 1,
    };
    media.ice_ufrag[3] = (char)('0' + last_octet % 10);
    memset(media.fingerprint, last_octet, 32);
    media.candidates[0] = (struct reload_sip_candidate){ .foundation = "1",
                                                         .priority = 2130706431,
                                                         .address = media.address };
    return media;
}

/* --- a far end made of text --- */

static char heard_text[70000];

uint32_t stranger(struct world *world, const char *user, bool datagram)
{
    uint32_t channel;
    const struct reload_sip_channel_info info = { .node_id = node_of(200),
                                                  .user = user,
                                                  .application = RELOAD_SIP_APPLICATION_SIP,
                                                  .datagram = datagram };
    assert_int_equal(reload_sip_agent_accept(world->agents[0].sip, &info, world->now, &channel), 0);
    return channel;
}

void say(struct world *world, uint32_t channel, const char *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* exactly so long, for the sanitizer */
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    reload_sip_agent_received(world->agents[0].sip, channel, copy, len, world->now);
    free(copy);
}

const char *heard(struct world *world)
{
    struct reload_sip_action action;
    heard_text[0] = '\0';
    while (reload_sip_agent_next(world->agents[0].sip, &action)) {
        if (action.type == RELOAD_SIP_ACTION_SEND)
            (void)snprintf(heard_text, sizeof heard_text, "%.*s", (int)action.len,
                           (const char *)action.bytes);
        else if (action.type == RELOAD_SIP_ACTION_CLOSE || action.id)
            keep(&world->agents[0], &action);
        else if (action.type == RELOAD_SIP_ACTION_MESSAGE)
            keep(&world->agents[0], &action);
    }
    return heard_text;
}
