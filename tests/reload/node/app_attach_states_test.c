/* AppAttach by hand: every state and every event. RFC 6940 s6.5.2. */
#include "tests/reload/node/app_attach_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static void failed(struct rig *rig)
{
    reload_node_open_failed(rig->node, app_attach_number(rig), rig->now);
    rig_pull(rig);
}

static void answer(struct rig *rig)
{
    app_attach_respond(rig, RELOAD_APP_ATTACH_ANS, app_attach_body("active", SIP, 1));
}

static void answer_of_another_application(struct rig *rig)
{
    app_attach_respond(rig, RELOAD_APP_ATTACH_ANS, app_attach_body("active", SIP + 1, 1));
}

static void answer_as_requester(struct rig *rig)
{
    app_attach_respond(rig, RELOAD_APP_ATTACH_ANS, app_attach_body("passive", SIP, 1));
}

static void answer_without_ice(struct rig *rig)
{
    app_attach_respond(rig, RELOAD_APP_ATTACH_ANS, app_attach_body("active", SIP, 4));
}

static void refused(struct rig *rig)
{
    static const uint8_t error[] = { 0, RELOAD_ERROR_NOT_FOUND, 0, 0 };
    app_attach_respond(rig, RELOAD_ERROR, reload_slice_of(error, sizeof error));
}

static void withdrawn(struct rig *rig)
{
    assert_int_equal(reload_node_set_application(rig->node, SIP, false), 0);
    app_attach_gathered(rig);
}

static void drive(struct rig *rig, enum state state)
{
    app_attach_set_up(rig);
    if (state == ANSWERING) {
        app_attach_its_request(rig);
        return;
    }
    assert_int_equal(app_attach_start(rig), 0);
    if (state == REQUESTED)
        app_attach_gathered(rig);
}

static const enum state states[] = { GATHERING, REQUESTED, ANSWERING };

#define STATES_COUNT (sizeof states / sizeof states[0])

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
    struct outcome outcomes[STATES_COUNT]; /* in each of `states` */
} events[] = {
    { "gathered",
      app_attach_gathered,
      { { 1, 0, 0, WAITS, 0 }, { 0, 0, 0, WAITS, 0 }, { 1, 1, 0, WAITS, 0 } } },
    { "gathered nothing",
      app_attach_gathered_nothing,
      { { 0, 0, 1, RELOAD_E_INVALID, 0 },
        { 0, 0, 0, WAITS, 0 },
        { 1, 0, 1, WAITS, RELOAD_ERROR_REQUEST_TIMEOUT } } },
    { "failed",
      failed,
      { { 0, 0, 0, RELOAD_E_IO, 0 },
        { 0, 0, 0, RELOAD_E_IO, 0 },
        { 1, 0, 0, WAITS, RELOAD_ERROR_REQUEST_TIMEOUT } } },
    { "its request, again",
      app_attach_its_request,
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
      app_attach_time_passes,
      { { 0, 0, 1, RELOAD_E_TIMEOUT, 0 },
        { 4, 0, 1, RELOAD_E_TIMEOUT, 0 },
        { 1, 0, 1, WAITS, RELOAD_ERROR_REQUEST_TIMEOUT } } },
};

static void check(const struct rig *rig, size_t event, size_t state, size_t sent_before)
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
        fail_msg("state %zu, %s: sends %d, channels %d, abandons %d, done %d, refusal %d", state,
                 events[event].name, o.sends, o.channels, o.abandons, o.done, o.refusal);
}

static void each_event_does_in_each_state_what_it_should_and_nothing_is_left(void **state)
{
    (void)state;
    struct rig rig;
    for (size_t e = 0; e < sizeof events / sizeof events[0]; e++)
        for (size_t s = 0; s < STATES_COUNT; s++) {
            if (states[s] != ANSWERING && events[e].happen == app_attach_its_request)
                continue;
            drive(&rig, states[s]);
            size_t sent = rig_count(&rig, RELOAD_ACTION_SEND);
            events[e].happen(&rig);
            check(&rig, e, s, sent);
            app_attach_time_passes(&rig);
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
    for (int own = 0; own < 2; own++) {
        drive(&rig, own ? REQUESTED : ANSWERING);
        const struct reload_action_gather *gather =
            &rig_action(&rig, RELOAD_ACTION_GATHER, 0)->action.gather;
        assert_int_equal(gather->requester, own);
        assert_true(gather->application);
        assert_int_equal(gather->application_id, SIP);
        assert_true(gather->ice);
        if (own)
            answer(&rig);
        else
            app_attach_gathered(&rig);
        const struct reload_action_app_channel *channel =
            &rig_action(&rig, RELOAD_ACTION_APP_CHANNEL, 0)->action.app_channel;
        assert_int_equal(channel->attach, gather->attach);
        assert_int_equal(channel->tls_server, own);
        assert_true(reload_slice_equal(channel->ufrag, bench_ufrag));
        assert_true(reload_slice_equal(channel->password, bench_password));
        assert_true(reload_slice_equal(channel->candidates, bench_candidates(1, 1)));
        struct reload_app_attach body;
        assert_int_equal(reload_app_attach_decode(rig_sent(&rig, 0, NULL).body, &body), 0);
        assert_int_equal(body.application, SIP);
        assert_true(reload_slice_equal(body.ufrag, bench_ufrag));
        rig_fini(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_does_in_each_state_what_it_should_and_nothing_is_left),
        cmocka_unit_test(the_host_learns_what_the_channel_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
