#include "tests/reload/node/receipt_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

int receipt_set_up(void **state)
{
    rig_set_up(state);
    rig_link(*state, 2);
    rig_clear(*state);
    return 0;
}

struct rig_message receipt_ping(const struct rig *rig, size_t party)
{
    return (struct rig_message){
        .signer = &rig->parties[party],
        .code = RELOAD_PING_REQ,
        .body = rig_ping,
    };
}

void receipt_expect_error(struct rig *rig, reload_link_id link, uint64_t id, uint16_t code)
{
    reload_link_id over;
    struct reload_message m = rig_sent(rig, 0, &over);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(over, link);
    assert_int_equal(m.header.transaction_id, id);
    assert_int_equal(rig_error_code(&m), code);
    rig_clear(rig);
}

void receipt_expect_silence(struct rig *rig, enum reload_drop_reason reason, uint64_t count)
{
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_dropped(rig, reason), count);
    rig_clear(rig);
}
