/* AppAttach: RFC 6940 s6.5.2. Which channels are agreed on, and that nothing is left of those that
 * are not. */
#include "tests/reload/node/rig.h"
#include "tests/reload/node/world.h"

#include "reload/wire/attach.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

#define SIP 5060

/* --- between whole nodes: A and C are linked to the hub only --- */

enum { HUB, A, C, NODES };

static struct fake fakes[NODES];

static void set_up(struct world *world, bool ice)
{
    world_init(world, &fake_topology);
    world->config.config.no_ice = !ice;
    for (size_t i = 0; i < NODES; i++)
        world_add(world, NULL);
    memset(fakes, 0, sizeof fakes);
    fakes[A].hop = fakes[C].hop = world_id(world, HUB);
}

static void start_all(struct world *world)
{
    for (size_t i = 0; i < NODES; i++) {
        fake_prepare(&fakes[i]);
        world_start(world, i);
    }
    world_connect(world, A, HUB, false);
    world_connect(world, C, HUB, false);
    world_run(world, 100);
    assert_int_equal(reload_node_set_application(world->nodes[C].node, SIP, true), 0);
}

static uint64_t ask(struct world *world, uint16_t application)
{
    uint64_t request;
    struct reload_node_id c = world_id(world, C);
    const struct reload_target target = { .id = reload_node_id_slice(&c) };
    assert_int_equal(
        reload_node_app_attach(world->nodes[A].node, &target, application, world->now, &request),
        0);
    world_pull(world, A);
    world_run(world, 1000);
    return request;
}

static void expect_channel(const struct world *world, size_t node, size_t far, uint64_t request)
{
    const struct reload_action_app_channel *channel = &world->nodes[node].app_channel;
    struct reload_node_id id = world_id(world, far);
    assert_int_equal(world->nodes[node].app_channels, 1);
    assert_int_equal(channel->request, request);
    assert_int_equal(channel->application, SIP);
    assert_true(reload_node_id_equal(&channel->node_id, &id));
}

/* R6940-6.5.2.2-2 R6940-6.5.2.2-4: agreed for a known application, Error_Not_Found for others, for
 * which nothing is gathered. The requester waits as TLS server (R6940-6.5.1.13-1), where it was
 * asked to gather; by ICE the answerer gathers too. */
static void a_channel_is_agreed_on_for_known_applications_only(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    for (int ice = 0; ice < 2; ice++) {
        set_up(world, ice);
        start_all(world);
        uint64_t request = ask(world, SIP);
        const struct reload_action_app_channel *here = &world->nodes[A].app_channel;
        const struct reload_action_app_channel *there = &world->nodes[C].app_channel;
        expect_channel(world, A, C, request);
        expect_channel(world, C, A, 0);
        assert_true(here->tls_server && !there->tls_server);
        assert_int_equal(here->address_count, 0);
        assert_int_equal(there->address_count, !ice);
        assert_int_not_equal(here->attach, 0);
        assert_int_equal(there->attach != 0, ice);
        assert_int_equal(here->link_type == RELOAD_LINK_DTLS_UDP_SR, ice);
        assert_int_equal(there->link_type == RELOAD_LINK_DTLS_UDP_SR, ice);
        assert_int_equal(here->ufrag.n != 0, ice);
        assert_int_equal(there->ufrag.n != 0, ice);
        assert_int_equal(world->nodes[C].gathers, ice);
        assert_int_equal(world->nodes[A].result_count, 0);
        ask(world, SIP + 1);
        assert_int_equal(world_result(world, A)->error_code, RELOAD_ERROR_NOT_FOUND);
        assert_int_equal(world->nodes[C].app_channels, 1);
        assert_int_equal(world->nodes[C].gathers, ice);
        assert_int_equal(world->nodes[A].abandons, 1);
        assert_int_equal(world->channels.count, 0);
        assert_int_equal(world_links_between(world, A, C), 0);
        world_fini(world);
    }
    test_free(world);
}

