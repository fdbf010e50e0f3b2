/* Attach with ICE: RFC 6940 s6.5.1.2 to s6.5.1.14. One node by hand: what it asks of its host and
 * says to the far end in every state, and that each number the host holds ends exactly once. */
#include "tests/reload/node/rig.h"

#include "reload/alloc.h"
#include "reload/node/offer.h"
#include "reload/wire/attach.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

#define HOP      0 /* the party that everything is routed through */
#define NEW_LINK 20

static const uint8_t home[] = { 198, 51, 100, 7 };
static const struct reload_slice ufrag = { (const uint8_t *)"ab+/", 4 };
static const struct reload_slice password = { (const uint8_t *)"0123456789abcdefghijkl", 22 };

static struct reload_slice candidates(size_t count, uint8_t link_type)
{
    static uint8_t buffer[8192];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    for (size_t i = 0; i < count; i++) {
        const struct reload_ice_candidate c = {
            .addr_port = { RELOAD_ADDRESS_IPV4, (uint16_t)(7000 + i), reload_slice_of(home, 4) },
            .overlay_link = link_type,
            .foundation = reload_slice_of("1", 1),
            .priority = (uint32_t)(100 + i),
            .type = RELOAD_CANDIDATE_HOST,
        };
        assert_int_equal(reload_ice_candidate_encode(&w, &c), 0);
    }
    return reload_writer_slice(&w);
}

static struct reload_slice body_of(const char *role, struct reload_slice user,
                                   struct reload_slice pass, struct reload_slice list,
                                   bool send_update)
{
    static uint8_t buffer[8192];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_attach body = { .ufrag = user,
                                        .password = pass,
                                        .role = reload_slice_of(role, strlen(role)),
                                        .candidates = list,
                                        .send_update = send_update };
    assert_int_equal(reload_attach_encode(&w, &body), 0);
    return reload_writer_slice(&w);
}

static struct reload_slice good_body(const char *role)
{
    return body_of(role, ufrag, password, candidates(2, RELOAD_LINK_DTLS_UDP_SR), false);
}

/* --- the node, its host and the far end --- */

struct bench {
    struct rig rig;
    size_t far;     /* the party that is attached to */
    uint32_t ended; /* bit n: the host has told that number n is over */
};

static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    rig_init(&b->rig);
    b->rig.config.config.no_ice = false;
    b->rig.node_config.ice = true;
}

static void bench_start(struct bench *b, bool far_is_larger)
{
    rig_start(&b->rig);
    rig_link(&b->rig, HOP);
    b->rig.fake.hop = b->rig.parties[HOP].id;
    for (b->far = 1; b->far < RIG_PARTIES; b->far++)
        if ((reload_node_id_compare(&b->rig.parties[b->far].id, &b->rig.me.id) > 0) ==
            far_is_larger)
            return;
    fail_msg("no such party");
}

static void setup(struct bench *b, bool far_is_larger)
{
    bench_init(b);
    bench_start(b, far_is_larger);
}

static uint32_t last_number(const struct bench *b)
{
    size_t count = rig_count(&b->rig, RELOAD_ACTION_GATHER);
    return count ? rig_action(&b->rig, RELOAD_ACTION_GATHER, count - 1)->action.gather.attach : 1;
}

static bool is_held(const struct bench *b, uint32_t number)
{
    bool gathered = false;
    for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_GATHER); i++)
        gathered = gathered ||
                   rig_action(&b->rig, RELOAD_ACTION_GATHER, i)->action.gather.attach == number;
    for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_ABANDON); i++)
        if (rig_action(&b->rig, RELOAD_ACTION_ABANDON, i)->action.abandon.attach == number)
            return false;
    return gathered && !(b->ended & 1u << number);
}

static unsigned ends_of(const struct bench *b, uint32_t number)
{
    unsigned ends = b->ended >> number & 1;
    for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_ABANDON); i++)
        ends += rig_action(&b->rig, RELOAD_ACTION_ABANDON, i)->action.abandon.attach == number;
    return ends;
}

/* Every number that had a GATHER has ended once: abandoned, or by the host. */
static void expect_all_ended_once(const struct bench *b)
{
    for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_GATHER); i++)
        assert_int_equal(
            ends_of(b, rig_action(&b->rig, RELOAD_ACTION_GATHER, i)->action.gather.attach), 1);
}

static void start(struct bench *b)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&b->rig.parties[b->far].id) };
    assert_int_equal(reload_node_attach(b->rig.node, &target, b->rig.now, &request), 0);
    rig_pull(&b->rig);
}

static void gathered_as(struct bench *b, uint32_t number, struct reload_slice user,
                        struct reload_slice pass, struct reload_slice list)
{
    reload_node_gathered(b->rig.node, number, user, pass, list, b->rig.now);
    rig_pull(&b->rig);
}

