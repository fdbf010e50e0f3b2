/* Updates and a Leave, recorded whole as they went over their links, and brought again by a third
 * node: at once, an hour later, after a restart of the one who takes them. */
#include "tests/reload/node/world.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "reload/wire/message.h"
#include "topology/chord/chord.h"

#define PEERS   5
#define TAKER   2 /* not the first, which is the others' bootstrap */
#define REPLAYS 1 /* the node that does */
#define LEAVER  3
#define HOUR    3600000
#define ENTRIES 64

struct record {
    uint8_t bytes[5000];
    size_t len;
};
static struct record leave, update; /* of the leaver to the taker, the last ones */

static bool record(struct world *world, size_t from, size_t to, struct reload_slice bytes)
{
    struct reload_message message;
    (void)world;
    if (from != LEAVER || to != TAKER || reload_message_decode(bytes, 16, &message) != 0)
        return false;
    struct record *kept = message.message_code == RELOAD_LEAVE_REQ    ? &leave
                          : message.message_code == RELOAD_UPDATE_REQ ? &update
                                                                      : NULL;
    if (!kept)
        return false;
    assert_true(bytes.n <= sizeof kept->bytes);
    memcpy(kept->bytes, bytes.p, bytes.n);
    kept->len = bytes.n;
    return false;
}

struct picture {
    struct reload_topology_entry entries[ENTRIES];
    size_t count, dials;
};

static struct picture picture(const struct world *world)
{
    struct picture now = { .dials = world->nodes[TAKER].dials };
    now.count = reload_node_tables(world->nodes[TAKER].node, now.entries, ENTRIES);
    assert_in_range(now.count, 1, ENTRIES);
    return now;
}

static bool holds(const struct picture *picture, const struct reload_node_id *id)
{
    for (size_t i = 0; i < picture->count; i++)
        if (reload_node_id_equal(&picture->entries[i].node_id, id))
            return true;
    return false;
}

static reload_link_id link_of_replayer(const struct world *world)
{
    struct reload_connection links[ENTRIES];
    const struct reload_node_id id = world_id(world, REPLAYS);
    size_t count = reload_node_connections(world->nodes[TAKER].node, links, ENTRIES);
    for (size_t i = 0; i < count; i++)
        if (reload_node_id_equal(&links[i].node_id, &id))
            return links[i].link;
    fail();
    return 0;
}

static void replay_changes_no_table(struct world *world, const struct record *record)
{
    struct picture before = picture(world);
    assert_true(record->len > 0);
    reload_node_receive(world->nodes[TAKER].node, link_of_replayer(world), record->bytes,
                        record->len, world->now);
    world_pull(world, TAKER);
    world_run(world, 2000);
    struct picture after = picture(world);
    assert_int_equal(after.count, before.count);
    assert_int_equal(after.dials, before.dials);
    for (size_t i = 0; i < after.count; i++) {
        assert_true(reload_node_id_equal(&after.entries[i].node_id, &before.entries[i].node_id));
        assert_int_equal(after.entries[i].relation, before.entries[i].relation);
    }
}

static void start_again(struct world *world, size_t node)
{
    world_kill(world, node);
    world_run(world, 120000);
    world_start(world, node);
    world_join(world, node, false);
    world_run(world, 120000);
    assert_int_equal(reload_node_state(world->nodes[node].node), RELOAD_TOPOLOGY_JOINED);
}

static struct world *grow(void)
{
    struct world *world = test_malloc(sizeof *world);
    leave.len = update.len = 0;
    world_init(world, &reload_chord_ops);
    world->lose = record;
    world_grow(world, PEERS);
    world_run(world, 1200000); /* periodic Updates among them */
    return world;
}

/* R6940-6.2.1-9 R6940-10.7.3-1 */
static void an_update_again_changes_no_table(void **state)
{
    struct world *world = grow();
    (void)state;
    replay_changes_no_table(world, &update);
    world_run(world, HOUR);
    const struct record old = update;
    replay_changes_no_table(world, &old);
    start_again(world, TAKER);
    replay_changes_no_table(world, &old);
    world_fini(world);
    test_free(world);
}

/* R6940-6.4.2.2-4: the leaver has left, and then come back. */
static void a_leave_again_changes_no_table(void **state)
{
    struct world *world = grow();
    const struct reload_node_id leaver = world_id(world, LEAVER);
    (void)state;
    reload_node_leave(world->nodes[LEAVER].node, world->now);
    world_pull(world, LEAVER);
    world_run(world, 20000);
    const struct record old = update;
    replay_changes_no_table(world, &leave);
    start_again(world, LEAVER);
    world_run(world, HOUR);
    struct picture now = picture(world);
    assert_true(holds(&now, &leaver));
    replay_changes_no_table(world, &leave);
    start_again(world, TAKER);
    now = picture(world);
    assert_true(holds(&now, &leaver));
    replay_changes_no_table(world, &leave);
    replay_changes_no_table(world, &old);
    world_fini(world);
    test_free(world);
}

/* R6940-4.4-2: of a node that is gone. */
static void an_update_of_one_that_left_changes_no_table(void **state)
{
    struct world *world = grow();
    const struct reload_node_id leaver = world_id(world, LEAVER);
    (void)state;
    reload_node_leave(world->nodes[LEAVER].node, world->now);
    world_pull(world, LEAVER);
    world_run(world, 20000);
    world_kill(world, LEAVER);
    world_run(world, 120000);
    struct picture now = picture(world);
    assert_false(holds(&now, &leaver));
    replay_changes_no_table(world, &update);
    world_run(world, HOUR);
    replay_changes_no_table(world, &update);
    world_fini(world);
    test_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_again_changes_no_table),
        cmocka_unit_test(a_leave_again_changes_no_table),
        cmocka_unit_test(an_update_of_one_that_left_changes_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