/* s6.5.1.11: without an address to wait at the requester dials, as TLS client, the listener that
 * the answerer was asked for; with none on either side there is no channel. */
static void a_requester_without_a_listener_dials_that_of_the_answerer(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    set_up(world, false);
    world->nodes[A].config.address_count = 0;
    start_all(world);
    uint64_t request = ask(world, SIP);
    expect_channel(world, A, C, request);
    expect_channel(world, C, A, 0);
    const struct reload_action_app_channel *here = &world->nodes[A].app_channel;
    const struct reload_action_app_channel *there = &world->nodes[C].app_channel;
    assert_int_equal(here->address_count, 1);
    assert_int_equal(there->address_count, 0);
    assert_true(there->tls_server && !here->tls_server);
    assert_int_not_equal(there->attach, 0);
    assert_int_equal(world->channels.count, 0);
    world_fini(world);

    set_up(world, false);
    world->nodes[A].config.address_count = world->nodes[C].config.address_count = 0;
    start_all(world);
    ask(world, SIP);
    assert_int_equal(world_result(world, A)->error_code, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(world->nodes[A].app_channels + world->nodes[C].app_channels, 0);
    assert_int_equal(world->channels.count, 0);
    world_fini(world);
    test_free(world);
}

/* R6940-5.4-1: also between nodes that have a link a channel is one of its own: it is asked for
 * candidates, and the link goes on as it was. */
static void a_channel_is_separate_from_the_link_to_the_same_node(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    for (int ice = 0; ice < 2; ice++) {
        struct reload_connection before[4], after[4];
        set_up(world, ice);
        start_all(world);
        world_connect(world, A, C, false);
        world_run(world, 100);
        assert_int_equal(reload_node_connections(world->nodes[A].node, before, 4), 2);
        uint64_t request = ask(world, SIP);
        expect_channel(world, A, C, request);
        expect_channel(world, C, A, 0);
        assert_int_equal(world->nodes[A].gathers, 1);
        assert_int_equal(reload_node_connections(world->nodes[A].node, after, 4), 2);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(before[i].link, after[i].link);
        assert_int_equal(world->channels.count, 0);
        world_fini(world);
    }
    test_free(world);
}

/* A node may ask itself. */
static void a_channel_to_this_node_itself_has_two_ends(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    for (int ice = 0; ice < 2; ice++) {
        uint64_t request;
        set_up(world, ice);
        start_all(world);
        struct reload_node_id c = world_id(world, C);
        const struct reload_target target = { .id = reload_node_id_slice(&c) };
        assert_int_equal(
            reload_node_app_attach(world->nodes[C].node, &target, SIP, world->now, &request), 0);
        world_pull(world, C);
        world_run(world, 1000);
        assert_int_equal(world->nodes[C].app_channels, 2);
        assert_int_equal(world->channels.count, 0);
        world_fini(world);
    }
    test_free(world);
}

/* Whichever one message is lost, there is one channel; nothing is left with any host. */
static unsigned lose_at, seen;

static bool lose_nth(struct world *world, size_t from, size_t to, struct reload_slice bytes)
{
    (void)world;
    (void)from;
    (void)to;
    (void)bytes;
    return ++seen == lose_at;
}

static void a_lost_message_is_made_good(void **state)
{
    (void)state;
    struct world *world = test_malloc(sizeof *world);
    for (int ice = 0; ice < 2; ice++)
        for (lose_at = 1; lose_at <= 5; lose_at++) {
            set_up(world, ice);
            start_all(world);
            seen = 0;
            world->lose = lose_nth;
            uint64_t request = ask(world, SIP);
            world_run(world, 30000);
            expect_channel(world, A, C, request);
            expect_channel(world, C, A, 0);
            assert_int_equal(world->channels.count, 0);
            world_fini(world);
        }
    test_free(world);
}

/* --- by hand, with ICE: every state and every event --- */

static const uint8_t home[] = { 198, 51, 100, 7 };
static const struct reload_slice ufrag = { (const uint8_t *)"abcd", 4 };
static const struct reload_slice password = { (const uint8_t *)"0123456789abcdefghijkl", 22 };

static struct reload_slice candidate(uint8_t link_type)
{
    static uint8_t buffer[64];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_ice_candidate c = {
        .addr_port = { RELOAD_ADDRESS_IPV4, 7000, reload_slice_of(home, 4) },
        .overlay_link = link_type,
        .foundation = reload_slice_of("1", 1),
        .type = RELOAD_CANDIDATE_HOST,
    };
    assert_int_equal(reload_ice_candidate_encode(&w, &c), 0);
    return reload_writer_slice(&w);
}

static struct reload_slice body_of(const char *role, uint16_t application, uint8_t link_type)
{
    static uint8_t buffer[256];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_app_attach body = { .ufrag = ufrag,
                                            .password = password,
                                            .application = application,
                                            .role = reload_slice_of(role, strlen(role)),
                                            .candidates = candidate(link_type) };
    assert_int_equal(reload_app_attach_encode(&w, &body), 0);
    return reload_writer_slice(&w);
}

static void rig_up(struct rig *rig)
{
    rig_init(rig);
    rig->config.config.no_ice = false;
    rig->node_config.ice = true;
    rig->node_config.limits.max_app_attaches = 3;
    rig_start(rig);
    rig_link(rig, 0);
    rig->fake.hop = rig->parties[0].id;
    assert_int_equal(reload_node_set_application(rig->node, SIP, true), 0);
}

static uint32_t number_of(const struct rig *rig)
{
    const struct rig_action *gather = rig_action(rig, RELOAD_ACTION_GATHER, 0);
    return gather ? gather->action.gather.attach : 1;
}

static int start(struct rig *rig)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&rig->parties[1].id) };
    int e = reload_node_app_attach(rig->node, &target, SIP, rig->now, &request);
    rig_pull(rig);
    return e;
}