static void gathered(struct bench *b)
{
    gathered_as(b, last_number(b), ufrag, password, candidates(1, RELOAD_LINK_DTLS_UDP_SR));
}

static void gathered_nothing(struct bench *b)
{
    gathered_as(b, last_number(b), ufrag, password, candidates(0, 0));
}

static void open_failed(struct bench *b)
{
    uint32_t number = last_number(b);
    if (is_held(b, number))
        b->ended |= 1u << number;
    reload_node_open_failed(b->rig.node, number, b->rig.now);
    rig_pull(&b->rig);
}

static void link_up(struct bench *b, size_t party, uint32_t number)
{
    const struct reload_node_link info = {
        .type = number ? RELOAD_LINK_DTLS_UDP_SR : RELOAD_LINK_TLS_TCP_FH_NO_ICE,
        .node_ids = &b->rig.parties[party].id,
        .node_id_count = 1,
        .attach = number,
        .inbound = true,
    };
    if (number && is_held(b, number))
        b->ended |= 1u << number;
    reload_node_link_up(b->rig.node, NEW_LINK, &info, b->rig.now);
    rig_pull(&b->rig);
}

static void right_link(struct bench *b)
{
    link_up(b, b->far, last_number(b));
}

static void wrong_link(struct bench *b)
{
    link_up(b, b->far == 7 ? 6 : 7, last_number(b));
}

static void other_link(struct bench *b)
{
    link_up(b, b->far, 0);
}

static uint64_t attach_from(struct bench *b, struct reload_slice body, uint64_t transaction_id)
{
    struct rig_message m = { .signer = &b->rig.parties[b->far],
                             .code = RELOAD_ATTACH_REQ,
                             .body = body,
                             .transaction_id = transaction_id,
                             .via_list = rig_nodes(&b->rig.parties[b->far].id, NULL) };
    return rig_receive(&b->rig, HOP + 1, &m);
}

static void its_attach(struct bench *b)
{
    attach_from(b, good_body("passive"), 0);
}

static void its_bad_attach(struct bench *b)
{
    attach_from(
        b, body_of("passive", ufrag, password, candidates(1, RELOAD_LINK_TLS_TCP_FH_NO_ICE), false),
        0);
}

/* The transaction of the own AttachReq that was sent last; something else when there was none. */
static uint64_t own_transaction(const struct bench *b)
{
    uint64_t id = 12345;
    for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_SEND); i++) {
        struct reload_message m = rig_sent(&b->rig, i, NULL);
        if (m.message_code == RELOAD_ATTACH_REQ)
            id = m.header.transaction_id;
    }
    return id;
}

static void respond(struct bench *b, uint16_t code, struct reload_slice body)
{
    struct rig_message m = { .signer = &b->rig.parties[b->far],
                             .code = code,
                             .body = body,
                             .transaction_id = own_transaction(b) };
    rig_receive(&b->rig, HOP + 1, &m);
}

static void answer(struct bench *b)
{
    respond(b, RELOAD_ATTACH_ANS, good_body("active"));
}

static void respond_error(struct bench *b, uint16_t error_code)
{
    uint8_t bytes[8];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    const struct reload_error_response error = { error_code, { NULL, 0 } };
    assert_int_equal(reload_error_response_encode(&w, &error), 0);
    respond(b, RELOAD_ERROR, reload_writer_slice(&w));
}

static void in_progress(struct bench *b)
{
    respond_error(b, RELOAD_ERROR_IN_PROGRESS);
}

static void refused(struct bench *b)
{
    respond_error(b, RELOAD_ERROR_NOT_FOUND);
}

static void time_passes(struct bench *b)
{
    rig_run(&b->rig, 200000);
}

/* --- every state and every event --- */

enum state { NOTHING, GATHERING, REQUESTED, DEFERRED, ANSWERING, EXPECTING, DIALLING, STATES };

