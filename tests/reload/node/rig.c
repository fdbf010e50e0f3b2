#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>

static void make_party(struct rig *rig, struct party *p, uint64_t number, size_t others)
{
    char user[32];
    snprintf(user, sizeof user, "user%u@overlay.example", (unsigned)number);
    p->id = reload_standin_node_id(number);
    struct reload_standin_certificate c =
        reload_standin_certificate(&rig->config.config, &p->id, user);
    for (size_t i = 0; i < others; i++)
        c.node_ids[c.node_id_count++] = reload_standin_node_id(1000 * number + i);
    p->standin = reload_standin_new(&rig->config.config, &c, 0);
    assert_non_null(p->standin);
    p->crypto = reload_standin_crypto(p->standin);
}

void rig_init(struct rig *rig)
{
    static const uint8_t home[4] = { 192, 0, 2, 1 };
    static struct reload_ip_address_port address;
    address =
        (struct reload_ip_address_port){ RELOAD_ADDRESS_IPV4, 6084, reload_slice_of(home, 4) };
    memset(rig, 0, sizeof *rig);
    reload_standin_config_init(&rig->config);
    rig->now = (struct reload_time){ 1000000, UINT64_C(1700000000000) };
    rig->next_id = 1;
    rig->actions = calloc(RIG_ACTIONS, sizeof *rig->actions);
    make_party(rig, &rig->me, 100, 0);
    for (size_t i = 0; i < RIG_PARTIES; i++)
        make_party(rig, &rig->parties[i], i + 1, 0);
    rig->node_config = (struct reload_node_config){
        .crypto = rig->me.crypto,
        .overlay = &rig->config.config,
        .topology = &fake_topology,
        .random = reload_standin_random(&rig->random, 7),
        .addresses = &address,
        .address_count = 1,
        .log_level = RELOAD_LOG_WARNING,
    };
    memset(rig->fake.owned_resource, 0x42, 16);
}

void rig_start(struct rig *rig)
{
    fake_prepare(&rig->fake);
    assert_int_equal(reload_node_new(&rig->node_config, rig->now, &rig->node), 0);
    rig_pull(rig);
}

void rig_clear(struct rig *rig)
{
    for (size_t i = 0; i < rig->action_count; i++)
        free(rig->actions[i].bytes);
    rig->action_count = 0;
}

void rig_fini(struct rig *rig)
{
    rig_clear(rig);
    free(rig->actions);
    reload_node_free(rig->node);
    reload_standin_free(rig->me.standin);
    for (size_t i = 0; i < RIG_PARTIES; i++)
        reload_standin_free(rig->parties[i].standin);
}

static void link_up(struct rig *rig, size_t party, const struct reload_node_id *ids, size_t count)
{
    const struct reload_node_link info = {
        .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
        .node_ids = ids,
        .node_id_count = count,
        .inbound = true,
    };
    reload_node_link_up(rig->node, (reload_link_id)(party + 1), &info, rig->now);
    rig_pull(rig);
}

void rig_link(struct rig *rig, size_t party)
{
    link_up(rig, party, &rig->parties[party].id, 1);
}

void rig_link_multiple(struct rig *rig, size_t party, size_t others)
{
    struct reload_node_id ids[8];
    struct party *p = &rig->parties[party];
    reload_standin_free(p->standin);
    make_party(rig, p, party + 1, others);
    ids[0] = p->id;
    for (size_t i = 0; i < others; i++)
        ids[i + 1] = reload_standin_node_id(1000 * (party + 1) + i);
    link_up(rig, party, ids, others + 1);
}

void rig_act_as_one_of_several(struct rig *rig, size_t others)
{
    reload_standin_free(rig->me.standin);
    make_party(rig, &rig->me, 100, others);
    rig->node_config.crypto = rig->me.crypto;
}

void rig_wait(struct rig *rig, uint64_t ms)
{
    rig->now.monotonic_ms += ms;
    rig->now.unix_ms += ms;
}

void rig_run(struct rig *rig, uint64_t ms)
{
    uint64_t end = rig->now.monotonic_ms + ms;
    for (;;) {
        uint64_t at = reload_node_deadline(rig->node);
        if (at > end)
            break;
        if (at > rig->now.monotonic_ms)
            rig_wait(rig, at - rig->now.monotonic_ms);
        reload_node_tick(rig->node, rig->now);
        rig_pull(rig);
    }
    rig_wait(rig, end - rig->now.monotonic_ms);
}

int rig_set_up_alone(void **state)
{
    struct rig *rig = malloc(sizeof *rig);
    assert_non_null(rig);
    rig_init(rig);
    rig_start(rig);
    *state = rig;
    return 0;
}

int rig_set_up(void **state)
{
    rig_set_up_alone(state);
    rig_link(*state, 0);
    rig_link(*state, 1);
    rig_clear(*state);
    return 0;
}

int rig_tear_down(void **state)
{
    rig_fini(*state);
    free(*state);
    return 0;
}