static void gathered(struct rig *rig)
{
    reload_node_gathered(rig->node, number_of(rig), ufrag, password, candidate(1), rig->now);
    rig_pull(rig);
}

static void gathered_nothing(struct rig *rig)
{
    const struct reload_slice none = { 0 };
    reload_node_gathered(rig->node, number_of(rig), none, none, none, rig->now);
    rig_pull(rig);
}

static void failed(struct rig *rig)
{
    reload_node_open_failed(rig->node, number_of(rig), rig->now);
    rig_pull(rig);
}

static void its_request(struct rig *rig)
{
    struct rig_message m = { .signer = &rig->parties[1],
                             .code = RELOAD_APP_ATTACH_REQ,
                             .body = body_of("passive", SIP, 1),
                             .transaction_id = 77,
                             .via_list = rig_nodes(&rig->parties[1].id, NULL) };
    rig_receive(rig, 1, &m);
}

static void respond(struct rig *rig, uint16_t code, struct reload_slice body)
{
    struct rig_message m = {
        .signer = &rig->parties[1], .code = code, .body = body, .transaction_id = 12345
    };
    if (rig_count(rig, RELOAD_ACTION_SEND))
        m.transaction_id = rig_sent(rig, 0, NULL).header.transaction_id;
    rig_receive(rig, 1, &m);
}

static void answer(struct rig *rig)
{
    respond(rig, RELOAD_APP_ATTACH_ANS, body_of("active", SIP, 1));
}

static void answer_of_another_application(struct rig *rig)
{
    respond(rig, RELOAD_APP_ATTACH_ANS, body_of("active", SIP + 1, 1));
}

static void answer_as_requester(struct rig *rig)
{
    respond(rig, RELOAD_APP_ATTACH_ANS, body_of("passive", SIP, 1));
}

static void answer_without_ice(struct rig *rig)
{
    respond(rig, RELOAD_APP_ATTACH_ANS, body_of("active", SIP, 4));
}

static void refused(struct rig *rig)
{
    static const uint8_t error[] = { 0, RELOAD_ERROR_NOT_FOUND, 0, 0 };
    respond(rig, RELOAD_ERROR, reload_slice_of(error, sizeof error));
}

