/* The duplicate cache (RFC 6940 s6.2.1), options and extensions, and the limits of an answer. */
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
    rig_link(rig, 0);
    rig_link(rig, 1);
    rig_clear(rig);
}

/* An Update: not repeatable, and handled by the topology, which counts. */
static struct rig_message update_from(const struct rig *rig, size_t party, uint64_t id)
{
    return (struct rig_message){
        .signer = &rig->parties[party],
        .code = RELOAD_UPDATE_REQ,
        .body = rig_ping,
        .transaction_id = id,
    };
}

/* R6940-6.2.1-9 R6940-6.2.1-10: answered again with the same answer, not applied again, and without
 * a second signature check. */
static void a_repeated_request_gets_the_same_answer_and_is_not_applied_again(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 4711);
    rig_receive(&rig, 1, &m);
    uint64_t verified = reload_standin_counters(rig.me.standin)->verifications;
    rig_wait(&rig, 14000);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.handled, 1);
    assert_int_equal(reload_standin_counters(rig.me.standin)->verifications, verified);
    struct reload_message a = rig_sent(&rig, 0, NULL), b = rig_sent(&rig, 1, NULL);
    assert_true(reload_slice_equal(a.contents, b.contents));
    assert_int_equal(a.header.transaction_id, b.header.transaction_id);
    assert_int_equal(reload_node_counters(rig.node)->duplicates_answered, 1);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_DUPLICATE), 1);
    rig_fini(&rig);
}

/* The answer to a repetition takes the repetition's way back. */
static void a_repetition_over_another_path_is_answered_along_it(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 2, 4711);
    rig_receive(&rig, 1, &m);
    m.via_list = rig_nodes(&rig.parties[2].id, NULL);
    rig_receive(&rig, 2, &m);
    struct reload_message b = rig_sent(&rig, 1, &link);
    assert_int_equal(link, 2);
    assert_true(reload_slice_equal(b.header.destination_list,
                                   rig_nodes(&rig.parties[1].id, &rig.parties[2].id)));
    assert_int_equal(rig.fake.handled, 1);
    rig_fini(&rig);
}

/* After the maximum request lifetime the entry is gone. */
static void the_cache_forgets_after_the_request_lifetime(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 4711);
    rig_receive(&rig, 1, &m);
    rig_run(&rig, 15000);
    assert_int_equal(reload_node_deadline(rig.node), RELOAD_NEVER);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.handled, 2);
    rig_fini(&rig);
}

/* Another node's request under the same transaction_id is another request: it neither gets that
 * answer nor is kept from being handled. */
static void a_transaction_id_means_nothing_without_its_signer(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 4711);
    rig_receive(&rig, 1, &m);
    struct rig_message other = update_from(&rig, 1, 4711);
    rig_receive(&rig, 2, &other);
    assert_int_equal(rig.fake.handled, 2);
    rig_fini(&rig);
}

/* Knowing a transaction_id is not enough to be sent the answer: forged bytes go through the
 * signature check and fall there. */
static void a_forger_gets_nothing_out_of_the_cache(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 4711);
    rig_receive(&rig, 1, &m);
    rig_clear(&rig);
    m.bad_signature = true;
    rig_receive(&rig, 2, &m);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 0);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_SIGNATURE), 1);
    rig_fini(&rig);
}

/* The same transaction of the same signer, encoded and signed anew, is still the same. */
static void a_repetition_that_was_signed_anew_is_recognised(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 4711);
    rig_receive(&rig, 1, &m);
    m.body = reload_slice_of("\0\1x", 3);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.handled, 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 2);
    rig_fini(&rig);
}

