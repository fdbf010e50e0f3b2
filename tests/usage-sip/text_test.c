#include "pair.h"

#include <stdio.h>

#define ALICE (&world->agents[0])
#define BOB   (&world->agents[1])

static int setup(void **state)
{
    static struct world world;
    world_open(&world, 3, false);
    *state = &world;
    return 0;
}

static int setup_datagram(void **state)
{
    static struct world world;
    world_open(&world, 2, true);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

static int fate(struct world *world, struct agent *from, const char *to, const char *text)
{
    uint32_t errand;
    from->event_count = 0;
    assert_int_equal(
        reload_sip_agent_message(from->sip, to, NULL, text, strlen(text), world->now, &errand), 0);
    world_run(world, 70000);
    struct event *done = last(from, RELOAD_SIP_ACTION_ERRAND_DONE);
    assert_non_null(done);
    assert_int_equal(done->id, errand);
    assert_int_equal(count_of(from, RELOAD_SIP_ACTION_ERRAND_DONE), 1);
    return done->status;
}

/* RFC 3428 s4, s7 */
static void a_text_is_delivered_each_way_and_acknowledged(void **state)
{
    struct world *world = *state;
    assert_int_equal(fate(world, ALICE, "bob@example.org", "caf\xc3\xa9\r\n.\r\n"), 200);
    struct event *text = last(BOB, RELOAD_SIP_ACTION_MESSAGE);
    assert_string_equal(text->text, "caf\xc3\xa9\r\n.\r\n");
    assert_string_equal(text->user, "alice@example.org");
    assert_non_null(strstr(text->content_type, "text/plain"));
    assert_int_equal(fate(world, BOB, "sip:alice@EXAMPLE.org", "back"), 200);
    assert_string_equal(last(ALICE, RELOAD_SIP_ACTION_MESSAGE)->text, "back");
}

static void a_device_whose_channel_takes_longer_gets_it_too(void **state)
{
    struct world *world = *state;
    uint32_t errand;
    struct agent *other = &world->agents[2];
    other->slow = true;
    assert_int_equal(reload_sip_agent_message(ALICE->sip, "bob@example.org", NULL, "both", 4,
                                              world->now, &errand),
                     0);
    world_run(world, 2000);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_ERRAND_DONE)->status, 200); /* Bob has it */
    world_admit(world);
    world_run(world, 2000);
    assert_string_equal(last(other, RELOAD_SIP_ACTION_MESSAGE)->text, "both");
    assert_int_equal(count_of(ALICE, RELOAD_SIP_ACTION_ERRAND_DONE), 1);
    assert_int_equal(reload_sip_agent_sizes(ALICE->sip).errands, 0);
}

static void whoever_has_registered_since_gets_it_as_well(void **state)
{
    struct world *world = *state;
    struct agent *other = &world->agents[2];
    other->news = true;
    assert_int_equal(fate(world, ALICE, "bob@example.org", "both"), 200);
    assert_string_equal(last(BOB, RELOAD_SIP_ACTION_MESSAGE)->text, "both");
    assert_string_equal(last(other, RELOAD_SIP_ACTION_MESSAGE)->text, "both");
    assert_int_equal(reload_sip_agent_sizes(ALICE->sip).errands, 0);
}

static void every_device_of_an_address_gets_it_once(void **state)
{
    struct world *world = *state;
    assert_int_equal(fate(world, ALICE, "bob@example.org", "both"), 200);
    assert_int_equal(count_of(BOB, RELOAD_SIP_ACTION_MESSAGE), 1);
    assert_int_equal(count_of(&world->agents[2], RELOAD_SIP_ACTION_MESSAGE), 1);
}

static void one_without_registration_is_404_and_one_out_of_reach_503(void **state)
{
    struct world *world = *state;
    assert_int_equal(fate(world, ALICE, "nobody@example.org", "?"), 404);
    BOB->deaf = world->agents[2].deaf = true;
    assert_int_equal(fate(world, ALICE, "bob@example.org", "?"), 503);
}

