#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "reload/wire/fetch.h"
#include "tests/reload/node/world.h"
#include "topology/chord/chord.h"

/* Two whole cores of one overlay, with a third node's links to lose: the input is a list of steps.
 * Messages are lost, come twice or are altered; bytes of no meaning arrive; links end and come
 * anew, miss acks, idle, or turn out to be narrow; time jumps. At the end the world is left alone,
 * and then
 *
 *   - each value that a Fetch gave as verified was stored by its owner, byte for byte;
 *   - the stores are within their limits and no node's clock stands still;
 *   - both are joined again, and a Store and a Fetch work. */

#define NODES     2
#define STEPS_MAX 60
#define HELD      8
#define LINKS     8
#define NARROWEST 450 /* bytes of a message: a path of 576 */
#define REST_MS   400000

enum step {
    RUN,
    LOSE,
    ALTER,
    REPEAT,
    ALIEN,
    CUT,
    CONNECT,
    STORE,
    FETCH,
    JUMP,
    DOUBT,
    IDLE,
    NARROW,
    STEP_COUNT
};

struct message {
    uint8_t *bytes;
    size_t len, to;
};

struct run {
    struct world world;
    struct reload_reader in;
    unsigned lose; /* the next messages */
    bool alter;
    struct message held[HELD]; /* that went by */
    size_t held_count, stored;
};

static struct run *current;

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* --- what happens to messages --- */

static void hold(struct run *run, size_t to, struct reload_slice message)
{
    size_t i = run->held_count++ % HELD;
    free(run->held[i].bytes);
    run->held[i].bytes = malloc(message.n);
    must(run->held[i].bytes != NULL);
    memcpy(run->held[i].bytes, message.p, message.n);
    run->held[i].len = message.n;
    run->held[i].to = to;
}

static bool on_the_way(struct world *world, size_t from, size_t to, struct reload_slice message)
{
    struct run *run = current;
    (void)world;
    (void)from;
    if (message.n == 0)
        return false;
    hold(run, to, message);
    if (run->lose > 0) {
        run->lose--;
        return true;
    }
    return false;
}

static reload_link_id any_link(const struct run *run, size_t node, unsigned pick)
{
    struct reload_connection connections[LINKS];
    size_t count = reload_node_connections(run->world.nodes[node].node, connections, LINKS);
    count = count < LINKS ? count : LINKS;
    return count ? connections[pick % count].link : pick;
}

static void receive(struct run *run, size_t node, const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1); /* exactly so long, for the sanitizer */
    must(copy != NULL);
    if (n)
        memcpy(copy, p, n);
    reload_node_receive(run->world.nodes[node].node, any_link(run, node, reload_rd_u8(&run->in)),
                        copy, n, run->world.now);
    world_pull(&run->world, node);
    free(copy);
}

static void repeat(struct run *run, bool alter)
{
    size_t i = reload_rd_u8(&run->in) % HELD;
    if (!run->held[i].bytes)
        return;
    size_t n = run->held[i].len;
    uint8_t *copy = malloc(n);
    must(copy != NULL);
    memcpy(copy, run->held[i].bytes, n);
    if (alter)
        copy[reload_rd_u16(&run->in) % n] ^= reload_rd_u8(&run->in);
    receive(run, run->held[i].to, copy, n);
    free(copy);
}

/* --- what the nodes want --- */

static struct reload_slice own_place(const struct run *run, size_t node, uint8_t *id)
{
    const struct reload_crypto *crypto = run->world.nodes[node].config.crypto;
    size_t len;
    must(reload_standin_resource_id(crypto, crypto->own->user_name, id, &len) == 0);
    return reload_slice_of(id, len);
}

static uint8_t text_of(size_t node)
{
    return (uint8_t)('a' + node);
}

static void store(struct run *run, size_t node)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX], text = text_of(node);
    uint64_t request;
    const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                            .exists = true,
                                            .value = reload_slice_of(&text, 1),
                                            .lifetime_s = 86400 };
    struct world_node *n = &run->world.nodes[node];
    (void)reload_node_store(n->node, own_place(run, node, id), &item, 1, run->world.now, &request);
    world_pull(&run->world, node);
}

static void fetch(struct run *run, size_t node, size_t whose)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX], body[64];
    uint64_t request;
    struct world_node *n = &run->world.nodes[node];
    struct reload_slice place = own_place(run, whose, id);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, place);
    reload_specifier_end(
        &w, reload_specifier_begin(&w, RELOAD_STANDIN_SINGLE_USER, 0, RELOAD_MODEL_SINGLE),
        RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    (void)reload_node_fetch(n->node, place, reload_writer_slice(&w), run->world.now, &request);
    world_pull(&run->world, node);
}

/* --- steps --- */

static void jump(struct run *run)
{
    run->world.now.monotonic_ms += (uint64_t)reload_rd_u16(&run->in) * 100;
    for (size_t i = 0; i < NODES; i++) {
        reload_node_tick(run->world.nodes[i].node, run->world.now);
        world_pull(&run->world, i);
    }
}

