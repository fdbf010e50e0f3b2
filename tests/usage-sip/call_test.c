#include "pair.h"

#include <stdio.h>

#define ALICE (&world->agents[0])
#define BOB   (&world->agents[1])

static int setup(void **state)
{
    static struct world world;
    world_open(&world, 2, false);
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

static int setup_fork(void **state)
{
    static struct world world;
    world_open(&world, 3, false);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

static uint32_t dial(struct world *world)
{
    struct reload_sip_media media = media_of(1);
    uint32_t call = 0;
    assert_int_equal(
        reload_sip_agent_call(ALICE->sip, "bob@example.org", &media, world->now, &call), 0);
    world_run(world, 1000);
    return call;
}

static uint32_t incoming(struct agent *agent)
{
    struct event *event = last(agent, RELOAD_SIP_ACTION_CALL_INCOMING);
    assert_non_null(event);
    return event->id;
}

static void answer(struct world *world, struct agent *agent)
{
    struct reload_sip_media media = media_of(2);
    assert_int_equal(reload_sip_agent_answer(agent->sip, incoming(agent), &media, world->now), 0);
    world_run(world, 1000);
}

static uint32_t talk(struct world *world)
{
    uint32_t call = dial(world);
    answer(world, BOB);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ESTABLISHED);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ESTABLISHED);
    return call;
}

/* The message that is on its way now. */
static const char *underway(const struct world *world)
{
    static char text[5000];
    assert_int_equal(world->flying_count, 1);
    (void)snprintf(text, sizeof text, "%.*s", (int)world->flying[0].len,
                   (const char *)world->flying[0].bytes);
    return text;
}

/* R7904-5.1-12: names of the overlay, whatever the connection below is. */
static void via_and_contact_name_the_overlay_and_no_address_of_the_network(void **state)
{
    struct world *world = *state;
    struct reload_sip_media media = media_of(1);
    uint32_t call;
    assert_int_equal(
        reload_sip_agent_call(ALICE->sip, "bob@example.org", &media, world->now, &call), 0);
    world_run(world, 1);
    const char *invite = underway(world);
    assert_non_null(strstr(invite, "INVITE sip:bob@example.org"));
    assert_non_null(strstr(invite, ".example.org;branch=z9hG4bK"));
    assert_non_null(strstr(invite, "\r\nContact: <sip:alice@example.org;gr="));
    assert_non_null(
        strcasestr(invite, "\r\nAllow: INVITE, ACK, CANCEL, BYE")); /* RFC 3261 s13.2.1 */
    assert_null(memmem(invite, (size_t)(strstr(invite, "\r\n\r\n") - invite), "192.0.2.", 8));
    world_run(world, 1000);
}

static void nothing_is_left(struct world *world)
{
    world_run(world, 100000);
    for (size_t i = 0; i < world->count; i++) {
        struct reload_sip_sizes sizes = reload_sip_agent_sizes(world->agents[i].sip);
        assert_int_equal(sizes.calls, 0);
        assert_int_equal(sizes.errands, 0);
        assert_int_equal(sizes.transactions, 0);
        assert_int_equal(sizes.actions, 0);
    }
}