static void drive(struct bench *b, enum state state)
{
    switch (state) {
    case NOTHING: return;
    case GATHERING: start(b); return;
    case REQUESTED:
        start(b);
        gathered(b);
        return;
    case DEFERRED:
        drive(b, REQUESTED);
        in_progress(b);
        return;
    case ANSWERING: its_attach(b); return;
    case EXPECTING:
        drive(b, REQUESTED);
        answer(b);
        return;
    case DIALLING:
        its_attach(b);
        gathered(b);
        return;
    case STATES: return;
    }
}

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
    { "gathered", gathered, false,
      { [NOTHING] = NIL, [GATHERING] = { .sends = 1, .done = WAITS }, [REQUESTED] = NIL,
        [DEFERRED] = NIL, [ANSWERING] = { .sends = 1, .opens = 1, .done = WAITS },
        [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "gathered nothing", gathered_nothing, false,
      { [NOTHING] = NIL, [GATHERING] = DROPS(RELOAD_E_INVALID), [REQUESTED] = NIL,
        [DEFERRED] = NIL,
        [ANSWERING] = { .abandons = 1, .sends = 1, .refusal = RELOAD_ERROR_REQUEST_TIMEOUT,
                        .done = WAITS },
        [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "open failed", open_failed, false,
      { [NOTHING] = NIL, [GATHERING] = ENDS(RELOAD_E_IO), [REQUESTED] = ENDS(RELOAD_E_IO),
        [DEFERRED] = NIL, [ANSWERING] = REFUSES(RELOAD_ERROR_REQUEST_TIMEOUT),
        [EXPECTING] = ENDS(RELOAD_E_IO), [DIALLING] = NIL } },
    { "its link", right_link, false,
      { [NOTHING] = NIL, [GATHERING] = ENDS(0), [REQUESTED] = ENDS(0), [DEFERRED] = ENDS(0),
        [ANSWERING] = NIL, [EXPECTING] = ENDS(0), [DIALLING] = NIL } },
    { "a link of another node", wrong_link, false,
      { [NOTHING] = NIL, [GATHERING] = { .closes = 1, .done = RELOAD_E_CERTIFICATE },
        [REQUESTED] = { .closes = 1, .done = RELOAD_E_CERTIFICATE }, [DEFERRED] = NIL,
        [ANSWERING] = { .closes = 1, .sends = 1, .refusal = RELOAD_ERROR_REQUEST_TIMEOUT,
                        .done = WAITS },
        [EXPECTING] = { .closes = 1, .done = RELOAD_E_CERTIFICATE },
        [DIALLING] = { .closes = 1, .done = WAITS } } },
    { "another link to it", other_link, false,
      { [NOTHING] = NIL, [GATHERING] = DROPS(0), [REQUESTED] = DROPS(0), [DEFERRED] = ENDS(0),
        [ANSWERING] = DROPS(WAITS), [EXPECTING] = DROPS(0), [DIALLING] = DROPS(WAITS) } },
    { "its Attach, it is smaller", its_attach, false,
      { [NOTHING] = GATHERS, [GATHERING] = RESTARTS,
        [REQUESTED] = REFUSES(RELOAD_ERROR_IN_PROGRESS), [DEFERRED] = GATHERS, [ANSWERING] = NIL,
        [EXPECTING] = REFUSES(RELOAD_ERROR_IN_PROGRESS), [DIALLING] = REFUSES(RELOAD_ERROR_IN_PROGRESS) } },
    { "its Attach, it is larger", its_attach, true,
      { [NOTHING] = GATHERS, [GATHERING] = RESTARTS, [REQUESTED] = RESTARTS,
        [DEFERRED] = GATHERS, [ANSWERING] = NIL, [EXPECTING] = REFUSES(RELOAD_ERROR_IN_PROGRESS),
        [DIALLING] = REFUSES(RELOAD_ERROR_IN_PROGRESS) } },
    { "its Attach without ICE", its_bad_attach, true,
      { [NOTHING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [GATHERING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [REQUESTED] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [DEFERRED] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [ANSWERING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [EXPECTING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY),
        [DIALLING] = REFUSES(RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY) } },
    { "an answer", answer, false,
      { [NOTHING] = NIL, [GATHERING] = NIL, [REQUESTED] = { .opens = 1, .done = WAITS },
        [DEFERRED] = NIL, [ANSWERING] = NIL, [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "In_Progress", in_progress, false,
      { [NOTHING] = NIL, [GATHERING] = NIL, [REQUESTED] = DROPS(WAITS), [DEFERRED] = NIL,
        [ANSWERING] = NIL, [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "an error", refused, false,
      { [NOTHING] = NIL, [GATHERING] = NIL, [REQUESTED] = DROPS(RELOAD_E_FORBIDDEN),
        [DEFERRED] = NIL, [ANSWERING] = NIL, [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "the own wish, again", start, false,
      { [NOTHING] = GATHERS, [GATHERING] = NIL, [REQUESTED] = NIL, [DEFERRED] = NIL,
        [ANSWERING] = NIL, [EXPECTING] = NIL, [DIALLING] = NIL } },
    { "nothing for long", time_passes, false,
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
            setup(b, events[e].far_is_larger);
            drive(b, (enum state)s);
            struct outcome before = tally(b);
            assert_int_equal(before.done, WAITS);
            events[e].happen(b);
            check(events[e].name, s, before, tally(b), events[e].outcomes[s]);
            time_passes(b);
            expect_all_ended_once(b);
            assert_int_equal(reload_node_deadline(b->rig.node), RELOAD_NEVER);
            rig_fini(&b->rig);
        }
    test_free(b);
}

/* --- what is said, and to whom --- */

static void expect_opened(const struct bench *b, uint32_t number, bool tls_server)
{
    size_t count = rig_count(&b->rig, RELOAD_ACTION_OPEN_LINK);
    assert_true(count > 0);
    const struct reload_action_open_link *open =
        &rig_action(&b->rig, RELOAD_ACTION_OPEN_LINK, count - 1)->action.open_link;
    assert_int_equal(open->attach, number);
    assert_int_equal(open->link_type, RELOAD_LINK_DTLS_UDP_SR);
    assert_int_equal(open->tls_server, tls_server);
    assert_int_equal(open->address_count, 0);
    assert_true(reload_node_id_equal(&open->node_id, &b->rig.parties[b->far].id));
    assert_true(reload_slice_equal(open->ufrag, ufrag));
    assert_true(reload_slice_equal(open->password, password));
    assert_true(reload_slice_equal(open->candidates, candidates(2, RELOAD_LINK_DTLS_UDP_SR)));
}

static void expect_offered(const struct bench *b, size_t n, uint16_t code, const char *role)
{
    struct reload_message m = rig_sent(&b->rig, n, NULL);
    struct reload_attach body;
    assert_int_equal(m.message_code, code);
    assert_int_equal(reload_attach_decode(m.body, &body), 0);
    assert_true(reload_slice_equal(body.ufrag, ufrag));
    assert_true(reload_slice_equal(body.password, password));
    assert_true(reload_slice_equal(body.role, reload_slice_of(role, strlen(role))));
    assert_true(reload_slice_equal(body.candidates, candidates(1, RELOAD_LINK_DTLS_UDP_SR)));
}

/* R6940-6.5.1.5-1 R6940-6.5.1.8-1 R6940-6.5.1.9-1 R6940-6.5.1.13-1 R6940-6.5.1.1-6: who asks
 * controls the checks and is the server; an answer leads to ICE without further proof of it. */
static void the_requester_controls_ice_and_is_the_dtls_server(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    drive(&b, EXPECTING);
    const struct reload_action_gather *gather =
        &rig_action(&b.rig, RELOAD_ACTION_GATHER, 0)->action.gather;
    assert_true(gather->requester);
    assert_false(gather->application);
    expect_offered(&b, 0, RELOAD_ATTACH_REQ, "passive");
    expect_opened(&b, gather->attach, true);
    rig_fini(&b.rig);
}

static void the_answerer_is_controlled_and_the_dtls_client(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    drive(&b, DIALLING);
    const struct reload_action_gather *gather =
        &rig_action(&b.rig, RELOAD_ACTION_GATHER, 0)->action.gather;
    assert_false(gather->requester);
    expect_offered(&b, 0, RELOAD_ATTACH_ANS, "active");
    expect_opened(&b, gather->attach, false);
    rig_fini(&b.rig);
}

/* R6940-6.2.1-10: a copy of the request is neither answered nor gathered for while candidates are
 * on their way, and gets the one answer afterwards, without a second link. */
static void a_retransmission_gathers_and_opens_nothing_twice(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    attach_from(&b, good_body("passive"), 77);
    attach_from(&b, good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), 0);
    gathered(&b);
    attach_from(&b, good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), 2);
    for (size_t i = 0; i < 2; i++)
        expect_offered(&b, i, RELOAD_ATTACH_ANS, "active");
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.2-1 R6940-6.5.1.2-6: who asks anew is gathered for anew, with what it offers now, but
 * not as often as it likes. */
static void an_attach_after_the_answer_starts_over_now_and_then(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    drive(&b, DIALLING);
    for (int i = 0; i < 20; i++)
        its_attach(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    rig_run(&b.rig, 3000);
    its_attach(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 2);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 1);
    gathered(&b);
    expect_opened(&b, last_number(&b), false);
    rig_fini(&b.rig);
}

/* The answer was lost, and the host gave its checks up before the request was repeated: the answer
 * to that brings other candidates. */
static void a_retransmission_after_failed_checks_is_answered_anew(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    attach_from(&b, good_body("passive"), 77);
    gathered(&b);
    open_failed(&b);
    attach_from(&b, good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 2);
    gathered(&b);
    expect_offered(&b, 1, RELOAD_ATTACH_ANS, "active");
    expect_opened(&b, last_number(&b), false);
    rig_fini(&b.rig);
}

/* A copy that the duplicate cache had no room to remember. */
static void a_request_that_the_cache_forgot_still_gathers_once(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    b.rig.node_config.limits.max_answered = 1;
    bench_start(&b, false);
    attach_from(&b, good_body("passive"), 77);
    struct rig_message update = { .signer = &b.rig.parties[HOP], .code = RELOAD_UPDATE_REQ };
    rig_receive(&b.rig, HOP + 1, &update);
    size_t sends = rig_count(&b.rig, RELOAD_ACTION_SEND);
    attach_from(&b, good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    gathered(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), sends + 1);
    rig_fini(&b.rig);
}

/* s6.5.1.2: who asks anew, its first request having been given up, gets the answer to the last one;
 * copies of the first that come late disturb nothing. */
static void the_last_of_two_requests_is_answered(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    attach_from(&b, good_body("passive"), 77);
    attach_from(&b, body_of("passive", password, password, candidates(2, 1), false), 78);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    gathered(&b);
    attach_from(&b, good_body("passive"), 77);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(rig_sent(&b.rig, 0, NULL).header.transaction_id, 78);
    const struct rig_action *open = rig_action(&b.rig, RELOAD_ACTION_OPEN_LINK, 0);
    assert_true(reload_slice_equal(open->action.open_link.ufrag, password));
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 0);
    rig_fini(&b.rig);
}

static void the_link_goes_away_while_candidates_are_gathered(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    drive(&b, ANSWERING);
    reload_node_link_down(b.rig.node, HOP + 1, b.rig.now);
    gathered(&b);
    assert_int_equal(rig_dropped(&b.rig, RELOAD_DROP_RETURN_GONE), 1);
    time_passes(&b);
    expect_all_ended_once(&b);
    rig_fini(&b.rig);
}

/* R6940-6.4.2.3-1: over a plain link the Update that is wanted need not wait for ICE, and another
 * link is made; over that one an Attach asks for nothing more. */
static void an_attach_over_a_plain_link_makes_one_by_ice(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    b.far = HOP;
    struct rig_message m = {
        .signer = &b.rig.parties[HOP],
        .code = RELOAD_ATTACH_REQ,
        .body = body_of("passive", ufrag, password, candidates(2, 1), true),
    };
    rig_receive(&b.rig, HOP + 1, &m);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    assert_int_equal(b.rig.fake.updates_wanted, 0);
    gathered(&b);
    assert_int_equal(b.rig.fake.updates_wanted, 1);
    expect_offered(&b, 0, RELOAD_ATTACH_ANS, "active");
    expect_opened(&b, last_number(&b), false);
    link_up(&b, HOP, last_number(&b));
    assert_int_equal(b.rig.fake.updates_wanted, 1);
    assert_int_equal(b.rig.fake.link_ups, 1);

    rig_receive(&b.rig, NEW_LINK, &m);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    assert_int_equal(b.rig.fake.updates_wanted, 2);
    struct reload_attach body;
    assert_int_equal(reload_attach_decode(rig_sent(&b.rig, 1, NULL).body, &body), 0);
    assert_int_equal(body.candidates.n, 0);
    rig_fini(&b.rig);
}

/* A plain link that came up meanwhile ends the own Attach, but is not one that an Attach made. */
static void a_plain_link_in_the_meantime_does_not_count_as_made_by_ice(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    drive(&b, GATHERING);
    other_link(&b);
    struct rig_message m = { .signer = &b.rig.parties[b.far],
                             .code = RELOAD_ATTACH_REQ,
                             .body = good_body("passive") };
    rig_receive(&b.rig, NEW_LINK, &m);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 2);
    rig_fini(&b.rig);
}

/* The requester's side of that: it is attached when it is answered; the link by ICE comes later, or
 * does not when the far end offers none. */
static void an_answer_from_a_node_with_a_link_ends_the_wait(void **state)
{
    (void)state;
    struct bench b;
    for (int offers = 0; offers < 2; offers++) {
        setup(&b, false);
        b.far = HOP;
        uint64_t request;
        const struct reload_target target = { .resource = true,
                                              .id = reload_slice_of("rrrrrrrrrrrrrrrr", 16) };
        assert_int_equal(reload_node_attach(b.rig.node, &target, b.rig.now, &request), 0);
        rig_pull(&b.rig);
        gathered(&b);
        struct reload_slice none = { 0 };
        respond(&b, RELOAD_ATTACH_ANS,
                offers ? good_body("active") : body_of("active", none, none, none, false));
        const struct rig_action *done = rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0);
        assert_non_null(done);
        assert_int_equal(done->action.result.error, 0);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), offers);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), !offers);
        time_passes(&b);
        expect_all_ended_once(&b);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_REQUEST_DONE), 1);
        rig_fini(&b.rig);
    }
}

/* --- what is refused --- */

/* R6940-6.5.1.5-1 R6940-6.5.1.1-7 R6940-6.5.1.1-9: an offer that this overlay, or ICE, does not
 * have. The same in an answer ends the Attach. */
static void offers_that_break_the_rules_are_refused(void **state)
{
    (void)state;
    static uint8_t mixed[256];
    struct reload_writer w = reload_writer_of(mixed, sizeof mixed);
    reload_wr_bytes(&w, candidates(1, RELOAD_LINK_DTLS_UDP_SR));
    reload_wr_bytes(&w, candidates(1, RELOAD_LINK_TLS_TCP_FH_NO_ICE));
    struct reload_slice both = reload_writer_slice(&w), none = { 0 };
    const struct {
        struct reload_slice ufrag, password;
        size_t count;
        uint8_t type;
        bool mixed;
        uint16_t error;
    } offers[] = {
        { ufrag, password, 1, 1, false, 0 },
        { ufrag, password, RELOAD_OFFER_CANDIDATES_MAX, 1, false, 0 },
        { ufrag, password, RELOAD_OFFER_CANDIDATES_MAX + 1, 1, false,
          RELOAD_ERROR_INVALID_MESSAGE },
        { ufrag, password, 0, 1, true, RELOAD_ERROR_INVALID_MESSAGE },
        { none, none, 1, 1, false, RELOAD_ERROR_INVALID_MESSAGE },
        { ufrag, reload_slice_of(password.p, 21), 1, 1, false, RELOAD_ERROR_INVALID_MESSAGE },
        { reload_slice_of("abc", 3), password, 1, 1, false, RELOAD_ERROR_INVALID_MESSAGE },
        { reload_slice_of("ab d", 4), password, 1, 1, false, RELOAD_ERROR_INVALID_MESSAGE },
        { ufrag, password, 0, 1, false, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
        { ufrag, password, 2, 77, false, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
        { ufrag, password, 1, 3, false, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
        { ufrag, password, 1, 4, false, RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY },
    };
    struct bench b;
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        uint16_t error = offers[i].error;
        struct reload_slice list =
            offers[i].mixed ? both : candidates(offers[i].count, offers[i].type);
        setup(&b, false);
        attach_from(&b, body_of("passive", offers[i].ufrag, offers[i].password, list, false), 0);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), error == 0);
        if (error) {
            struct reload_message m = rig_sent(&b.rig, 0, NULL);
            assert_int_equal(rig_error_code(&m), error);
            assert_int_equal(rig_dropped(&b.rig, RELOAD_DROP_BODY), 1);
        }
        rig_fini(&b.rig);

        setup(&b, false);
        drive(&b, REQUESTED);
        list = offers[i].mixed ? both : candidates(offers[i].count, offers[i].type);
        respond(&b, RELOAD_ATTACH_ANS,
                body_of("active", offers[i].ufrag, offers[i].password, list, false));
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), error == 0);
        if (error)
            assert_int_equal(rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result.error,
                             error == RELOAD_ERROR_INVALID_MESSAGE ? RELOAD_E_DECODE
                                                                   : RELOAD_E_UNSUPPORTED);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), error != 0);
        rig_fini(&b.rig);
    }
}

