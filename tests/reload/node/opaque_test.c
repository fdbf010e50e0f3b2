/* Compressed ids: RFC 6940 s6.1.2, s6.1.3, s6.3.2.2. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static void set_up(struct rig *rig)
{
    rig_init(rig);
    rig_start(rig);
    rig_link_multiple(rig, 0, 1); /* unbound: its way back is a 16-bit id */
    rig_link(rig, 1);
    rig_clear(rig);
}

/* The Via List that the node puts on an Attach of party 0 to party 1. */
static struct reload_slice via_of_unbound(struct rig *rig)
{
    static uint8_t via[8];
    struct rig_message m = { .signer = &rig->parties[0],
                             .code = RELOAD_ATTACH_REQ,
                             .body = rig_ping,
                             .destination_list = rig_nodes(&rig->parties[1].id, NULL) };
    rig_receive(rig, 1, &m);
    struct reload_message out = rig_sent(rig, 0, NULL);
    memcpy(via, out.header.via_list.p, out.header.via_list.n);
    size_t len = out.header.via_list.n;
    rig_clear(rig);
    return reload_slice_of(via, len);
}

static void answer_through(struct rig *rig, struct reload_slice id)
{
    struct rig_message m = { .signer = &rig->parties[1],
                             .code = RELOAD_ATTACH_ANS,
                             .body = rig_ping,
                             .destination_list = rig_join(rig_nodes(&rig->me.id, NULL), id) };
    rig_receive(rig, 2, &m);
}

static void ask_through(struct rig *rig, struct reload_slice id)
{
    struct rig_message m = { .signer = &rig->parties[1],
                             .code = RELOAD_PING_REQ,
                             .body = rig_ping,
                             .destination_list = id };
    rig_receive(rig, 2, &m);
}

/* R6940-6.3.2.2-2 R6940-6.3.2.2-12 R6940-6.3.2.2-13: the slot's next link has another generation,
 * and the old id is dropped silently. */
static void an_id_of_a_former_link_is_dropped(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct reload_slice id = via_of_unbound(&rig);
    assert_int_equal(id.n, 2);
    answer_through(&rig, id);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    rig_clear(&rig);
    uint8_t wrong[2] = { (uint8_t)(id.p[0] ^ 0x10), id.p[1] }; /* another generation */
    answer_through(&rig, reload_slice_of(wrong, 2));
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_OPAQUE), 1);
    uint8_t beyond[2] = { (uint8_t)(id.p[0] | 0x0f), 0xff }; /* an index above the table */
    answer_through(&rig, reload_slice_of(beyond, 2));
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_OPAQUE), 2);
    reload_node_link_down(rig.node, 1, rig.now);
    rig_pull(&rig);
    answer_through(&rig, id);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_OPAQUE), 3);
    ask_through(&rig, id); /* silently: a request is not refused either */
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_OPAQUE), 4);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    rig_fini(&rig);
}

/* R6940-6.3.2.2-12: slots are used in rotation, and generations differ when one comes round again.
 */
static void slots_rotate_and_their_generation_grows(void **state)
{
    struct rig rig;
    uint8_t seen[3][2];
    (void)state;
    rig_init(&rig);
    rig.node_config.limits.max_links = 4;
    rig_start(&rig);
    rig_link(&rig, 1);
    for (int i = 0; i < 3; i++) {
        rig_link_multiple(&rig, 0, 1);
        rig_clear(&rig);
        memcpy(seen[i], via_of_unbound(&rig).p, 2);
        reload_node_link_down(rig.node, 1, rig.now);
        rig_pull(&rig);
    }
    assert_int_not_equal(seen[0][1], seen[1][1]);
    assert_int_not_equal(seen[1][1], seen[2][1]);
    rig_link_multiple(&rig, 0, 1); /* the first slot is party 1's: the next free one is seen[0]'s */
    rig_clear(&rig);
    struct reload_slice id = via_of_unbound(&rig);
    assert_int_equal(id.p[1], seen[0][1]);
    assert_int_equal((id.p[0] >> 4 & 7), ((seen[0][0] >> 4) + 1) & 7);
    rig_fini(&rig);
}

