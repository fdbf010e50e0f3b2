/* A ring of whole nodes of which a part is hostile: they drop every other message that they should
 * pass on, answer Fetches with values that nobody stored or with those of another resource, and
 * tell of peers that do not exist, all properly signed by themselves. */
#include "tests/reload/node/world.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>

#include "reload/security/signature.h"
#include "reload/wire/fetch.h"
#include "reload/wire/message.h"
#include "topology/chord/chord.h"

#define NODES      WORLD_NODES
#define TEXT_LEN   8
#define FORGERY    "forgery!"
#define PATIENCE_S 60

static struct {
    struct world world;
    bool hostile[NODES];
    unsigned passed, dropped, forged, misled;
    unsigned found, nothing;
} * all;

static void text_of(size_t node, char text[TEXT_LEN + 1])
{
    snprintf(text, TEXT_LEN + 1, "value %02u", (unsigned)node % 100);
}

/* --- what the hostile ones do --- */

/* Signs the changed contents as the sender; standin signatures are all of one length. */
static void sign_again(size_t from, const struct reload_message *m, struct reload_slice message)
{
    static uint8_t buffer[8192];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_crypto *crypto = all->world.nodes[from].config.crypto;
    size_t kept = (size_t)(m->contents.p - message.p) + m->contents.n;
    assert_int_equal(reload_message_sign(crypto, m->header.overlay, m->header.transaction_id,
                                         m->contents, m->security.certificates, &w),
                     0);
    assert_int_equal(kept + w.len, message.n);
    memcpy((uint8_t *)(uintptr_t)message.p + kept, buffer, w.len);
}

/* Another text under the same signature of its owner. */
static bool forge_value(const struct reload_message *m)
{
    for (size_t node = 0; node < NODES; node++) {
        char text[TEXT_LEN + 1];
        text_of(node, text);
        uint8_t *at = memmem(m->body.p, m->body.n, text, TEXT_LEN);
        if (at) {
            memcpy(at, FORGERY, TEXT_LEN);
            return true;
        }
    }
    return false;
}

/* The last peer that an Update names becomes one that does not exist. */
static bool invent_peer(const struct reload_message *m)
{
    if (m->body.n < 5 + 2 + 16)
        return false;
    uint8_t *last = (uint8_t *)(uintptr_t)m->body.p + m->body.n - 16;
    for (size_t i = 4; i < 16; i++)
        last[i] ^= 0x5a;
    return true;
}

static bool on_the_way(struct world *world, size_t from, size_t to, struct reload_slice message)
{
    struct reload_message m;
    (void)to;
    if (!all->hostile[from] || reload_message_decode(message, 16, &m) != 0)
        return false;
    const struct reload_crypto *crypto = world->nodes[from].config.crypto;
    if (!reload_slice_equal(m.security.signature.identity.raw, crypto->own->signer_identity)) {
        all->passed++;
        all->dropped += all->passed % 2;
        return all->passed % 2;
    }
    bool changed = false;
    if (m.message_code == RELOAD_FETCH_ANS)
        all->forged += changed = forge_value(&m);
    if (m.message_code == RELOAD_UPDATE_REQ)
        all->misled += changed = invent_peer(&m);
    if (changed)
        sign_again(from, &m, message);
    return false;
}

/* --- what the honest ones want --- */

static struct reload_slice own_place(size_t node, uint8_t *id)
{
    const struct reload_crypto *crypto = all->world.nodes[node].config.crypto;
    size_t len;
    assert_int_equal(reload_standin_resource_id(crypto, crypto->own->user_name, id, &len), 0);
    return reload_slice_of(id, len);
}

static void store_own(size_t node)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX];
    char text[TEXT_LEN + 1];
    uint64_t request;
    text_of(node, text);
    const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                            .exists = true,
                                            .value = reload_slice_of(text, TEXT_LEN),
                                            .lifetime_s = 86400 };
    assert_int_equal(reload_node_store(all->world.nodes[node].node, own_place(node, id), &item, 1,
                                       all->world.now, &request),
                     0);
    world_pull(&all->world, node);
    world_run(&all->world, 2000);
    const struct reload_result *result = world_result_of(&all->world, node, request);
    assert_non_null(result);
    assert_int_equal(result->error, 0);
}