static void the_caps_of_the_cache_hold(void **state)
{
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.limits.max_answered = 4;
    rig_start(&rig);
    rig_link(&rig, 0);
    for (uint64_t id = 1; id <= 6; id++) {
        struct rig_message m = update_from(&rig, 0, id);
        rig_receive(&rig, 1, &m);
    }
    assert_int_equal(rig.fake.handled, 6);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_LIMIT), 2);
    for (uint64_t id = 6; id >= 3; id--) {
        struct rig_message m = update_from(&rig, 0, id);
        rig_receive(&rig, 1, &m);
    }
    assert_int_equal(rig.fake.handled, 6); /* the newest four are remembered */
    struct rig_message m = update_from(&rig, 0, 1);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.handled, 7); /* the oldest are not */
    rig_fini(&rig);

    rig_init(&rig);
    rig.node_config.limits.max_answered_bytes = 500; /* one answer, not two */
    rig_start(&rig);
    rig_link(&rig, 0);
    for (uint64_t id = 1; id <= 5; id++) {
        m = update_from(&rig, 0, id);
        rig_receive(&rig, 1, &m);
    }
    m = update_from(&rig, 0, 5);
    rig_receive(&rig, 1, &m);
    m = update_from(&rig, 0, 1);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig.fake.handled, 6);
    assert_true(rig_dropped(&rig, RELOAD_DROP_LIMIT) > 0);
    rig_fini(&rig);
}

/* What follows from a request is sent after its answer. */
static void the_answer_goes_out_before_what_the_topology_sends_because_of_it(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig.fake.follow_up = true;
    struct rig_message m = update_from(&rig, 0, 4711);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_UPDATE_ANS);
    assert_int_equal(rig_sent(&rig, 1, NULL).message_code, RELOAD_UPDATE_REQ);
    rig_fini(&rig);
}

/* Join, Leave and Update must come over the link of their signer: the topology is told whether this
 * one did (R6940-6.4.2.1-3, R6940-6.4.2.2-4). Some programs begin the Via List with themselves. */
static void the_topology_is_told_whether_a_message_came_straight_from_its_signer(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 0);
    m.code = RELOAD_JOIN_REQ;
    rig_receive(&rig, 1, &m);
    assert_true(rig.fake.last_message.direct);
    rig_receive(&rig, 2, &m);
    assert_false(rig.fake.last_message.direct); /* another's link */
    m.via_list = rig_nodes(&rig.parties[0].id, NULL);
    m.transaction_id = 98;
    rig_receive(&rig, 1, &m);
    assert_true(rig.fake.last_message.direct); /* the originator itself */
    m.via_list = rig_nodes(&rig.parties[0].id, &rig.parties[1].id);
    m.transaction_id = 97;
    rig_receive(&rig, 1, &m);
    assert_false(rig.fake.last_message.direct); /* came back to its signer, who forwarded it */
    m.via_list = rig_nodes(&rig.parties[1].id, NULL);
    m.transaction_id = 99;
    rig_receive(&rig, 1, &m);
    assert_false(rig.fake.last_message.direct); /* forwarded */
    rig.fake.handle_error = RELOAD_ERROR_FORBIDDEN;
    m.transaction_id = 100;
    rig_clear(&rig);
    rig_receive(&rig, 1, &m);
    struct reload_message error = rig_sent(&rig, 0, NULL);
    assert_int_equal(rig_error_code(&error), RELOAD_ERROR_FORBIDDEN);
    rig_fini(&rig);
}

/* --- options --- */

static unsigned option_seen;
static uint16_t option_error;

static uint16_t see_option(void *context, const struct reload_forwarding_header *header,
                           const struct reload_forwarding_option *option, bool destined)
{
    (void)context;
    (void)header;
    (void)option;
    option_seen += destined ? 100 : 1;
    return option_error;
}