/* An address that nothing can be sent to is none to check. */
static void a_candidate_without_a_port_is_no_candidate(void **state)
{
    (void)state;
    struct bench b;
    uint8_t bytes[64];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    const struct reload_ice_candidate c = {
        .addr_port = { RELOAD_ADDRESS_IPV4, 0, reload_slice_of(home, 4) },
        .overlay_link = RELOAD_LINK_DTLS_UDP_SR,
        .type = RELOAD_CANDIDATE_HOST,
    };
    assert_int_equal(reload_ice_candidate_encode(&w, &c), 0);
    setup(&b, false);
    attach_from(&b, body_of("passive", ufrag, password, reload_writer_slice(&w), false), 0);
    struct reload_message m = rig_sent(&b.rig, 0, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.2-5: an Attach to a resource learns from In_Progress whose Attach to wait for. */
static void in_progress_says_whose_attach_is_on_the_way(void **state)
{
    (void)state;
    struct bench b;
    uint64_t request;
    setup(&b, false);
    const struct reload_target target = { .resource = true,
                                          .id = reload_slice_of("rrrrrrrrrrrrrrrr", 16) };
    assert_int_equal(reload_node_attach(b.rig.node, &target, b.rig.now, &request), 0);
    rig_pull(&b.rig);
    gathered(&b);
    in_progress(&b);
    its_attach(&b);
    gathered(&b);
    right_link(&b);
    const struct rig_action *done = rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0);
    assert_non_null(done);
    assert_int_equal(done->action.result.error, 0);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.1-6 */
static void an_answer_with_the_requesters_role_is_no_answer(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    drive(&b, REQUESTED);
    respond(&b, RELOAD_ATTACH_ANS, good_body("passive"));
    assert_int_equal(rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result.error,
                     RELOAD_E_DECODE);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 1);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.1-9: a candidate of an unknown kind is the host's to pass over; the rest are used. */
static void unknown_candidates_do_not_spoil_the_others(void **state)
{
    (void)state;
    struct bench b;
    uint8_t bytes[256];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    reload_wr_bytes(&w, candidates(1, 77));
    reload_wr_bytes(&w, candidates(1, RELOAD_LINK_DTLS_UDP_SR));
    setup(&b, false);
    attach_from(&b, body_of("passive", ufrag, password, reload_writer_slice(&w), false), 0);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 1);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.5-1: the no-ice element, and what the host can do, decide; with no-ice there is
 * nothing to gather, and ICE candidates are refused. */
static void a_no_ice_overlay_gathers_nothing_and_refuses_ice(void **state)
{
    (void)state;
    struct bench b;
    for (int host = 0; host < 2; host++) {
        bench_init(&b);
        b.rig.config.config.no_ice = host == 0;
        b.rig.node_config.ice = host == 0;
        bench_start(&b, false);
        start(&b);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 0);
        struct reload_attach body;
        assert_int_equal(reload_attach_decode(rig_sent(&b.rig, 0, NULL).body, &body), 0);
        assert_int_equal(body.ufrag.n + body.password.n, 0);
        struct reload_reader r = reload_reader_over(body.candidates);
        struct reload_ice_candidate c;
        assert_true(reload_ice_candidate_next(&r, &c));
        assert_int_equal(c.overlay_link, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
        its_attach(&b);
        struct reload_message m = rig_sent(&b.rig, 1, NULL);
        assert_int_equal(rig_error_code(&m), RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY);
        respond(&b, RELOAD_ATTACH_ANS, good_body("active"));
        assert_int_equal(rig_action(&b.rig, RELOAD_ACTION_REQUEST_DONE, 0)->action.result.error,
                         RELOAD_E_UNSUPPORTED);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), 0);
        assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 0);
        rig_fini(&b.rig);
    }
}

