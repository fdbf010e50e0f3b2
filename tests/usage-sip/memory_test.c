#include "pair.h"

#include "tests/refusal.h"

/* Calls and messages between two agents, with each allocation refused in turn: nothing crashes,
 * nothing leaks, no call is left over, and with memory again a call is possible. */

#define ALICE (&world->agents[0])
#define BOB   (&world->agents[1])

static uint32_t dial(struct world *world)
{
    struct reload_sip_media media = media_of(1);
    uint32_t call = 0;
    if (reload_sip_agent_call(ALICE->sip, "bob@example.org", &media, world->now, &call) != 0)
        call = 0;
    world_run(world, 1000);
    return call;
}

static void answer(struct world *world)
{
    struct reload_sip_media media = media_of(2);
    const struct event *event = last(BOB, RELOAD_SIP_ACTION_CALL_INCOMING);
    if (event)
        (void)!reload_sip_agent_answer(BOB->sip, event->id, &media, world->now);
    world_run(world, 1000);
}

static void talk(struct world *world)
{
    uint32_t errand, call = dial(world);
    answer(world);
    (void)!reload_sip_agent_message(BOB->sip, "alice@example.org", "text/plain", "hello", 5,
                                    world->now, &errand);
    world_run(world, 1000);
    if (call)
        (void)!reload_sip_agent_hangup(ALICE->sip, call, world->now);
    world_run(world, 1000);
}

static void fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0x5a, len);
}

static size_t wires_up(const struct world *world, size_t agent)
{
    size_t count = 0;
    for (size_t i = 0; i < world->wire_count; i++)
        for (size_t end = 0; end < 2; end++)
            if (world->wires[i].up && world->wires[i].agent[end] == agent)
                count++;
    return count;
}

static void nothing_is_left(struct world *world)
{
    world_run(world, 200000);
    for (size_t i = 0; i < world->count; i++) {
        struct reload_sip_sizes sizes = reload_sip_agent_sizes(world->agents[i].sip);
        assert_int_equal(sizes.calls, 0);
        assert_int_equal(sizes.errands, 0);
        assert_int_equal(sizes.transactions, 0);
        assert_int_equal(sizes.actions, 0);
        assert_int_equal(sizes.channels, wires_up(world, i));
    }
}

/* A BYE for which there was no memory never reached the far end, whose user hangs up in the end. */
static void hang_up(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        struct agent *agent = &world->agents[i];
        for (size_t e = 0; e < agent->event_count; e++)
            if (agent->events[e].type == RELOAD_SIP_ACTION_CALL_STATE)
                (void)!reload_sip_agent_hangup(agent->sip, agent->events[e].id, world->now);
        agent->event_count = 0;
    }
    nothing_is_left(world);
}

static bool call_succeeds(struct world *world)
{
    uint32_t call = dial(world);
    assert_int_not_equal(call, 0);
    answer(world);
    bool established = state_of(ALICE) == RELOAD_SIP_ESTABLISHED;
    if (established)
        assert_int_equal(state_of(BOB), RELOAD_SIP_ESTABLISHED);
    hang_up(world);
    return established;
}

static bool run_with(refusal *refuse, unsigned long n, bool datagram)
{
    static struct world world;
    world_open(&world, 2, datagram);
    unsigned long before = reload_alloc_count();
    refuse(n);
    talk(&world);
    bool done = reload_alloc_count() - before < n;
    refuse(0);
    world_run(&world, 200000);
    hang_up(&world);
    assert_true(call_succeeds(&world) || call_succeeds(&world));
    world_close(&world);
    return done;
}

static void run_all(refusal *refuse)
{
    for (int datagram = 0; datagram < 2; datagram++)
        refuse_each(refuse, run_with, datagram, 10);
}

static void any_one_allocation_may_fail(void **state)
{
    (void)state;
    run_all(reload_alloc_fail_only);
}

static void all_allocations_from_any_one_on_may_fail(void **state)
{
    (void)state;
    run_all(reload_alloc_fail_at);
}

static void alice_closes(struct world *world, uint32_t channel)
{
    struct reload_sip_action action;
    assert_true(reload_sip_agent_next(ALICE->sip, &action));
    assert_int_equal(action.type, RELOAD_SIP_ACTION_CLOSE);
    assert_int_equal(action.channel, channel);
    assert_false(reload_sip_agent_next(ALICE->sip, &action));
    assert_int_equal(reload_sip_agent_sizes(ALICE->sip).channels, 0);
}

static void closing_a_channel_needs_no_memory(void **state)
{
    static struct world place;
    struct world *const world = &place;
    static const char endless[] = "no header line, and no end of it";
    (void)state;
    world_open(world, 1, false);
    uint32_t broken = stranger(world, "bob@example.org", false);
    reload_alloc_fail_at(1); /* nor for the framing of the stream */
    say(world, broken, endless, sizeof endless);
    alice_closes(world, broken);
    reload_alloc_fail_at(0);

    uint32_t idle = stranger(world, "bob@example.org", true);
    reload_alloc_fail_at(1);
    world->now.monotonic_ms += 300000; /* the default of idle_s */
    reload_sip_agent_tick(ALICE->sip, world->now);
    alice_closes(world, idle);
    reload_alloc_fail_at(0);
    world_close(world);
}

static void accepting_a_channel_fails_cleanly(void **state)
{
    static struct world place;
    struct world *const world = &place;
    const struct reload_sip_channel_info info = { .node_id = { .bytes = { 9 }, .len = 16 },
                                                  .application = RELOAD_SIP_APPLICATION_SIP };
    uint32_t number = 0;
    int error = RELOAD_E_NOMEM;
    unsigned long n = 1;
    (void)state;
    world_open(world, 1, false);
    for (; error == RELOAD_E_NOMEM; n++) {
        assert_int_equal(reload_sip_agent_sizes(ALICE->sip).channels, 0);
        reload_alloc_fail_only(n);
        error = reload_sip_agent_accept(ALICE->sip, &info, world->now, &number);
        reload_alloc_fail_only(0);
    }
    assert_int_equal(error, 0);
    assert_true(n > 2);
    world_close(world);
}

static void making_an_agent_fails_cleanly(void **state)
{
    const struct reload_sip_agent_config config = { .overlay = "example.org",
                                                    .self = { .bytes = { 1 }, .len = 16 },
                                                    .user = "alice@example.org",
                                                    .random = { .fill = fill } };
    const struct reload_time now = { 1000, 1700000000000 };
    struct reload_sip_agent *agent = NULL;
    int error = RELOAD_E_NOMEM;
    (void)state;
    for (unsigned long n = 1; error == RELOAD_E_NOMEM; n++) {
        reload_alloc_fail_only(n);
        error = reload_sip_agent_new(&config, now, &agent);
        reload_alloc_fail_only(0);
    }
    assert_int_equal(error, 0);
    reload_sip_agent_free(agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_allocation_may_fail),
        cmocka_unit_test(all_allocations_from_any_one_on_may_fail),
        cmocka_unit_test(closing_a_channel_needs_no_memory),
        cmocka_unit_test(accepting_a_channel_fails_cleanly),
        cmocka_unit_test(making_an_agent_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
