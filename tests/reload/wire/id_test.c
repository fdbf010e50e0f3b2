#include "check.h"

#include "reload/wire/id.h"

static const uint8_t bytes[20] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                   11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };

/* R6940-6.3.1.1-3 */
static void a_node_id_is_16_to_20_raw_bytes(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 20; len++) {
        struct reload_reader r = reload_reader_of(bytes, 20);
        struct reload_node_id id = reload_rd_node_id(&r, len);
        assert_int_equal(reload_reader_status(&r), len >= 16 ? 0 : RELOAD_E_DECODE);
        if (len < 16)
            continue;
        assert_int_equal(id.len, len);
        assert_memory_equal(id.bytes, bytes, len);
        for (size_t i = len; i < sizeof id.bytes; i++)
            assert_int_equal(id.bytes[i], 0);
        uint8_t buf[20];
        struct reload_writer w = reload_writer_of(buf, sizeof buf);
        reload_wr_node_id(&w, &id);
        assert_slice_equal(reload_writer_slice(&w), reload_slice_of(bytes, len));
    }
    struct reload_reader r = reload_reader_of(bytes, 20);
    (void)reload_rd_node_id(&r, 21);
    assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
}

/* R6940-3-1 */
static void the_node_id_of_all_zeros_is_neither_read_nor_written(void **state)
{
    (void)state;
    static const uint8_t zeros[20];
    struct reload_reader r = reload_reader_of(zeros, 16);
    (void)reload_rd_node_id(&r, 16);
    assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
    struct reload_node_id id = reload_node_id_from(reload_slice_of(zeros, 16));
    uint8_t buf[20];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    reload_wr_node_id(&w, &id);
    assert_int_equal(reload_writer_status(&w), RELOAD_E_NOSPACE);
    assert_false(reload_node_id_is_valid(reload_slice_of(zeros, 20)));
}

static void a_cut_node_id_fails(void **state)
{
    (void)state;
    for (size_t n = 0; n < 16; n++) {
        struct reload_reader r = reload_reader_of(bytes, n);
        (void)reload_rd_node_id(&r, 16);
        assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
    }
}

static void bytes_of_an_impossible_length_give_no_node_id(void **state)
{
    (void)state;
    static const uint8_t many[21];
    assert_int_equal(reload_node_id_from(reload_slice_of(many, 21)).len, 0);
    assert_int_equal(reload_node_id_from(reload_slice_of(NULL, 0)).len, 0);
    assert_int_equal(reload_node_id_from(reload_slice_of(bytes, 20)).len, 20);
}

static void node_ids_compare_as_unsigned_numbers(void **state)
{
    (void)state;
    struct reload_node_id a = reload_node_id_from(BYTES(SIXTEEN(0x7f)));
    struct reload_node_id b = reload_node_id_from(BYTES(SIXTEEN(0x80)));
    assert_true(reload_node_id_compare(&a, &b) < 0);
    assert_true(reload_node_id_compare(&b, &a) > 0);
    assert_true(reload_node_id_compare(&a, &a) == 0);
    assert_true(reload_node_id_equal(&a, &a));
    assert_false(reload_node_id_equal(&a, &b));
    struct reload_node_id longer = reload_node_id_from(BYTES(SIXTEEN(0x7f), 0));
    assert_false(reload_node_id_equal(&a, &longer));
}

/* R6940-3-2 */
static void the_wildcard_is_all_ones(void **state)
{
    (void)state;
    struct reload_node_id id = reload_node_id_wildcard(16);
    assert_slice_equal(reload_node_id_slice(&id), BYTES(SIXTEEN(0xff)));
    assert_true(reload_node_id_is_wildcard(&id));
    assert_int_equal(reload_node_id_wildcard(20).len, 20);
    id.bytes[15] = 0xfe;
    assert_false(reload_node_id_is_wildcard(&id));
    assert_false(reload_node_id_is_wildcard(&(struct reload_node_id){ 0 }));
}

/* R6940-6.3.1-1 */
static void a_list_of_node_ids_holds_whole_and_valid_ones(void **state)
{
    (void)state;
    struct reload_slice good = BYTES(0, 32, SIXTEEN(7), SIXTEEN(8));
    struct reload_reader r = reload_reader_over(good);
    struct reload_slice list = reload_rd_node_ids16(&r, 16);
    assert_int_equal(reload_reader_finish(&r), 0);
    struct reload_reader ids = reload_reader_over(list);
    struct reload_node_id id;
    for (uint8_t expected = 7; expected <= 8; expected++) {
        assert_true(reload_node_id_next(&ids, 16, &id));
        assert_int_equal(id.bytes[15], expected);
    }
    assert_false(reload_node_id_next(&ids, 16, &id));
    assert_int_equal(reload_reader_finish(&ids), 0);

    struct reload_slice bad[] = {
        BYTES(0, 31, SIXTEEN(7), SIXTEEN(8)), /* not a whole number of them */
        BYTES(0, 17, SIXTEEN(7), 1), BYTES(0, 1, 1), BYTES(0, 32, SIXTEEN(7), SIXTEEN(0))
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        r = reload_reader_over(bad[i]);
        (void)reload_rd_node_ids16(&r, 16);
        assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
    }
    r = reload_reader_over(BYTES(0, 0));
    assert_int_equal(reload_rd_node_ids16(&r, 16).n, 0);
    assert_int_equal(reload_reader_finish(&r), 0);
}

static void text_is_lower_case_hexadecimal(void **state)
{
    (void)state;
    char text[RELOAD_NODE_ID_TEXT];
    struct reload_node_id id = reload_node_id_from(BYTES(SIXTEEN(0xab)));
    assert_string_equal(reload_node_id_text(&id, text), "abababababababababababababababab");
    id = reload_node_id_from(reload_slice_of(bytes, 20));
    assert_string_equal(reload_node_id_text(&id, text), "0102030405060708090a0b0c0d0e0f1011121314");
    assert_string_equal(reload_node_id_text(&(struct reload_node_id){ 0 }, text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_id_is_16_to_20_raw_bytes),
        cmocka_unit_test(the_node_id_of_all_zeros_is_neither_read_nor_written),
        cmocka_unit_test(a_cut_node_id_fails),
        cmocka_unit_test(bytes_of_an_impossible_length_give_no_node_id),
        cmocka_unit_test(node_ids_compare_as_unsigned_numbers),
        cmocka_unit_test(the_wildcard_is_all_ones),
        cmocka_unit_test(a_list_of_node_ids_holds_whole_and_valid_ones),
        cmocka_unit_test(text_is_lower_case_hexadecimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
