/* Probe and Ping, asked of this node: RFC 6940 s6.4.2.5, s6.5.3. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* R6940-6.4.2.5.2-3 R6940-6.4.2.5.2-5 R6940-6.4.2.5.2-6 R6940-6.4.2.5.2-7: what was asked and is
 * known, in the order asked, nothing else. */
static void a_probe_gets_the_values_it_asked_for_in_its_order(void **state)
{
    struct rig *rig = *state;
    rig_wait(rig, 7500);
    struct rig_message m = rig_update(rig, 0, 0);
    m.code = RELOAD_PROBE_REQ;
    m.body = reload_slice_of("\3\3\x63\1", 4); /* uptime, one nobody knows, responsible_set */
    rig_receive(rig, 1, &m);
    static const uint8_t expected[] = { 0, 12, 3, 4, 0, 0, 0, 7, 1, 4, 0x07, 0x73, 0x59, 0x40 };
    struct reload_message out = rig_sent(rig, 0, NULL);
    assert_int_equal(out.message_code, RELOAD_PROBE_ANS);
    assert_int_equal(out.body.n, sizeof expected);
    assert_memory_equal(out.body.p, expected, sizeof expected);
    m.body = reload_slice_of("\2\3", 2);
    rig_receive(rig, 1, &m);
    out = rig_sent(rig, 1, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_INVALID_MESSAGE);
}

/* R6940-6.5.3.1-1 R6940-6.5.3.2-1 */
static void a_ping_answer_has_a_random_id_and_the_time(void **state)
{
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    rig_receive(rig, 1, &m);
    rig_receive(rig, 1, &m);
    struct reload_message a = rig_sent(rig, 0, NULL), b = rig_sent(rig, 1, NULL);
    assert_int_equal(a.body.n, 16);
    assert_memory_not_equal(a.body.p, b.body.p, 8);
    struct reload_reader r = reload_reader_of(a.body.p + 8, 8);
    assert_int_equal(reload_rd_u64(&r), rig->now.unix_ms);
    m.body = reload_slice_of("\0", 1);
    rig_receive(rig, 1, &m);
    b = rig_sent(rig, 2, NULL);
    assert_int_equal(rig_error_code(&b), RELOAD_ERROR_INVALID_MESSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(a_probe_gets_the_values_it_asked_for_in_its_order),
        RIG(a_ping_answer_has_a_random_id_and_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