static void what_is_no_text_or_no_address_is_refused_at_once(void **state)
{
    struct world *world = *state;
    static char large[RELOAD_SIP_TEXT_MAX + 1];
    uint32_t errand;
    memset(large, 'x', sizeof large);
    assert_int_equal(reload_sip_agent_message(ALICE->sip, "bob@example.org", NULL, large,
                                              sizeof large, world->now, &errand),
                     RELOAD_E_LIMIT);
    assert_int_equal(reload_sip_agent_message(ALICE->sip, "bob", NULL, "x", 1, world->now, &errand),
                     RELOAD_E_INVALID);
    static const char *const types[] = { "",
                                         "text",
                                         "text/",
                                         "/plain",
                                         "a b/c",
                                         "text/pl\xc3\xa4in",
                                         "text/plain,x",
                                         "text/plain; a=\x01" };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_int_equal(reload_sip_agent_message(ALICE->sip, "bob@example.org", types[i], "x", 1,
                                                  world->now, &errand),
                         RELOAD_E_INVALID);
    assert_int_equal(reload_sip_agent_message(ALICE->sip, "bob@example.org", "a/b\r\nX: y", "x", 1,
                                              world->now, &errand),
                     RELOAD_E_INVALID);
    large[RELOAD_SIP_TEXT_MAX] = '\0';
    assert_int_equal(fate(world, ALICE, "bob@example.org", large), 200);
}

static void under_loss_each_text_comes_once_or_its_sender_hears_that_it_did_not(void **state)
{
    struct world *world = *state;
    world->loss_percent = 30;
    world->jitter_ms = 200;
    unsigned delivered = 0;
    for (int i = 0; i < 30; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "text %d", i);
        BOB->event_count = 0;
        int status = fate(world, ALICE, "bob@example.org", text);
        assert_true(count_of(BOB, RELOAD_SIP_ACTION_MESSAGE) <= 1);
        if (status == 200)
            assert_string_equal(last(BOB, RELOAD_SIP_ACTION_MESSAGE)->text, text);
        delivered += status == 200;
    }
    assert_true(delivered >= 28);
}

static void the_errands_under_way_are_bounded(void **state)
{
    struct world *world = *state;
    uint32_t errand;
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(reload_sip_agent_message(ALICE->sip, "bob@example.org", NULL, "x", 1,
                                                  world->now, &errand),
                         0);
    assert_int_equal(
        reload_sip_agent_message(ALICE->sip, "bob@example.org", NULL, "x", 1, world->now, &errand),
        RELOAD_E_LIMIT);
    world_run(world, 70000);
    assert_int_equal(reload_sip_agent_sizes(ALICE->sip).errands, 0);
}

/* RFC 3261 s11 */
static void options_tells_whether_somebody_is_there(void **state)
{
    struct world *world = *state;
    uint32_t errand;
    assert_int_equal(reload_sip_agent_options(ALICE->sip, "bob@example.org", world->now, &errand),
                     0);
    world_run(world, 1000);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_ERRAND_DONE)->status, 200);
}

int main(void)
{
#define ON(kind, test) cmocka_unit_test_setup_teardown(test, kind, teardown)
    const struct CMUnitTest tests[] = {
        ON(setup, a_text_is_delivered_each_way_and_acknowledged),
        ON(setup_datagram, a_text_is_delivered_each_way_and_acknowledged),
        ON(setup, whoever_has_registered_since_gets_it_as_well),
        ON(setup, a_device_whose_channel_takes_longer_gets_it_too),
        ON(setup, every_device_of_an_address_gets_it_once),
        ON(setup, one_without_registration_is_404_and_one_out_of_reach_503),
        ON(setup, what_is_no_text_or_no_address_is_refused_at_once),
        ON(setup_datagram, under_loss_each_text_comes_once_or_its_sender_hears_that_it_did_not),
        ON(setup, the_errands_under_way_are_bounded),
        ON(setup, options_tells_whether_somebody_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