/* Finds it, or nothing; never anything else. */
static void fetch_from(size_t node, size_t whose)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX], body[64];
    char text[TEXT_LEN + 1];
    uint64_t request;
    struct world_node *n = &all->world.nodes[node];
    struct reload_slice place = own_place(whose, id);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, place);
    reload_specifier_end(
        &w, reload_specifier_begin(&w, RELOAD_STANDIN_SINGLE_USER, 0, RELOAD_MODEL_SINGLE),
        RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    text_of(whose, text);
    bool found = false;
    n->result_count = 0;
    if (!reload_node_fetch(n->node, place, reload_writer_slice(&w), all->world.now, &request)) {
        world_pull(&all->world, node);
        for (int i = 0; i < PATIENCE_S && !world_result_of(&all->world, node, request); i++)
            world_run(&all->world, 1000);
    }
    for (size_t r = 0; r < n->result_count; r++) {
        if (n->results[r].error || !n->results[r].value_count || !n->values[r].exists)
            continue;
        found = true;
        assert_int_equal(n->values[r].value.n, TEXT_LEN);
        assert_memory_equal(n->value_bytes[r], text, TEXT_LEN);
    }
    all->found += found;
    all->nothing += !found;
}

static bool is_a_node(const struct reload_node_id *id)
{
    for (size_t i = 0; i < NODES; i++) {
        struct reload_node_id one = world_id(&all->world, i);
        if (reload_node_id_equal(&one, id))
            return true;
    }
    return false;
}

/* Whom they are linked to, and that they are still at work. */
static void expect_sound(size_t node)
{
    struct reload_connection connections[2 * NODES];
    const struct reload_node *n = all->world.nodes[node].node;
    size_t count = reload_node_connections(n, connections, 2 * NODES);
    assert_int_equal(reload_node_state(n), RELOAD_TOPOLOGY_JOINED);
    for (size_t i = 0; i < count && i < 2 * NODES; i++)
        assert_true(connections[i].node_id.len == 0 || is_a_node(&connections[i].node_id));
}

static bool holds_a_value(size_t node)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX];
    for (size_t i = 0; i < NODES; i++)
        if (world_owner(&all->world, own_place(i, id)) == node)
            return true;
    return false;
}

/* Each so-manieth node, of which one at least has a value to forge. */
static void choose_hostile(size_t share)
{
    bool can_forge = false;
    for (size_t first = 0; first < share && !can_forge; first++)
        for (size_t i = 0; i < NODES; i++) {
            all->hostile[i] = i % share == first;
            can_forge |= all->hostile[i] && holds_a_value(i);
        }
    assert_true(can_forge);
}

static void ring_with_one_hostile_in(size_t share)
{
    all = calloc(1, sizeof *all);
    assert_non_null(all);
    world_init(&all->world, &reload_chord_ops);
    world_grow(&all->world, NODES);
    world_run(&all->world, 120000);
    for (size_t i = 0; i < NODES; i++)
        store_own(i);
    choose_hostile(share);
    all->world.lose = on_the_way;
    world_run(&all->world, 1200000); /* Updates of two stabilization rounds */
    for (size_t i = 0; i < NODES; i++)
        for (size_t k = 1; k < NODES && !all->hostile[i]; k++)
            fetch_from(i, (i + k) % NODES);
    for (size_t i = 0; i < NODES; i++)
        if (!all->hostile[i])
            expect_sound(i);
    printf("1 in %zu hostile: %u values found, %u not; %u forged, %u dropped, %u peers invented\n",
           share, all->found, all->nothing, all->forged, all->dropped, all->misled);
    assert_true(all->forged > 0 && all->dropped > 0 && all->misled > 0);
    assert_true(all->found > 0);
    world_fini(&all->world);
    free(all);
}

static void two_hostile_peers_of_twenty_four_pass_nothing_off_as_stored(void **state)
{
    (void)state;
    ring_with_one_hostile_in(12);
}

static void a_quarter_that_is_hostile_passes_nothing_off_as_stored(void **state)
{
    (void)state;
    ring_with_one_hostile_in(4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hostile_peers_of_twenty_four_pass_nothing_off_as_stored),
        cmocka_unit_test(a_quarter_that_is_hostile_passes_nothing_off_as_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
