#include "peer/able.h"
#include "peer/overlay_internal.h"
#include "reload/config/registry.h"
#include "reload/wire/fetch.h"
#include "reload/wire/find.h"
#include "reload/wire/message.h"

#define BODY_MAX 128 /* bytes of a FindReq or FetchReq for one Kind */

static void search_on(struct reload_overlay *o);

static void enter(struct reload_overlay *o, enum reload_overlay_turn_state state,
                  uint64_t deadline_ms)
{
    static const char *const names[] = { "idle", "searching", "asking", "held", "resting" };
    reload_log_write(o->log, RELOAD_LOG_DEBUG, "turn", "%s -> %s", names[o->turn.state],
                     names[state]);
    o->turn.state = state;
    o->turn.deadline_ms = deadline_ms;
}

static void rest(struct reload_overlay *o)
{
    enter(o, RELOAD_OVERLAY_TURN_RESTING, o->now.monotonic_ms + o->turn.rest_ms);
    o->turn.rest_ms = MIN(2 * o->turn.rest_ms, RELOAD_OVERLAY_TURN_REST_MAX_MS);
}

static bool holds_relay(const struct reload_overlay *o)
{
    return o->turn.relay.len != 0 && o->now.monotonic_ms < o->turn.valid_until_ms;
}

/* A node that is seen at an address of its own is reached without a relay. */
static bool is_wanted(const struct reload_overlay *o)
{
    if (!reload_overlay_is_ice(o) || o->turn.offered.len ||
        reload_ice_turn_records(reload_node_overlay(o->node)->turn_density) == 0)
        return false;
    switch (reload_overlay_stun_nat(o)) {
    case RELOAD_OVERLAY_NAT_SOME:
    case RELOAD_OVERLAY_NAT_CONE:
    case RELOAD_OVERLAY_NAT_SYMMETRIC:
    case RELOAD_OVERLAY_NAT_BLOCKED: return true;
    case RELOAD_OVERLAY_NAT_UNKNOWN:
    case RELOAD_OVERLAY_NAT_NONE: break;
    }
    return false;
}

/* --- asking a peer for credentials --- */

static void ask_next(struct reload_overlay *o);

static void take_grant(struct reload_overlay *o)
{
    struct reload_overlay_turn *t = &o->turn;
    char address[RELOAD_LINK_ADDRESS_TEXT];
    struct reload_ice_turn_grant grant;
    reload_channel_close(t->channel);
    t->channel = NULL;
    if (reload_ice_turn_grant_decode(reload_slice_of(t->bytes, t->len), &grant) != 0) {
        reload_log_write(o->log, RELOAD_LOG_WARNING, "turn", "what came is no credentials");
        ask_next(o);
        return;
    }
    uint64_t lifetime_ms = (uint64_t)grant.lifetime_s * 1000;
    t->rest_ms = RELOAD_OVERLAY_TURN_REST_MS;
    t->grant = grant;
    t->relay = t->search.found[t->asked].address;
    t->valid_until_ms = o->now.monotonic_ms + lifetime_ms;
    enter(o, RELOAD_OVERLAY_TURN_HELD,
          o->now.monotonic_ms + MAX(lifetime_ms / 5 * 4, RELOAD_OVERLAY_TURN_REST_MS));
    reload_log_write(o->log, RELOAD_LOG_INFO, "turn", "relayed candidates come from %s",
                     reload_link_address_text(&t->relay, address));
}

static void received(void *context, struct reload_channel *channel, struct reload_slice bytes)
{
    struct reload_overlay *o = context;
    struct reload_overlay_turn *t = &o->turn;
    if (bytes.n > sizeof t->bytes - t->len) {
        reload_channel_close(channel);
        t->channel = NULL;
        ask_next(o);
        return;
    }
    memcpy(t->bytes + t->len, bytes.p, bytes.n);
    t->len += bytes.n;
}

static void ended(void *context, struct reload_channel *channel)
{
    (void)channel;
    take_grant(context);
}

static void closed(void *context, struct reload_channel *channel,
                   const struct reload_channel_end *end)
{
    struct reload_overlay *o = context;
    (void)channel;
    o->turn.channel = NULL;
    if (o->turn.over)
        return;
    reload_log_write(o->log, RELOAD_LOG_INFO, "turn", "no credentials: %s", end->reason);
    ask_next(o);
}

static void opened(void *context, struct reload_channel *channel)
{
    struct reload_overlay *o = context;
    (void)channel;
    o->turn.deadline_ms = o->now.monotonic_ms + RELOAD_OVERLAY_TURN_ASK_MS;
}