/* R6940-6.5.1.5-1: a newer configuration takes ICE away while candidates are gathered: what began
 * with ICE is over when the far end asks without. */
static void an_overlay_that_gives_up_ice_is_followed(void **state)
{
    (void)state;
    struct bench b;
    setup(&b, false);
    drive(&b, GATHERING);
    b.rig.config.config.no_ice = true; /* the configuration in force */
    struct reload_slice none = { 0 };
    attach_from(
        &b, body_of("passive", none, none, candidates(1, RELOAD_LINK_TLS_TCP_FH_NO_ICE), false), 0);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_OPEN_LINK), 1);
    const struct rig_action *open = rig_action(&b.rig, RELOAD_ACTION_OPEN_LINK, 0);
    assert_int_equal(open->action.open_link.link_type, RELOAD_LINK_TLS_TCP_FH_NO_ICE);
    time_passes(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_ABANDON), 1);
    rig_fini(&b.rig);
}

/* R6940-6.5.1.2-6: those that only gather count. */
static void the_cap_on_attaches_counts_those_that_gather(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b);
    b.rig.node_config.limits.max_attaches = 3;
    bench_start(&b, false);
    for (b.far = 1; b.far <= 5; b.far++)
        its_attach(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 3);
    assert_int_equal(rig_dropped(&b.rig, RELOAD_DROP_LIMIT), 2);
    struct reload_message m = rig_sent(&b.rig, 1, NULL);
    assert_int_equal(rig_error_code(&m), RELOAD_ERROR_FORBIDDEN);
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&b.rig.parties[6].id) };
    assert_int_equal(reload_node_attach(b.rig.node, &target, b.rig.now, &request), RELOAD_E_LIMIT);
    rig_pull(&b.rig);
    time_passes(&b); /* the host never says a word: they end by themselves */
    expect_all_ended_once(&b);
    its_attach(&b);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 4);
    rig_fini(&b.rig);
}