static void a_call_rings_is_answered_carries_media_both_ways_and_ends(void **state)
{
    struct world *world = *state;
    uint32_t call = dial(world);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_RINGING);
    assert_int_equal(state_of(BOB), RELOAD_SIP_OFFERED);
    struct event *ring = last(BOB, RELOAD_SIP_ACTION_CALL_INCOMING);
    assert_string_equal(ring->user, "alice@example.org");
    assert_true(ring->has_media);
    assert_int_equal(ring->media.address.bytes[3], 1);
    answer(world, BOB);
    struct event *a = last(ALICE, RELOAD_SIP_ACTION_CALL_MEDIA);
    struct event *b = last(BOB, RELOAD_SIP_ACTION_CALL_MEDIA);
    assert_true(a->send && a->receive && b->send && b->receive);
    assert_true(a->controlling && !b->controlling);
    assert_true(!a->dtls_client && b->dtls_client); /* RFC 5763 s5 */
    assert_int_equal(a->media.fingerprint[0], 2);
    assert_int_equal(b->media.fingerprint[0], 1);
    assert_int_equal(a->event_payload, 101);
    assert_int_equal(a->media.candidate_count, 1);
    assert_string_equal(b->media.ice_ufrag, "abc1");
    assert_int_equal(reload_sip_agent_hangup(ALICE->sip, call, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
    assert_int_equal(last(BOB, RELOAD_SIP_ACTION_CALL_STATE)->status, 200);
    nothing_is_left(world);
}

static void the_callee_may_end_it_too(void **state)
{
    struct world *world = *state;
    (void)talk(world);
    assert_int_equal(reload_sip_agent_hangup(BOB->sip, incoming(BOB), world->now), 0);
    world_run(world, 1000);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
    nothing_is_left(world);
}

/* RFC 3326: a BYE says what has failed. */
static void both_ends_know_why_a_call_was_abandoned(void **state)
{
    struct world *world = *state;
    uint32_t call = talk(world);
    assert_int_equal(reload_sip_agent_abandon(ALICE->sip, call, 200, world->now), RELOAD_E_INVALID);
    assert_int_equal(reload_sip_agent_abandon(ALICE->sip, call, 488, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, 488);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
    assert_int_equal(last(BOB, RELOAD_SIP_ACTION_CALL_STATE)->status, 488);
    nothing_is_left(world);
    call = dial(world); /* while it rings a CANCEL says nothing of it */
    assert_int_equal(reload_sip_agent_abandon(ALICE->sip, call, 500, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, 500);
    assert_int_equal(last(BOB, RELOAD_SIP_ACTION_CALL_STATE)->status, 487);
    nothing_is_left(world);
}

static void busy_and_decline_reach_the_caller_with_their_status(void **state)
{
    struct world *world = *state;
    static const int statuses[] = { 486, 603, 480 };
    for (size_t i = 0; i < 3; i++) {
        (void)dial(world);
        assert_int_equal(reload_sip_agent_decline(BOB->sip, incoming(BOB), statuses[i], world->now),
                         0);
        world_run(world, 1000);
        assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
        assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, statuses[i]);
    }
    nothing_is_left(world);
}

static void giving_up_while_it_rings_cancels(void **state)
{
    struct world *world = *state;
    uint32_t call = dial(world);
    assert_int_equal(reload_sip_agent_hangup(ALICE->sip, call, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, 487);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
    nothing_is_left(world);
}

/* RFC 3261 s9.1, s13.3.1.1: the caller that waits no longer cancels, the callee says 480. */
static void nobody_answers_and_both_sides_give_up(void **state)
{
    struct world *world = *state;
    static const struct {
        unsigned caller_s, callee_s;
        int caller_status, callee_status;
    } cases[] = { { 10, 30, 408, 487 }, { 30, 10, 480, 480 } };
    for (size_t i = 0; i < 2; i++) {
        reload_sip_agent_set_ring(ALICE->sip, cases[i].caller_s);
        reload_sip_agent_set_ring(BOB->sip, cases[i].callee_s);
        (void)dial(world);
        world_run(world, 8000);
        assert_int_equal(state_of(ALICE), RELOAD_SIP_RINGING);
        world_run(world, 3000);
        assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
        assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
        assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, cases[i].caller_status);
        assert_int_equal(last(BOB, RELOAD_SIP_ACTION_CALL_STATE)->status, cases[i].callee_status);
        nothing_is_left(world);
    }
}

static void an_address_without_registration_is_404(void **state)
{
    struct world *world = *state;
    BOB->registered = false;
    (void)dial(world);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, 404);
    nothing_is_left(world);
}

static void a_device_that_cannot_be_reached_is_503(void **state)
{
    struct world *world = *state;
    BOB->deaf = true;
    (void)dial(world);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, 503);
    nothing_is_left(world);
}

/* RFC 7904 s4.1: contacts from a cache that lead nowhere are looked up anew. */
static void stale_contacts_are_looked_up_again(void **state)
{
    struct world *world = *state;
    world->stale = true;
    (void)dial(world);
    assert_int_equal(count_of(ALICE, RELOAD_SIP_ACTION_LOOKUP), 2);
    assert_true(last(ALICE, RELOAD_SIP_ACTION_LOOKUP)->fresh);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_RINGING);
}

