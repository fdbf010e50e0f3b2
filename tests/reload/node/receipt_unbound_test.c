/* Links whose certificate names several Node-IDs: RFC 6940 s6.1.2, s4.2.1. */
#include "tests/reload/node/receipt_rig.h"

#include "reload/wire/attach.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* Link 1's certificate names party 0 and that many more, so it is not bound; link 2 is party 1's,
 * the one link that the topology hears of. */
static void set_up_unbound(struct rig *rig, size_t others)
{
    rig_init(rig);
    rig_start(rig);
    rig_link_multiple(rig, 0, others);
    rig_link(rig, 1);
    rig_clear(rig);
    assert_int_equal(rig->fake.link_ups, 1);
}

/* R6940-6.1.2-11 R6940-4.2.1-3: a link of several Node-IDs may carry Ping and Attach only. */
static void an_unbound_link_may_only_ping_and_attach(void **state)
{
    struct rig rig;
    (void)state;
    set_up_unbound(&rig, 1);
    struct rig_message m = receipt_ping(&rig, 0);
    m.code = RELOAD_FETCH_REQ;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    uint64_t id = rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNBOUND), 1);
    receipt_expect_error(&rig, 1, id, RELOAD_ERROR_FORBIDDEN);
    m.code = RELOAD_ATTACH_REQ;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1);
    rig_fini(&rig);
}

static struct reload_slice attach_body(void)
{
    static uint8_t buffer[64];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_attach body = { .role = reload_slice_of("passive", 7) };
    assert_int_equal(reload_attach_encode(&w, &body), 0);
    return reload_writer_slice(&w);
}

/* R6940-6.1.2-11: a signed Ping over such a link is answered, and does not stand for an Attach. */
static void a_signed_ping_is_answered_and_binds_nothing(void **state)
{
    struct rig rig;
    (void)state;
    set_up_unbound(&rig, 2);
    struct rig_message m = receipt_ping(&rig, 0);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    assert_int_equal(rig.fake.link_ups, 1);
    rig_clear(&rig);
    m.code = RELOAD_PROBE_REQ;
    uint64_t id = rig_receive(&rig, 1, &m);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNBOUND), 1);
    receipt_expect_error(&rig, 1, id, RELOAD_ERROR_FORBIDDEN);
    rig_fini(&rig);
}

/* R6940-6.1.2-11 R6940-4.2.1-3 R6940-6.1.2-10: an Attach straight over such a link settles its
 * Node-ID, and then it may carry anything. */
static void an_attach_binds_an_unbound_link(void **state)
{
    struct rig rig;
    (void)state;
    set_up_unbound(&rig, 2);
    struct rig_message other = receipt_ping(&rig, 1); /* signed by a node the link does not prove */
    other.code = RELOAD_ATTACH_REQ;
    other.body = attach_body();
    rig_receive(&rig, 1, &other);
    assert_int_equal(rig.fake.link_ups, 1);
    struct rig_message m = receipt_ping(&rig, 0);
    m.code = RELOAD_ATTACH_REQ;
    m.body = reload_slice_of("?", 1); /* not an Attach that anybody could answer */
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.link_ups, 1);
    m.body = attach_body();
    m.via_list = rig_nodes(&rig.parties[3].id, NULL); /* not straight from its signer */
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.link_ups, 1);
    m.via_list = (struct reload_slice){ 0 };
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.link_ups, 2);
    rig_clear(&rig);
    m.code = RELOAD_FETCH_REQ;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1);
    rig_fini(&rig);
}

/* R6940-6.1.2-11: of a message in fragments the first one tells what it is; the others pass, and
 * are nothing without it. */
static void a_fragmented_attach_passes_an_unbound_link_and_a_fetch_does_not(void **state)
{
    struct rig rig;
    (void)state;
    set_up_unbound(&rig, 1);
    struct rig_message m = receipt_ping(&rig, 0);
    m.code = RELOAD_ATTACH_REQ;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    m.fragment = RELOAD_FRAGMENT_ALWAYS;
    rig_receive(&rig, 1, &m);
    m.fragment = RELOAD_FRAGMENT_ALWAYS | 300;
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 2);
    m.code = RELOAD_FETCH_REQ;
    m.fragment = RELOAD_FRAGMENT_ALWAYS;
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 2);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_UNBOUND), 1);
    rig_fini(&rig);
}

/* R6940-6.1.2-12: a Joining Node's Attach through an unbound link gets its answer back, by a 16-bit
 * id of the Connection Table (R6940-6.3.2.2-9, R6940-6.3.2.2-11). */
static void an_answer_finds_back_over_an_unbound_link(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up_unbound(&rig, 1);
    struct rig_message m = receipt_ping(&rig, 0);
    m.code = RELOAD_ATTACH_REQ;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    uint64_t id = rig_receive(&rig, 1, &m);
    struct reload_message forwarded = rig_sent(&rig, 0, NULL);
    assert_int_equal(forwarded.header.via_list.n, 2);
    assert_true(forwarded.header.via_list.p[0] & 0x80);
    uint8_t opaque[2];
    memcpy(opaque, forwarded.header.via_list.p, 2);
    rig_clear(&rig);
    struct rig_message answer = {
        .signer = &rig.parties[1],
        .code = RELOAD_ATTACH_ANS,
        .body = rig_ping,
        .transaction_id = id,
        .destination_list = rig_join(rig_nodes(&rig.me.id, NULL), reload_slice_of(opaque, 2)),
    };
    rig_receive(&rig, 2, &answer);
    struct reload_message back = rig_sent(&rig, 0, &link);
    struct reload_node_id wildcard = reload_node_id_wildcard(16);
    assert_int_equal(link, 1);
    assert_true(reload_slice_equal(back.header.destination_list, rig_nodes(&wildcard, NULL)));
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unbound_link_may_only_ping_and_attach),
        cmocka_unit_test(a_signed_ping_is_answered_and_binds_nothing),
        cmocka_unit_test(an_attach_binds_an_unbound_link),
        cmocka_unit_test(a_fragmented_attach_passes_an_unbound_link_and_a_fetch_does_not),
        cmocka_unit_test(an_answer_finds_back_over_an_unbound_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