/* Of the peers that were found, the first that has not been asked yet. */
static void ask(struct reload_overlay *o, size_t place)
{
    static const struct reload_channel_events events = {
        .opened = opened, .received = received, .ended = ended, .closed = closed
    };
    struct reload_overlay_turn *t = &o->turn;
    for (; place < t->search.found_count; place++) {
        const struct reload_target target = { .id = reload_node_id_slice(
                                                  &t->search.found[place].node_id) };
        t->asked = place;
        t->len = 0;
        if (reload_overlay_open_channel(o, &target, RELOAD_ICE_TURN_APPLICATION, &events, o,
                                        &t->channel) == 0) {
            enter(o, RELOAD_OVERLAY_TURN_ASKING, RELOAD_NEVER);
            return;
        }
    }
    rest(o);
}

static void ask_next(struct reload_overlay *o)
{
    ask(o, o->turn.asked + 1);
}

/* --- searching --- */

/* The node has ended: nothing more is to be begun. */
static bool is_over(const struct reload_overlay *o)
{
    return o->turn.over || o->turn.state != RELOAD_OVERLAY_TURN_SEARCHING;
}

static void found(void *context, const struct reload_result *result)
{
    struct reload_overlay *o = context;
    struct reload_ice_turn_search *search = &o->turn.search;
    struct reload_find_ans answer;
    struct reload_find_kind_data data = { 0 };
    if (is_over(o))
        return;
    if (result->error || reload_find_ans_decode(result->body, &answer) != 0) {
        reload_ice_turn_search_failed(search);
    } else {
        struct reload_reader r = reload_reader_over(answer.results);
        bool known = false;
        while (!known && reload_find_kind_data_next(&r, &data))
            known = data.kind == RELOAD_KIND_TURN_SERVICE;
        reload_ice_turn_search_found(search, known ? data.closest : (struct reload_slice){ 0 });
    }
    search_on(o);
}

static void fetched(void *context, const struct reload_result *result)
{
    struct reload_overlay *o = context;
    struct reload_ice_turn_search *search = &o->turn.search;
    const struct reload_topology_ops *topology = reload_able_topology(reload_node_overlay(o->node));
    struct reload_ice_turn_offer offers[RELOAD_ICE_TURN_FOUND_MAX];
    size_t count = 0;
    if (is_over(o))
        return;
    if (result->error) {
        reload_ice_turn_search_failed(search);
        search_on(o);
        return;
    }
    for (size_t i = 0; i < result->value_count && count < RELOAD_ICE_TURN_FOUND_MAX; i++) {
        const struct reload_fetched_value *v = &result->values[i];
        if (v->kind != RELOAD_KIND_TURN_SERVICE || !v->exists ||
            reload_ice_turn_check(v->value, reload_slice_of(search->resource, search->resource_len),
                                  &v->signer, &o->crypto, topology->resource_id,
                                  &offers[count].address) != 0)
            continue;
        offers[count++].node_id = v->signer;
    }
    reload_ice_turn_search_fetched(search, offers, count);
    search_on(o);
}

static int find(struct reload_overlay *o, struct reload_slice resource)
{
    uint8_t kind_bytes[4], buffer[BODY_MAX + RELOAD_RESOURCE_ID_MAX];
    struct reload_writer kinds = reload_writer_of(kind_bytes, sizeof kind_bytes);
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    const struct reload_target target = { .resource = true, .id = resource };
    reload_wr_u32(&kinds, RELOAD_KIND_TURN_SERVICE);
    const struct reload_find_req request = { resource, reload_writer_slice(&kinds) };
    int error = reload_find_req_encode(&body, &request);
    return error ? error
                 : reload_overlay_request(o, &target, RELOAD_FIND_REQ, reload_writer_slice(&body),
                                          found, o);
}

static int fetch(struct reload_overlay *o, struct reload_slice resource)
{
    uint8_t buffer[BODY_MAX + RELOAD_RESOURCE_ID_MAX];
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    size_t mark = reload_fetch_req_begin(&body, resource);
    struct reload_specifier_mark specifier =
        reload_specifier_begin(&body, RELOAD_KIND_TURN_SERVICE, 0, RELOAD_MODEL_SINGLE);
    reload_specifier_end(&body, specifier, RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&body, mark);
    int error = reload_writer_status(&body);
    return error ? error
                 : reload_overlay_fetch(o, resource, reload_writer_slice(&body), fetched, o);
}

