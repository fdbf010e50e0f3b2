/* Attach with ICE, RFC 6940 s6.5.1.2: every event in every state, and each number that the host
 * holds ends exactly once. */
#include "tests/reload/node/ice_bench.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

#define WAITS 1 /* no REQUEST_DONE: the application goes on waiting, or there is none */

struct outcome { /* what comes out at once */
    uint8_t gathers, opens, abandons, closes, sends;
    int done;         /* error of REQUEST_DONE; WAITS: none */
    uint16_t refusal; /* error code of the only SEND, or 0 */
};

#define NIL                                                                                        \
    {                                                                                              \
        .done = WAITS                                                                              \
    }
#define REFUSES(e)                                                                                 \
    {                                                                                              \
        .sends = 1, .refusal = (e), .done = WAITS                                                  \
    }
#define RESTARTS                                                                                   \
    {                                                                                              \
        .abandons = 1, .gathers = 1, .done = WAITS                                                 \
    }
#define GATHERS                                                                                    \
    {                                                                                              \
        .gathers = 1, .done = WAITS                                                                \
    }
#define ENDS(e)                                                                                    \
    {                                                                                              \
        .done = (e)                                                                                \
    }
#define DROPS(e)                                                                                   \
    {                                                                                              \
        .abandons = 1, .done = (e)                                                                 \
    }