static void withdrawn(struct rig *rig)
{
    assert_int_equal(reload_node_set_application(rig->node, SIP, false), 0);
    gathered(rig);
}

static void time_passes(struct rig *rig)
{
    rig_run(rig, 200000);
}

enum state { GATHERING, REQUESTED, ANSWERING, STATES };

static void drive(struct rig *rig, enum state state)
{
    rig_up(rig);
    if (state == ANSWERING) {
        its_request(rig);
        return;
    }
    assert_int_equal(start(rig), 0);
    if (state == REQUESTED)
        gathered(rig);
}

#define WAITS 1 /* no REQUEST_DONE */

struct outcome {
    uint8_t sends, channels, abandons;
    int done;
    uint16_t refusal;
};

/* R6940-6.5.2.2-3 */
static const struct {
    const char *name;
    void (*happen)(struct rig *);
    struct outcome outcomes[STATES];
} events[] = {
    { "gathered",
      gathered,
      { { 1, 0, 0, WAITS, 0 }, { 0, 0, 0, WAITS, 0 }, { 1, 1, 0, WAITS, 0 } } },
    { "gathered nothing",
      gathered_nothing,
      { { 0, 0, 1, RELOAD_E_INVALID, 0 },
        { 0, 0, 0, WAITS, 0 },
        { 1, 0, 1, WAITS, RELOAD_ERROR_REQUEST_TIMEOUT } } },
    { "failed",
      failed,
      { { 0, 0, 0, RELOAD_E_IO, 0 },
        { 0, 0, 0, RELOAD_E_IO, 0 },
        { 1, 0, 0, WAITS, RELOAD_ERROR_REQUEST_TIMEOUT } } },
    { "its request, again",
      its_request,
      { { 0, 0, 0, WAITS, 0 }, { 0, 0, 0, WAITS, 0 }, { 0, 0, 0, WAITS, 0 } } },
    { "an answer",
      answer,
      { { 0, 0, 0, WAITS, 0 }, { 0, 1, 0, WAITS, 0 }, { 0, 0, 0, WAITS, 0 } } },
    { "an answer of another application",
      answer_of_another_application,
      { { 0, 0, 0, WAITS, 0 }, { 0, 0, 1, RELOAD_E_DECODE, 0 }, { 0, 0, 0, WAITS, 0 } } },
    { "an answer with the requester's role",
      answer_as_requester,
      { { 0, 0, 0, WAITS, 0 }, { 0, 0, 1, RELOAD_E_DECODE, 0 }, { 0, 0, 0, WAITS, 0 } } },
    { "an answer without ICE",
      answer_without_ice,
      { { 0, 0, 0, WAITS, 0 }, { 0, 0, 1, RELOAD_E_UNSUPPORTED, 0 }, { 0, 0, 0, WAITS, 0 } } },
    { "an error",
      refused,
      { { 0, 0, 0, WAITS, 0 }, { 0, 0, 1, RELOAD_E_FORBIDDEN, 0 }, { 0, 0, 0, WAITS, 0 } } },
    { "the application is withdrawn",
      withdrawn,
      { { 1, 0, 0, WAITS, 0 },
        { 0, 0, 0, WAITS, 0 },
        { 1, 0, 1, WAITS, RELOAD_ERROR_NOT_FOUND } } },
    { "nothing for long",
      time_passes,
      { { 0, 0, 1, RELOAD_E_TIMEOUT, 0 },
        { 4, 0, 1, RELOAD_E_TIMEOUT, 0 },
        { 1, 0, 1, WAITS, RELOAD_ERROR_REQUEST_TIMEOUT } } },
};