/* A bootstrap node of several Node-IDs is told by an Attach without an offer which one we use; the
 * link that it goes over is all that is wanted (s4.2.1, s6.1.2). */
static void an_attach_without_an_offer_is_answered_over_its_link(void **state)
{
    (void)state;
    struct bench b;
    struct reload_slice none = { 0 };
    setup(&b, false);
    struct rig_message m = { .signer = &b.rig.parties[HOP],
                             .code = RELOAD_ATTACH_REQ,
                             .body = body_of("passive", none, none, none, true) };
    rig_receive(&b.rig, HOP + 1, &m);
    assert_int_equal(rig_sent(&b.rig, 0, NULL).message_code, RELOAD_ATTACH_ANS);
    assert_int_equal(b.rig.fake.updates_wanted, 1);
    assert_int_equal(rig_count(&b.rig, RELOAD_ACTION_GATHER), 0);
    m.signer = &b.rig.parties[1]; /* but not from afar */
    m.via_list = rig_nodes(&b.rig.parties[1].id, NULL);
    rig_receive(&b.rig, HOP + 1, &m);
    struct reload_message refusal = rig_sent(&b.rig, 1, NULL);
    assert_int_equal(rig_error_code(&refusal), RELOAD_ERROR_INVALID_MESSAGE);
    rig_fini(&b.rig);
}