static struct rig_message with_option(const struct rig *rig, uint8_t flags)
{
    static uint8_t option[6];
    memcpy(option, (uint8_t[]){ 9, flags, 0, 2, 0xab, 0xcd }, 6);
    struct rig_message m = update_from(rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    m.options = reload_slice_of(option, sizeof option);
    return m;
}

/* R6940-6.3.2.3-5 R6940-6.3.2.3-6: each flag counts at its place only. */
static void unknown_critical_options_are_refused_where_they_count(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = with_option(&rig, RELOAD_OPTION_DESTINATION_CRITICAL);
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 0, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION);
    m = with_option(&rig, RELOAD_OPTION_FORWARD_CRITICAL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 1, NULL).message_code, RELOAD_PING_ANS);
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    rig_receive(&rig, 1, &m);
    out = rig_sent(&rig, 2, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION);
    m = with_option(&rig, RELOAD_OPTION_DESTINATION_CRITICAL);
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1);
    out = rig_sent(&rig, 3, NULL); /* R6940-6.3.2.3-1: carried on as it is */
    assert_true(reload_slice_equal(out.header.options, m.options));
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_OPTION), 2);
    rig_fini(&rig);
}

static void a_registered_option_is_known_and_may_refuse(void **state)
{
    struct rig rig;
    static const struct reload_option_ops nine = { 9, see_option, NULL };
    static const struct reload_option_ops *const options[] = { &nine };
    (void)state;
    rig_init(&rig);
    rig.node_config.options = options;
    rig.node_config.option_count = 1;
    rig_start(&rig);
    rig_link(&rig, 0);
    rig_link(&rig, 1);
    rig_clear(&rig);
    option_seen = option_error = 0;
    struct rig_message m = with_option(&rig, 3);
    rig_receive(&rig, 1, &m);
    assert_int_equal(option_seen, 100);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(option_seen, 101);
    option_error = RELOAD_ERROR_FORBIDDEN;
    m = with_option(&rig, 3);
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 2, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_FORBIDDEN);
    rig_fini(&rig);
}

/* R6940-6.3.2.3-4 R6940-6.3.2.3-7: into answers and errors, without the three flags. */
static void response_copy_puts_the_option_into_the_answer(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m =
        with_option(&rig, RELOAD_OPTION_RESPONSE_COPY | RELOAD_OPTION_FORWARD_CRITICAL | 0x40);
    rig_receive(&rig, 1, &m);
    static const uint8_t expected[] = { 9, 0x40, 0, 2, 0xab, 0xcd };
    struct reload_message out = rig_sent(&rig, 0, NULL);
    assert_int_equal(out.header.options.n, sizeof expected);
    assert_memory_equal(out.header.options.p, expected, sizeof expected);
    m = with_option(&rig, RELOAD_OPTION_FORWARD_CRITICAL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 1, NULL).header.options.n, 0);
    rig_fini(&rig);
}

/* --- extensions --- */

static uint16_t extension_error;
static uint16_t see_extension(void *context, const struct reload_message *message,
                              const struct reload_message_extension *extension)
{
    (void)message;
    ++*(unsigned *)context;
    assert_int_equal(extension->type, 0x7777);
    return extension_error;
}

/* R6940-6.3.3-4 R6940-6.3.3-5 */
static void unknown_extensions_are_refused_only_when_critical(void **state)
{
    static uint8_t extension[] = { 0x77, 0x77, 1, 0, 0, 0, 1, 0xaa };
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    m.extensions = reload_slice_of(extension, sizeof extension);
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 0, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_UNKNOWN_EXTENSION);
    assert_int_equal(rig_dropped(&rig, RELOAD_DROP_EXTENSION), 1);
    extension[2] = 0;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 1, NULL).message_code, RELOAD_PING_ANS);
    extension[2] = 1;
    rig_fini(&rig);
}

