#include "check.h"

#include "peer/json.h"

static void hexadecimal_is_read_with_white_space_and_colons_between_bytes(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t len, at;
    assert_int_equal(reload_hex_read("d2 45\n4C:4f\t", 11, &bytes, &len, &at), 0);
    assert_int_equal(len, 4);
    assert_memory_equal(bytes, "\xd2\x45\x4c\x4f", 4);
    free(bytes);
    assert_int_equal(reload_hex_read("", 0, &bytes, &len, &at), 0);
    assert_int_equal(len, 0);
    free(bytes);
}

static void what_is_not_hexadecimal_is_refused_with_its_place(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t len, at;
    assert_int_equal(reload_hex_read("00 0", 4, &bytes, &len, &at), RELOAD_E_INVALID);
    assert_int_equal(at, 4);
    assert_int_equal(reload_hex_read("0g", 2, &bytes, &len, &at), RELOAD_E_INVALID);
    assert_int_equal(at, 1);
    assert_int_equal(reload_hex_read("x0", 2, &bytes, &len, &at), RELOAD_E_INVALID);
    assert_int_equal(at, 0);
    assert_int_equal(reload_hex_read("0 0", 3, &bytes, &len, &at), RELOAD_E_INVALID);
}

static void a_node_id_has_16_to_20_bytes(void **state)
{
    (void)state;
    struct reload_node_id id;
    assert_int_equal(reload_node_id_read("000102030405060708090a0b0c0d0e0f", &id), 0);
    assert_int_equal(id.len, 16);
    assert_int_equal(id.bytes[15], 15);
    assert_int_equal(reload_node_id_read("000102030405060708090a0b0c0d0e0f10111213", &id), 0);
    assert_int_equal(id.len, 20);
    assert_int_equal(reload_node_id_read("000102030405060708090a0b0c0d0e", &id), RELOAD_E_INVALID);
    assert_int_equal(reload_node_id_read("000102030405060708090a0b0c0d0e0f1011121314", &id),
                     RELOAD_E_INVALID);
    assert_int_equal(reload_node_id_read("", &id), RELOAD_E_INVALID);
}

static void bytes_are_shown_as_text_only_when_they_are_some(void **state)
{
    (void)state;
    json_t *text = reload_json_text(TEXT("alice\xc3\xa9"));
    assert_true(json_is_string(text));
    json_t *control = reload_json_text(TEXT("a\x1b[2J"));
    assert_string_equal(json_string_value(json_object_get(control, "hex")), "611b5b324a");
    json_t *c1 = reload_json_text(TEXT("a\xc2\x9b"
                                       "2J")); /* the same in one character */
    assert_true(json_is_object(c1));
    json_decref(c1);
    json_t *broken = reload_json_text(TEXT("\xff\xfe"));
    assert_true(json_is_object(broken));
    json_t *value = reload_json_value(TEXT("a\0b"));
    assert_null(json_object_get(value, "text"));
    assert_int_equal(json_integer_value(json_object_get(value, "length")), 3);
    json_decref(text);
    json_decref(control);
    json_decref(broken);
    json_decref(value);
}

static void numbers_above_63_bits_become_text(void **state)
{
    (void)state;
    json_t *large = reload_json_u64(UINT64_MAX), *small = reload_json_u64(INT64_MAX);
    assert_string_equal(json_string_value(large), "18446744073709551615");
    assert_int_equal(json_integer_value(small), INT64_MAX);
    json_decref(large);
    json_decref(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_is_read_with_white_space_and_colons_between_bytes),
        cmocka_unit_test(what_is_not_hexadecimal_is_refused_with_its_place),
        cmocka_unit_test(a_node_id_has_16_to_20_bytes),
        cmocka_unit_test(bytes_are_shown_as_text_only_when_they_are_some),
        cmocka_unit_test(numbers_above_63_bits_become_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
