/* What a message must be to be taken at all: RFC 6940 s6.1, s6.3.2, s6.6. */
#include "tests/reload/node/receipt_rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>

/* One thing is wrong with a Ping: why it is dropped, and the error response that it gets. Each of
 * these is a test by itself. */
struct refused {
    struct rig_message wrong;
    enum reload_drop_reason reason;
    uint16_t error_code; /* 0: silence */
};

static void is_refused(void **state)
{
    struct refused *row = *state;
    void *started;
    receipt_set_up(&started);
    struct rig *rig = started;
    row->wrong.signer = &rig->parties[0];
    row->wrong.code = RELOAD_PING_REQ;
    row->wrong.body = rig_ping;
    uint64_t id = rig_receive(rig, 1, &row->wrong);
    assert_int_equal(rig_dropped(rig, row->reason), 1);
    if (row->error_code)
        receipt_expect_error(rig, 1, id, row->error_code);
    else
        assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    rig_tear_down(&started);
}

#define REFUSED(row)                                                                               \
    {                                                                                              \
        .name = #row, .test_func = is_refused, .initial_state = &row                               \
    }

/* R6940-6.1-1 R6940-6.3.2-4 */
static struct refused a_message_of_another_overlay_is_discarded = {
    .wrong.overlay = 0x12345678,
    .reason = RELOAD_DROP_OVERLAY,
};

/* R6940-6.1-1 R6940-6.1-2 R6940-6.3.2-8 */
static struct refused another_version_is_refused_with_an_error = {
    .wrong.version = 1,
    .reason = RELOAD_DROP_VERSION,
    .error_code = RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY,
};

/* R6940-6.3.2-15: checked even when the message is for this node. */
static struct refused a_ttl_above_the_initial_one_is_refused = {
    .wrong.ttl = 101,
    .reason = RELOAD_DROP_TTL_ABOVE,
    .error_code = RELOAD_ERROR_TTL_EXCEEDED,
};

/* R6940-6.3.4-19 R6940-6.3.4-20 */
static struct refused a_bad_signature_gets_no_answer = {
    .wrong.bad_signature = true,
    .reason = RELOAD_DROP_SIGNATURE,
};

/* R6940-6.3.2-10 R6940-6.3.2-11 R6940-6.3.2-12 */
static void ttl_zero_ends_the_way_but_not_the_arrival(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    m.ttl_0 = true;
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 0, NULL).message_code, RELOAD_PING_ANS);
    rig_clear(rig);
    m.destination_list = rig_nodes(&rig->parties[1].id, NULL);
    uint64_t id = rig_receive(rig, 1, &m);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_TTL), 1);
    receipt_expect_error(rig, 1, id, RELOAD_ERROR_TTL_EXCEEDED);
}

/* R6940-6.3.3.1-8: no error is sent for a response, whatever is wrong with it. */
static void a_response_never_gets_an_error(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    m.code = RELOAD_PING_ANS;
    m.ttl_0 = true;
    m.destination_list = rig_nodes(&rig->parties[1].id, NULL);
    rig_receive(rig, 1, &m);
    m.ttl_0 = false;
    m.ttl = 101;
    rig_receive(rig, 1, &m);
    m.ttl = 50;
    m.version = 1;
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
}

/* R6940-6.3.2-2 R6940-6.3.2-21 R6940-6.7-13 */
static void what_is_no_message_is_dropped_with_its_reason(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    uint8_t copy[1024];
    struct reload_slice bytes = rig_encode(rig, &m, NULL);
    struct reload_slice changed = { copy, bytes.n };
    memcpy(copy, bytes.p, bytes.n);
    copy[0] ^= 1;
    rig_receive_bytes(rig, 1, changed);
    receipt_expect_silence(rig, RELOAD_DROP_TOKEN, 1);
    memcpy(copy, bytes.p, bytes.n);
    copy[19]++; /* length */
    rig_receive_bytes(rig, 1, changed);
    receipt_expect_silence(rig, RELOAD_DROP_MALFORMED, 1);
    memcpy(copy, bytes.p, bytes.n);
    copy[12] &= 0x7f; /* fragment */
    rig_receive_bytes(rig, 1, changed);
    receipt_expect_silence(rig, RELOAD_DROP_FRAGMENT, 1);
}

/* Each message cut at every byte, and with each bit turned over: no answer but to an error that the
 * header alone shows, and nothing is handled as if it were right. */
