#include "tests/reload/node/asking.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

int asking_set_up(void **state)
{
    rig_set_up(state);
    struct rig *rig = *state;
    rig->fake.hop = rig->parties[0].id;
    return 0;
}

static uint64_t ask(struct rig *rig, const struct reload_target *target)
{
    uint64_t request;
    assert_int_equal(
        reload_node_request(rig->node, target, RELOAD_PING_REQ, rig_ping, rig->now, &request), 0);
    rig_pull(rig);
    return request;
}

uint64_t asking_ping(struct rig *rig, const struct reload_node_id *to)
{
    const struct reload_target target = { .id = reload_node_id_slice(to) };
    return ask(rig, &target);
}

uint64_t asking_ping_resource(struct rig *rig)
{
    const struct reload_target target = { .resource = true,
                                          .id = reload_slice_of("0123456789abcdef", 16) };
    return ask(rig, &target);
}

struct rig_message asking_answer_by(const struct rig *rig, size_t party, uint64_t id)
{
    static const uint8_t body[16];
    return (struct rig_message){
        .signer = &rig->parties[party],
        .code = RELOAD_PING_ANS,
        .body = { body, sizeof body },
        .transaction_id = id,
    };
}

struct rig_message asking_error_by(const struct rig *rig, size_t party, uint64_t id, uint16_t code)
{
    static uint8_t body[4];
    body[0] = (uint8_t)(code >> 8);
    body[1] = (uint8_t)code;
    struct rig_message m = asking_answer_by(rig, party, id);
    m.code = RELOAD_ERROR;
    m.body = reload_slice_of(body, sizeof body);
    return m;
}

const struct reload_result *asking_result(const struct rig *rig)
{
    const struct rig_action *done = rig_action(rig, RELOAD_ACTION_REQUEST_DONE, 0);
    assert_non_null(done);
    return &done->action.result;
}