/* The overlay is asked and channels are made before own media are known. */
static void a_call_may_wait_for_its_offer(void **state)
{
    struct world *world = *state;
    struct reload_sip_media media = media_of(1), none = { 0 };
    uint32_t call;
    assert_int_equal(reload_sip_agent_call(ALICE->sip, "bob@example.org", NULL, world->now, &call),
                     0);
    world_run(world, 1000);
    assert_int_equal(world->wire_count, 2);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_FINDING);
    assert_int_equal(count_of(BOB, RELOAD_SIP_ACTION_CALL_INCOMING), 0);
    assert_int_equal(reload_sip_agent_offer(ALICE->sip, call, &none, world->now), RELOAD_E_INVALID);
    assert_int_equal(reload_sip_agent_offer(ALICE->sip, call, &media, world->now), 0);
    assert_int_equal(reload_sip_agent_offer(ALICE->sip, call, &media, world->now), RELOAD_E_STATE);
    world_run(world, 1000);
    assert_int_equal(world->wire_count, 2);
    answer(world, BOB);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ESTABLISHED);
    assert_int_equal(reload_sip_agent_hangup(ALICE->sip, call, world->now), 0);
    world_run(world, 1000);
    nothing_is_left(world);
    for (int found = 0; found < 2; found++) { /* given up, and nobody there, before there is one */
        assert_int_equal(reload_sip_agent_call(ALICE->sip,
                                               found ? "bob@example.org" : "x@example.org", NULL,
                                               world->now, &call),
                         0);
        world_run(world, 100);
        if (found)
            assert_int_equal(reload_sip_agent_hangup(ALICE->sip, call, world->now), 0);
        world_run(world, 100);
        assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
        assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, found ? 487 : 404);
        nothing_is_left(world);
    }
}

/* Nor do those that may lead somewhere hide who has registered since, or make a call wait. */
static void whoever_has_registered_since_rings_as_well(void **state)
{
    struct world *world = *state;
    struct agent *other = &world->agents[2];
    other->news = true;
    BOB->slow = true; /* it has just gone: the overlay finds out in 15 s */
    uint32_t call = dial(world);
    assert_int_equal(count_of(ALICE, RELOAD_SIP_ACTION_LOOKUP), 2);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_RINGING);
    assert_int_equal(state_of(other), RELOAD_SIP_OFFERED);
    world_admit(world);
    world_run(world, 1000);
    assert_int_equal(state_of(BOB), RELOAD_SIP_OFFERED);
    assert_int_equal(count_of(other, RELOAD_SIP_ACTION_CALL_INCOMING), 1);
    answer(world, other);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
    assert_int_equal(reload_sip_agent_hangup(ALICE->sip, call, world->now), 0);
    world_run(world, 1000);
    nothing_is_left(world);
}

static void hold_and_resume_change_the_directions_of_both(void **state)
{
    struct world *world = *state;
    uint32_t call = talk(world);
    assert_int_equal(reload_sip_agent_hold(ALICE->sip, call, true, world->now), 0);
    world_run(world, 1000);
    struct event *a = last(ALICE, RELOAD_SIP_ACTION_CALL_MEDIA);
    struct event *b = last(BOB, RELOAD_SIP_ACTION_CALL_MEDIA);
    assert_true(a->send && !a->receive && !b->send && b->receive);
    assert_int_equal(reload_sip_agent_hold(BOB->sip, incoming(BOB), true, world->now), 0);
    world_run(world, 1000);
    b = last(BOB, RELOAD_SIP_ACTION_CALL_MEDIA);
    assert_true(!b->send && !b->receive); /* RFC 3264 s8.4: both hold */
    assert_int_equal(reload_sip_agent_hold(BOB->sip, incoming(BOB), false, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(reload_sip_agent_hold(ALICE->sip, call, false, world->now), 0);
    world_run(world, 1000);
    a = last(ALICE, RELOAD_SIP_ACTION_CALL_MEDIA);
    assert_true(a->send && a->receive);
    assert_true(!a->dtls_client); /* roles stay */
}

static void a_moved_address_is_followed_by_the_far_end(void **state)
{
    struct world *world = *state;
    uint32_t call = talk(world);
    struct reload_sip_media moved = media_of(5), own = media_of(6);
    assert_int_equal(reload_sip_agent_move(ALICE->sip, call, &moved, world->now), 0);
    world_run(world, 500);
    struct event *asked = last(BOB, RELOAD_SIP_ACTION_CALL_MOVED);
    assert_non_null(asked);
    assert_int_equal(asked->media.address.bytes[3], 5);
    assert_int_equal(reload_sip_agent_follow(BOB->sip, incoming(BOB), &own, world->now), 0);
    world_run(world, 500);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_MEDIA)->media.address.bytes[3], 6);
    assert_int_equal(last(BOB, RELOAD_SIP_ACTION_CALL_MEDIA)->media.address.bytes[3], 5);
}

