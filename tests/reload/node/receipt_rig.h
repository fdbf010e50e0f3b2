#ifndef RELOAD_TESTS_NODE_RECEIPT_RIG_H
#define RELOAD_TESTS_NODE_RECEIPT_RIG_H

#include "tests/reload/node/rig.h"

/* A rig with links to parties 0 to 2, and what becomes of one message that arrives. */

/* A test whose state is such a rig. */
#define RECEIPT(test) cmocka_unit_test_setup_teardown(test, receipt_set_up, rig_tear_down)
int receipt_set_up(void **state);

/* A good Ping of that party to the node under test. */
struct rig_message receipt_ping(const struct rig *rig, size_t party);
/* The one message sent must be an error response of that code to that request, over that link. */
void receipt_expect_error(struct rig *rig, reload_link_id link, uint64_t id, uint16_t code);
/* Nothing was sent, and that many messages so far were dropped for that reason. */
void receipt_expect_silence(struct rig *rig, enum reload_drop_reason reason, uint64_t count);

#endif
