#include "tests/reload/node/ice_bench.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static const uint8_t home[] = { 198, 51, 100, 7 };
const struct reload_slice bench_ufrag = { (const uint8_t *)"ab+/", 4 };
const struct reload_slice bench_password = { (const uint8_t *)"0123456789abcdefghijkl", 22 };

struct reload_slice bench_candidates(size_t count, uint8_t link_type)
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

struct reload_slice bench_body_of(const char *role, struct reload_slice user,
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

struct reload_slice bench_good_body(const char *role)
{
    return bench_body_of(role, bench_ufrag, bench_password,
                         bench_candidates(2, RELOAD_LINK_DTLS_UDP_SR), false);
}

void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    rig_init(&b->rig);
    b->rig.config.config.no_ice = false;
    b->rig.node_config.ice = true;
}

void bench_start(struct bench *b, bool far_is_larger)
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

void bench_setup(struct bench *b, bool far_is_larger)
{
    bench_init(b);
    bench_start(b, far_is_larger);
}

uint32_t bench_last_number(const struct bench *b)
{
    size_t count = rig_count(&b->rig, RELOAD_ACTION_GATHER);
    return count ? rig_action(&b->rig, RELOAD_ACTION_GATHER, count - 1)->action.gather.attach : 1;
}

static bool bench_is_held(const struct bench *b, uint32_t number)
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

unsigned bench_ends_of(const struct bench *b, uint32_t number)
{
    unsigned ends = b->ended >> number & 1;
    for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_ABANDON); i++)
        ends += rig_action(&b->rig, RELOAD_ACTION_ABANDON, i)->action.abandon.attach == number;
    return ends;
}

/* Every number that had a GATHER has ended once: abandoned, or by the host. */
void bench_expect_all_ended_once(const struct bench *b)
{
    for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_GATHER); i++)
        assert_int_equal(
            bench_ends_of(b, rig_action(&b->rig, RELOAD_ACTION_GATHER, i)->action.gather.attach),
            1);
}

void bench_attach(struct bench *b)
{
    uint64_t request;
    const struct reload_target target = { .id = reload_node_id_slice(&b->rig.parties[b->far].id) };
    assert_int_equal(reload_node_attach(b->rig.node, &target, b->rig.now, &request), 0);
    rig_pull(&b->rig);
}

static void bench_gathered_as(struct bench *b, uint32_t number, struct reload_slice user,
                              struct reload_slice pass, struct reload_slice list)
{
    reload_node_gathered(b->rig.node, number, user, pass, list, b->rig.now);
    rig_pull(&b->rig);
}

void bench_gathered(struct bench *b)
{
    bench_gathered_as(b, bench_last_number(b), bench_ufrag, bench_password,
                      bench_candidates(1, RELOAD_LINK_DTLS_UDP_SR));
}

void bench_gathered_nothing(struct bench *b)
{
    bench_gathered_as(b, bench_last_number(b), bench_ufrag, bench_password, bench_candidates(0, 0));
}

void bench_open_failed(struct bench *b)
{
    uint32_t number = bench_last_number(b);
    if (bench_is_held(b, number))
        b->ended |= 1u << number;
    reload_node_open_failed(b->rig.node, number, b->rig.now);
    rig_pull(&b->rig);
}

void bench_link_up(struct bench *b, size_t party, uint32_t number)
{
    const struct reload_node_link info = {
        .type = number ? RELOAD_LINK_DTLS_UDP_SR : RELOAD_LINK_TLS_TCP_FH_NO_ICE,
        .node_ids = &b->rig.parties[party].id,
        .node_id_count = 1,
        .attach = number,
        .inbound = true,
    };
    if (number && bench_is_held(b, number))
        b->ended |= 1u << number;
    reload_node_link_up(b->rig.node, NEW_LINK, &info, b->rig.now);
    rig_pull(&b->rig);
}

void bench_right_link(struct bench *b)
{
    bench_link_up(b, b->far, bench_last_number(b));
}

void bench_wrong_link(struct bench *b)
{
    bench_link_up(b, b->far == 7 ? 6 : 7, bench_last_number(b));
}

void bench_other_link(struct bench *b)
{
    bench_link_up(b, b->far, 0);
}

uint64_t bench_attach_from(struct bench *b, struct reload_slice body, uint64_t transaction_id)
{
    struct rig_message m = { .signer = &b->rig.parties[b->far],
                             .code = RELOAD_ATTACH_REQ,
                             .body = body,
                             .transaction_id = transaction_id,
                             .via_list = rig_nodes(&b->rig.parties[b->far].id, NULL) };
    return rig_receive(&b->rig, HOP + 1, &m);
}

void bench_its_attach(struct bench *b)
{
    bench_attach_from(b, bench_good_body("passive"), 0);
}

void bench_its_bad_attach(struct bench *b)
{
    bench_attach_from(b,
                      bench_body_of("passive", bench_ufrag, bench_password,
                                    bench_candidates(1, RELOAD_LINK_TLS_TCP_FH_NO_ICE), false),
                      0);
}

/* The transaction of the own AttachReq that was sent last; something else when there was none. */
static uint64_t bench_own_transaction(const struct bench *b)
{
    uint64_t id = 12345;
    for (size_t i = 0; i < rig_count(&b->rig, RELOAD_ACTION_SEND); i++) {
        struct reload_message m = rig_sent(&b->rig, i, NULL);
        if (m.message_code == RELOAD_ATTACH_REQ)
            id = m.header.transaction_id;
    }
    return id;
}

void bench_respond(struct bench *b, uint16_t code, struct reload_slice body)
{
    struct rig_message m = { .signer = &b->rig.parties[b->far],
                             .code = code,
                             .body = body,
                             .transaction_id = bench_own_transaction(b) };
    rig_receive(&b->rig, HOP + 1, &m);
}

void bench_answer(struct bench *b)
{
    bench_respond(b, RELOAD_ATTACH_ANS, bench_good_body("active"));
}

static void bench_respond_error(struct bench *b, uint16_t error_code)
{
    uint8_t bytes[8];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    const struct reload_error_response error = { error_code, { NULL, 0 } };
    assert_int_equal(reload_error_response_encode(&w, &error), 0);
    bench_respond(b, RELOAD_ERROR, reload_writer_slice(&w));
}

void bench_in_progress(struct bench *b)
{
    bench_respond_error(b, RELOAD_ERROR_IN_PROGRESS);
}

void bench_refused(struct bench *b)
{
    bench_respond_error(b, RELOAD_ERROR_NOT_FOUND);
}

void bench_time_passes(struct bench *b)
{
    rig_run(&b->rig, 200000);
}

void bench_drive(struct bench *b, enum state state)
{
    switch (state) {
    case NOTHING: return;
    case GATHERING: bench_attach(b); return;
    case REQUESTED:
        bench_attach(b);
        bench_gathered(b);
        return;
    case DEFERRED:
        bench_drive(b, REQUESTED);
        bench_in_progress(b);
        return;
    case ANSWERING: bench_its_attach(b); return;
    case EXPECTING:
        bench_drive(b, REQUESTED);
        bench_answer(b);
        return;
    case DIALLING:
        bench_its_attach(b);
        bench_gathered(b);
        return;
    case STATES: return;
    }
}