static void a_move_that_is_not_followed_leaves_all_as_it_was(void **state)
{
    struct world *world = *state;
    uint32_t call = talk(world);
    struct reload_sip_media moved = media_of(5);
    assert_int_equal(reload_sip_agent_move(ALICE->sip, call, &moved, world->now), 0);
    world_run(world, 500);
    assert_int_equal(reload_sip_agent_follow(BOB->sip, incoming(BOB), NULL, world->now), 0);
    world_run(world, 500);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_CHANGE)->status, 488);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ESTABLISHED);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ESTABLISHED);
}

/* RFC 3261 s14.1: both ask at once, both are refused, both ask again at different times. */
static void glare_is_refused_and_tried_again(void **state)
{
    struct world *world = *state;
    uint32_t call = talk(world);
    assert_int_equal(reload_sip_agent_hold(ALICE->sip, call, true, world->now), 0);
    assert_int_equal(reload_sip_agent_hold(BOB->sip, incoming(BOB), true, world->now), 0);
    world_run(world, 8000);
    assert_true(reload_sip_agent_counters(ALICE->sip)->refused[RELOAD_SIP_REFUSED_GLARE] > 0);
    assert_true(reload_sip_agent_counters(BOB->sip)->refused[RELOAD_SIP_REFUSED_GLARE] > 0);
    struct event *a = last(ALICE, RELOAD_SIP_ACTION_CALL_MEDIA);
    struct event *b = last(BOB, RELOAD_SIP_ACTION_CALL_MEDIA);
    assert_true(!a->send && !a->receive && !b->send && !b->receive);
}

