#ifndef RELOAD_TESTS_NODE_ASKING_H
#define RELOAD_TESTS_NODE_ASKING_H

#include "tests/reload/node/rig.h"

/* A rig whose node asks: its own requests go to party 0, unless they are for party 1. */

/* A test whose state is such a rig. */
#define ASKING(test) cmocka_unit_test_setup_teardown(test, asking_set_up, rig_tear_down)
int asking_set_up(void **state);

/* A Ping of the application to a node, and to a resource. Returns its request number. */
uint64_t asking_ping(struct rig *rig, const struct reload_node_id *to);
uint64_t asking_ping_resource(struct rig *rig);
/* A good PingAns of that party to that transaction, and an error response. */
struct rig_message asking_answer_by(const struct rig *rig, size_t party, uint64_t id);
struct rig_message asking_error_by(const struct rig *rig, size_t party, uint64_t id, uint16_t code);
/* How the first request that has ended did; fails the test when none has. */
const struct reload_result *asking_result(const struct rig *rig);

#endif