static void alien(struct run *run, size_t node)
{
    struct reload_slice bytes = reload_rd_opaque8(&run->in);
    receive(run, node, bytes.p, bytes.n);
}

static void tell_doubt(struct run *run, size_t node, reload_link_id link, bool suspect)
{
    reload_node_link_suspect(run->world.nodes[node].node, link, suspect, run->world.now);
    world_pull(&run->world, node);
}

static void doubt(struct run *run, size_t node)
{
    reload_link_id link = any_link(run, node, reload_rd_u8(&run->in));
    tell_doubt(run, node, link, reload_rd_u8(&run->in) & 1);
}

static void idle(struct run *run, size_t node)
{
    reload_node_link_idle(run->world.nodes[node].node, any_link(run, node, reload_rd_u8(&run->in)),
                          run->world.now);
    world_pull(&run->world, node);
}

/* One of the messages that the node sent comes back as too long. */
static void narrow(struct run *run, size_t node)
{
    reload_link_id link = any_link(run, node, reload_rd_u8(&run->in));
    size_t i = reload_rd_u8(&run->in) % HELD;
    struct reload_node *n = run->world.nodes[node].node;
    reload_node_link_mtu(n, link, NARROWEST + reload_rd_u16(&run->in), run->world.now);
    world_pull(&run->world, node);
    if (!run->held[i].bytes || run->held[i].to == node)
        return;
    struct message message = run->held[i];
    run->held[i].bytes = NULL; /* lent until the actions are pulled */
    reload_node_too_long(n, link, message.bytes, message.len, run->world.now);
    world_pull(&run->world, node);
    free(message.bytes);
}

static void step(struct run *run)
{
    uint8_t what = reload_rd_u8(&run->in);
    size_t node = what >> 7, other = 1 - node;
    switch ((enum step)((what & 0x7f) % STEP_COUNT)) {
    case RUN: world_run(&run->world, (uint64_t)reload_rd_u8(&run->in) * 20); break;
    case LOSE: run->lose = reload_rd_u8(&run->in) % 32; break;
    case ALTER: repeat(run, true); break;
    case REPEAT: repeat(run, false); break;
    case ALIEN: alien(run, node); break;
    case CUT: world_disconnect(&run->world, 0, 1); break;
    case CONNECT: world_connect(&run->world, node, other, reload_rd_u8(&run->in) & 1); break;
    case STORE: store(run, node); break;
    case FETCH: fetch(run, node, reload_rd_u8(&run->in) & 1); break;
    case JUMP: jump(run); break;
    case DOUBT: doubt(run, node); break;
    case IDLE: idle(run, node); break;
    case NARROW: narrow(run, node); break;
    case STEP_COUNT: break;
    }
}

/* --- what must hold --- */

static void check_results(const struct run *run)
{
    for (size_t i = 0; i < NODES; i++) {
        const struct world_node *n = &run->world.nodes[i];
        for (size_t r = 0; r < n->result_count; r++)
            if (n->results[r].value_count && n->values[r].exists)
                must(n->values[r].value.n == 1 &&
                     (n->value_bytes[r][0] == text_of(0) || n->value_bytes[r][0] == text_of(1)));
    }
}

static void check_nodes(const struct run *run)
{
    for (size_t i = 0; i < NODES; i++) {
        const struct reload_node *node = run->world.nodes[i].node;
        must(reload_store_value_count(reload_node_store_view(node)) <= 16);
        must(reload_node_deadline(node) > run->world.now.monotonic_ms);
        must(reload_node_state(node) == RELOAD_TOPOLOGY_JOINED);
    }
}

static void check_service(struct run *run)
{
    for (size_t i = 0; i < NODES; i++) {
        store(run, i);
        world_run(&run->world, 60000);
        must(world_result(&run->world, i)->error == 0);
        fetch(run, 1 - i, i);
        world_run(&run->world, 60000);
        const struct reload_result *result = world_result(&run->world, 1 - i);
        must(result->error == 0 && result->value_count == 1);
    }
    check_results(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run *run = current = calloc(1, sizeof *run);
    must(run != NULL);
    world_init(&run->world, &reload_chord_ops);
    world_grow(&run->world, NODES);
    run->world.lose = on_the_way;
    run->in = reload_reader_of(data, size);
    for (int i = 0; i < STEPS_MAX && reload_reader_more(&run->in); i++) {
        step(run);
        check_results(run);
    }
    run->lose = 0;
    for (size_t i = 0; i < NODES; i++)
        for (unsigned pick = 0; pick < LINKS; pick++) /* those that are left get their acks */
            tell_doubt(run, i, any_link(run, i, pick), false);
    world_run(&run->world, REST_MS);
    check_nodes(run);
    check_service(run);
    world_fini(&run->world);
    for (size_t i = 0; i < HELD; i++)
        free(run->held[i].bytes);
    free(run);
    return 0;
}