static void check(const struct rig *rig, size_t event, int state, size_t sent_before)
{
    const struct outcome *expected = &events[event].outcomes[state];
    struct outcome o = { .sends = (uint8_t)(rig_count(rig, RELOAD_ACTION_SEND) - sent_before),
                         .channels = (uint8_t)rig_count(rig, RELOAD_ACTION_APP_CHANNEL),
                         .abandons = (uint8_t)rig_count(rig, RELOAD_ACTION_ABANDON),
                         .done = WAITS };
    const struct rig_action *done = rig_action(rig, RELOAD_ACTION_REQUEST_DONE, 0);
    if (done)
        o.done = done->action.result.error;
    if (o.sends) {
        struct reload_message m = rig_sent(rig, sent_before, NULL);
        o.refusal = m.message_code == RELOAD_ERROR ? rig_error_code(&m) : 0;
    }
    if (o.sends != expected->sends || o.channels != expected->channels ||
        o.abandons != expected->abandons || o.done != expected->done ||
        o.refusal != expected->refusal)
        fail_msg("state %d, %s: sends %d, channels %d, abandons %d, done %d, refusal %d", state,
                 events[event].name, o.sends, o.channels, o.abandons, o.done, o.refusal);
}

static void each_event_does_in_each_state_what_it_should_and_nothing_is_left(void **state)
{
    (void)state;
    struct rig rig;
    for (size_t e = 0; e < sizeof events / sizeof events[0]; e++)
        for (int s = 0; s < STATES; s++) {
            if (s != ANSWERING && events[e].happen == its_request)
                continue;
            drive(&rig, (enum state)s);
            size_t sent = rig_count(&rig, RELOAD_ACTION_SEND);
            events[e].happen(&rig);
            check(&rig, e, s, sent);
            time_passes(&rig);
            assert_int_equal(rig_count(&rig, RELOAD_ACTION_GATHER), 1);
            assert_int_equal(rig_count(&rig, RELOAD_ACTION_ABANDON) +
                                 rig_count(&rig, RELOAD_ACTION_APP_CHANNEL),
                             events[e].happen == failed ? 0 : 1);
            assert_int_equal(reload_node_deadline(rig.node), RELOAD_NEVER);
            rig_fini(&rig);
        }
}

/* R6940-6.5.1.9-1 R6940-6.5.2.1-1 R6940-6.5.2.2-1: what the host is asked for, and what is done
 * with it. */
static void the_host_learns_what_the_channel_is_for(void **state)
{
    (void)state;
    struct rig rig;
    for (int s = REQUESTED; s <= ANSWERING; s++) {
        drive(&rig, (enum state)s);
        const struct reload_action_gather *gather =
            &rig_action(&rig, RELOAD_ACTION_GATHER, 0)->action.gather;
        assert_int_equal(gather->requester, s == REQUESTED);
        assert_true(gather->application);
        assert_int_equal(gather->application_id, SIP);
        assert_true(gather->ice);
        if (s == REQUESTED)
            answer(&rig);
        else
            gathered(&rig);
        const struct reload_action_app_channel *channel =
            &rig_action(&rig, RELOAD_ACTION_APP_CHANNEL, 0)->action.app_channel;
        assert_int_equal(channel->attach, gather->attach);
        assert_int_equal(channel->tls_server, s == REQUESTED);
        assert_true(reload_slice_equal(channel->ufrag, ufrag));
        assert_true(reload_slice_equal(channel->password, password));
        assert_true(reload_slice_equal(channel->candidates, candidate(1)));
        struct reload_app_attach body;
        assert_int_equal(reload_app_attach_decode(rig_sent(&rig, 0, NULL).body, &body), 0);
        assert_int_equal(body.application, SIP);
        assert_true(reload_slice_equal(body.ufrag, ufrag));
        rig_fini(&rig);
    }
}

static uint16_t refusal_of(struct rig *rig, struct reload_slice body)
{
    struct rig_message m = { .signer = &rig->parties[1],
                             .code = RELOAD_APP_ATTACH_REQ,
                             .body = body,
                             .via_list = rig_nodes(&rig->parties[1].id, NULL) };
    size_t sent = rig_count(rig, RELOAD_ACTION_SEND);
    rig_receive(rig, 1, &m);
    struct reload_message answer = rig_sent(rig, sent, NULL);
    return rig_error_code(&answer);
}

