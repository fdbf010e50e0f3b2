/* Fragments that come in make their message again: RFC 6940 s6.7. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* A whole message, and pieces of it. */
struct pieces {
    uint8_t bytes[8192];
    size_t header_len, payload_len;
};

static void take(struct rig *rig, const struct rig_message *m, struct pieces *p)
{
    struct reload_slice whole = rig_encode(rig, m, NULL);
    struct reload_forwarding_header h;
    assert_int_equal(reload_forwarding_header_decode(whole, 16, &h), 0);
    memcpy(p->bytes, whole.p, whole.n);
    p->header_len = reload_forwarding_header_len(&h);
    p->payload_len = whole.n - p->header_len;
}

static void give(struct rig *rig, const struct pieces *p, reload_link_id link, size_t from,
                 size_t to)
{
    uint8_t out[8192];
    struct reload_writer w = reload_writer_of(out + 12, 8);
    reload_wr_u32(&w, (uint32_t)(0x80000000u | (to == p->payload_len ? 0x40000000u : 0) | from));
    uint8_t fields[8];
    memcpy(fields, out + 12, 4);
    w = reload_writer_of(fields + 4, 4);
    reload_wr_u32(&w, (uint32_t)(p->header_len + to - from));
    memcpy(out, p->bytes, p->header_len);
    memcpy(out + 12, fields, 8);
    memcpy(out + p->header_len, p->bytes + p->header_len + from, to - from);
    rig_receive_bytes(rig, link, reload_slice_of(out, p->header_len + to - from));
}

static bool answered(struct rig *rig)
{
    size_t sent = rig_count(rig, RELOAD_ACTION_SEND);
    if (sent == 0)
        return false;
    assert_int_equal(sent, 1);
    assert_int_equal(rig_sent(rig, 0, NULL).message_code, RELOAD_PING_ANS);
    rig_clear(rig);
    return true;
}

/* R6940-6.7-2 R6940-6.7-10 R6940-6.7-11: in order, in reverse, over two links, doubled. */
static void fragments_make_a_message_in_any_order(void **state)
{
    struct rig *rig = *state;
    struct pieces p;
    struct rig_message m = rig_long_ping(rig, 0);
    take(rig, &m, &p);
    size_t n = p.payload_len;
    give(rig, &p, 1, 0, 700);
    give(rig, &p, 1, 700, 1400);
    assert_false(answered(rig));
    give(rig, &p, 1, 1400, n);
    assert_true(answered(rig));

    take(rig, &m, &p);
    give(rig, &p, 2, 1400, n);
    give(rig, &p, 1, 700, 1400);
    give(rig, &p, 1, 700, 1400);
    assert_false(answered(rig));
    give(rig, &p, 1, 0, 700);
    assert_true(answered(rig));
    assert_int_equal(reload_node_deadline(rig->node), RELOAD_NEVER); /* nothing is left behind */
}

/* R6940-6.7-1: what was cut elsewhere the second time may overlap, as long as the bytes agree. */
static void overlapping_fragments_that_agree_are_fine(void **state)
{
    struct rig *rig = *state;
    struct pieces p;
    struct rig_message m = rig_long_ping(rig, 0);
    take(rig, &m, &p);
    give(rig, &p, 1, 0, 900);
    give(rig, &p, 1, 600, 1500);
    give(rig, &p, 1, 400, 1700);
    assert_false(answered(rig));
    give(rig, &p, 1, 1600, p.payload_len);
    assert_true(answered(rig));
}