static void search_on(struct reload_overlay *o)
{
    struct reload_ice_turn_search *search = &o->turn.search;
    struct reload_slice resource = reload_slice_of(search->resource, search->resource_len);
    int error = 0;
    switch (search->state) {
    case RELOAD_ICE_TURN_FIND: error = find(o, resource); break;
    case RELOAD_ICE_TURN_FETCH: error = fetch(o, resource); break;
    case RELOAD_ICE_TURN_DONE: ask(o, 0); break;
    case RELOAD_ICE_TURN_GIVEN_UP:
        reload_log_write(o->log, RELOAD_LOG_INFO, "turn", "no TURN server was found");
        rest(o);
        break;
    }
    if (error)
        rest(o);
}

static void search(struct reload_overlay *o)
{
    const struct reload_config *config = reload_node_overlay(o->node);
    if (o->turn.patience_ms == RELOAD_NEVER)
        o->turn.patience_ms = o->now.monotonic_ms + RELOAD_OVERLAY_TURN_PATIENCE_MS;
    reload_ice_turn_search_start(&o->turn.search, &o->random,
                                 reload_able_topology(config)->resource_id_length,
                                 config->turn_density);
    enter(o, RELOAD_OVERLAY_TURN_SEARCHING, RELOAD_NEVER);
    search_on(o);
}

/* --- what others see --- */

bool reload_overlay_turn_is_settled(const struct reload_overlay *o)
{
    return !is_wanted(o) || holds_relay(o) || o->turn.state == RELOAD_OVERLAY_TURN_RESTING ||
           o->now.monotonic_ms >= o->turn.patience_ms;
}

bool reload_overlay_turn_pick(const struct reload_overlay *o, struct reload_ice_turn_server *out)
{
    if (!is_wanted(o) || !holds_relay(o))
        return false;
    *out = (struct reload_ice_turn_server){
        .address = o->turn.relay,
        .transport = reload_overlay_stun_nat(o) == RELOAD_OVERLAY_NAT_BLOCKED ? RELOAD_ICE_TURN_TCP
                                                                              : RELOAD_ICE_TURN_UDP,
        .user_name = o->turn.grant.user_name,
        .password = o->turn.grant.password,
    };
    return true;
}

void reload_overlay_turn_failed(struct reload_overlay *o)
{
    char address[RELOAD_LINK_ADDRESS_TEXT];
    if (o->turn.relay.len == 0)
        return;
    reload_log_write(o->log, RELOAD_LOG_WARNING, "turn", "%s relays nothing",
                     reload_link_address_text(&o->turn.relay, address));
    o->turn.stats.failed++;
    o->turn.relay.len = 0;
    if (o->turn.state == RELOAD_OVERLAY_TURN_HELD)
        rest(o);
}

/* --- the loop --- */

void reload_overlay_turn_init(struct reload_overlay *o)
{
    o->turn.deadline_ms = o->turn.patience_ms = o->turn.store_ms = RELOAD_NEVER;
    o->turn.rest_ms = RELOAD_OVERLAY_TURN_REST_MS;
    g_queue_init(&o->turn.granted);
}

void reload_overlay_turn_fini(struct reload_overlay *o)
{
    o->turn.over = true;
    reload_overlay_turn_offer_fini(o);
}

void reload_overlay_turn_run(struct reload_overlay *o)
{
    bool due = o->turn.deadline_ms <= o->now.monotonic_ms;
    switch (o->turn.state) {
    case RELOAD_OVERLAY_TURN_IDLE:
        if (is_wanted(o) && reload_node_connections(o->node, NULL, 0) > 0)
            search(o);
        break;
    case RELOAD_OVERLAY_TURN_ASKING:
        if (due) {
            reload_channel_close(o->turn.channel);
            o->turn.channel = NULL;
            ask_next(o);
        }
        break;
    case RELOAD_OVERLAY_TURN_HELD:
    case RELOAD_OVERLAY_TURN_RESTING:
        if (due && is_wanted(o))
            search(o);
        else if (due)
            enter(o, RELOAD_OVERLAY_TURN_IDLE, RELOAD_NEVER);
        break;
    case RELOAD_OVERLAY_TURN_SEARCHING: break;
    }
    reload_overlay_turn_offer_run(o);
}

uint64_t reload_overlay_turn_deadline(const struct reload_overlay *o)
{
    return MIN(o->turn.deadline_ms, reload_overlay_turn_offer_deadline(o));
}

void reload_overlay_turn_view(const struct reload_overlay *o, struct reload_overlay_turn_view *out)
{
    *out = (struct reload_overlay_turn_view){
        .offered = o->turn.offered.len ? &o->turn.offered : NULL,
        .relay = holds_relay(o) ? &o->turn.relay : NULL,
        .stats = &o->turn.stats,
    };
}
