/* Forwarding options: RFC 6940 s6.3.2.3. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

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
    struct rig_message m = rig_update(rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    m.options = reload_slice_of(option, sizeof option);
    return m;
}

/* R6940-6.3.2.3-5 R6940-6.3.2.3-6: each flag counts at its place only. */
static void unknown_critical_options_are_refused_where_they_count(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = with_option(rig, RELOAD_OPTION_DESTINATION_CRITICAL);
    rig_receive(rig, 1, &m);
    struct reload_message out = rig_sent(rig, 0, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION);
    m = with_option(rig, RELOAD_OPTION_FORWARD_CRITICAL);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 1, NULL).message_code, RELOAD_PING_ANS);
    m.destination_list = rig_nodes(&rig->parties[1].id, NULL);
    rig_receive(rig, 1, &m);
    out = rig_sent(rig, 2, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION);
    m = with_option(rig, RELOAD_OPTION_DESTINATION_CRITICAL);
    m.destination_list = rig_nodes(&rig->parties[1].id, NULL);
    rig_receive(rig, 1, &m);
    assert_int_equal(reload_node_counters(rig->node)->forwarded, 1);
    out = rig_sent(rig, 3, NULL); /* R6940-6.3.2.3-1: carried on as it is */
    assert_true(reload_slice_equal(out.header.options, m.options));
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_OPTION), 2);
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
    struct rig *rig = *state;
    struct rig_message m =
        with_option(rig, RELOAD_OPTION_RESPONSE_COPY | RELOAD_OPTION_FORWARD_CRITICAL | 0x40);
    rig_receive(rig, 1, &m);
    static const uint8_t expected[] = { 9, 0x40, 0, 2, 0xab, 0xcd };
    struct reload_message out = rig_sent(rig, 0, NULL);
    assert_int_equal(out.header.options.n, sizeof expected);
    assert_memory_equal(out.header.options.p, expected, sizeof expected);
    m = with_option(rig, RELOAD_OPTION_FORWARD_CRITICAL);
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 1, NULL).header.options.n, 0);
}

/* Notes A19: the flags do not count in a response, which is carried on. */
static void critical_flags_in_a_response_are_ignored(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = with_option(rig, RELOAD_OPTION_FORWARD_CRITICAL);
    m.code = RELOAD_PING_ANS;
    m.destination_list = rig_nodes(&rig->parties[1].id, NULL);
    rig_receive(rig, 1, &m);
    assert_int_equal(reload_node_counters(rig->node)->forwarded, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(unknown_critical_options_are_refused_where_they_count),
        cmocka_unit_test(a_registered_option_is_known_and_may_refuse),
        RIG(response_copy_puts_the_option_into_the_answer),
        RIG(critical_flags_in_a_response_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