/* R6940-6.7-16 */
static void fragments_that_contradict_are_dropped(void **state)
{
    struct rig *rig = *state;
    struct pieces p;
    struct rig_message m = rig_long_ping(rig, 0);
    take(rig, &m, &p);
    give(rig, &p, 1, 0, 900);
    p.bytes[p.header_len + 800] ^= 1;
    give(rig, &p, 1, 700, 1500); /* other bytes */
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT), 1);
    p.bytes[p.header_len + 800] ^= 1;
    give(rig, &p, 1, 1500, p.payload_len);
    size_t n = p.payload_len;
    p.payload_len = 1600; /* a "last" fragment that ends before what is there */
    give(rig, &p, 1, 1500, 1600);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT), 2);
    p.payload_len = n + 10; /* one that goes on after the last */
    give(rig, &p, 1, n, n + 5);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT), 3);
    p.payload_len = n;
    give(rig, &p, 1, 900, 900); /* no bytes at all */
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT), 4);
    give(rig, &p, 1, 900, 1500);
    assert_true(answered(rig));
}

/* R6940-6.7-8: after 15 s it is forgotten. */
static void a_message_that_is_never_complete_is_forgotten(void **state)
{
    struct rig *rig = *state;
    struct pieces p;
    struct rig_message m = rig_long_ping(rig, 0);
    take(rig, &m, &p);
    give(rig, &p, 1, 0, 1000);
    rig_run(rig, 14999);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT_TIMEOUT), 0);
    rig_run(rig, 1);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT_TIMEOUT), 1);
    give(rig, &p, 1, 1000, p.payload_len);
    assert_false(answered(rig));
    rig_run(rig, 15000);
    assert_int_equal(reload_node_deadline(rig->node), RELOAD_NEVER);
}

/* R6940-6.7-16: max-message-size holds for the whole. */
static void a_message_above_max_message_size_is_not_put_together(void **state)
{
    struct rig *rig = *state;
    struct pieces p;
    struct rig_message m = rig_long_ping(rig, 0);
    take(rig, &m, &p);
    memset(p.bytes + p.header_len, 0, sizeof p.bytes - p.header_len);
    p.payload_len = 7000;
    give(rig, &p, 1, 4000, 5001);
    give(rig, &p, 1, 6500, 7000);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT_LIMIT), 2);
    assert_int_equal(reload_node_deadline(rig->node), RELOAD_NEVER);
}

/* R6940-6.7-9: 64 a link, then as many as the node allows. */
static void the_caps_on_messages_under_way_hold(void **state)
{
    struct rig rig;
    struct pieces p;
    (void)state;
    rig_init(&rig);
    rig.node_config.limits.max_reassemblies = 100;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_link(&rig, 1);
    for (uint64_t id = 1; id <= 70; id++) {
        struct rig_message m = rig_long_ping(&rig, id);
        take(&rig, &m, &p);
        give(&rig, &p, 1, 0, 300);
    }
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_FRAGMENT_LIMIT), 6);
    for (uint64_t id = 101; id <= 140; id++) {
        struct rig_message m = rig_long_ping(&rig, id);
        take(&rig, &m, &p);
        give(&rig, &p, 2, 0, 300);
    }
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_FRAGMENT_LIMIT), 6 + 4);
    rig_run(&rig, 15000);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_FRAGMENT_TIMEOUT), 100);
    rig_fini(&rig);

    rig_init(&rig);
    rig.node_config.limits.max_reassembly_bytes = 5000;
    rig_start(&rig);
    rig_link(&rig, 0);
    for (uint64_t id = 1; id <= 3; id++) {
        struct rig_message m = rig_long_ping(&rig, id);
        take(&rig, &m, &p);
        give(&rig, &p, 1, 1700, 2000);
    }
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_FRAGMENT_LIMIT), 1);
    rig_fini(&rig);
}

/* More gaps than are kept track of. */
static void a_message_in_very_many_pieces_is_cut_off(void **state)
{
    struct rig *rig = *state;
    struct pieces p;
    struct rig_message m = rig_long_ping(rig, 0);
    take(rig, &m, &p);
    for (size_t at = 0; at < 140; at += 2)
        give(rig, &p, 1, at, at + 1);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT_LIMIT), 6);
    give(rig, &p, 1, 0, 1000); /* fills the gaps */
    give(rig, &p, 1, 1000, p.payload_len);
    assert_true(answered(rig));
}