/* --- without memory --- */

static void ask_for_channel(struct bench *b)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&b->rig.parties[b->far].id) };
    (void)reload_node_app_attach(b->rig.node, &target, 5060, b->rig.now, &request);
    rig_pull(&b->rig);
}

static void channel_from(struct bench *b)
{
    static uint8_t buffer[256];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_app_attach body = { .ufrag = ufrag,
                                            .password = password,
                                            .application = 5060,
                                            .role = reload_slice_of("passive", 7),
                                            .candidates = candidates(1, 1) };
    assert_int_equal(reload_app_attach_encode(&w, &body), 0);
    struct rig_message m = { .signer = &b->rig.parties[b->far],
                             .code = RELOAD_APP_ATTACH_REQ,
                             .body = reload_writer_slice(&w),
                             .via_list = rig_nodes(&b->rig.parties[b->far].id, NULL) };
    rig_receive(&b->rig, HOP + 1, &m);
}

static void act(struct bench *b)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&b->rig.parties[b->far].id) };
    (void)reload_node_attach(b->rig.node, &target, b->rig.now, &request);
    rig_pull(&b->rig);
    gathered(b);
    answer(b);
    open_failed(b);
    its_attach(b);
    its_attach(b);
    gathered(b);
    ask_for_channel(b);
    gathered(b);
    channel_from(b);
    gathered(b);
    time_passes(b);
}

