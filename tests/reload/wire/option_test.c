#include "check.h"

#include "reload/wire/option.h"

/* R6940-6.3.2.3-1 R6940-6.3.2.3-2 R6940-6.3.2.3-3 */
static void an_option_has_type_flags_and_a_value(void **state)
{
    (void)state;
    struct reload_reader r = reload_reader_over(BYTES(63, 3, 0, 2, 0xca, 0xfe, 200, 4, 0, 0));
    struct reload_forwarding_option option;
    assert_true(reload_forwarding_option_next(&r, &option));
    assert_int_equal(option.type, 63);
    assert_int_equal(option.flags,
                     RELOAD_OPTION_FORWARD_CRITICAL | RELOAD_OPTION_DESTINATION_CRITICAL);
    assert_slice_equal(option.option, BYTES(0xca, 0xfe));
    assert_true(reload_forwarding_option_next(&r, &option));
    assert_int_equal(option.flags, RELOAD_OPTION_RESPONSE_COPY);
    assert_int_equal(option.option.n, 0);
    assert_false(reload_forwarding_option_next(&r, &option));
    assert_int_equal(reload_reader_finish(&r), 0);
    check_good("ForwardingOption", BYTES(63, 3, 0, 2, 0xca, 0xfe));
    check_good("ForwardingOption", BYTES(255, 0xff, 0, 0));
    check_length("ForwardingOption", BYTES(63, 3, 0, 2, 0xca, 0xfe), 2, 2);
}

/* R6940-14.12-1 */
static void type_0_is_neither_read_nor_written(void **state)
{
    (void)state;
    check_bad("ForwardingOption", BYTES(0, 0, 0, 0));
    uint8_t buf[8];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    struct reload_forwarding_option option = { 0 };
    assert_int_equal(reload_forwarding_option_encode(&w, &option), RELOAD_E_NOSPACE);
}

static void a_value_above_65535_bytes_is_not_written(void **state)
{
    (void)state;
    static uint8_t value[65536], buf[65540];
    struct reload_forwarding_option option = { 1, 0, reload_slice_of(value, 65535) };
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_forwarding_option_encode(&w, &option), 0);
    option.option.n++;
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_forwarding_option_encode(&w, &option), RELOAD_E_NOSPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_has_type_flags_and_a_value),
        cmocka_unit_test(type_0_is_neither_read_nor_written),
        cmocka_unit_test(a_value_above_65535_bytes_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