static void a_registered_extension_is_seen_and_may_refuse(void **state)
{
    static const uint8_t extension[] = { 0x77, 0x77, 1, 0, 0, 0, 1, 0xaa };
    unsigned seen = 0;
    const struct reload_extension_ops known = { 0x7777, see_extension, &seen };
    const struct reload_extension_ops *const extensions[] = { &known };
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.extensions = extensions;
    rig.node_config.extension_count = 1;
    rig_start(&rig);
    rig_link(&rig, 0);
    extension_error = 0;
    struct rig_message m = update_from(&rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    m.extensions = reload_slice_of(extension, sizeof extension);
    rig_receive(&rig, 1, &m);
    assert_int_equal(seen, 1);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    extension_error = RELOAD_ERROR_FORBIDDEN;
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 1, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_FORBIDDEN);
    rig_fini(&rig);
}

/* --- size --- */

/* R6940-6.3.2-24 (docs/protocol.md): the whole response is measured; one byte makes the difference.
 */
static void max_response_length_is_obeyed(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    rig_receive(&rig, 1, &m);
    uint32_t len = rig_sent(&rig, 0, NULL).header.length;
    m.max_response_length = len;
    rig_receive(&rig, 1, &m);
    assert_int_equal(rig_sent(&rig, 1, NULL).message_code, RELOAD_PING_ANS);
    m.max_response_length = len - 1;
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 2, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_RESPONSE_TOO_LARGE);
    rig_fini(&rig);
}

/* Notes A19: the flags do not count in a response, which is carried on. */
static void critical_flags_in_a_response_are_ignored(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = with_option(&rig, RELOAD_OPTION_FORWARD_CRITICAL);
    m.code = RELOAD_PING_ANS;
    m.destination_list = rig_nodes(&rig.parties[1].id, NULL);
    rig_receive(&rig, 1, &m);
    assert_int_equal(reload_node_counters(rig.node)->forwarded, 1);
    rig_fini(&rig);
}

/* Some originators put themselves into the Via List: their answer has no entry twice. */
static void a_previous_hop_that_named_itself_is_not_named_twice(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 0);
    m.via_list = rig_nodes(&rig.parties[0].id, NULL);
    rig_receive(&rig, 1, &m);
    assert_true(reload_slice_equal(rig_sent(&rig, 0, NULL).header.destination_list,
                                   rig_nodes(&rig.parties[0].id, NULL)));
    rig_fini(&rig);
}

/* R6940-6.1.2-9 R6940-6.2.2-1: previous hop, then the Via List from its end. */
static void an_answer_goes_back_along_the_reversed_via_list(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 2, 0);
    m.via_list = rig_nodes(&rig.parties[2].id, &rig.parties[3].id);
    rig_receive(&rig, 1, &m);
    struct reload_slice expected = rig_join(rig_nodes(&rig.parties[0].id, NULL),
                                            rig_nodes(&rig.parties[3].id, &rig.parties[2].id));
    assert_true(reload_slice_equal(rig_sent(&rig, 0, NULL).header.destination_list, expected));
    rig_fini(&rig);
}

/* R6940-6.2-1 R6940-A.2-1 R6940-A.3-1: symmetric recursive routing; also when the requester has a
 * link of its own here, and when the topology knows a way to it. */
static void an_answer_takes_no_other_way_than_its_request(void **state)
{
    struct rig rig;
    reload_link_id link;
    (void)state;
    set_up(&rig);
    rig_link(&rig, 2);
    rig.fake.hop = rig.parties[1].id;
    rig_clear(&rig);
    struct rig_message m = update_from(&rig, 2, 0);
    m.via_list = rig_nodes(&rig.parties[2].id, NULL);
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 0, &link);
    assert_int_equal(out.message_code, RELOAD_UPDATE_ANS);
    assert_int_equal(link, 1);
    assert_int_equal(rig_count(&rig, RELOAD_ACTION_SEND), 1);
    assert_true(reload_slice_equal(out.header.destination_list,
                                   rig_nodes(&rig.parties[0].id, &rig.parties[2].id)));
    rig_fini(&rig);
}

/* --- Probe --- */