static uint64_t ask(struct rig *rig)
{
    const struct reload_target target = { .resource = true,
                                          .id = reload_slice_of(rig->fake.owned_resource, 16) };
    uint64_t number;
    rig->fake.hop = rig->parties[0].id;
    assert_int_equal(
        reload_node_request(rig->node, &target, RELOAD_PING_REQ, rig_ping, rig->now, &number), 0);
    rig_pull(rig);
    uint64_t id = rig_sent(rig, 0, NULL).header.transaction_id;
    rig_clear(rig);
    return id;
}

/* R6940-6.7-15: request and response of one transaction are kept apart. */
static void a_request_and_a_response_of_one_transaction_do_not_mix(void **state)
{
    struct rig *rig = *state;
    struct pieces request, response;
    uint64_t own = ask(rig);
    rig->fake.owns_resource = true; /* the ring changed: the request comes round to its sender */
    struct rig_message m = rig_long_ping(rig, own);
    m.destination_list = rig_resource(rig->fake.owned_resource, 16);
    take(rig, &m, &request);
    struct rig_message ans = rig_long_ping(rig, own);
    ans.code = RELOAD_PING_ANS;
    take(rig, &ans, &response);
    give(rig, &request, 1, 0, 1000);
    give(rig, &response, 1, 0, 1000);
    give(rig, &response, 1, 1000, response.payload_len);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 1);
    give(rig, &request, 1, 1000, request.payload_len);
    assert_true(answered(rig));
}

static void answer(struct rig *rig, uint64_t id, uint8_t response_id, struct pieces *out)
{
    static uint8_t body[2 + RIG_LONG_PADDING];
    struct rig_message ans = rig_long_ping(rig, id);
    ans.code = RELOAD_PING_ANS;
    memcpy(body, ans.body.p, sizeof body);
    body[9] = response_id; /* every byte of the payload may differ */
    ans.body.p = body;
    take(rig, &ans, out);
}

/* R6940-6.7-1: the first answer is lost in part, the second has other bytes. */
static void a_second_answer_does_not_wait_for_the_rest_of_the_first(void **state)
{
    struct rig *rig = *state;
    struct pieces first, second;
    uint64_t id = ask(rig);
    answer(rig, id, 1, &first);
    answer(rig, id, 2, &second);
    give(rig, &first, 1, 0, 1000);
    give(rig, &second, 1, 0, 1000);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT), 1);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
    give(rig, &second, 1, 1000, second.payload_len);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 1);
}

static void a_request_sent_again_forgets_what_came_of_its_first_answer(void **state)
{
    struct rig *rig = *state;
    struct pieces first, second;
    uint64_t id = ask(rig);
    answer(rig, id, 1, &first);
    answer(rig, id, 2, &second);
    give(rig, &first, 1, 1000, first.payload_len); /* its end holds the signature */
    rig_run(rig, 3000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 1);
    give(rig, &second, 1, 0, 1000);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 0);
    give(rig, &second, 1, 1000, second.payload_len);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_REQUEST_DONE), 1);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_FRAGMENT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(fragments_make_a_message_in_any_order),
        RIG(overlapping_fragments_that_agree_are_fine),
        RIG(fragments_that_contradict_are_dropped),
        RIG(a_message_that_is_never_complete_is_forgotten),
        RIG(a_message_above_max_message_size_is_not_put_together),
        cmocka_unit_test(the_caps_on_messages_under_way_hold),
        RIG(a_message_in_very_many_pieces_is_cut_off),
        RIG(a_request_and_a_response_of_one_transaction_do_not_mix),
        RIG(a_second_answer_does_not_wait_for_the_rest_of_the_first),
        RIG(a_request_sent_again_forgets_what_came_of_its_first_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