/* R7904-5.1-1: one connection to each device, and one to each only */
static void of_two_devices_the_first_has_the_call_and_the_other_stops_ringing(void **state)
{
    struct world *world = *state;
    uint32_t call = dial(world);
    struct agent *other = &world->agents[2];
    assert_int_equal(world->wire_count, 2);
    assert_int_not_equal(world->wires[0].agent[1], world->wires[1].agent[1]);
    assert_int_equal(state_of(BOB), RELOAD_SIP_OFFERED);
    assert_int_equal(state_of(other), RELOAD_SIP_OFFERED);
    answer(world, other);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ESTABLISHED);
    assert_int_equal(state_of(other), RELOAD_SIP_ESTABLISHED);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
    assert_int_equal(last(BOB, RELOAD_SIP_ACTION_CALL_STATE)->cause, 200); /* RFC 3326 */
    assert_int_equal(reload_sip_agent_hangup(ALICE->sip, call, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(state_of(other), RELOAD_SIP_ENDED);
    assert_int_equal(last(other, RELOAD_SIP_ACTION_CALL_STATE)->cause, 0);
    nothing_is_left(world);
}

/* R7904-4.1-1 R7904-6-4: one device, whoever else is registered */
static void a_gruu_is_looked_up_as_it_stands(void **state)
{
    struct world *world = *state;
    static const char gruu[] = "bob@example.org;gr=ARARERERERERERERERERERER";
    struct reload_sip_media media = media_of(1);
    uint32_t number;
    assert_int_equal(reload_sip_agent_call(ALICE->sip, gruu, &media, world->now, &number), 0);
    world_run(world, 100);
    assert_string_equal(last(ALICE, RELOAD_SIP_ACTION_LOOKUP)->user, gruu);
    assert_int_equal(reload_sip_agent_message(ALICE->sip,
                                              "sip:bob@EXAMPLE.org;gr=ARARERERERERERERERERERER;x=y",
                                              NULL, "x", 1, world->now, &number),
                     0);
    world_run(world, 100);
    assert_string_equal(last(ALICE, RELOAD_SIP_ACTION_LOOKUP)->user, gruu);
    assert_int_equal(reload_sip_agent_message(ALICE->sip, "bob@example.org;gr=urn:uuid:1", NULL,
                                              "x", 1, world->now, &number),
                     0);
    world_run(world, 100);
    assert_string_equal(last(ALICE, RELOAD_SIP_ACTION_LOOKUP)->user, "bob@example.org");
}

static void two_devices_that_answer_at_once_make_one_call(void **state)
{
    struct world *world = *state;
    (void)dial(world);
    struct agent *other = &world->agents[2];
    struct reload_sip_media media = media_of(2);
    assert_int_equal(reload_sip_agent_answer(BOB->sip, incoming(BOB), &media, world->now), 0);
    assert_int_equal(reload_sip_agent_answer(other->sip, incoming(other), &media, world->now), 0);
    world_run(world, 2000);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ESTABLISHED);
    bool bob = state_of(BOB) == RELOAD_SIP_ESTABLISHED;
    bool second = state_of(other) == RELOAD_SIP_ESTABLISHED;
    assert_true(bob != second);
    assert_int_equal(state_of(bob ? other : BOB), RELOAD_SIP_ENDED);
    assert_int_equal(last(bob ? other : BOB, RELOAD_SIP_ACTION_CALL_STATE)->cause, 200);
}

/* The line of a message that begins so. */
static const char *line(const char *message, const char *name)
{
    static char lines[4][500];
    static unsigned at;
    char *out = lines[at++ % 4];
    const char *start = strcasestr(message, name);
    assert_non_null(start);
    (void)snprintf(out, sizeof lines[0], "%.*s", (int)strcspn(start, "\r"), start);
    return out;
}

/* A 200 of the callee's to an INVITE of agent 0, with that tag and further lines, over the channel
 * that the INVITE took. What agent 0 said last to that. */
static const char *accepted(struct world *world, const char *invite, const char *tag,
                            const char *lines)
{
    char text[5000];
    const struct wire *wire = &world->wires[0];
    (void)snprintf(text, sizeof text,
                   "SIP/2.0 200 OK\r\n%s\r\n%s\r\n%s;tag=%s\r\n%s\r\nCSeq: 1 INVITE\r\n"
                   "%sContent-Length: 0\r\n\r\n",
                   line(invite, "Via:"), line(invite, "From:"), line(invite, "To:"), tag,
                   line(invite, "Call-ID:"), lines);
    say(world, wire->number[wire->agent[0] == 0 ? 0 : 1], text, strlen(text));
    return heard(world);
}

static void invite_bob(struct world *world, char invite[5000])
{
    struct reload_sip_media media = media_of(1);
    uint32_t call;
    assert_int_equal(
        reload_sip_agent_call(ALICE->sip, "bob@example.org", &media, world->now, &call), 0);
    world_run(world, 1);
    (void)snprintf(invite, 5000, "%s", underway(world));
    world_run(world, 1000);
}

/* RFC 3261 s13.2.2.4: each 2xx is acknowledged, and what nobody wants is ended. */
static void a_second_2xx_by_another_tag_is_acknowledged_and_ended(void **state)
{
    struct world *world = *state;
    char invite[5000];
    invite_bob(world, invite);
    answer(world, BOB);
    const char *said = accepted(world, invite, "another", "Contact: <sip:bob@example.org>\r\n");
    assert_memory_equal(said, "BYE ", 4);
    assert_non_null(strstr(said, ";tag=another\r\n"));
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ESTABLISHED);
}