/* R6940-6.3.2.2-10: nodes start with random generations. */
static void generations_start_at_random(void **state)
{
    uint8_t seen = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct rig rig;
        rig_init(&rig);
        rig.node_config.random = reload_standin_random(&rig.random, seed);
        rig_start(&rig);
        rig_link_multiple(&rig, 0, 1);
        rig_link(&rig, 1);
        rig_clear(&rig);
        seen |= (uint8_t)(1 << (via_of_unbound(&rig).p[0] >> 4 & 7));
        rig_fini(&rig);
    }
    assert_true((seen & (seen - 1)) != 0); /* more than one value */
}

/* R6940-6.1.2-6 R6940-6.1.2-7 R6940-6.1.1-5 R6940-6.1.3-1: a Via List that would break
 * max-message-size is kept and comes back reversed, after the overlay-reliability-timer too. */
static void a_via_list_that_grew_too_long_is_kept_and_put_back(void **state)
{
    struct rig rig;
    static uint8_t body[5000];
    reload_link_id link;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_link(&rig, 1);
    rig_clear(&rig);
    struct rig_message m = { .signer = &rig.parties[2],
                             .code = RELOAD_PING_REQ,
                             .via_list = rig_nodes(&rig.parties[2].id, &rig.parties[3].id),
                             .destination_list = rig_nodes(&rig.parties[1].id, NULL) };
    m.body = reload_slice_of(body, 100);
    size_t overhead = rig_encode(&rig, &m, NULL).n - 100;
    m.body.n = 5000 - overhead;
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 0, NULL);
    assert_true(out.header.length <= 5000);
    struct reload_reader r = reload_reader_over(out.header.via_list);
    struct reload_destination only;
    assert_true(reload_destination_next(&r, 16, &only));
    assert_int_equal(only.type, RELOAD_DEST_OPAQUE);
    assert_false(reload_reader_more(&r));
    static uint8_t via[16];
    memcpy(via, out.header.via_list.p, out.header.via_list.n);
    struct reload_slice id = { via, out.header.via_list.n };
    rig_clear(&rig);
    rig_run(&rig, rig.config.config.overlay_reliability_timer_ms);
    answer_through(&rig, id);
    out = rig_sent(&rig, 0, &link);
    assert_int_equal(link, 1);
    struct reload_slice expected = rig_join(rig_nodes(&rig.parties[0].id, NULL),
                                            rig_nodes(&rig.parties[3].id, &rig.parties[2].id));
    assert_true(reload_slice_equal(out.header.destination_list, expected));

    /* Guesses and stale ids are dropped (R6940-6.1.2-8). */
    rig_clear(&rig);
    via[5] ^= 1;
    answer_through(&rig, id);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_OPAQUE), 1);
    via[5] ^= 1;
    rig_wait(&rig, 15000);
    answer_through(&rig, id);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_OPAQUE), 2);
    rig_fini(&rig);
}

/* The table of kept lists is bounded: the oldest makes room. */
static void no_more_than_256_via_lists_are_kept(void **state)
{
    struct rig rig;
    static uint8_t body[5000];
    uint8_t first[16];
    size_t first_len = 0;
    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_link(&rig, 1);
    struct rig_message m = { .signer = &rig.parties[2],
                             .code = RELOAD_PING_REQ,
                             .via_list = rig_nodes(&rig.parties[2].id, NULL),
                             .destination_list = rig_nodes(&rig.parties[1].id, NULL) };
    m.body = reload_slice_of(body, 100);
    size_t overhead = rig_encode(&rig, &m, NULL).n - 100;
    m.body.n = 5000 - overhead;
    for (int i = 0; i < 257; i++) {
        rig_clear(&rig);
        rig_receive(&rig, 1, &m);
        struct reload_message out = rig_sent(&rig, 0, NULL);
        if (i == 0) {
            first_len = out.header.via_list.n;
            memcpy(first, out.header.via_list.p, first_len);
        }
    }
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 1);
    answer_through(&rig, reload_slice_of(first, first_len));
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_OPAQUE), 1);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_of_a_former_link_is_dropped),
        cmocka_unit_test(slots_rotate_and_their_generation_grows),
        cmocka_unit_test(generations_start_at_random),
        cmocka_unit_test(a_via_list_that_grew_too_long_is_kept_and_put_back),
        cmocka_unit_test(no_more_than_256_via_lists_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