/* clang-format off */
static const struct {
    const char *name;
    void (*happen)(struct bench *);
    bool far_is_larger;
    struct outcome outcomes[STATES];
} events[] = {
    { "gathered", bench_gathered, false,
      { [NOTHING] = NIL, [GATHERING] = { .sends = 1, .done = WAITS }, [REQUESTED] = NIL,
        [DEFERRED] = NIL, [ANSWERING] = { .sends = 1, .opens = 1, .done = WAITS },
        [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "gathered nothing", bench_gathered_nothing, false,
      { [NOTHING] = NIL, [GATHERING] = DROPS(RELOAD_E_INVALID), [REQUESTED] = NIL,
        [DEFERRED] = NIL,
        [ANSWERING] = { .abandons = 1, .sends = 1, .refusal = RELOAD_ERROR_REQUEST_TIMEOUT,
                        .done = WAITS },
        [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "open failed", bench_open_failed, false,
      { [NOTHING] = NIL, [GATHERING] = ENDS(RELOAD_E_IO), [REQUESTED] = ENDS(RELOAD_E_IO),
        [DEFERRED] = NIL, [ANSWERING] = REFUSES(RELOAD_ERROR_REQUEST_TIMEOUT),
        [EXPECTING] = ENDS(RELOAD_E_IO), [DIALLING] = NIL } },
    { "its link", bench_right_link, false,
      { [NOTHING] = NIL, [GATHERING] = ENDS(0), [REQUESTED] = ENDS(0), [DEFERRED] = ENDS(0),
        [ANSWERING] = NIL, [EXPECTING] = ENDS(0), [DIALLING] = NIL } },
    { "a link of another node", bench_wrong_link, false,
      { [NOTHING] = NIL, [GATHERING] = { .closes = 1, .done = RELOAD_E_CERTIFICATE },
        [REQUESTED] = { .closes = 1, .done = RELOAD_E_CERTIFICATE }, [DEFERRED] = NIL,
        [ANSWERING] = { .closes = 1, .sends = 1, .refusal = RELOAD_ERROR_REQUEST_TIMEOUT,
                        .done = WAITS },
        [EXPECTING] = { .closes = 1, .done = RELOAD_E_CERTIFICATE },
        [DIALLING] = { .closes = 1, .done = WAITS } } },
    { "another link to it", bench_other_link, false,
      { [NOTHING] = NIL, [GATHERING] = DROPS(0), [REQUESTED] = DROPS(0), [DEFERRED] = ENDS(0),
        [ANSWERING] = DROPS(WAITS), [EXPECTING] = DROPS(0), [DIALLING] = DROPS(WAITS) } },
    { "its Attach, it is smaller", bench_its_attach, false,
      { [NOTHING] = GATHERS, [GATHERING] = RESTARTS,
        [REQUESTED] = REFUSES(RELOAD_ERROR_IN_PROGRESS), [DEFERRED] = GATHERS, [ANSWERING] = NIL,
        [EXPECTING] = REFUSES(RELOAD_ERROR_IN_PROGRESS), [DIALLING] = REFUSES(RELOAD_ERROR_IN_PROGRESS) } },
    { "its Attach, it is larger", bench_its_attach, true,
      { [NOTHING] = GATHERS, [GATHERING] = RESTARTS, [REQUESTED] = RESTARTS,
        [DEFERRED] = GATHERS, [ANSWERING] = NIL, [EXPECTING] = REFUSES(RELOAD_ERROR_IN_PROGRESS),
        [DIALLING] = REFUSES(RELOAD_ERROR_IN_PROGRESS) } },
    { "its Attach without ICE", bench_its_bad_attach, true,
      { [NOTHING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [GATHERING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [REQUESTED] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [DEFERRED] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [ANSWERING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [EXPECTING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [DIALLING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY) } },
    { "an answer", bench_answer, false,
      { [NOTHING] = NIL, [GATHERING] = NIL, [REQUESTED] = { .opens = 1, .done = WAITS },
        [DEFERRED] = NIL, [ANSWERING] = NIL, [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "In_Progress", bench_in_progress, false,
      { [NOTHING] = NIL, [GATHERING] = NIL, [REQUESTED] = DROPS(WAITS), [DEFERRED] = NIL,
        [ANSWERING] = NIL, [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "an error", bench_refused, false,
      { [NOTHING] = NIL, [GATHERING] = NIL, [REQUESTED] = DROPS(RELOAD_E_FORBIDDEN),
        [DEFERRED] = NIL, [ANSWERING] = NIL, [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "the own wish, again", bench_attach, false,
      { [NOTHING] = GATHERS, [GATHERING] = NIL, [REQUESTED] = NIL, [DEFERRED] = NIL,
        [ANSWERING] = NIL, [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "nothing for long", bench_time_passes, false,
      { [NOTHING] = NIL, [GATHERING] = DROPS(RELOAD_E_TIMEOUT),
        [REQUESTED] = { .abandons = 1, .sends = 4, .done = RELOAD_E_TIMEOUT },
        [DEFERRED] = ENDS(RELOAD_E_TIMEOUT),
        [ANSWERING] = { .abandons = 1, .sends = 1, .refusal = RELOAD_ERROR_REQUEST_TIMEOUT,
                        .done = WAITS },
        [EXPECTING] = DROPS(RELOAD_E_TIMEOUT), [DIALLING] = DROPS(WAITS) } },
};
/* clang-format on */

static struct outcome tally(const struct bench *b)
{
    const struct rig *rig = &b->rig;
    struct outcome o = {
        .gathers = (uint8_t)rig_count(rig, RELOAD_ACTION_GATHER),
        .opens = (uint8_t)rig_count(rig, RELOAD_ACTION_OPEN_LINK),
        .abandons = (uint8_t)rig_count(rig, RELOAD_ACTION_ABANDON),
        .closes = (uint8_t)rig_count(rig, RELOAD_ACTION_CLOSE_LINK),
        .sends = (uint8_t)rig_count(rig, RELOAD_ACTION_SEND),
        .done = WAITS,
    };
    size_t done = rig_count(rig, RELOAD_ACTION_REQUEST_DONE);
    if (done)
        o.done = rig_action(rig, RELOAD_ACTION_REQUEST_DONE, done - 1)->action.result.error;
    if (o.sends) {
        struct reload_message m = rig_sent(rig, o.sends - 1u, NULL);
        if (m.message_code == RELOAD_ERROR)
            o.refusal = rig_error_code(&m);
    }
    return o;
}

static void check(const char *event, int state, struct outcome before, struct outcome after,
                  struct outcome expected)
{
    after.gathers -= before.gathers;
    after.opens -= before.opens;
    after.abandons -= before.abandons;
    after.closes -= before.closes;
    after.sends -= before.sends;
    if (!after.sends)
        after.refusal = 0;
    if (after.gathers != expected.gathers || after.opens != expected.opens ||
        after.abandons != expected.abandons || after.closes != expected.closes ||
        after.sends != expected.sends || after.done != expected.done ||
        after.refusal != expected.refusal)
        fail_msg("state %d, %s: gathers %d, opens %d, abandons %d, closes %d, sends %d, done %d, "
                 "refusal %d",
                 state, event, after.gathers, after.opens, after.abandons, after.closes,
                 after.sends, after.done, after.refusal);
}

/* R6940-6.5.1.2-1 R6940-6.5.1.2-2 R6940-6.5.1.2-3 R6940-6.5.1.2-4 R6940-6.5.1.2-5
 * R6940-6.5.1.2-7 R6940-6.5.1.11-1 R6940-6.5.1.13-3 */
static void each_event_does_in_each_state_what_it_should_and_nothing_is_left(void **state)
{
    (void)state;
    struct bench *b = test_malloc(sizeof *b);
    for (size_t e = 0; e < sizeof events / sizeof events[0]; e++)
        for (int s = NOTHING; s < STATES; s++) {
            bench_setup(b, events[e].far_is_larger);
            bench_drive(b, (enum state)s);
            struct outcome before = tally(b);
            assert_int_equal(before.done, WAITS);
            events[e].happen(b);
            check(events[e].name, s, before, tally(b), events[e].outcomes[s]);
            bench_time_passes(b);
            bench_expect_all_ended_once(b);
            assert_int_equal(reload_node_deadline(b->rig.node), RELOAD_NEVER);
            rig_fini(&b->rig);
        }
    test_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_does_in_each_state_what_it_should_and_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