/* RFC 3261 s13.3.1.4 demands a Contact. Who leaves it out is met at the address that was called:
 * else there is neither an ACK nor a BYE. */
static void a_2xx_without_a_contact_is_acknowledged_all_the_same(void **state)
{
    struct world *world = *state;
    char invite[5000];
    invite_bob(world, invite);
    const char *said = accepted(world, invite, "b", "");
    assert_memory_equal(said, "BYE sip:bob@example.org ", 24); /* there was no answer in it */
}

static void one_that_declines_for_good_ends_it_everywhere(void **state)
{
    struct world *world = *state;
    (void)dial(world);
    assert_int_equal(reload_sip_agent_decline(BOB->sip, incoming(BOB), 603, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(last(ALICE, RELOAD_SIP_ACTION_CALL_STATE)->status, 603);
    assert_int_equal(state_of(&world->agents[2]), RELOAD_SIP_ENDED);
    assert_int_equal(last(&world->agents[2], RELOAD_SIP_ACTION_CALL_STATE)->cause, 603);
    nothing_is_left(world);
}

static void one_that_is_busy_does_not(void **state)
{
    struct world *world = *state;
    (void)dial(world);
    assert_int_equal(reload_sip_agent_decline(BOB->sip, incoming(BOB), 486, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_RINGING);
    answer(world, &world->agents[2]);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ESTABLISHED);
}

/* RFC 3261 s17: DTLS loses, libosip2 and the 2xx's owner repeat, in virtual time. */
static void calls_survive_loss_delay_and_reordering(void **state)
{
    struct world *world = *state;
    world->loss_percent = 25;
    world->jitter_ms = 120;
    unsigned established = 0;
    for (unsigned i = 0; i < 20; i++) {
        struct reload_sip_media media = media_of(1);
        uint32_t call;
        world->seed = i * 977 + 3;
        BOB->event_count = ALICE->event_count = 0;
        assert_int_equal(
            reload_sip_agent_call(ALICE->sip, "bob@example.org", &media, world->now, &call), 0);
        world_run(world, 30000);
        if (last(BOB, RELOAD_SIP_ACTION_CALL_INCOMING) && state_of(BOB) == RELOAD_SIP_OFFERED) {
            struct reload_sip_media own = media_of(2);
            assert_int_equal(reload_sip_agent_answer(BOB->sip, incoming(BOB), &own, world->now), 0);
            world_run(world, 20000);
            established += state_of(ALICE) == RELOAD_SIP_ESTABLISHED &&
                           state_of(BOB) == RELOAD_SIP_ESTABLISHED;
        }
        int gone = reload_sip_agent_hangup(ALICE->sip, call, world->now);
        assert_true(gone == 0 || gone == RELOAD_E_NOT_FOUND);
        world_run(world, 60000);
        assert_int_equal(reload_sip_agent_sizes(ALICE->sip).calls, 0);
        assert_int_equal(reload_sip_agent_sizes(BOB->sip).calls, 0);
    }
    assert_true(established >= 19);
    assert_true(world->lost > 20);
    assert_true(reload_sip_agent_counters(ALICE->sip)->retransmitted > 0);
    nothing_is_left(world);
}

static void streams_may_be_cut_anywhere(void **state)
{
    struct world *world = *state;
    world->chunk = 7;
    world->delay_ms = 0;
    (void)talk(world);
}

/* R7904-5.1-7 */
static void both_directions_share_one_channel_which_is_closed_when_idle(void **state)
{
    struct world *world = *state;
    uint32_t call = talk(world), back;
    assert_int_equal(
        reload_sip_agent_message(BOB->sip, "alice@example.org", NULL, "hi", 2, world->now, &back),
        0);
    world_run(world, 400000);
    assert_int_equal(last(BOB, RELOAD_SIP_ACTION_ERRAND_DONE)->status, 200);
    assert_int_equal(world->wire_count, 1);
    assert_int_equal(reload_sip_agent_sizes(ALICE->sip).channels, 1); /* a dialog keeps it */
    assert_int_equal(reload_sip_agent_hangup(ALICE->sip, call, world->now), 0);
    world_run(world, 299000);
    assert_int_equal(reload_sip_agent_sizes(ALICE->sip).channels, 1);
    world_run(world, 3000);
    assert_int_equal(reload_sip_agent_sizes(ALICE->sip).channels, 0);
    assert_int_equal(reload_sip_agent_sizes(BOB->sip).channels, 0);
}

/* The dialog outlives its channel: the next request opens another one. */
static void a_call_whose_channel_broke_is_ended_over_a_new_one(void **state)
{
    struct world *world = *state;
    uint32_t call = talk(world);
    world->wires[0].up = false;
    reload_sip_agent_closed(ALICE->sip, world->wires[0].number[0], world->now);
    reload_sip_agent_closed(BOB->sip, world->wires[0].number[1], world->now);
    world_run(world, 1000);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ESTABLISHED);
    assert_int_equal(count_of(ALICE, RELOAD_SIP_ACTION_CALL_CUT), 1);
    assert_int_equal(count_of(BOB, RELOAD_SIP_ACTION_CALL_CUT), 1);
    assert_int_equal(reload_sip_agent_hangup(ALICE->sip, call, world->now), 0);
    world_run(world, 1000);
    assert_int_equal(state_of(ALICE), RELOAD_SIP_ENDED);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
    assert_int_equal(world->wire_count, 2);
}

static void a_caller_whose_channel_breaks_stops_ringing(void **state)
{
    struct world *world = *state;
    (void)dial(world);
    world->wires[0].up = false;
    reload_sip_agent_closed(BOB->sip, world->wires[0].number[1], world->now);
    world_run(world, 100);
    assert_int_equal(state_of(BOB), RELOAD_SIP_ENDED);
}

int main(void)
{
#define ON(kind, test) cmocka_unit_test_setup_teardown(test, kind, teardown)
    const struct CMUnitTest tests[] = {
        ON(setup, a_call_rings_is_answered_carries_media_both_ways_and_ends),
        ON(setup_datagram, a_call_rings_is_answered_carries_media_both_ways_and_ends),
        ON(setup, via_and_contact_name_the_overlay_and_no_address_of_the_network),
        ON(setup, the_callee_may_end_it_too),
        ON(setup, busy_and_decline_reach_the_caller_with_their_status),
        ON(setup_datagram, busy_and_decline_reach_the_caller_with_their_status),
        ON(setup, both_ends_know_why_a_call_was_abandoned),
        ON(setup_datagram, both_ends_know_why_a_call_was_abandoned),
        ON(setup, giving_up_while_it_rings_cancels),
        ON(setup, nobody_answers_and_both_sides_give_up),
        ON(setup, an_address_without_registration_is_404),
        ON(setup, a_device_that_cannot_be_reached_is_503),
        ON(setup, stale_contacts_are_looked_up_again),
        ON(setup_fork, whoever_has_registered_since_rings_as_well),
        ON(setup_fork, a_call_may_wait_for_its_offer),
        ON(setup, hold_and_resume_change_the_directions_of_both),
        ON(setup, a_moved_address_is_followed_by_the_far_end),
        ON(setup, a_move_that_is_not_followed_leaves_all_as_it_was),
        ON(setup, glare_is_refused_and_tried_again),
        ON(setup_fork, of_two_devices_the_first_has_the_call_and_the_other_stops_ringing),
        ON(setup, a_gruu_is_looked_up_as_it_stands),
        ON(setup_fork, two_devices_that_answer_at_once_make_one_call),
        ON(setup, a_second_2xx_by_another_tag_is_acknowledged_and_ended),
        ON(setup, a_2xx_without_a_contact_is_acknowledged_all_the_same),
        ON(setup_fork, one_that_declines_for_good_ends_it_everywhere),
        ON(setup_fork, one_that_is_busy_does_not),
        ON(setup_datagram, calls_survive_loss_delay_and_reordering),
        ON(setup, streams_may_be_cut_anywhere),
        ON(setup, both_directions_share_one_channel_which_is_closed_when_idle),
        ON(setup, a_call_whose_channel_broke_is_ended_over_a_new_one),
        ON(setup, a_caller_whose_channel_breaks_stops_ringing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