/* R6940-6.5.1.1-6 R6940-6.5.1.5-1 R6940-14.5-1 */
static void a_request_that_breaks_the_rules_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_up(&rig);
    struct reload_slice whole = body_of("passive", SIP, 1);
    assert_int_equal(refusal_of(&rig, reload_slice_of(whole.p, whole.n - 1)),
                     RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(refusal_of(&rig, body_of("active", SIP, 1)), RELOAD_ERROR_INVALID_MESSAGE);
    assert_int_equal(refusal_of(&rig, body_of("passive", SIP, 4)),
                     RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(refusal_of(&rig, body_of("passive", SIP, 77)),
                     RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(refusal_of(&rig, body_of("passive", SIP + 1, 1)), RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(refusal_of(&rig, body_of("passive", 0, 1)), RELOAD_ERROR_NOT_FOUND);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_GATHER), 0);
    rig_fini(&rig);
}

/* --- an application whose channels need no ICE, in an overlay that uses it --- */

#define DIRECT 61441

static struct reload_slice direct_body(const char *role, struct reload_slice candidates)
{
    static uint8_t buffer[256];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_app_attach body = { .application = DIRECT,
                                            .role = reload_slice_of(role, strlen(role)),
                                            .candidates = candidates };
    assert_int_equal(reload_app_attach_encode(&w, &body), 0);
    return reload_writer_slice(&w);
}

static void direct_up(struct rig *rig)
{
    rig_init(rig);
    rig->config.config.no_ice = false;
    rig->node_config.ice = true;
    rig->node_config.direct_application = DIRECT;
    rig_start(rig);
    rig_link(rig, 0);
    rig->fake.hop = rig->parties[0].id;
    assert_int_equal(reload_node_set_application(rig->node, DIRECT, true), 0);
    assert_int_equal(reload_node_set_application(rig->node, SIP, true), 0);
}

/* s6.5.1.11: the requester offers nothing, and dials the answerer as TLS client. */
static void a_direct_channel_is_asked_for_without_ice(void **state)
{
    (void)state;
    struct rig rig;
    uint64_t request;
    direct_up(&rig);
    const struct reload_target target = { .id = reload_node_id_slice(&rig.parties[1].id) };
    assert_int_equal(reload_node_app_attach(rig.node, &target, DIRECT, rig.now, &request), 0);
    rig_pull(&rig);
    assert_false(rig_action(&rig, RELOAD_ACTION_GATHER, 0)->action.gather.ice);
    gathered_nothing(&rig);
    struct reload_app_attach body;
    assert_int_equal(reload_app_attach_decode(rig_sent(&rig, 0, NULL).body, &body), 0);
    assert_int_equal(body.candidates.n + body.ufrag.n + body.password.n, 0);
    respond(&rig, RELOAD_APP_ATTACH_ANS, direct_body("active", candidate(4)));
    const struct reload_action_app_channel *channel =
        &rig_action(&rig, RELOAD_ACTION_APP_CHANNEL, 0)->action.app_channel;
    assert_int_equal(channel->link_type, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
    assert_int_equal(channel->address_count, 1);
    assert_false(channel->tls_server);
    rig_fini(&rig);
}

static void receive_direct(struct rig *rig, struct reload_slice body)
{
    struct rig_message m = { .signer = &rig->parties[1],
                             .code = RELOAD_APP_ATTACH_REQ,
                             .body = body,
                             .via_list = rig_nodes(&rig->parties[1].id, NULL) };
    rig_receive(rig, 1, &m);
}

static void a_direct_channel_is_answered_without_ice_and_no_other_is(void **state)
{
    (void)state;
    struct rig rig;
    const struct reload_slice none = { 0 };
    direct_up(&rig);
    receive_direct(&rig, direct_body("passive", none));
    const struct reload_action_gather *gather =
        &rig_action(&rig, RELOAD_ACTION_GATHER, 0)->action.gather;
    assert_true(!gather->ice && !gather->requester);
    reload_node_gathered(rig.node, gather->attach, none, none, candidate(4), rig.now);
    rig_pull(&rig);
    const struct reload_action_app_channel *channel =
        &rig_action(&rig, RELOAD_ACTION_APP_CHANNEL, 0)->action.app_channel;
    assert_int_equal(channel->link_type, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
    assert_int_equal(channel->address_count, 0);
    assert_true(channel->tls_server);
    assert_int_equal(refusal_of(&rig, direct_body("passive", candidate(1))),
                     RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    assert_int_equal(refusal_of(&rig, body_of("passive", SIP, 4)),
                     RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    rig_fini(&rig);
}

/* A copy that the duplicate cache had no room to remember. */
static void a_request_that_the_cache_forgot_gathers_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig);
    rig.config.config.no_ice = false;
    rig.node_config.ice = true;
    rig.node_config.limits.max_answered = 1;
    rig_start(&rig);
    rig_link(&rig, 0);
    assert_int_equal(reload_node_set_application(rig.node, SIP, true), 0);
    its_request(&rig);
    struct rig_message update = { .signer = &rig.parties[0], .code = RELOAD_UPDATE_REQ };
    rig_receive(&rig, 1, &update);
    its_request(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_GATHER), 1);
    rig_fini(&rig);
}

static void the_caps_hold(void **state)
{
    (void)state;
    struct rig rig;
    rig_up(&rig);
    for (size_t party = 1; party <= 5; party++) {
        struct rig_message m = { .signer = &rig.parties[party],
                                 .code = RELOAD_APP_ATTACH_REQ,
                                 .body = body_of("passive", SIP, 1),
                                 .via_list = rig_nodes(&rig.parties[party].id, NULL) };
        rig_receive(&rig, 1, &m);
    }
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_GATHER), 3);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 2);
    struct reload_message m = rig_sent(&rig, 0, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_FORBIDDEN);
    assert_int_equal(start(&rig), RELOAD_E_LIMIT);
    time_passes(&rig);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_ABANDON), 3);
    assert_int_equal(start(&rig), 0);
    rig_fini(&rig);
}

