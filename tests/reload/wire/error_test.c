#include "check.h"

#include "reload/wire/error.h"

/* R6940-6.3.3.1-3 R6940-6.3.3.1-4 */
static void an_error_response_has_a_code_and_information(void **state)
{
    (void)state;
    struct reload_error_response response;
    assert_int_equal(reload_error_response_decode(BYTES(0, 2, 0, 2, 'n', 'o'), &response), 0);
    assert_int_equal(response.error_code, RELOAD_ERROR_FORBIDDEN);
    assert_slice_equal(response.error_info, TEXT("no"));
    check_good("ErrorResponse", BYTES(0, 2, 0, 2, 'n', 'o'));
    check_good("ErrorResponse", BYTES(0, 20, 0, 0));
    check_good("ErrorResponse", BYTES(0xab, 0xcd, 0, 0)); /* unknown code */
    check_length("ErrorResponse", BYTES(0, 2, 0, 2, 'n', 'o'), 2, 2);
}

/* R6940-14.9-1 R6940-14.9-2 R6940-14.9-3 R6940-14.9-4 */
static void codes_have_the_names_of_the_registry(void **state)
{
    (void)state;
    size_t named = 0;
    for (unsigned code = 0; code <= 0xffff; code++)
        named += strcmp(reload_error_code_name((uint16_t)code), "unknown") != 0;
    assert_int_equal(named, 19);
    assert_string_equal(reload_error_code_name(0), "unknown");
    assert_string_equal(reload_error_code_name(1), "unknown");
    assert_string_equal(reload_error_code_name(2), "Error_Forbidden");
    assert_string_equal(reload_error_code_name(0xc), "Error_Unknown_Kind");
    assert_string_equal(reload_error_code_name(0x11), "Error_In_Progress");
    assert_string_equal(reload_error_code_name(0x14), "Error_Invalid_Message");
    assert_string_equal(reload_error_code_name(0x15), "unknown");
}

/* R6940-7.4.1.2-8 R6940-6.3.1-1 */
static void unknown_kinds_are_whole_kind_ids(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(8, 0, 0, 0, 100, 0xf0, 0, 0, 1), kinds;
    assert_int_equal(reload_unknown_kinds_decode(wire, &kinds), 0);
    struct reload_reader r = reload_reader_over(kinds);
    uint32_t kind;
    assert_true(reload_kind_id_next(&r, &kind));
    assert_int_equal(kind, 100);
    assert_true(reload_kind_id_next(&r, &kind));
    assert_int_equal(kind, 0xf0000001);
    assert_false(reload_kind_id_next(&r, &kind));
    check_good("unknown_kinds", wire);
    check_good("unknown_kinds", BYTES(0));
    check_length("unknown_kinds", wire, 0, 1);
    check_bad("unknown_kinds", BYTES(3, 0, 0, 1));
    check_bad("unknown_kinds", BYTES(6, 0, 0, 0, 1, 0, 0));
    check_bad("unknown_kinds", BYTES(5, 0, 0, 0, 1, 0));
}

static void at_most_63_unknown_kinds_fit(void **state)
{
    (void)state;
    uint32_t kinds[RELOAD_UNKNOWN_KINDS_MAX + 1] = { 0 };
    uint8_t buf[300];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_unknown_kinds_encode(&w, kinds, RELOAD_UNKNOWN_KINDS_MAX), 0);
    w = reload_writer_of(buf, sizeof buf);
    assert_int_equal(reload_unknown_kinds_encode(&w, kinds, RELOAD_UNKNOWN_KINDS_MAX + 1),
                     RELOAD_E_NOSPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_response_has_a_code_and_information),
        cmocka_unit_test(codes_have_the_names_of_the_registry),
        cmocka_unit_test(unknown_kinds_are_whole_kind_ids),
        cmocka_unit_test(at_most_63_unknown_kinds_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