/* Whichever request for memory is refused: no number ends twice, and the next Attach works. */
static void any_allocation_may_fail(void **state)
{
    (void)state;
    struct bench *b = test_malloc(sizeof *b);
    unsigned long n = 0, used = 0;
    do {
        setup(b, false);
        assert_int_equal(reload_node_set_application(b->rig.node, 5060, true), 0);
        unsigned long before = reload_alloc_count();
        reload_alloc_fail_at(++n);
        act(b);
        used = reload_alloc_count() - before;
        reload_alloc_fail_at(0);
        for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_GATHER); i++)
            assert_in_range(
                ends_of(b, rig_action(&b->rig, RELOAD_ACTION_GATHER, i)->action.gather.attach), 0,
                1);
        rig_clear(&b->rig);
        its_attach(b);
        gathered(b);
        assert_int_equal(rig_count(&b->rig, RELOAD_ACTION_OPEN_LINK), 1);
        rig_fini(&b->rig);
    } while (used >= n);
    assert_true(n > 10);
    test_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_does_in_each_state_what_it_should_and_nothing_is_left),
        cmocka_unit_test(the_requester_controls_ice_and_is_the_dtls_server),
        cmocka_unit_test(the_answerer_is_controlled_and_the_dtls_client),
        cmocka_unit_test(a_retransmission_gathers_and_opens_nothing_twice),
        cmocka_unit_test(an_attach_after_the_answer_starts_over_now_and_then),
        cmocka_unit_test(a_retransmission_after_failed_checks_is_answered_anew),
        cmocka_unit_test(a_request_that_the_cache_forgot_still_gathers_once),
        cmocka_unit_test(the_last_of_two_requests_is_answered),
        cmocka_unit_test(the_link_goes_away_while_candidates_are_gathered),
        cmocka_unit_test(an_attach_over_a_plain_link_makes_one_by_ice),
        cmocka_unit_test(a_plain_link_in_the_meantime_does_not_count_as_made_by_ice),
        cmocka_unit_test(an_answer_from_a_node_with_a_link_ends_the_wait),
        cmocka_unit_test(offers_that_break_the_rules_are_refused),
        cmocka_unit_test(a_candidate_without_a_port_is_no_candidate),
        cmocka_unit_test(in_progress_says_whose_attach_is_on_the_way),
        cmocka_unit_test(an_answer_with_the_requesters_role_is_no_answer),
        cmocka_unit_test(unknown_candidates_do_not_spoil_the_others),
        cmocka_unit_test(a_no_ice_overlay_gathers_nothing_and_refuses_ice),
        cmocka_unit_test(an_overlay_that_gives_up_ice_is_followed),
        cmocka_unit_test(the_cap_on_attaches_counts_those_that_gather),
        cmocka_unit_test(an_attach_without_an_offer_is_answered_over_its_link),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