static void damaged_messages_are_never_handled(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    uint8_t copy[1024];
    struct reload_slice bytes = rig_encode(rig, &m, NULL);
    assert_true(bytes.n <= sizeof copy);
    memcpy(copy, bytes.p, bytes.n);
    bytes.p = copy;
    for (size_t cut = 0; cut < bytes.n; cut++)
        rig_receive_bytes(rig, 1, reload_slice_of(copy, cut));
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
    /* s6.3.4 covers transaction_id and contents; the Signature itself must hold too. What is left
     * uncovered is the rest of the header and the certificates. */
    struct reload_message whole;
    assert_int_equal(reload_message_decode(bytes, 16, &whole), 0);
    size_t contents = (size_t)(whole.contents.p - copy);
    size_t bucket = contents + whole.contents.n;
    size_t signature = bucket + 2 + whole.security.certificates.n;
    for (size_t bit = 0; bit < 8 * bytes.n; bit++) {
        size_t at = bit / 8;
        bool is_signed =
            (at >= 20 && at < 28) || (at >= contents && at < bucket) || at >= signature;
        copy[at] ^= (uint8_t)(1 << bit % 8);
        uint64_t before = reload_node_counters(rig->node)->delivered;
        rig_receive_bytes(rig, 1, bytes);
        if (is_signed)
            assert_int_equal(reload_node_counters(rig->node)->delivered, before);
        copy[at] ^= (uint8_t)(1 << bit % 8);
        rig_clear(rig);
    }
    rig_receive_bytes(rig, 1, bytes);
    assert_int_equal(rig_sent(rig, 0, NULL).message_code, RELOAD_PING_ANS);
}

/* Messages over max-message-size (s11.1), and on links that are not there. */
static void a_message_above_max_message_size_is_dropped(void **state)
{
    struct rig *rig = *state;
    uint8_t *big = calloc(1, 5001);
    rig_receive_bytes(rig, 1, reload_slice_of(big, 5001));
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_TOO_LARGE), 1);
    free(big);
    struct rig_message m = receipt_ping(rig, 0);
    rig_receive(rig, 9, &m);
    receipt_expect_silence(rig, RELOAD_DROP_STATE, 1);
}

/* s6.6: Error_Message_Too_Large when the header allows it, and the link is closed in any case. */
static void the_start_of_an_oversize_message_is_answered_and_the_link_closed(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    uint64_t id;
    struct reload_slice bytes = rig_encode(rig, &m, &id);
    uint8_t start[128];
    memcpy(start, bytes.p, sizeof start);
    start[17] = 0x7f; /* length: 8 MB */
    for (size_t n = 0; n <= sizeof start; n += 4) {
        reload_node_oversize(rig->node, 1, start, n, rig->now);
        rig_pull(rig);
        assert_int_equal(rig_count(rig, RELOAD_ACTION_CLOSE_LINK), 1);
        if (n >= 38 + 18 + 2)
            receipt_expect_error(rig, 1, id, RELOAD_ERROR_MESSAGE_TOO_LARGE);
        else
            assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 0);
        rig_clear(rig);
    }
}

/* Refusals of what was not verified are limited: 100 at once, 20 a second. */
static void refusals_of_unverified_messages_are_limited(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    m.ttl = 101;
    for (int i = 0; i < 300; i++)
        rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 100);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_TTL_ABOVE), 300);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_LOG), 1); /* one line a second and reason */
    rig_clear(rig);
    rig_wait(rig, 1000);
    for (int i = 0; i < 50; i++)
        rig_receive(rig, 1, &m);
    assert_int_equal(rig_count(rig, RELOAD_ACTION_SEND), 20);
    const struct rig_action *line = rig_action(rig, RELOAD_ACTION_LOG, 0);
    assert_non_null(strstr((const char *)line->bytes, "299 more"));
}

/* R6940-6.3.3-3 and unknown methods. */
static void codes_that_are_no_request_or_unknown_are_not_handled(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = receipt_ping(rig, 0);
    m.code = 0x8001;
    rig_receive(rig, 1, &m);
    m.code = 0;
    rig_receive(rig, 1, &m);
    receipt_expect_silence(rig, RELOAD_DROP_CODE, 2);
    m.code = 0x1f;
    uint64_t id = rig_receive(rig, 1, &m);
    receipt_expect_error(rig, 1, id, RELOAD_ERROR_INVALID_MESSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REFUSED(a_message_of_another_overlay_is_discarded),
        REFUSED(another_version_is_refused_with_an_error),
        REFUSED(a_ttl_above_the_initial_one_is_refused),
        RECEIPT(ttl_zero_ends_the_way_but_not_the_arrival),
        RECEIPT(a_response_never_gets_an_error),
        RECEIPT(what_is_no_message_is_dropped_with_its_reason),
        RECEIPT(damaged_messages_are_never_handled),
        REFUSED(a_bad_signature_gets_no_answer),
        RECEIPT(a_message_above_max_message_size_is_dropped),
        RECEIPT(the_start_of_an_oversize_message_is_answered_and_the_link_closed),
        RECEIPT(refusals_of_unverified_messages_are_limited),
        RECEIPT(codes_that_are_no_request_or_unknown_are_not_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
