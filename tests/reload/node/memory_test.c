/* Every allocation refused in turn: nothing crashes, nothing leaks, and the node goes on. */
#include "tests/reload/node/rig.h"

#include "reload/alloc.h"
#include "reload/wire/attach.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

#define MESSAGES 8

struct script {
    uint8_t *bytes[MESSAGES];
    size_t len[MESSAGES];
    size_t count;
};

static void add(struct rig *rig, struct script *script, const struct rig_message *m)
{
    struct reload_slice s = rig_encode(rig, m, NULL);
    script->bytes[script->count] = malloc(s.n);
    memcpy(script->bytes[script->count], s.p, s.n);
    script->len[script->count++] = s.n;
}

/* A forwarded request, a Ping, an Update, a Store, an Attach, a fragment. */
static void write_script(struct rig *rig, struct script *script)
{
    static uint8_t body[512], attach[64];
    uint8_t id[RELOAD_RESOURCE_ID_MAX];
    size_t len;
    const struct party *p = &rig->parties[0];
    const struct reload_store_item item = { .kind = RELOAD_STANDIN_SINGLE_USER,
                                            .exists = true,
                                            .value = reload_slice_of("hello", 5),
                                            .lifetime_s = 600,
                                            .storage_time = 5 };
    assert_int_equal(reload_standin_resource_id(p->crypto, p->crypto->own->user_name, id, &len), 0);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    assert_int_equal(reload_store_request_encode(p->crypto, &rig->config.config,
                                                 reload_slice_of(id, len), &item, 1, &w),
                     0);
    struct reload_writer a = reload_writer_of(attach, sizeof attach);
    const struct reload_attach passive = { .role = reload_slice_of("passive", 7) };
    assert_int_equal(reload_attach_encode(&a, &passive), 0);
    struct rig_message m = { .signer = p, .code = RELOAD_PING_REQ, .body = rig_ping };
    add(rig, script, &m);
    m.destination_list = rig_nodes(&rig->parties[1].id, NULL);
    add(rig, script, &m);
    m.destination_list = (struct reload_slice){ 0 };
    m.code = RELOAD_UPDATE_REQ;
    add(rig, script, &m);
    m.code = RELOAD_STORE_REQ;
    m.body = reload_writer_slice(&w);
    add(rig, script, &m);
    m.code = RELOAD_ATTACH_REQ;
    m.body = reload_writer_slice(&a);
    m.via_list = rig_nodes(&p->id, NULL);
    add(rig, script, &m);
    m.fragment = RELOAD_FRAGMENT_ALWAYS;
    add(rig, script, &m);
    m.fragment = 0;
    m.ttl = 101;
    add(rig, script, &m);
}

static void act(struct rig *rig, const struct script *script)
{
    static const uint8_t zero[16];
    uint64_t request;
    rig_link(rig, 0);
    rig_link(rig, 1);
    for (size_t i = 0; i < script->count; i++)
        rig_receive_bytes(rig, 1, reload_slice_of(script->bytes[i], script->len[i]));
    const struct reload_target target = { .id = reload_node_id_slice(&rig->parties[1].id) };
    (void)reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &request);
    rig_pull(rig);
    const struct reload_node_id far = reload_standin_node_id(70);
    const struct reload_target there = { .id = reload_node_id_slice(&far) };
    (void)reload_node_attach(rig->node, &there, rig->now, &request);
    rig_pull(rig);
    const struct reload_topology_push push = { .after = { zero, 16 },
                                               .up_to = { zero, 16 },
                                               .target = rig->parties[1].id,
                                               .replica_number = 1,
                                               .cookie = 3 };
    rig->fake.host->push(rig->fake.host->context, &push);
    rig_run(rig, 4000);
    reload_node_link_down(rig->node, 2, rig->now);
    rig_pull(rig);
    rig_run(rig, 60000);
}

static void run_with(unsigned long fail_at, bool *done)
{
    struct rig rig;
    struct script script = { .count = 0 };
    rig_init(&rig);
    rig.fake.owns_everything = true;
    rig.fake.hop = rig.parties[1].id;
    rig.fake.replicas[0] = rig.parties[1].id;
    rig.fake.replica_count = 1;
    rig.fake.follow_up = true;
    rig.node_config.persist = true;
    write_script(&rig, &script);
    rig_start(&rig);
    unsigned long before = reload_alloc_count();
    reload_alloc_fail_at(fail_at);
    act(&rig, &script);
    *done = fail_at && reload_alloc_count() - before < fail_at;
    reload_alloc_fail_at(0);
    rig_clear(&rig);
    /* With memory again it works. */
    rig_run(&rig, 60000);
    if (rig.fake.link_ups == 0)
        rig_link(&rig, 0);
    struct rig_message m = { .signer = &rig.parties[0], .code = RELOAD_PING_REQ, .body = rig_ping };
    struct reload_connection c;
    assert_true(reload_node_connections(rig.node, &c, 1) > 0);
    rig_clear(&rig);
    rig_receive(&rig, c.link, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    rig_fini(&rig);
    for (size_t i = 0; i < script.count; i++)
        free(script.bytes[i]);
}

static void the_node_lives_through_any_allocation_failing(void **state)
{
    bool done = false;
    unsigned long n = 0;
    (void)state;
    while (!done)
        run_with(++n, &done);
    assert_true(n > 20);
}

static void making_a_node_fails_cleanly_without_memory(void **state)
{
    struct rig rig;
    unsigned long n = 0;
    int e = RELOAD_E_NOMEM;
    (void)state;
    rig_init(&rig);
    fake_prepare(&rig.fake);
    while (e != 0) {
        reload_alloc_fail_at(++n);
        e = reload_node_new(&rig.node_config, rig.now, &rig.node);
        reload_alloc_fail_at(0);
        assert_true(e == 0 || (e == RELOAD_E_NOMEM && !rig.node));
    }
    assert_true(n > 2);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_node_lives_through_any_allocation_failing),
        cmocka_unit_test(making_a_node_fails_cleanly_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