static void applications_come_and_go_up_to_their_cap(void **state)
{
    (void)state;
    struct rig rig;
    rig_up(&rig);
    assert_int_equal(reload_node_set_application(rig.node, 0, true), RELOAD_E_INVALID);
    assert_int_equal(reload_node_set_application(rig.node, SIP, true), 0);
    for (uint16_t i = 1; i < RELOAD_NODE_APPLICATIONS_MAX; i++)
        assert_int_equal(reload_node_set_application(rig.node, i, true), 0);
    assert_int_equal(reload_node_set_application(rig.node, 999, true), RELOAD_E_LIMIT);
    assert_int_equal(reload_node_set_application(rig.node, SIP, false), 0);
    assert_int_equal(reload_node_set_application(rig.node, SIP, false), 0);
    assert_int_equal(reload_node_set_application(rig.node, 999, true), 0);
    assert_int_equal(refusal_of(&rig, body_of("passive", SIP, 1)), RELOAD_ERROR_NOT_FOUND);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_channel_is_agreed_on_for_known_applications_only),
        cmocka_unit_test(a_requester_without_a_listener_dials_that_of_the_answerer),
        cmocka_unit_test(a_channel_is_separate_from_the_link_to_the_same_node),
        cmocka_unit_test(a_channel_to_this_node_itself_has_two_ends),
        cmocka_unit_test(a_lost_message_is_made_good),
        cmocka_unit_test(each_event_does_in_each_state_what_it_should_and_nothing_is_left),
        cmocka_unit_test(the_host_learns_what_the_channel_is_for),
        cmocka_unit_test(a_request_that_breaks_the_rules_is_refused),
        cmocka_unit_test(a_direct_channel_is_asked_for_without_ice),
        cmocka_unit_test(a_direct_channel_is_answered_without_ice_and_no_other_is),
        cmocka_unit_test(a_request_that_the_cache_forgot_gathers_once),
        cmocka_unit_test(the_caps_hold),
        cmocka_unit_test(applications_come_and_go_up_to_their_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