/* R6940-6.4.2.5.2-3 R6940-6.4.2.5.2-5 R6940-6.4.2.5.2-6 R6940-6.4.2.5.2-7: what was asked and is
 * known, in the order asked, nothing else. */
static void a_probe_gets_the_values_it_asked_for_in_its_order(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    rig_wait(&rig, 7500);
    struct rig_message m = update_from(&rig, 0, 0);
    m.code = RELOAD_PROBE_REQ;
    m.body = reload_slice_of("\3\3\x63\1", 4); /* uptime, one nobody knows, responsible_set */
    rig_receive(&rig, 1, &m);
    static const uint8_t expected[] = { 0, 12, 3, 4, 0, 0, 0, 7, 1, 4, 0x07, 0x73, 0x59, 0x40 };
    struct reload_message out = rig_sent(&rig, 0, NULL);
    assert_int_equal(out.message_code, RELOAD_PROBE_ANS);
    assert_int_equal(out.body.n, sizeof expected);
    assert_memory_equal(out.body.p, expected, sizeof expected);
    m.body = reload_slice_of("\2\3", 2);
    rig_receive(&rig, 1, &m);
    out = rig_sent(&rig, 1, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_INVALID_MESSAGE);
    rig_fini(&rig);
}

/* R6940-6.5.3.1-1 R6940-6.5.3.2-1 */
static void a_ping_answer_has_a_random_id_and_the_time(void **state)
{
    struct rig rig;
    (void)state;
    set_up(&rig);
    struct rig_message m = update_from(&rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    rig_receive(&rig, 1, &m);
    rig_receive(&rig, 1, &m);
    struct reload_message a = rig_sent(&rig, 0, NULL), b = rig_sent(&rig, 1, NULL);
    assert_int_equal(a.body.n, 16);
    assert_memory_not_equal(a.body.p, b.body.p, 8);
    struct reload_reader r = reload_reader_of(a.body.p + 8, 8);
    assert_int_equal(reload_rd_u64(&r), rig.now.unix_ms);
    m.body = reload_slice_of("\0", 1);
    rig_receive(&rig, 1, &m);
    b = rig_sent(&rig, 2, NULL);
    assert_int_equal(rig_error_code(&b), RELOAD_ERROR_INVALID_MESSAGE);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeated_request_gets_the_same_answer_and_is_not_applied_again),
        cmocka_unit_test(a_repetition_over_another_path_is_answered_along_it),
        cmocka_unit_test(the_cache_forgets_after_the_request_lifetime),
        cmocka_unit_test(a_transaction_id_means_nothing_without_its_signer),
        cmocka_unit_test(a_forger_gets_nothing_out_of_the_cache),
        cmocka_unit_test(a_repetition_that_was_signed_anew_is_recognised),
        cmocka_unit_test(the_caps_of_the_cache_hold),
        cmocka_unit_test(the_answer_goes_out_before_what_the_topology_sends_because_of_it),
        cmocka_unit_test(the_topology_is_told_whether_a_message_came_straight_from_its_signer),
        cmocka_unit_test(unknown_critical_options_are_refused_where_they_count),
        cmocka_unit_test(a_registered_option_is_known_and_may_refuse),
        cmocka_unit_test(response_copy_puts_the_option_into_the_answer),
        cmocka_unit_test(unknown_extensions_are_refused_only_when_critical),
        cmocka_unit_test(a_registered_extension_is_seen_and_may_refuse),
        cmocka_unit_test(max_response_length_is_obeyed),
        cmocka_unit_test(critical_flags_in_a_response_are_ignored),
        cmocka_unit_test(a_previous_hop_that_named_itself_is_not_named_twice),
        cmocka_unit_test(an_answer_goes_back_along_the_reversed_via_list),
        cmocka_unit_test(an_answer_takes_no_other_way_than_its_request),
        cmocka_unit_test(a_probe_gets_the_values_it_asked_for_in_its_order),
        cmocka_unit_test(a_ping_answer_has_a_random_id_and_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
